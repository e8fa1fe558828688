"""Checks of the gradients of any loss, of a layer, of a function of one number."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.gradcheck.comparison import Comparison, Progress
from numpyvae.gradcheck.finite_differences import (
    Array,
    derivative,
    one_blas_thread,
    rounding_noise,
)
from numpyvae.gradcheck.guards import Gradients, as_float64, as_seed, guards, warm_up
from numpyvae.gradcheck.probe import EPS, Probe
from numpyvae.gradcheck.report import Report
from numpyvae.gradcheck.verdicts import judge


@one_blas_thread()
def check_gradients(
    loss: Callable[[dict[str, Array]], Any],
    params: Mapping[str, ArrayLike],
    grads: Gradients | Callable[[dict[str, Array]], Gradients],
    *,
    constants: Mapping[str, float] | None = None,
    factors: Mapping[str, Array] | None = None,
    progress: Progress[str] = iter,
    title: str = "gradient check",
    rng: np.random.Generator | int = 0,
) -> Report:
    """backprop · v against the numerical slope of `loss` along random directions v.

    First it looks for problems that make a comparison meaningless: randomness in the loss,
    parameters changed in place, names and shapes that do not match. Then it compares every
    gradient along random directions v, so that every entry takes part. Only if backprop · v and
    the slope of the loss differ by more than the error bar does it search for the wrong entries.
    After Ctrl-C, the report holds what is known so far, and is not ok.

    An error is seen if it is larger than the error bar along v. So a wrong entry can hide behind
    entries that are 1e8 times larger, or behind such a loss: check these parts alone. And the check
    compares backward with forward, so it cannot see a mistake that both contain.

    Parameters
    ----------
    loss : callable
        loss(params) → a number, or named terms {"fit": …, "penalty": …} that add up to it; a wrong
        gradient can often be expressed by the gradients of such terms.
    params : dict of array_like
        By name, in the order in which the loss uses them; converted to float64.
    grads : dict of array_like, or callable
        A gradient for each, of the same shape; or a function of params that returns them.
    constants : dict of float, optional
        Numbers that may be a missing or extra factor, by name: {"the batch size": 32}.
    factors : dict of array_like, optional
        Arrays that may be a missing or extra factor, by name, of the shape of a parameter.
    progress : callable
        Wraps the long loops; pass tqdm to see a bar.
    title : str
        The first line of the report.
    rng : int or numpy.random.Generator
        Seed of the random directions.

    Returns
    -------
    Report
        Print it, call `raise_if_failed()`, or see `ok`, `failed`, `rows` and `hints`.

    Raises
    ------
    TypeError
        For parameters that are not real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae.gradcheck import check_gradients
    >>> x, y = np.random.default_rng(0).standard_normal((2, 9, 4))
    >>> report = check_gradients(
    ...     lambda p: np.sum((x @ p["W"] - y) ** 2),
    ...     {"W": np.ones((4, 4))},
    ...     lambda p: {"W": x.T @ (x @ p["W"] - y)},
    ... )
    >>> report.ok
    False
    >>> report.hints
    ('W: backprop is 0.5 times what it should be, everywhere',)
    """
    started = time.perf_counter()
    seed = as_seed(rng)
    directions = np.random.default_rng(seed)
    point, notes = as_float64(params)
    probe = Probe(loss, point)
    warm_up(probe, grads, seed)
    gradients, here, problems = guards(probe, grads, params, notes)
    comparison = Comparison(probe, gradients, here, directions, progress)
    if not problems:
        comparison.run(constants or {}, factors or {})
    return Report(
        title=title,
        loss=here,
        rows=tuple(comparison.rows),
        method="not run" if problems else probe.method,
        problems=tuple(problems),
        notes=tuple(notes),
        hints=tuple(comparison.hints),
        evaluations=probe.evaluations,
        seconds=time.perf_counter() - started,
        parameters=sum(array.size for array in point.values()),
        stopped=comparison.stopped,
    )


class Layer(Protocol):
    """Anything with a forward and a backward pass, and no memory between them."""

    def forward(self, x: Array) -> Array:
        """y, from x."""

    def backward(self, x: Array, dy: Array) -> Array:
        """Write the gradient of each weight `W` into the array `dW`; return dx."""


@one_blas_thread()
def check_layer(layer: Layer, x: ArrayLike, *, rng: np.random.Generator | int = 0) -> Report:
    """∂ΣRy/∂x and ∂ΣRy/∂W against `layer.backward`: the returned dx, and every dW that it writes.

    The weights are the arrays among the layer's attributes that have a partner of the same shape
    whose name begins with d, as W has dW. The loss is Σ R y with a random R. (A plain sum has
    dy = 1, and would hide a layer that ignores dy or transposes it.) A float64 copy of the layer
    is checked; the layer itself does not change.

    Parameters
    ----------
    layer : Layer
        With forward(x) → y, and backward(x, dy) → dx.
    x : array_like
        Its input.
    rng : int or numpy.random.Generator
        Seed of R and of the directions.

    Returns
    -------
    Report
        With a row for x and for each weight.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae.gradcheck import check_layer
    >>> class Scale:
    ...     def __init__(self, w):
    ...         self.w = w
    ...     def forward(self, x):
    ...         return self.w * x
    ...     def backward(self, x, dy):
    ...         self.dw = np.sum(dy * x, axis=0)
    ...         return self.w * dy
    >>> report = check_layer(Scale(np.arange(1.0, 4.0)), np.ones((5, 3)))
    >>> [(row.name, row.verdict) for row in report.rows]
    [('x', 'PASS'), ('w', 'PASS')]
    """
    x = np.array(x, np.float64)
    seed = as_seed(rng)
    draws = np.random.default_rng(seed)
    copied, arrays = _float64_copy(layer)
    other = x + 0.1 * draws.standard_normal(x.shape)  # a layer must not keep its first x
    y, arrays = _after_a_pass(copied, arrays, other, draws)
    names = [  # backward may have created a dW just now
        name
        for name, value in arrays.items()
        if getattr(getattr(copied, f"d{name}", None), "shape", None) == value.shape
    ]
    if "x" in names:
        raise ValueError("layer: its weights may not be called x, which is its input; rename them")
    params = {"x": x, **{name: arrays[name] for name in names}}
    R = draws.standard_normal(y.shape)

    def at(params: Mapping[str, Array]) -> None:
        for name in names:
            setattr(copied, name, params[name].copy())

    def loss(params: dict[str, Array]) -> Any:
        at(params)
        return np.sum(R * copied.forward(params["x"]))

    def grads(params: dict[str, Array]) -> dict[str, Array]:
        at(params)
        dx = copied.backward(params["x"], R.copy())
        return {"x": dx, **{name: getattr(copied, f"d{name}") for name in names}}

    constants = {"the number of rows": float(x.shape[0])} if x.ndim else {}
    title = f"gradient check of {type(layer).__name__}"
    report = check_gradients(loss, params, grads, constants=constants, title=title, rng=seed)
    left = [n for n in arrays if n not in names and n not in {f"d{w}" for w in names}]
    notes = [f"{name} was not checked: there is no d{name} of its shape" for name in left]
    if not names:
        notes.insert(0, "no weights were found, so dx alone was checked")
    return replace(report, notes=(*report.notes, *notes))


def _float64_copy(layer: Layer) -> tuple[Layer, dict[str, Array]]:
    """A copy of the layer, and its float arrays, which are float64 now."""
    own = [n for n, a in getattr(layer, "__dict__", {}).items() if isinstance(a, np.ndarray)]
    for first, second in combinations(own, 2):
        if np.may_share_memory(getattr(layer, first), getattr(layer, second)):
            problem = "are parts of one array, which a copy would separate"
            raise ValueError(f"layer: {first} and {second} {problem}; use check_gradients")
    copied = copy.deepcopy(layer)
    arrays = {
        name: value.astype(np.float64)
        for name, value in getattr(copied, "__dict__", {}).items()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    }
    for name, value in arrays.items():
        setattr(copied, name, value)
    return copied, arrays


def _after_a_pass(
    layer: Layer, arrays: dict[str, Array], x: Array, rng: np.random.Generator
) -> tuple[Array, dict[str, Array]]:
    """y, and the arrays that a pass does not write: what it writes is no weight."""
    before = {name: value.copy() for name, value in arrays.items()}
    y = _one_array("forward(x)", layer.forward(x))
    _one_array("backward(x, dy)", layer.backward(x, rng.standard_normal(y.shape)))
    return y, {
        name: value
        for name, value in arrays.items()
        if getattr(layer, name, None) is value and np.array_equal(value, before[name])
    }


def _one_array(what: str, value: Any) -> Array:
    """The value, if it is an array; raises TypeError otherwise."""
    if not isinstance(value, np.ndarray):
        raise TypeError(
            f"layer: expected {what} to return one array, got {type(value).__name__}; "
            "wrap the layer in a class whose forward and backward do"
        )
    return value


def check_function(
    f: Callable[[Array], Any], df: Callable[[Array], Any], x: ArrayLike | None = None
) -> Report:
    """df(x) against the numerical derivative of an elementwise function f, at every point of x.

    Where f is flat to the last digit, as 1 − tanh x is at x = 20, its slope is lost in rounding. So
    the rounding error is measured at the scale of the whole function: it is at least ε times the
    median of |f|. For a gradient in several variables, use `check_gradients`.

    Parameters
    ----------
    f, df : callable
        Take a float64 array and return one of its shape.
    x : array_like, optional
        Points; without it, nine on each side of 0, from 10 to 0.001.

    Returns
    -------
    Report
        With a Row for each point; a point within reach of a kink is UNSURE.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae.gradcheck import check_function
    >>> check_function(np.tanh, lambda x: 1 - np.tanh(x) ** 2).ok
    True
    >>> check_function(np.tanh, lambda x: 1 - np.tanh(x)).ok
    False
    """
    right = np.logspace(-3, 1, 9)
    usual_points = np.concatenate([-right[::-1], right])
    points = usual_points if x is None else np.array(x, np.float64).ravel()
    started = time.perf_counter()
    evaluations, rows, problems = 0, [], []

    def at(point: float, t: float) -> float:
        nonlocal evaluations
        evaluations += 1
        with np.errstate(all="ignore"):
            return float(np.asarray(f(np.array([point + t])))[0])

    with np.errstate(all="ignore"):  # outside its domain
        claimed, values = np.asarray(df(points.copy()), np.float64), f(points.copy())
    if claimed.shape != points.shape:
        wanted = f"x has {points.shape}: return an entry for each"
        problems = [f"df(x) has shape {claimed.shape}, {wanted}"]
    elif not np.allclose(values, [at(p, 0.0) for p in points], equal_nan=True):
        problems = ["f(x) is not f of each entry of x: use check_gradients"]
    else:
        usual = 1e-4 * float(np.abs(claimed[np.isfinite(claimed)]).max(initial=0.0))
        sizes = np.abs([at(p, 0.0) for p in (*points, *usual_points)])
        least = EPS * float(np.median(sizes[np.isfinite(sizes)]))
        for point, slope in zip(points, claimed):
            phi = functools.partial(at, point)
            finite = derivative(phi, noise=max(rounding_noise(phi), least))
            here, v = at(point, 0.0), np.ones(())
            row = judge(f"x={point:.4g}", np.array(slope), v, finite, None, here, 0.0, usual)
            note = row.note if np.isfinite(here) else "f is not a finite number here"
            rows.append(replace(row, note=note))
    return Report(
        title=f"derivative check of {getattr(f, '__name__', 'f')}",
        loss=float("nan"),
        rows=tuple(rows),
        method="finite differences",
        problems=tuple(problems),
        notes=(),
        hints=(),
        evaluations=evaluations,
        seconds=time.perf_counter() - started,
        parameters=0,
    )
