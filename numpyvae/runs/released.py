"""Runs whose model.npz has no record, as in versions 0.1 and 0.2: the files beside it are read."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from numpyvae.core.trace import Loss
from numpyvae.core.training import Epoch
from numpyvae.runs.settings import Settings
from numpyvae.support.arrays import DamagedFileError
from numpyvae.support.files import read_text
from numpyvae.support.inputs import check_count, check_number

SETTINGS, HISTORY = "settings.json", "history.csv"


def released_settings(folder: Path) -> Settings:
    """The settings in settings.json. Raises OSError, or ValueError naming the file."""
    path = folder / SETTINGS
    try:
        found: Any = json.loads(read_text(path))
        return Settings.from_table(found)
    except FileNotFoundError:
        problem = "missing, so nobody knows how the model was trained"
        raise FileNotFoundError(f"{path}: {problem}; copy it from where it was made") from None
    except (ValueError, RecursionError) as error:
        bad = isinstance(error, json.JSONDecodeError | RecursionError)
        problem = "not JSON" if bad else str(error)
        raise DamagedFileError(
            f"{path}: damaged, {problem}; copy it from where it was made"
        ) from None


def released_epochs(folder: Path, settings: Settings) -> list[Epoch]:
    """The epochs in history.csv, if there is one. Raises OSError, or ValueError naming the file."""
    path, epochs = folder / HISTORY, []
    if not path.exists():
        return []
    try:
        for row in csv.DictReader(read_text(path, most=2**26).splitlines()):
            number = check_count("epoch", int(row["epoch"]))
            beta = settings.schedule.beta_of(number)
            train, test = (
                Loss(float(row[f"{split}_reconstruction"]), float(row[f"{split}_kl"]), beta)
                for split in ("train", "test")
            )
            seconds = check_number("seconds", float(row["seconds"]))
            epochs.append(Epoch(number, settings.epochs, train, test, seconds))
    except (KeyError, TypeError, ValueError, csv.Error):
        raise ValueError(
            f"{path}: damaged, not a history; copy it from where it was made"
        ) from None
    return epochs
