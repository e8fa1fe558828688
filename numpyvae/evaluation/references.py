"""Losses to compare with: what simple models reach on the same images."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.data.images import as_pixels, check_images

CHUNK = 1000  # images at a time


def reference_losses(images: ArrayLike) -> dict[str, float]:
    """Three losses to compare with, in nats per image, of images (N, X) of any image shape.

    With all parameters zero, every pixel has p = ½: X ln 2. The best constant picture is the mean
    image. A perfect reconstruction has p = x, and its loss is the entropy of the pixels,
    Σ −x log x − (1−x) log(1−x): 0 for binary images, but not for grey ones.
    """
    from scipy.special import entr

    array = np.asarray(images)
    array = check_images("images", array, array.shape[1:] if array.ndim > 1 else (1,))
    mean = np.zeros(array.shape[1])
    entropy = 0.0
    for chunk in np.array_split(array, range(CHUNK, len(array), CHUNK)):
        x = as_pixels(chunk, np.float64)
        mean += x.sum(axis=0) / len(array)
        entropy += float((entr(x) + entr(1.0 - x)).sum()) / len(array)
    return {
        "all parameters zero": float(np.log(2.0) * array.shape[1]),
        "best constant picture": float((entr(mean) + entr(1.0 - mean)).sum()),
        "perfect reconstruction": entropy,
    }
