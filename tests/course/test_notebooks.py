"""Functions from the notebooks of a learner."""

import json

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
