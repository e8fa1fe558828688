"""Entries of a wrong gradient beside their numerical derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from numpyvae.gradcheck.finite_differences import Array
from numpyvae.gradcheck.probe import Probe
from numpyvae.gradcheck.report import Row

MANY = 200  # entries of a wrong gradient to sample, by complex step
FEW = 50  # the same by finite differences, which take thirty evaluations each


@dataclass(frozen=True)
class Sample:
    """Entries of one wrong gradient: all if they are few; else large, wrong and random ones.

    whole                the wrong gradient
    index                (n, ndim) of the entries
    backprop, numerical  (n,) their values
    error                (n,) the error bar of numerical
    terms                name → (n,), the part of numerical from each term of the loss
    parameter            (n,) the values of the parameter itself
    """

    whole: Array
    index: Array
    backprop: Array
    numerical: Array
    error: Array
    terms: dict[str, Array]
    parameter: Array

    @property
    def tolerance(self) -> Array:
        """The largest difference between two entries that count as equal, (n,)."""
        return 3.0 * self.error + 1e-9 * np.abs(self.numerical)

    @property
    def wrong(self) -> Array:
        """True for the entries that are wrong, (n,)."""
        return np.abs(self.backprop - self.numerical) > self.tolerance

    @property
    def largest_gap(self) -> float:
        """The largest error of backprop, as a fraction of the largest entry."""
        gap = float(np.max(np.abs(self.backprop - self.numerical)))
        return gap / max(float(np.max(np.abs(self.numerical))), 1e-300)

    def is_explained_by(self, values: Array) -> bool:
        """True if backprop equals `values` in every entry of the sample."""
        room = self.tolerance + 1e-9 * np.abs(values) + 1e-9 * np.abs(self.backprop)
        return bool(np.all(np.abs(self.backprop - values) <= room))


def take_sample(
    probe: Probe,
    gradient: Array,
    wrong: Row,
    rng: np.random.Generator,
    progress: Callable[[Iterable[str]], Iterable[str]],
) -> Sample:
    """All entries of a small gradient, some of a large one, with their numerical derivatives."""
    flat = gradient.ravel()
    many = MANY if wrong.name in probe.confirmed else FEW
    if flat.size <= many:
        places = np.arange(flat.size)
    else:
        known = [int(np.ravel_multi_index(e.index, gradient.shape)) for e in wrong.worst]
        large = np.argsort(-np.abs(flat))[: many // 10]
        random = rng.choice(flat.size, many // 5, replace=False)
        places = np.unique(np.concatenate([np.array(known, int), large, random]))
    entries = [tuple(int(i) for i in np.unravel_index(p, gradient.shape)) for p in places]
    index = np.array(entries, int).reshape(len(entries), gradient.ndim)
    scale = float(np.abs(flat).max())
    terms: dict[str, Array] = {}
    looked_at = zip(progress([f"{wrong.name}{list(entry)}" for entry in entries]), entries)
    if wrong.name in probe.confirmed:
        parts = [probe.entry_terms(wrong.name, entry) for _, entry in looked_at]
        terms = {name: np.array([part[name] for part in parts]) for name in parts[0]}
        numerical = np.sum(list(terms.values()), axis=0)
        error = np.full(len(entries), 1e-12 * max(scale, float(np.abs(numerical).max())))
    else:
        pairs = [probe.entry(wrong.name, entry, scale) for _, entry in looked_at]
        numerical, error = np.array(pairs).T
    return Sample(
        whole=gradient,
        index=index,
        backprop=flat[places],
        numerical=numerical,
        error=error,
        terms=terms,
        parameter=probe.params[wrong.name].ravel()[places],
    )
