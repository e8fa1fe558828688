"""What makes a gradient check meaningless, looked for before anything is compared."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.gradcheck.probe import Probe, total
from numpyvae.parameters import Array

HUGE = 1e100  # what is larger might as well be infinite: its square overflows

Gradients = Mapping[str, ArrayLike]


def as_float64(params: Mapping[str, ArrayLike]) -> tuple[dict[str, Array], list[str]]:
    """Copies of the parameters, and notes on what was done to them."""
    if not isinstance(params, Mapping):
        raise TypeError(
            f"params: expected a dictionary of arrays, got {type(params).__name__}; "
            'give it a name, such as {"w": w}'
        )
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
                f"for differences of {array.dtype} have too few digits"
                if array.dtype.kind == "f"
                else f"{name} is {array.dtype}: a float64 copy is checked"
            )
        point[name] = array.astype(np.float64)
        if not np.isfinite(point[name]).all():
            count = int((~np.isfinite(point[name])).sum())
            raise ValueError(
                f"params[{name!r}]: {count:,} entries are NaN or infinite; replace them"
            )
    if not point:
        raise ValueError("params: expected at least one array with an entry, got none")
    return point, notes


def guards(
    probe: Probe,
    grads: Gradients | Callable[[dict[str, Array]], Gradients],
    names: Collection[str],
    notes: list[str],
) -> tuple[dict[str, Array], float, list[str]]:
    """The gradients, the loss, and everything that makes a comparison meaningless.

    `names` are those of all parameters, also of empty ones, which the probe leaves out.
    """
    stops: list[str] = []
    frozen = {name: array.copy() for name, array in probe.params.items()}

    def unchanged(who: str) -> None:
        for name, array in probe.params.items():
            if not np.array_equal(array, frozen[name]):
                stops.append(f"{who} changes {name} in place: work on a copy")
                array[...] = frozen[name]

    first = probe({})
    unchanged("the loss")
    for part in _parts(first):
        if np.ndim(part) > 0:
            stops.append(
                f"the loss is an array of shape {np.shape(part)}: return one number, "
                "such as its mean"
            )
        elif np.asarray(part).dtype.kind not in "iuf":
            stops.append(f"the loss is {part!r}: return a real number")
    if stops:
        return {}, float("nan"), stops
    if any(np.asarray(p).dtype in (np.float32, np.float16) for p in _parts(first)):
        notes.append("the loss comes back as float32, with seven digits at most: use float64 in it")
    here, again = total(first), total(probe({}))
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
        elif arrays[name].dtype != np.float64:
            stops.append(f"the gradient of {name} is not real numbers: {arrays[name].dtype}")
        elif arrays[name].shape != array.shape:
            why = _why_this_shape(arrays[name].shape, array.shape)
            stops.append(
                f"the gradient of {name} has shape {arrays[name].shape}, {name} has "
                f"{array.shape}{why}"
            )
        elif not (np.abs(arrays[name]) < HUGE).all():
            count = int((~(np.abs(arrays[name]) < HUGE)).sum())
            stops.append(f"the gradient of {name} has {count:,} entries that are NaN or infinite")
    for name in arrays:
        if name not in names:
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
    if not isinstance(answer, Mapping):
        raise TypeError(
            f"grads: expected a dictionary with a gradient for each of params, "
            f"got {type(answer).__name__}; name them as the params are"
        )
    arrays = {name: np.array(gradient) for name, gradient in answer.items()}
    return {n: a.astype(np.float64) if a.dtype.kind in "iuf" else a for n, a in arrays.items()}


def _why_this_shape(got: tuple[int, ...], wanted: tuple[int, ...]) -> str:
    if len(got) > 1 and got == wanted[::-1]:
        return ": transposed?"
    if got == (1, *wanted):
        return ": keepdims?"
    if got[1:] == wanted and len(got) > len(wanted):
        return ": not summed over the rows of the batch?"
    return ""
