"""Schedules: β and the learning rate as functions of the number of the epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from numpyvae.core.training import Epoch, Training
from numpyvae.core.vae import VAE
from numpyvae.support.inputs import check_choice, check_count, check_number

DECAYS = ("none", "burda")


@dataclass(frozen=True)
class Schedule:
    """β_e and η_e of the epochs e = 1, 2, …; they depend on e alone, so a training can go on.

    Parameters
    ----------
    beta : float
        The full weight of the KL.
    learning_rate : float
        The rate of the first epoch.
    anneal : int
        β_e = β min(1, e / anneal): β rises to its full value in so many epochs. (The idea is that
        of Bowman et al. 2016, Generating Sentences from a Continuous Space, section 3.1.)
    decay : {"none", "burda"}
        "none": η_e = η. "burda": η 10^(−i/7) for 3^i epochs, i = 0, 1, …, 7, which makes 3,280
        epochs (Burda et al. 2016, section 5), and the last rate from then on.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import VAE, Schedule, train
    >>> images = np.random.default_rng(0).random((200, 4))
    >>> vae = VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> schedule = Schedule(beta=1.0, learning_rate=1e-3, anneal=4)
    >>> [epoch.train.beta for epoch in schedule.epochs(train(vae, images, epochs=5), vae)]
    [0.25, 0.5, 0.75, 1.0, 1.0]
    """

    beta: float
    learning_rate: float
    anneal: int = 0
    decay: str = "none"

    def __post_init__(self) -> None:
        plain: dict[str, Any] = {
            "beta": check_number("beta", self.beta),
            "learning_rate": check_number("learning_rate", self.learning_rate, positive=True),
            "anneal": check_count("anneal", self.anneal, least=0),
            "decay": check_choice("decay", self.decay, DECAYS),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)  # the class is frozen

    def beta_of(self, epoch: int) -> float:
        """β_e = β min(1, e / anneal)"""
        return self.beta if epoch >= self.anneal else self.beta * epoch / self.anneal

    def learning_rate_of(self, epoch: int) -> float:
        """η_e, the same in all epochs or in stages that are three times as long each."""
        if self.decay == "none":
            return self.learning_rate
        stage = next((i for i in range(7) if epoch <= (3 ** (i + 1) - 1) // 2), 7)
        return self.learning_rate * 10.0 ** (-stage / 7.0)

    def epochs(self, training: Training, vae: VAE) -> Iterator[Epoch]:
        """The epochs of the training of `vae`, each with its own β and learning rate."""
        rest, optimizer = iter(training), training.optimizer
        while len(training) > 0:
            before = vae.beta, optimizer.learning_rate
            vae.beta = self.beta_of(training.epoch + 1)
            optimizer.learning_rate = self.learning_rate_of(training.epoch + 1)
            try:
                epoch = next(rest)
            except BaseException:
                vae.beta, optimizer.learning_rate = before
                raise
            yield epoch
