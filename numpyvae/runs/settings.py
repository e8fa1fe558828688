"""The settings of a training, with their defaults: those of the classic MNIST VAE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any, get_args

from numpyvae.core.optimizers import Optimizer, RMSprop
from numpyvae.core.parameters import Parameters
from numpyvae.data.image_files import Dataset, load_images
from numpyvae.data.images import Pixels
from numpyvae.data.mnist import MNIST_FOLDER
from numpyvae.support.inputs import check_choice, check_count, check_counts, check_number, shown
from numpyvae.variants.adam import Adam

OPTIMIZERS: dict[str, Callable[[Parameters, float], Optimizer]] = {
    "rmsprop": RMSprop,
    "adam": Adam,
}

SINCE_0_1 = ("threads",)


@dataclass(frozen=True)
class Settings:
    """Everything that the result of a training depends on, apart from versions and the machine.

    Raises ValueError for a value that no training could use.

    data           path of the images; None for full MNIST
    pixels         "grey", "thresholded" or "dynamic"
    noise          standard deviation of the noise on the encoder's input
    hidden         widths of the hidden layers
    latent         number of latents
    beta           weight of the KL in the loss
    keep_epochs    keep the model of every epoch
    epochs         passes over the training images
    batch_size     images per step
    optimizer      a name in OPTIMIZERS
    learning_rate  step size of the optimizer
    threads        of the matrix products
    seed           of the weights, the shuffling and all noise
    """

    data: str | None = None
    pixels: Pixels = "grey"
    noise: float = 0.0
    hidden: tuple[int, ...] = (256,)
    latent: int = 2
    beta: float = 1.0
    keep_epochs: bool = False
    epochs: int = 10
    batch_size: int = 100
    optimizer: str = "rmsprop"
    learning_rate: float = 1e-3
    threads: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.data, str | None):
            raise ValueError(f"data: expected the path of the images, got {shown.repr(self.data)}")
        if not isinstance(self.keep_epochs, bool):
            got = shown.repr(self.keep_epochs)
            raise ValueError(f"keep_epochs: expected true or false, got {got}")
        check_choice("pixels", self.pixels, get_args(Pixels))
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        plain = {  # Python's own numbers, which JSON can hold
            "noise": check_number("noise", self.noise),
            "hidden": check_counts("hidden", self.hidden),
            "beta": check_number("beta", self.beta),
            "learning_rate": check_number("learning_rate", self.learning_rate, positive=True),
            "seed": check_count("seed", self.seed, least=0),
        }
        for name in ("latent", "epochs", "batch_size", "threads"):
            plain[name] = check_count(name, getattr(self, name))
        for name, value in plain.items():
            object.__setattr__(self, name, value)  # the class is frozen

    @classmethod
    def from_table(cls, table: Any) -> Settings:
        """The settings in a table that was JSON; raises ValueError if one is missing or wrong.

        Settings that came after version 0.1 may be missing; unknown ones are of a later version.
        """
        if not isinstance(table, dict):
            raise ValueError("expected a table of settings")
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if name not in table and name not in SINCE_0_1]
        if missing:
            raise ValueError(f"{', '.join(missing)}: missing")
        known = {name: table[name] for name in names if name in table}
        if isinstance(known["hidden"], list):
            known["hidden"] = tuple(known["hidden"])
        return cls(**known)

    def images(self, instead: str | PathLike[str] | None = None) -> Dataset:
        """The images at `instead`, if given, else those of these settings."""
        own = MNIST_FOLDER if self.data is None else self.data
        path = own if instead is None else instead
        if not Path(path).exists():
            remedy = "check the spelling and the folder you are in, or name the images with --data"
            raise FileNotFoundError(f"{path}: no such file or folder; {remedy}")
        return load_images(path)
