"""A run folder: its files, how they are written, and how what they say is read."""

from __future__ import annotations

import csv
import io
import json
import math
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import count
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from numpyvae.core.trace import Loss
from numpyvae.core.training import Epoch
from numpyvae.core.vae import VAE
from numpyvae.evaluation.many_draws import FILE as NLL_FILE
from numpyvae.runs.checkpoints import Checkpoint, model_bytes, open_checkpoint, table
from numpyvae.runs.released import HISTORY, SETTINGS, released_epochs, released_settings
from numpyvae.runs.settings import Settings
from numpyvae.support.files import naming, remove_unfinished, written
from numpyvae.support.inputs import check_array, check_count
from numpyvae.support.lock import lock
from numpyvae.support.version import __version__

MODEL, EPOCHS, PAGE = "model.npz", "epochs", "explore.html"
PICTURES = (
    "loss.png", "latent.png", "reconstructions.png", "samples.png", "manifold.png",  # train
    "bounds.png", "kl.png", "holes.png", "posteriors.png",  # evaluate
    "interpolation.png", "walk.png", "animation.gif",  # draw
)  # fmt: skip
RESULTS = (
    HISTORY,
    SETTINGS,
    NLL_FILE,
    *PICTURES,
    PAGE,
    EPOCHS,
    MODEL,
)  # in the order of setting aside
VERSIONS = {
    "numpyvae": __version__,
    "numpy": np.__version__,
    "python": platform.python_version(),
}


@dataclass(frozen=True)
class Record:
    """What a run folder says of its training.

    settings   with which the model was trained
    epochs     the epochs that are done; how long they took is not known any more (NaN)
    versions   of numpyvae, NumPy and Python, in the last epoch
    completed  True if all epochs and all pictures are there
    images     a checksum of the images; None if the training cannot go on
    """

    settings: Settings
    epochs: list[Epoch]
    versions: Mapping[str, str]
    completed: bool
    images: int | None


class RunFolder:
    """The folder of a run.

    model.npz      the run: the model of the last complete epoch, and the record of its training,
                   which is settings, losses, and all that a continuation needs
    history.csv    the losses of every epoch, for people and other programs; never read back
    settings.json  settings and versions, likewise
    epochs/        the model of every epoch, if `keep_epochs` is set
    *.png, *.gif   pictures
    explore.html   the page of numpyvae explore
    nll.npz        the log-likelihoods of numpyvae evaluate --draws
    earlier-N/     the same files of earlier runs
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        self.model = self.path / MODEL
        self.earlier: Path | None = None  # where an earlier run was moved
        self.begun = False  # True as soon as files of the present run may be there
        self._check_lock: Callable[[], None] = lambda: None  # until it is locked

    def __str__(self) -> str:
        return str(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the lock of the folder, and remove what a killed run left there.

        Raises BlockingIOError if another run is writing there, and OSError if none can.
        """
        with lock(self.path) as self._check_lock:
            remove_unfinished(self.path)
            yield

    def make(self) -> None:
        """Make the folder, if there is none."""
        with naming(self.path):
            self.path.mkdir(parents=True, exist_ok=True)

    def set_aside(self) -> Path | None:
        """Move the files of an earlier run to earlier-1, earlier-2, …; return that folder.

        Only files with our names are moved. The model is moved last: a folder without one is where
        this was interrupted, and the rest is moved to the same place.
        """
        names = [name for name in RESULTS if (self.path / name).exists()]
        if not {MODEL, HISTORY, SETTINGS} & set(names):  # no run: its epochs/ is something else
            names = [name for name in names if name != EPOCHS]
        if not names:
            return None
        for n in count(1):
            earlier = self.path / f"earlier-{n}"
            if not any((earlier / name).exists() for name in {MODEL, *names}):
                break
        with naming(earlier):
            earlier.mkdir(exist_ok=True)
            for name in names:
                (self.path / name).rename(earlier / name)
                self.earlier = earlier
        return earlier

    def save(self, vae: VAE, record: Record, state: Mapping[str, Any], first: bool) -> None:
        """Write the files of an epoch together, the model before those that tell of it.

        If the disk is full, none changes. Before the `first` files of a run appear, those of
        an earlier one are set aside.
        """
        self._check_lock()
        found: dict[str, Any] = {
            "settings": asdict(record.settings),
            "versions": dict(record.versions),
            "completed": record.completed,
        }
        rows = np.array([_losses(epoch) for epoch in record.epochs])
        whole = found | {"history": rows, "images": record.images, "state": dict(state)}
        files = {
            MODEL: model_bytes(vae, whole),
            HISTORY: _history(record.epochs),
            SETTINGS: (json.dumps(found.pop("settings") | found, indent=2) + "\n").encode(),
        }
        if record.settings.keep_epochs and not record.completed:
            files = {f"{EPOCHS}/{len(record.epochs):04}.npz": model_bytes(vae)} | files
        with written(self.path, files):
            if first:
                self.set_aside()
            self.begun = True

    @contextmanager
    def open(self) -> Iterator[tuple[Checkpoint, Record]]:
        """The model file, to be read, and its record. A problem in the block names the file."""
        if self.path.is_file():
            raise ValueError(f"{self}: expected the folder that numpyvae train wrote, got a file")
        if not self.path.exists():
            raise FileNotFoundError(f"{self}: no such folder; name the folder of a run")
        if not self.model.exists():
            runs = [path.parent for path in self.path.glob(f"*/{MODEL}")]
            remedy = f"name a run in it, such as {min(runs)}" if runs else "train one first"
            raise FileNotFoundError(f"{self}: it holds no complete epoch; {remedy}")
        with open_checkpoint(self.model) as checkpoint:
            yield checkpoint, self._record(checkpoint)

    def load_model(self) -> VAE:
        """Read model.npz; raises FileNotFoundError or ValueError naming the file."""
        with self.open() as (checkpoint, _):
            return checkpoint.vae()

    def record(self) -> Record:
        """The record of the training. Raises OSError, or ValueError naming the file."""
        with self.open() as (_, record):
            return record

    def load_settings(self) -> Settings:
        """The settings of the training."""
        return self.record().settings

    def load_history(self) -> list[Epoch]:
        """The losses of every epoch."""
        return self.record().epochs

    def epoch_models(self) -> list[Path]:
        """The models of all epochs, in order, if they were kept."""
        if not self.load_settings().keep_epochs:
            return []
        return sorted((self.path / EPOCHS).glob("*.npz"))

    def completed(self, settings: Settings) -> bool:
        """True if the folder holds a run with these settings, and everything of it was written."""
        try:
            with self.open() as (checkpoint, record):
                checkpoint.vae()  # damaged ones are none
                return record.completed and record.settings == settings
        except (ValueError, OSError):
            return False

    def epochs_of(self, settings: Settings) -> list[Epoch]:
        """The epochs here that a run with these settings, for any number of epochs, begins with."""
        try:
            found = self.record()
        except (ValueError, OSError):
            return []
        same = replace(found.settings, epochs=settings.epochs) == settings
        return found.epochs if same and found.images is not None else []

    def epochs_done(self, settings: Settings) -> int:
        """The number of these epochs."""
        return len(self.epochs_of(settings))

    def _record(self, checkpoint: Checkpoint) -> Record:
        saved = checkpoint.record()
        if saved is None:
            settings = released_settings(self.path)
            return Record(settings, released_epochs(self.path, settings), {}, False, None)
        settings = Settings.from_table(table(saved, "settings"))
        done = check_count("state, epoch", table(saved, "state").get("epoch"))
        like = {"history": np.broadcast_to(0.0, (done, 4))}
        rows = checkpoint.with_arrays(saved, like)["history"]
        rows = check_array("history", rows, (done, 4), np.float64).tolist()
        epochs = []
        for number, row in enumerate(rows, start=1):
            beta = settings.schedule.beta_of(number)
            train, test = (Loss(row[i], row[i + 1], beta) for i in (0, 2))
            epochs.append(Epoch(number, settings.epochs, train, test, math.nan))
        completed = saved.get("completed") is True and done == settings.epochs
        versions = table(saved, "versions")
        return Record(settings, epochs, versions, completed, saved.get("images"))


def _losses(epoch: Epoch) -> list[float]:
    """Reconstruction and KL of the training images, then of the test images."""
    both = [loss for loss in (epoch.train, epoch.test) if loss is not None]
    return [float(part) for loss in both for part in (loss.reconstruction, loss.kl)]


def _history(epochs: Sequence[Epoch]) -> bytes:
    """The content of history.csv: a row per epoch, losses in nats per image, kl without beta."""
    text, parts = io.StringIO(newline=""), ("total", "reconstruction", "kl")
    rows = csv.writer(text)
    rows.writerow(
        ["epoch", "seconds", *(f"{s}_{part}" for s in ("train", "test") for part in parts)]
    )
    for epoch in epochs:
        row = [getattr(loss, part) for loss in (epoch.train, epoch.test) for part in parts]
        rows.writerow([epoch.number, f"{epoch.seconds:.3f}", *row])
    return text.getvalue().encode()
