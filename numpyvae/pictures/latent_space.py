"""The latent space: the means of images in it, and the manifold that the decoder draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.vae import VAE
from numpyvae.evaluation.aggregate import principal_plane
from numpyvae.pictures.canvas import COLOURS, canvas, grey, name_groups, tile
from numpyvae.support.inputs import check_count
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@blas_threads()
def latent(vae: VAE, images: ArrayLike, labels: ArrayLike | None = None) -> Figure:
    """μ(x) of images in latent space, colored by their labels.

    With more than two latents, the two principal components of the means are shown; with one, the
    means lie along a line, with a row for each label.

    Parameters
    ----------
    vae : VAE
    images : array_like, (N, X)
    labels : array_like, (N,), optional

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import numpyvae
    >>> vae = numpyvae.VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> images = np.random.default_rng(0).random((20, 4))
    >>> numpyvae.pictures.latent(vae, images, np.arange(20) % 3).savefig("latent.png")
    """
    mu, _ = vae.encode(images)
    groups = np.zeros(len(mu), int) if labels is None else np.asarray(labels)
    if groups.shape != (len(mu),):
        raise ValueError(f"labels: expected shape ({len(mu)},), got {groups.shape}")
    x, y, title, names = _flatten(mu, groups)
    figure = canvas(7.4, 6.4)
    axes = figure.add_subplot(title=title, xlabel=names[0], ylabel=names[1])
    draw_means(axes, x, y, groups, size=6)
    if labels is not None and len(np.unique(groups)) <= 30:  # more names would hide the points
        name_groups(axes, x, y, groups)
    if vae.latent > 1:
        axes.set_aspect("equal", "datalim")
    return figure


def manifold(vae: VAE, n: int = 15) -> Figure:
    """The pictures at n x n points z = Φ⁻¹(u) of a two-dimensional latent space.

    u goes from 0.05 to 0.95 in equal steps, so each picture stands for the same share of the prior.
    z₁ grows to the right and z₂ upward, as in `latent`.

    Parameters
    ----------
    vae : VAE
        With two latents.
    n : int

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpyvae
    >>> vae = numpyvae.VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> numpyvae.pictures.manifold(vae, n=5).savefig("manifold.png")
    """
    figure = canvas(7.0, 7.0)
    draw_manifold(figure.add_subplot(), vae, check_count("n", n))
    return figure


def draw_means(axes: Axes, x: Array, y: Array, groups: Array, size: float) -> None:
    """Points at (x, y), each (N,), in a color for each group."""
    for i, label in enumerate(np.unique(groups)):
        here, color = groups == label, COLOURS[i % len(COLOURS)]
        axes.scatter(
            x[here], y[here], s=size, color=color, alpha=0.6, linewidths=0, label=f"{label}"
        )  # fmt: skip


@blas_threads()
def draw_manifold(axes: Axes, vae: VAE, n: int = 15) -> None:
    """Draw the n x n pictures of `manifold` into `axes`."""
    from scipy.special import ndtri

    if vae.latent != 2:
        raise ValueError(f"vae: a manifold needs 2 latents, this model has {vae.latent}")
    line = ndtri(np.linspace(0.05, 0.95, n))
    z2, z1 = np.meshgrid(line[::-1], line, indexing="ij")  # the top row has the largest z₂
    pixels = vae.decode(np.stack([z1.ravel(), z2.ravel()], axis=1))
    height, width = vae.image_shape
    picture = tile(pixels, vae.image_shape, n, gap=0)
    extent = (-0.5, n - 0.5, -0.5, n - 0.5)
    axes.imshow(picture, **grey(picture), extent=extent, aspect=height / width)
    axes.set(title="what the decoder draws at z", xlabel="$z_1$", ylabel="$z_2$")
    shown = range(0, n, 2)
    axes.set_xticks(shown, [f"{line[i]:.2f}" for i in shown])
    axes.set_yticks(shown, [f"{line[i]:.2f}" for i in shown])


def _flatten(mu: Array, groups: Array) -> tuple[Array, Array, str, tuple[str, str]]:
    """Two coordinates for each mean, a title, and the names of the axes."""
    latents = mu.shape[1]
    if latents == 1:
        spread = np.random.default_rng(0).uniform(
            -0.3, 0.3, len(mu)
        )  # so that points do not overlap
        return mu[:, 0], groups + spread, "latent means μ(x), one row per label", ("$z_1$", "label")
    if latents == 2:
        return mu[:, 0], mu[:, 1], "latent means μ(x)", ("$z_1$", "$z_2$")
    center, plane, share = principal_plane(mu)
    title = f"latent means μ(x): 2 of {latents} principal components, {share:.0%} of variance"
    x, y = ((mu - center) @ plane.T).T
    return x, y, title, ("first principal component", "second principal component")
