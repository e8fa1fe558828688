"""What to find in a model: each task with thresholds that fit it, if it has enough solutions.

The page checks an answer with the same rules, in checks.js; a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from numpyvae.support.types import Array

SOLUTIONS = 20  # the fewest that a task must have in a model
NEIGHBORS = 20  # test means around a place, whose labels say what is there
STEPS = 13  # places on the way from A to B, both ends included
HOLES = (0.5, 0.4, 0.3, 0.25, 0.2, 0.15, 0.1)  # distances of the nearest test mean
WAYS = 40  # ways that are tried for each pair of labels

Task = dict[str, Any]


@dataclass(frozen=True)
class Known:
    """What is known of a model.

    mu              (M, Z) latent means of test images
    labels          (M,) their labels, as places in `names`; None if there are none
    names           of the labels
    codes           (N, Z) μ of the first N of them, with another noise if there is noise
    kl              (N,) their KL(q ‖ prior)
    reconstruction  (N,) their reconstruction term
    gap             (N,) their KL(q ‖ posterior), NaN where unknown; None for more than two latents
    """

    mu: Array
    labels: Array | None
    names: list[str]
    codes: Array
    kl: Array
    reconstruction: Array
    gap: Array | None


def tasks(known: Known) -> list[Task]:
    """The tasks that have at least SOLUTIONS solutions, each with their number as "solutions"."""
    around = _Around(known)
    made: list[Task | None] = []
    if known.labels is not None and len(known.names) > 1:
        made += [_border(around), _hole(around), _fool(around)]
    if known.gap is not None:
        made.append(_far(known.gap))
    made.append(_cheap_to_place(known.kl, known.reconstruction))
    if known.labels is not None and len(known.names) > 1:
        made.append(_way(around))
    return [task for task in made if task is not None and task["solutions"] >= SOLUTIONS]


class _Around:
    """The labels of the test means around places z."""

    def __init__(self, known: Known) -> None:
        from scipy.spatial import cKDTree

        self.known = known
        self.tree = cKDTree(known.mu)
        self.neighbors = min(NEIGHBORS, len(known.mu))

    def shares(self, z: Array) -> tuple[Array, Array]:
        """The number of neighbors with each label, (M, labels), and the nearest distance, (M,)."""
        assert self.known.labels is not None
        distance, index = self.tree.query(z, self.neighbors)
        if self.neighbors == 1:
            distance, index = distance[:, None], index[:, None]
        labels = self.known.labels[index]
        counts = np.zeros((len(z), len(self.known.names)), int)
        np.add.at(counts, (np.arange(len(z))[:, None], labels), 1)
        return counts, distance[:, 0]

    def places(self, spacing: float, radius: float) -> Array:
        """A square grid of places inside a circle around 0, for one or two latents."""
        axis = np.arange(-radius, radius, spacing)
        z = np.stack(np.meshgrid(*[axis] * self.known.mu.shape[1]), -1)
        z = z.reshape(-1, self.known.mu.shape[1])
        return z[_shown(np.sqrt((z**2).sum(axis=1))) < radius]


def _border(around: _Around) -> Task | None:
    """A place with at least a quarter of the neighbors of either of two labels."""
    if around.known.mu.shape[1] > 2:
        return None
    spacing = 0.05 if around.known.mu.shape[1] == 2 else 0.01
    counts, _ = around.shares(around.places(spacing, 3.0))
    enough = (counts >= around.neighbors // 4).astype(int)
    both = np.triu(enough.T @ enough, k=1)
    first, second = np.unravel_index(np.argmax(both), both.shape)
    labels = [int(first), int(second)]
    return {
        "kind": "border", "labels": labels, "least": around.neighbors // 4,
        "solutions": int(both.max()),
    }  # fmt: skip


def _hole(around: _Around) -> Task | None:
    """A place inside the circle of 2 σ that is far from every test mean."""
    if around.known.mu.shape[1] != 2:
        return None
    _, distance = around.shares(around.places(0.05, 2.0))
    for least in HOLES:
        solutions = int((_shown(distance) >= least).sum())
        if solutions >= SOLUTIONS:
            return {"kind": "hole", "least": least, "radius": 2.0, "solutions": solutions}
    return None


def _fool(around: _Around) -> Task:
    """A picture of one label whose μ has few neighbors with that label."""
    known = around.known
    assert known.labels is not None
    counts, _ = around.shares(known.codes)
    own = counts[np.arange(len(known.codes)), known.labels[: len(known.codes)]]
    most = around.neighbors // 4
    return {"kind": "fool", "fewer": most, "solutions": int((own < most).sum())}


def _far(gap: Array) -> Task | None:
    """A picture whose KL(q ‖ posterior) is among the largest tenth, and their share of the mean."""
    known = np.sort(gap[np.isfinite(gap)])
    if len(known) < SOLUTIONS or not known.sum() > 0:
        return None
    above = _rounded(np.quantile(known, 0.9))
    share = round(100.0 * float(known[-len(known) // 10 :].sum() / known.sum()))
    solutions = int((_shown(known) > above).sum())
    return {"kind": "far", "above": above, "share": share, "solutions": solutions}


def _cheap_to_place(kl: Array, reconstruction: Array) -> Task | None:
    """A picture with a low KL(q ‖ prior) and a high reconstruction term."""
    for share in (0.2, 0.3, 0.4):
        below = _rounded(np.quantile(kl, share))
        above = _rounded(np.quantile(reconstruction, 1.0 - share))
        solutions = int(((_shown(kl) < below) & (_shown(reconstruction) > above)).sum())
        if solutions >= SOLUTIONS:
            return {"kind": "cheap", "below": below, "above": above, "solutions": solutions}
    return None


def _way(around: _Around) -> Task | None:
    """A straight way between two labels that passes no other, for a pair with few ways, but enough.

    The ways that are tried begin and end at test means with these labels. A first look takes the
    two ends and the middle, then each pair is tried whole, in the order of the first look.
    """
    labels = range(min(10, len(around.known.names)))
    pairs = [(_ways(around, pair, 3), pair) for pair in combinations(labels, 2)]
    for solutions, pair in sorted(pairs):
        if solutions >= SOLUTIONS:
            solutions = _ways(around, pair, STEPS)
        if solutions >= SOLUTIONS:
            return {"kind": "way", "labels": list(pair), "solutions": solutions}
    return None


def _ways(around: _Around, pair: tuple[int, int], steps: int) -> int:
    """The number of ways, of WAYS that are tried, that pass nothing but the two labels."""
    known = around.known
    rng, t = np.random.default_rng(0), np.linspace(0.0, 1.0, steps)[:, None]
    start, end = (
        known.mu[rng.choice(np.flatnonzero(known.labels == label), WAYS)] for label in pair
    )
    z = (1.0 - t) * start[:, None] + t * end[:, None]
    counts, _ = around.shares(z.reshape(-1, known.mu.shape[1]))
    passed = counts.argmax(axis=1).reshape(WAYS, steps)
    right = (passed[:, 0] == pair[0]) & (passed[:, -1] == pair[1])
    return int((right & np.isin(passed, pair).all(axis=1)).sum())


def _shown(values: Array) -> Array:
    """Numbers as the page shows them. It judges them as they are shown."""
    return np.round(values, 2)


def _rounded(threshold: float) -> float:
    """A threshold with as many digits as a reader likes."""
    return float(f"{threshold:.2g}") if threshold < 100 else float(round(threshold))
