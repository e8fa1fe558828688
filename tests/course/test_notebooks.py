"""Functions from the notebooks of a learner."""

import json
import time

import numpy as np
import pytest

from numpyvae.course import functions

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


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("import sys\nX = 1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys\nX = sys.exit(3)", "SystemExit: 3"),
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named"),
        (
            "def f():\n    return 1\n\n\ndef g(x, x):\n    return 2",
            "SyntaxError: duplicate argument",
        ),
        ("X = " + "(" * 50 + "1" + ")" * 50 + "\nY = X.z", "AttributeError: 'int' object"),
    ],
)
def test_a_cell_that_fails_is_named_with_its_notebook(tmp_path, cell, problem):
    seven = "import numpy as np\nSEVEN = 7\n"
    with pytest.raises(
        ValueError, match=r"01_dense_layer\.ipynb, '[^\n]*correct the cell"
    ) as error:
        written(tmp_path, seven + DENSE, BACKWARD, cell)
    assert problem in str(error.value)
    assert cell.splitlines()[0][:20] in str(error.value)


@pytest.mark.parametrize(
    "source", ["X = 1\0", "X = '\ud800'", "X = " + "(" * 9999, "X = " + "-" * 200_000 + "1"]
)
def test_cells_that_no_parser_takes_are_left_out_unless_they_hold_a_function(tmp_path, source):
    cells = ["import numpy as np\nSEVEN = 7\n" + DENSE, BACKWARD]
    assert written(tmp_path, *cells, source).origin.startswith("your own")
    with pytest.raises(ValueError, match=r"01_dense_layer\.ipynb: "):
        written(tmp_path, *cells, source + "\ndef f(): pass")


def test_blank_lines_take_no_time(tmp_path):
    """Each of 100,000 lines was once compared with all that follow."""
    started = time.process_time()
    found = written(
        tmp_path, "import numpy as np\nSEVEN = 7\n" + DENSE, BACKWARD, "\n" * 100_000 + "x = ("
    )
    assert found.dense(*ONES) == 7
    assert time.process_time() - started < 5
