"""The latent space: means and manifold."""

import numpy as np
import pytest
from helpers import as_png

from numpyvae import VAE, pictures


def test_latent_shows_every_mean_at_its_place(rng):
    vae = VAE(hidden=5, image_shape=(3, 4), rng=1)
    images, labels = rng.random((50, 12)), rng.integers(0, 3, 50)
    (axes,) = pictures.latent(vae, images, labels).axes
    mu, _ = vae.encode(images)
    for i, points in enumerate(axes.collections):
        np.testing.assert_allclose(points.get_offsets(), mu[labels == i])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["0", "1", "2"]
    assert sorted(text.get_text() for text in axes.texts) == ["0", "1", "2"]


@pytest.mark.parametrize("latent", [1, 2, 3, 20])
@pytest.mark.parametrize("labelled", [True, False])
def test_latent_of_any_number_of_latents(rng, latent, labelled):
    vae = VAE(hidden=5, latent=latent, image_shape=(3, 4), rng=1)
    labels = rng.integers(0, 12, 40) if labelled else None
    figure = pictures.latent(vae, rng.random((40, 12)), labels)
    title = figure.axes[0].get_title()
    assert (f"2 of {latent} principal components" in title) == (latent > 2)
    assert as_png(figure).startswith(b"\x89PNG")


def test_labels_that_would_overlap_keep_their_order(rng):
    vae = VAE(hidden=5, image_shape=(3, 4), rng=1)
    images, labels = rng.random((200, 12)), rng.integers(0, 4, 200)
    (axes,) = pictures.latent(vae, images, labels).axes
    mu, _ = vae.encode(images)
    medians = [np.median(mu[labels == label, 1]) for label in range(4)]
    heights = {int(text.get_text()): text.xy[1] for text in axes.texts}
    assert sorted(heights, key=heights.get) == np.argsort(medians).tolist()
    places = np.array([text.xy for text in axes.texts])
    gaps = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(4, 1)]
    assert gaps.min() >= 0.039 * np.ptp(mu[:, 1])


def test_very_many_labels_are_coloured_but_not_named(rng):
    vae = VAE(hidden=5, image_shape=(3, 4), rng=1)
    figure = pictures.latent(vae, rng.random((300, 12)), np.arange(300))
    assert figure.axes[0].get_legend() is None
    assert as_png(figure).startswith(b"\x89PNG")


def test_the_first_principal_component_is_the_widest(rng):
    vae = VAE(hidden=5, latent=4, image_shape=(3, 4), rng=1)
    images = rng.random((60, 12))
    points = pictures.latent(vae, images).axes[0].collections[0].get_offsets()
    mu, _ = vae.encode(images)
    variances = np.linalg.eigvalsh(np.cov(mu.T))[::-1]
    np.testing.assert_allclose(np.var(points, axis=0, ddof=1), variances[:2], rtol=1e-4)


def test_manifold_has_the_orientation_of_the_scatter_and_one_decode(monkeypatch):
    """A decoder that paints z₁ into the left pixel and z₂ into the right one."""
    vae = VAE(hidden=5, image_shape=(1, 2))
    calls = []
    monkeypatch.setattr(vae, "decode", lambda z: (calls.append(z), z)[1])
    (axes,) = pictures.manifold(vae, n=15).axes
    picture = np.asarray(axes.images[0].get_array())
    assert axes.images[0].origin == "upper"  # the first row is drawn at the top
    left, right = picture[:, 0::2], picture[:, 1::2]
    line = [-1.645, -1.282, -1.036]  # the normal quantiles of 5, 10 (not on the grid), 15 %
    assert left[0, 0] == pytest.approx(line[0], abs=1e-3)
    assert left[0, -1] == pytest.approx(-line[0], abs=1e-3)
    assert (np.diff(left, axis=1) > 0).all()  # z₁ grows to the right
    assert (np.diff(right, axis=0) < 0).all()  # z₂ is largest in the top row
    assert right[0, 0] == pytest.approx(-line[0], abs=1e-3)
    assert len(calls) == 1
    assert calls[0].shape == (225, 2)
    # the axes say the same: labels in latent units, the top tick is the largest z₂
    assert axes.get_ylim()[0] < axes.get_ylim()[1]
    assert axes.get_yticklabels()[-1].get_text() == "1.64"
    assert axes.get_xticklabels()[0].get_text() == "-1.64"


def test_manifold_of_other_than_two_latents_is_refused():
    with pytest.raises(ValueError, match="a manifold needs 2 latents, this model has 3"):
        pictures.manifold(VAE(hidden=5, latent=3))
