"""The verdict on a learner's function: right, or the smallest input that shows it is not."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from numpyvae.course import naming
from numpyvae.course.comparison import Leaves, agrees, difference, leaves
from numpyvae.course.exercise import Case, Exercise, Far, Function
from numpyvae.course.guard import Fault, guarded, time_limit
from numpyvae.course.naming import Attempt

OK, REMARK, NOT_YET, NOT_STARTED = "ok", "ok with a remark", "not yet", "not started"
ON_AN_INPUT = ("crash", "overflow")  # faults that depend on the arguments
SECONDS = 10.0  # for all calls of a check together


@dataclass(frozen=True)
class Verdict:
    """The result of a check.

    status   "ok", "ok with a remark", "not yet" or "not started"
    kind     what is wrong, in two words: "wrong value", "wrong shape", "crash", "endless loop", …
    given    the smallest input that shows it
    text     yours and exact, or what happened
    mistake  the sentence that names the mistake, if it is a known one
    remark   what could be better although the answer is right
    """

    exercise: str
    notebook: str
    status: str
    kind: str = ""
    given: str = ""
    text: str = ""
    mistake: str = ""
    remark: str = ""

    @property
    def right(self) -> bool:
        """True if the function passed."""
        return self.status in (OK, REMARK)

    def __str__(self) -> str:
        number = "" if "." in self.exercise else f"{self.notebook[:2]} "
        lines = [f"{number}{self.exercise}: {self.status}"]
        if self.given:
            lines.append(f"  smallest input that fails: {self.given}")
        lines += [f"  {line}" for line in (self.text, self.mistake, self.remark) if line]
        if self.status == NOT_YET:
            lines.append(f"  next: numpyvae course hint {self.exercise}")
        return "\n".join(lines)


def judge(exercise: Exercise, function: Any, seconds: float = SECONDS) -> Verdict:
    """The verdict on `function`, which was written for `exercise`."""
    try:
        with time_limit(seconds), np.errstate(all="ignore"):
            return _Judge(exercise, guarded(function, exercise)).verdict()
    except Fault as fault:
        status = NOT_STARTED if fault.kind == "not started" else NOT_YET
        text = "" if status == NOT_STARTED else str(fault)
        return Verdict(exercise.id, exercise.notebook, status, fault.kind, text=text)


class _Judge:
    """The steps of a verdict."""

    def __init__(self, exercise: Exercise, function: Function):
        self.exercise, self.function = exercise, function
        self.remarks: list[str] = []

    def verdict(self) -> Verdict:
        """Try all cases, then sizes from where on it overflows, then float32 arguments."""
        attempts = [self.attempt(case) for case in self.exercise.cases()]
        attempts += self.far_attempts()
        failed = [attempt for attempt in attempts if attempt.failed]
        if failed:
            return self.refusal(min(failed, key=lambda attempt: attempt.case.size), attempts)
        single = self.attempt_in_single_precision()
        if single is not None and single.failed:
            return self.refusal(single, [single])
        remark = " ".join(dict.fromkeys(self.remarks))
        status = REMARK if remark else OK
        return Verdict(self.exercise.id, self.exercise.notebook, status, remark=remark)

    def attempt(self, case: Case, silent: bool = False) -> Attempt:
        """Call the function. With `silent`, an overflow on the way is a fault."""
        right = case.value(self.exercise.right)
        result = right if case.exact is None else case.exact
        exact = leaves(result, result, self.exercise.returns)
        raising = dict.fromkeys(("over", "invalid", "divide"), "raise" if silent else "ignore")
        try:
            with np.errstate(**raising):  # type: ignore[arg-type]
                value = case.value(self.function)
            yours = leaves(value, result, self.exercise.returns)
        except Fault as fault:
            if fault.kind == "not started":
                raise
            return Attempt(case, result, exact, None, fault)
        except Exception as error:
            if case.measure is None:
                raise
            text = f"Its result cannot be used: {type(error).__name__}: {error}"
            return Attempt(case, result, exact, None, Fault("wrong type", text))
        self.remark_on(value, yours, exact)
        return Attempt(case, result, exact, yours)

    def remark_on(self, value: Any, yours: Leaves, exact: Leaves) -> None:
        """Note what is unusual about a result, for the case that it is right."""
        parts = value if isinstance(value, tuple) else (value,)
        if any(isinstance(part, list) for part in parts) and not isinstance(value, list):
            self.remarks.append("It returns lists; return arrays, as np.array(...) does.")
        elif isinstance(value, list) and not self.exercise.returns:
            self.remarks.append("It returns a list; return an array, as np.array(...) does.")
        for name, found in yours.items():
            if np.ndim(found) and not np.ndim(exact[name]):
                self.remarks.append("It returns an array with one entry; a number was asked for.")
            single = np.asarray(found).dtype == np.float32
            if single and np.asarray(exact[name]).dtype == np.float64:
                self.remarks.append("It returns float32; return float64 for float64 arguments.")

    def far_attempts(self) -> list[Attempt]:
        """Attempts with large arguments. If one fails, the smallest argument that does."""
        far = self.exercise.far
        if far is None:
            return []

        def at(size: float) -> Attempt:
            return self.far_attempt(far, size)

        attempts = [at(size) for size in (30.0, 750.0, 1000.0)]
        if not attempts[-1].failed:
            return attempts
        good, bad = 0, 1000
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (good, middle) if at(middle).failed else (middle, bad)
        return [attempt for attempt in attempts if not attempt.failed] + [at(bad), *attempts]

    def far_attempt(self, far: Far, size: float) -> Attempt:
        given = f"{far.what}{size:g}"
        case = Case(far.arguments(float(size)), self.exercise.source, given=given)
        attempt = self.attempt(case, silent=True)
        if attempt.fault is None or attempt.fault.kind != "overflow" or far.silent:
            return attempt
        loud = self.attempt(case)
        if not loud.failed:
            self.remarks.append("The result is right, but NumPy warns on the way.")
        return loud

    def attempt_in_single_precision(self) -> Attempt | None:
        """The largest random case with float32 arguments."""
        if self.exercise.sample is None:
            return None
        case = list(self.exercise.cases())[-1]
        right = case.value(self.exercise.right)
        arguments = tuple(map(_single, case.arguments))
        given = f"{_in_words(case, self.exercise)}, in float32"
        remarks = list(self.remarks)
        attempt = self.attempt(replace(case, arguments=arguments, exact=right, given=given,
                                       tolerance=1e-3))  # fmt: skip
        self.remarks = remarks
        return attempt

    def refusal(self, attempt: Attempt, attempts: list[Attempt]) -> Verdict:
        """The verdict for an attempt that failed, after it has been made as small as possible."""
        made = Verdict(self.exercise.id, self.exercise.notebook, NOT_YET)
        fault = attempt.fault
        if fault is not None:
            given = _in_words(attempt.case, self.exercise) if fault.kind in ON_AN_INPUT else ""
            return replace(made, kind=fault.kind, text=str(fault), given=given)
        attempt = self.shrunk(attempt)
        made = replace(made, given=_in_words(attempt.case, self.exercise))
        again = self.attempt(attempt.case)
        part = attempt.wrong_part()
        assert part is not None
        assert attempt.yours is not None
        if again.yours is not None and not agrees(again.yours[part], attempt.yours[part], 0.0):
            text = "Two calls with the same arguments give different results."
            return replace(made, kind="not deterministic", text=text)
        found, exact = np.asarray(attempt.yours[part]), np.asarray(attempt.exact[part])
        shown = difference(found, exact, part, attempt.case.why)
        kind = "wrong value" if found.shape == exact.shape else "wrong shape"
        if kind == "wrong value" and not np.isfinite(found).all() and np.isfinite(exact).all():
            kind = "not finite"
        ratio = naming.ratio(part, attempt, attempts) if kind == "wrong value" else ""
        others = [other for other in attempts if other is not attempt]
        mistake = naming.mistake_in(self.exercise, part, [*others, attempt])
        mistake = mistake or naming.unused_argument(self.exercise, part, self.attempt)
        return replace(made, kind=kind, text=shown + ratio, mistake=mistake)

    def shrunk(self, attempt: Attempt) -> Attempt:
        """An attempt that fails in the same way, with as many entries 0 as possible."""
        case = attempt.case
        if case.measure or case.given or case in self.exercise.by_hand or not self.exercise.shrink:
            return attempt
        for position, argument in enumerate(case.arguments):
            shape = argument.shape if isinstance(argument, np.ndarray) else (0,)
            for index in np.ndindex(shape):
                arguments = list(attempt.case.arguments)
                arguments[position] = arguments[position].copy()
                arguments[position][index] = 0.0
                smaller = self.attempt(replace(attempt.case, arguments=tuple(arguments)))
                if smaller.failed and smaller.wrong_part() == attempt.wrong_part():
                    attempt = smaller
        return attempt


def _single(argument: Any) -> Any:
    """Arrays as float32."""
    if isinstance(argument, dict):
        return {key: _single(value) for key, value in argument.items()}
    return argument.astype(np.float32) if isinstance(argument, np.ndarray) else argument


def _in_words(case: Case, exercise: Exercise) -> str:
    """The arguments as a learner would type them."""
    if case.given:
        return case.given
    if any(isinstance(argument, dict) for argument in case.arguments):
        sizes = ", ".join(f"{letter} = {size}" for letter, size in case.sizes.items())
        return f"random arrays with {sizes}"
    shown = []
    for name, value in itertools.zip_longest(exercise.parameters, case.arguments):
        if value is None:
            break
        text = _plain(value.tolist() if isinstance(value, np.ndarray) else value)
        shown.append(
            f"{name} = {text}" if len(text) < 100 else f"{name} of shape {np.shape(value)}"
        )
    return ", ".join(shown)


def _plain(value: Any) -> str:
    """Lists of numbers without the digits that say nothing."""
    if isinstance(value, list):
        return f"[{', '.join(map(_plain, value))}]"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
