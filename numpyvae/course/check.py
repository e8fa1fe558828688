"""The check of an exercise, in a line of a notebook."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from types import CodeType
from typing import Any

from numpyvae.course.exercise import Exercise
from numpyvae.course.exercises import EXERCISES
from numpyvae.course.judge import NOT_STARTED, SECONDS, Verdict, judge
from numpyvae.course.progress import note_passed
from numpyvae.course.variants import variant


class NotYet(AssertionError):  # noqa: N818  (a verdict, not an error of the program)
    """An exercise is not right yet. A notebook shows the verdict without a traceback."""

    def __init__(self, verdict: Verdict):
        super().__init__(str(verdict))
        self.verdict = verdict

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows in place of a traceback."""
        return str(self).splitlines()


def check(name: str, function: Any) -> None:
    """Print the verdict on a function that was written for the exercise `name`.

    Raises NotYet, which holds the verdict, if it is not right. In a working folder of the course,
    progress.json notes what has passed.
    """
    exercise = exercise_named(name)
    verdict = verdict_on(exercise, function)
    if not verdict.right:
        raise NotYet(verdict)
    note_passed(Path(), [exercise])
    print(verdict)


def exercise_named(name: str) -> Exercise:
    """The exercise of this name; raises ValueError if there is none.

    Those of a variant are called "variant_4711.kl", with the number of the variant.
    """
    known = EXERCISES
    if found := re.fullmatch(r"variant_(\d{1,9})\.(\w+)", name):
        known, name = variant(int(found[1])).exercises, found[2]
    if name not in known:
        raise ValueError(f"no exercise {name!r}; one of: {', '.join(known)}")
    return known[name]


def verdict_on(exercise: Exercise, function: Any, seconds: float = SECONDS) -> Verdict:
    """The verdict on a function; it blames a function that this one calls, if that one is wrong.

    seconds  the limit for all calls of a function
    """
    verdict = judge(exercise, function, seconds)
    if verdict.right or verdict.status == NOT_STARTED:
        return verdict
    known = getattr(function, "__globals__", {})
    for need in exercise.needs:
        if need not in _called(function, known):
            continue
        first = verdict_on(EXERCISES[need], known[need], seconds)
        if not first.right:
            text = f"It calls {need}, which is not right yet. Check {need} first."
            return replace(
                verdict, kind="calls a wrong function", given="", text=text, mistake=first.mistake
            )
    return verdict


def _called(function: Any, known: dict[str, Any]) -> set[str]:
    """The names of functions among `known` that a function calls, directly or through others."""
    found: set[str] = set()
    waiting = [getattr(function, "__code__", None)]
    while waiting:
        code = waiting.pop()
        if not isinstance(code, CodeType):
            continue
        waiting += code.co_consts  # a loop in brackets has code of its own
        new = {name for name in code.co_names if callable(known.get(name))} - found
        found |= new
        waiting += [getattr(known[name], "__code__", None) for name in new]
    return found
