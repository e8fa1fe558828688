"""A run folder: the names of its files, and how they are written, read and set aside."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Mapping, Sequence
from itertools import count
from os import PathLike
from pathlib import Path
from typing import Any

from numpyvae.core.trace import Loss
from numpyvae.core.training import Epoch
from numpyvae.core.vae import VAE
from numpyvae.runs.checkpoints import load, save
from numpyvae.runs.settings import Settings
from numpyvae.support.files import replacing

RESULTS = ("model.npz", "history.csv", "settings.json", "epochs", "*.png", "*.gif")
SPLITS, PARTS = ("train", "test"), ("total", "reconstruction", "kl")  # columns of history.csv


class RunFolder:
    """The folder of a run.

    model.npz      the model of the last complete epoch
    history.csv    the losses of every epoch
    settings.json  the settings, the versions of packages, and whether everything was written
    epochs/        the model of every epoch, if `keep_epochs` is set
    *.png, *.gif   pictures
    earlier-N/     the same files of earlier runs
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)

    def __str__(self) -> str:
        return str(self.path)

    def make(self) -> None:
        """Make the folder, if there is none."""
        self.path.mkdir(parents=True, exist_ok=True)

    def set_aside(self) -> Path | None:
        """Move the results of an earlier run to earlier-1, earlier-2, …; return that folder."""
        results = sorted(file for pattern in RESULTS for file in self.path.glob(pattern))
        if not results:
            return None
        folders = (self.path / f"earlier-{n}" for n in count(1))
        earlier = next(folder for folder in folders if not folder.exists())
        earlier.mkdir()
        for file in results:
            file.rename(earlier / file.name)
        return earlier

    def save_model(self, vae: VAE) -> None:
        """Write model.npz."""
        save(self.path / "model.npz", vae)

    def load_model(self) -> VAE:
        """Read model.npz; raises FileNotFoundError or ValueError naming the file."""
        if self.path.is_file():
            raise ValueError(f"{self}: expected the folder that numpyvae train wrote, got a file")
        return load(self.path / "model.npz")

    def save_epoch(self, vae: VAE, number: int) -> None:
        """Write the model of an epoch to epochs/."""
        (self.path / "epochs").mkdir(exist_ok=True)
        save(self.path / "epochs" / f"{number:04}.npz", vae)

    def epoch_models(self) -> list[Path]:
        """The models of all epochs that were kept, in order."""
        return sorted((self.path / "epochs").glob("*.npz"))

    def save_history(self, epochs: Sequence[Epoch]) -> None:
        """Write history.csv: a row per epoch, losses in nats per image, kl not weighted by beta."""
        text = io.StringIO(newline="")
        table = csv.writer(text)
        columns = [f"{split}_{part}" for split in SPLITS for part in PARTS]
        table.writerow(["epoch", "seconds", *columns])
        for epoch in epochs:
            losses = [getattr(loss, part) for loss in (epoch.train, epoch.test) for part in PARTS]
            table.writerow([epoch.number, f"{epoch.seconds:.3f}", *losses])
        with replacing(self.path / "history.csv") as file:
            file.write(text.getvalue().encode())

    def load_history(self) -> list[Epoch]:
        """Read history.csv; raises FileNotFoundError, or ValueError naming the file."""
        path, settings = self.path / "history.csv", self.load_settings()
        epochs = []
        try:
            for row in csv.DictReader(path.read_text(encoding="utf-8").splitlines()):
                train, test = (
                    Loss(
                        float(row[f"{split}_reconstruction"]),
                        float(row[f"{split}_kl"]),
                        settings.beta,
                    )
                    for split in SPLITS
                )
                number, seconds = int(row["epoch"]), float(row["seconds"])
                epochs.append(Epoch(number, settings.epochs, train, test, seconds))
        except (KeyError, TypeError, ValueError):
            raise ValueError(f"{path}: damaged, not a history; delete it") from None
        return epochs

    def completed(self, settings: Settings) -> bool:
        """True if the folder holds a run with these settings that was noted as complete."""
        try:
            self.load_model()
            same = self.load_settings() == settings
            return same and len(self.load_history()) == settings.epochs and self._noted()
        except (ValueError, OSError):
            return False

    def _noted(self) -> bool:
        """True if `save_settings` was called with completed=True."""
        table = json.loads((self.path / "settings.json").read_text(encoding="utf-8"))
        return isinstance(table, dict) and table.get("completed") is True

    def save_settings(
        self, settings: Settings, versions: Mapping[str, str], completed: bool = False
    ) -> None:
        """Write settings.json."""
        table = dataclasses.asdict(settings)
        table |= {"versions": dict(versions), "completed": completed}
        with replacing(self.path / "settings.json") as file:
            file.write((json.dumps(table, indent=2) + "\n").encode())

    def load_settings(self) -> Settings:
        """Read settings.json; missing settings get their defaults, also if there is no file."""
        path = self.path / "settings.json"
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return Settings()
        except ValueError:
            raise ValueError(f"{path}: damaged, not JSON; delete it") from None
        table = table if isinstance(table, dict) else {}
        names = {field.name for field in dataclasses.fields(Settings)}
        known: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in table.items()
            if name in names
        }
        try:
            return Settings(**known)
        except ValueError as error:
            raise ValueError(f"{path}: {error}; delete it") from None

    def save_figures(self, figures: Mapping[str, Any]) -> None:
        """Write matplotlib figures as PNG under their names."""
        for name, figure in figures.items():
            with replacing(self.path / name) as file:
                figure.savefig(file, format="png")
