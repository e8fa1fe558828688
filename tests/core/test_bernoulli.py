from math import log

import numpy as np
import pytest

from numpyvae import BERNOULLI, plain
from numpyvae.core import bernoulli
from numpyvae.core.layers import sigmoid


def cross_entropy(logits, x):
    return bernoulli.cross_entropy(logits, x, sigmoid(logits))


def cross_entropy_backward(logits, x):
    return bernoulli.cross_entropy_backward(logits, x, sigmoid(logits), 1.0)


def test_by_hand():
    # logits of 0 mean ½ for every pixel, which costs log 2 for any pixel
    assert cross_entropy(np.zeros((1, 3)), np.array([[0.0, 0.3, 1.0]])) == pytest.approx(3 * log(2))
    # a logit of log 3 means ¾: a lit pixel costs −log ¾, a dark one −log ¼
    logits = np.full((2, 1), log(3.0))
    cost = cross_entropy(logits, np.array([[1.0], [0.0]]))
    np.testing.assert_allclose(cost, [-log(0.75), -log(0.25)], rtol=1e-15)
    gradient = cross_entropy_backward(logits, np.array([[1.0], [0.0]]))
    np.testing.assert_allclose(gradient, [[-0.25], [0.75]], rtol=1e-15)


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 4e-16), (np.float32, 3e-7)])
def test_equals_the_plain_formula(rng, dtype, error):
    logits = (8 * rng.standard_normal((20, 50))).astype(dtype)
    x = rng.random((20, 50)).astype(dtype)
    exact = plain.cross_entropy(logits.astype(float), x.astype(float))
    cost = cross_entropy(logits, x)
    assert cost.dtype == dtype
    np.testing.assert_allclose(cost, exact, rtol=4 * error)
    gradient = bernoulli.cross_entropy_backward(logits, x, sigmoid(logits), dtype(0.25))
    assert np.array_equal(gradient, cross_entropy_backward(logits, x) * dtype(0.25))


def test_no_images_cost_nothing():
    assert cross_entropy(np.zeros((0, 8)), np.zeros((0, 8))).shape == (0,)


def test_stays_finite_at_a_thousand():
    logits = np.array([[1000.0, -1000.0], [-1000.0, 1000.0]])
    x = np.array([[1.0, 0.0], [1.0, 0.0]])
    assert cross_entropy(logits, x).tolist() == [0.0, 2000.0]
    assert cross_entropy_backward(logits, x).tolist() == [[0.0, 0.0], [-1.0, 1.0]]


def test_derivative_by_complex_step_at_zero_and_far_out_too(rng):
    logits = np.array([[-40.0, -3.0, -1e-9, 0.0, 1e-9, 0.5, 40.0]])
    x = rng.random(logits.shape)
    for j in range(logits.shape[1]):
        step = 1e-20j * (np.arange(logits.shape[1]) == j)
        slope = cross_entropy(logits + step, x).imag / 1e-20
        assert cross_entropy_backward(logits, x)[0, j] == pytest.approx(slope[0], abs=1e-15)


def test_a_perfect_grey_reconstruction_still_costs_the_entropy_of_the_pixel():
    x = np.array([[0.25]])
    cost = cross_entropy(np.log(x / (1 - x)), x)
    assert cost[0] == pytest.approx(-0.25 * log(0.25) - 0.75 * log(0.75), rel=1e-14)


def test_the_likelihood_says_what_it_is(rng):
    assert BERNOULLI.kind(np.array([[0.0, 1.0]])) == "probability"
    assert BERNOULLI.kind(np.array([[0.0, 0.5]])) == "cross-entropy"
    assert repr(BERNOULLI) == "Bernoulli()"


def test_the_cost_of_all_images_under_all_outputs_is_that_of_each_pair(rng):
    logits, x = 3.0 * rng.standard_normal((4, 9)), rng.random((6, 9))
    found = BERNOULLI.all_costs(logits, x)
    wanted = [cross_entropy(np.tile(row, (6, 1)), x) for row in logits]
    np.testing.assert_allclose(found, wanted, rtol=1e-14)
    slow = super(type(BERNOULLI), BERNOULLI).all_costs(logits, x)  # that of every likelihood
    np.testing.assert_allclose(slow, wanted, rtol=1e-14)


def test_samples_are_0_or_1_with_mean_p(rng):
    logits = np.array([-2.0, 0.0, 1.0])
    pixels = BERNOULLI.sample(np.tile(logits, (40_000, 1)), rng)
    assert set(np.unique(pixels)) == {0.0, 1.0}
    # the standard error of a mean of 40,000 coins is at most 0.0025
    np.testing.assert_allclose(pixels.mean(axis=0), sigmoid(logits), atol=0.0125)
