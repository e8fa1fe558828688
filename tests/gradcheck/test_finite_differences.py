"""The derivative with its error bar."""

import numpy as np
import pytest

from numpyvae.gradcheck import (
    derivative,
    numerical_gradient,
)


@pytest.mark.parametrize(
    ("phi", "truth"),
    [
        (np.exp, 1.0),
        (lambda t: np.sin(5.0 * t + 1.0), 5.0 * np.cos(1.0)),
        (lambda t: 1e6 + np.exp(t), 1.0),
        (lambda t: 1e-12 * np.tanh(t + 0.5), 1e-12 / np.cosh(0.5) ** 2),
        (lambda t: np.log(1.0 + np.exp(20.0 * t)), 10.0),
        (lambda t: abs(t - 1e-4) + t, 0.0),  # a kink that small steps do not reach
        (lambda t: 3.0, 0.0),
        (lambda t: t**3, 0.0),
    ],
)
def test_the_error_bar_holds(phi, truth):
    found = derivative(phi)
    assert abs(found.value - truth) <= 3.0 * found.error + 1e-300
    assert found.status == "smooth"
    assert found.error <= 1e-8 * max(abs(truth), abs(phi(0.0)), 1e-3)


def test_a_kink_and_a_hopeless_function_are_named():
    assert derivative(abs).status == "kink"
    assert derivative(lambda t: t + 1e-3 * max(t, 0.0)).status == "kink"
    assert derivative(lambda t: 1e5 + t + 1e-3 * abs(t)).status == "kink"
    rng = np.random.default_rng(0)
    noisy = derivative(lambda t: t + rng.standard_normal())
    assert noisy.status == "noisy" or noisy.error > 0.1
    assert derivative(lambda t: float("nan")).status == "noisy"


def test_the_noise_is_that_of_the_largest_terms_in_a_sum_that_cancels():
    found = derivative(lambda t: (1e6 + t) - 1e6)
    assert 1e-11 < found.error < 1e-6
    assert abs(found.value - 1.0) <= 3.0 * found.error


def test_the_textbook_version():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = numerical_gradient(lambda x: (x**3).sum(), x)
    np.testing.assert_allclose(found, 3.0 * x**2, rtol=1e-8)
    assert x[0, 0] == 1.0
    assert numerical_gradient(lambda x: x**2, 3.0) == pytest.approx(6.0, rel=1e-8)
