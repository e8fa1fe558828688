"""Yours against exact: where two results differ, and by which factor."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from numpyvae.course.exercise import SIZES
from numpyvae.course.guard import Fault
from numpyvae.support.types import Array

SINGLE = 3e-6  # the relative error of float32 arithmetic
Leaves = dict[str, Any]  # the arrays and numbers of a result, by name


def leaves(result: Any, like: Any, names: str, name: str = "") -> Leaves:
    """The parts of `result`, which must have the structure of `like`; raises Fault otherwise."""
    if isinstance(like, tuple):
        return dict(_of_tuple(result, like, names))
    if isinstance(like, dict):
        return dict(_of_dict(result, like, name))
    return {name: _number(result, name)}


def _of_tuple(result: Any, like: tuple[Any, ...], names: str) -> Iterator[tuple[str, Any]]:
    if result is None:
        raise _nothing("")
    sized = isinstance(result, tuple | list) or (isinstance(result, np.ndarray) and result.ndim)
    count = len(result) if sized else 1
    if count != len(like):
        got = count if sized else f"a value of type {type(result).__name__}"
        problem = f"Expected {len(like)} results, {names}; got {got}."
        raise Fault("wrong type", problem)
    for name, part, exact in zip(names.split(", "), result, like):
        yield from leaves(part, exact, names, name).items()


def _of_dict(result: Any, like: dict[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    if result is None:
        raise _nothing(name)
    if not isinstance(result, Mapping):
        kind = type(result).__name__
        raise Fault("wrong type", f"{name or 'The result'} is a {kind}; expected a dictionary.")
    missing = [key for key in like if key not in result]
    if missing:
        raise Fault("wrong type", f"These entries are missing: {', '.join(missing)}.")
    for key, exact in like.items():
        yield from leaves(result[key], exact, "", f"{name} of {key}" if name else key).items()


def _number(value: Any, name: str) -> Array:
    """The value as an array."""
    if value is None:
        raise _nothing(name)
    try:
        found = np.array(value)  # a copy: the next call may write into the same array
        if found.dtype.kind not in "biufc":
            raise TypeError
    except Exception:
        what = name or "The result"
        kind = type(value).__name__
        raise Fault("wrong type", f"{what} is not an array of numbers, but {kind}{_shown(value)}"
                    ) from None  # fmt: skip
    if found.dtype.kind == "c":
        raise Fault("wrong type", f"{name or 'The result'} is complex: is it the root of a "
                    "negative number?")  # fmt: skip
    if np.ma.is_masked(value):
        raise Fault("wrong type", f"{name or 'The result'} has masked entries.")
    return found


def _shown(value: Any) -> str:
    """The beginning of a value, as Python prints it."""
    try:
        return f": {' '.join(repr(value).split())[:60]}"
    except Exception:
        return ""


def _nothing(name: str) -> Fault:
    what = f"{name} is None" if name else "It returns None"
    return Fault("wrong type", f"{what}: is a `return` missing?")


def agrees(found: Array, exact: Array, tolerance: float) -> bool:
    """True if the arrays agree within `tolerance` of the largest finite entry of `exact`.

    An array with a single entry agrees with the number `exact` if the values do.
    """
    found, exact = np.asarray(found), np.asarray(exact)
    if found.size == 1 and exact.ndim == 0:
        found = found.reshape(())
    if found.shape != exact.shape or (exact.dtype == bool and not np.isin(found, (0, 1)).all()):
        return False
    found, exact = found * 1, exact * 1  # True is 1
    scale = float(np.abs(exact[np.isfinite(exact)]).max(initial=0.0)) or 1.0
    with np.errstate(invalid="ignore"):  # ∞ − ∞ is not a number
        close = np.abs(found - exact) <= tolerance * scale
    same = (found == exact) | (np.isnan(found) & np.isnan(exact))
    return bool((close | same).all())


def difference(found: Array, exact: Array, name: str, why: str) -> str:
    """Yours and exact in words: the shapes, or the entry in which they differ most."""
    found, exact = np.asarray(found), np.asarray(exact)
    if found.size == 1 and exact.ndim == 0:
        found = found.reshape(())
    prefix = f"{name}: " if name else ""
    if found.shape != exact.shape:
        return _of_shape(found, exact, prefix)
    if exact.dtype == bool and exact.ndim == 0 and np.isin(found, (0, 1)).all():
        yours, right = ("yes" if flag else "no" for flag in (found, exact))
        return f"{prefix}{yours}; expected {right} ({why})"
    with np.errstate(invalid="ignore"):
        distance = np.nan_to_num(np.abs(found * 1.0 - exact * 1.0), nan=np.inf)
    worst = np.unravel_index(distance.argmax(), exact.shape)
    index = f"[{', '.join(map(str, worst))}]" if exact.ndim else ""
    place = f"{name}{index}: " if name else (f"at {index}: " if index else "")
    if exact.dtype == bool and np.isin(found, (0, 1)).all():
        yours, right = str(bool(found[worst])), str(bool(exact[worst]))
    else:
        yours, right = _numbers(found[worst] * 1, exact[worst] * 1)
    return f"{place}yours {yours}   exact {right} ({why})"


def _of_shape(found: Array, exact: Array, prefix: str) -> str:
    remark = ""
    if found.shape == exact.shape[::-1]:
        same = min(exact.shape) > 1 and agrees(found.T, exact, SINGLE)
        remark = "; it is transposed" if same else "; is it transposed?"
    elif [n for n in found.shape if n > 1] == [n for n in exact.shape if n > 1] and (
        found.ndim > exact.ndim
    ):
        remark = f"; remove the axes of length 1, as .reshape{exact.shape} does".replace(",)", ")")
    return f"{prefix}yours has shape {found.shape}, expected {exact.shape}{remark}"


def _numbers(found: float, exact: float) -> tuple[str, str]:
    """Both numbers, with as many digits as show the difference."""
    for digits in (6, 9, 12, 17):
        yours, right = f"{found:.{digits}g}", f"{exact:.{digits}g}"
        if yours != right:
            break
    if digits > 6 and found and math.isfinite(found):
        same = int(-math.log10(abs(found - exact) / abs(exact))) if exact else 0
        right += f", equal in {same} digits only: is there float32, or an added small number?"
    return yours, right


def factor(found: Leaves, exact: Leaves, part: str) -> float | None:
    """The number r with found = r exact in every entry of a part, if there is one."""
    yours, right = np.asarray(found[part]) * 1.0, np.asarray(exact[part]) * 1.0
    if yours.shape != right.shape or not np.isfinite(yours).all():
        return None
    size = float((right**2).sum())
    if size == 0 or not math.isfinite(size):
        return None
    r = float((yours * right).sum()) / size
    return r if r and agrees(yours, r * right, 1e-9) else None


def name_of_factor(factors: list[tuple[float, Mapping[str, int]]]) -> str:
    """A factor in words, if the same words hold for all: "always −1", "always 1 / B"."""
    values = [value for value, _ in factors]
    if len(factors) < 2:
        return ""
    for constant, words in ((-1.0, "−1"), (2.0, "2"), (0.5, "½"), (-2.0, "−2"), (-0.5, "−½")):
        if all(math.isclose(value, constant, rel_tol=1e-6) for value in values):
            return f"always {words}"
    sized = [(value, sizes) for value, sizes in factors if sizes]
    for letter, words in SIZES.items():
        known = [(value, sizes[letter]) for value, sizes in sized if letter in sizes]
        if len({size for _, size in known}) < 2:
            continue
        for text, power in ((words, 1), (f"1 / {words}", -1)):
            if all(math.isclose(value, size**power, rel_tol=1e-6) for value, size in known):
                return f"always {text}"
    if all(math.isclose(value, values[0], rel_tol=1e-6) for value in values):
        return f"always {values[0]:.4g}"
    return ""
