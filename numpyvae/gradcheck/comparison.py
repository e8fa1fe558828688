"""The comparison of every gradient with numerical slopes of the loss, and what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

import numpy as np

from numpyvae.gradcheck.diagnosis import diagnose
from numpyvae.gradcheck.finite_differences import Array, Derivative
from numpyvae.gradcheck.probe import K, Probe
from numpyvae.gradcheck.report import Entry, Row
from numpyvae.gradcheck.verdicts import COMPLEX_ALONE, FEW_DIGITS, WORST_FIRST, judge

DIRECTIONS = 2  # random directions for each gradient
WORST = 3  # entries shown of the wrong gradient nearest the loss; of the others, one

Item = TypeVar("Item")
Progress = Callable[[Iterable[Item]], Iterable[Item]]


class Comparison:
    """The gradients of a loss, compared with its slopes at one point.

    rows     a Row for each gradient that was compared
    hints    probable causes of a wrong gradient, as sentences
    stopped  what Ctrl-C stopped, as a sentence; "" if everything was done
    """

    def __init__(
        self,
        probe: Probe,
        gradients: dict[str, Array],
        here: float,
        rng: np.random.Generator,
        progress: Progress[str],
    ) -> None:
        self.probe, self.gradients, self.here = probe, gradients, here
        self.rng, self.progress = rng, progress
        self.rows: list[Row] = []
        self.hints: list[str] = []
        self.stopped = ""

    def run(self, constants: Mapping[str, float], factors: Mapping[str, Array]) -> None:
        """Compare, then find the worst entries and the probable cause of what is wrong."""
        trials: list[tuple[str, Array, Derivative]] = []
        try:
            self.probe.measure_noise(self.rng)
            for name in self.progress(list(self.probe.params)):
                trials += [self._trial(name) for _ in range(DIRECTIONS)]
            self.rows = self._judged(trials, self.probe.confirm(trials), thorough=True)
            self._find_worst_entries()
            self._explain(constants, factors)
        except KeyboardInterrupt as stop:
            if type(stop) is not KeyboardInterrupt:
                raise  # a signal that ends more than this check
            self.rows = self.rows or self._judged(trials, [None] * len(trials), thorough=False)
            count = f"{len(self.rows)} of {len(self.probe.params)} gradients"
            self.stopped = f"Ctrl-C, after {count} were compared"

    def _trial(self, name: str) -> tuple[str, Array, Derivative]:
        """A random direction v, |v| = 1, and the slope of the loss along it."""
        v = self.rng.standard_normal(self.probe.params[name].shape)
        v = v / np.linalg.norm(v)
        return name, v, self.probe.slope(name, v)

    def _judged(
        self,
        trials: list[tuple[str, Array, Derivative]],
        exact: list[float | None],
        thorough: bool,
    ) -> list[Row]:
        """A Row for each gradient, along the worse of its random directions."""
        candidates: dict[str, list[Row]] = {}
        for (name, v, finite), slope in zip(trials, exact):
            row = judge(name, self.gradients[name], v, finite, slope, self.here, self.probe.noise)
            if thorough and self.probe.confirmed:
                row = self._second_look(row, v)
            candidates.setdefault(name, []).append(row)
        return [
            min(rows, key=lambda row: (WORST_FIRST.index(row.verdict), row.digits))
            for rows in candidates.values()
        ]

    def _second_look(self, row: Row, v: Array) -> Row:
        """The row, with a verdict corrected where it was too strict or too lenient."""
        probe, gradient = self.probe, self.gradients[row.name]
        gap = abs(row.backprop - row.numerical)
        if row.verdict == "FAIL" and probe.complex_spread(row.name, v, self.rng) > 0.1 * gap:
            note = "exactly on a kink: the slope may be that of either side"
            return replace(row, verdict="UNSURE", note=note)
        if row.note in (FEW_DIGITS, COMPLEX_ALONE):  # a mistake may be plainer in a single entry
            scale = float(np.abs(gradient).max())
            index = probe.worst_entry(row.name, gradient, [], self.rng)
            slope, _ = probe.entry(row.name, index, scale)
            one = np.zeros(gradient.shape)
            one[index] = 1.0
            finite = probe.slope(row.name, one)
            plain = abs(gradient[index] - slope) > max(1e-4 * abs(slope), 1e-6 * scale)
            room = 2.0 * max(abs(slope - finite.value), K * finite.error)
            if plain and abs(gradient[index] - finite.value) > room:
                return replace(row, verdict="FAIL", note="")
        return row

    def _find_worst_entries(self) -> None:
        """Add the worst entries to the rows of wrong gradients."""
        wrong = [row for row in self.rows if row.verdict == "FAIL"]
        counts = [WORST if row is wrong[-1] else 1 for row in wrong]
        entries: dict[str, list[Entry]] = {row.name: [] for row in wrong}
        names = [row.name for row, count in zip(wrong, counts) for _ in range(count)]
        for name in self.progress(names) if names else ():
            entry = self._next_entry(name, entries[name])
            if entry is not None:
                entries[name].append(entry)
        for i, row in enumerate(self.rows):
            found = entries.get(row.name, [])
            worst = sorted(found, key=lambda entry: -abs(entry.backprop - entry.numerical))
            self.rows[i] = replace(row, worst=tuple(worst))

    def _next_entry(self, name: str, known: list[Entry]) -> Entry | None:
        """The worst entry that is not known; None if there is none, or it is right."""
        gradient = self.gradients[name]
        if len(known) == gradient.size:
            return None
        scale = float(np.abs(gradient).max())
        index = self.probe.worst_entry(name, gradient, [entry.index for entry in known], self.rng)
        numerical, error = self.probe.entry(name, index, scale)
        entry = Entry(index, float(gradient[index]), numerical, error)
        return None if known and abs(entry.backprop - numerical) <= error else entry

    def _explain(self, constants: Mapping[str, float], factors: Mapping[str, Array]) -> None:
        """Say where to start, and the probable cause."""
        wrong = [row for row in self.rows if row.verdict == "FAIL"]
        if not wrong:
            return
        first = wrong[-1]  # the one nearest the loss, first in the backward pass
        if len(wrong) > 1:
            others = f"the other {len(wrong) - 1} may have the same cause"
            self.hints.append(f"start with {first.name}, the wrong one nearest the loss; {others}")
        if "does not move" in first.note:
            self.hints.append(f"{first.name}: does the loss read this array, or a copy of it?")
            return
        gradient = self.gradients[first.name]
        self.hints.append(
            diagnose(self.probe, gradient, first, constants, factors, self.rng, self.progress)
        )
