"""Judging all notebooks of a folder in a process of its own, which is ended if it gets stuck."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from numpyvae.course.check import exercise_named
from numpyvae.course.exercises import EXERCISES
from numpyvae.course.judge import NOT_STARTED, NOT_YET, SECONDS, Verdict
from numpyvae.course.notebooks import LONGEST
from numpyvae.course.worker import LOADING, Task
from numpyvae.support.files import read_text

NOTEBOOKS = tuple(dict.fromkeys(exercise.notebook for exercise in EXERCISES.values()))
STUCK = LOADING + 2 * SECONDS  # seconds without a word from the process
VARIANT = re.compile(r"variant_\d{1,9}")
TITLE = re.compile(r"^# (\d\d) ·", re.MULTILINE)


def notebooks_in(folder: Path) -> dict[str, str]:
    """The file of each notebook of the course in a folder, known by its name or its title."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*.ipynb")):
        if path.is_symlink() or not path.is_file() or ".ipynb_checkpoints" in path.parts:
            continue
        named = path.stem in NOTEBOOKS or VARIANT.fullmatch(path.stem)
        name = path.stem if named else _by_title(path)
        if name is not None and (name not in found or path.stem == name):
            found[name] = str(path.relative_to(folder))
    return found


def _by_title(path: Path) -> str | None:
    """The notebook whose number the title has, as in "# 05 · The ELBO"."""
    try:
        cells = json.loads(read_text(path, most=LONGEST))["cells"]
        text = "\n".join(
            "".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"
        )
    except (ValueError, KeyError, TypeError, OSError, RecursionError):
        return None
    if of_variant := re.search(r"^# Variant (\d{1,9}) ·", text, re.MULTILINE):
        return f"variant_{of_variant[1]}"
    found = TITLE.search(text)
    return next((name for name in NOTEBOOKS if found and name.startswith(found[1])), None)


def judge_folder(
    folder: Path,
    names: Sequence[str] = tuple(EXERCISES),
    *,
    confined: bool = False,
    forbidden: Sequence[Path] = (),
) -> Iterator[Verdict]:
    """The verdicts on the exercises with these names, in their order, as they come.

    The notebooks are executed in part (see `notebooks.defined`) in a process of its own. If that
    gets stuck or dies, this is the verdict on the exercise, and a new process judges the rest.
    """
    files = notebooks_in(folder)
    waiting = list(names)
    while waiting:
        reason = None
        absent = [name for name in waiting if exercise_named(name).notebook not in files]
        if len(absent) == len(waiting):
            yield from map(_not_started, waiting)
            return
        task = Task(
            str(folder.resolve()), files, waiting, [str(path) for path in forbidden], confined
        )
        begun = waiting[0]
        for line in _lines(task):
            if isinstance(line, str):
                reason = line
            elif "begin" in line:
                begun = line["begin"]
            else:
                waiting.remove(line["exercise"])
                yield Verdict(**line)
        if waiting:
            waiting.remove(begun)
            kind = "endless loop" if reason == "stuck" else "crash"
            text = _END[kind]
            yield Verdict(begun, exercise_named(begun).notebook, NOT_YET, kind, text=text)


_END = {
    "endless loop": "No result, and it could not be interrupted: is there an endless loop?",
    "crash": "Its process ended: does it end Python, or need more memory than is allowed?",
}


def _not_started(name: str) -> Verdict:
    return Verdict(name, exercise_named(name).notebook, NOT_STARTED, "not started")


def _lines(task: Task) -> Iterator[dict[str, Any] | str]:
    """The lines of a worker; "stuck" at the end if it was silent for too long and was killed."""
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "numpyvae.course.worker"],
        cwd=Path(__file__).parents[2],  # a file in the learner's folder must not shadow a package
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    queue: Queue[bytes | None] = Queue()
    reader = threading.Thread(target=_read, args=(process.stdout, queue.put), daemon=True)
    reader.start()
    try:
        with process.stdin as pipe:
            pipe.write(json.dumps(asdict(task)).encode())
        deadline = time.monotonic() + 600.0
        while True:
            try:
                line = queue.get(timeout=min(STUCK, max(0.0, deadline - time.monotonic())))
            except Empty:
                yield "stuck"
                return
            if line is None:
                return
            try:
                yield json.loads(line)
            except ValueError:
                return  # it has died within a line
    finally:
        _end(process)
        reader.join(10.0)


def _read(pipe: Any, put: Callable[[bytes | None], None]) -> None:
    """Hand over the lines of a pipe, then None; at most 1,000 lines of at most 100 kB."""
    with pipe:
        for line in islice(iter(lambda: pipe.readline(100_000), b""), 1000):
            put(line)
    put(None)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and whatever it has started."""
    try:
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # it has ended
    process.wait()
