"""A small copy of a model, on which every array of a pass can be checked."""

from __future__ import annotations

import numpy as np

from numpyvae.core.vae import VAE

# Sizes that all differ, so that a wrong factor can be named. β is not 1, so that a missing β shows.
# About so many nats are the KLs of its latents, so these free bits are above some and below others.
SMALL = {"latent": 3, "image_shape": (1, 7), "beta": 0.7, "k": 4, "free_bits": 0.3}


def small_copy(vae: VAE, rng: np.random.Generator) -> VAE:
    """A float64 model of the same class, config and depth as `vae`, but small; random weights.

    No weight is 0, so that no 0 hides a mistake.
    """
    config = vae.config
    config |= {name: value for name, value in SMALL.items() if name in config}
    config["hidden"] = tuple(11 + 2 * i for i in range(len(vae.hidden)))
    small = type(vae)(**config, rng=rng)  # type: ignore[arg-type]
    small.parameters.value += 0.3 * rng.standard_normal(small.parameters.value.size)
    return small.astype(np.float64)
