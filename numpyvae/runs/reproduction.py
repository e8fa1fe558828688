"""Experiments with known results, as data, and the results of this implementation beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from os import PathLike
from statistics import fmean
from typing import Any

from numpyvae.evaluation.bounds import mean_and_error
from numpyvae.evaluation.many_draws import NegativeLogLikelihoods
from numpyvae.runs.many import Runs
from numpyvae.runs.settings import Settings
from numpyvae.support.inputs import check_count


@dataclass(frozen=True)
class Known:
    """A result that was published, or recorded with this implementation.

    epochs     after which it was measured
    value      in nats per test image
    tolerance  the largest difference from the mean over our seeds that counts as agreement
    measure    "loss", with z sampled as in training, or "NLL", by `draws` of z
    """

    epochs: int
    value: float
    tolerance: float
    measure: str = "loss"
    source: str = "published"


@dataclass(frozen=True)
class Experiment:
    """Settings, and what is known of their results.

    seeds  the usual number of runs
    draws  of z for each test image, if its NLL is measured; else 0
    """

    name: str
    source: str
    settings: Settings
    known: tuple[Known, ...]
    seeds: int = 1
    draws: int = 0
    note: str = ""


def _burda(
    name: str, published: float, loss: dict[int, float], nll: dict[int, float], **own: Any
) -> Experiment:
    """A row of table 1 in Burda et al. 2016, and what we recorded after fewer epochs."""
    common = Settings(
        pixels="dynamic", hidden=(200, 200), latent=50, activation="tanh", batch_size=20,
        optimizer="adam", epsilon=1e-4, decay="burda", epochs=3_280,
    )  # fmt: skip
    return Experiment(
        name=name,
        source="Burda, Grosse & Salakhutdinov 2016, table 1",
        settings=replace(common, **own),
        known=(
            *(Known(n, value, 0.5, "loss", "recorded here") for n, value in loss.items()),
            *(Known(n, value, 0.5, "NLL", "recorded here") for n, value in nll.items()),
            Known(3_280, published, 0.5, "NLL"),
        ),
        draws=5_000,
        note="3,280 epochs take days. The models are those of the paper's text; its authors' "
        "program may differ in details, such as the initial biases.",
    )


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(
            name="classic",
            source="log of Keras 2.1, Scalable Data Science, notebook SDS-2.2",
            settings=Settings(epochs=50),
            known=(Known(1, 171.57, 3.0), Known(10, 159.69, 3.0), Known(50, 153.04, 3.0)),
            seeds=3,
            note="Seeds differ by about 1 nat, and similar setups by more.",
        ),
        Experiment(
            name="pytorch-400-20",
            source="pytorch/examples, vae: three public logs, 105.56 to 105.61",
            settings=Settings(hidden=(400,), latent=20, batch_size=128, optimizer="adam"),
            known=(Known(10, 105.6, 1.0),),
            seeds=3,
        ),
        _burda("burda-vae", 86.76, {10: 105.67, 50: 97.07, 200: 94.55}, {200: 89.53}),
        _burda("burda-iwae-5", 85.54, {10: 101.12}, {10: 95.88}, objective="iwae", k=5),
        _burda("burda-iwae-50", 84.78, {10: 97.89}, {10: 94.58}, objective="iwae", k=50),
    )
}


class Reproduction(Runs):
    """The runs of an experiment in the folder `out`, one for each seed, beside what is known.

    `epochs` are the first ones of the experiment; of a run that has come farther, all count. What
    is in the folder is not computed again.
    """

    def __init__(
        self,
        experiment: Experiment,
        out: str | PathLike[str],
        seeds: int | None = None,
        epochs: int | None = None,
    ) -> None:
        self.experiment, most = experiment, experiment.settings.epochs
        seeds = experiment.seeds if seeds is None else check_count("seeds", seeds)
        epochs = most if epochs is None else check_count("epochs", epochs)
        if epochs > most:
            raise ValueError(f"epochs: expected {most} at most, as in the experiment, got {epochs}")
        runs = {f"seed-{seed}": replace(experiment.settings, seed=seed) for seed in range(seeds)}
        super().__init__(runs, out)
        for name, settings in runs.items():
            done = self.folder(name).epochs_done(settings)
            runs[name] = replace(settings, epochs=max(epochs, done))

    def measure(self, name: str) -> NegativeLogLikelihoods:
        """The NLL of the test images in a run: those that are known, and the way to the others."""
        settings, folder = self.runs[name], self.folder(name)
        vae, images = folder.load_model(), settings.images().x_test
        return NegativeLogLikelihoods(
            folder.path, vae, images, settings.pixels, self.experiment.draws
        )

    def results(self) -> list[tuple[Known, list[float]]]:
        """What is known, each with our results of the seeds that have come so far."""
        losses = {
            name: [epoch.test.total for epoch in self.folder(name).epochs_of(run) if epoch.test]
            for name, run in self.runs.items()
        }
        nll = self._nll() if self.experiment.draws else {}
        found = []
        for known in self.experiment.known:
            if known.measure == "NLL":
                ours = [mean for epochs, mean, _ in nll.values() if epochs == known.epochs]
            else:
                ours = [
                    run[known.epochs - 1] for run in losses.values() if len(run) >= known.epochs
                ]
            found.append((known, ours))
        return found

    def agrees(self) -> bool:
        """True if none of our means is farther from what is known than is tolerated."""
        return all(_agree(known, ours) for known, ours in self.results() if ours)

    def __str__(self) -> str:
        settings = self.experiment.settings
        widths = "-".join(map(str, [*settings.hidden, settings.latent, *settings.hidden[::-1]]))
        lines = [
            f"{self.experiment.name}: 784-{widths}-784, {settings.activation}, "
            f"{settings.optimizer}, batch {settings.batch_size}; nats per test image",
            f"published: {self.experiment.source}",
            f"{'epochs':>8} {'measure':8} {'known':>8} {'':14} {'ours':>8}   seeds",
        ]
        for known, ours in self.results():
            row = f"{known.epochs:8,} {known.measure:8} {known.value:8.2f} {known.source:14}"
            if not ours:
                lines.append(f"{row} {'-':>8}   not yet")
                continue
            spread = f"{len(ours)}, {min(ours):.2f} to {max(ours):.2f}"
            verdict = "agrees" if _agree(known, ours) else "DISAGREES"
            off = f"{fmean(ours) - known.value:+.2f}; within {known.tolerance:g}"
            lines.append(f"{row} {fmean(ours):8.2f}   {spread:19} {verdict} ({off})")
        if self.experiment.draws:
            by = f"by {self.experiment.draws:,} draws"
            for name, (epochs, mean, error) in self._nll().items():
                lines.append(f"{name}: after {epochs:,} epochs NLL {mean:.2f} ± {error:.2f}, {by}")
        return "\n".join([*lines, *([self.experiment.note] if self.experiment.note else [])])

    def _nll(self) -> dict[str, tuple[int, float, float]]:
        """Epochs, mean and standard error of each run whose NLL is known for all images."""
        found = {}
        for name, settings in self.runs.items():
            if self.folder(name).completed(settings) and len(images := self.measure(name)) == 0:
                found[name] = (settings.epochs, *mean_and_error(images.values))
        return found


def _agree(known: Known, ours: list[float]) -> bool:
    return abs(fmean(ours) - known.value) <= known.tolerance
