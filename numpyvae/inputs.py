"""What comes in from outside: checked once, with an error that names the thing and the remedy."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from numpyvae.parameters import Array


def check_count(name: str, value: Any, least: int = 1) -> int:
    """`value` as an int of at least `least`; else a ValueError that names it."""
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if count < least or isinstance(value, bool):
        raise ValueError(f"{name}: expected a whole number of at least {least}, got {value!r}")
    return count


def check_counts(name: str, value: Any, length: int | None = None) -> tuple[int, ...]:
    """`value`, a whole number or a tuple of them (of this length), each at least 1, as a tuple."""
    counts = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    if len(counts) == 0 or length not in (None, len(counts)):
        raise ValueError(f"{name}: expected {length or 'some'} whole numbers, got {value!r}")
    return tuple(check_count(name, count) for count in counts)


def check_number(name: str, value: Any, *, positive: bool = False) -> float:
    """`value` as a finite float, at least 0 or (`positive`) above 0; else a ValueError."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number) or number < 0.0 or (positive and number == 0.0):
        wanted = "above 0" if positive else "of at least 0"
        raise ValueError(f"{name}: expected a finite number {wanted}, got {value!r}")
    return number


def check_fraction(name: str, value: Any) -> float:
    """`value` as a float in [0, 1); else a ValueError."""
    number = check_number(name, value)
    if number >= 1.0:
        raise ValueError(f"{name}: expected a number of at least 0 and below 1, got {value!r}")
    return number


def check_images(name: str, images: Any, image_shape: tuple[int, ...]) -> Array:
    """`images` as an array (N, X) of uint8, bool, or floats in [0, 1], X the pixels of an image.

    Nothing is copied that need not be: full MNIST stays uint8. Images may come as (N, X) or as
    (N, height, width). Raises ValueError for anything a model would train on silently and wrongly.
    """
    array = np.asarray(images)
    width = math.prod(image_shape)
    size = " x ".join(map(str, image_shape))
    if array.ndim > 2 and array.shape[1:] == image_shape:
        array = array.reshape(len(array), width)
    if array.ndim != 2 or array.shape[1] != width:
        raise ValueError(
            f"{name}: expected shape (N, {width}) for images of {size} pixels, got {array.shape}; "
            "reshape them, or build the VAE with their image_shape"
        )
    if len(array) == 0:
        raise ValueError(f"{name}: expected at least one image, got none (shape {array.shape})")
    if array.dtype == np.uint8:
        if array.max() == 1:
            raise ValueError(
                f"{name}: uint8 is read as 0 to 255, but the largest value is 1; "
                "pass binary images as images.astype(bool)"
            )
    elif array.dtype.kind == "f":
        low, high = array.min(), array.max()  # NaN wins in both
        if not (low >= 0.0 and high <= 1.0):
            got = f"{array.dtype} from {low:g} to {high:g}"
            remedy = "divide by 255" if low >= 0 and 1 < high <= 255 else "rescale or repair them"
            if np.isnan(low):
                got, remedy = f"{np.isnan(array).sum():,} NaN", "remove or replace them"
            raise ValueError(f"{name}: expected values in [0, 1] or uint8, got {got}; {remedy}")
    elif array.dtype != bool:
        raise ValueError(
            f"{name}: expected uint8, bool, or floats in [0, 1], got {array.dtype}; "
            "convert with images.astype(np.uint8)"
        )
    return array


def as_pixels(images: Array, dtype: DTypeLike, out: Array | None = None) -> Array:
    """x = images / 255 for uint8, the images themselves else; (N, X) of the given real dtype."""
    if images.dtype == np.uint8:
        return np.divide(images, 255.0, dtype=dtype, out=out)
    if out is None:
        return images.astype(dtype, copy=False)
    out[:] = images
    return out


def check_pixels(name: str, images: Any, image_shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """Checked images as pixels x (N, X) in [0, 1], of the given real dtype."""
    return as_pixels(check_images(name, images, image_shape), dtype)


def check_array(name: str, value: Any, shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """`value` as an array of this shape (−1: any length) and dtype, if it holds finite numbers."""
    array = np.asarray(value)
    if array.ndim != len(shape) or any(w not in (-1, n) for w, n in zip(shape, array.shape)):
        wanted = str(shape).replace("-1", "N")
        raise ValueError(f"{name}: expected shape {wanted}, got {array.shape}; reshape it")
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        got = array.dtype if array.dtype.kind not in "biuf" else "NaN or infinity"
        raise ValueError(f"{name}: expected finite numbers, got {got}; look where it comes from")
    return array.astype(dtype, copy=False)
