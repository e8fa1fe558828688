"""The best Gaussian for a posterior, and the parts of the gap."""

import numpy as np
import pytest

from numpyvae import VAE
from numpyvae.evaluation import GapSplit, LatentGaussian, best_gaussian, evaluate, gap_split
from numpyvae.evaluation.gaussians import gaussian_kl
from numpyvae.gradcheck import check_gradients

AXES = (np.linspace(-5.0, 5.0, 201), np.linspace(-4.0, 6.0, 251))


def normal(mean, covariance):
    """log N(z; mean, covariance) on the grid, up to a constant."""
    z = np.stack(np.meshgrid(*AXES, indexing="ij")) - np.reshape(mean, (2, 1, 1))
    return -0.5 * np.einsum("iab,ij,jab->ab", z, np.linalg.inv(covariance), z)


def test_the_gradient_of_the_kl(rng):
    log_posterior = rng.standard_normal((201, 251))
    for phi in rng.normal(0.0, 0.5, (5, 5)):
        _, gradient = gaussian_kl(phi, AXES, log_posterior, -3.0)
        check_gradients(
            lambda p: gaussian_kl(p["phi"], AXES, log_posterior, -3.0)[0],
            {"phi": phi},
            {"phi": gradient},
        ).raise_if_failed(complete=True)


@pytest.mark.parametrize("correlation", [0.0, 0.6, -0.95])
def test_of_a_gaussian_posterior_they_are_known(correlation):
    """The best tilted one is the posterior; the best axis-parallel one has 1 / Λᵢᵢ as variances."""
    mean, sd = np.array([0.3, -0.2]), np.array([0.4, 0.7])
    covariance = np.outer(sd, sd) * np.array([[1.0, correlation], [correlation, 1.0]])
    log_joint = normal(mean, covariance) - 1234.5
    tilted = best_gaussian(AXES, log_joint, tilted=True)
    assert 0.0 <= tilted.kl + 1e-9 < 1e-6
    np.testing.assert_allclose(tilted.mean, mean, atol=1e-4)
    np.testing.assert_allclose(tilted.covariance, covariance, atol=1e-4)
    parallel = best_gaussian(AXES, log_joint)
    precision = np.linalg.inv(covariance)
    kl = 0.5 * np.log(np.prod(np.diag(precision)) / np.linalg.det(precision))
    assert parallel.kl == pytest.approx(kl, abs=1e-6)
    np.testing.assert_allclose(parallel.mean, mean, atol=1e-4)
    np.testing.assert_allclose(np.diag(parallel.covariance), 1.0 / np.diag(precision), rtol=1e-3)
    assert parallel.scale[1, 0] == 0.0


def test_of_two_modes_the_heavier_one_is_covered():
    log_joint = np.logaddexp(
        np.log(0.7) + normal([-2.0, 0.0], 0.1 * np.eye(2)),
        np.log(0.3) + normal([2.0, 1.0], 0.1 * np.eye(2)),
    )
    light = LatentGaussian(np.array([2.0, 1.0]), 0.3 * np.eye(2), np.nan)
    best = best_gaussian(AXES, log_joint, [light], tilted=True)
    np.testing.assert_allclose(best.mean, [-2.0, 0.0], atol=1e-3)
    assert best.kl == pytest.approx(-np.log(0.7), abs=1e-4)


def test_a_posterior_finer_than_the_grid_has_no_number():
    assert np.isnan(best_gaussian(AXES, normal([0.0, 0.0], 1e-4 * np.eye(2))).kl)


def test_the_parts_add_up_and_are_not_negative(rng):
    vae, x = VAE(8, 2, image_shape=(3, 3), rng=1), rng.random((12, 9))
    vae.parameters.value[:] = rng.normal(0.0, 0.4, vae.parameters.value.size)
    vae.parameters["b_mu"][:] = 0.0
    result = evaluate(vae, x, gap_images=10)
    split = result.split
    assert split.held.sum() >= 8
    parts = np.array([split.amortization, split.independence, split.shape])[:, split.held]
    assert parts.min() > -1e-9
    np.testing.assert_allclose(parts.sum(axis=0), split.encoder[split.held], atol=1e-12)
    np.testing.assert_allclose(parts.sum(axis=0), result.evidence.gap[:10][split.held], atol=1e-3)
    found = result.as_dict()["gap"]
    assert found["images"] == split.held.sum()
    assert f"{found['amortization']['mean']:.2f} ± " in str(result)
    assert evaluate(vae, x, gap_images=0).split is None


def test_the_sentence_follows_from_the_numbers(rng):
    vae, x = VAE(8, 2, image_shape=(3, 3), rng=1), rng.random((20, 9))
    result = evaluate(vae, x)
    from dataclasses import replace

    def sentence(*kl):
        return str(replace(result, split=GapSplit(*(np.full(9, value) for value in kl))))

    assert "90 % is amortization: the encoder's guess is not the best" in sentence(1.0, 0.1, 0.05)
    assert "80 % is independence: the latents of an image depend" in sentence(1.0, 0.9, 0.1)
    assert "70 % is shape: posteriors are not Gaussian" in sentence(1.0, 0.9, 0.7)
    few = GapSplit(*(np.array([1.0, np.nan, 1.0]) * value for value in (1.0, 0.1, 0.05)))
    text = str(replace(result, split=few))
    assert "of the first 3 images: 1.00 = 0.90" in text
    gap = result.evidence.gap[1]
    left = "without 1 of them, too sharp for the grid of the parts"
    assert f"{left}; their KL(q, true posterior) is {gap:.2f}" in text


def test_an_encoder_outside_the_grid_has_no_split(rng):
    def log_likelihood(z):
        return -0.5 * ((z[:, None, :] - np.array([[0.0, 0.0], [1.0, 0.0]])) ** 2).sum(axis=2) / 0.1

    mu, logvar = np.array([[0.0, 0.0], [30.0, 0.0]]), np.full((2, 2), -2.0)
    split = gap_split(log_likelihood, (mu, logvar), nodes=201)
    assert split.held.tolist() == [True, False]


def test_an_encoder_far_from_the_posterior_is_on_the_grid_too():
    """Of two Gaussians of variance 0.1 and 0.2, 2 apart in one latent, the KL is known."""

    def log_likelihood(z):  # the posterior is N(0, 0.1)
        return 0.5 * (z**2).sum(axis=1)[:, None] * (1.0 - 1.0 / 0.1)

    q = np.array([[2.0, 0.0]]), np.full((1, 2), np.log(0.2))
    split = gap_split(log_likelihood, q)
    kl = 0.5 * (2.0 * (0.2 / 0.1 - 1.0 - np.log(0.2 / 0.1)) + 2.0**2 / 0.1)
    assert split.encoder[0] == pytest.approx(kl, abs=1e-6)
    assert split.amortization[0] == pytest.approx(kl, abs=1e-6)
