"""Which known mistake gives the gradients of a report?"""

from __future__ import annotations

import numpy as np

from numpyvae.core.bernoulli import BERNOULLI
from numpyvae.core.vae import VAE
from numpyvae.debugging.broken_models import break_backward, fits
from numpyvae.debugging.mistakes import MISTAKES
from numpyvae.debugging.perturbations import Point
from numpyvae.gradcheck.diagnosis import NO_PATTERN
from numpyvae.gradcheck.report import Report
from numpyvae.support.types import Array


def with_known_mistakes(point: Point, report: Report) -> tuple[str, ...]:
    """The hints, with the known mistakes that explain the gradients of this report.

    A mistake is known if all gradients are those of a model with it, up to rounding, the right ones
    too; and, if gradients change from call to call, the same ones change in the same way. If only
    the first wrong gradient of both is the same, the report resembles it.
    """
    changing = any("two different gradients" in stop for stop in report.problems)
    if not report.failed and not changing:
        return report.hints
    vae = point.vae
    config = {name: getattr(vae, name) for name in VAE.CONFIG}
    if vae.likelihood.name == BERNOULLI.name:
        config["likelihood"] = BERNOULLI  # its own may contain the mistake
    plain = VAE(**config)
    if (plain.parameters.shapes, plain.eps_shape) != (vae.parameters.shapes, vae.eps_shape):
        return report.hints  # another model, whose mistakes are not in the table
    plain = plain.astype(np.float64)
    plain.parameters.value[:] = vae.parameters.value
    ours, theirs = (
        model.loss(model.forward(point.x, point.eps, point.target)).total for model in (vae, plain)
    )
    if not np.isclose(ours, theirs, rtol=1e-12, atol=0.0):
        return report.hints  # another loss
    right, (found, moving) = _copies(point.of(plain)), _calls(point)
    known: list[str] = []
    like: dict[str, int] = {}  # how many gradients are those of a model with it
    for name, mistake in MISTAKES.items():
        if mistake.invisible or not fits(plain, mistake):
            continue
        wrong, wrong_moving = _calls(point.of(break_backward(plain, name)))
        still = [key for key in found if key not in moving]
        same = {key for key in still if _equal(found[key], wrong[key])}
        if _same_moves(moving, wrong_moving) and len(same) == len(still):
            known.append(f"known mistake: {mistake}")
        elif report.failed and report.failed[0] in same:
            changed = [key for key in report.backwards if not _equal(wrong[key], right[key])]
            if changed and changed[0] == report.failed[0]:
                like[str(mistake)] = len(same)
    if not known:
        most = max(like.values(), default=0)
        known = [
            f"it resembles {mistake}. Other gradients are not as there: a second mistake?"
            for mistake, count in like.items()
            if count == most
        ]
    if not known:
        return report.hints
    return (*(hint for hint in report.hints if NO_PATTERN not in hint), *known)


def _calls(point: Point) -> tuple[dict[str, Array], dict[str, Array | None]]:
    """The gradients, and by how much some of them change with every call; None if at random."""
    first, second, third = (_copies(point) for _ in range(3))
    moves: dict[str, Array | None] = {}
    for name in first:
        move, next_move = second[name] - first[name], third[name] - second[name]
        if move.any():
            moves[name] = move if _equal(move, next_move) else None
    return first, moves


def _same_moves(a: dict[str, Array | None], b: dict[str, Array | None]) -> bool:
    """True if the same gradients change, at random in both, or by the same amounts."""
    return set(a) == set(b) and all(
        mine is theirs if mine is None or theirs is None else _equal(mine, theirs)
        for mine, theirs in ((a[name], b[name]) for name in a)
    )


def _copies(point: Point) -> dict[str, Array]:
    """The gradients, safe from the next backward pass."""
    return {name: gradient.copy() for name, gradient in point.gradients().items()}


def _equal(a: Array, b: Array) -> bool:
    """True if a and b are equal up to rounding."""
    return np.allclose(a, b, rtol=1e-11, atol=1e-14)
