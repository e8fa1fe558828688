from math import log

import naive
import numpy as np
import pytest

from numpyvae.core.bernoulli import cross_entropy, cross_entropy_backward
from numpyvae.core.layers import sigmoid


def test_by_hand():
    # logits of 0 mean ½ for every pixel, which costs log 2 for any pixel
    assert cross_entropy(np.zeros((1, 3)), np.array([[0.0, 0.3, 1.0]])) == pytest.approx(3 * log(2))
    # a logit of log 3 means ¾: a lit pixel costs −log ¾, a dark one −log ¼
    logits = np.full((2, 1), log(3.0))
    cost = cross_entropy(logits, np.array([[1.0], [0.0]]))
    np.testing.assert_allclose(cost, [-log(0.75), -log(0.25)], rtol=1e-15)
    gradient = cross_entropy_backward(logits, np.array([[1.0], [0.0]]))
    np.testing.assert_allclose(gradient, [[-0.25], [0.75]], rtol=1e-15)


@pytest.mark.parametrize("pixels", [7, 12, 48, 50])  # one logarithm for 1, 4, 8, 2 of them
@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 4e-16), (np.float32, 3e-7)])
def test_equals_the_loops(rng, dtype, error, pixels):
    logits = (8 * rng.standard_normal((20, pixels))).astype(dtype)
    x = rng.random((20, pixels)).astype(dtype)
    exact = naive.cross_entropy(logits.astype(float), x.astype(float))
    cost = cross_entropy(logits, x)
    assert cost.dtype == dtype
    np.testing.assert_allclose(cost, exact, rtol=2 * error)
    p = sigmoid(logits)
    assert np.array_equal(cross_entropy(logits, x, p, np.empty((2, *p.shape), dtype)), cost)
    assert np.array_equal(cross_entropy_backward(logits, x, p), cross_entropy_backward(logits, x))


def test_no_images_cost_nothing():
    assert cross_entropy(np.zeros((0, 8)), np.zeros((0, 8))).shape == (0,)


def test_stays_finite_at_a_thousand():
    logits = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]])
    x = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert cross_entropy(logits, x).tolist() == [0.0, 2000.0]
    many = np.tile(logits, 4), np.tile(x, 4)
    assert cross_entropy(*many).tolist() == [0.0, 8000.0]
    assert cross_entropy_backward(logits, x).tolist() == [[0.0, 0.0], [-1.0, 1.0]]


@pytest.mark.parametrize("more", [[], [7.0]])  # seven pixels, and eight under one logarithm
def test_derivative_by_complex_step_at_zero_and_far_out_too(rng, more):
    logits = np.array([[-40.0, -3.0, -1e-9, 0.0, 1e-9, 0.5, 40.0, *more]])
    x = rng.random(logits.shape)
    for j in range(logits.shape[1]):
        step = 1e-20j * (np.arange(logits.shape[1]) == j)
        slope = cross_entropy(logits + step, x).imag / 1e-20
        assert cross_entropy_backward(logits, x)[0, j] == pytest.approx(slope[0], abs=1e-15)


def test_a_perfect_grey_reconstruction_still_costs_the_entropy_of_the_pixel():
    x = np.array([[0.25]])
    cost = cross_entropy(np.log(x / (1 - x)), x)
    assert cost[0] == pytest.approx(naive.entropy(0.25), rel=1e-14)
