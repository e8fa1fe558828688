"""PASS, FAIL, UNSURE or BLIND: the verdict on a gradient along one direction."""

from __future__ import annotations

import numpy as np

from numpyvae.gradcheck.finite_differences import STEPS, Array, Derivative
from numpyvae.gradcheck.probe import EPS, K
from numpyvae.gradcheck.report import Row, Verdict

DIGITS = 4.0  # the number of certain numerical digits that a PASS requires
FEW_DIGITS = "off in the last digits: by rounding, or by a small mistake"
COMPLEX_ALONE = "the complex step differs, and finite differences have too few digits to tell"
SMALL = 1e-6  # relative to the slope; rounding in float32 is about this size
WORST_FIRST: tuple[Verdict, ...] = ("FAIL", "UNSURE", "PASS", "BLIND")


def judge(
    name: str,
    gradient: Array,
    v: Array,
    finite: Derivative,
    exact: float | None,
    here: float,
    noise: float,
    usual: float = 0.0,
) -> Row:
    """The verdict on one gradient along one direction v.

    finite  the slope of the loss by finite differences
    exact   the same by complex step, if it is confirmed; it is then the numerical side
    here    the loss at the point; noise its rounding error
    usual   a lower bound for the scale that errors are compared with
    """
    parts = gradient * v
    backprop = float(np.sum(parts))
    numerical, bar, certain = finite.value, K * finite.error, finite.error
    if exact is not None:
        numerical = exact
        bar = certain = max(
            1e-12 * float(np.sum(np.abs(parts))), EPS * (4.0 * abs(exact) + abs(here)), 5.0 * noise
        )
    moved = abs(numerical) if np.isfinite(numerical) else 0.0
    scale = max(float(np.linalg.norm(parts)), moved, usual)
    gap = abs(backprop - numerical)
    gaps = np.abs(finite.differences - backprop)
    blind = not gradient.any() and gap <= bar and usual == 0.0
    verdict: Verdict = "BLIND"
    note = "the gradient is 0 here, so nothing was tested"
    if not blind:
        verdict, note = _compared(finite, exact, numerical, gap, bar, certain, scale)
    return Row(
        name=name,
        shape=gradient.shape,
        nonzero=float(np.mean(gradient != 0.0)),
        backprop=backprop,
        numerical=numerical,
        error=bar,
        digits=_digits(gap, scale),
        limit=_digits(bar, scale),
        verdict=verdict,
        steps=STEPS,
        gaps=gaps / (scale or 1.0),
        floor=EPS * abs(here) / (scale or 1.0),
        note=note,
    )


def _compared(
    finite: Derivative,
    exact: float | None,
    numerical: float,
    gap: float,
    bar: float,
    certain: float,
    scale: float,
) -> tuple[Verdict, str]:
    """The verdict on a gap between backprop and the numerical side ± bar, and the reason."""
    few = certain > 10.0**-DIGITS * scale  # digits of the numerical side
    if not np.isfinite(numerical):
        return "UNSURE", "no step gives a derivative: is the loss noisy, or infinite?"
    if exact is None and finite.status == "kink":
        return "UNSURE", "a kink within reach of every step"
    if gap <= bar:
        return ("UNSURE", "the slope is lost in the rounding of the loss") if few else ("PASS", "")
    if exact is not None and finite.status == "smooth" and gap <= K * finite.error:
        # finite differences do not see it, and could not see an error of the complex step either
        return "UNSURE", FEW_DIGITS if gap <= SMALL * scale else COMPLEX_ALONE
    if exact is None and gap <= finite.hidden:
        return "UNSURE", "a kink within reach of the smallest step could explain it"
    if few and gap <= 10.0 * bar:
        return "UNSURE", "the numerical side has too few digits to tell"
    return "FAIL", "" if finite.differences.any() else "the loss does not move at all"


def _digits(gap: float, scale: float) -> float:
    """The number of decimal digits, 0 to 17, in which two numbers agree that are `gap` apart."""
    if scale == 0.0 or not np.isfinite(gap):
        return 0.0
    return max(0.0, min(17.0, -float(np.log10(max(gap / scale, 1e-17)))))
