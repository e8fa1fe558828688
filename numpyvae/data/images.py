"""Images as pixels x in [0, 1]: checked, converted, binarized, corrupted."""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import DTypeLike

from numpyvae.support.inputs import LARGEST
from numpyvae.support.types import Array

Pixels = Literal["grey", "thresholded", "dynamic"]


def check_images(
    name: str,
    images: Any,
    image_shape: tuple[int, ...],
    lowest: float = 0.0,
    highest: float = 1.0,
) -> Array:
    """`images` as an array (N, X) of uint8, bool, or floats in [0, 1], X the pixels of an image.

    Another range of floats, `lowest` to `highest`, is for likelihoods that accept it.

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
        _check_floats(name, array, lowest, highest)
    elif array.dtype != bool:
        floats = f"floats{_range(lowest, highest)}"
        raise ValueError(
            f"{name}: expected uint8, bool, or {floats}, got {array.dtype}; "
            f"rescale them to {floats}"
        )
    return array


def _check_floats(name: str, array: Array, lowest: float, highest: float) -> None:
    """Raise ValueError for floats that are not finite, also in float32, or outside of the range."""
    low, high = array.min(), array.max()  # both are NaN if any entry is
    if lowest <= low and high <= highest and -LARGEST <= low and high <= LARGEST:
        return
    got = f"{array.dtype} from {low:.10g} to {high:.10g}"
    remedy = f"rescale them to [{lowest:g}, {highest:g}]"
    if low >= 0 and 128 <= high <= 255:
        remedy = "divide by 255"
    elif math.isinf(lowest) or math.isinf(highest):
        remedy = "see where they come from"
    if np.isnan(low):
        got, remedy = f"{np.isnan(array).sum():,} NaN", "remove or replace them"
    wanted = f"values{_range(lowest, highest)}"
    raise ValueError(f"{name}: expected {wanted} or uint8, got {got}; {remedy}")


def _range(lowest: float, highest: float) -> str:
    """As " in [0, 1]", " of at least 0", or nothing."""
    if math.isfinite(lowest) and math.isfinite(highest):
        return f" in [{lowest:g}, {highest:g}]"
    least = f" of at least {lowest:g}" if math.isfinite(lowest) else ""
    return least or (f" of at most {highest:g}" if math.isfinite(highest) else "")


def as_pixels(images: Array, dtype: DTypeLike) -> Array:
    """x = images / 255 for uint8, x = images otherwise; (N, X) of the given real dtype."""
    if images.dtype == np.uint8:
        return np.divide(images, 255.0, dtype=dtype)
    return images.astype(dtype, copy=False)


def images_for(model: Any, name: str, images: Any, pixels: Pixels = "grey") -> Array:
    """`images` as an array (N, X), not copied, if the model can take them; else ValueError.

    Thresholded and dynamic pixels are made from values in [0, 1], whatever else the model takes.
    """
    accepted = (0.0, 1.0)
    if pixels == "grey":
        accepted = (model.likelihood.lowest, model.likelihood.highest)
    return check_images(name, images, model.image_shape, *accepted)


def pixels_for(model: Any, name: str, images: Any) -> Array:
    """`images` as pixels x (N, X) of the dtype of the model, if it can take them."""
    return as_pixels(images_for(model, name, images), model.parameters.value.real.dtype)


def binarize(x: Array, pixels: Pixels, rng: np.random.Generator) -> Array:
    """Grey: x itself. Thresholded: 1 where x > ½. Dynamic: 1 with probability x, drawn anew."""
    if pixels == "thresholded":
        return (x > 0.5).astype(x.dtype)
    if pixels == "dynamic":
        return (rng.random(x.shape, x.dtype) < x).astype(x.dtype)
    return x


def corrupt(
    x: Array,
    noise: float,
    rng: np.random.Generator,
    lowest: float = 0.0,
    highest: float = 1.0,
) -> Array:
    """x + noise · N(0, 1), clipped to the pixels there are: the input of a denoising VAE."""
    return np.clip(x + noise * rng.standard_normal(x.shape, x.dtype), lowest, highest)
