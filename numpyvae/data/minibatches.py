"""Minibatches: the input x, the noise ε and the target of each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.data.images import Pixels, as_pixels, binarize, corrupt, pixels_for
from numpyvae.support.inputs import check_array, check_choice, check_count, check_number
from numpyvae.support.types import Array

Minibatch = tuple[Array, Array, Array | None]  # x (B, X), eps (B, …), target (B, X) or None


class Minibatches:
    """Minibatches of images, as a model is trained on them.

    batch_size  images in each; the last may have fewer
    eps_shape   shape of the noise of one image: (Z,) for Z latents
    pixels      "grey", "thresholded" or "dynamic": see `binarize`
    noise       standard deviation of the noise on x; the target is clean: see `corrupt`
    dtype       of all arrays
    """

    def __init__(
        self, batch_size: int, eps_shape: tuple[int, ...], pixels: Pixels, noise: float, dtype: Any
    ) -> None:
        check_choice("pixels", pixels, get_args(Pixels))
        self.batch_size = check_count("batch_size", batch_size)
        self.noise = check_number("noise", noise)
        self.eps_shape, self.pixels, self.dtype = eps_shape, pixels, dtype

    def __call__(
        self, images: Array, order: Array, rng: np.random.Generator
    ) -> Iterator[Minibatch]:
        """x, eps and target of the images (N, X), in this order; a target of None is x itself."""
        for start in range(0, len(order), self.batch_size):
            some = order[start : start + self.batch_size]
            x, target = binarize(as_pixels(images[some], self.dtype), self.pixels, rng), None
            if self.noise:
                x, target = corrupt(x, self.noise, rng), x
            yield x, rng.standard_normal((len(x), *self.eps_shape), self.dtype), target


def check_batch(
    model: Any, x: ArrayLike, eps: ArrayLike, target: ArrayLike | None
) -> tuple[Array, Array, Array]:
    """x (B, X), eps (B, …) and target (B, X), or x; ValueError if `model` cannot take them."""
    pixels = pixels_for(model, "x", x)
    clean = pixels if target is None else pixels_for(model, "target", target)
    if clean.shape != pixels.shape:
        raise ValueError(f"target: expected shape {pixels.shape} as x, got {clean.shape}")
    noise = check_array("eps", eps, (len(pixels), *model.eps_shape), pixels.dtype)
    return pixels, noise, clean
