"""Images side by side."""

import numpy as np
import pytest
from helpers import as_png

from numpyvae import VAE, pictures
from numpyvae.pictures import animation, interpolation, walk


def test_a_walk_moves_one_latent_and_an_interpolation_ends_at_the_means(rng):
    vae, x = VAE(8, 3, image_shape=(4, 2), rng=1), rng.random((4, 8))
    axes = walk(vae, steps=5).axes[0]
    picture = axes.get_images()[0].get_array()
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["$z_{1}$", "$z_{2}$", "$z_{3}$"]
    middle = vae.decode(np.zeros((1, 3))).reshape(4, 2)
    np.testing.assert_allclose(picture[1:5, 9:11], middle, atol=1e-6)  # row 1, column 3 of 5
    axes = interpolation(vae, x[:2], x[2:], steps=3).axes[0]
    picture = axes.get_images()[0].get_array()
    np.testing.assert_allclose(picture[1:5, 5:7], vae.reconstruct(x[:1]).reshape(4, 2), atol=1e-6)
    np.testing.assert_allclose(picture[1:5, 17:19], x[2].reshape(4, 2), atol=1e-6)
    with pytest.raises(ValueError, match="second: expected 2 images as in first, got 1"):
        interpolation(vae, x[:2], x[:1])
    with pytest.raises(ValueError, match="keep the model of every epoch"):
        animation("a.gif", [], x, np.zeros(4))


def test_reconstructions_stand_under_their_originals(rng):
    vae = VAE(hidden=5, image_shape=(3, 4), rng=1)
    images = rng.random((6, 12), dtype=np.float32)
    corrupted = rng.random((6, 12), dtype=np.float32)
    (axes,) = pictures.reconstructions(vae, images, corrupted).axes
    rows = np.asarray(axes.images[0].get_array()).reshape(3, 5, 6, 6)[:, 1:4, :, 1:5]
    expected = (images, corrupted, vae.reconstruct(corrupted))
    for row, wanted in zip(rows, expected):
        np.testing.assert_array_equal(row.swapaxes(0, 1).reshape(6, 12), wanted)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == ["original", "corrupted", "reconstruction"]
    assert as_png(pictures.reconstructions(vae, images)).startswith(b"\x89PNG")


def test_samples(rng):
    vae = VAE(hidden=5, image_shape=(3, 4), rng=1)
    figure = pictures.samples(vae, np.random.default_rng(3), rows=2, columns=3)
    picture = np.asarray(figure.axes[0].images[0].get_array())
    first = vae.sample(6, np.random.default_rng(3))[0].reshape(3, 4)
    np.testing.assert_array_equal(picture[1:4, 1:5], first)
