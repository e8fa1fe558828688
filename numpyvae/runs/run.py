"""A training that writes its folder, epoch by epoch, and goes on where it was stopped."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from numpyvae.core.training import Epoch, Training, train
from numpyvae.core.vae import VAE
from numpyvae.data.image_files import Dataset
from numpyvae.runs.checkpoints import open_checkpoint, table
from numpyvae.runs.run_folder import MODEL, RunFolder
from numpyvae.runs.settings import Settings
from numpyvae.support.interrupts import uninterrupted
from numpyvae.support.types import Array


def prepare(settings: Settings) -> tuple[VAE, Dataset, Training]:
    """The model, the images and the training of these settings, which has not started."""
    data = settings.images()
    vae = settings.model(data.image_shape)
    return vae, data, training_of(settings, vae, data.x_train, data.x_test)


def training_of(
    settings: Settings, vae: VAE, x_train: Array, x_test: Array | None = None
) -> Training:
    """The training of a model with these settings, on these images; it has not started."""
    optimizer = settings.make_optimizer(vae.parameters)
    training = train(
        vae,
        x_train,
        test_images=x_test,
        optimizer=optimizer,
        rng=settings.seed,
        **settings.of_train,
    )
    training.if_unused = None  # the caller may find that it cannot go on
    return training


@dataclass
class Run:
    """A training with its model, its images and its folder; `start` and `resume` make one.

        with Run.start(Settings(epochs=50), "long", {}) as run:
            for epoch in run:
                print(epoch)

    No other run can write to the folder in that block.

    versions  names and versions of packages, saved with the settings
    epochs    the epochs that are in the folder, so far
    before    the versions with which these were trained, if the run was resumed
    earlier   where the results of an earlier run in the same folder were moved
    """

    settings: Settings
    versions: Mapping[str, str]
    folder: RunFolder
    vae: VAE
    data: Dataset
    training: Training
    epochs: list[Epoch]
    before: Mapping[str, str]
    earlier: Path | None = None

    def __post_init__(self) -> None:
        self._images = _checksum(self.data)

    @classmethod
    @contextmanager
    def start(
        cls, settings: Settings, out: str | PathLike[str], versions: Mapping[str, str]
    ) -> Iterator[Run]:
        """A run from the first epoch on. An earlier run in the folder stays until that is complete.

        Raises ValueError, OSError or MemoryError for images that cannot be used, or a folder that
        cannot be made or is in use; then nothing is written.
        """
        if not str(out) or (Path(out).exists() and not Path(out).is_dir()):
            raise ValueError(f"out: expected the name of a folder, got {str(out)!r}")
        vae, data, training = prepare(settings)
        folder = RunFolder(out)
        folder.make()
        with folder.locked():
            if not folder.results():
                folder.save_settings(settings, versions)
            yield cls(settings, versions, folder, vae, data, training, [], {})

    @classmethod
    @contextmanager
    def resume(
        cls,
        out: str | PathLike[str],
        versions: Mapping[str, str],
        epochs: int | None = None,
        data: str | None = None,
    ) -> Iterator[Run]:
        """The run in the folder `out`, which goes on after its last epoch, up to `epochs` in all.

        Its weights and losses are those of a run that was never stopped. `data` is where the images
        are now, if they were moved. Raises ValueError or OSError, naming the file, if it cannot go
        on.
        """
        folder = RunFolder(out)
        if not folder.path.exists():
            raise FileNotFoundError(f"{out}: no such folder; name the folder of a run")
        with folder.locked():
            if not folder.has_model():
                raise FileNotFoundError(f"{out}: it holds no complete epoch; start the run anew")
            settings, history = folder.load_settings(), folder.load_history()
            if epochs is not None:
                settings = replace(settings, epochs=epochs)
            if data is not None:
                settings = replace(settings, data=data)
            if settings.epochs < len(history):
                problem = f"expected the new total, at least {len(history)}, which are done"
                raise ValueError(f"epochs: {problem}; got {settings.epochs}")
            with open_checkpoint(folder.path / MODEL) as checkpoint:
                saved, record = checkpoint.vae(), checkpoint.record()
                for name in ("hidden", "latent", "activation"):
                    own, other = getattr(saved, name), getattr(settings, name)
                    if own != other:
                        raise ValueError(f"{name} is {own} in its weights, {other} in its settings")
                if record is None:
                    problem = "a model of version 0.1 or 0.2, or one saved without its training"
                    raise ValueError(f"{problem}, so it cannot go on; train it again")
            vae, images, training = prepare(settings)
            with open_checkpoint(folder.path / MODEL) as checkpoint:
                if record.get("images") != _checksum(images):
                    raise ValueError(f"the images in {settings.data or 'MNIST'} have changed")
                state = checkpoint.with_arrays(record, {"state": _but_weights(training)})["state"]
                training.restore(state | {"weights": saved.parameters.value})
                rate = settings.schedule.learning_rate_of(training.epoch)
                if not math.isclose(training.optimizer.learning_rate, rate, rel_tol=1e-12):
                    raise ValueError("its learning rate is not the one in its settings")
                before = table(record, "versions")
            vae.beta = settings.schedule.beta_of(training.epoch)
            history = [replace(epoch, epochs=settings.epochs) for epoch in history]
            if len(training) or not folder.completed(settings):
                folder.mend(vae, history, settings, versions)
            yield cls(settings, versions, folder, vae, images, training, history, before)

    @classmethod
    def start_or_resume(
        cls, settings: Settings, out: str | PathLike[str], versions: Mapping[str, str]
    ) -> AbstractContextManager[Run]:
        """The rest of the run with these settings, if the folder `out` holds its first epochs.

        Otherwise it starts from the first. Its errors are those of `start` and `resume`.
        """
        if 0 < RunFolder(out).epochs_done(settings) <= settings.epochs:
            return cls.resume(out, versions, settings.epochs)
        return cls.start(settings, out, versions)

    def __len__(self) -> int:
        return len(self.training)

    def __iter__(self) -> Iterator[Epoch]:
        """Train; write each epoch to the folder, and then yield it."""
        for epoch in self.settings.schedule.epochs(self.training, self.vae):
            epochs = [*self.epochs, epoch]
            record = {"images": self._images, "state": _but_weights(self.training)}
            with uninterrupted():
                earlier = self.folder.save_epoch(
                    self.vae, epochs, self.settings, self.versions, record
                )
                self.epochs, self.earlier = epochs, earlier or self.earlier
            yield epoch

    def complete(self) -> None:
        """Note in the folder that everything is there, the pictures too."""
        self.folder.save_settings(self.settings, self.versions, completed=True)


def _but_weights(training: Training) -> dict[str, Any]:
    """The state of a training without the weights, which the model file has by name."""
    return {name: value for name, value in training.state().items() if name != "weights"}


def _checksum(data: Dataset) -> int:
    """A number that changes if an image changes."""
    train, test = (np.ascontiguousarray(images) for images in (data.x_train, data.x_test))
    return zlib.crc32(test.data, zlib.crc32(train.data))
