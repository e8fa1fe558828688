"""numpyvae train: train a VAE and draw it."""

from __future__ import annotations

import argparse
import time

import numpy as np

from numpyvae import pictures
from numpyvae.cli.console import bar, complain, say
from numpyvae.cli.settings_options import VERSIONS, add_settings, given
from numpyvae.data.images import as_pixels, binarize, corrupt
from numpyvae.runs.run import Run
from numpyvae.runs.settings import Settings

HELP = "train a VAE, and draw its losses, latent space and samples"
DESCRIPTION = """\
Train a VAE, print the loss of every epoch in nats per image, and write the
model, its history, the settings and pictures to a folder. Defaults are in
parentheses."""
EXAMPLES = """\
examples:
  numpyvae train                                the classic: MNIST, two latents, ten epochs
  numpyvae train --epochs 50 --out long         a longer run, into the folder long/
  numpyvae train --latent 20 --hidden 400 --optimizer adam --batch-size 128
  numpyvae train --hidden 512 256 --beta 4      two hidden layers, and a larger weight of the KL
  numpyvae train --pixels dynamic               binary pixels, drawn anew for each minibatch
  numpyvae train --noise 0.5                    a denoising VAE
  numpyvae train --data fashion/                a folder of four IDX files, or an .npy or .npz file
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add an option for each of the Settings, and --out."""
    add_settings(command)
    group = command.add_argument_group("results")
    out = "folder for the results (numpyvae-out)"
    group.add_argument("--out", metavar="DIR", default="numpyvae-out", help=out)


def run(options: argparse.Namespace) -> int:
    """Train, print a line per epoch, and draw. Exit status 1 if the training fails."""
    started = time.perf_counter()
    training = Run(Settings(**given(options)), options.out, VERSIONS)
    print(_headline(training), flush=True)
    try:
        earlier = training.folder.set_aside()
        if earlier is not None:
            say(f"{options.out} held an earlier run; it is now in {earlier}")
        for epoch in bar(training, unit="epoch", delay=0.0):
            say(str(epoch))
        draw(training)
        training.complete()
    except BrokenPipeError:
        raise  # main handles it
    except (FloatingPointError, OSError, KeyboardInterrupt) as error:
        done = len(training.epochs)
        kept = f"{options.out} holds the model of epoch {done}" if done else "no model was saved"
        stopped = isinstance(error, KeyboardInterrupt)
        return complain(f"{'stopped' if stopped else error}; {kept}", 130 if stopped else 1)
    seconds = time.perf_counter() - started
    files = "model.npz, history.csv, settings.json and the pictures"
    print(f"{options.out} holds {files}   {seconds:.1f} s in all")
    return 0


def _headline(training: Run) -> str:
    """The data, the model and the unit of the losses, in three lines."""
    vae, data = training.vae, training.data
    widths = [data.x_train.shape[1], *vae.hidden]
    return (
        f"{training.settings.data or 'MNIST'}: {len(data.x_train):,} training images, "
        f"{len(data.x_test):,} test images of {' x '.join(map(str, data.image_shape))} pixels\n"
        f"VAE {'-'.join(map(str, [*widths, vae.latent, *widths[::-1]]))}, "
        f"{vae.parameters.value.size:,} parameters\n"
        "losses in nats per image: total = reconstruction + "
        f"{'' if vae.beta == 1 else f'{vae.beta:g} x '}KL"
    )


def draw(training: Run) -> None:
    """Write the pictures of a training that is over to its folder."""
    vae, settings = training.vae, training.settings
    rng = np.random.default_rng(settings.seed)  # for the pictures only
    x_test = binarize(as_pixels(training.data.x_test, np.float32), settings.pixels, rng)
    few = x_test[:12]
    corrupted = corrupt(few, settings.noise, rng) if settings.noise else None
    figures = {
        "loss.png": pictures.loss(training.epochs, pictures.reference_losses(x_test)),
        "latent.png": pictures.latent(vae, x_test, training.data.y_test),
        "reconstructions.png": pictures.reconstructions(vae, few, corrupted),
        "samples.png": pictures.samples(vae, rng),
    }
    if vae.latent == 2:
        figures["manifold.png"] = pictures.manifold(vae)
    training.folder.save_figures(figures)
