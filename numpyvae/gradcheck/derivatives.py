"""The derivative of a function of one number, with an error bar; the textbook's, without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.parameters import Array

STEPS: Array = 10.0 ** -np.arange(1.0, 9.0)  # 1e-1 … 1e-8
RATIO = 10.0  # of a step to the next

Status = Literal["smooth", "kink", "noisy"]


def numerical_gradient(f: Callable[[Array], float], x: ArrayLike, h: float = 1e-5) -> Array:
    """∂f/∂x[i] ≈ (f(x + h eᵢ) − f(x − h eᵢ)) / 2h for every entry i, as the textbook has it.

    x is an array of any shape (taken as float64), f returns a number; the result has x's shape.
    Truncation costs about h² f‴/6, rounding about 1e-16 |f| / h: some nine digits where f is
    smooth, and none where a step of h crosses a kink. `check_gradients` knows which.
    """
    x = np.array(x, np.float64)
    gradient = np.empty_like(x)
    for i in np.ndindex(x.shape):
        here = x[i]
        x[i] = here + h
        up = f(x)
        x[i] = here - h
        down = f(x)
        x[i] = here
        gradient[i] = (up - down) / (2.0 * h)
    return gradient


@dataclass(frozen=True)
class Derivative:
    """φ′(0) as `value` ± `error`, found at `step`; and how far it can be trusted.

    status       "smooth"; "kink": the slopes to the left and to the right do not meet; "noisy": no
                 step gives an answer that a smaller one does not contradict, value is NaN
    differences  the central differences, one for each of STEPS
    hidden       how far value would be off if a kink hid within the smallest steps, where rounding
                 is larger than the jump of the slope; for a smooth φ, that is nothing
    """

    value: float
    error: float
    step: float
    status: Status
    differences: Array
    hidden: float


def derivative(phi: Callable[[float], float], noise: float | None = None) -> Derivative:
    """φ′(0), with an error bar, by central differences on a ladder of steps from 1e-1 to 1e-8.

    D_k = (φ(h_k) − φ(−h_k)) / 2h_k has an error of about c h_k², which Richardson's
    R_k = (100 D_{k+1} − D_k) / 99 cancels; what it then still changes, |R_k − D_{k+1}|, and the
    rounding of φ, `noise` / h, are the error bar; and |D_{k+1} − D_k| where that grows instead of
    falling by 100, for then the error is not of that kind. The answer is the R_k with the smallest
    bar that no smaller step contradicts: a kink between two steps makes the larger one wrong.

    `noise` is how far rounding moves φ; it is measured (`rounding_noise`) unless given. φ takes
    a float and returns one. (The extrapolation is Richardson's, 1911.)
    """
    noise = rounding_noise(phi) if noise is None else noise
    here = float(phi(0.0))
    up = np.array([float(phi(h)) for h in STEPS])
    down = np.array([float(phi(-h)) for h in STEPS])
    with np.errstate(invalid="ignore", over="ignore"):
        differences = (up - down) / (2.0 * STEPS)
        bends = (up - 2.0 * here + down) / STEPS  # right slope − left slope
        largest = np.maximum(abs(here), np.maximum(np.abs(up), np.abs(down)))
        rounding = np.maximum(np.finfo(float).eps * largest, 5.0 * noise) / STEPS
        square = RATIO**2
        improved = (square * differences[1:] - differences[:-1]) / (square - 1.0)
        error = np.abs(improved - differences[1:])
        error += (square * rounding[1:] + rounding[:-1]) / (square - 1.0)
        changes = np.abs(np.diff(differences))
        error[1:] += np.where(changes[1:] > changes[:-1], changes[1:], 0.0)
        error = np.where(np.isfinite(error), error, np.inf)

    nowhere = Derivative(np.nan, np.inf, np.nan, "noisy", differences, np.inf)
    if not (np.isfinite(here) and np.isfinite(differences[-1])):
        return nowhere
    for best in np.argsort(error):
        smaller = slice(best + 2, None)
        doubt = 2.0 * (error[best] + rounding[smaller])
        if np.all(np.abs(differences[smaller] - improved[best]) <= doubt):
            break
    else:
        return nowhere
    if not np.isfinite(error[best]):
        return nowhere

    # Where φ is smooth the slopes to the left and right meet as h does; at a kink they do not.
    status: Status = "smooth"
    seen = [k for k in range(best, len(STEPS)) if abs(bends[k]) > 80.0 * rounding[k]]
    if len(seen) >= 2:
        i, j = seen[-2:]
        power = np.log(abs(bends[i] / bends[j]))
        power /= np.log(STEPS[i] / STEPS[j])
        status = "kink" if power < 0.9 else "smooth"
    jumps = np.abs(bends) + 4.0 * rounding
    hidden = float(np.min(np.maximum(jumps[best:-1], jumps[best + 1 :])))
    value, step = float(improved[best]), float(STEPS[best + 1])
    return Derivative(value, float(error[best]), step, status, differences, hidden)


def rounding_noise(phi: Callable[[float], Any]) -> float:
    """How far rounding moves φ near 0, from tables of differences.

    In a table of k-th differences of equidistant values a smooth function dies out, and the noise
    is left with (2k)! / (k!)² times its variance. (ε |φ| would be too little: a sum that cancels is
    small and has the noise of its largest terms. Hamming 1962; Moré & Wild 2011, ECnoise.)
    Three short tables, and the largest level of all: too much noise costs half a digit, too
    little accuses a correct gradient. None has 0 in it, where a kink would look like noise. A φ
    that does not move at all is either exact, or computed in float32: wider tables tell.
    """
    fine = [_noise_in_table(phi, *at, 3) for at in ((1e-5, 1e-9), (-2e-5, 3e-9), (3e-5, 9e-9))]
    if max(fine) > 0.0:
        return max(fine)
    # here a kink is more likely, so the smallest level; and only high differences die out
    return min(_noise_in_table(phi, *at, 5) for at in ((1e-3, 1e-4), (-2e-3, 1e-4), (3e-3, 1e-4)))


def _noise_in_table(phi: Callable[[float], Any], start: float, step: float, least: int) -> float:
    """The noise in the differences of order `least` to 6 of seven values."""
    worst, gamma = 0.0, 1.0
    table = np.array([float(phi(start + j * step)) for j in range(7)])
    for k in range(1, 7):
        table = np.diff(table)
        gamma *= 0.5 * k / (2 * k - 1)
        if k >= least and np.isfinite(table).all():
            largest = np.abs(table).max() or 1.0  # its square may overflow
            level = largest * float(np.sqrt(gamma * np.mean((table / largest) ** 2)))
            worst = max(worst, level)
    return worst
