"""A process that judges the notebooks of a folder: python -m numpyvae.course.worker.

It reads its Task as JSON from standard input. On standard output it writes a line of JSON before
each exercise, {"begin": name}, and one for each verdict. Code of the notebooks prints nowhere.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FunctionType
from typing import Any

from numpyvae.course.check import exercise_named, verdict_on
from numpyvae.course.confinement import confine, limit_resources
from numpyvae.course.exercise import Exercise
from numpyvae.course.guard import Fault, time_limit
from numpyvae.course.judge import NOT_STARTED, NOT_YET, Verdict
from numpyvae.course.notebooks import defined, tutorials

LOADING = 20.0  # seconds for a notebook, in which functions of earlier ones are checked


@dataclass(frozen=True)
class Task:
    """What to judge.

    folder     the folder of the notebooks
    notebooks  the file of each notebook, such as {"05_elbo": "05_elbo.ipynb"}
    exercises  the names of the exercises
    forbidden  folders that the notebooks must not read
    confined   False for the learner's own check, in which nothing is refused
    """

    folder: str
    notebooks: dict[str, str]
    exercises: list[str]
    forbidden: list[str]
    confined: bool


def main() -> None:
    """Judge the exercises of the Task, in order."""
    task = Task(**json.load(sys.stdin))
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nowhere, number)
    defined(tutorials() / "01_dense_layer.ipynb")  # now the usual packages are loaded
    os.chdir(task.folder)
    sys.path.append(task.folder)  # last: a file there must not take the place of a package
    if task.confined:
        limit_resources()
        confine(Path(), [Path(folder) for folder in task.forbidden])
    loaded: dict[str, dict[str, FunctionType] | Fault] = {}

    def write(line: dict[str, Any]) -> None:
        lines.write(json.dumps(line) + "\n")
        lines.flush()

    for name in task.exercises:
        write({"begin": name})
        exercise = exercise_named(name)
        notebook = exercise.notebook
        if notebook in task.notebooks and notebook not in loaded:
            loaded[notebook] = _load(Path(task.notebooks[notebook]))
        write(asdict(_verdict(exercise, loaded.get(notebook, {}))))


def _load(path: Path) -> dict[str, FunctionType] | Fault:
    """The functions of a notebook, or the Fault for why there are none."""
    try:
        with time_limit(LOADING):
            return defined(path)
    except Fault as fault:
        return Fault(fault.kind, f"{path.name} does not load. {fault}")
    except (ValueError, OSError) as error:
        return Fault("crash", f"The notebook does not load. {error}")


def _verdict(exercise: Exercise, functions: dict[str, FunctionType] | Fault) -> Verdict:
    if isinstance(functions, Fault):
        return Verdict(exercise.id, exercise.notebook, NOT_YET, functions.kind,
                       text=str(functions))  # fmt: skip
    if exercise.name not in functions:
        return Verdict(exercise.id, exercise.notebook, NOT_STARTED, "not started")
    return verdict_on(exercise, functions[exercise.name])


if __name__ == "__main__":
    main()
