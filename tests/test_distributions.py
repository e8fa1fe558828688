"""Is it the right model? Finite differences cannot tell: they compare backward with forward."""

from math import e

import numpy as np
import pytest
from scipy.special import logsumexp

from numpyvae import VAE, plain
from numpyvae.core.latent import kl_divergence, reparameterize


def test_draws_have_the_mean_and_the_spread_they_claim(rng):
    n = 200_000
    mu, logvar = np.full((n, 1), 1.5), np.full((n, 1), 2.0 * np.log(0.25))
    z = reparameterize(mu, logvar, rng.standard_normal((n, 1)))
    assert z.mean() == pytest.approx(1.5, abs=5 * 0.25 / n**0.5)
    assert z.std() == pytest.approx(0.25, rel=5 / (2 * n) ** 0.5)


@pytest.mark.parametrize(("bias", "sigma"), [(2.0, e), (-2.0, 1 / e)])
def test_logvar_is_the_logarithm_of_the_variance(rng, bias, sigma):
    """Through the whole encoder: a logvar of ±2 is a spread of e^±1, not of e^±2."""
    n = 100_000
    vae = VAE(hidden=3, latent=1, image_shape=(1, 2)).astype(np.float64)
    vae.parameters.value[:] = 0.0
    vae.parameters["b_logvar"][:] = bias
    _, logvar = vae.encode(np.full((1, 2), 0.5))
    assert logvar.item() == bias
    t = vae.forward(np.full((n, 2), 0.5), rng.standard_normal((n, 1)))
    assert t.z.std() == pytest.approx(sigma, rel=5 / (2 * n) ** 0.5)


def test_kl_is_the_expected_log_ratio(rng):
    """Monte Carlo of E_q[log q(z) − log p(z)] against the closed form."""
    n = 400_000
    mu, logvar = np.array([[0.8, -1.3]]), np.array([[0.7, -1.1]])
    rows = np.ones((n, 1))
    z = reparameterize(rows * mu, rows * logvar, rng.standard_normal((n, 2)))
    log_q = -0.5 * ((z - mu) ** 2 / np.exp(logvar) + logvar).sum(axis=1)
    log_p = -0.5 * (z**2).sum(axis=1)
    ratio = log_q - log_p
    error = ratio.std() / n**0.5
    assert kl_divergence(mu, logvar).item() == pytest.approx(ratio.mean(), abs=5 * error)
    assert error < 0.01


def test_a_network_of_zeros_costs_x_log_2_and_no_kl(rng):
    vae = VAE(hidden=4, latent=3, image_shape=(5, 2)).astype(np.float64)
    vae.parameters.value[:] = 0.0
    loss = vae.loss(vae.forward(rng.random((7, 10)), rng.standard_normal((7, 3))))
    assert loss.reconstruction == pytest.approx(10 * np.log(2), rel=1e-15)
    assert loss.kl == 0.0


def test_a_batch_stacked_on_itself_changes_neither_loss_nor_gradient(tiny):
    vae, x, eps, target = tiny()
    once = vae.backward(vae.forward(x, eps, target))
    loss, gradient = vae.loss(once), vae.parameters.grad.copy()
    twice = vae.backward(vae.forward(*(np.concatenate([a, a]) for a in (x, eps, target))))
    assert vae.loss(twice).total == pytest.approx(loss.total, rel=1e-14)
    np.testing.assert_allclose(vae.parameters.grad, gradient, atol=1e-14)


def test_the_elbo_falls_short_of_the_evidence_by_the_kl_to_the_true_posterior(rng):
    """log p(x) − ELBO = KL(q(z|x) ‖ p(z|x)), all three by integration over one latent.

    The ELBO comes from the library's forward and loss; evidence and posterior from code of its
    own that reads nothing but the weights. A wrong sign, a wrong σ, a mean in place of a sum in
    forward *and* backward: each breaks this equality.
    """
    vae = VAE(hidden=5, latent=1, image_shape=(2, 3), rng=2).astype(np.float64)
    vae.parameters.value += 0.5 * rng.standard_normal(vae.parameters.value.size)
    x = rng.integers(0, 2, (1, 6)).astype(float)
    grid = np.linspace(-12.0, 12.0, 6001)
    width = grid[1] - grid[0]
    normal = np.exp(-(grid**2) / 2) / np.sqrt(2 * np.pi)

    # the library's side: the loss of the same image with every ε of the grid, averaged
    many = np.repeat(x, len(grid), axis=0)
    t = vae.forward(many, grid[:, None])
    costs = [vae.loss(vae.forward(x, [[eps]])).total for eps in grid[::600]]
    mu, logvar = vae.encode(x)
    reconstruction = plain.cross_entropy(t.logits, many)
    np.testing.assert_allclose(
        reconstruction[::600] + kl_divergence(mu, logvar), costs, rtol=1e-13
    )  # the average below is one of losses
    elbo = -(reconstruction * normal).sum() * width - vae.loss(t).kl

    # the other side, from the weights
    weights = {name: vae.parameters[name] for name in vae.parameters}
    hidden = np.maximum(grid[:, None] @ weights["W_g1"] + weights["b_g1"], 0)
    logits = hidden @ weights["W_out"] + weights["b_out"]
    log_likelihood = (x * logits - np.logaddexp(0, logits)).sum(axis=1)
    log_joint = log_likelihood + np.log(normal)
    log_evidence = logsumexp(log_joint) + np.log(width)
    h = np.maximum(x @ weights["W_h1"] + weights["b_h1"], 0)
    mean = (h @ weights["W_mu"] + weights["b_mu"]).item()
    variance = np.exp(h @ weights["W_logvar"] + weights["b_logvar"]).item()
    log_q = -0.5 * (grid - mean) ** 2 / variance - 0.5 * np.log(2 * np.pi * variance)
    gap = (np.exp(log_q) * (log_q - (log_joint - log_evidence))).sum() * width

    assert gap > 0.01
    assert log_evidence - elbo == pytest.approx(gap, abs=2e-6)  # ReLU kinks on a grid of 0.004
