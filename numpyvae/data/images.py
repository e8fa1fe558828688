"""Images as pixels x in [0, 1]: checked, converted, binarized, corrupted."""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from numpyvae.support.types import Array

Pixels = Literal["grey", "thresholded", "dynamic"]


def check_images(name: str, images: Any, image_shape: tuple[int, ...]) -> Array:
    """`images` as an array (N, X) of uint8, bool, or floats in [0, 1], X the pixels of an image.

    The images may be (N, X) or (N, height, width). They are not copied, so full MNIST stays uint8.
    Raises ValueError for images on which a model would silently train wrongly.
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
    if array.size == 0:
        raise ValueError(f"{name}: expected at least one image, got none (shape {array.shape})")
    if array.dtype == np.uint8:
        if (
            0 < array.max() <= 16
        ):  # binary or 4-bit images: divided by 255 they would be almost black
            raise ValueError(
                f"{name}: uint8 is read as 0 to 255, but the largest value is {array.max()}; "
                f"pass floats in [0, 1], such as images / {array.max()}"
            )
    elif array.dtype.kind == "f":
        low, high = array.min(), array.max()  # both are NaN if any entry is
        if not (low >= 0.0 and high <= 1.0):
            got = f"{array.dtype} from {low:g} to {high:g}"
            remedy = (
                "divide by 255" if low >= 0 and 128 <= high <= 255 else "rescale them to [0, 1]"
            )
            if np.isnan(low):
                got, remedy = f"{np.isnan(array).sum():,} NaN", "remove or replace them"
            raise ValueError(f"{name}: expected values in [0, 1] or uint8, got {got}; {remedy}")
    elif array.dtype != bool:
        raise ValueError(
            f"{name}: expected uint8, bool, or floats in [0, 1], got {array.dtype}; "
            "rescale them to floats in [0, 1]"
        )
    return array


def as_pixels(images: Array, dtype: DTypeLike, out: Array | None = None) -> Array:
    """x = images / 255 for uint8, x = images otherwise; (N, X) of the given real dtype."""
    if images.dtype == np.uint8:
        return np.divide(images, 255.0, dtype=dtype, out=out)
    if out is None:
        return images.astype(dtype, copy=False)
    out[:] = images
    return out


def check_pixels(name: str, images: Any, image_shape: tuple[int, ...], dtype: DTypeLike) -> Array:
    """`check_images`, then `as_pixels`: pixels x (N, X) in [0, 1] of the given real dtype."""
    return as_pixels(check_images(name, images, image_shape), dtype)


def binarize(x: Array, pixels: Pixels, rng: np.random.Generator) -> Array:
    """Grey: x itself. Thresholded: 1 where x > ½. Dynamic: 1 with probability x, drawn anew."""
    if pixels == "thresholded":
        return (x > 0.5).astype(x.dtype)
    if pixels == "dynamic":
        return (rng.random(x.shape, x.dtype) < x).astype(x.dtype)
    return x


def corrupt(x: Array, noise: float, rng: np.random.Generator) -> Array:
    """x + noise · N(0, 1), clipped to [0, 1]: the input of a denoising VAE."""
    return np.clip(x + noise * rng.standard_normal(x.shape, x.dtype), 0.0, 1.0)
