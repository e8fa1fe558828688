"""An option for each of the Settings, with one value (train) or with several (sweep)."""

from __future__ import annotations

import argparse
import platform
from dataclasses import fields
from typing import Any, get_args

import numpy as np

from numpyvae import __version__
from numpyvae.core.layers import ACTIVATIONS
from numpyvae.data.images import Pixels
from numpyvae.runs.settings import OBJECTIVES, OPTIMIZERS, Settings
from numpyvae.variants.schedules import DECAYS

VERSIONS = {
    "numpyvae": __version__,
    "numpy": np.__version__,
    "python": platform.python_version(),
}


def add_settings(command: argparse.ArgumentParser, several: bool = False) -> None:
    """Add an option for each of the Settings, with its default in the help.

    With `several`, each takes one value or more, and there is none for the seed. An option that is
    not given is None.
    """
    classic = Settings()

    def option(name: str, help: str, shown: str = "", **kind: Any) -> None:
        default = getattr(classic, name)
        if not shown:
            shown = " ".join(map(str, default)) if isinstance(default, tuple) else str(default)
        many = {"nargs": "+"} if several else {}
        flag = f"--{name.replace('_', '-')}"
        group.add_argument(flag, help=f"{help} ({shown})", **many | kind)

    group = command.add_argument_group("data")
    option("data", "folder of IDX files, .npy or .npz file", "full MNIST", metavar="PATH")
    option("pixels", "how pixels are used", choices=get_args(Pixels))
    option("noise", "s.d. of noise on the input; the target is clean", type=float, metavar="S")
    group = command.add_argument_group("model")
    if several:
        widths = "widths of the hidden layers, joined by commas"
        option("hidden", widths, type=_widths, metavar="N,N")
    else:
        option("hidden", "widths of the hidden layers", type=int, nargs="+", metavar="N")
    option("latent", "number of latents", type=int, metavar="N")
    option("activation", "activation function of the hidden layers", choices=ACTIVATIONS)
    group = command.add_argument_group("loss")
    option("objective", "the lower bound on log p(x) that is maximized", choices=OBJECTIVES)
    option("k", "draws of z for each image, with --objective iwae", type=int, metavar="K")
    option("beta", "weight of the KL in the loss", type=float, metavar="B")
    option("anneal", "epochs in which beta rises to its full value", type=int, metavar="EPOCHS")
    option("free_bits", "nats of each latent that are free", type=float, metavar="NATS")
    group = command.add_argument_group("training")
    option("epochs", "passes over the training images", type=int, metavar="N")
    option("batch_size", "images per step", type=int, metavar="N")
    option("optimizer", "update rule of the weights", choices=OPTIMIZERS)
    option("learning_rate", "step size of the optimizer", type=float, metavar="LR")
    option("decay", "schedule of the learning rate; burda: 8 stages, 3,280 epochs", choices=DECAYS)
    option(
        "epsilon",
        "constant of the optimizer, added to its root",
        "its own",
        type=float,
        metavar="E",
    )
    option("threads", "of matrix products; more helps on an idle machine", type=int, metavar="N")
    if not several:
        option("seed", "the same seed gives the same numbers", type=int, metavar="N")
    keep = "keep the model of every epoch, for an animation"
    group.add_argument("--keep-epochs", action="store_true", default=None, help=keep)


def given(options: argparse.Namespace) -> dict[str, Any]:
    """The values of the settings that were given, by name, in the order of Settings."""
    values = {field.name: getattr(options, field.name, None) for field in fields(Settings)}
    return {name: value for name, value in values.items() if value is not None}


def _widths(text: str) -> tuple[int, ...]:
    """The widths in "512,256" as numbers."""
    try:
        return tuple(int(width) for width in text.split(","))
    except ValueError:
        wanted = "expected widths joined by commas, such as 512,256"
        raise argparse.ArgumentTypeError(f"{wanted}, got {text!r}") from None
