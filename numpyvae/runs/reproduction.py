"""Published losses, and the losses of this implementation beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from numpyvae.core.optimizers import Optimizer, RMSprop
from numpyvae.core.parameters import Parameters
from numpyvae.core.training import Epoch, train
from numpyvae.core.vae import VAE
from numpyvae.data.mnist import load_mnist
from numpyvae.support.types import Array, Progress
from numpyvae.variants.adam import Adam


@dataclass(frozen=True)
class Published:
    """Test losses (MNIST, grey, z sampled) published elsewhere.

    losses     number of epochs → nats per image
    tolerance  the largest difference from our mean over seeds that counts as agreement; seeds
               differ by about 1, and similar setups by more
    """

    name: str
    source: str
    hidden: int
    latent: int
    batch_size: int
    optimizer: Callable[[Parameters], Optimizer]
    losses: dict[int, float]
    tolerance: float

    @property
    def set_up(self) -> str:
        """The model and its training in one line."""
        kind = getattr(self.optimizer, "__name__", "")
        return f"784-{self.hidden}-{self.latent}-{self.hidden}-784, {kind}, batch {self.batch_size}"


PUBLISHED = {
    published.name: published
    for published in (
        Published(
            name="classic",
            source="log of Keras 2.1, Scalable Data Science, notebook SDS-2.2",
            hidden=256,
            latent=2,
            batch_size=100,
            optimizer=RMSprop,
            losses={1: 171.57, 10: 159.69, 50: 153.04},
            tolerance=3.0,
        ),
        Published(
            name="pytorch-400-20",
            source="pytorch/examples, vae: three public logs, 105.56 to 105.61",
            hidden=400,
            latent=20,
            batch_size=128,
            optimizer=Adam,
            losses={10: 105.6},
            tolerance=1.0,
        ),
    )
}


@dataclass(frozen=True)
class Reproduction:
    """Our losses (seeds, marks) beside the published ones (marks,), in nats per image."""

    published: Published
    ours: Array

    @property
    def agrees(self) -> Array:
        """True for each mark where the mean over the seeds is within the tolerance. (marks,)"""
        published = np.array(list(self.published.losses.values()))
        return np.abs(self.ours.mean(axis=0) - published) <= self.published.tolerance

    def __str__(self) -> str:
        lines = [
            f"{self.published.name}: {self.published.set_up}; test loss, nats per image",
            f"published: {self.published.source}",
            f"{'epochs':>8} {'published':>10} {'ours':>8}   {'seeds':<18}",
        ]
        for (epochs, loss), ours, close in zip(
            self.published.losses.items(), self.ours.T, self.agrees
        ):
            spread = f"{len(ours)}, {ours.min():.2f} to {ours.max():.2f}"
            verdict = "agrees" if close else "DISAGREES"
            lines.append(
                f"{epochs:8} {loss:10.2f} {ours.mean():8.2f}   {spread:<18}   {verdict} "
                f"({ours.mean() - loss:+.2f}; within {self.published.tolerance:g})"
            )
        return "\n".join(lines)


def reproduce(
    published: Published,
    seeds: Iterable[int],
    progress: Progress[Epoch] = iter,
) -> Reproduction:
    """Train the published setup once for each seed; `progress` is a wrapper of each training."""
    (x_train, _), (x_test, _) = load_mnist()
    ours = []
    for seed in seeds:
        vae = VAE(published.hidden, published.latent, rng=seed)
        epochs = train(
            vae,
            x_train,
            test_images=x_test,
            epochs=max(published.losses),
            batch_size=published.batch_size,
            optimizer=published.optimizer(vae.parameters),
            rng=seed,
        )
        losses = {epoch.number: epoch.test.total for epoch in progress(epochs) if epoch.test}
        ours.append([losses[number] for number in published.losses])
    return Reproduction(published, np.array(ours, np.float64))
