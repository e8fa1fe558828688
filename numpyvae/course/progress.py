"""What a learner has passed, when, and with which hints: progress.json in the working folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from numpyvae.course.exercise import Exercise
from numpyvae.support.files import read_text, write_file

FILE = "progress.json"


@dataclass
class Progress:
    """The record of one exercise.

    passed    the time of the first check that passed, in ISO 8601; "" before that
    hints     the number of hints that were read
    solution  True if the solution was read
    """

    passed: str = ""
    hints: int = 0
    solution: bool = False


def load_progress(folder: Path) -> dict[str, Progress]:
    """The records by the name of the exercise; raises ValueError if the file is damaged."""
    path = folder / FILE
    if not path.exists():
        return {}
    try:
        found = json.loads(read_text(path))
        return {name: _checked(Progress(**record)) for name, record in found.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{path}: damaged; delete it, and run numpyvae course check") from None


def _checked(record: Progress) -> Progress:
    """The record, if its values are such as `save_progress` writes; ValueError otherwise."""
    if record.passed != "":
        datetime.fromisoformat(record.passed)
    if type(record.hints) is not int or record.hints < 0 or type(record.solution) is not bool:
        raise ValueError
    return record


def save_progress(folder: Path, records: dict[str, Progress]) -> None:
    """Write the records."""
    content = {name: asdict(record) for name, record in records.items()}
    write_file(folder / FILE, json.dumps(content, indent=1).encode())


def note_passed(folder: Path, exercises: list[Exercise]) -> None:
    """Note that the exercises passed, if `folder` is a working folder and they are new there."""
    here = [each for each in exercises if (folder / f"{each.notebook}.ipynb").exists()]
    if not here:
        return
    records = load_progress(folder)
    new = [each.id for each in here if not records.get(each.id, Progress()).passed]
    for name in new:
        record = records.setdefault(name, Progress())
        record.passed = datetime.now().isoformat(timespec="seconds")
    if new:
        save_progress(folder, records)
