"""Losses to compare with: what simple models reach on the same images."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.bernoulli import BERNOULLI, Bernoulli, Likelihood
from numpyvae.data.images import as_pixels, check_images

CHUNK = 1000  # images at a time


def reference_losses(images: ArrayLike, likelihood: Likelihood = BERNOULLI) -> dict[str, float]:
    """Losses to compare with, in nats per image, of images (N, X) of any image shape.

    If the decoder's output is 0, as with all parameters zero, Bernoulli pixels have p = ½, and the
    loss is X ln 2; other likelihoods have their own cost there. Two more are known for Bernoulli
    pixels alone. The best constant picture is the mean image. A perfect reconstruction has p = x,
    and its loss is the entropy of the pixels, Σ −x log x − (1−x) log(1−x): 0 for binary images, but
    not for grey ones.
    """
    from scipy.special import entr

    array, accepted = np.asarray(images), (likelihood.lowest, likelihood.highest)
    array = check_images("images", array, array.shape[1:] if array.ndim > 1 else (1,), *accepted)
    mean = np.zeros(array.shape[1])
    output = np.zeros((1, likelihood.outputs * array.shape[1]))
    zero = entropy = 0.0
    for chunk in np.array_split(array, range(CHUNK, len(array), CHUNK)):
        x = as_pixels(chunk, np.float64)
        mean += x.sum(axis=0) / len(array)
        zero += float(likelihood.cost(output, x, likelihood.mean(output)).sum()) / len(array)
        entropy += float((entr(x) + entr(1.0 - x)).sum()) / len(array)
    if type(likelihood) is not Bernoulli:
        return {"output of the decoder zero": zero}
    return {
        "all parameters zero": zero,
        "best constant picture": float((entr(mean) + entr(1.0 - mean)).sum()),
        "perfect reconstruction": entropy,
    }
