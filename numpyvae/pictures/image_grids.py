"""Images side by side: reconstructions, samples, interpolations, and a walk along each latent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.vae import VAE
from numpyvae.data.images import pixels_for
from numpyvae.pictures.canvas import COLOURS, canvas, show, tile
from numpyvae.support.inputs import check_count
from numpyvae.support.threads import blas_threads

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@blas_threads()
def reconstructions(vae: VAE, images: ArrayLike, corrupted: ArrayLike | None = None) -> Figure:
    """Images above their reconstructions at z = μ(x).

    Parameters
    ----------
    vae : VAE
    images : array_like, (N, X)
        At most 20.
    corrupted : array_like, (N, X), optional
        Drawn in between; then they are what is reconstructed.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import numpyvae
    >>> vae = numpyvae.VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> images = np.random.default_rng(0).random((8, 4))
    >>> numpyvae.pictures.reconstructions(vae, images).savefig("reconstructions.png")
    """
    rows = {"original": pixels_for(vae, "images", images)}
    count = len(rows["original"])
    if count > 20:
        raise ValueError(f"images: expected at most 20 to draw in a row, got {count}; pass fewer")
    if corrupted is not None:
        noisy = pixels_for(vae, "corrupted", corrupted)
        if len(noisy) != count:
            raise ValueError(
                f"corrupted: expected {count} images like the originals, got {len(noisy)}"
            )
        rows["corrupted"] = noisy
    rows["reconstruction"] = vae.reconstruct(images if corrupted is None else corrupted)
    picture = tile(np.concatenate(list(rows.values())), vae.image_shape, count)
    figure = canvas(0.8 * count + 1.6, 0.85 * len(rows))
    axes = show(figure, picture)
    step = picture.shape[0] / len(rows)
    axes.set_yticks([step * (i + 0.5) for i in range(len(rows))], list(rows))
    return figure


@blas_threads()
def samples(
    vae: VAE, rng: np.random.Generator | int = 0, rows: int = 6, columns: int = 12
) -> Figure:
    """The pixel means at rows x columns draws z from the prior N(0, 1).

    Parameters
    ----------
    vae : VAE
    rng : int or numpy.random.Generator
        Seed of the draws.
    rows, columns : int

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpyvae
    >>> vae = numpyvae.VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> numpyvae.pictures.samples(vae, rows=2, columns=3).savefig("samples.png")
    """
    rows, columns = check_count("rows", rows), check_count("columns", columns)
    pixels = vae.sample(rows * columns, rng)
    figure = canvas(0.7 * columns, 0.7 * rows + 0.4)
    axes = show(figure, tile(pixels, vae.image_shape, columns))
    axes.set_title("samples: z drawn from the prior, decoded")
    return figure


@blas_threads()
def interpolation(vae: VAE, first: ArrayLike, second: ArrayLike, steps: int = 9) -> Figure:
    """z = (1−t) μ₁ + t μ₂ decoded, between each image of `first` and its partner in `second`.

    A row for each pair: the first image, the decodings, the second image.

    Parameters
    ----------
    vae : VAE
    first, second : array_like, (N, X) each
    steps : int
        Pictures between the two.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import numpyvae
    >>> vae = numpyvae.VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> images = np.random.default_rng(0).random((4, 4))
    >>> numpyvae.pictures.interpolation(vae, images[:2], images[2:]).savefig("interpolation.png")
    """
    steps = check_count("steps", steps, least=2)
    ends = [
        pixels_for(vae, name, images) for name, images in (("first", first), ("second", second))
    ]
    if len(ends[0]) != len(ends[1]):
        raise ValueError(
            f"second: expected {len(ends[0])} images as in first, got {len(ends[1])}; pair them"
        )
    (mu1, _), (mu2, _) = (vae.encode(images) for images in ends)
    t = np.linspace(0.0, 1.0, steps)[None, :, None]
    between = vae.decode(((1.0 - t) * mu1[:, None] + t * mu2[:, None]).reshape(-1, vae.latent))
    between = between.reshape(len(mu1), steps, -1)
    rows = np.concatenate([ends[0][:, None], between, ends[1][:, None]], axis=1)
    columns = steps + 2
    figure = canvas(0.8 * columns, 0.85 * len(mu1) + 0.5)
    axes = show(figure, tile(rows.reshape(-1, rows.shape[-1]), vae.image_shape, columns))
    axes.set_title("two images, and the pictures on the line between their means")
    step = axes.get_xlim()[1] / columns
    for edge in (1, columns - 1):
        axes.axvline(edge * step, color=COLOURS[4], lw=2)
    return figure


@blas_threads()
def walk(vae: VAE, image: ArrayLike | None = None, steps: int = 11) -> Figure:
    """The effect of each latent: it goes from −3 to 3, while the others are fixed.

    There is a row for each latent, at most 20: with an image, those with the largest |μ|.

    Parameters
    ----------
    vae : VAE
    image : array_like, (X,), optional
        The others are fixed at its mean; at 0 without it.
    steps : int

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpyvae
    >>> vae = numpyvae.VAE(hidden=3, latent=4, image_shape=(2, 2))
    >>> numpyvae.pictures.walk(vae).savefig("latents.png")
    """
    places = np.linspace(-3.0, 3.0, check_count("steps", steps, least=2))
    center = np.zeros(vae.latent)
    if image is not None:
        center = vae.encode(np.asarray(image).reshape(1, -1))[0][0].astype(np.float64)
    shown = np.sort(np.argsort(-np.abs(center), kind="stable")[:20])
    z = np.tile(center, (len(shown), len(places), 1))
    for row, latent in enumerate(shown):
        z[row, :, latent] = places
    picture = tile(vae.decode(z.reshape(-1, vae.latent)), vae.image_shape, len(places))
    figure = canvas(0.8 * len(places) + 0.8, 0.85 * len(shown) + 0.7)
    axes = show(figure, picture)
    height, width = picture.shape[0] / len(shown), picture.shape[1] / len(places)
    axes.set_yticks([height * (i + 0.5) for i in range(len(shown))],
                    [f"$z_{{{i + 1}}}$" for i in shown])  # fmt: skip
    axes.set_xticks([width * (i + 0.5) for i in range(len(places))], [f"{p:.1f}" for p in places])
    axes.set_title("one latent at a time")
    return figure
