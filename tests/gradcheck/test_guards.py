"""Problems that make a check meaningless."""

import numpy as np
import pytest

from numpyvae import pictures
from numpyvae.gradcheck import (
    check_gradients,
)


@pytest.mark.parametrize("bad", [np.array([1j]), np.array(["a"]), np.array([True]), None])
def test_parameters_that_are_not_real_numbers_are_refused(bad):
    with pytest.raises(TypeError, match=r"params\['w'\]: expected real numbers, got .*; leave out"):
        check_gradients(lambda p: 0.0, {"w": bad}, {"w": bad})


def test_no_parameters_are_refused():
    with pytest.raises(ValueError, match="params: expected at least one array"):
        check_gradients(lambda p: 0.0, {}, {})


def problems(loss, params, grads):
    report = check_gradients(loss, params, grads)
    assert not report.ok
    assert not report.rows
    assert "STOP: " in str(report)
    with pytest.raises(ValueError, match="nothing was compared"):
        pictures.gradients(report)
    return report.problems


def test_guards():
    w = np.array([1.0, 2.0])
    rng = np.random.default_rng(0)

    def square(p):
        return (p["w"] ** 2).sum()

    right = {"w": 2.0 * w}
    (problem,) = problems(lambda p: square(p) + rng.standard_normal(), {"w": w}, right)
    assert "the loss is random" in problem
    assert "Draw the noise once" in problem
    (problem,) = problems(lambda p: float("nan"), {"w": w}, right)
    assert "the loss is nan" in problem
    (problem,) = problems(lambda p: p["w"] ** 2, {"w": w}, right)
    assert "array of shape (2,): return one number" in problem
    (problem,) = problems(square, {"w": w}, {})
    assert "no gradient for w" in problem
    (problem,) = problems(square, {"w": w}, {**right, "W": w})
    assert "gradient for W, but no such parameter" in problem
    (problem,) = problems(square, {"w": w}, {"w": np.ones((5, 2))})
    assert "not summed over the rows of the batch?" in problem
    (problem,) = problems(square, {"w": w}, {"w": np.ones((1, 2))})
    assert "keepdims?" in problem
    (problem,) = problems(square, {"w": w}, {"w": 2.0 * w + 1j})
    assert "not real numbers: complex128" in problem
    (problem,) = problems(lambda p: None, {"w": w}, right)
    assert "the loss is None" in problem
    (problem,) = problems(lambda p: p["w"].sum(), {"w": np.ones((2, 3))}, {"w": np.ones((3, 2))})
    assert "transposed?" in problem
    (problem,) = problems(square, {"w": w}, {"w": [np.nan, 4.0]})
    assert "1 entries that are NaN" in problem
    (problem,) = problems(square, {"w": w}, lambda p: {"w": rng.standard_normal(2)})
    assert "two different gradients" in problem

    total = np.zeros(2)

    def adds_up(p):
        total[:] += 2.0 * p["w"]
        return {"w": total}

    (problem,) = problems(square, {"w": w}, adds_up)
    assert "added up, and not reset" in problem

    def changes(p):
        p["w"] *= 2.0
        return square(p)

    assert any(
        "the loss changes w in place" in problem for problem in problems(changes, {"w": w}, right)
    )

    def backward_changes(p):
        p["w"] += 1.0
        return {"w": 2.0 * (p["w"] - 1.0)}

    found = problems(square, {"w": w}, backward_changes)
    assert any("backward changes w in place" in problem for problem in found)
    np.testing.assert_array_equal(w, [1.0, 2.0])


@pytest.mark.parametrize(
    ("params", "grads", "error", "words"),
    [
        (np.ones(2), {"w": 1.0}, TypeError, "params: expected a dictionary of arrays, got ndarray"),
        ({"w": 1.0}, np.ones(2), TypeError, "grads: expected a dictionary .* got ndarray"),
        ({"w": 1.0}, lambda p: None, TypeError, "grads: expected a dictionary .* got NoneType"),
        ({"w": np.nan}, {"w": 1.0}, ValueError, "1 entries are NaN or infinite; replace them"),
    ],
)
def test_what_is_no_dictionary_of_numbers_is_refused(params, grads, error, words):
    with pytest.raises(error, match=words):
        check_gradients(lambda p: p["w"] ** 2, params, grads)
