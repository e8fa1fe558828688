"""A run folder: the names of its files, and how they are written, read and set aside."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from numpyvae.core.trace import Loss
from numpyvae.core.training import Epoch
from numpyvae.core.vae import VAE
from numpyvae.runs.checkpoints import load, model_bytes, open_checkpoint, table
from numpyvae.runs.history import history_bytes, losses, read_history
from numpyvae.runs.settings import Settings
from numpyvae.support.files import (
    naming,
    read_text,
    remove_unfinished,
    write_file,
    write_files,
    written,
)
from numpyvae.support.inputs import check_array, check_count
from numpyvae.support.lock import lock

MODEL, HISTORY, SETTINGS, EPOCHS = "model.npz", "history.csv", "settings.json", "epochs"
PAGE = "explore.html"
RESULTS = (
    HISTORY,
    SETTINGS,
    "*.png",
    "*.gif",
    PAGE,
    EPOCHS,
    MODEL,
)  # in the order of setting aside
OTHER = ("data", "epochs", "keep_epochs", "threads")  # settings that say nothing about the model


class RunFolder:
    """The folder of a run.

    model.npz      the model of the last complete epoch, and the record of its training: settings,
                   losses, and all that a continuation needs
    history.csv    the losses of every epoch
    settings.json  the settings, the versions of packages, and whether everything was written
    epochs/        the model of every epoch, if `keep_epochs` is set
    *.png, *.gif   pictures
    explore.html   the page of numpyvae explore
    earlier-N/     the same files of earlier runs

    model.npz alone tells how far a run has come. The other files are written with it, for people
    and other programs.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
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

    def results(self) -> list[Path]:
        """The files of a run in the folder; none if a run has not completed its first epoch."""
        found = [file for pattern in RESULTS for file in sorted(self.path.glob(pattern))]
        return [] if [file.name for file in found] == [SETTINGS] else found

    def set_aside(self) -> Path | None:
        """Move the results of an earlier run to earlier-1, earlier-2, …; return that folder.

        The model is moved last. A folder without a model is one where this was interrupted, and
        the rest is moved there.
        """
        results = self.results()
        if not results:
            return None
        for n in count(1):
            earlier = self.path / f"earlier-{n}"
            names = [MODEL, *(file.name for file in results)]
            if not any((earlier / name).exists() for name in names):
                break
        earlier.mkdir(exist_ok=True)
        for file in results:
            file.rename(earlier / file.name)
        return earlier

    def save_epoch(
        self,
        vae: VAE,
        epochs: Sequence[Epoch],
        settings: Settings,
        versions: Mapping[str, str],
        record: Mapping[str, Any],
    ) -> Path | None:
        """Write the files of an epoch together, the model first. If the disk is full, none changes.

        Before the files of a first epoch appear, an earlier run is set aside; its folder is
        returned.
        """
        self._check_lock()
        whole = {
            "settings": dataclasses.asdict(settings),
            "versions": dict(versions),
            "history": np.array([losses(epoch) for epoch in epochs]),
        } | dict(record)
        files = {MODEL: model_bytes(vae, whole)} | _beside(vae, epochs, settings, versions)
        with written(self.path, files):
            return self.set_aside() if len(epochs) == 1 else None

    def mend(
        self, vae: VAE, epochs: Sequence[Epoch], settings: Settings, versions: Mapping[str, str]
    ) -> None:
        """Write the files beside the model, which lack its epoch if the run was killed then."""
        write_files(self.path, _beside(vae, epochs, settings, versions))

    def save_settings(
        self, settings: Settings, versions: Mapping[str, str], completed: bool = False
    ) -> None:
        """Write settings.json."""
        write_file(self.path / SETTINGS, _settings_bytes(settings, versions, completed))

    def load_model(self) -> VAE:
        """Read model.npz; raises FileNotFoundError or ValueError naming the file."""
        if self.path.is_file():
            raise ValueError(f"{self}: expected the folder that numpyvae train wrote, got a file")
        if self.path.is_dir() and not self.has_model():
            runs = [path.parent for path in self.path.glob(f"*/{MODEL}")]
            remedy = f"name a run in it, such as {min(runs)}" if runs else "train one first"
            raise FileNotFoundError(f"{self}: it holds no complete epoch; {remedy}")
        return load(self.path / MODEL)

    def has_model(self) -> bool:
        """True if there is a model.npz."""
        return (self.path / MODEL).exists()

    def epoch_models(self) -> list[Path]:
        """The models of all epochs that were kept, in order."""
        return sorted((self.path / EPOCHS).glob("*.npz"))

    def record(self) -> dict[str, Any] | None:
        """The record of the training in model.npz, without its arrays; None in older versions."""
        with open_checkpoint(self.path / MODEL) as checkpoint:
            return checkpoint.record()

    def load_settings(self) -> Settings:
        """The settings of the model, from settings.json and from the record in model.npz.

        Raises ValueError, naming the file, if one is missing or damaged, or if they disagree.
        """
        path, recorded = self.path / SETTINGS, None
        record = self.record() if self.has_model() else None
        if record is not None:
            recorded = _settings(self.path / MODEL, record.get("settings"))
        try:
            settings = _settings(path, self._settings_table())
        except FileNotFoundError:
            if recorded is None:
                raise
            return recorded
        for name in (field.name for field in dataclasses.fields(Settings)):
            own, other = getattr(settings, name), getattr(recorded or settings, name)
            if own != other and name not in OTHER:
                problem = f"{name} is {own!r} here and {other!r} in {MODEL}; delete this file"
                raise ValueError(f"{path}: {problem}")
        return settings

    def completed(self, settings: Settings) -> bool:
        """True if the folder holds a run with these settings, and everything of it was written."""
        try:
            self.load_model()
            done = len(self.load_history()) == settings.epochs
            noted = self._settings_table().get("completed") is True
            return done and noted and self.load_settings() == settings
        except (ValueError, OSError):
            return False

    def epochs_done(self, settings: Settings) -> int:
        """The epochs here that a run with these settings, for any number of epochs, begins with."""
        try:
            same = dataclasses.replace(self.load_settings(), epochs=settings.epochs) == settings
            return len(self.load_history()) if same and self.record() is not None else 0
        except (ValueError, OSError):
            return 0

    def load_history(self) -> list[Epoch]:
        """The losses of every epoch, from model.npz; or from history.csv, for older versions.

        Seconds stand in history.csv alone. Raises OSError, or ValueError naming the file.
        """
        settings, record = self.load_settings(), self.record()
        if record is None:
            return read_history(self.path / HISTORY, settings)
        with open_checkpoint(self.path / MODEL) as checkpoint:
            done = check_count("state, epoch", table(record, "state").get("epoch"))
            history = {"history": np.broadcast_to(0.0, (done, 4))}
            rows = checkpoint.with_arrays(record, history)["history"]
            rows = check_array("history", rows, (done, 4), np.float64).tolist()
        try:
            seconds = [epoch.seconds for epoch in read_history(self.path / HISTORY, settings)]
        except (ValueError, OSError):
            seconds = []
        epochs = []
        for number, row in enumerate(rows, start=1):
            beta = settings.schedule.beta_of(number)
            train, test = (Loss(row[i], row[i + 1], beta) for i in (0, 2))
            took = seconds[number - 1] if number <= len(seconds) else 0.0
            epochs.append(Epoch(number, settings.epochs, train, test, took))
        return epochs

    def _settings_table(self) -> dict[str, Any]:
        """Read settings.json as it is."""
        path = self.path / SETTINGS
        try:
            found = json.loads(read_text(path))
        except FileNotFoundError:
            problem = "missing, so nobody knows how the model was trained"
            raise FileNotFoundError(f"{path}: {problem}; copy it from where it was made") from None
        except (ValueError, RecursionError):
            raise ValueError(f"{path}: damaged, not JSON; delete it") from None
        if not isinstance(found, dict):
            raise ValueError(f"{path}: damaged, not a table of settings; delete it")
        return found


def _settings(path: Path, found: Any) -> Settings:
    """The settings in a table that stands in `path`."""
    try:
        return Settings.from_table(found)
    except ValueError as error:
        remedy = "" if path.name == MODEL else "delete it, or "  # a model is not deleted
        raise ValueError(f"{path}: {error}; {remedy}copy it from where it was made") from None


def _settings_bytes(settings: Settings, versions: Mapping[str, str], completed: bool) -> bytes:
    """The content of settings.json."""
    found = dataclasses.asdict(settings) | {"versions": dict(versions), "completed": completed}
    return (json.dumps(found, indent=2) + "\n").encode()


def _beside(
    vae: VAE, epochs: Sequence[Epoch], settings: Settings, versions: Mapping[str, str]
) -> dict[str, bytes]:
    """The files that are written with model.npz, by name."""
    files = {
        HISTORY: history_bytes(epochs),
        SETTINGS: _settings_bytes(settings, versions, completed=False),
    }
    if settings.keep_epochs:
        files[f"{EPOCHS}/{len(epochs):04}.npz"] = model_bytes(vae)
    return files
