"""A training that writes its folder, epoch by epoch, and goes on where it was stopped."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from os import PathLike
from typing import Any

import numpy as np

from numpyvae.core.training import Epoch, Training
from numpyvae.core.vae import VAE
from numpyvae.data.image_files import Dataset
from numpyvae.runs.run_folder import VERSIONS, Record, RunFolder
from numpyvae.runs.settings import Settings
from numpyvae.support.files import folder_for
from numpyvae.support.interrupts import uninterrupted


@dataclass
class Run:
    """A training with its model, its images and its folder; `start` and `resume` make one.

        with Run.start(Settings(epochs=50), "long") as run:
            for epoch in run:
                print(epoch)

    No other run can write to the folder in that block.

    epochs     the epochs that are in the folder, so far
    before     the versions with which these were trained, if the run was resumed
    completed  True if the folder holds all epochs, and everything else of the run
    """

    settings: Settings
    folder: RunFolder
    vae: VAE
    data: Dataset
    training: Training
    epochs: list[Epoch] = field(default_factory=list)
    before: Mapping[str, str] = field(default_factory=dict)
    completed: bool = False

    def __post_init__(self) -> None:
        self.images = _checksum(self.data)
        self.training.if_unused = None  # the caller may find that it cannot go on

    @classmethod
    @contextmanager
    def start(
        cls,
        settings: Settings,
        out: str | PathLike[str],
        data: str | PathLike[str] | None = None,
    ) -> Iterator[Run]:
        """A run from the first epoch on. An earlier run in the folder stays until that is complete.

        `data` is where the images are, if not where the settings say. Raises ValueError, OSError or
        MemoryError for images that cannot be used, or a folder that cannot be made or is in use;
        then nothing is written.
        """
        folder = RunFolder(folder_for(out))
        run = cls._new(settings, folder, settings.images(data))
        folder.make()
        with folder.locked():
            yield run

    @classmethod
    @contextmanager
    def resume(
        cls, out: str | PathLike[str], epochs: int | None = None, data: str | None = None
    ) -> Iterator[Run]:
        """The run in the folder `out`, which goes on after its last epoch, up to `epochs` in all.

        Its weights and losses are those of a run that was never stopped. `data` is where the images
        are now, if they were moved. Raises ValueError or OSError, naming the file, if it cannot go
        on.
        """
        folder = RunFolder(out)
        folder.record()  # or there is nothing to lock
        with folder.locked():
            saved = folder.record()
            settings, done = saved.settings, len(saved.epochs)
            settings = replace(
                settings,
                epochs=settings.epochs if epochs is None else epochs,
                data=settings.data if data is None else data,
            )
            if settings.epochs < done:
                problem = f"expected the new total, at least {done}, which are done"
                raise ValueError(f"epochs: {problem}; got {settings.epochs}")
            yield cls._saved(settings, folder, settings.images())

    @classmethod
    @contextmanager
    def start_or_resume(
        cls, settings: Settings, out: str | PathLike[str], data: str | PathLike[str] | None = None
    ) -> Iterator[Run]:
        """The rest of the run with these settings, if the folder `out` holds its first epochs.

        Otherwise it starts from the first. `data` and errors are those of `start` and `resume`.
        """
        folder = RunFolder(folder_for(out))
        folder.make()
        with folder.locked():
            begun = 0 < folder.epochs_done(settings) <= settings.epochs
            yield (cls._saved if begun else cls._new)(settings, folder, settings.images(data))

    @classmethod
    def _new(cls, settings: Settings, folder: RunFolder, data: Dataset) -> Run:
        """The run before its first epoch."""
        vae = settings.model(data.image_shape)
        training = settings.training(vae, data.x_train, data.x_test)
        return cls(settings, folder, vae, data, training)

    @classmethod
    def _saved(cls, settings: Settings, folder: RunFolder, data: Dataset) -> Run:
        """The run after the last epoch in its folder."""
        with folder.open() as (checkpoint, record):
            if record.images is None:
                problem = "a model of version 0.1 or 0.2, or one saved without its training"
                raise ValueError(f"{problem}, so it cannot go on; train it again")
            saved = checkpoint.vae()
            for name in ("hidden", "latent", "activation"):  # before a model of other sizes is made
                if getattr(saved, name) != getattr(settings, name):
                    raise ValueError(f"{name} of its weights is not that of its settings")
            run = cls._new(settings, folder, data)
            if record.images != run.images:
                raise ValueError(f"the images in {settings.data or 'MNIST'} have changed")
            like = {"state": _but_weights(run.training)}
            state = checkpoint.with_arrays(checkpoint.record(), like)["state"]
            run.training.restore(state | {"weights": saved.parameters.value})
        run.vae.beta = settings.schedule.beta_of(run.training.epoch)
        run.epochs = [replace(epoch, epochs=settings.epochs) for epoch in record.epochs]
        run.before = record.versions
        run.completed = record.completed and len(run.training) == 0
        return run

    def __len__(self) -> int:
        return len(self.training)

    def __iter__(self) -> Iterator[Epoch]:
        """Train; write each epoch to the folder, and then yield it."""
        for epoch in self.settings.schedule.epochs(self.training, self.vae):
            self._save([*self.epochs, epoch], completed=False)
            yield epoch

    def complete(self) -> None:
        """Note in the folder that everything is there, the pictures too."""
        self._save(self.epochs, completed=True)

    def _save(self, epochs: list[Epoch], completed: bool) -> None:
        record = Record(self.settings, epochs, VERSIONS, completed, self.images)
        state, first = _but_weights(self.training), not self.epochs
        with uninterrupted():
            self.folder.save(self.vae, record, state, first)
            self.epochs, self.completed = epochs, completed


def _but_weights(training: Training) -> dict[str, Any]:
    """The state of a training without the weights, which the model file has by name."""
    return {name: value for name, value in training.state().items() if name != "weights"}


def _checksum(data: Dataset) -> int:
    """A number that changes if an image changes."""
    train, test = (np.ascontiguousarray(images) for images in (data.x_train, data.x_test))
    return zlib.crc32(test.data, zlib.crc32(train.data))
