"""The settings of a training, with their defaults: those of the classic MNIST VAE."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from typing import Any, get_args

from numpyvae.core.layers import ACTIVATIONS
from numpyvae.core.optimizers import Optimizer, RMSprop
from numpyvae.core.parameters import Parameters
from numpyvae.core.vae import VAE
from numpyvae.data.image_files import Dataset, load_images
from numpyvae.data.images import Pixels
from numpyvae.data.mnist import MNIST_FOLDER
from numpyvae.support.inputs import check_choice, check_count, check_counts, check_number, shown
from numpyvae.variants.adam import Adam
from numpyvae.variants.free_bits import FreeBits
from numpyvae.variants.iwae import IWAE
from numpyvae.variants.schedules import Schedule

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"rmsprop": RMSprop, "adam": Adam}

OBJECTIVES = ("elbo", "iwae")
SINCE_0_1 = (
    "threads", "objective", "k", "activation", "anneal", "free_bits", "decay", "epsilon",
)  # fmt: skip


@dataclass(frozen=True)
class Settings:
    """Everything that the result of a training depends on, apart from versions and the machine.

    Raises ValueError for a value that no training could use.

    data           path of the images; None for full MNIST
    pixels         "grey", "thresholded" or "dynamic"
    noise          standard deviation of the noise on the encoder's input
    hidden         widths of the hidden layers
    latent         number of latents
    activation     of the hidden layers, a name in ACTIVATIONS
    objective      "elbo", or "iwae": see variants.IWAE
    k              draws of z for each image; more than one with "iwae" alone
    beta           weight of the KL in the loss
    anneal         epochs in which beta rises to its full value: see variants.Schedule
    free_bits      nats of each latent that are free: see variants.FreeBits
    keep_epochs    keep the model of every epoch
    epochs         passes over the training images
    batch_size     images per step
    optimizer      a name in OPTIMIZERS
    learning_rate  step size of the optimizer
    decay          of the learning rate, "none" or "burda": see variants.Schedule
    epsilon        ε of the optimizer; None for its own
    threads        of the matrix products
    seed           of the weights, the shuffling and all noise
    """

    data: str | None = None
    pixels: Pixels = "grey"
    noise: float = 0.0
    hidden: tuple[int, ...] = (256,)
    latent: int = 2
    activation: str = "relu"
    objective: str = "elbo"
    k: int = 1
    beta: float = 1.0
    anneal: int = 0
    free_bits: float = 0.0
    keep_epochs: bool = False
    epochs: int = 10
    batch_size: int = 100
    optimizer: str = "rmsprop"
    learning_rate: float = 1e-3
    decay: str = "none"
    epsilon: float | None = None
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
        check_choice("activation", self.activation, ACTIVATIONS)
        check_choice("objective", self.objective, OBJECTIVES)
        plain = {  # Python's own numbers, which JSON can hold
            "noise": check_number("noise", self.noise),
            "hidden": check_counts("hidden", self.hidden),
            "beta": check_number("beta", self.beta),
            "learning_rate": check_number("learning_rate", self.learning_rate, positive=True),
            "free_bits": check_number("free_bits", self.free_bits),
            "seed": check_count("seed", self.seed, least=0),
        }
        if self.epsilon is not None:
            plain["epsilon"] = check_number("epsilon", self.epsilon, positive=True)
        for name in ("latent", "k", "epochs", "batch_size", "threads"):
            plain[name] = check_count(name, getattr(self, name))
        for name, value in plain.items():
            object.__setattr__(self, name, value)  # the class is frozen
        object.__setattr__(self, "anneal", self.schedule.anneal)
        self._check_objective()

    def _check_objective(self) -> None:
        """Raise ValueError for a setting that the objective has no use for."""
        if self.objective == "elbo" and self.k != 1:
            raise ValueError(f"k: expected 1 with objective elbo, got {self.k}; use objective iwae")
        if self.objective == "iwae":
            for name, neutral in (("beta", 1.0), ("anneal", 0), ("free_bits", 0.0)):
                if (value := getattr(self, name)) != neutral:
                    problem = f"expected {neutral:g} with objective iwae, got {value!r}"
                    raise ValueError(f"{name}: {problem}; use objective elbo")

    @property
    def schedule(self) -> Schedule:
        """β and the learning rate of each epoch."""
        return Schedule(self.beta, self.learning_rate, self.anneal, self.decay)

    def model(self, image_shape: tuple[int, ...]) -> VAE:
        """A model of these settings, with the weights that it has before the first step."""
        shape: dict[str, Any] = {
            "hidden": self.hidden,
            "latent": self.latent,
            "activation": self.activation,
            "image_shape": image_shape,
            "rng": self.seed,
        }
        if self.objective == "iwae":
            return IWAE(k=self.k, **shape)
        if self.free_bits > 0.0:
            return FreeBits(free_bits=self.free_bits, beta=self.beta, **shape)
        return VAE(beta=self.beta, **shape)

    def make_optimizer(self, parameters: Parameters) -> Optimizer:
        """The optimizer of these settings, before its first step."""
        own: dict[str, Any] = {} if self.epsilon is None else {"epsilon": self.epsilon}
        return OPTIMIZERS[self.optimizer](parameters, self.learning_rate, **own)

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
