"""Names for what is wrong: the factor, the known mistake, or the argument that is not used."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from numpyvae.course.comparison import (
    SINGLE,
    Leaves,
    agrees,
    factor,
    leaves,
    name_of_factor,
)
from numpyvae.course.exercise import Case, Exercise, Mistake
from numpyvae.course.guard import Fault


@dataclass(frozen=True, eq=False)
class Attempt:
    """A case, and the parts of both results; or the Fault that took the place of yours.

    like  the exact result, whose structure yours must have
    """

    case: Case
    like: Any
    exact: Leaves
    yours: Leaves | None
    fault: Fault | None = None

    def wrong_part(self) -> str | None:
        """The first part that is wrong; None if all are right. (A fault has no part.)"""
        if self.yours is None:
            return None
        for name, exact in self.exact.items():
            if not self._agrees(self.yours[name], exact):
                return name
        return None

    def _agrees(self, found: Any, exact: Any) -> bool:
        single = np.asarray(found).dtype == np.float32
        return agrees(found, exact, max(self.case.tolerance, SINGLE * single))

    @property
    def failed(self) -> bool:
        """True if it gives a fault or a wrong part."""
        return self.fault is not None or self.wrong_part() is not None


def ratio(part: str, attempt: Attempt, attempts: Sequence[Attempt]) -> str:
    """The factor between yours and exact, and its name if it has one."""
    here = attempt.yours and factor(attempt.yours, attempt.exact, part)
    if not here or f"{here:.4g}" == "1":
        return ""
    factors = []
    for other in attempts:
        if other.yours is None or not np.any(other.exact.get(part, 0)):
            continue
        r = factor(other.yours, other.exact, part)
        if r is None:
            return f"   ratio {here:.4g}"
        factors.append((r, other.case.sizes))
    name = name_of_factor(factors)
    return f"   ratio {here:.4g}" + (f", {name}" if name else "")


def mistake_in(exercise: Exercise, part: str, attempts: Sequence[Attempt]) -> str:
    """The sentence of the first known mistake that gives your result in every case.

    It must differ from the right result in at least two of them.
    """
    compared = [attempt for attempt in attempts if attempt.yours is not None]
    for mistake in exercise.mistakes:
        if mistake.part in ("", part) and _makes_all(mistake, compared, exercise):
            return mistake.sentence
    return ""


def _makes_all(mistake: Mistake, attempts: Sequence[Attempt], exercise: Exercise) -> bool:
    """True if a mistake gives all your results, and at least two of them are wrong."""
    wrong = 0
    for attempt in attempts:
        reproduced = _reproduced(mistake, attempt, exercise)
        if reproduced is None:
            return False
        wrong += reproduced
    return wrong >= 2


def _reproduced(mistake: Mistake, attempt: Attempt, exercise: Exercise) -> bool | None:
    """None if a mistake gives another result than yours; otherwise True if it is a wrong one."""
    assert attempt.yours is not None
    if mistake.part and mistake.part not in attempt.exact:
        return False  # a case that measures something else
    try:
        value = attempt.case.value(mistake.function)
        wrong = {mistake.part: value}
        if not mistake.part:
            wrong = leaves(value, attempt.like, exercise.returns)
    except Exception:
        return None  # this mistake cannot be made here
    tolerance = max(attempt.case.tolerance, 1e-9)
    if not all(agrees(attempt.yours[name], part, tolerance) for name, part in wrong.items()):
        return None
    return not all(agrees(attempt.exact[name], part, tolerance) for name, part in wrong.items())


MOVES: tuple[Callable[[Any], Any], ...] = (
    lambda entry: 0.5 * entry + 0.25,
    lambda entry: 1.0 - 3.0 * entry,
    lambda entry: 10.0 * entry - 3.0,
)


def unused_argument(exercise: Exercise, part: str, attempt: Callable[[Case], Attempt]) -> str:
    """A sentence that names an argument on which your result does not depend, but should.

    `attempt` tries a case. Three inputs and three changes of each must show it.
    """
    cases = [case for case in exercise.cases() if case.sizes][-3:]
    before = [attempt(case) for case in cases]
    if not all(
        part in each.exact and np.asarray(each.exact[part]).dtype != bool for each in before
    ):
        return ""  # a case that measures something else; or a truth value, which may not flip
    if not cases or all(_rounded(each.yours, part) for each in before):
        return ""
    for name, position, key in _entries(cases[0], exercise):
        pairs = (
            (first, attempt(_changed(case, position, key, move)))
            for case, first in zip(cases, before)
            for move in MOVES
        )
        if _ignored(pairs, part):
            what = f"Your {part}" if part else "The result"
            return f"{what} does not depend on {name}."
    return ""


def _rounded(yours: Leaves | None, part: str) -> bool:
    """True if a part consists of whole numbers, which small changes of an argument may not move."""
    return yours is not None and np.array_equal(yours[part], np.rint(yours[part]))


def _ignored(pairs: Iterable[tuple[Attempt, Attempt]], part: str) -> bool:
    """True if your part is the same in every pair, and the exact one differs in at least three."""
    differ = 0
    for first, then in pairs:
        if _moves(first.yours, then.yours, part):
            return False
        differ += _moves(first.exact, then.exact, part)
    return differ >= 3


def _moves(before: Leaves | None, after: Leaves | None, part: str) -> bool:
    """True if a part differs, or if there is no result."""
    return before is None or after is None or not agrees(after[part], before[part], 0.0)


def _entries(case: Case, exercise: Exercise) -> Iterator[tuple[str, int, str | None]]:
    """The arguments that can be changed, and the entries of dictionaries: name, position, key."""
    for position, (name, value) in enumerate(zip(exercise.parameters, case.arguments)):
        if isinstance(value, dict):
            keys = [key for key in value if key not in exercise.derived]
            yield from ((f'{name}["{key}"]', position, key) for key in keys)
        elif isinstance(value, np.ndarray | float):
            yield name, position, None


def _changed(case: Case, position: int, key: str | None, move: Callable[[Any], Any]) -> Case:
    """The case with one argument, or one entry of a dictionary, changed."""
    arguments = list(case.arguments)
    value = arguments[position]
    arguments[position] = move(value) if key is None else {**value, key: move(value[key])}
    return replace(case, arguments=tuple(arguments), exact=None)
