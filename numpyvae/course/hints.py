"""Hints: three for each exercise, then our solution. A working folder notes how many were read."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

from numpyvae.course.exercise import Exercise
from numpyvae.course.notebooks import cells_of, tutorials
from numpyvae.course.progress import Progress, load_progress, save_progress


def next_hint(exercise: Exercise, folder: Path) -> str:
    """The hint after the last one that was read in `folder`; after the third, the third again."""
    record = load_progress(folder).get(exercise.id, Progress())
    number = min(record.hints + 1, len(exercise.hints))
    _note(exercise, folder, Progress(record.passed, number, record.solution))
    last = number == len(exercise.hints)
    return (
        f"{exercise.id}, hint {number} of {len(exercise.hints)}: {exercise.hints[number - 1]}\n"
        f"next: numpyvae course hint {exercise.id}{' --solution' if last else ''}"
    )


def solution(exercise: Exercise, folder: Path) -> str:
    """The function in our notebook; raises ValueError for a variant, which has none."""
    path = tutorials() / f"{exercise.notebook}.ipynb"
    if not path.exists():
        raise ValueError(f"{exercise.id}: a variant has no solution; ask for a hint")
    record = load_progress(folder).get(exercise.id, Progress())
    _note(exercise, folder, Progress(record.passed, record.hints, True))
    for source, cell in cells_of(path):
        for part in cell.body:
            if isinstance(part, ast.FunctionDef) and part.name == exercise.name:
                lines = (ast.get_source_segment(source, part) or "").splitlines()
                return textwrap.dedent("\n".join(line for line in lines if "SOLUTION" not in line))
    raise ValueError(f"{path}: it has no function {exercise.name}; install numpyvae again")


def _note(exercise: Exercise, folder: Path, record: Progress) -> None:
    """Note what was read, if `folder` is a working folder."""
    if (folder / f"{exercise.notebook}.ipynb").exists():
        save_progress(folder, load_progress(folder) | {exercise.id: record})
