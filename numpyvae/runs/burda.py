"""The experiment of Burda et al. 2016: a VAE and two IWAEs, compared by their log-likelihoods."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

import numpy as np

from numpyvae.core.training import Epoch
from numpyvae.core.vae import VAE
from numpyvae.data.images import as_pixels, binarize
from numpyvae.evaluation.bounds import log_weights, mean_and_error
from numpyvae.runs.processes import Result, in_processes
from numpyvae.runs.run import Run, training_of
from numpyvae.runs.run_folder import RunFolder
from numpyvae.runs.settings import Settings
from numpyvae.support.files import read_text, write_file
from numpyvae.support.inputs import check_count, check_number
from numpyvae.support.logarithms import log_mean_exp
from numpyvae.support.types import Array, Counted

EPOCHS = 3_280  # of the published experiment
DRAWS = 5_000  # of z for each test image
PART = 1_000  # of them, decoded at a time
TOLERANCE = 0.5  # nats, between our test losses and the recorded ones
TABLE = "likelihoods.csv"
STEPS = 100  # of the progress of an NLL
SAMPLE = (400, 2)  # images whose training, and test images whose NLL, is timed beforehand


@dataclass(frozen=True)
class Model:
    """One of the models: how it is trained, and what is known about it, in nats per image.

    published  its NLL on the test images after EPOCHS epochs, by DRAWS draws (table 1)
    recorded   number of epochs → the test loss of this implementation
    """

    settings: Settings
    published: float
    recorded: Mapping[int, float]


_VAE = Settings(
    pixels="dynamic",
    hidden=(200, 200),
    latent=50,
    activation="tanh",
    batch_size=20,
    optimizer="adam",
    epsilon=1e-4,
    decay="burda",
)
MODELS = {
    "vae": Model(_VAE, 86.76, {10: 105.67, 50: 97.07, 200: 94.55}),
    "iwae-5": Model(replace(_VAE, objective="iwae", k=5), 85.54, {10: 101.12}),
    "iwae-50": Model(replace(_VAE, objective="iwae", k=50), 84.78, {10: 97.89}),
}


@dataclass(frozen=True)
class NLL:
    """NLL = mean of −log 1/k Σ w over the test images, with k = DRAWS, and its standard error."""

    epochs: int
    nll: float
    error: float


class Burda:
    """The experiment in the folder `out`: a run folder for each model, and TABLE.

    Each model is trained for `epochs`, the first ones of the EPOCHS in the publication. What is in
    the folder is not computed again, so asking for more epochs continues an earlier experiment.
    The models are those of the paper's text; its authors' program may differ in details, such as
    the initial biases.
    """

    def __init__(self, out: str | PathLike[str], epochs: int = EPOCHS) -> None:
        self.out, self.epochs = Path(out), check_count("epochs", epochs)
        if epochs > EPOCHS:
            raise ValueError(f"epochs: expected {EPOCHS} at most, as published, got {epochs}")
        if not str(out) or (self.out.exists() and not self.out.is_dir()):
            raise ValueError(f"out: expected the name of a folder, got {str(out)!r}")

    def history(self, name: str) -> list[Epoch]:
        """The epochs of a model that are done."""
        folder = RunFolder(self.out / name)
        done = folder.epochs_done(MODELS[name].settings)
        return folder.load_history() if done else []

    def likelihoods(self) -> dict[str, NLL]:
        """The NLL of each model in its present state, if it is known, by name."""
        path, found = self.out / TABLE, {}
        try:
            for row in csv.DictReader(read_text(path).splitlines()):
                numbers = [check_number(name, float(row[name])) for name in ("nll", "error")]
                found[row["model"]] = NLL(int(row["epochs"]), *numbers)
        except FileNotFoundError:
            return {}
        except (KeyError, TypeError, ValueError, csv.Error):
            raise ValueError(f"{path}: damaged, not a table of likelihoods; delete it") from None
        return {
            name: found[name]
            for name in MODELS
            if name in found and found[name].epochs == len(self.history(name))
        }

    def to_do(self) -> dict[str, int]:
        """The epochs to go of each model that is not complete; 0 if its NLL alone is missing.

        The one that takes longest is the first.
        """
        slowest_first = reversed(MODELS)
        to_go = {name: max(0, self.epochs - len(self.history(name))) for name in slowest_first}
        measured = self.likelihoods()
        return {name: n for name, n in to_go.items() if n > 0 or name not in measured}

    def expected_seconds(self) -> dict[str, tuple[float, float]]:
        """The seconds that training and NLL of each model in `to_do` take here, from a sample."""
        data, found = MODELS["vae"].settings.images(), {}
        images, test_images = SAMPLE
        for name, to_go in self.to_do().items():
            settings = replace(MODELS[name].settings, epochs=2)
            vae = settings.model(data.image_shape)
            _, epoch = training_of(settings, vae, data.x_train[:images])  # the first warms up
            started = time.perf_counter()
            nll(vae, as_pixels(data.x_test[:test_images], np.float32), np.random.default_rng(0))
            seconds = time.perf_counter() - started
            found[name] = (
                to_go * epoch.seconds * len(data.x_train) / images,
                seconds * len(data.x_test) / test_images,
            )
        return found

    def marks(self, name: str) -> dict[int, tuple[float, float]]:
        """Number of epochs → our test loss and the recorded one, as far as the training went."""
        losses = [epoch.test.total for epoch in self.history(name) if epoch.test]
        recorded = MODELS[name].recorded
        return {n: (losses[n - 1], recorded[n]) for n in recorded if n <= len(losses)}

    def agrees(self) -> bool:
        """True if no loss is farther than TOLERANCE from what is recorded or published."""
        pairs = [pair for name in MODELS for pair in self.marks(name).values()]
        pairs += [
            (found.nll, MODELS[name].published)
            for name, found in self.likelihoods().items()
            if found.epochs == EPOCHS
        ]
        return all(abs(ours - known) <= TOLERANCE for ours, known in pairs)

    @property
    def set_up(self) -> str:
        """The networks and their training in one line."""
        settings = MODELS["vae"].settings
        widths = "-".join(map(str, [*settings.hidden, settings.latent, *settings.hidden[::-1]]))
        return (
            f"784-{widths}-784, {settings.activation}, {settings.optimizer}, "
            f"batch {settings.batch_size}"
        )

    def __str__(self) -> str:
        lines = [
            f"{self.set_up}; pixels drawn anew each time",
            "test loss, nats per image: -ELBO for vae, -log 1/k sum w for iwae-k",
            f"{'model':>8} {'epochs':>7} {'ours':>8} {'recorded':>9}",
        ]
        for name in MODELS:
            marks, history = self.marks(name), self.history(name)
            for epochs, (ours, recorded) in marks.items():
                row = f"{name:>8} {epochs:7,} {ours:8.2f} {recorded:9.2f}"
                lines.append(f"{row}   {_verdict(ours, recorded)}")
            if history and history[-1].number not in marks and history[-1].test:
                lines.append(f"{name:>8} {len(history):7,} {history[-1].test.total:8.2f}")
        lines += [
            f"NLL of the test images by {DRAWS:,} draws, nats per image",
            f"published: Burda, Grosse & Salakhutdinov 2016, table 1, after {EPOCHS:,} epochs",
            f"{'model':>8} {'epochs':>7} {'ours':>8} {'s.e.':>5} {'published':>10}",
        ]
        for name, found in self.likelihoods().items():
            published = MODELS[name].published
            row = f"{name:>8} {found.epochs:7,} {found.nll:8.2f} {found.error:5.2f}"
            verdict = _verdict(found.nll, published) if found.epochs == EPOCHS else ""
            lines.append(f"{row} {published:10.2f}   {verdict}".rstrip())
        return "\n".join(lines)

    def run(self, jobs: int, versions: Mapping[str, str]) -> Counted[Result[Epoch | NLL | None]]:
        """Train and measure the models in `to_do`, in `jobs` processes: see `in_processes`.

        The results of a model are its epochs, then None for each of STEPS steps of its NLL, and
        then its NLL, which is also in TABLE.
        """
        to_do = self.to_do()
        tasks = []
        for name in to_do:
            epochs = max(self.epochs, len(self.history(name)))
            settings = replace(MODELS[name].settings, epochs=epochs)
            tasks.append((settings, self.out / name, dict(versions)))
        self.out.mkdir(parents=True, exist_ok=True)
        results = self._saved(list(to_do), in_processes(_train_and_measure, tasks, jobs))
        return Counted(sum(to_do.values()) + (STEPS + 1) * len(to_do), results)

    def _saved(
        self, names: list[str], results: Iterator[Result[Epoch | NLL | None]]
    ) -> Iterator[Result[Epoch | NLL | None]]:
        """The results; each NLL is in TABLE before it is passed on."""
        for number, result in results:
            if isinstance(result, NLL):
                known = self.likelihoods() | {names[number]: result}
                text = io.StringIO(newline="")
                rows = csv.writer(text)
                rows.writerow(["model", "epochs", "nll", "error"])
                rows.writerows([name, x.epochs, x.nll, x.error] for name, x in known.items())
                write_file(self.out / TABLE, text.getvalue().encode())
            yield number, result


def _verdict(ours: float, known: float) -> str:
    word = "agrees" if abs(ours - known) <= TOLERANCE else "DISAGREES"
    return f"{word} ({ours - known:+.2f}; within {TOLERANCE:g})"


def nll(vae: VAE, x: Array, rng: np.random.Generator) -> Array:
    """−log 1/k Σ w for each image of x (N, X), with k = DRAWS draws: (N,)"""
    found = []
    for image in x:
        parts = [log_weights(vae, image[None], PART, rng) for _ in range(DRAWS // PART)]
        found.append(-log_mean_exp(np.concatenate(parts, axis=1))[0])
    return np.array(found)


def _train_and_measure(
    settings: Settings, out: Path, versions: Mapping[str, str]
) -> Generator[Epoch | NLL | None]:
    """Train one model, or the rest of it, then measure it; processes find it by its name."""
    with Run.start_or_resume(settings, out, versions) as run:
        yield from run
        run.complete()
        rng = np.random.default_rng(settings.seed)
        x = binarize(as_pixels(run.data.x_test, np.float32), settings.pixels, rng)
        found = []
        for part in np.array_split(x, STEPS):  # some are empty if there are few images
            found.append(nll(run.vae, part, rng))
            yield None
        yield NLL(len(run.epochs), *mean_and_error(np.concatenate(found)))
