"""The report of a check: a table, hints and a verdict. Reports are immutable."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass
from typing import Literal

from numpyvae.gradcheck.finite_differences import Array

Verdict = Literal["PASS", "FAIL", "UNSURE", "BLIND"]


@dataclass(frozen=True)
class Entry:
    """One entry of a wrong gradient: its index, backprop's value, and the numerical one ± error."""

    index: tuple[int, ...]
    backprop: float
    numerical: float
    error: float

    def __str__(self) -> str:
        if self.numerical == 0.0:
            compared = "should be 0"
        elif abs(self.backprop / self.numerical - 1.0) > 1e-3:
            compared = f"ratio {self.backprop / self.numerical:.6g}"
        else:
            compared = f"off by {abs(self.backprop / self.numerical - 1.0):.1e} of it"
        return (
            f"backprop {self.backprop:.8g}   numerical {self.numerical:.8g} "
            f"± {self.error:.0e}   {compared}"
        )


@dataclass(frozen=True)
class Row:
    """One gradient along a random direction v: backprop · v against the slope of the loss.

    nonzero      the fraction of its entries that are not 0
    digits       the number of digits that agree
    limit        the number of digits of the numerical side that are certain
    verdict      PASS: they agree within the error bar, and the bar is small. FAIL: they disagree.
                 UNSURE: a kink is within reach, or the slope is lost in the rounding of the loss.
                 BLIND: the gradient is exactly 0 here, so nothing was tested.
    steps, gaps  |central difference − backprop| / scale for each step, drawn by pictures.gradients
    floor        ε |loss| / scale, the rounding error at a step of 1
    """

    name: str
    shape: tuple[int, ...]
    nonzero: float
    backprop: float
    numerical: float
    error: float
    digits: float
    limit: float
    verdict: Verdict
    steps: Array
    gaps: Array
    floor: float
    note: str = ""
    worst: tuple[Entry, ...] = ()

    def __str__(self) -> str:
        shape = "x".join(map(str, self.shape)) or "()"
        line = (
            f"  {self.name!s:<10} {shape:>9} {_percent(self.nonzero):>8} {self.backprop:16.9e} "
            f"{self.numerical:16.9e} {self.digits:7.1f} {max(self.limit, 0.0):6.1f}  {self.verdict}"
        )
        lines = [line + (f"  ({self.note})" if self.note else "")]
        for entry in self.worst:
            lines.append(f"      {self.name}{list(entry.index)}: {entry}")
        return "\n".join(lines)


HEAD = (
    f"  {'gradient':<10} {'shape':>9} {'nonzero':>8} {'backprop . v':>16} {'numerical . v':>16} "
    f"{'digits':>7} {'limit':>6}  verdict"
)


@dataclass(frozen=True)
class Report:
    """The result of a gradient check; print it.

    title        the name of the object that was checked
    loss         the loss at the point of the check
    rows         a Row for each gradient, in the order of the forward pass
    method       the method of the numerical side
    problems     those that make any comparison meaningless, as sentences; no rows are compared
    notes        remarks: conversions to float64, arrays left out
    hints        probable causes of a wrong gradient, as sentences
    evaluations  the number of times the loss was computed, in `seconds`
    parameters   the number of parameters
    small_copy   the same check on a small model, if there was one
    stopped      what was done before Ctrl-C stopped the check; "" if it was not stopped
    """

    title: str
    loss: float
    rows: tuple[Row, ...]
    method: str
    problems: tuple[str, ...]
    notes: tuple[str, ...]
    hints: tuple[str, ...]
    evaluations: int
    seconds: float
    parameters: int
    small_copy: Report | None = None
    stopped: str = ""

    @property
    def ok(self) -> bool:
        """True if there was no problem and no FAIL, but a PASS, also on the small copy."""
        passed = any(row.verdict == "PASS" for row in self.rows)
        here = not self.problems and not self.stopped and passed and not self.failed
        return here and (self.small_copy is None or self.small_copy.ok)

    @property
    def complete(self) -> bool:
        """True if it is `ok` and every gradient passed: none is UNSURE or BLIND."""
        all_passed = all(row.verdict == "PASS" for row in self.rows)
        return self.ok and all_passed and (self.small_copy is None or self.small_copy.complete)

    @property
    def backwards(self) -> list[str]:
        """The names of all gradients, in the order of the backward pass."""
        return [row.name for row in reversed(self.rows)]

    @property
    def failed(self) -> list[str]:
        """The names of the wrong gradients, in the order of the backward pass."""
        return [row.name for row in reversed(self.rows) if row.verdict == "FAIL"]

    def raise_if_failed(self, complete: bool = False) -> None:
        """Raise AssertionError with the table, unless the report is ok (or `complete`)."""
        if not (self.complete if complete else self.ok):
            raise AssertionError(f"\n{self}")

    def __str__(self) -> str:
        count = f"{self.parameters:,} parameters   " if self.parameters else ""
        loss = "" if math.isnan(self.loss) else f"loss = {self.loss:.9g}   "
        lines = [
            self.title,
            f"  {loss}{count}{self.evaluations:,} evaluations   {self.seconds:.1f} s",
        ]
        if self.rows:
            lines += [f"  numerical side: {self.method}", HEAD, *map(str, self.rows)]
        lines += [_wrapped("STOP", stop) for stop in self.problems]
        lines += [f"  {self._summary()}"]
        if self.small_copy is not None and not self.small_copy.ok:
            lines += [f"  {self.small_copy._summary()} (its small copy, below)"]
        lines += [_wrapped("hint", hint) for hint in self.hints]
        if self.small_copy is not None and self.small_copy.ok:
            digits = min(row.digits for row in self.small_copy.rows if row.verdict == "PASS")
            lines += [f"  {self.small_copy._summary()}, to {digits:.0f} digits or more,"]
            lines += [f"        on {self.small_copy.title}"]
        lines += [_wrapped("note", note) for note in self.notes]
        if self.small_copy is not None and not self.small_copy.ok:
            lines += ["", str(self.small_copy)]
        return "\n".join(lines)

    def _summary(self) -> str:
        """The verdict in one line."""
        if self.problems:
            return "FAIL: nothing was compared"
        if self.stopped:
            wrong = f"; wrong: {_listed(self.failed)}" if self.failed else "; none of them is wrong"
            return f"STOPPED: {self.stopped}{wrong}"
        counts = {
            verdict: sum(row.verdict == verdict for row in self.rows)
            for verdict in ("PASS", "UNSURE", "BLIND")
        }
        text = f"{counts['PASS']} of {len(self.rows)} gradients agree"
        if self.failed:
            return f"FAIL: {text}; wrong: {_listed(self.failed)}"
        text += "".join(
            f"; {verdict}: {_listed([row.name for row in self.rows if row.verdict == verdict])}"
            for verdict in ("UNSURE", "BLIND")
            if counts[verdict]
        )
        return f"PASS: {text}" if counts["PASS"] else f"UNSURE: {text}; nothing could be tested"


def _listed(names: list[str]) -> str:
    return ", ".join(map(str, names))  # a key of a dictionary need not be a string


def _wrapped(kind: str, sentence: str) -> str:
    head = f"  {kind}: "
    return textwrap.fill(
        sentence,
        100,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
    )


def _percent(fraction: float) -> str:
    """As a percentage; only 1 is shown as 100 %, and only 0 as 0 %."""
    return f"{min(max(fraction, 0.01), 0.99):.0%}" if 0.0 < fraction < 1.0 else f"{fraction:.0%}"
