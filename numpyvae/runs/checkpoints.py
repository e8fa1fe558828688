"""A model as one .npz file: its weights by name and its settings, without pickle."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from numpyvae.core.vae import VAE
from numpyvae.support.files import read_arrays, replacing
from numpyvae.support.inputs import check_array
from numpyvae.support.types import Array

FORMAT = 1


def save(path: str | PathLike[str], vae: VAE) -> None:
    """Write `vae` to `path`: every weight under its name, and hidden, latent, beta, image_shape.

    `np.load(path)["W_out"]` is the weight W_out. The file appears complete or not at all.
    """
    arrays: dict[str, Any] = {
        "format": FORMAT,
        "hidden": vae.hidden,
        "latent": vae.latent,
        "beta": vae.beta,
        "image_shape": vae.image_shape,
    }
    arrays |= {name: vae.parameters[name] for name in vae.parameters}
    with _uninterrupted(), replacing(path) as file:
        np.savez(file, **arrays)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Delay Ctrl-C until the block is over; inside np.savez it would break the zip writer."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Ctrl-C goes to the main thread
        return
    waiting: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: waiting.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
        if waiting:
            signal.raise_signal(signal.SIGINT)


def load(path: str | PathLike[str]) -> VAE:
    """The VAE that `save` wrote to `path`, with the dtype it had.

    Raises FileNotFoundError, or ValueError naming the file and what is wrong with it.
    """
    if Path(path).is_dir():
        raise ValueError(f"{path}: a folder; name the model.npz inside it")
    try:
        arrays = read_arrays(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file; `numpyvae train` writes one") from None
    try:
        return _rebuild(arrays)
    except KeyError as missing:
        raise ValueError(f"{path}: not a model that numpyvae saved: no {missing} in it") from None
    except (ValueError, MemoryError) as error:
        raise ValueError(f"{path}: {error}") from None


def _rebuild(arrays: dict[str, Array]) -> VAE:
    if arrays["format"].tolist() != FORMAT:
        raise ValueError(f"format {arrays['format'].tolist()}, expected {FORMAT}; update numpyvae")
    if arrays["hidden"].ndim != 1 or arrays["image_shape"].ndim != 1:
        raise ValueError("damaged settings: hidden and image_shape should be lists of numbers")
    if arrays["W_out"].dtype.kind != "f":
        raise ValueError(f"W_out: expected floats, got {arrays['W_out'].dtype}")
    vae = VAE(
        hidden=tuple(arrays["hidden"].tolist()),
        latent=arrays["latent"].tolist(),
        beta=arrays["beta"].tolist(),
        image_shape=tuple(arrays["image_shape"].tolist()),
    ).astype(arrays["W_out"].dtype)
    for name, shape in vae.parameters.shapes.items():
        vae.parameters[name][:] = check_array(name, arrays[name], shape, arrays["W_out"].dtype)
    return vae
