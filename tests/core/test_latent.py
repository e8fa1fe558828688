from math import e

import numpy as np
import pytest

from numpyvae import plain
from numpyvae.core.latent import (
    kl_backward,
    kl_divergence,
    kl_per_latent,
    reparameterize,
    reparameterize_backward,
)


def test_kl_by_hand():
    # ½ μ² = ½·2² = 2;  ½ (σ² − 1 − log σ²) with log σ² = 2 is ½ (e² − 3)
    assert kl_divergence(np.array([[2.0, 0.0]]), np.zeros((1, 2))).tolist() == [2.0]
    kl = kl_divergence(np.zeros((1, 2)), np.array([[2.0, 0.0]]))
    assert kl == pytest.approx((e**2 - 3) / 2, rel=1e-15)
    assert kl_divergence(np.zeros((1, 3)), np.zeros((1, 3))).tolist() == [0.0]


def test_kl_equals_the_loops_and_adds_up_over_latents(rng):
    mu, logvar = rng.standard_normal((2, 6, 3))
    exact = plain.kl_divergence(mu, logvar)
    np.testing.assert_allclose(kl_divergence(mu, logvar), exact, rtol=1e-14)
    parts = sum(kl_divergence(mu[:, [i]], logvar[:, [i]]) for i in range(3))
    np.testing.assert_allclose(parts, exact, rtol=1e-14)
    assert (exact > 0).all()


def test_reparameterize_by_hand():
    # σ = exp(½ log 9) = 3:  z = 1 + 3·2 = 7;  ∂z/∂logvar = ½ σ ε = 3
    mu, logvar, eps = np.array([[1.0]]), np.array([[np.log(9.0)]]), np.array([[2.0]])
    assert reparameterize(mu, logvar, eps) == pytest.approx(7.0, rel=1e-15)
    dmu, dlogvar = reparameterize_backward(np.array([[10.0]]), logvar, eps)
    assert dmu.tolist() == [[10.0]]
    assert dlogvar == pytest.approx(30.0, rel=1e-15)


def test_derivatives_by_complex_step(rng):
    mu, logvar, eps, dz = rng.standard_normal((4, 6, 3))
    h = 1e-20j
    dmu, dlogvar = reparameterize_backward(dz, logvar, eps)
    by_mu = reparameterize(mu + h, logvar + 0j, eps).imag / 1e-20
    by_logvar = reparameterize(mu + 0j, logvar + h, eps).imag / 1e-20
    np.testing.assert_allclose(dmu, dz * by_mu, rtol=1e-15)
    np.testing.assert_allclose(dlogvar, dz * by_logvar, rtol=1e-14)
    dmu, dlogvar = kl_backward(mu, logvar)
    for j in range(3):
        step = h * (np.arange(3) == j)
        by_mu = kl_divergence(mu + step, logvar).imag / 1e-20
        by_logvar = kl_divergence(mu, logvar + step).imag / 1e-20
        np.testing.assert_allclose(dmu[:, j], by_mu, rtol=1e-14)
        np.testing.assert_allclose(dlogvar[:, j], by_logvar, rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_kl_is_never_negative(rng, dtype):
    logvar = 10.0 ** rng.uniform(-12, 1, 1_000_000) * rng.choice([-1.0, 1.0], 1_000_000)
    kl = kl_per_latent(np.zeros((1_000_000, 1), dtype), logvar.astype(dtype)[:, None])
    assert kl.min() >= 0.0
    wanted = 0.5 * (np.expm1(logvar) - logvar)
    near = np.abs(logvar) > 1e-3
    np.testing.assert_allclose(kl[near, 0], wanted[near], rtol=2e4 * np.finfo(dtype).eps)


def test_arguments_are_left_alone(rng):
    arguments = rng.standard_normal((4, 6, 3))
    kept = arguments.copy()
    mu, logvar, eps, dz = arguments
    reparameterize(mu, logvar, eps)
    dmu, _ = reparameterize_backward(dz, logvar, eps)
    kl_mu, _ = kl_backward(mu, logvar)
    dmu += 1.0  # a gradient is the caller's own, never another name of dz or mu
    kl_mu += 1.0
    assert np.array_equal(arguments, kept)
