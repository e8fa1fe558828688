"""Minibatches: the input x, the noise ε and the target of each step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
from numpy.typing import DTypeLike

from numpyvae.data.images import Pixels, as_pixels, binarize, corrupt
from numpyvae.support.inputs import check_choice, check_count, check_number
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
        """x, eps and target of the images (N, X), in this order; a target of None is x itself.

        Each minibatch overwrites the one before; copy it to keep it.
        """
        for clean in in_order(images, order, self.batch_size, self.dtype):
            x, target = binarize(clean, self.pixels, rng), None
            if self.noise:
                x, target = corrupt(x, self.noise, rng), x
            yield x, rng.standard_normal((len(x), *self.eps_shape), self.dtype), target


def in_order(images: Array, order: Array, batch_size: int, dtype: DTypeLike) -> Iterator[Array]:
    """Pixels x (B, X) in [0, 1], in this order; each minibatch overwrites the one before."""
    rows = np.empty((min(batch_size, len(order)), images.shape[1]), images.dtype)
    x = np.empty(rows.shape, dtype)
    for start in range(0, len(order), batch_size):
        index = order[start : start + batch_size]
        np.take(images, index, axis=0, out=rows[: len(index)], mode="clip")  # "raise" would copy
        yield as_pixels(rows[: len(index)], dtype, out=x[: len(index)])
