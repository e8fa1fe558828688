"""numpyvae draw: interpolations, a walk along each latent, an animation of the training."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from numpyvae import pictures
from numpyvae.cli.console import add_run_folder, bar, out_folder, say
from numpyvae.core.vae import VAE
from numpyvae.data.images import images_for
from numpyvae.runs.checkpoints import load
from numpyvae.runs.run_folder import RunFolder
from numpyvae.support.types import Array

HELP = "more pictures of a trained model"
DESCRIPTION = """\
Draw interpolations between test images, the effect of each latent and, if the
model was trained with --keep-epochs and has two latents, the training as a GIF."""
EXAMPLES = """\
example:
  numpyvae train --keep-epochs --out long && numpyvae draw long
"""
FRAMES = 2000  # test images in the animation


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_run_folder(command)


def run(options: argparse.Namespace) -> int:
    """Draw the pictures and print their names."""
    folder, out = RunFolder(options.dir), out_folder(options)
    vae = folder.load_model()
    data = folder.load_settings().images(options.data)
    x = images_for(vae, "images", data.x_test)
    if len(x) < 2:
        raise ValueError("data: expected two test images to interpolate between, got one")
    y = np.zeros(len(x), int) if data.y_test is None else data.y_test
    first, second = _pairs(x, y)
    figures = {
        "interpolation.png": pictures.interpolation(vae, first, second),
        "walk.png": pictures.walk(vae, x[0] if vae.latent > 20 else None),
    }
    out.make()
    pictures.save_all(out.path, figures)
    written = list(figures)
    kept = folder.epoch_models() if vae.latent == 2 else []
    if kept:
        animation = out.path / "animation.gif"
        pictures.animation(animation, _models(kept), x[:FRAMES], y[:FRAMES])
        written.append(animation.name)
    say(f"{out} holds {', '.join(written)}")
    return 0


def _pairs(x: Array, y: Array) -> tuple[Array, Array]:
    """Up to five pairs of images: one of each label, and beside it one of the next label."""
    ends = [int(np.flatnonzero(y == label)[0]) for label in np.unique(y)[:10]]
    ends = ends if len(ends) > 1 else list(range(min(10, len(x))))
    return x[ends[0::2]][: len(ends) // 2], x[ends[1::2]]


def _models(paths: list[Path]) -> list[VAE]:
    """The models of the epochs, loaded behind a progress bar."""
    return [load(path) for path in bar(paths, unit="epoch")]
