"""history.csv: the losses of every epoch, for people and other programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from numpyvae.core.trace import Loss
from numpyvae.core.training import Epoch
from numpyvae.runs.settings import Settings
from numpyvae.support.files import read_text

SPLITS, PARTS = ("train", "test"), ("total", "reconstruction", "kl")


def history_bytes(epochs: Sequence[Epoch]) -> bytes:
    """The content of history.csv: a row per epoch, losses in nats per image, kl without beta."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    columns = [f"{split}_{part}" for split in SPLITS for part in PARTS]
    rows.writerow(["epoch", "seconds", *columns])
    for epoch in epochs:
        row = [getattr(loss, part) for loss in (epoch.train, epoch.test) for part in PARTS]
        rows.writerow([epoch.number, f"{epoch.seconds:.3f}", *row])
    return text.getvalue().encode()


def read_history(path: Path, settings: Settings) -> list[Epoch]:
    """The epochs in a history.csv. Raises OSError, or ValueError naming the file."""
    epochs = []
    try:
        for row in csv.DictReader(read_text(path, most=2**26).splitlines()):
            number, seconds = int(row["epoch"]), float(row["seconds"])
            beta = settings.schedule.beta_of(number)
            train, test = (
                Loss(float(row[f"{split}_reconstruction"]), float(row[f"{split}_kl"]), beta)
                for split in SPLITS
            )
            epochs.append(Epoch(number, settings.epochs, train, test, seconds))
    except (KeyError, TypeError, ValueError, csv.Error):
        raise ValueError(f"{path}: damaged, not a history; delete it") from None
    return epochs


def losses(epoch: Epoch) -> list[float]:
    """The losses of an epoch: reconstruction and KL of the training images, then of the tests."""
    return [
        float(part)
        for loss in (epoch.train, epoch.test)
        if loss is not None
        for part in (loss.reconstruction, loss.kl)
    ]
