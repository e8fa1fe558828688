"""Many runs at once, on any executor of concurrent.futures: on all cores, or on many machines."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from numpyvae.core.training import Epoch
from numpyvae.runs.run import Run
from numpyvae.runs.run_folder import RunFolder
from numpyvae.runs.settings import Settings
from numpyvae.support.files import folder_for
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Counted

LOOK = 0.2  # seconds between two looks at the folders
IN_WORDS = (ValueError, OSError, RuntimeError, FloatingPointError)  # these name file and remedy


@dataclass(frozen=True)
class Failure:
    """The reason why a run did not complete."""

    problem: str


class Busy(Failure):
    """Another process is training the run, which is left to it."""


class Runs:
    """Runs by name, each with a folder of this name in `out`.

    A run counts as completed if its folder holds all epochs of a training with the same settings,
    and its `finish` (see `train`) is done.
    """

    def __init__(self, runs: Mapping[str, Settings], out: str | PathLike[str]) -> None:
        self.runs, self.out = runs, folder_for(out)

    def folder(self, name: str) -> RunFolder:
        """The folder of a run."""
        return RunFolder(self.out / name)

    def missing(self) -> list[str]:
        """The names of the runs that have not completed."""
        return [name for name, run in self.runs.items() if not self.folder(name).completed(run)]

    def train(
        self, executor: Executor, finish: Callable[[Run], None] | None = None
    ) -> Counted[tuple[str, Epoch | Failure]]:
        """Train the missing runs, or the rest of them, each as a task of `executor`.

            with Processes(2) as executor:
                for name, epoch in sweep.train(executor):
                    print(name, epoch)

        Yields the name of the run with each Epoch, soon after it is in the folder, or with
        a Failure; the other runs go on. `finish(run)` is called after the last epoch. Any executor
        of concurrent.futures will do, also one whose processes are on other machines (dask's
        `client.get_executor()`, mpi4py's, loky's), if `out` and the images are on a file system
        that all of them share. Whoever computes a run, its folder is the same, bit for bit. Raises
        ValueError or OSError for images that cannot be used, or a folder that cannot be made; then
        nothing is written.
        """
        names = self.missing()
        different = {(self.runs[name].data, self.runs[name].likelihood): name for name in names}
        for name in different.values():
            self.runs[name].images()
        RunFolder(self.out).make()
        looks = {name: _Look(self.folder(name), self.runs[name]) for name in names}
        epochs = sum(self.runs[name].epochs - look.done for name, look in looks.items())
        return Counted(epochs, self._results(looks, executor, finish))

    def _results(
        self,
        looks: dict[str, _Look],
        executor: Executor,
        finish: Callable[[Run], None] | None,
    ) -> Iterator[tuple[str, Epoch | Failure]]:
        tasks: dict[Future[None], str] = {}
        threads = min((self.runs[name].threads for name in looks), default=1)
        try:
            with blas_threads(threads):  # for an executor whose tasks are threads of this process
                for name in looks:
                    run, out = self.runs[name], self.folder(name).path.resolve()
                    data = None if run.data is None else Path(run.data).resolve()
                    tasks[executor.submit(train_one, run, out, data, finish)] = name
                waiting, trained = set(tasks), list[str]()
                while waiting:
                    ended, waiting = wait(waiting, LOOK, FIRST_COMPLETED)
                    for name, look in looks.items():
                        yield from ((name, epoch) for epoch in look.new_epochs())
                    for task in ended:
                        name = tasks[task]
                        looks.pop(name)
                        if (failure := _failure(task)) is None:
                            trained.append(name)
                        else:
                            yield name, failure
            for name in trained:
                if not self.folder(name).completed(self.runs[name]):
                    problem = (
                        f"trained, but not into {self.out}: do all machines share this folder?"
                    )
                    yield name, Failure(problem)
        finally:
            for task in tasks:
                task.cancel()


class _Look:
    """What is new in a run folder since the last look."""

    def __init__(self, folder: RunFolder, settings: Settings) -> None:
        self._folder, self._settings, self._time = folder, settings, 0
        self.done = folder.epochs_done(settings)
        if self.done > settings.epochs:  # a longer run, which will be set aside
            self.done = 0

    def new_epochs(self) -> list[Epoch]:
        """The epochs that were written since."""
        try:
            changed = os.stat(self._folder.model).st_mtime_ns
        except OSError:  # there is none yet
            return []
        if changed == self._time:
            return []
        self._time, found = changed, self._folder.epochs_of(self._settings)
        if len(found) > self._settings.epochs:
            return []
        new, self.done = found[self.done :], len(found)
        return new


def _failure(task: Future[None]) -> Failure | None:
    """The reason why a task failed, if it did."""
    try:
        error = task.exception()
    except CancelledError as cancelled:
        error = cancelled
    if error is None:
        return None
    known = isinstance(error, IN_WORDS) and str(error)
    problem = str(error) if known else f"{type(error).__name__} {error}".strip()
    return (Busy if isinstance(error, BlockingIOError) else Failure)(problem)


def train_one(
    settings: Settings, out: Path, data: Path | None, finish: Callable[[Run], None] | None
) -> None:
    """Train one run, or the rest of it; a function of a module, for processes find it by name."""
    with Run.start_or_resume(settings, out, data) as run:
        for _ in run:
            pass
        if not run.completed:
            if finish is not None:
                finish(run)
            run.complete()
