"""Problems that make a gradient check meaningless; they are looked for before any comparison."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.gradcheck.finite_differences import Array
from numpyvae.gradcheck.probe import Probe, total

HUGE = 1e100  # anything larger counts as infinite: its square overflows

Gradients = Mapping[str, ArrayLike]


def as_float64(params: Mapping[str, ArrayLike]) -> tuple[dict[str, Array], list[str]]:
    """Float64 copies of the parameters, and notes about the conversions."""
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
                "leave out entries that are not differentiated"
            )
        if array.size == 0:
            notes.append(f"{name} is empty, so there is nothing to check")
            continue
        if array.dtype != np.float64:
            notes.append(
                f"{name} is {array.dtype}: a float64 copy is checked, "
                f"because differences of {array.dtype} have too few digits"
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


def as_seed(rng: np.random.Generator | int) -> int:
    """A seed: the one that is given, or one that the Generator draws. ValueError for others."""
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**63))
    if isinstance(rng, bool) or not isinstance(rng, int | np.integer) or rng < 0:
        raise ValueError(f"rng: expected a seed or a Generator, got {rng!r}")
    return int(rng)


def warm_up(
    probe: Probe, grads: Gradients | Callable[[dict[str, Array]], Gradients], seed: int
) -> None:
    """Call loss and backward at another point first.

    An array that one of them keeps from its first call, by mistake, is then a wrong one.
    """
    rng = np.random.default_rng([seed, 1])
    point = {
        name: array + 1e-3 * (1.0 + np.abs(array)) * rng.standard_normal(array.shape)
        for name, array in probe.params.items()
    }
    with suppress(Exception), np.errstate(all="ignore"):  # outside its domain, it may fail
        probe.loss({name: array.copy() for name, array in point.items()})
        if callable(grads):
            grads(point)


def guards(
    probe: Probe,
    grads: Gradients | Callable[[dict[str, Array]], Gradients],
    names: Collection[str],
    notes: list[str],
) -> tuple[dict[str, Array], float, list[str]]:
    """The gradients, the loss, and the problems that make a comparison meaningless.

    `names` are those of all parameters, including empty ones, which the probe leaves out.
    """
    frozen = {name: array.copy() for name, array in probe.params.items()}
    problems: list[str] = []

    def unchanged(who: str) -> None:
        for name, array in probe.params.items():
            if not np.array_equal(array, frozen[name]):
                problems.append(f"{who} changes {name} in place: work on a copy")
                array[...] = frozen[name]

    value = probe({})
    unchanged("the loss")
    problems += _problems_of_the_loss(value)
    if problems:
        return {}, float("nan"), problems
    if any(np.asarray(p).dtype in (np.float32, np.float16) for p in _parts(value)):
        notes.append("the loss comes back as float32, with at most seven digits: use float64 in it")
    here, again = total(value), total(probe({}))
    if not abs(here) < HUGE:
        return {}, here, [f"the loss is {here:.3g}: check at a point where it is of ordinary size"]
    if here != again:
        problems.append(
            f"the loss is random: two calls with the same parameters gave {here:.9g} and "
            f"{again:.9g}. Draw the noise once, outside the loss, and pass it in"
        )
    gradients = _call(grads, probe.params)
    unchanged("backward")
    problems += _problems_of_the_gradients(gradients, probe.params, names)
    if callable(grads) and not problems:
        calls = [gradients, _call(grads, probe.params), _call(grads, probe.params)]
        problems += _problems_of_other_calls(calls, probe.params)
    return gradients, here, problems


def _problems_of_the_loss(value: Any) -> Iterator[str]:
    """The loss, or each of its terms, is one real number."""
    for part in _parts(value):
        if np.ndim(part) > 0:
            yield (
                f"the loss is an array of shape {np.shape(part)}: return one number, "
                "such as its mean"
            )
        elif np.asarray(part).dtype.kind not in "iuf":
            yield f"the loss is {part!r}: return a real number"


def _problems_of_the_gradients(
    gradients: dict[str, Array], params: dict[str, Array], names: Collection[str]
) -> Iterator[str]:
    """There is a finite real gradient of the right shape for each parameter, and no other."""
    for name, array in params.items():
        if name not in gradients:
            yield f"there is no gradient for {name}: expected one of shape {array.shape}"
            continue
        gradient = gradients[name]
        if gradient.dtype != np.float64:
            yield f"the gradient of {name} is not real numbers: {gradient.dtype}"
        elif gradient.shape != array.shape:
            why = _why_this_shape(gradient.shape, array.shape)
            shapes = f"shape {gradient.shape}, {name} has {array.shape}"
            yield f"the gradient of {name} has {shapes}{why}"
        elif not (np.abs(gradient) < HUGE).all():
            count = int((~(np.abs(gradient) < HUGE)).sum())
            yield f"the gradient of {name} has {count:,} entries that are NaN or infinite"
    for name in gradients:
        if name not in names:
            yield f"there is a gradient for {name}, but no such parameter: check its name"


def _problems_of_other_calls(
    calls: list[dict[str, Array]], params: dict[str, Array]
) -> Iterator[str]:
    """Three calls of backward give the same gradients."""
    different = [name for name in params if not np.array_equal(calls[0][name], calls[1][name])]
    if different:
        name = different[-1]  # the one nearest the loss
        why = "does backward draw new noise, or overwrite an array of forward?"
        steps = calls[1][name] - calls[0][name], calls[2][name] - calls[1][name]
        if np.allclose(*steps, rtol=1e-9, atol=1e-9 * float(np.abs(steps[0]).max())):
            why = (
                "each call adds the same to the one before: gradients are added up, and not reset; "
                "set them to 0 when backward begins"
            )
        yield f"backward gives two different gradients, {name} first: {why}"


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
