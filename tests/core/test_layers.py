from math import exp

import numpy as np
import pytest

from numpyvae.core.layers import Dense, relu, relu_backward, sigmoid
from numpyvae.core.parameters import Parameters


def dense_by_loops(x, W, b):
    rows, columns = range(len(x)), range(W.shape[1])
    return [[sum(x[r, k] * W[k, j] for k in range(len(W))) + b[j] for j in columns] for r in rows]


def dense_backward_by_loops(x, W, dy):
    rows, n_in, n_out = range(len(x)), range(len(W)), range(W.shape[1])
    dW = [[sum(x[r, k] * dy[r, j] for r in rows) for j in n_out] for k in n_in]
    db = [sum(dy[r, j] for r in rows) for j in n_out]
    dx = [[sum(dy[r, j] * W[k, j] for j in n_out) for k in n_in] for r in rows]
    return dW, db, dx


@pytest.fixture
def dense(rng):
    parameters = Parameters({"W_y": (3, 2), "b_y": (2,)}, np.float64)
    parameters.value[:] = rng.standard_normal(8)
    return Dense(parameters, "y")


def test_dense_equals_the_loops(dense, rng):
    x, dy = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    np.testing.assert_allclose(dense.forward(x), dense_by_loops(x, dense.W, dense.b), atol=1e-15)
    dx = dense.backward(x, dy)
    dW, db, dx_by_loops = dense_backward_by_loops(x, dense.W, dy)
    np.testing.assert_allclose(dense.dW, dW, atol=1e-15)
    np.testing.assert_allclose(dense.db, db, atol=1e-15)
    np.testing.assert_allclose(dx, dx_by_loops, atol=1e-15)


def test_dense_keeps_no_cache_and_changes_no_argument(dense, rng):
    x, dy = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    kept = x.copy(), dy.copy()
    dense.forward(x)
    dense.forward(rng.standard_normal((9, 3)))  # an evaluation pass in between
    dense.backward(x, dy)
    first = dense.dW.copy()
    dense.backward(x, dy)
    assert np.array_equal(dense.dW, first)  # written, not added up
    assert np.array_equal(x, kept[0])
    assert np.array_equal(dy, kept[1])


def test_the_first_layer_needs_no_dx(dense, rng):
    x, dy = rng.standard_normal((4, 3)), rng.standard_normal((4, 2))
    dense.backward(x, dy)
    dW, db = dense.dW.copy(), dense.db.copy()
    assert dense.weights_backward(x, 2.0 * dy) is None
    assert np.array_equal(dense.dW, 2.0 * dW)
    assert np.array_equal(dense.db, 2.0 * db)


def test_glorot_limit_and_variance():
    parameters = Parameters({"W_y": (300, 200), "b_y": (200,)})
    parameters.value[:] = 7.0
    layer = Dense(parameters, "y")
    parameters.initialize(np.random.default_rng(0))
    limit = np.sqrt(6 / 500)
    assert np.abs(layer.W).max() <= limit
    # 60,000 uniform draws: the standard error of the variance is 0.37 % of it
    assert layer.W.var() == pytest.approx(limit**2 / 3, rel=0.015)
    assert not layer.b.any()


def test_relu_passes_the_gradient_only_where_it_passed_the_value():
    a = np.array([[-2.0, -0.0, 0.0, 1e-300, 3.0]])
    y = relu(a)
    assert y.tolist() == [[0.0, 0.0, 0.0, 1e-300, 3.0]]
    dy = np.array([[5.0, 5.0, 5.0, 5.0, -5.0]])
    assert relu_backward(dy, y).tolist() == [[0.0, 0.0, 0.0, 5.0, -5.0]]
    assert dy.tolist() == [[5.0, 5.0, 5.0, 5.0, -5.0]]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_sigmoid_equals_its_definition(dtype):
    a = np.linspace(-30, 30, 601).astype(dtype)
    exact = [1 / (1 + exp(-float(value))) for value in a]
    assert sigmoid(a).dtype == dtype
    np.testing.assert_allclose(sigmoid(a), exact, atol=np.finfo(dtype).eps, rtol=0)


def test_sigmoid_at_a_thousand():
    assert sigmoid(np.array([-1000.0, 0.0, 1000.0])).tolist() == [0.0, 0.5, 1.0]
