"""numpyvae train: train a VAE and draw it."""

from __future__ import annotations

import argparse
import platform
import time
from dataclasses import fields
from typing import Any, get_args

import numpy as np

from numpyvae import __version__, pictures
from numpyvae.cli.console import bar, complain, say
from numpyvae.data.images import Pixels, as_pixels, binarize, corrupt
from numpyvae.runs.run import Run
from numpyvae.runs.settings import OPTIMIZERS, Settings

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
    """Add an option for each of the Settings, with its default, and --out."""
    classic = Settings()

    def option(name: str, help: str, **kind: Any) -> None:
        default = getattr(classic, name)
        shown = " ".join(map(str, default)) if isinstance(default, tuple) else default
        flag = f"--{name.replace('_', '-')}"
        group.add_argument(flag, default=default, help=f"{help} ({shown})", **kind)

    group = command.add_argument_group("data and results")
    path = "folder of IDX files, .npy or .npz file (full MNIST)"
    group.add_argument("--data", metavar="PATH", help=path)
    out = "folder for the results (numpyvae-out)"
    group.add_argument("--out", metavar="DIR", default="numpyvae-out", help=out)
    option("pixels", "how pixels are used", choices=get_args(Pixels))
    option("noise", "s.d. of noise on the input; the target is clean", type=float, metavar="S")
    group = command.add_argument_group("model")
    option("hidden", "widths of the hidden layers", type=int, nargs="+", metavar="N")
    option("latent", "number of latents", type=int, metavar="N")
    option("beta", "weight of the KL in the loss", type=float, metavar="B")
    group = command.add_argument_group("training")
    keep = "keep the model of every epoch, for an animation"
    group.add_argument("--keep-epochs", action="store_true", help=keep)
    option("epochs", "passes over the training images", type=int, metavar="N")
    option("batch_size", "images per step", type=int, metavar="N")
    option("optimizer", "update rule of the weights", choices=OPTIMIZERS)
    option("learning_rate", "step size of the optimizer", type=float, metavar="LR")
    option("seed", "the same seed gives the same numbers", type=int, metavar="N")


def run(options: argparse.Namespace) -> int:
    """Train, print a line per epoch, and draw. Exit status 1 if the training fails."""
    started = time.perf_counter()
    chosen = {field.name: getattr(options, field.name) for field in fields(Settings)}
    versions = {
        "numpyvae": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    training = Run(Settings(**chosen | {"hidden": tuple(options.hidden)}), options.out, versions)
    print(_headline(training), flush=True)
    try:
        earlier = training.folder.set_aside()
        if earlier is not None:
            say(f"{options.out} held an earlier run; it is now in {earlier}")
        for epoch in bar(training, unit="epoch", delay=0.0):
            say(str(epoch))
        training.folder.save_figures(_pictures(training))
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


def _pictures(training: Run) -> dict[str, Any]:
    """The pictures of a training that is over, by file name."""
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
    return figures
