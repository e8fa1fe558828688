"""Weights, images and other arrays as text that a script in a page can read."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from numpyvae.core.vae import VAE
from numpyvae.support.types import Array

LARGEST = 32767  # of an int16


def packed(array: Array, kind: str) -> str:
    """The bytes of an array of this kind, such as "<i2", little-endian, in base64."""
    return base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode()


def pack_integers(array: Array) -> dict[str, Any]:
    """An array as int16 and one scale: array ≈ scale · integers, with an error of scale / 2."""
    scale = float(np.abs(array).max()) / LARGEST or 1.0
    return {"scale": scale, "integers": packed(np.rint(array / scale), "<i2")}


def pack_surface(values: Array) -> dict[str, Any]:
    """A smooth function on a grid (M, K): differences of neighbors as int16, in units of `scale`.

    They run along each row, and down the first column from `first`. The values are rounded before
    they are subtracted, so errors do not add up: they are at most scale / 2.
    """
    steps = np.diff(values, axis=1).ravel(), np.diff(values[:, 0])
    largest = max((float(np.abs(part).max()) for part in steps if part.size), default=0.0)
    scale = max(1.0 / 256.0, largest / (LARGEST - 1))
    units = np.rint(values.astype(np.float64) / scale)
    differences = np.diff(units, axis=1, prepend=0.0)
    differences[:, 0] = np.diff(units[:, 0], prepend=units[0, 0])
    return {"first": units[0, 0], "scale": scale, "integers": packed(differences, "<i2")}


def pack_weights(vae: VAE) -> tuple[VAE, dict[str, Any]]:
    """W[i, j] ≈ scale[j] · integer[i, j]: int16 with a scale for each column; biases in float32.

    Also returns the model with exactly these weights. A column is one output of a layer, so a large
    weight elsewhere costs it no digits. Against float32 this halves the file, and moves p by about
    1e-3 at most. Raises ValueError for weights that are not finite.
    """
    if not np.isfinite(vae.parameters.value).all():
        raise ValueError("vae: its weights are not finite; train it with a lower learning rate")
    stored = vae.astype(np.float32)
    integers, scales, biases = [], [], []
    for name in stored.parameters:
        weight = stored.parameters[name]
        if weight.ndim == 1:
            biases.append(weight)
            continue
        scale = np.abs(weight).max(axis=0) / np.float32(LARGEST)
        scale[scale == 0.0] = 1.0
        integer = np.rint(weight / scale)
        weight[:] = integer * scale
        integers.append(integer.ravel())
        scales.append(scale)
    table = {
        "shapes": [[name, list(shape)] for name, shape in stored.parameters.shapes.items()],
        "integers": packed(np.concatenate(integers), "<i2"),
        "scales": packed(np.concatenate(scales), "<f4"),
        "biases": packed(np.concatenate(biases), "<f4"),
    }
    return stored, table


def pack_images(x: Array) -> str:
    """Pixels as bytes, x ≈ byte / 255. A 0 is followed by the number of zeros, 1 to 255."""
    packed_bytes, zeros = bytearray(), 0
    for value in (*np.rint(255.0 * x.ravel()).astype(np.uint8).tolist(), None):
        if zeros and (value != 0 or zeros == 255):
            packed_bytes += bytes((0, zeros))
            zeros = 0
        if value == 0:
            zeros += 1
        elif value is not None:
            packed_bytes.append(value)
    return base64.b64encode(packed_bytes).decode()
