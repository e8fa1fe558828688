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

    model       it tells the shape of the noise of one image, the dtype, and the range of pixels
    batch_size  images in each; the last may have fewer
    pixels      "grey", "thresholded" or "dynamic": see `binarize`
    noise       standard deviation of the noise on x; the target is clean: see `corrupt`
    """

    def __init__(self, model: Any, batch_size: int, pixels: Pixels, noise: float) -> None:
        check_choice("pixels", pixels, get_args(Pixels))
        self.batch_size = check_count("batch_size", batch_size)
        self.noise = check_number("noise", noise)
        self.eps_shape, self.dtype = model.eps_shape, model.parameters.value.dtype
        self.range = model.likelihood.lowest, model.likelihood.highest
        self.pixels = pixels

    def __call__(
        self, images: Array, order: Array, rng: np.random.Generator
    ) -> Iterator[Minibatch]:
        """x, eps and target of the images (N, X), in this order; a target of None is x itself."""
        for start in range(0, len(order), self.batch_size):
            some = order[start : start + self.batch_size]
            x, target = binarize(as_pixels(images[some], self.dtype), self.pixels, rng), None
            if self.noise:
                x, target = corrupt(x, self.noise, rng, *self.range), x
            yield x, rng.standard_normal((len(x), *self.eps_shape), self.dtype), target


def check_batch(
    model: Any, x: ArrayLike, eps: ArrayLike, target: ArrayLike | None
) -> tuple[Array, Array, Array]:
    """x (B, X), eps (B, …) and target (B, X), or x; ValueError if `model` cannot take them."""
    x = pixels_for(model, "x", x)
    target = x if target is None else pixels_for(model, "target", target)
    if target.shape != x.shape:
        raise ValueError(f"target: expected shape {x.shape} as x, got {target.shape}")
    return x, check_array("eps", eps, (len(x), *model.eps_shape), x.dtype), target
