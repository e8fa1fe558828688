"""The settings of a training, with their defaults: those of the classic MNIST VAE."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from inspect import signature
from os import PathLike
from pathlib import Path
from typing import Any, get_args

from numpyvae.core.layers import ACTIVATIONS
from numpyvae.core.optimizers import Optimizer, RMSprop
from numpyvae.core.training import Training, train
from numpyvae.core.vae import VAE
from numpyvae.data.image_files import Dataset, load_images
from numpyvae.data.images import Pixels
from numpyvae.data.mnist import MNIST_FOLDER
from numpyvae.runs.options import Option, choice, count, number, option
from numpyvae.support.inputs import check_counts, check_number, shown
from numpyvae.support.types import Array
from numpyvae.variants.adam import Adam
from numpyvae.variants.free_bits import FreeBits
from numpyvae.variants.iwae import IWAE
from numpyvae.variants.kinds import LIKELIHOODS
from numpyvae.variants.schedules import DECAYS, Schedule

OPTIMIZERS: dict[str, Callable[..., Optimizer]] = {"rmsprop": RMSprop, "adam": Adam}
OBJECTIVES = ("elbo", "iwae")
REQUIRED = (  # the settings of version 0.1; those that came later may be missing in a file
    "data", "pixels", "noise", "hidden", "latent", "beta", "keep_epochs", "epochs", "batch_size",
    "optimizer", "learning_rate", "seed",
)  # fmt: skip


def _check_path(name: str, value: Any) -> str | None:
    if not isinstance(value, str | None):
        raise ValueError(f"{name}: expected the path of the images, got {shown.repr(value)}")
    return value


def _check_flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name}: expected true or false, got {shown.repr(value)}")
    return value


def _check_epsilon(name: str, value: Any) -> float | None:
    return None if value is None else check_number(name, value, positive=True)


@dataclass(frozen=True)
class Settings:
    """All options of a training. With the versions and the machine, they determine its result.

    An option is one declaration below, with its default, help and check, and the line that uses it.
    Those that a model or `train` takes too have the same name there, and are handed on by it.
    Raises ValueError for a value that no training could use.
    """

    data: str | None = option(
        None, "folder of IDX files, .npy or .npz file", "data", _check_path,
        metavar="PATH", shown="full MNIST",
    )  # fmt: skip
    pixels: Pixels = choice("grey", "how pixels are used", "data", get_args(Pixels))
    noise: float = number(
        0.0, "s.d. of noise on the input; the target is clean", "data", metavar="S"
    )
    hidden: tuple[int, ...] = option(
        (256,), "widths of the hidden layers", "model", check_counts, type=int, metavar="N"
    )
    latent: int = count(2, "number of latents", "model")
    activation: str = choice(
        "relu", "activation function of the hidden layers", "model", ACTIVATIONS
    )
    likelihood: str = choice(
        "bernoulli", "distribution of the pixels, given the decoder's output", "model", LIKELIHOODS
    )
    objective: str = choice(
        "elbo", "the lower bound on log p(x) that is maximized", "loss", OBJECTIVES
    )
    k: int = count(1, "draws of z for each image, with --objective iwae", "loss", metavar="K")
    beta: float = option(1.0, "weight of the KL in the loss", "loss", type=float, metavar="B")
    anneal: int = option(
        0, "epochs in which beta rises to its full value", "loss", type=int, metavar="EPOCHS"
    )
    free_bits: float = number(0.0, "nats of each latent that are free", "loss", metavar="NATS")
    keep_epochs: bool = option(
        False, "keep the model of every epoch, for an animation", "training", _check_flag
    )
    epochs: int = count(10, "passes over the training images", "training")
    batch_size: int = count(100, "images per step", "training")
    optimizer: str = choice("rmsprop", "update rule of the weights", "training", OPTIMIZERS)
    learning_rate: float = option(
        1e-3, "step size of the optimizer", "training", type=float, metavar="LR"
    )
    decay: str = option("none", "schedule of the learning rate", "", choices=DECAYS)
    epsilon: float | None = option(
        None, "constant of the optimizer, added to its root", "training", _check_epsilon,
        type=float, metavar="E", shown="its own",
    )  # fmt: skip
    threads: int = count(1, "for matrix products; more helps on an idle machine", "training")
    seed: int = count(0, "the same seed gives the same numbers", "training", least=0)

    def __post_init__(self) -> None:
        checked = {name: o.check(name, getattr(self, name)) for name, o in self.options().items()}
        checked |= vars(self.schedule)  # its own check
        for name, value in checked.items():
            object.__setattr__(self, name, value)  # the class is frozen
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

    @classmethod
    def options(cls) -> dict[str, Option]:
        """What is known of each option, by its name."""
        return {field.name: field.metadata["option"] for field in fields(cls)}

    @property
    def schedule(self) -> Schedule:
        """β and the learning rate of each epoch."""
        return Schedule(self.beta, self.learning_rate, self.anneal, self.decay)

    @property
    def kind(self) -> type[VAE]:
        """The class of the model."""
        return IWAE if self.objective == "iwae" else FreeBits if self.free_bits > 0.0 else VAE

    def model(self, image_shape: tuple[int, ...]) -> VAE:
        """A model of these settings, with the weights that it has before the first step."""
        made: dict[str, Any] = {"image_shape": image_shape, "rng": self.seed}
        made["likelihood"] = LIKELIHOODS[self.likelihood]()
        return self.kind(**self.among(self.kind.CONFIG) | made)

    def training(self, vae: VAE, x_train: Array, x_test: Array | None = None) -> Training:
        """The training of a model with these settings, on these images; it has not started."""
        return train(
            vae,
            x_train,
            test_images=x_test,
            rng=self.seed,
            **self.among(signature(train).parameters) | {"optimizer": self.make_optimizer(vae)},
        )

    def among(self, names: Iterable[str]) -> dict[str, Any]:
        """The options with these names."""
        return {name: getattr(self, name) for name in names if name in self.options()}

    def make_optimizer(self, vae: VAE) -> Optimizer:
        """The optimizer of these settings, before its first step."""
        make = OPTIMIZERS[self.optimizer]
        own: dict[str, Any] = {} if self.epsilon is None else {"epsilon": self.epsilon}
        if own and "epsilon" not in signature(make).parameters:
            raise ValueError(f"epsilon: the optimizer {self.optimizer} has none; leave it out")
        return make(vae.parameters, self.learning_rate, **own)

    @classmethod
    def from_table(cls, table: Any) -> Settings:
        """The settings in a table that was JSON; raises ValueError if one is missing or wrong.

        Settings that came after version 0.1 may be missing. Unknown ones are left out.
        """
        if not isinstance(table, dict):
            raise ValueError("expected a table of settings")
        missing = [name for name in REQUIRED if name not in table]
        if missing:
            raise ValueError(f"{', '.join(missing)}: missing")
        known = {name: table[name] for name in cls.options() if name in table}
        return cls(**known)

    def images(self, instead: str | PathLike[str] | None = None) -> Dataset:
        """The images at `instead`, if given, else those of these settings."""
        own = MNIST_FOLDER if self.data is None else self.data
        path = own if instead is None else instead
        if not Path(path).exists():
            remedy = "check the spelling and the folder you are in, or name where they are now"
            raise FileNotFoundError(f"{path}: no such file or folder; {remedy}")
        likelihood = LIKELIHOODS[self.likelihood]
        return load_images(path, likelihood.lowest, likelihood.highest)


def _table() -> str:
    """A line for each option, for the docstring."""
    lines = []
    for name, known in Settings.options().items():
        choices = f": {', '.join(known.choices)}" if known.choices else ""
        lines.append(
            f"    {name:13} {known.help}{choices} ({known.shown or getattr(Settings, name)})"
        )
    return "\n".join(lines)


Settings.__doc__ = f"{Settings.__doc__}\n{_table()}\n    "
