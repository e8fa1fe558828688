"""Functions from the notebooks of a learner."""

import json
import time

import numpy as np
import pytest

from numpyvae.course import EXERCISES, functions
from numpyvae.course.check import verdict_on
from numpyvae.course.notebooks import defined

NOTHING = "import numpy as np\nNOTHING = 0.0\n"
DENSE = "def dense(x, W, b):\n    return np.add(x @ W, b) + NOTHING  # mine\n"
BACKWARD = "def dense_backward(x, W, dy):\n    return [dy @ W.T, x.T @ dy, sum(dy)]\n"
ONES = np.ones((1, 2)), np.ones((2, 1)), np.ones(1)


def notebook(path, *sources):
    cells = [{"cell_type": "code", "source": source.splitlines(True)} for source in sources]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")


def written(folder, *sources):
    """The functions of a learner who wrote these cells of 01."""
    notebook(folder / "01_dense_layer.ipynb", *sources)
    return functions("01_dense_layer", folder)


def is_own(function, folder):
    """True if a function comes from the learner's notebook."""
    return str(folder) in function.__code__.co_filename


def test_functions_that_pass_are_the_learner_s(tmp_path):
    missing = functions("01_dense_layer", tmp_path)
    assert missing.origin == "our solutions: there is no 01_dense_layer.ipynb in this folder"
    assert missing.dense(*ONES).tolist() == [[3.0]]
    jupyter = "%matplotlib inline\n" + NOTHING
    found = written(tmp_path, jupyter + DENSE, BACKWARD, "assert False  # is not executed")
    assert found.origin == "your own functions, from 01_dense_layer.ipynb"
    assert is_own(found.dense, tmp_path)
    assert is_own(found.dense_backward, tmp_path)


def test_functions_that_are_empty_missing_or_wrong_are_ours(tmp_path):
    empty = 'def dense_backward(x, W, dy):\n    raise NotImplementedError("dense_backward: {}")\n'
    wrong = BACKWARD.replace("x.T @ dy", "2 * x.T @ dy")
    for backward in (empty.format("not written yet"), wrong, ""):
        found = written(tmp_path, NOTHING, DENSE, backward)
        assert found.origin == (
            "yours for dense; ours for dense_backward: not right yet in 01_dense_layer.ipynb"
        )
        assert is_own(found.dense, tmp_path)
        assert not is_own(found.dense_backward, tmp_path)
        assert (
            found.dense_backward(*map(np.ones, [(1, 2), (2, 3), (1, 3)]))[1].tolist()
            == [[1.0] * 3] * 2
        )


def test_only_what_the_exercises_use_is_executed(tmp_path):
    """Constants are, also through another function, but nothing that only looks like it."""
    helper = "b = 1 / 0\nTWO = ONE = 1.0\ndef add(x, y):\n    return ONE * (x + y)\nother = 1 / 0\n"
    dense = "def dense(x, W, b):\n    return add(x @ W, b)\nprint(1 / 0)\nx = 1 / 0\n"
    assert is_own(written(tmp_path, helper, dense, BACKWARD).dense, tmp_path)


def test_what_only_jupyter_understands_is_left_out(tmp_path):
    cells = (
        "%%bash\nls -l",
        "files = !ls\n",
        "np.ones?",
        "x = [1,",
        "?np.ones\nx = 1",
        "    %time x",
    )
    cells += (NOTHING, DENSE + "np.ones?\n", "%%time\n" + BACKWARD)
    assert written(tmp_path, *cells).origin.startswith("your own")


def test_a_function_that_does_not_parse_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"01_dense_layer\.ipynb: .* in 'def dense"):
        written(tmp_path, "def dense(x, W, b:\n    return 1\n")


@pytest.mark.parametrize("text", ["", "[]", "{}", "<<<<<<< HEAD", '{"cells": [1]}'])
def test_a_damaged_notebook_is_named_with_the_remedy(tmp_path, text):
    (tmp_path / "01_dense_layer.ipynb").write_text(text)
    with pytest.raises(ValueError, match=r"01_dense_layer\.ipynb: damaged, .* course start writes"):
        functions("01_dense_layer", tmp_path)


def test_a_verdict_shows_the_learner_s_own_line(tmp_path):
    written(tmp_path, "def dense(x, W, b):\n    return x @ W + c\n", BACKWARD)
    found = defined(tmp_path / "01_dense_layer.ipynb")
    verdict = verdict_on(EXERCISES["dense"], found["dense"])
    assert verdict.kind == "crash"
    assert "NameError: name 'c' is not defined, in your line `return x @ W + c`" in verdict.text


@pytest.mark.parametrize(
    ("cell", "problem"),
    [
        ("import sys\nNOTHING = 1 / 0", "ZeroDivisionError: division by zero"),
        ("import sys\nNOTHING = sys.exit(3)", "SystemExit: 3"),
        ("import nothing_of_this_name", "ModuleNotFoundError: No module named"),
        (
            "def f():\n    return 1\n\n\ndef g(x, x):\n    return 2",
            "SyntaxError: duplicate argument",
        ),
        ("X = " + "(" * 50 + "1" + ")" * 50 + "\nNOTHING = X.z", "AttributeError: 'int' object"),
    ],
)
def test_a_cell_that_fails_is_named_with_its_notebook(tmp_path, cell, problem):
    with pytest.raises(
        ValueError, match=r"01_dense_layer\.ipynb, '[^\n]*correct the cell"
    ) as error:
        written(tmp_path, NOTHING + DENSE, BACKWARD, cell)
    assert problem in str(error.value)
    assert cell.splitlines()[0][:20] in str(error.value)


@pytest.mark.parametrize(
    "source", ["X = 1\0", "X = '\ud800'", "X = " + "(" * 9999, "X = " + "-" * 200_000 + "1"]
)
def test_cells_that_no_parser_takes_are_left_out_unless_they_hold_a_function(tmp_path, source):
    cells = [NOTHING + DENSE, BACKWARD]
    assert written(tmp_path, *cells, source).origin.startswith("your own")
    with pytest.raises(ValueError, match=r"01_dense_layer\.ipynb: "):
        written(tmp_path, *cells, source + "\ndef f(): pass")


def test_blank_lines_take_no_time(tmp_path):
    """Each of 100,000 lines was once compared with all that follow."""
    started = time.process_time()
    found = written(tmp_path, NOTHING + DENSE, BACKWARD, "\n" * 100_000 + "x = (")
    assert is_own(found.dense, tmp_path)
    assert time.process_time() - started < 5
