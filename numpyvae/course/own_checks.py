"""How good are a learner's own checks? They are run against right VAEs and against wrong ones."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from numpyvae.course.guard import Fault, time_limit
from numpyvae.course.wrong_vaes import RIGHT_VAES, WRONG_VAES, vae

SECONDS = 20.0  # for a check of one VAE
Check = Callable[[Any], Any]


@dataclass(frozen=True)
class Tried:
    """A VAE, whether it is right, and what the checks said: the first complaint, or ""."""

    name: str
    right: bool
    complaint: str
    both: bool = False


def load_checks(path: str | PathLike[str]) -> dict[str, Check]:
    """The functions of a Python file whose names begin with "check". This executes the file."""
    path = Path(path)
    if not path.is_file() or path.suffix != ".py":
        raise ValueError(f"{path}: expected a Python file with functions check_...(vae)")
    try:
        with time_limit(SECONDS):
            found = runpy.run_path(str(path))
    except (Exception, SystemExit) as error:
        raise ValueError(f"{path}: {type(error).__name__}: {error}; correct the file") from error
    checks = {name: value for name, value in found.items()
              if name.startswith("check") and callable(value)
              and getattr(value, "__module__", "") == "<run_path>"}  # fmt: skip
    if not checks:
        raise ValueError(f"{path}: no function whose name begins with check_")
    return checks


def try_checks(checks: dict[str, Check]) -> Iterator[Tried]:
    """Run the checks against every VAE: the right ones first."""
    for name, edits in RIGHT_VAES:
        yield Tried(name, True, _complaint(checks, edits))
    for wrong in WRONG_VAES:
        yield Tried(wrong.name, False, _complaint(checks, wrong.edits), wrong.both)


def _complaint(checks: dict[str, Check], edits: tuple[tuple[str, str], ...]) -> str:
    """The first check that raises an exception, with its message; "" if none does."""
    for name, check in checks.items():
        try:
            with time_limit(SECONDS), np.errstate(all="ignore"):
                check(vae(edits))
        except (Exception, SystemExit, Fault) as error:
            said = " ".join(str(error).split())[:100]
            return f"{name}: {said or type(error).__name__}"
    return ""
