"""What a check found: a table, hints, a verdict, and a picture."""

from __future__ import annotations

import math
import textwrap
from dataclasses import dataclass, field
from os import PathLike
from typing import Any, Literal

from numpyvae.checkpoints import replacing
from numpyvae.parameters import Array

Verdict = Literal["PASS", "FAIL", "UNSURE", "BLIND"]


@dataclass(frozen=True)
class Entry:
    """One entry of a wrong gradient: where, what backprop says, and what is so, ± error."""

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


@dataclass
class Row:
    """One gradient: its slope along a random direction v as backprop and as the loss has it.

    alive        the fraction of its entries that are not 0
    digits       how many digits agree; limit: how many the numerical side can vouch for
    verdict      PASS: they agree within the error bar, and the bar is small. FAIL: they do not.
                 UNSURE: a kink within reach, or the slope drowns in the rounding of the loss.
                 BLIND: the gradient is exactly 0 here, so nothing was tested.
    steps, gaps  |central difference − backprop| / scale against the step: the V of the picture
    """

    name: str
    shape: tuple[int, ...]
    alive: float
    backprop: float
    numerical: float
    error: float
    digits: float
    limit: float
    verdict: Verdict
    steps: Array
    gaps: Array
    floor: float  # ε |loss| / scale: what rounding costs at a step of 1
    note: str = ""
    worst: list[Entry] = field(default_factory=list)

    def __str__(self) -> str:
        shape = "x".join(map(str, self.shape)) or "()"
        line = (
            f"  {self.name:<10} {shape:>9} {_percent(self.alive):>6} {self.backprop:16.9e} "
            f"{self.numerical:16.9e} {self.digits:7.1f} {max(self.limit, 0.0):6.1f}  {self.verdict}"
        )
        lines = [line + (f"  ({self.note})" if self.note else "")]
        for entry in self.worst:
            lines.append(f"      {self.name}{list(entry.index)}: {entry}")
        return "\n".join(lines)


HEAD = (
    f"  {'gradient':<10} {'shape':>9} {'alive':>6} {'backprop . v':>16} {'numerical . v':>16} "
    f"{'digits':>7} {'limit':>6}  verdict"
)


@dataclass
class Report:
    """The result of a gradient check; print it.

    title        what was checked
    loss         the loss at the point of the check
    rows         a Row for each gradient, in the order of the forward pass
    method       how the numerical side was computed
    stops        what makes any comparison meaningless, in sentences; then there are no rows
    notes        what was done on the way (cast to float64, left out)
    hints        what the mistake probably is, in sentences
    evaluations  how often the loss was computed, in `seconds`
    parameters   the number of parameters
    twin         the same check on a small model, if there was one
    """

    title: str
    loss: float
    rows: list[Row]
    method: str
    stops: list[str]
    notes: list[str]
    hints: list[str]
    evaluations: int
    seconds: float
    parameters: int
    twin: Report | None = None

    @property
    def ok(self) -> bool:
        """Nothing stopped the check, nothing failed, and something passed."""
        passed = any(row.verdict == "PASS" for row in self.rows)
        here = not self.stops and passed and not self.failed
        return here and (self.twin is None or self.twin.ok)

    @property
    def complete(self) -> bool:
        """As `ok`, and every single gradient passed: none UNSURE, none BLIND."""
        all_passed = all(row.verdict == "PASS" for row in self.rows)
        return self.ok and all_passed and (self.twin is None or self.twin.complete)

    @property
    def failed(self) -> list[str]:
        """The names of the gradients that are wrong, in the order in which backprop meets them."""
        return [row.name for row in reversed(self.rows) if row.verdict == "FAIL"]

    def raise_if_failed(self, complete: bool = False) -> None:
        """AssertionError with the table, unless ok (or `complete`): one line in pytest."""
        if not (self.complete if complete else self.ok):
            raise AssertionError(f"\n{self}")

    def plot(self, path: str | PathLike[str] | None = None) -> Any:
        """A figure: the V of every gradient, and its digits; written to `path` as PNG if given."""
        from numpyvae import pictures

        figure = pictures.gradients(self)
        if path is not None:
            with replacing(path) as file:
                figure.savefig(file, format="png")
        return figure

    def __str__(self) -> str:
        count = f"{self.parameters:,} parameters   " if self.parameters else ""
        loss = "" if math.isnan(self.loss) else f"loss = {self.loss:.9g}   "
        lines = [
            self.title,
            f"  {loss}{count}{self.evaluations:,} evaluations   {self.seconds:.1f} s",
        ]
        if self.rows:
            lines += [f"  numerical side: {self.method}", HEAD, *map(str, self.rows)]
        lines += [_wrapped("STOP", stop) for stop in self.stops]
        lines += [f"  {self._summary()}"]
        if self.twin is not None and not self.twin.ok:
            lines += [f"  {self.twin._summary()} (its small twin, below)"]
        lines += [_wrapped("hint", hint) for hint in self.hints]
        if self.twin is not None and self.twin.ok:
            digits = min(row.digits for row in self.twin.rows if row.verdict == "PASS")
            lines += [f"  {self.twin._summary()}, to {digits:.0f} digits or more,"]
            lines += [f"        on {self.twin.title}"]
        lines += [_wrapped("note", note) for note in self.notes]
        if self.twin is not None and not self.twin.ok:
            lines += ["", str(self.twin)]
        return "\n".join(lines)

    def _summary(self) -> str:
        """The verdict in one line."""
        if self.stops:
            return "FAIL: nothing was compared"
        counts = {
            verdict: sum(row.verdict == verdict for row in self.rows)
            for verdict in ("PASS", "UNSURE", "BLIND")
        }
        text = f"{counts['PASS']} of {len(self.rows)} gradients agree"
        if self.failed:
            return f"FAIL: {text}; wrong: {', '.join(self.failed)}"
        text += "".join(
            f"; {verdict}: {', '.join(row.name for row in self.rows if row.verdict == verdict)}"
            for verdict in ("UNSURE", "BLIND")
            if counts[verdict]
        )
        return f"PASS: {text}" if counts["PASS"] else f"UNSURE: {text}; nothing could be tested"


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
    """100 % is said only of all, and 0 % only of none."""
    return f"{min(max(fraction, 0.01), 0.99):.0%}" if 0.0 < fraction < 1.0 else f"{fraction:.0%}"
