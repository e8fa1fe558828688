"""An animation of the training."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.vae import VAE
from numpyvae.pictures.canvas import canvas, name_groups
from numpyvae.pictures.latent_space import draw_manifold, draw_means
from numpyvae.support.files import write_file
from numpyvae.support.threads import blas_threads


@blas_threads()
def animation(
    path: str | PathLike[str], models: Sequence[VAE], images: ArrayLike, labels: ArrayLike
) -> None:
    """A GIF of the training: the latent means of `images` (N, X) and the manifold, model by model.

    `models` have two latents; each is a frame of half a second. The file appears complete or not
    at all.
    """
    from matplotlib.animation import PillowWriter

    if not models:
        raise ValueError(
            "models: expected at least one, got none; keep the model of every epoch (keep_epochs)"
        )
    if any(vae.latent != 2 for vae in models):
        raise ValueError("models: an animation needs 2 latents")
    means = [vae.encode(images)[0] for vae in models]
    reach = 1.05 * float(np.abs(means[-1]).max())
    groups = np.asarray(labels)
    figure = canvas(10.0, 5.2)
    left, right = figure.subplots(1, 2)
    writer = PillowWriter(fps=2)
    with TemporaryDirectory() as folder:
        made = Path(folder) / "animation.gif"
        with writer.saving(figure, made, dpi=80):
            for number, (vae, mu) in enumerate(zip(models, means), start=1):
                left.clear()
                draw_means(left, mu[:, 0], mu[:, 1], groups, size=4)
                name_groups(left, mu[:, 0], mu[:, 1], groups)
                left.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
                left.set(xlabel="$z_1$", ylabel="$z_2$", title=f"latent means, epoch {number}")
                right.clear()
                draw_manifold(right, vae)
                writer.grab_frame()
        write_file(path, made.read_bytes())
