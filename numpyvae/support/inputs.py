"""Checks of arguments. Each error names the argument, the problem and the remedy."""

from __future__ import annotations

import math
import operator
import reprlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from numpyvae.support.types import Array

shown = reprlib.Repr()  # a value in an error: as repr, but never longer than a line
shown.maxstring = shown.maxother = 60
MOST = 2**31 - 1  # the largest index of BLAS; a larger count is a mistake
LARGEST = 1e30  # float32 ends at 3.4e38; a larger weight or step would overflow at once


def check_count(name: str, value: Any, least: int = 1) -> int:
    """`value` as an int of at least `least`; raises ValueError otherwise."""
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if count < least or isinstance(value, bool):
        raise ValueError(
            f"{name}: expected a whole number of at least {least}, got {shown.repr(value)}"
        )
    if count > MOST:
        raise ValueError(f"{name}: expected a whole number up to {MOST}, got {shown.repr(value)}")
    return count


def check_counts(name: str, value: Any, length: int | None = None) -> tuple[int, ...]:
    """`value`, one whole number or several (`length` of them), each at least 1, as a tuple."""
    counts = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(counts) == 0 or length not in (None, len(counts)):
        raise ValueError(
            f"{name}: expected {length or 'some'} whole numbers, got {shown.repr(value)}"
        )
    return tuple(check_count(name, count) for count in counts)


def check_number(name: str, value: Any, *, positive: bool = False) -> float:
    """`value` as a float, ≥ 0 or (`positive`) > 0, ≤ LARGEST; raises ValueError otherwise."""
    try:
        number = math.nan if isinstance(value, bool | np.bool_ | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or number < 0.0 or (positive and number == 0.0):
        wanted = "above 0" if positive else "of at least 0"
        raise ValueError(f"{name}: expected a finite number {wanted}, got {shown.repr(value)}")
    if number > LARGEST:
        raise ValueError(f"{name}: expected a number up to {LARGEST:g}, got {shown.repr(value)}")
    return number


def check_fraction(name: str, value: Any) -> float:
    """`value` as a float in [0, 1); raises ValueError otherwise."""
    number = check_number(name, value)
    if number >= 1.0:
        raise ValueError(
            f"{name}: expected a number of at least 0 and below 1, got {shown.repr(value)}"
        )
    return number


def check_choice(name: str, value: Any, choices: Iterable[str]) -> str:
    """`value` if it is one of the choices; raises ValueError otherwise."""
    if value not in (choices := tuple(choices)):
        raise ValueError(f"{name}: expected one of {', '.join(choices)}, got {shown.repr(value)}")
    return str(value)


def check_rng(rng: Any) -> np.random.Generator:
    """`rng`, a Generator or a seed, as a Generator; raises ValueError otherwise."""
    if isinstance(rng, np.random.Generator):
        return rng
    try:
        return np.random.default_rng(check_count("rng", rng, least=0))
    except ValueError:
        raise ValueError(f"rng: expected a seed or a Generator, got {shown.repr(rng)}") from None


def check_array(name: str, value: Any, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """`value` as an array of finite numbers of this shape (−1: any length) and dtype."""
    array = np.asarray(value)
    if array.ndim != len(shape) or any(w not in (-1, n) for w, n in zip(shape, array.shape)):
        wanted = str(shape).replace("-1", "N")
        raise ValueError(f"{name}: expected shape {wanted}, got {array.shape}; reshape it")
    problem: object = None
    if array.dtype.kind not in "biuf":
        problem = array.dtype
    else:
        with np.errstate(over="ignore", invalid="ignore"):  # a float64 may not fit into a float32
            array = array.astype(dtype, copy=False)
        if not np.isfinite(array).all():
            problem = "NaN or infinity"
    if problem is not None:
        raise ValueError(f"{name}: expected finite numbers, got {problem}; see where it comes from")
    return array
