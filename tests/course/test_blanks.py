"""Taking solutions out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.course import blank

SOLVED = """\
def twice(x):
    \"\"\"2 x\"\"\"
    # BEGIN SOLUTION
    y = x + x
    return y
    # END SOLUTION


print(twice(2))
"""


def test_blank_by_hand():
    assert blank(SOLVED) == (
        "def twice(x):\n"
        '    """2 x"""\n'
        "    # Yours to write; ours has 2 lines. Then delete the next line.\n"
        '    raise NotImplementedError("twice: not written yet")\n'
        "\n\nprint(twice(2))\n"
    )


def test_blank_of_two_functions_and_of_one_line():
    source = "def f():\n    # BEGIN SOLUTION\n    return 1\n    # END SOLUTION\n"
    found = blank(source + source.replace("f()", "g()"))
    assert "f: not written yet" in found
    assert "g: not written yet" in found
    assert found.count("ours has 1 line. ") == 2


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def f():\n    # BEGIN SOLUTION\n    return 1\n", 2),
        ("def f():\n    return 1\n    # END SOLUTION\n", 3),
        ("def f():\n    # BEGIN SOLUTION\n    # BEGIN SOLUTION\n    # END SOLUTION\n", 3),
        ("# BEGIN SOLUTION\nx = 1\n# END SOLUTION\n", 1),
    ],
)
def test_blank_refuses_markers_that_do_not_match(source, line):
    with pytest.raises(ValueError, match=f"line {line}: "):
        blank(source)


@given(st.lists(st.text("abc #\n\t=():é", max_size=20).filter(lambda s: "SOLUTION" not in s)))
def test_blank_leaves_everything_else_as_it_is(parts):
    text = "\n".join(parts)
    assert blank(text) == text
    assert blank(blank(SOLVED)) == blank(SOLVED)
