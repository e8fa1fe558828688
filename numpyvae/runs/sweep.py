"""A sweep: a training for every combination of settings and seeds, each with its own folder."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from os import PathLike
from typing import Any

import numpy as np

from numpyvae.core.trace import Loss
from numpyvae.evaluation.bounds import mean_and_error
from numpyvae.runs.many import Runs
from numpyvae.runs.settings import Settings
from numpyvae.support.inputs import check_count

COLUMNS = ("elbo", "reconstruction", "kl")


def words(values: Mapping[str, Any]) -> str:
    """Settings as "beta=0.5,hidden=512-256"; the name of a folder, so without a slash."""
    return ",".join(f"{name}={word(value)}" for name, value in values.items())


def word(value: Any) -> str:
    """A value of a setting, as in the name of a folder."""
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


class Sweep(Runs):
    """Every combination of settings, once for each seed: trainings with a folder each.

    `for name, epoch in sweep.train(executor)` trains on any executor of concurrent.futures what is
    not in the folder yet. `sweep.results()` gives a Point for each combination, with `values`,
    `losses` and `summary()`.

    Parameters
    ----------
    values : dict of lists
        Of each setting by name, such as {"beta": [0.5, 1.0]}; see numpyvae.runs.Settings.
    seeds : int
        Runs of each combination, with seeds 0, 1, …
    out : str or path
        Its folder. A run is a folder in it, named after its values and its seed.

    Raises
    ------
    ValueError
        For values that no training could use, or that were given twice.

    Examples
    --------
    >>> import numpy as np
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> from numpyvae.runs import Sweep
    >>> np.save("mine.npy", np.random.default_rng(0).random((50, 2, 2)))
    >>> common = {"data": ["mine.npy"], "hidden": [(3,)], "epochs": [2]}
    >>> sweep = Sweep({"beta": [0.5, 1.0], **common}, seeds=1, out="my-sweep")
    >>> with ThreadPoolExecutor(1) as executor:
    ...     for name, epoch in sweep.train(executor):
    ...         pass
    >>> [point.values for point in sweep.results()]
    [{'beta': 0.5}, {'beta': 1.0}]
    """

    def __init__(
        self, values: Mapping[str, Sequence[Any]], seeds: int, out: str | PathLike[str]
    ) -> None:
        self.seeds = range(check_count("seeds", seeds))
        for name, choices in values.items():
            if len(choices) == 0:
                raise ValueError(f"{name}: expected at least one value, got none")
        self.varied = [name for name, choices in values.items() if len(choices) > 1]
        self.points = [dict(zip(values, combination)) for combination in product(*values.values())]
        runs: dict[str, Settings] = {}
        for point in self.points:
            for seed in self.seeds:
                settings = Settings(**point, seed=seed)
                if settings in runs.values():
                    raise ValueError(f"{words(point)}: given twice; leave one out")
                name = words(point | {"seed": seed})
                if name in runs:
                    raise ValueError(f"{name}: two runs would have this name; rename the files")
                runs[name] = settings
        super().__init__(runs, out)

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
