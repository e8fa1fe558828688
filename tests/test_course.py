"""The working folder of the course, the blanking, and verdicts in words."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hatchling.build import build_wheel
from hypothesis import given
from hypothesis import strategies as st

from numpyvae.cli import main
from numpyvae.course import NotYet, blank, call, expect, functions, start, tutorials

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


# expect


def verdict(*arguments, **more):
    with pytest.raises(NotYet) as caught:
        expect(*arguments, **more)
    return str(caught.value)


def test_expect_is_silent_if_all_is_right():
    expect("f", 2.0, 2.0, "by hand")
    expect("f", [1, 2], np.array([1.0, 2.0]), "by hand")
    expect("f", 1e9 + 0.1, 1e9, "by hand")  # relative to its size
    expect("f", np.float32(2.0), 2.0, "by hand")
    expect("f", 1e-10, 0.0, "by hand")
    assert "ratio 1" in verdict("f", 1.0 + 2e-9, 1.0, "by hand")  # and no further than 1e-9
    expect("f", 1.0 + 2e-9, 1.0, "by hand", tolerance=3e-9)


def test_expect_names_the_entry_the_values_the_ratio_and_the_mistake():
    said = verdict(
        "kl", [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 8.0]], "by hand", given="mu = 4",
        mistakes={"The sign is turned.": [[-1.0, -2.0], [-3.0, -8.0]],
                  "The last one is halved.": [[1.0, 2.0], [3.0, 4.0]]},
    )  # fmt: skip
    assert said == (
        "kl: not yet, for mu = 4\n"
        "  at [1, 1]: yours 4   exact 8 (by hand)   ratio 0.5\n"
        "  The last one is halved."
    )


def test_expect_names_a_mistake_that_gives_infinities_or_nan():
    said = verdict("f", -np.inf, 1.0, "by hand", mistakes={"It underflowed.": -np.inf})
    assert "It underflowed." in said
    assert "ratio" not in said
    said = verdict("f", [1.0, np.nan], [1.0, 2.0], "by hand")
    assert "at [1]: yours nan   exact 2 (by hand)" in said


def test_expect_about_what_is_no_such_array():
    assert "is a `return` missing?" in verdict("f", None, 1.0, "by hand")
    assert "no array of numbers" in verdict("f", "two", 1.0, "by hand")
    assert "no array of numbers" in verdict("f", [1.0, [2.0, 3.0]], [1.0, 2.0], "by hand")
    assert verdict("f", np.zeros((2, 3)), np.zeros((3, 2)), "by hand").endswith(
        "yours has shape (2, 3), expected (3, 2); is it transposed?"
    )
    assert "transposed" not in verdict("f", np.zeros(3), np.zeros((3, 2)), "by hand")
    assert "transposed" not in verdict("f", 1.0, np.zeros((3, 2)), "by hand")


def test_a_notebook_shows_the_words_alone():
    said = NotYet("kl: not yet\n  yours 1")
    assert said._render_traceback_() == ["kl: not yet", "  yours 1"]


# call


def test_call_returns_arrays_and_passes_arguments_on():
    assert call(lambda x, y: x + y, 1, 2, returns="total") == 3
    first, second = call(lambda x: [x, np.array([x, x])], 1.5, returns="first, second")
    assert (first, second.tolist()) == (1.5, [1.5, 1.5])


def called(function, *arguments, **more):
    with pytest.raises(NotYet) as caught:
        call(function, *arguments, **more)
    return str(caught.value)


def test_call_says_what_is_wrong_with_what_comes_back():
    def f(x):
        return x

    assert called(lambda x: None, 1.0).endswith("it returns None: is a `return` missing?")
    assert called(f, 1.0, returns="dx, dW") == "f: not yet\n  expected 2 results, dx, dW; got 1"
    assert called(f, (1, 2, 3), returns="dx, dW").endswith("got 3")
    assert called(f, "word") == "f: not yet\n  yours is no array of numbers, but 'word'"
    assert called(f, ("a", 1), returns="s, t").startswith("f: s: not yet")
    assert called(f, [1.0]).endswith("yours is a list; return an array, as np.array(...) does")
    assert called(f, (1.0, 2.0)).endswith(
        "yours is a tuple; return an array, as np.array(...) does"
    )


def test_call_sees_that_an_argument_was_changed():
    def f(x, theta):
        theta *= 2
        return x

    said = called(f, np.ones(2), np.ones(2))
    assert said.startswith("f: not yet\n  it has changed its argument theta; ")

    def g(table):
        table["W"] = table["W"] + 1
        return 1.0

    assert "changed its argument table" in called(g, {"W": np.ones(2)})

    def h(table):
        table["b"] = np.zeros(2)
        return 1.0

    assert "changed its argument table" in called(h, {"W": np.ones(2)})


def test_call_says_in_words_that_arithmetic_failed():
    import math

    assert called(lambda x: math.exp(x), 1000.0).endswith("math range error")
    with np.errstate(over="raise"):
        assert "overflow" in called(lambda x: np.exp(x), 1000.0)


def test_call_says_that_a_blank_is_not_written_yet():
    def f(x):
        raise NotImplementedError("f: not written yet")

    assert called(f, 1.0) == "f: not written yet"


# The working folder


def test_start_writes_notebooks_that_are_blank_and_never_over_a_file(tmp_path):
    folder = tmp_path / "deep" / "course"
    written, kept = start(folder)
    assert len(written) == 11
    assert kept == []
    assert sorted(written) == sorted(path.name for path in folder.iterdir())
    mine, gone = folder / written[0], folder / written[1]
    original = gone.read_bytes()
    mine.write_text("my work")
    gone.unlink()
    written, kept = start(folder)
    assert written == [gone.name]
    assert len(kept) == 10
    assert mine.read_text() == "my work"
    assert gone.read_bytes() == original


def test_started_notebooks_are_those_of_the_project_but_for_solutions(tmp_path):
    start(tmp_path)
    for path in tmp_path.glob("*.ipynb"):
        blanked = json.loads(path.read_text(encoding="utf-8"))
        solved = json.loads((tutorials() / path.name).read_text(encoding="utf-8"))
        assert blanked["nbformat"] == solved["nbformat"]
        assert [c["id"] for c in blanked["cells"]] == [c["id"] for c in solved["cells"]]
        for mine, ours in zip(blanked["cells"], solved["cells"]):
            source = "".join(ours["source"])
            expected = blank(source) if ours["cell_type"] == "code" else source
            assert "".join(mine["source"]) == expected


def test_the_command_says_what_to_do_next(tmp_path, capsys):
    folder = tmp_path / "course"
    assert main(["course", "start", str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"next: open {folder / '01_dense_layer.ipynb'} in Jupyter or VS Code" in said
    assert main(["course", "start", str(folder)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("there already, left as they are: 01_dense_layer.ipynb, ")


def test_a_file_in_the_way_is_one_line_and_status_2(tmp_path, capsys):
    (tmp_path / "course").write_text("")
    assert main(["course", "start", str(tmp_path / "course")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert "expected the name of a folder" in captured.err


def test_a_folder_that_cannot_be_written_to(monkeypatch, capsys):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", f"{folder}/.README.md.17")

    monkeypatch.setattr("numpyvae.cli.start", refuse)
    assert main(["course", "start", "mine"]) == 2
    said = "numpyvae: mine: no permission to write there; name another folder\n"
    assert capsys.readouterr().err == said


def test_no_name_for_the_folder(capsys):
    assert main(["course", "start", ""]) == 2
    assert capsys.readouterr().err == "numpyvae: expected the name of a folder, got an empty one\n"


def test_a_link_that_leads_nowhere_is_left_as_it_is(tmp_path):
    link = tmp_path / "01_dense_layer.ipynb"
    link.symlink_to(tmp_path / "elsewhere")
    assert start(tmp_path)[1] == [link.name]
    assert link.is_symlink()


# Functions from a learner's notebook


DENSE = "def dense(x, W, b):\n    return np.array(SEVEN)  # is it 8?\n"
BACKWARD = "def dense_backward(x, W, dy):\n    return dy  # or dx?\n"
ONES = np.ones((1, 2)), np.ones((2, 1)), np.ones(1)


def notebook(path, *sources):
    cells = [{"cell_type": "code", "source": source.splitlines(True)} for source in sources]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")


def written(folder, *sources):
    """The functions of a learner who wrote these cells of 01."""
    notebook(folder / "01_dense_layer.ipynb", *sources)
    return functions("01_dense_layer", folder)


def test_functions_come_from_the_learner_once_all_is_written(tmp_path):
    missing = functions("01_dense_layer", tmp_path)
    assert missing.origin == "our solutions: there is no 01_dense_layer.ipynb in this folder"
    assert missing.dense(*ONES).tolist() == [[3.0]]
    seven = "%matplotlib inline\nimport numpy as np\nSEVEN = 7\n"
    found = written(tmp_path, seven + DENSE, BACKWARD, "assert False  # only definitions are taken")
    assert found.origin == "your own functions, from 01_dense_layer.ipynb"
    assert found.dense(*ONES) == 7
    assert found.dense_backward(1, 2, 3) == 3


def test_functions_are_ours_if_some_are_empty_or_missing(tmp_path):
    empty = 'def dense_backward(x, W, dy):\n    raise NotImplementedError("dense_backward: {}")\n'
    for backward in (empty.format("not written yet"), BACKWARD.replace("dense", "Dense"), ""):
        found = written(tmp_path, "import numpy as np\nSEVEN = 7\n", DENSE, backward)
        assert found.origin == "our solutions: 01_dense_layer.ipynb lacks dense_backward"
        assert found.dense(*ONES).tolist() == [[3.0]]


def test_what_only_jupyter_understands_is_left_out(tmp_path):
    cells = (
        "%%bash\nls -l",
        "files = !ls\n",
        "np.ones?",
        "x = [1,",
        "?np.ones\nx = 1",
        "    %time x",
    )
    cells += ("import numpy as np\nSEVEN = 7", DENSE + "np.ones?\n", "%%time\n" + BACKWARD)
    found = written(tmp_path, *cells)
    assert found.origin.startswith("your own")
    assert found.dense(*ONES) == 7


def test_a_function_that_does_not_parse_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"01_dense_layer\.ipynb: .* in 'def dense"):
        written(tmp_path, "def dense(x, W, b:\n    return 1\n")


@pytest.mark.parametrize("text", ["", "[]", "{}", "<<<<<<< HEAD", '{"cells": [1]}'])
def test_a_damaged_notebook_is_named_with_the_remedy(tmp_path, text):
    (tmp_path / "01_dense_layer.ipynb").write_text(text)
    with pytest.raises(ValueError, match=r"01_dense_layer\.ipynb: damaged, .* course start writes"):
        functions("01_dense_layer", tmp_path)


def test_a_traceback_shows_the_learner_s_own_line(tmp_path):
    import traceback

    found = written(tmp_path, "def dense(x, W, b):\n    return x @ W + c\n", BACKWARD)
    with pytest.raises(NameError) as caught:
        found.dense(np.ones((1, 1)), np.ones((1, 1)), 0)
    lines = traceback.format_exception(caught.type, caught.value, caught.tb)
    assert "return x @ W + c" in "".join(lines)


# Installed


def test_the_wheel_holds_the_tutorials_and_needs_neither_jupyter_nor_a_checkout(tmp_path):
    """As installed: the package and what a wheel adds to it, copied to a folder of their own."""
    site = tmp_path / "site"
    root = Path(__file__).parents[1]
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    here = os.getcwd()
    os.chdir(root)
    try:
        name = build_wheel(str(wheels))
    finally:
        os.chdir(here)
    with zipfile.ZipFile(wheels / name) as wheel:
        wheel.extractall(site)
    inside = {path.name for path in (site / "numpyvae" / "course" / "tutorials").iterdir()}
    assert inside == {path.name for path in (root / "tutorials").glob("*.ipynb")} | {"README.md"}
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['IPython', 'nbformat', 'jupytext']))\n"
        "from numpyvae.cli import main; from numpyvae.course import tutorials\n"
        "print(tutorials()); sys.exit(main(['course', 'start', 'mine']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(site / "numpyvae" / "course" / "tutorials"))
    assert len(list((tmp_path / "mine").glob("*.ipynb"))) == 10
