import warnings

import numpy as np
import pytest
from explorer.conftest import other_model

from numpyvae import VAE
from numpyvae.core.latent import kl_per_latent
from numpyvae.data import MNIST_CREDIT
from numpyvae.data.images import corrupt
from numpyvae.evaluation.quadrature import evidence, vae_log_likelihood
from numpyvae.explorer.contents import contents
from numpyvae.explorer.packing import pack_weights
from numpyvae.variants import IWAE, FreeBits


def table_of(vae, images, labels=None, noise=0.0, credit=None):
    return contents(vae, images, labels, noise=noise, name="", credit=credit)


def test_the_badly_fitted_pictures_are_those_with_the_largest_gap(table, classic, mnist):
    stored, _ = pack_weights(classic)
    x = np.float32(mnist[1][0][:400] / 255)
    warnings.simplefilter("ignore", UserWarning)  # mass at the border
    gap = evidence(
        vae_log_likelihood(stored, x),
        2,
        q=stored.encode(x),
        nodes=table["grid"]["nodes"],
        half_width=table["grid"]["half_width"],
    ).gap
    [far] = [task for task in table["tasks"] if task["kind"] == "far"]
    known = np.sort(gap[np.isfinite(gap)])
    assert len(known) >= 398  # what the grid does not resolve is not shown
    assert far["share"] == round(100 * known[-len(known) // 10 :].sum() / known.sum())
    assert np.mean(known > far["above"]) == pytest.approx(0.1, abs=0.03)
    assert set(table["badly"]) == set(np.argsort(-gap)[:20].tolist())
    assert gap[table["badly"]].tolist() == sorted(gap[table["badly"]], reverse=True)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (np.zeros(7), r"labels: expected shape \(90,\) as images, got \(7,\)"),
        (np.arange(90) * np.ones((90, 1)), r"labels: expected shape \(90,\)"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, words):
    vae, x, _ = other_model()
    with pytest.raises(ValueError, match=words):
        table_of(vae, x, labels)


def test_too_many_labels_are_refused(rng):
    vae = VAE(4, 2, image_shape=(2, 2))
    with pytest.raises(ValueError, match=r"at most 255 different ones, got 300; pass none"):
        table_of(vae, rng.random((300, 4)), np.arange(300))


def test_unusable_images_and_noise_are_refused():
    vae, x, _ = other_model()
    with pytest.raises(ValueError, match="images: expected values in"):
        table_of(vae, x * 3)
    with pytest.raises(ValueError, match="noise"):
        table_of(vae, x, noise=-1.0)


def test_labels_may_be_words():
    vae, x, labels = other_model()
    table = table_of(vae, x, np.array(["shirt", "bag", "coat", "shoe"])[labels])
    assert table["names"] == ["bag", "coat", "shirt", "shoe"]


def test_without_labels_there_are_none():
    vae, x, _ = other_model()
    table = table_of(vae, x)
    assert table["labels"] is None
    assert table["names"] == []
    assert {task["kind"] for task in table["tasks"]} <= {"far", "cheap"}


@pytest.mark.parametrize("latent", [1, 2, 3])
def test_the_grid_belongs_to_one_and_two_latents_and_the_components_to_more(latent):
    vae, x, labels = other_model(latent=latent)
    table = table_of(vae, x, labels)
    assert (table["grid"] is None) == (latent > 2)
    assert (table["components"] is None) == (latent <= 2)
    assert len(table["kl"]) == latent


def test_the_components_are_orthogonal_and_hold_the_most_variance():
    vae, x, _ = other_model(latent=4)
    plane = table_of(vae, x)["components"]
    directions = np.array(plane["directions"])
    np.testing.assert_allclose(directions @ directions.T, np.eye(2), atol=1e-6)
    mu, _ = pack_weights(vae)[0].encode(x)
    spread = np.cov(mu.T)
    largest = np.linalg.eigvalsh(spread)[::-1]
    np.testing.assert_allclose(np.trace(directions @ spread @ directions.T), largest[:2].sum())
    np.testing.assert_allclose(plane["share"], largest[:2].sum() / largest.sum(), rtol=1e-5)


def test_one_image_is_enough():
    vae, x, _ = other_model(latent=3)
    assert table_of(vae, x[:1])["pictures"]["count"] == 1


def test_a_far_code_widens_the_grid():
    vae, x, _ = other_model()
    vae.parameters["b_mu"][:] += 6.0
    assert table_of(vae, x)["grid"]["half_width"] > 6


def test_mnist_is_credited_also_if_it_is_thresholded_and_other_images_are_not(mnist):
    vae, x = VAE(8, 1), mnist[1][0][:50]
    assert table_of(vae, x)["credit"] == MNIST_CREDIT
    assert table_of(vae, (x > 127).astype(float))["credit"] == MNIST_CREDIT
    assert table_of(vae, 255 - x)["credit"] == ""
    assert table_of(vae, x, credit="mine")["credit"] == "mine"


def test_binary_images_are_known_as_binary(mnist):
    vae, x = VAE(8, 1), mnist[1][0][:50]
    assert table_of(vae, x > 127)["binary"] is True
    assert table_of(vae, x)["binary"] is False


@pytest.mark.parametrize("latent", [1, 3])
def test_a_denoising_model_sees_noisy_pictures(latent, mnist):
    """The KL, and with it the means and the tasks, as the page has it with the noise on."""
    vae, x = VAE(32, latent, rng=0), np.float32(mnist[1][0][:500] / 255)
    vae.parameters["W_mu"][:] *= 5.0
    stored, _ = pack_weights(vae)
    noisy = corrupt(x, 0.4, np.random.default_rng(0))
    noisy = kl_per_latent(*stored.encode(noisy)).mean(axis=0)
    clean = kl_per_latent(*stored.encode(x)).mean(axis=0)
    np.testing.assert_allclose(table_of(vae, x, noise=0.4)["kl"], noisy, atol=1e-4)
    np.testing.assert_allclose(table_of(vae, x)["kl"], clean, atol=1e-4)
    assert not np.allclose(noisy, clean, rtol=0.1)


def test_the_variants_of_the_model_have_the_same_layers():
    for vae in (IWAE(5, 2, image_shape=(3, 5), k=4), FreeBits(5, 2, image_shape=(3, 5))):
        _, x, labels = other_model()
        assert table_of(vae, x, labels)["latent"] == 2


class Scaled(VAE):
    """A subclass with a step of its own in the encoder."""

    def encode(self, images):
        mu, logvar = super().encode(images)
        return 2.0 * mu, logvar


def test_a_model_with_other_layers_is_refused_instead_of_shown_wrongly():
    _, x, _ = other_model()
    with pytest.raises(ValueError, match=r"the layers of Scaled are not those of numpyvae\.VAE"):
        table_of(Scaled(5, 2, image_shape=(3, 5)), x)


def test_a_sigma_that_overflows_is_refused():
    vae, x, _ = other_model()
    vae.parameters["b_logvar"][:] = 200.0
    with pytest.raises(ValueError, match="its μ or σ is not finite"):
        table_of(vae, x)


def test_means_too_far_away_to_be_shown_are_refused():
    vae, x, _ = other_model()
    vae.parameters["b_mu"][0] = 3e6
    problem = r"vae: a mean lies 3e\+06 from 0, too far to be shown .*; train it with a lower"
    with pytest.raises(ValueError, match=problem):
        table_of(vae, x)


def test_names_cannot_turn_the_rest_of_a_line_round():
    vae, x, y = other_model()
    names = np.array(["\u202eabc", "d\u2066e", "é ひ", "f"])[y]
    assert sorted(table_of(vae, x, names)["names"]) == ["abc", "de", "f", "é ひ"]
