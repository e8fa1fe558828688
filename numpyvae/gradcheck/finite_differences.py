"""The derivative of a function of one number, with an error bar; and the textbook version."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

Array = NDArray[Any]

STEPS: Array = 10.0 ** -np.arange(1.0, 9.0)  # 1e-1 … 1e-8
RATIO = 10.0  # of successive steps

Status = Literal["smooth", "kink", "noisy"]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Compute matrix products in one thread; beside other busy programs, two are far slower."""
    with threadpool_limits(1, user_api="blas"):
        yield


@one_blas_thread()
def numerical_gradient(f: Callable[[Array], float], x: ArrayLike, h: float = 1e-5) -> Array:
    """∂f/∂x[i] ≈ (f(x + h eᵢ) − f(x − h eᵢ)) / 2h for every entry i, as in the textbook.

    The truncation error is about h² f‴/6, the rounding error about 1e-16 |f| / h. So about nine
    digits are right where f is smooth, and none where a step of h crosses a kink.
    `check_gradients` detects which is the case.

    Parameters
    ----------
    f : callable
        f(x) → a number.
    x : array_like
        Of any shape; taken as float64.
    h : float
        The step.

    Returns
    -------
    numpy.ndarray
        Of the shape of x.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae.gradcheck import numerical_gradient
    >>> numerical_gradient(lambda x: np.sum(x**3), [1.0, 2.0]).round(6)
    array([ 3., 12.])
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
    """φ′(0) as `value` ± `error`, found at `step`, and how far to trust it.

    status       "smooth"; "kink": the slopes on the left and on the right differ; "noisy": every
                 step is contradicted by a smaller one, and value is NaN
    differences  the central differences, one for each of STEPS
    hidden       the error of value if there is a kink within the smallest steps, where rounding
                 exceeds the jump of the slope; it does not apply to a smooth φ
    """

    value: float
    error: float
    step: float
    status: Status
    differences: Array
    hidden: float


def derivative(phi: Callable[[float], float], noise: float | None = None) -> Derivative:
    """φ′(0), with an error bar, by central differences on a ladder of steps from 1e-1 to 1e-8.

    D_k = (φ(h_k) − φ(−h_k)) / 2h_k has an error of about c h_k². Richardson's extrapolation
    R_k = (100 D_{k+1} − D_k) / 99 cancels it. The error bar is the sum of the remaining change,
    |R_k − D_{k+1}|, and the rounding error, about `noise` / h. Where |D_{k+1} − D_k| grows instead
    of falling by 100, the error is not c h², and that change is added too. The answer is the R_k
    with the smallest error bar that agrees with all smaller steps: a kink between two steps makes
    the larger one wrong.

    `noise` is the size of the rounding error in φ; it is measured (`rounding_noise`) unless given.
    φ takes a float and returns one. (Richardson 1911.)
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

    # If φ is smooth, right slope − left slope → 0 as h → 0; at a kink it does not.
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
    """The size of the rounding error in φ near 0, from tables of differences.

    The k-th differences of a smooth function at equidistant points vanish quickly; noise remains,
    and its variance is multiplied by (2k)! / (k!)². (ε |φ| would be too small: a sum that cancels
    is small, but has the rounding error of its largest terms. Hamming 1962; Moré & Wild 2011,
    ECnoise.) The result is the largest of three short tables, because too large a value costs half
    a digit, and too small a value would reject a correct gradient. No table contains 0, where a
    kink would look like noise. If φ does not change at all, it is exact or computed in float32;
    wider tables tell which.
    """
    fine = [_noise_in_table(phi, *at, 3) for at in ((1e-5, 1e-9), (-2e-5, 3e-9), (3e-5, 9e-9))]
    if max(fine) > 0.0:
        return max(fine)
    # Wider tables are more likely to contain a kink: use high differences, and the smallest level.
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
