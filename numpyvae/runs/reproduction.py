"""Published losses, and the losses of this implementation beside them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from numpyvae.core.training import Epoch
from numpyvae.runs.processes import Failure, Result, in_processes
from numpyvae.runs.run import prepare
from numpyvae.runs.settings import Settings
from numpyvae.support.types import Array, Counted, Progress


@dataclass(frozen=True)
class Published:
    """Test losses (MNIST, grey, z sampled) published elsewhere.

    losses     number of epochs → nats per image
    tolerance  the largest difference from our mean over seeds that counts as agreement; seeds
               differ by about 1, and similar setups by more
    """

    name: str
    source: str
    settings: Settings
    losses: dict[int, float]
    tolerance: float

    @property
    def set_up(self) -> str:
        """The model and its training in one line."""
        settings = self.settings
        widths = "-".join(map(str, [*settings.hidden, settings.latent, *settings.hidden[::-1]]))
        return f"784-{widths}-784, {settings.optimizer}, batch {settings.batch_size}"


PUBLISHED = {
    published.name: published
    for published in (
        Published(
            name="classic",
            source="log of Keras 2.1, Scalable Data Science, notebook SDS-2.2",
            settings=Settings(epochs=50),
            losses={1: 171.57, 10: 159.69, 50: 153.04},
            tolerance=3.0,
        ),
        Published(
            name="pytorch-400-20",
            source="pytorch/examples, vae: three public logs, 105.56 to 105.61",
            settings=Settings(hidden=(400,), latent=20, batch_size=128, optimizer="adam"),
            losses={10: 105.6},
            tolerance=1.0,
        ),
    )
}


@dataclass(frozen=True)
class Reproduction:
    """Our losses beside the published ones, at the same numbers of epochs, in nats per image.

    ours      seed → losses (marks,), for each training that completed
    problems  seed → the reason why its training did not complete
    """

    published: Published
    ours: Mapping[int, Sequence[float]]
    problems: Mapping[int, str]

    @property
    def agrees(self) -> Array:
        """True for each mark where the mean over the seeds is within the tolerance. (marks,)"""
        published = np.array(list(self.published.losses.values()))
        mean = np.array(list(self.ours.values())).mean(axis=0)
        return np.abs(mean - published) <= self.published.tolerance

    def __str__(self) -> str:
        lines = [
            f"{self.published.name}: {self.published.set_up}; test loss, nats per image",
            f"published: {self.published.source}",
            f"{'epochs':>8} {'published':>10} {'ours':>8}   {'seeds':<18}",
        ]
        marks = zip(self.published.losses.items(), zip(*self.ours.values()), self.agrees)
        for (epochs, loss), ours, close in marks:
            mean = sum(ours) / len(ours)
            spread = f"{len(ours)}, {min(ours):.2f} to {max(ours):.2f}"
            verdict = "agrees" if close else "DISAGREES"
            lines.append(
                f"{epochs:8} {loss:10.2f} {mean:8.2f}   {spread:<18}   {verdict} "
                f"({mean - loss:+.2f}; within {self.published.tolerance:g})"
            )
        return "\n".join(lines)


def reproduce(
    published: Published,
    seeds: Iterable[int],
    jobs: int = 1,
    progress: Progress[Result[Epoch]] = iter,
) -> Reproduction:
    """Train the published setup once for each seed, in `jobs` processes: see `in_processes`.

    `progress` is a wrapper of the epochs of all trainings; pass tqdm to see a bar. Raises
    RuntimeError if no training completes.
    """
    trainings = {seed: replace(published.settings, seed=seed) for seed in seeds}
    losses: dict[int, list[float]] = {seed: [] for seed in trainings}
    problems: dict[int, str] = {}
    results = in_processes(_epochs, [(settings,) for settings in trainings.values()], jobs)
    total = sum(settings.epochs for settings in trainings.values())
    for number, result in progress(Counted(total, results)):
        seed = list(trainings)[number]
        if isinstance(result, Failure):
            problems[seed] = result.problem
        elif result.test is not None and result.number in published.losses:
            losses[seed].append(result.test.total)
    ours = {seed: values for seed, values in losses.items() if seed not in problems}
    if not ours:
        seed, problem = next(iter(problems.items()))
        raise RuntimeError(f"no training completed; seed {seed}: {problem}")
    return Reproduction(published, ours, problems)


def _epochs(settings: Settings) -> Generator[Epoch]:
    """Train; a function of a module, because processes find it by its name."""
    _, _, training = prepare(settings)
    yield from training
