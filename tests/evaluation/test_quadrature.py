"""The evidence and the posterior by integration, against closed forms and brute force."""

import numpy as np
import pytest
from helpers import integral, log_p, tiny
from scipy.integrate import dblquad
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from numpyvae import VAE
from numpyvae.evaluation.bounds import elbo
from numpyvae.evaluation.quadrature import (
    evidence,
    evidence_around,
    posterior,
    vae_log_likelihood,
)


def linear_gaussian(rng, latent, observed=3, images=4, s=0.5):
    """x = W z + s ε: the evidence is N(0, W Wᵀ + s²), the posterior a Gaussian."""
    W = rng.standard_normal((observed, latent))
    x = rng.standard_normal((images, observed))

    def log_likelihood(z):
        distance = x[None] - (z @ W.T)[:, None]
        return norm.logpdf(distance, scale=s).sum(axis=2)

    exact = multivariate_normal(np.zeros(observed), W @ W.T + s**2 * np.eye(observed)).logpdf(x)
    covariance = np.linalg.inv(np.eye(latent) + W.T @ W / s**2)
    mean = x @ W @ covariance / s**2
    return log_likelihood, exact, mean, covariance


def kl_of_gaussians(mu, variances, mean, covariance):
    """KL(N(μ, diag) ‖ N(mean, covariance)), the closed form."""
    precision = np.linalg.inv(covariance)
    away = mean - mu
    return 0.5 * (
        np.trace(precision @ np.diag(variances))
        + away @ precision @ away
        - len(mu)
        + np.log(np.linalg.det(covariance))
        - np.log(variances).sum()
    )


@pytest.mark.parametrize("latent", [1, 2])
def test_a_linear_gaussian_model(rng, latent):
    log_likelihood, exact, mean, covariance = linear_gaussian(rng, latent)
    mu = mean + 0.1 * rng.standard_normal(mean.shape)
    logvar = np.log(np.diag(covariance)) + 0.2 * rng.standard_normal(mean.shape)
    found = evidence(log_likelihood, latent, q=(mu, logvar), half_width=8.0)
    np.testing.assert_allclose(found.value, exact, atol=1e-10)
    assert found.error.max() < 1e-10
    for n in range(4):
        exact_gap = kl_of_gaussians(mu[n], np.exp(logvar[n]), mean[n], covariance)
        assert found.gap[n] == pytest.approx(exact_gap, abs=1e-9)


def test_the_posterior_of_a_linear_gaussian_model(rng):
    log_likelihood, _, mean, covariance = linear_gaussian(rng, 2)
    axis, density = posterior(log_likelihood, nodes=201)
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1)
    for n in range(4):
        exact = multivariate_normal(mean[n], covariance).pdf(z)
        np.testing.assert_allclose(density[n], exact, atol=1e-8 * exact.max())


@pytest.mark.slow
def test_a_tiny_vae_against_brute_force(rng):
    vae, x = tiny(2), rng.random((2, 6))
    found = evidence(vae_log_likelihood(vae, x), 2, half_width=7.0, nodes=1201)
    for n in range(2):

        def joint(a, b, n=n):
            return norm.pdf(a) * norm.pdf(b) * np.exp(log_p(vae, x[n], np.array([b, a])))

        exact, _ = dblquad(joint, -7, 7, -7, 7, epsabs=1e-8, epsrel=1e-6)
        assert found.value[n] == pytest.approx(np.log(exact), abs=1e-6)


@pytest.mark.once
def test_one_latent_against_brute_force(rng):
    vae, x = tiny(1), rng.random((3, 6))
    found = evidence(vae_log_likelihood(vae, x), 1, half_width=8.0, nodes=4001)
    for n in range(3):
        exact = integral(lambda z, n=n: norm.pdf(z) * np.exp(log_p(vae, x[n], z[:, None])), -8, 8)
        assert found.value[n] == pytest.approx(np.log(exact), abs=1e-6)


@pytest.mark.parametrize("latent", [1, 2])
def test_the_evidence_is_the_elbo_and_the_gap(rng, latent):
    """ELBO by draws of z, gap by integration: together they give the evidence, image by image."""
    vae, x = tiny(latent), rng.random((5, 6))
    found = evidence(vae_log_likelihood(vae, x), latent, q=vae.encode(x), half_width=7.0)
    batches = [elbo(vae, x, rng=seed, samples=2_000) for seed in range(10)]
    values = np.array([-(reconstruction + kl) for reconstruction, kl in batches])
    error = values.std(axis=0, ddof=1) / 10**0.5
    assert np.all(np.abs(found.value - found.gap - values.mean(axis=0)) < 5.0 * error)
    assert np.all(found.gap > 10.0 * error)


def test_float32_and_many_images_agree_with_float64(rng):
    vae, x = tiny(2), rng.random((50, 6))
    exact = evidence(vae_log_likelihood(vae, x), 2, q=vae.encode(x))
    single = vae.astype(np.float32)
    found = evidence(vae_log_likelihood(single, x), 2, q=single.encode(x))
    np.testing.assert_allclose(found.value, exact.value, atol=2e-6)
    np.testing.assert_allclose(found.gap, exact.gap, atol=2e-5)


def test_the_error_estimate_is_one(rng):
    vae, x = tiny(2), rng.random((5, 6))
    fine = evidence(vae_log_likelihood(vae, x), 2, nodes=401)
    coarse = evidence(vae_log_likelihood(vae, x), 2, nodes=21)
    assert np.all(np.abs(coarse.value - fine.value) <= coarse.error + 1e-4)
    assert coarse.error.max() > 1e-6


def test_mass_outside_the_box_is_told():
    def far_away(z):
        return norm.logpdf(z[:, :1], 6.0, 0.3) + np.zeros((1, 2))

    with pytest.warns(UserWarning, match="2 of 2 images have posterior mass at the border"):
        found = evidence(far_away, 1)
    assert found.outside.min() > 1e-3
    assert evidence(far_away, 1, half_width=9.0).outside.max() < 1e-6


@pytest.mark.parametrize(("sigma", "mean"), [(0.3, 6.0), (0.005, 0.0), (0.3, 4.9)])
def test_a_q_that_the_grid_does_not_hold_has_no_gap(sigma, mean):
    mu, logvar = np.array([[mean, 0.0], [0.5, 0.5]]), np.log([[sigma**2] * 2, [0.04] * 2])
    found = evidence(
        lambda z: norm.logpdf(z[:, :1], 0.0, 0.5) + np.zeros((1, 2)), 2, q=(mu, logvar)
    )
    assert np.isnan(found.gap[0])
    assert found.gap[1] > 0.0
    assert np.isfinite(found.value).all()


@pytest.mark.parametrize(("sigmas", "held"), [(3.3, False), (4.4, True)])
def test_a_q_cut_off_at_the_border(sigmas, held):
    """What the grid lacks of q times log p(x|z), here −200, once was an error of the gap."""
    q = np.array([[5.0 - 0.2 * sigmas]]), np.log([[0.04]])
    gaps = [
        evidence(lambda z, c=c: norm.logpdf(z, 4.0, 0.3) + c, 1, q=q).gap for c in (0.0, -200.0)
    ]
    assert np.isfinite(gaps).all() == held
    np.testing.assert_allclose(gaps[0], gaps[1], atol=1e-10)


def test_a_line_in_parts_is_the_same_line(rng):
    """2,501 nodes are three parts of a line; here they are one."""
    vae, x = tiny(1), rng.random((3, 6))
    log_likelihood, (mu, logvar) = vae_log_likelihood(vae, x), vae.encode(x)
    found = evidence(log_likelihood, 1, q=(mu, logvar), nodes=2501, half_width=7.0)
    z = np.linspace(-7.0, 7.0, 2501)[:, None]
    log_joint = log_likelihood(z) + norm.logpdf(z)
    exact = logsumexp(log_joint, axis=0) + np.log(14.0 / 2500)
    np.testing.assert_allclose(found.value, exact, atol=1e-12)
    coarse = logsumexp(log_joint[::2], axis=0) + np.log(28.0 / 2500)
    np.testing.assert_allclose(found.error, np.abs(exact - coarse), atol=1e-12)
    ends = np.exp(log_joint[[0, -1]] - logsumexp(log_joint, axis=0)).sum(axis=0)
    np.testing.assert_allclose(found.outside, ends, rtol=1e-9)
    q = norm.pdf(z, mu.T, np.exp(0.5 * logvar.T))
    entropy = norm.entropy(0.0, np.exp(0.5 * logvar[:, 0]))
    gap = -entropy - (q * (log_joint - exact)).sum(axis=0) * 14.0 / 2500
    np.testing.assert_allclose(found.gap, gap, atol=1e-12)


def test_large_log_likelihoods_do_not_overflow():
    found = evidence(lambda z: np.full((len(z), 3), -1e5) * np.array([1.0, 0.0, -1.0]), 2)
    np.testing.assert_allclose(found.value, [-1e5, 0.0, 1e5], atol=1e-5)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="latent: expected 1 or 2 to integrate over, got 3"):
        evidence(lambda z: z, 3)
    with pytest.raises(ValueError, match="nodes: expected an odd number, got 10; take 11"):
        evidence(lambda z: z, 2, nodes=10)


@pytest.mark.parametrize("latent", [1, 2])
def test_the_grid_around_q_tells_its_error(latent, rng):
    vae, x = VAE(8, latent, image_shape=(3, 3), rng=1), rng.random((4, 9))
    q = vae.encode(x)
    fine = evidence_around(vae, x, q, nodes=129, reach=16.0)
    whole = evidence(vae_log_likelihood(vae, x), latent, q=q, nodes=801, half_width=10.0)
    # log p(x, z) has kinks, so the error falls like the square of the spacing, not faster
    np.testing.assert_allclose(fine.value, whole.value, atol=3e-4)
    np.testing.assert_allclose(fine.gap, whole.gap, atol=3e-4)
    assert (np.abs(fine.value - whole.value) < 3.0 * fine.error + 3e-4).all()
    assert 0.0 < fine.error.max() < 1e-3
    coarse = evidence_around(vae, x, q, nodes=11, reach=16.0)
    off = np.abs(coarse.value - fine.value)
    assert (coarse.error > 0.3 * off).all()
    assert coarse.error.max() > 1e-3
    assert evidence_around(vae, x, q, nodes=65, reach=0.5).outside.min() > 1e-3
