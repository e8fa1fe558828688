"""Published losses, and ours beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from numpyvae.mnist import load_mnist
from numpyvae.optimizers import Adam, Optimizer, RMSprop
from numpyvae.parameters import Array, Parameters
from numpyvae.training import Epoch, train
from numpyvae.vae import VAE


@dataclass(frozen=True)
class Published:
    """Losses of test images (MNIST, grey, z sampled) that somebody else has printed.

    losses     nats per image after so many epochs
    tolerance  how far the mean over our seeds may be off; seeds differ by about 1, set-ups that
               are almost the same by more
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
        """The model and its training in a line."""
        kind = getattr(self.optimizer, "__name__", "")
        return f"784-{self.hidden}-{self.latent}-{self.hidden}-784, {kind}, batch {self.batch_size}"


PUBLISHED = {
    published.name: published
    for published in (
        Published(
            "classic", "log of Keras 2.1, Scalable Data Science, notebook SDS-2.2", 256, 2, 100,
            RMSprop, {1: 171.57, 10: 159.69, 50: 153.04}, tolerance=3.0,
        ),
        Published(
            "pytorch-400-20", "pytorch/examples, vae: three public logs, 105.56 to 105.61", 400, 20,
            128, Adam, {10: 105.6}, tolerance=1.0,
        ),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Reproduction:
    """Our losses (seeds, marks) beside the published ones (marks,), in nats per image."""

    published: Published
    ours: Array

    @property
    def agrees(self) -> Array:
        """For each mark, whether the mean over the seeds is within the tolerance. (marks,)"""
        theirs = np.array(list(self.published.losses.values()))
        close: Array = np.abs(self.ours.mean(axis=0) - theirs) <= self.published.tolerance
        return close

    def __str__(self) -> str:
        lines = [
            f"{self.published.name}: {self.published.set_up}; test loss, nats per image",
            f"published: {self.published.source}",
            f"{'epochs':>8} {'published':>10} {'ours':>8}   {'seeds':<18}",
        ]
        for (epochs, theirs), ours, close in zip(
            self.published.losses.items(), self.ours.T, self.agrees
        ):
            spread = f"{len(ours)}, {ours.min():.2f} to {ours.max():.2f}"
            verdict = "agrees" if close else "DISAGREES"
            lines.append(
                f"{epochs:8} {theirs:10.2f} {ours.mean():8.2f}   {spread:<18}   {verdict} "
                f"({ours.mean() - theirs:+.2f}; within {self.published.tolerance:g})"
            )
        return "\n".join(lines)


def reproduce(
    published: Published,
    seeds: Iterable[int],
    progress: Callable[[Iterable[Epoch]], Iterable[Epoch]] = iter,
) -> Reproduction:
    """Train the published set-up once for each seed; `progress` wraps each training."""
    (x_train, _), (x_test, _) = load_mnist()
    ours = []
    for seed in seeds:
        vae = VAE(published.hidden, published.latent, rng=seed)
        epochs = train(
            vae, x_train, test_images=x_test, epochs=max(published.losses),
            batch_size=published.batch_size, optimizer=published.optimizer(vae.parameters),
            rng=seed,
        )  # fmt: skip
        losses = {epoch.number: epoch.test.total for epoch in progress(epochs) if epoch.test}
        ours.append([losses[number] for number in published.losses])
    return Reproduction(published, np.array(ours, np.float64))
