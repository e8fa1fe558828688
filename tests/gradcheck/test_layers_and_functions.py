"""Checks of a layer, and of a function of one number."""

import numpy as np
import pytest
from scipy.special import erf, ndtr

from numpyvae.core.layers import Dense, relu, sigmoid
from numpyvae.core.parameters import Parameters
from numpyvae.gradcheck import (
    check_function,
    check_layer,
)


def dense(kind=Dense, n=3):
    parameters = Parameters({"W_y": (4, n), "b_y": (n,)})
    parameters.initialize(np.random.default_rng(0))
    return kind(parameters, "y")


def test_a_layer(rng):
    layer = dense()
    before = layer.W.copy()
    report = check_layer(layer, rng.standard_normal((5, 4)))
    report.raise_if_failed(complete=True)
    assert [row.name for row in report.rows] == ["x", "W", "b"]
    np.testing.assert_array_equal(layer.W, before)
    assert not layer.dW.any()


def test_wrong_layers(rng):
    class IgnoresDy(Dense):
        def backward(self, x, dy):
            super().backward(x, dy)
            return np.ones_like(dy) @ self.W.T

    class Averages(Dense):
        def backward(self, x, dy):
            dx = super().backward(x, dy)
            self.db /= len(dy)
            return dx

    class Transposed(Dense):
        def backward(self, x, dy):
            super().backward(x, dy)
            return dy @ self.W

    def report(kind, n):
        return check_layer(dense(kind, n), rng.standard_normal((5, 4)))

    assert report(IgnoresDy, 3).failed == ["x"]
    averages = report(Averages, 3)
    assert averages.failed == ["b"]
    assert "1 / the number of rows" in averages.hints[0]
    assert report(Transposed, 4).failed == ["x"]


def test_weights_whose_gradient_is_made_by_backward_are_found_and_others_named(rng):
    class Usual:
        def __init__(self):
            self.W, self.dW = rng.standard_normal((4, 3)), None
            self.scale = np.ones(3)

        def forward(self, x):
            return x @ self.W * self.scale

        def backward(self, x, dy):
            self.dW = 7.0 * x.T @ (dy * self.scale)
            return (dy * self.scale) @ self.W.T

    report = check_layer(Usual(), rng.standard_normal((5, 4)))
    assert report.failed == ["W"]
    assert "scale was not checked: there is no dscale of its shape" in report.notes

    class Pair(Usual):
        def forward(self, x):
            return super().forward(x), None

    with pytest.raises(TypeError, match=r"expected forward\(x\) to return one array, got tuple"):
        check_layer(Pair(), np.ones((5, 4)))


def test_functions_of_one_number():
    check_function(sigmoid, lambda x: sigmoid(x) * (1.0 - sigmoid(x))).raise_if_failed(True)
    check_function(np.tanh, lambda x: 1.0 - np.tanh(x) ** 2).raise_if_failed(complete=True)
    check_function(relu, lambda x: (x > 0.0) * 1.0).raise_if_failed(complete=True)
    wrong = check_function(sigmoid, lambda x: 1.0 - sigmoid(x) ** 2)
    assert len(wrong.failed) >= 16
    kink = check_function(relu, lambda x: (x > 0.0) * 1.0, [-1.0, 0.0, 1.0])
    assert [row.verdict for row in kink.rows] == ["PASS", "UNSURE", "PASS"]
    softmax = check_function(lambda x: np.exp(x) / np.exp(x).sum(), np.exp)
    assert "f(x) is not f of each entry" in softmax.problems[0]
    assert "return an entry for each" in check_function(np.sin, lambda x: 1.0).problems[0]


def test_what_a_layer_keeps_of_its_first_call_is_found(rng):
    class KeepsX(Dense):
        kept = None

        def backward(self, x, dy):
            self.kept = x.copy() if self.kept is None else self.kept
            dx = super().backward(x, dy)
            np.matmul(self.kept.T, dy, out=self.dW)
            return dx

    class Adds(Dense):
        def backward(self, x, dy):
            self.dW += x.T @ dy
            self.db[:] = dy.sum(axis=0)
            return dy @ self.W.T

    assert check_layer(dense(KeepsX), rng.standard_normal((5, 4))).failed == ["W"]
    report = check_layer(dense(Adds), rng.standard_normal((5, 4)))
    assert not report.ok
    assert "W first: each call adds the same to the one before" in report.problems[0]


def normal_density(x):
    return np.exp(-0.5 * x**2) / np.sqrt(2.0 * np.pi)


FLAT = {  # function, derivative, points where the function is flat to the last digit
    "gelu": (
        lambda x: 0.5 * x * (1.0 + erf(x / np.sqrt(2.0))),
        lambda x: ndtr(x) + x * normal_density(x),
        [-10.0, -9.0],
    ),
    "1 - erf": (
        lambda x: 1.0 - erf(x),
        lambda x: -2.0 / np.sqrt(np.pi) * np.exp(-(x**2)),
        [6.0, 8.0, 10.0],
    ),
    "1 - tanh": (
        lambda x: 1.0 - np.tanh(x),
        lambda x: -1.0 / np.cosh(x) ** 2,
        [18.0, 20.0, 30.0],
    ),
    "log(1 + exp)": (
        lambda x: np.log(1.0 + np.exp(x)),
        lambda x: 1.0 / (1.0 + np.exp(-x)),
        [-36.0, -40.0],
    ),
    "log of the normal distribution": (
        lambda x: np.log(ndtr(x)),
        lambda x: normal_density(x) / ndtr(x),
        [8.0, 9.0],
    ),
}


@pytest.mark.parametrize("name", FLAT)
def test_a_function_that_is_flat_to_the_last_digit_is_not_accused(name):
    f, df, points = FLAT[name]
    assert check_function(f, df).complete
    for x in (points, [*points, 0.5, -0.5], points[:1]):
        assert not check_function(f, df, x).failed
    assert len(check_function(f, lambda x: 1.01 * df(x)).failed) >= 15  # of 18 points


def test_what_a_pass_writes_is_no_weight(rng):
    """A layer that has been used, and keeps x, dx, z and dz of its last pass."""

    class Keeps:
        def __init__(self):
            self.W = rng.standard_normal((4, 3))

        def forward(self, x):
            self.x, self.z = x, x @ self.W
            return np.tanh(self.z)

        def backward(self, x, dy):
            self.dz = dy * (1.0 - np.tanh(x @ self.W) ** 2)
            self.dW, self.dx = x.T @ self.dz, self.dz @ self.W.T
            return self.dx

    layer, x = Keeps(), rng.standard_normal((5, 4))
    layer.forward(x)
    layer.backward(x, np.ones((5, 3)))
    report = check_layer(layer, x)
    report.raise_if_failed(complete=True)
    assert [row.name for row in report.rows] == ["x", "W"]


def test_weights_that_are_parts_of_one_array_are_refused(rng):
    class Flat:
        def __init__(self):
            self.flat = rng.standard_normal(12)
            self.W = self.flat.reshape(4, 3)

    with pytest.raises(ValueError, match="flat and W are parts of one array"):
        check_layer(Flat(), rng.standard_normal((5, 4)))


def test_a_point_where_the_function_is_not_defined_says_so():
    report = check_function(np.log, lambda x: 1.0 / x)
    assert not report.failed
    assert "f is not a finite number here" in str(report)
