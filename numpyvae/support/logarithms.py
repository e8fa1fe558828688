"""Sums and means of exponentials, as logarithms."""

from __future__ import annotations

import numpy as np

from numpyvae.support.types import Array


def log_mean_exp(a: Array) -> Array:
    """log (mean eᵃ) along the last axis; the largest a is factored out, so it cannot overflow."""
    largest = a.max(axis=-1, keepdims=True)
    return largest[..., 0] + np.log(np.exp(a - largest).mean(axis=-1))
