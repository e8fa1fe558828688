"""Ways through latent space, and the way there: interpolation, a walk, an animation."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.images import as_pixels, check_images
from numpyvae.inputs import check_count
from numpyvae.pictures.canvas import COLOURS, canvas, name_groups, show, tile
from numpyvae.vae import VAE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def interpolation(vae: VAE, first: ArrayLike, second: ArrayLike, steps: int = 9) -> Figure:
    """From each image of `first` (N, X) to its partner in `second`, on a straight line of means.

    A row for each pair: the first image, the decodings at z = (1−t) μ₁ + t μ₂, the second image.
    """
    steps = check_count("steps", steps, least=2)
    ends = [
        as_pixels(check_images(name, images, vae.image_shape), np.float32)
        for name, images in (("first", first), ("second", second))
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
    axes.set_title("an image, the way from its mean to that of another one, and the other one")
    step = axes.get_xlim()[1] / columns
    for edge in (1, columns - 1):
        axes.axvline(edge * step, color=COLOURS[4], lw=2)
    return figure


def walk(vae: VAE, image: ArrayLike | None = None, steps: int = 11) -> Figure:
    """What each latent does: it goes from −3 to 3, the others stay where they are.

    They stay at 0, or at the mean of an `image` (X,) if one is given. A row for each latent, of at
    most 20: with an image, those with the largest |μ| of it.
    """
    places = np.linspace(-3.0, 3.0, check_count("steps", steps, least=2))
    centre = np.zeros(vae.latent)
    if image is not None:
        centre = vae.encode(np.asarray(image).reshape(1, -1))[0][0].astype(np.float64)
    shown = np.sort(np.argsort(-np.abs(centre), kind="stable")[:20])
    z = np.tile(centre, (len(shown), len(places), 1))
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


def animation(
    path: str | PathLike[str], models: Sequence[VAE], images: ArrayLike, labels: ArrayLike
) -> None:
    """A GIF of the training: latent means of `images` (N, X) and the manifold, model by model.

    `models` have two latents; each is a frame of half a second. The file appears complete or not
    at all.
    """
    from matplotlib.animation import PillowWriter

    if not models:
        raise ValueError("models: expected at least one, got none; train with --keep-epochs")
    means = [vae.encode(images)[0] for vae in models]
    if any(vae.latent != 2 for vae in models):
        raise ValueError("models: an animation needs 2 latents")
    reach = 1.05 * float(np.abs(means[-1]).max())
    groups = np.asarray(labels)
    height, width = models[0].image_shape
    line = np.linspace(-2.0, 2.0, 15)
    z2, z1 = np.meshgrid(line[::-1], line, indexing="ij")
    figure = canvas(10.0, 5.2)
    left, right = figure.subplots(1, 2)
    writer = PillowWriter(fps=2)
    partial = Path(path).with_name(f".{Path(path).stem}.partial.gif")
    try:
        with writer.saving(figure, str(partial), dpi=80):
            for number, (vae, mu) in enumerate(zip(models, means), start=1):
                left.clear()
                right.clear()
                for i, label in enumerate(np.unique(groups)):
                    here, colour = groups == label, COLOURS[i % len(COLOURS)]
                    left.scatter(
                        *mu[here].T, s=4, color=colour, alpha=0.6, linewidths=0, label=f"{label}"
                    )
                name_groups(left, mu[:, 0], mu[:, 1], groups)
                left.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
                left.set(xlabel="$z_1$", ylabel="$z_2$", title=f"latent means, epoch {number}")
                pixels = vae.decode(np.stack([z1.ravel(), z2.ravel()], axis=1))
                right.imshow(
                    tile(pixels, vae.image_shape, len(line), gap=0), cmap="gray_r", vmin=0.0,
                    vmax=1.0, extent=(-2.0, 2.0, -2.0, 2.0), aspect=height / width,
                )  # fmt: skip
                right.set(xlabel="$z_1$", ylabel="$z_2$", title="what the decoder draws at z")
                writer.grab_frame()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
