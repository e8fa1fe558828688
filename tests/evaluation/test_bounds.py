"""The ELBO and the importance-weighted bound, against the formulas written out with scipy."""

import numpy as np
import pytest
from helpers import integral, log_p, tiny
from scipy.special import logsumexp
from scipy.stats import norm

from numpyvae.core.latent import kl_per_latent
from numpyvae.evaluation.bounds import (
    active_units,
    elbo,
    importance_bound,
    log_mean_exp,
    log_weights,
    mean_and_error,
)


@pytest.mark.parametrize("latent", [1, 2, 3])
def test_the_weights_are_those_of_the_formula(rng, latent):
    """Draw by draw: catches KL for log ratio, σ for variance, weights of another image, z = μ."""
    vae, x = tiny(latent), rng.random((4, 6))
    mu, logvar = vae.encode(x)
    found = log_weights(vae, x, 7, rng=3)
    eps = np.random.default_rng(3).standard_normal((7, 4, latent))
    sigma = np.exp(0.5 * logvar)
    for n in range(4):
        for k in range(7):
            z = mu[n] + sigma[n] * eps[k, n]
            log_w = log_p(vae, x[n], z) + norm.logpdf(z).sum()
            log_w -= norm.logpdf(z, mu[n], sigma[n]).sum()
            assert found[n, k] == pytest.approx(log_w, abs=1e-12)


@pytest.mark.once
def test_the_elbo_is_the_expectation_of_the_log_weights(rng):
    vae, x = tiny(1), rng.random((3, 6))
    mu, logvar = vae.encode(x)
    reconstruction, kl = elbo(vae, x, rng=0, samples=20_000)
    log_w = log_weights(vae, x, 20_000, rng=0)  # the same draws
    for n in range(3):
        sigma = float(np.exp(0.5 * logvar[n, 0]))

        def integrand(z, n=n, sigma=sigma):
            return norm.pdf(z, mu[n, 0], sigma) * log_p(vae, x[n], z[:, None])

        around = (mu[n, 0] - 9 * sigma, mu[n, 0] + 9 * sigma)
        exact = integral(integrand, *around)
        spread = 5.0 * log_w[n].std() / 20_000**0.5
        assert -reconstruction[n] == pytest.approx(exact, abs=spread)
        assert -(reconstruction + kl)[n] == pytest.approx(log_w[n].mean(), abs=spread)
        # at z = μ it would be another number, which this test tells from the right one
        assert abs(log_p(vae, x[n], mu[n]) - exact) > spread


@pytest.mark.once
def test_the_weights_are_unbiased_and_the_bound_rises_to_the_evidence(rng):
    vae, x = tiny(1), rng.random((6, 6))
    log_w = log_weights(vae, x, 40_000, rng=0)
    for n in range(6):
        exact = integral(lambda z, n=n: norm.pdf(z) * np.exp(log_p(vae, x[n], z[:, None])), -9, 9)
        w = np.exp(log_w[n])
        assert w.mean() == pytest.approx(exact, abs=5.0 * w.std() / 200.0)
        bounds = [importance_bound(log_w[n : n + 1], k)[0] for k in (1, 2, 10, 100, 1000)]
        assert np.all(np.diff(bounds) > -1e-4)
        assert bounds[0] < np.log(exact) - 1e-3
        assert bounds[-1] == pytest.approx(np.log(exact), abs=2e-2)


def test_beta_does_not_enter(rng):
    x = rng.random((3, 6))
    one, other = tiny(2), tiny(2)
    other.beta = 9.0
    np.testing.assert_array_equal(elbo(one, x, 0), elbo(other, x, 0))


def test_importance_bound_uses_all_draws_in_groups():
    log_w = np.log(np.array([[1.0, 3.0, 2.0, 6.0]]))
    assert importance_bound(log_w, 4)[0] == pytest.approx(np.log(3.0))
    assert importance_bound(log_w, 2)[0] == pytest.approx((np.log(2.0) + np.log(4.0)) / 2)
    assert importance_bound(log_w, 1)[0] == pytest.approx(np.log(36.0) / 4)
    for k in (3, 5):
        with pytest.raises(ValueError, match=f"k: expected a divisor of the 4 draws, got {k}"):
            importance_bound(log_w, k)


def test_log_mean_exp_does_not_overflow(rng):
    a = 1e4 * rng.standard_normal((5, 7))
    np.testing.assert_allclose(log_mean_exp(a), logsumexp(a, axis=1) - np.log(7), rtol=1e-14)


def test_images_are_taken_in_chunks_which_changes_nothing(rng):
    """With 2,500 draws each, nine images are five chunks; with one draw they are one."""
    vae, x = tiny(2), rng.random((9, 6))
    seen = []
    log_weights(vae, x, 2_500, 0, progress=lambda chunks: seen.extend(chunks) or chunks)
    assert len(seen) == 5
    whole, chunks = elbo(vae, x, 0, samples=1)[1], elbo(vae, x, 0, samples=2_500)[1]
    np.testing.assert_allclose(chunks, whole, rtol=1e-13)


def test_the_part_of_each_latent():
    mu = np.array([[2.0, 0.0], [-2.0, 0.1]])
    logvar = np.array([[0.0, 2.0], [0.0, 0.0]])
    kl = kl_per_latent(mu, logvar)
    assert kl[0, 0] == 2.0
    assert kl[0, 1] == pytest.approx((np.exp(2.0) - 3.0) / 2.0)
    assert active_units(mu).tolist() == [True, False]
    assert mean_and_error(np.array([1.0, 3.0])) == (2.0, pytest.approx(1.0))
