"""Checks of the gradients of any loss, of a layer, of a function of one number."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.gradcheck.diagnosis import diagnose
from numpyvae.gradcheck.finite_differences import Array, Derivative, derivative, one_blas_thread
from numpyvae.gradcheck.guards import Gradients, as_float64, guards
from numpyvae.gradcheck.probe import Probe
from numpyvae.gradcheck.report import Entry, Report, Row
from numpyvae.gradcheck.verdicts import FEW_DIGITS, WORST_FIRST, judge

DIRECTIONS = 2  # random directions for each gradient
WORST = 3  # entries shown of the wrong gradient nearest the loss; of the others, one

Item = TypeVar("Item")
Progress = Callable[[Iterable[Item]], Iterable[Item]]


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
    seed: int = 0,
) -> Report:
    """Compare the gradients `grads` of `loss` at `params` with numerical derivatives of the loss.

    loss       loss(params) → a number, or named terms {"fit": …, "penalty": …} that add up to it;
               a wrong gradient can often be expressed by the gradients of such terms
    params     arrays by name, in the order in which the loss uses them; converted to float64
    grads      a gradient for each, of the same shape; or a function of params that returns them
    constants  numbers that may be a missing or extra factor, by name: {"the batch size": 32}
    factors    arrays that may be a missing or extra factor, by name, of the shape of a parameter
    progress   a wrapper of the loop over the gradients; pass tqdm to see a bar
    seed       the seed of the random directions

        report = check_gradients(loss, {"W": W, "b": b}, {"W": dW, "b": db})
        print(report)
        report.raise_if_failed()

    First it looks for problems that make a comparison meaningless: randomness in the loss,
    parameters changed in place, names and shapes that do not match. Then it compares every
    gradient along random directions v, so that every entry takes part. Only if backprop · v and
    the slope of the loss differ by more than the error bar does it search for the wrong entries.
    Raises TypeError for parameters that are not real numbers.

    The check compares backward with forward, so it cannot see a mistake that both contain.
    """
    started = time.perf_counter()
    rng = np.random.default_rng(seed)
    point, notes = as_float64(params)
    probe = Probe(loss, point)
    gradients, here, stops = guards(probe, grads, params, notes)
    rows: list[Row] = []
    hints: list[str] = []
    method = "not run"
    if not stops:
        probe.measure_noise(rng)
        rows = _compare(probe, gradients, here, rng, progress)
        method = probe.method
        wrong = [row for row in rows if row.verdict == "FAIL"]
        if wrong:
            first = wrong[-1]  # the one nearest the loss, first in the backward pass
            if len(wrong) > 1:
                others = f"the other {len(wrong) - 1} may have the same cause"
                hints.append(f"start with {first.name}, the wrong one nearest the loss; {others}")
            if "does not move" in first.note:
                hints.append(f"{first.name}: does the loss read this array, or a copy of it?")
            else:
                hints.append(
                    diagnose(
                        probe, gradients[first.name], first, constants or {}, factors or {}, rng
                    )
                )
    return Report(
        title=title,
        loss=here,
        rows=tuple(rows),
        method=method,
        stops=tuple(stops),
        notes=tuple(notes),
        hints=tuple(hints),
        evaluations=probe.evaluations,
        seconds=time.perf_counter() - started,
        parameters=sum(array.size for array in point.values()),
    )


class Layer(Protocol):
    """Anything with a forward and a backward pass, and no memory between them."""

    def forward(self, x: Array) -> Array:
        """y, from x."""

    def backward(self, x: Array, dy: Array) -> Array:
        """Write the gradient of each weight `W` into the array `dW`; return dx."""


@one_blas_thread()
def check_layer(layer: Layer, x: ArrayLike, *, seed: int = 0) -> Report:
    """Check `layer.backward(x, dy)`: the returned dx, and every dW that it writes.

    The weights are the arrays among the layer's attributes that have a partner of the same shape
    whose name begins with d, as W has dW. The loss is Σ R y with a random R. (A plain sum has
    dy = 1, and would hide a layer that ignores dy or transposes it.) A float64 copy of the layer
    is checked; the layer itself does not change.
    """
    x = np.array(x, np.float64)
    rng = np.random.default_rng(seed)
    twin = copy.deepcopy(layer)
    arrays = {
        name: value.astype(np.float64)
        for name, value in getattr(twin, "__dict__", {}).items()
        if isinstance(value, np.ndarray) and value.dtype.kind == "f"
    }
    for name, value in arrays.items():
        setattr(twin, name, value)
    y = _one_array("forward(x)", twin.forward(x))
    _one_array("backward(x, dy)", twin.backward(x, rng.standard_normal(y.shape)))
    names = [  # backward may have created a dW just now
        name
        for name, value in arrays.items()
        if getattr(getattr(twin, f"d{name}", None), "shape", None) == value.shape
    ]
    left = [n for n in arrays if n not in names and n not in {f"d{w}" for w in names}]
    if "x" in names:
        raise ValueError("layer: its weights may not be called x, which is its input; rename them")

    def at(params: Mapping[str, Array]) -> None:
        for name in names:
            setattr(twin, name, params[name].copy())
            setattr(twin, f"d{name}", np.zeros(params[name].shape))

    params = {"x": x, **{name: arrays[name] for name in names}}
    R = rng.standard_normal(y.shape)

    def loss(params: dict[str, Array]) -> Any:
        at(params)
        return np.sum(R * twin.forward(params["x"]))

    def grads(params: dict[str, Array]) -> dict[str, Array]:
        at(params)
        dx = twin.backward(params["x"], R.copy())
        return {"x": dx, **{name: getattr(twin, f"d{name}") for name in names}}

    constants = {"the number of rows": float(x.shape[0])} if x.ndim else {}
    title = f"gradient check of {type(layer).__name__}"
    report = check_gradients(loss, params, grads, constants=constants, title=title, seed=seed)
    notes = [f"{name} was not checked: there is no d{name} of its shape" for name in left]
    if not names:
        notes.insert(0, "no weights were found, so dx alone was checked")
    return replace(report, notes=(*report.notes, *notes))


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
    """Check the derivative df of an elementwise function f at every point of x.

    f and df take a float64 array and return one of its shape. Without x, nine points on each side
    of 0 are used, from 10 to 0.001. There is a Row for each point; a point within reach of a kink
    is UNSURE. For a gradient in several variables, use `check_gradients`.
    """
    if x is None:
        right = np.logspace(-3, 1, 9)
        x = np.concatenate([-right[::-1], right])
    points = np.array(x, np.float64).ravel()
    started = time.perf_counter()
    rows, evaluations = [], 0

    def at(point: float, t: float) -> float:
        nonlocal evaluations
        evaluations += 1
        with np.errstate(all="ignore"):
            return float(np.asarray(f(np.array([point + t])))[0])

    claimed = np.asarray(df(points.copy()), np.float64)
    stops = []
    if claimed.shape != points.shape:
        stops = [f"df(x) has shape {claimed.shape}, x has {points.shape}: return an entry for each"]
    elif not np.allclose(f(points.copy()), [at(p, 0.0) for p in points], equal_nan=True):
        stops = ["f(x) is not f of each entry of x: use check_gradients"]
    else:
        v, usual = np.ones(()), 1e-4 * float(np.abs(claimed).max(initial=0.0))
        for point, slope in zip(points, claimed):
            finite = derivative(functools.partial(at, point))
            here = at(point, 0.0)
            rows.append(judge(f"x={point:.4g}", np.array(slope), v, finite, None, here, 0.0, usual))
    return Report(
        title=f"derivative check of {getattr(f, '__name__', 'f')}",
        loss=float("nan"),
        rows=tuple(rows),
        method="finite differences",
        stops=tuple(stops),
        notes=(),
        hints=(),
        evaluations=evaluations,
        seconds=time.perf_counter() - started,
        parameters=0,
    )


def _compare(
    probe: Probe,
    gradients: dict[str, Array],
    here: float,
    rng: np.random.Generator,
    progress: Progress[str],
) -> list[Row]:
    """A Row for each gradient, along the worse of its random directions, with its worst entries."""
    trials: list[tuple[str, Array, Derivative]] = []
    for name in progress(list(probe.params)):
        for _ in range(DIRECTIONS):
            v = rng.standard_normal(probe.params[name].shape)
            v = v / np.linalg.norm(v)
            trials.append((name, v, probe.slope(name, v)))
    exact = probe.confirm(trials)
    rows = []
    for name in probe.params:
        candidates = []
        for (other, v, finite), slope in zip(trials, exact):
            if other == name:
                row = judge(name, gradients[name], v, finite, slope, here, probe.noise)
                candidates.append(
                    _second_look(probe, row, gradients[name], v, rng) if probe.confirmed else row
                )
        rows.append(min(candidates, key=lambda r: (WORST_FIRST.index(r.verdict), r.digits)))
    nearest = max((i for i, row in enumerate(rows) if row.verdict == "FAIL"), default=None)
    for i, row in enumerate(rows):
        if row.verdict == "FAIL":
            count = WORST if i == nearest else 1
            worst = _worst_entries(probe, row.name, gradients[row.name], count, rng)
            rows[i] = replace(row, worst=worst)
    return rows


def _second_look(
    probe: Probe, row: Row, gradient: Array, v: Array, rng: np.random.Generator
) -> Row:
    """The row, with a verdict corrected by the complex step where it was too strict or lenient."""
    gap = abs(row.backprop - row.numerical)
    if row.verdict == "FAIL" and probe.complex_spread(row.name, v, rng) > 0.1 * gap:
        note = "exactly on a kink: the slope may be that of either side"
        return replace(row, verdict="UNSURE", note=note)
    if row.note == FEW_DIGITS:  # rounding changes all entries a little, a mistake some a lot
        scale = float(np.abs(gradient).max())
        index = probe.worst_entry(row.name, gradient, [], rng)
        slope, _ = probe.entry(row.name, index, scale)
        if abs(gradient[index] - slope) > max(1e-4 * abs(slope), 1e-6 * scale):
            return replace(row, verdict="FAIL", note="")
    return row


def _worst_entries(
    probe: Probe, name: str, gradient: Array, count: int, rng: np.random.Generator
) -> tuple[Entry, ...]:
    """Up to `count` wrong entries, the worst first."""
    entries: list[Entry] = []
    scale = float(np.abs(gradient).max())
    while len(entries) < min(count, gradient.size):
        index = probe.worst_entry(name, gradient, [entry.index for entry in entries], rng)
        numerical, error = probe.entry(name, index, scale)
        entry = Entry(index, float(gradient[index]), numerical, error)
        if entries and abs(entry.backprop - numerical) <= error:
            break
        entries.append(entry)
    return tuple(sorted(entries, key=lambda entry: -abs(entry.backprop - entry.numerical)))
