"""Is a gradient right? Checks of any loss, of a layer, of a function of one number."""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.gradcheck.derivatives import STEPS, Derivative, derivative
from numpyvae.gradcheck.diagnosis import diagnose
from numpyvae.gradcheck.probe import EPS, K, Probe, total
from numpyvae.gradcheck.report import Entry, Report, Row, Verdict
from numpyvae.parameters import Array

DIRECTIONS = 2  # random ones for each gradient
HUGE = 1e100  # what is larger might as well be infinite: its square overflows
DIGITS = 4.0  # that the numerical side must vouch for before a gradient may pass
WORST = 3  # wrong entries shown of the wrong gradient nearest the loss; one of each other

Item = TypeVar("Item")
Progress = Callable[[Iterable[Item]], Iterable[Item]]
Gradients = Mapping[str, ArrayLike]


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
    """Compare the gradients `grads` of `loss` at `params` with how the loss really changes.

    loss       loss(params) → a number, or named terms {"fit": …, "penalty": …} whose sum it is:
               then a wrong gradient can often be written as a sum of theirs
    params     arrays by name, in the order in which the loss uses them; taken as float64
    grads      a gradient for each, of the same shape; or a function of params that returns them
    constants  numbers that are easily forgotten as a factor, by name: {"the batch size": 32}
    factors    the same for arrays of the shape of a parameter
    progress   wraps the loop over the gradients; pass tqdm to see a bar
    seed       of the random directions

        report = check_gradients(loss, {"W": W, "b": b}, {"W": dW, "b": db})
        print(report)
        report.raise_if_failed()

    Every entry of every gradient takes part: each is compared along random directions v, and
    only if backprop · v and the loss disagree there, by more than the error bar of the numerical
    side, are the wrong entries looked for. Before that, whatever makes a comparison meaningless
    is looked for: randomness in the loss, parameters changed in place, names and shapes that do
    not match. Raises TypeError for parameters that are not real numbers.

    It compares backward with forward. A mistake made alike in both is invisible to it.
    """
    started = time.perf_counter()
    rng = np.random.default_rng(seed)
    point, notes = _as_float64(params)
    probe = Probe(loss, point)
    gradients, here, stops = _guards(probe, grads, notes)
    rows: list[Row] = []
    hints: list[str] = []
    method = "not run"
    if not stops:
        probe.measure_noise(rng)
        rows = _compare(probe, gradients, here, rng, progress)
        method = "complex step, confirmed by finite differences"
        if not probe.complex_step:
            method = "finite differences (no complex step: " + probe.why_not + ")"
        wrong = [row for row in rows if row.verdict == "FAIL"]
        if wrong:
            first = wrong[-1]  # the one nearest the loss, which backprop meets first
            if len(wrong) > 1:
                others = f"the other {len(wrong) - 1} may only inherit its error"
                hints.append(f"backprop meets {first.name} first: start there, {others}")
            if "does not move" in first.note:
                hints.append(f"{first.name}: does the loss read this array, or a copy of it?")
            else:
                hints.append(diagnose(probe, gradients, first, constants or {}, factors or {}, rng))
    return Report(
        title, here, rows, method, stops, notes, hints, probe.evaluations,
        time.perf_counter() - started, sum(array.size for array in point.values()),
    )  # fmt: skip


class Layer(Protocol):
    """Anything with a pass forward and one backward that remembers nothing in between."""

    def forward(self, x: Array) -> Array:
        """y, from x."""

    def backward(self, x: Array, dy: Array) -> Array:
        """Return dx, given dy; write the gradient of each weight `W` into the array `dW`."""


def check_layer(layer: Layer, x: ArrayLike, *, seed: int = 0) -> Report:
    """Check `layer.backward(x, dy)`: the dx that it returns, and every dW that it writes.

    The weights are those attributes of the layer, arrays, that have a partner of the same shape
    whose name begins with d, as W has dW. The loss is Σ R y with a random R: a plain sum, whose
    dy is ones, would hide a layer that ignores dy or transposes it. The layer itself is left
    alone: what is checked is a float64 copy.
    """
    x = np.array(x, np.float64)
    names = [
        name
        for name, value in vars(layer).items()
        if isinstance(value, np.ndarray)
        and getattr(getattr(layer, f"d{name}", None), "shape", None) == value.shape
    ]
    if "x" in names:
        raise ValueError("layer: its weights may not be called x, which is its input; rename them")
    twin = copy.deepcopy(layer)
    rng = np.random.default_rng(seed)

    def at(params: Mapping[str, Array]) -> None:
        for name in names:
            setattr(twin, name, params[name].copy())
            setattr(twin, f"d{name}", np.zeros(params[name].shape))

    params = {"x": x, **{name: np.array(getattr(layer, name), np.float64) for name in names}}
    at(params)
    R = rng.standard_normal(np.shape(twin.forward(x)))

    def loss(params: dict[str, Array]) -> Any:
        at(params)
        return np.sum(R * twin.forward(params["x"]))

    def grads(params: dict[str, Array]) -> dict[str, Array]:
        at(params)
        dx = twin.backward(params["x"], R.copy())
        return {"x": dx, **{name: getattr(twin, f"d{name}") for name in names}}

    constants = {"the number of rows": float(x.shape[0])} if x.ndim else {}
    title = f"gradient check of {type(layer).__name__}"
    return check_gradients(loss, params, grads, constants=constants, title=title, seed=seed)


def check_function(
    f: Callable[[Array], Any], df: Callable[[Array], Any], x: ArrayLike | None = None
) -> Report:
    """Check a derivative df of a function f that works entry by entry, at every point of x.

    f and df take a float64 array and return one of its shape. Without x: nine points on either
    side of 0, from 10 to 0.001. There is a Row for each point; a point within reach of a kink is
    UNSURE. For a gradient of several variables, use `check_gradients`.
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
    else:
        v, usual = np.ones(()), 1e-4 * float(np.abs(claimed).max(initial=0.0))
        for point, slope in zip(points, claimed):
            finite = derivative(functools.partial(at, point))
            here = at(point, 0.0)
            rows.append(_row(f"x={point:.4g}", np.array(slope), v, finite, None, here, 0.0, usual))
    name = getattr(f, "__name__", "f")
    method = "finite differences"
    return Report(
        f"derivative check of {name}", float("nan"), rows, method, stops, [], [], evaluations,
        time.perf_counter() - started, 0,
    )  # fmt: skip


def _as_float64(params: Mapping[str, ArrayLike]) -> tuple[dict[str, Array], list[str]]:
    """Copies of the parameters, and notes on what was done to them."""
    point, notes = {}, []
    for name, value in params.items():
        array = np.asarray(value)
        if array.dtype.kind not in "iuf":
            raise TypeError(
                f"params[{name!r}]: expected real numbers, got {array.dtype}; "
                "leave out what the loss is not to be differentiated by"
            )
        if array.size == 0:
            notes.append(f"{name} is empty, so there is nothing to check")
            continue
        if array.dtype != np.float64:
            notes.append(
                f"{name} is {array.dtype}: a float64 copy is checked, "
                "for differences of float32 have two or three digits"
                if array.dtype.kind == "f"
                else f"{name} is {array.dtype}: a float64 copy is checked"
            )
        point[name] = array.astype(np.float64)
    if not point:
        raise ValueError("params: expected at least one array with an entry, got none")
    return point, notes


def _guards(
    probe: Probe, grads: Gradients | Callable[[dict[str, Array]], Gradients], notes: list[str]
) -> tuple[dict[str, Array], float, list[str]]:
    """The gradients, the loss, and everything that makes a comparison meaningless."""
    stops: list[str] = []
    frozen = {name: array.copy() for name, array in probe.params.items()}

    def unchanged(who: str) -> None:
        for name, array in probe.params.items():
            if not np.array_equal(array, frozen[name]):
                stops.append(f"{who} changes {name} in place: work on a copy")
                array[...] = frozen[name]

    first = probe()
    unchanged("the loss")
    for part in first.values() if isinstance(first, Mapping) else (first,):
        if np.ndim(part) > 0:
            stops.append(
                f"the loss is an array of shape {np.shape(part)}: return one number, "
                "such as its mean"
            )
        elif np.asarray(part).dtype.kind not in "iuf":
            stops.append(f"the loss is {np.asarray(part).dtype}: return a real number")
    if stops:
        return {}, float("nan"), stops
    if any(np.asarray(p).dtype in (np.float32, np.float16) for p in _parts(first)):
        notes.append("the loss comes back as float32, with seven digits at most: use float64 in it")
    here, again = total(first), total(probe())
    if not abs(here) < HUGE:
        return {}, here, [f"the loss is {here:.3g}: check at a point where it is a usual number"]
    if here != again:
        stops.append(
            f"the loss is random: two calls with the same parameters gave {here:.9g} and "
            f"{again:.9g}. Draw the noise once, outside the loss, and pass it in"
        )
    arrays = _call(grads, probe.params)
    unchanged("backward")
    for name, array in probe.params.items():
        if name not in arrays:
            stops.append(f"there is no gradient for {name}: expected one of shape {array.shape}")
        elif arrays[name].shape != array.shape:
            why = _why_this_shape(arrays[name].shape, array.shape)
            stops.append(
                f"the gradient of {name} has shape {arrays[name].shape}, {name} has "
                f"{array.shape}{why}"
            )
        elif not (np.abs(arrays[name]) < HUGE).all():
            count = int((~(np.abs(arrays[name]) < HUGE)).sum())
            stops.append(f"the gradient of {name} has {count:,} entries that are NaN or infinite")
    known = [*probe.params, *(note.split()[0] for note in notes if "is empty" in note)]
    for name in arrays:
        if name not in known:
            stops.append(f"there is a gradient for {name}, but no such parameter: check its name")
    if callable(grads) and not stops:
        second = _call(grads, probe.params)
        different = [n for n in probe.params if not np.array_equal(arrays[n], second[n])]
        if different:
            name = different[-1]  # backprop meets it first
            why = "is noise drawn anew in it, or an array of forward overwritten?"
            if np.allclose(second[name], 2.0 * arrays[name], rtol=1e-9, atol=0.0):
                why = "the second is twice the first: gradients are added up, and not reset"
            stops.append(f"backward gives two different gradients, {name} first: {why}")
    return arrays, here, stops


def _parts(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, Mapping) else [value]


def _call(
    grads: Gradients | Callable[[dict[str, Array]], Gradients], params: dict[str, Array]
) -> dict[str, Array]:
    """The gradients as float64 copies, so that a second backward cannot overwrite them."""
    with np.errstate(all="ignore"):
        answer = grads(params) if callable(grads) else grads
    return {name: np.array(gradient, np.float64) for name, gradient in answer.items()}


def _why_this_shape(got: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if got == wanted[::-1]:
        return ": transposed?"
    if got[1:] == wanted or got[1:] == wanted[1:] == ():
        return ": not summed over the rows of the batch?"
    return ""


def _compare(
    probe: Probe,
    gradients: dict[str, Array],
    here: float,
    rng: np.random.Generator,
    progress: Progress[str],
) -> list[Row]:
    """A Row for each gradient: the worse of its random directions, and its worst entries."""
    trials: list[tuple[str, Array, Derivative]] = []
    for name in progress(list(probe.params)):
        for _ in range(DIRECTIONS):
            v = rng.standard_normal(probe.params[name].shape)
            v = v / np.linalg.norm(v)
            trials.append((name, v, probe.slope(name, v)))
    exact: list[float | None] = list(probe.confirm(trials)) or [None] * len(trials)
    rows = []
    for name in probe.params:
        candidates = []
        for (other, v, finite), slope in zip(trials, exact):
            if other == name:
                row = _row(name, gradients[name], v, finite, slope, here, probe.noise)
                if row.verdict == "FAIL" and slope is not None:
                    gap = abs(row.backprop - row.numerical)
                    if probe.complex_spread(name, v, rng) > 0.1 * gap:
                        row.verdict = "UNSURE"
                        row.note = "on a kink to the last digit: the slope is that of either side"
                candidates.append(row)
        row = min(candidates, key=lambda r: (_ORDER.index(r.verdict), r.digits))
        rows.append(row)
    wrong = [row for row in rows if row.verdict == "FAIL"]
    for row in wrong:
        count = WORST if row is wrong[-1] else 1
        row.worst = _worst_entries(probe, row.name, gradients[row.name], count, rng)
    return rows


_ORDER: tuple[Verdict, ...] = ("FAIL", "UNSURE", "PASS", "BLIND")


def _row(
    name: str,
    gradient: Array,
    v: Array,
    finite: Derivative,
    exact: float | None,
    here: float,
    noise: float,
    usual: float = 0.0,
) -> Row:
    """The verdict on one gradient along one direction v; `usual` is how large a slope is at least.

    numerical and bar are of the complex step (`exact`) if there is one, else of `finite`.
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
    note = ""
    verdict: Verdict
    if not gradient.any() and gap <= bar and usual == 0.0:
        verdict, note = "BLIND", "the gradient is 0 here, so nothing was tested"
    elif not np.isfinite(numerical):
        verdict, note = (
            "UNSURE",
            "no step gives a derivative: is the loss noisy, or not finite?",
        )
    elif exact is None and finite.status == "kink":
        verdict, note = "UNSURE", "a kink within reach of every step"
    elif gap <= bar:
        verdict = "PASS" if certain <= 10.0**-DIGITS * scale else "UNSURE"
        note = "" if verdict == "PASS" else "the slope drowns in the rounding of the loss"
    elif exact is not None and finite.status == "smooth" and gap <= K * finite.error:
        # only the complex step sees a difference: rounding inside backward
        verdict = "PASS" if finite.error <= 10.0**-DIGITS * scale else "UNSURE"
        note = "right, but computed with fewer digits than float64 has"
    elif exact is None and gap <= finite.hidden:
        verdict, note = "UNSURE", "a kink within reach of the smallest step could explain it"
    elif certain > 10.0**-DIGITS * scale and gap <= 10.0 * bar:
        verdict, note = "UNSURE", "the numerical side has too few digits to tell"
    else:
        verdict = "FAIL"
        if not finite.differences.any():
            note = "the loss does not move at all"
    return Row(
        name, gradient.shape, float(np.mean(gradient != 0.0)), backprop, numerical, bar,
        _digits(gap, scale), _digits(bar, scale), verdict, STEPS, gaps / (scale or 1.0),
        EPS * abs(here) / (scale or 1.0), note,
    )  # fmt: skip


def _digits(gap: float, scale: float) -> float:
    """How many decimal digits two numbers have in common that are `gap` apart: 0 to 17."""
    if scale == 0.0 or not np.isfinite(gap):
        return 0.0
    return max(0.0, min(17.0, -float(np.log10(max(gap / scale, 1e-17)))))


def _worst_entries(
    probe: Probe, name: str, gradient: Array, count: int, rng: np.random.Generator
) -> list[Entry]:
    """Up to `count` entries that are wrong, the worst first."""
    entries: list[Entry] = []
    scale = float(np.abs(gradient).max())
    while len(entries) < min(count, gradient.size):
        index = probe.worst_entry(name, gradient, [entry.index for entry in entries], rng)
        numerical, error = probe.entry(name, index, scale)
        entry = Entry(index, float(gradient[index]), numerical, error)
        if entries and abs(entry.backprop - numerical) <= error:
            break
        entries.append(entry)
    return sorted(entries, key=lambda entry: -abs(entry.backprop - entry.numerical))
