"""A sweep: a training for every combination of settings and seeds, each with its own folder."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from numpyvae.core.trace import Loss
from numpyvae.core.training import Epoch
from numpyvae.evaluation.bounds import mean_and_error
from numpyvae.runs.processes import Result, in_processes
from numpyvae.runs.run import Run
from numpyvae.runs.run_folder import RunFolder
from numpyvae.runs.settings import Settings
from numpyvae.support.files import write_file
from numpyvae.support.inputs import check_count
from numpyvae.support.types import Counted

COLUMNS = ("elbo", "reconstruction", "kl")


def words(values: Mapping[str, Any]) -> str:
    """Settings as "beta=0.5,hidden=512-256"; the name of a folder, so without a slash."""
    return ",".join(f"{name}={_word(value)}" for name, value in values.items())


def _word(value: Any) -> str:
    text = "-".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return re.sub(r"[^\w.+-]+", "-", text.removesuffix(".0")).strip("-")


@dataclass(frozen=True)
class Point:
    """A combination of the settings that vary, and the last test loss of each completed run."""

    values: Mapping[str, Any]
    losses: Sequence[Loss]

    def summary(self) -> dict[str, tuple[float, float]]:
        """Mean and standard error over the seeds of ELBO, reconstruction and KL, by name."""
        return {
            name: mean_and_error(np.array([float(getattr(loss, name)) for loss in self.losses]))
            for name in COLUMNS
        }


class Sweep:
    """Every combination of `values`, a list for each setting by name, once for each seed.

    Each run has a folder in `out`, named after its values and its seed. A run counts as completed
    if its folder holds all epochs of a training with the same settings, and its `finish` (see
    `train`) is done. Raises ValueError for values that no training could use, or given twice.
    """

    def __init__(
        self, values: Mapping[str, Sequence[Any]], seeds: int, out: str | PathLike[str]
    ) -> None:
        self.out, self.seeds = Path(out), range(check_count("seeds", seeds))
        if not str(out) or (self.out.exists() and not self.out.is_dir()):
            raise ValueError(f"out: expected the name of a folder, got {str(out)!r}")
        for name, choices in values.items():
            if len(choices) == 0:
                raise ValueError(f"{name}: expected at least one value, got none")
        self.varied = [name for name, choices in values.items() if len(choices) > 1]
        self.points = [dict(zip(values, combination)) for combination in product(*values.values())]
        self.runs: dict[str, Settings] = {}
        for point in self.points:
            for seed in self.seeds:
                settings = Settings(**point, seed=seed)
                if settings in self.runs.values():
                    raise ValueError(f"{words(point)}: given twice; leave one out")
                name = words(point | {"seed": seed})
                if name in self.runs:
                    raise ValueError(f"{name}: two runs would have this name; rename the files")
                self.runs[name] = settings

    def folder(self, name: str) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.out / name)

    def missing(self) -> list[str]:
        """The names of the runs that have not completed."""
        return [name for name, run in self.runs.items() if not self.folder(name).completed(run)]

    def train(
        self,
        names: Sequence[str],
        jobs: int,
        versions: Mapping[str, str],
        finish: Callable[[Run], None],
    ) -> Counted[Result[Epoch]]:
        """Train these runs in `jobs` processes: see `in_processes`, which numbers them.

        Each process calls `finish(run)` after its last epoch. Raises ValueError or OSError for
        images that cannot be used, or a folder that cannot be made; then nothing is written.
        """
        runs = [self.runs[name] for name in names]
        for run in {(run.data, run.likelihood): run for run in runs}.values():
            run.images()
        self.out.mkdir(parents=True, exist_ok=True)
        tasks = [(self.runs[name], self.out / name, dict(versions), finish) for name in names]
        epochs = sum(self.runs[name].epochs for name in names)
        return Counted(epochs, in_processes(_train, tasks, jobs))

    def results(self) -> list[Point]:
        """The points of which at least one run has completed, in order."""
        found = []
        for point in self.points:
            names = [words(point | {"seed": seed}) for seed in self.seeds]
            folders = [self.folder(name) for name in names]
            losses = [
                folder.load_history()[-1].test
                for name, folder in zip(names, folders)
                if folder.completed(self.runs[name])
            ]
            varied = {name: point[name] for name in self.varied}
            found.append(Point(varied, [loss for loss in losses if loss is not None]))
        return [point for point in found if point.losses]


def _train(
    settings: Settings, out: Path, versions: Mapping[str, str], finish: Callable[[Run], None]
) -> Generator[Epoch]:
    """Train one run, or the rest of it; a function of a module, for processes find it by name."""
    with Run.start_or_resume(settings, out, versions) as run:
        yield from run
        finish(run)
        run.complete()


def table(points: Sequence[Point]) -> str:
    """A line for each point: its values, and mean ± standard error over the seeds, in nats."""
    names = list(points[0].values)
    heads = [*names, "seeds", "ELBO", "reconstruction", "KL"]
    rows = [
        [
            *(_word(value) for value in point.values.values()),
            str(len(point.losses)),
            *(_with_error(*pair) for pair in point.summary().values()),
        ]
        for point in points
    ]
    widths = [max(map(len, column)) for column in zip(heads, *rows)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in [heads, *rows]
    )


def _with_error(mean: float, error: float) -> str:
    """As "-156.24 ± 0.31"; a single seed has no standard error."""
    return f"{mean:.2f} ± {error:.2f}" if np.isfinite(error) else f"{mean:.2f}"


def save_table(path: Path, points: Sequence[Point]) -> None:
    """Write the same table as CSV, unrounded; the error of a single seed is left empty."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    columns = [column for name in COLUMNS for column in (name, f"{name}_error")]
    rows.writerow([*points[0].values, "seeds", *columns])
    for point in points:
        pairs = point.summary().values()
        cells = [cell if np.isfinite(cell) else "" for pair in pairs for cell in pair]
        rows.writerow([*map(_word, point.values.values()), len(point.losses), *cells])
    write_file(path, text.getvalue().encode())
