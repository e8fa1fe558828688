"""Checks of a learner's function that say in words how its result differs."""

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.support.types import Array

NO_MISTAKES: Mapping[str, ArrayLike] = {}


class NotYet(AssertionError):  # noqa: N818  (a verdict, not an error of the program)
    """An exercise is not right yet. A notebook shows the message without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """The lines that IPython shows in place of a traceback."""
        return str(self).splitlines()


def call(function: Callable[..., Any], *arguments: Any, returns: str = "a value") -> Any:
    """The result of a learner's function as an array, or as several arrays.

    `returns` names the results, for example "dx, dW, db". Raises NotYet, in words, if the function
    is not written yet, returns nothing or the wrong number of results, changes an argument, or
    fails in its arithmetic (inside np.errstate(over="raise"), also if it overflows).
    """
    name, before = function.__name__, copy.deepcopy(arguments)
    try:
        result = function(*arguments)
    except NotImplementedError as error:
        raise NotYet(str(error)) from None
    except ArithmeticError as error:
        raise NotYet(f"{name}: not yet\n  {error}") from None
    for parameter, given, now in zip(inspect.signature(function).parameters, before, arguments):
        if not _same(given, now):
            remedy = "work on a copy, and return new arrays"
            raise NotYet(f"{name}: not yet\n  it has changed its argument {parameter}; {remedy}")
    if result is None:
        raise NotYet(f"{name}: not yet\n  it returns None: is a `return` missing?")
    names = returns.split(", ")
    if len(names) == 1:
        return _returned(name, result)
    count = len(result) if isinstance(result, tuple | list) else 1
    if count != len(names):
        raise NotYet(f"{name}: not yet\n  expected {len(names)} results, {returns}; got {count}")
    return tuple(_returned(f"{name}: {part}", value) for part, value in zip(names, result))


def _same(before: Any, now: Any) -> bool:
    """True if an argument, an array or a dictionary of arrays, has not changed."""
    if isinstance(now, dict):
        return before.keys() == now.keys() and all(_same(before[key], now[key]) for key in now)
    return not isinstance(now, np.ndarray) or np.array_equal(before, now)


def _returned(name: str, value: Any) -> Array:
    """The value as an array. Lists are refused, because later cells compute with the value."""
    if isinstance(value, list | tuple):
        kind = type(value).__name__
        raise NotYet(
            f"{name}: not yet\n  yours is a {kind}; return an array, as np.array(...) does"
        )
    return _as_array(name, value)


def _as_array(name: str, value: Any) -> Array:
    try:
        return np.asarray(value) * 1
    except (TypeError, ValueError):
        raise NotYet(
            f"{name}: not yet\n  yours is not an array of numbers, but {value!r}"
        ) from None


def expect(
    name: str,
    yours: ArrayLike | None,
    exact: ArrayLike,
    why: str,
    *,
    given: str = "",
    mistakes: Mapping[str, ArrayLike] = NO_MISTAKES,
    tolerance: float = 1e-9,
) -> None:
    """Raise NotYet, in words, unless `yours` is `exact` within `tolerance` of its largest entry.

    name       the name of the value, such as "kl_divergence" or "dense_backward: dW"
    why        the source of the exact value, such as "by hand: ½ · 2²"
    given      the input, as a learner would type it
    mistakes   the values that known mistakes give, each with a sentence that names the mistake

    Of an array, the entry with the largest error is shown, with its index.
    """
    head = f"{name}: not yet" + (f", for {given}" if given else "")
    if yours is None:
        raise NotYet(f"{head}\n  yours is None: is a `return` missing?")
    found, right = _as_array(name, yours), np.asarray(exact)
    if found.shape != right.shape:
        turned = found.shape == right.shape[::-1]
        remark = "; is it transposed?" if turned else ""
        raise NotYet(f"{head}\n  yours has shape {found.shape}, expected {right.shape}{remark}")

    def agrees(value: Array) -> bool:
        scale = float(np.abs(value[np.isfinite(value)]).max(initial=0.0)) or 1.0
        with np.errstate(invalid="ignore"):  # ∞ − ∞ is not a number
            close = np.abs(found - value) <= tolerance * scale
        return bool((close | (found == value)).all())

    if agrees(right):
        return
    with np.errstate(invalid="ignore"):
        distance = np.nan_to_num(np.abs(found - right), nan=np.inf)
    worst = np.unravel_index(distance.argmax(), right.shape)
    place = f"at [{', '.join(map(str, worst))}]: " if right.ndim else ""
    line = f"  {place}yours {found[worst]:.7g}   exact {right[worst]:.7g} ({why})"
    if right[worst] != 0 and np.isfinite(found[worst]) and found[worst] != 0:
        line += f"   ratio {found[worst] / right[worst]:.4g}"
    said = [f"  {sentence}" for sentence, value in mistakes.items() if agrees(np.asarray(value))]
    raise NotYet("\n".join([head, line, *said[:1]]))
