"""A model as one .npz file, without pickle: its weights by name, and the record of its training."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from numpyvae.core.layers import ACTIVATIONS, weight_shapes
from numpyvae.core.vae import VAE
from numpyvae.support.arrays import Arrays, DamagedFileError, open_arrays
from numpyvae.support.files import write_file
from numpyvae.support.inputs import (
    check_array,
    check_choice,
    check_count,
    check_counts,
    check_number,
    shown,
)
from numpyvae.support.interrupts import uninterrupted
from numpyvae.support.types import Array

FORMAT = 2
RELU_ONLY = 1  # the format of version 0.2, which had no other activation
RECORD = "training"  # a JSON text; the arrays of the record are members called training.NAME
SMALL = 2**16  # bytes, of everything but weights and arrays of the record
DENSE = 100  # weights do not compress: more bytes than this for each byte of the file are a trick


def save(path: str | PathLike[str], vae: VAE) -> None:
    """Write `vae` to `path`: every weight under its name, and its sizes, activation and β.

    `np.load(path)["W_out"]` is the weight W_out. A subclass, such as IWAE, is saved as a VAE. The
    file appears complete or not at all.
    """
    with uninterrupted():
        write_file(path, model_bytes(vae))


def load(path: str | PathLike[str]) -> VAE:
    """The VAE that `save` wrote to `path`, with the dtype it had.

    Raises FileNotFoundError, or ValueError naming the file and what is wrong with it. Nothing in
    the file is executed, and it takes no more memory than its weights need.
    """
    with open_checkpoint(path) as checkpoint:
        return checkpoint.vae()


def model_bytes(vae: VAE, record: Mapping[str, Any] | None = None) -> bytes:
    """The content of a model file. `record` holds arrays and JSON, by name and nested."""
    members: dict[str, Any] = {
        "format": FORMAT,
        "hidden": vae.hidden,
        "latent": vae.latent,
        "activation": vae.activation,
        "beta": vae.beta,
        "image_shape": vae.image_shape,
    }
    members |= {name: vae.parameters[name] for name in vae.parameters}
    if record is not None:
        table, arrays = _apart(record, RECORD)
        members |= {RECORD: json.dumps(table).encode()} | arrays
    file = io.BytesIO()
    np.savez(file, **members)
    return file.getvalue()


@contextmanager
def open_checkpoint(path: str | PathLike[str]) -> Iterator[Checkpoint]:
    """A model file, to be read. A problem in the block is a ValueError that names the file."""
    if Path(path).is_dir():
        raise ValueError(f"{path}: a folder; name the model.npz inside it")
    try:
        with open_arrays(path) as arrays:
            yield Checkpoint(arrays)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file; `numpyvae train` writes one") from None
    except DamagedFileError:
        raise
    except (ValueError, MemoryError) as error:
        raise DamagedFileError(f"{path}: {error}") from None


class Checkpoint:
    """The model in an open file, and the record of its training. What is not needed is not read."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays
        if "format" not in arrays.names:
            raise ValueError("not a model that numpyvae saved: no 'format' in it")
        version = self._version = arrays.read("format", most=SMALL).tolist()
        if version not in (FORMAT, RELU_ONLY):
            got = shown.repr(version)
            raise ValueError(f"format {got}, expected {FORMAT}: damaged, or of a later numpyvae")

    def vae(self) -> VAE:
        """The model. All its weights are read, and were of the right shape, before it is built."""
        found = {"activation": "relu"} | {
            name: self._arrays.read(name, most=SMALL).tolist()
            for name in ("hidden", "latent", "activation", "beta", "image_shape")
            if name != "activation" or self._version != RELU_ONLY
        }
        if not isinstance(found["hidden"], list):
            raise ValueError("hidden: expected a list of numbers; the file is damaged")
        hidden = check_counts("hidden", found["hidden"])
        latent = check_count("latent", found["latent"])
        image_shape = check_counts("image_shape", found["image_shape"], length=2)
        beta = check_number("beta", found["beta"])
        shapes = weight_shapes(prod(image_shape), hidden, latent)
        if 4 * sum(map(prod, shapes.values())) > DENSE * self._arrays.size:
            raise ValueError("too small for a model of the size that it names; it is damaged")
        weights = {name: self._arrays.read(name, shape) for name, shape in shapes.items()}
        dtype = weights["W_out"].dtype
        if dtype not in (np.float32, np.float64):
            raise ValueError(f"W_out: expected float32 or float64, got {dtype}")
        activation = check_choice("activation", found["activation"], ACTIVATIONS)
        vae = VAE(hidden, latent, activation=activation, beta=beta, image_shape=image_shape)
        if dtype != vae.parameters.value.dtype:
            vae = vae.astype(dtype)
        for name, shape in shapes.items():
            vae.parameters[name][:] = check_array(name, weights.pop(name), shape, dtype)
        return vae

    def record(self) -> dict[str, Any] | None:
        """The record without its arrays; None if `save` wrote the file, or an older version."""
        if RECORD not in self._arrays.names:
            return None
        try:
            table = json.loads(self._arrays.read(RECORD, most=SMALL).item())
        except (ValueError, TypeError, RecursionError):
            table = None
        if not isinstance(table, dict):
            raise ValueError("the record of its training is damaged")
        return table

    def with_arrays(self, table: Any, like: Mapping[str, Any], prefix: str = RECORD) -> Any:
        """A part of the record with its arrays, of the names and shapes of those in `like`."""
        if not isinstance(table, Mapping):
            raise ValueError(f"{prefix}: the record of its training is damaged")
        whole = dict(table)
        for name, value in like.items():
            if isinstance(value, np.ndarray):
                size = self._arrays.size  # arrays of the record are not compressed
                whole[name] = self._arrays.read(f"{prefix}.{name}", value.shape, most=size)
            elif isinstance(value, Mapping):
                whole[name] = self.with_arrays(table.get(name), value, f"{prefix}.{name}")
        return whole


def table(record: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A table in a record; raises ValueError if there is none."""
    found = record.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"{name}: missing in the record of its training")
    return found


def _apart(record: Mapping[str, Any], prefix: str) -> tuple[dict[str, Any], dict[str, Array]]:
    """The record without its arrays, and these by the names of their members."""
    table: dict[str, Any] = {}
    arrays: dict[str, Array] = {}
    for name, value in record.items():
        if isinstance(value, np.ndarray):
            arrays[f"{prefix}.{name}"] = value
        elif isinstance(value, Mapping):
            table[name], inner = _apart(value, f"{prefix}.{name}")
            arrays |= inner
        else:
            table[name] = value
    return table, arrays
