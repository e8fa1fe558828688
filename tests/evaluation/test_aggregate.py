"""The aggregate posterior, beside closed forms."""

import numpy as np
import pytest

from numpyvae import VAE
from numpyvae.core.latent import kl_divergence
from numpyvae.evaluation import aggregate_posterior, evaluate


def test_of_one_gaussian_the_kl_is_closed_and_the_codes_say_nothing(rng):
    mu, logvar = np.tile([0.5, -1.0], (7, 1)), np.tile(np.log([0.3, 0.6]), (7, 1))
    found = aggregate_posterior(mu, logvar)
    assert found.kl == pytest.approx(kl_divergence(mu, logvar)[0], abs=1e-6)
    assert found.mutual_information == pytest.approx(0.0, abs=1e-6)
    assert found.outside == 0.0


def test_of_gaussians_far_apart_the_codes_name_the_image():
    mu = 3.0 * np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    logvar = np.full((4, 2), np.log(0.04))
    found = aggregate_posterior(mu, logvar)
    assert found.mutual_information == pytest.approx(np.log(4.0), abs=1e-6)
    assert found.kl == pytest.approx(kl_divergence(mu, logvar).mean() - np.log(4.0), abs=1e-6)
    assert found.outside == 1.0


def test_the_density_is_the_mean_of_the_gaussians(rng):
    mu, logvar = rng.standard_normal((5, 2)), rng.normal(-2.0, 0.5, (5, 2))
    found = aggregate_posterior(mu, logvar, nodes=301, half_width=6.0)
    z = np.array([found.axis[140], found.axis[180]])
    each = np.exp(-0.5 * ((z - mu) ** 2 / np.exp(logvar) + logvar + np.log(2 * np.pi)).sum(axis=1))
    assert found.q[140, 180] == pytest.approx(each.mean(), rel=1e-12)
    prior = np.exp(-0.5 * (z @ z)) / (2.0 * np.pi)
    assert found.log_ratio[140, 180] == pytest.approx(np.log(each.mean() / prior), rel=1e-9)


def test_holes_have_the_mass_that_the_ratio_says():
    """q(z) = N(0, s²) with s = 2 is below a half of the prior within a circle of known radius."""
    s = 2.0
    mu, logvar = np.zeros((3, 2)), np.full((3, 2), 2.0 * np.log(s))
    found = aggregate_posterior(mu, logvar, nodes=2001, half_width=12.0)
    for share, mass in ((0.5, found.half), (0.2, found.fifth)):
        # q/p = exp(r²/2 (1 − 1/s²)) / s² < share
        square = max(0.0, 2.0 * np.log(share * s**2) / (1.0 - s**-2))
        assert mass == pytest.approx(1.0 - np.exp(-0.5 * square), abs=2e-3)


def test_a_grid_that_does_not_hold_the_codes_is_refused():
    with pytest.raises(ValueError, match=r"the grid holds 50\.0 % of it; take a wider or a finer"):
        aggregate_posterior(np.array([[0.0, 0.0], [9.0, 0.0]]), np.full((2, 2), -2.0))


def test_evaluate_prints_the_parts_of_the_kl(rng):
    vae, x = VAE(8, 2, image_shape=(3, 3), rng=1), rng.random((20, 9))
    result = evaluate(vae, x, gap_images=0)
    codes = result.codes
    assert codes.kl + codes.mutual_information == pytest.approx(
        kl_divergence(*vae.encode(x)).mean(), rel=1e-5
    )
    assert result.as_dict()["aggregate posterior"]["KL(q(z), prior)"] == codes.kl
    assert f"q(z) of 20 images: KL {round(codes.kl + codes.mutual_information, 2):.2f} = " in str(
        result
    )
    seen = evaluate(vae, x, gap_images=0, train_images=rng.random((500, 9)))
    assert seen.codes.images == 500
    assert seen.codes.kl < codes.kl
    np.testing.assert_array_equal(seen.elbo, result.elbo)
    assert evaluate(VAE(8, 3, image_shape=(3, 3)), x).codes is None
