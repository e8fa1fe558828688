"""A model as one .npz file, without pickle: its weights by name, and the record of its training."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from inspect import Parameter, signature
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from numpyvae.core.bernoulli import BERNOULLI, Likelihood
from numpyvae.core.vae import VAE
from numpyvae.support.arrays import Arrays, DamagedFileError, open_arrays
from numpyvae.support.configured import Configured
from numpyvae.support.files import write_file
from numpyvae.support.inputs import (
    check_array,
    check_count,
    check_counts,
    check_fraction,
    check_number,
    shown,
)
from numpyvae.support.interrupts import uninterrupted
from numpyvae.support.types import Array, Shapes
from numpyvae.variants.kinds import KINDS, LIKELIHOODS

FORMAT = 3
WITHOUT_KIND = (1, 2)  # the formats of 0.1, 0.2 and before 0.3: plain VAEs, in 1 with ReLU only
MODEL = "model"  # a JSON text: the kind of the model and its config
RECORD = "training"  # a JSON text; the arrays of the record are members called training.NAME
SMALL = 2**16  # bytes, of everything but weights and arrays of the record
DENSE = 100  # weights do not compress: more bytes than this for each byte of the file are a trick


def save(path: str | PathLike[str], vae: VAE) -> None:
    """Write `vae` to one file: every weight under its name, its class, and its config.

    The file appears complete or not at all. `np.load(path)["W_out"]` is the weight W_out.

    Parameters
    ----------
    path : str or path
        Usually ends in .npz.
    vae : VAE
        With weights of float32 or float64. A class of your own is saved by its name; to load it,
        add it to numpyvae.KINDS first.

    Raises
    ------
    ValueError
        For a model that could not be loaded again.

    Examples
    --------
    >>> from numpyvae import IWAE, load, save
    >>> save("model.npz", IWAE(hidden=3, latent=2, k=5, image_shape=(2, 2)))
    >>> load("model.npz").k
    5
    """
    with uninterrupted():
        write_file(path, model_bytes(vae))


def load(path: str | PathLike[str]) -> VAE:
    """The model that `save` or a run wrote to `path`, of its class, with the dtype it had.

    Nothing in the file is executed. Loading takes at most a few times the memory of its weights.

    Parameters
    ----------
    path : str or path
        A file, such as numpyvae-out/model.npz.

    Returns
    -------
    VAE
        Or the class that was saved: IWAE, FreeBits, GaussianVAE, or one in numpyvae.KINDS.

    Raises
    ------
    FileNotFoundError, ValueError
        Naming the file, and what is wrong with it.

    Examples
    --------
    >>> from numpyvae import VAE, load, save
    >>> save("model.npz", VAE(hidden=3, latent=2, image_shape=(2, 2)))
    >>> load("model.npz").decode([[0.0, 1.0]]).shape
    (1, 4)
    """
    with open_checkpoint(path) as checkpoint:
        return checkpoint.vae()


def model_bytes(vae: VAE, record: Mapping[str, Any] | None = None) -> bytes:
    """The content of a model file. `record` holds arrays and JSON, by name and nested."""
    dtype = vae.parameters.value.dtype
    if dtype not in (np.float32, np.float64):
        raise ValueError(f"vae: expected weights of float32 or float64, got {dtype}; use astype")
    missing = [n for n in vae.likelihood.weight_shapes if n not in vae.parameters.shapes]
    if missing:
        problem = f"its likelihood has a weight {missing[0]}, and the model has not"
        raise ValueError(f"vae: {problem}; pass the likelihood to the constructor")
    check_number("beta", vae.beta)
    members: dict[str, Any] = {"format": FORMAT, MODEL: _as_json(_named(vae, KINDS))}
    members |= {name: vae.parameters[name] for name in vae.parameters}
    if record is not None:
        table, arrays = _apart(record, RECORD)
        members |= {RECORD: _as_json(table)} | arrays
    file = io.BytesIO()
    np.savez(file, **members)
    return file.getvalue()


def _named(thing: Configured, table: Mapping[str, type]) -> dict[str, Any]:
    """The class of a model or a likelihood by its name in the table, and its config."""
    kind = type(thing)
    lost = _arguments(kind) - set(kind.CONFIG)
    if lost:
        problem = f"{', '.join(sorted(lost))} of the constructor would be lost"
        raise ValueError(f"{kind.__name__}: {problem}; name it in {kind.__name__}.CONFIG")
    names = [name for name, known in table.items() if known is kind]
    config = {
        name: _named(value, LIKELIHOODS) if isinstance(value, Likelihood) else value
        for name, value in thing.config.items()
    }
    return {"kind": names[0] if names else f"{kind.__module__}.{kind.__qualname__}"} | config


def _arguments(kind: type) -> set[str]:
    """The arguments by name of a class's own constructor, but for the seed of the weights."""
    parameters = signature(kind).parameters.values()
    free = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
    return {p.name for p in parameters if p.kind not in free} - {"rng"}


def _class(config: dict[str, Any], table: Mapping[str, type], table_name: str) -> Any:
    """The class that a config names; ValueError, with the remedy, if it is in no table."""
    name = config.pop("kind", None)
    if not isinstance(name, str) or name not in table:
        known = ", ".join(table)
        remedy = f"if it is yours, add it before you load: numpyvae.{table_name}[{name!r}] = …"
        raise ValueError(f"kind {shown.repr(name)} is not one of {known}; {remedy}")
    return table[name]


def _make(kind: Any, config: Mapping[str, Any]) -> Any:
    """`kind(**config)`, if the config has the entries that such an object has; else ValueError."""
    problem = f"its config is not that of {kind.__name__}"
    if set(config) != set(kind.CONFIG):
        wanted, got = (", ".join(sorted(names)) or "none" for names in (kind.CONFIG, config))
        raise ValueError(f"{problem}: expected {wanted}, got {got}")
    try:
        return kind(**config)
    except TypeError as error:
        raise ValueError(f"{problem}: {error}") from None


def _as_json(table: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(table, default=_plain).encode()
    except TypeError as error:
        raise ValueError(f"config: expected numbers and texts, {error}") from None


def _plain(value: Any) -> Any:
    """A number of NumPy as one of Python."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"got {type(value).__name__}")


@contextmanager
def open_checkpoint(path: str | PathLike[str]) -> Iterator[Checkpoint]:
    """A model file, to be read. A problem in the block is a ValueError that names the file."""
    if Path(path).is_dir():
        raise ValueError(f"{path}: a folder; name the model.npz inside it")
    if not Path(path).exists():
        raise FileNotFoundError(f"{path}: no such file; `numpyvae train` writes one")
    try:
        with open_arrays(path) as arrays:
            yield Checkpoint(arrays)
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
        if version not in (FORMAT, *WITHOUT_KIND):
            got = shown.repr(version)
            raise ValueError(f"format {got}, expected {FORMAT}: damaged, or of a later numpyvae")

    def vae(self) -> VAE:
        """The model. All its weights are read, and were of the right shape, before it is built."""
        config = self._config()
        kind = _class(config, KINDS, "KINDS")
        shapes = _check_sizes(kind, config)
        if 4 * sum(map(prod, shapes.values())) > DENSE * self._arrays.size:
            raise ValueError("too small for a model of the size that it names; it is damaged")
        if "likelihood" not in kind.CONFIG:  # its own, which may want other numbers of outputs
            shapes = {name: shape for name, shape in shapes.items() if name[2:] != "out"}
        weights = {name: self._arrays.read(name, shape) for name, shape in shapes.items()}
        vae: VAE = _make(kind, config)
        dtype = np.dtype(np.float32)
        for name, shape in vae.parameters.shapes.items():
            if name not in weights:  # of the likelihood, or of networks of another kind
                weights[name] = self._arrays.read(name, shape)
            dtype = weights[name].dtype
            if dtype not in (np.float32, np.float64):
                raise ValueError(f"{name}: expected float32 or float64, got {dtype}")
        if dtype != vae.parameters.value.dtype:
            vae = vae.astype(dtype)
        for name, shape in vae.parameters.shapes.items():
            vae.parameters[name][:] = check_array(name, weights.pop(name), shape, dtype)
        return vae

    def _config(self) -> dict[str, Any]:
        """The kind of the model and the arguments of its constructor; its likelihood is made."""
        if self._version in WITHOUT_KIND:
            names = ["hidden", "latent", "beta", "image_shape", "activation"]
            names = names if self._version != 1 else names[:-1]
            found = {name: self._arrays.read(name, most=SMALL).tolist() for name in names}
            return {"kind": "VAE", "activation": "relu", "likelihood": BERNOULLI} | found
        config = self._json(MODEL, "its config is damaged")
        if "likelihood" in config:
            likelihood = config["likelihood"]
            if not isinstance(likelihood, dict):
                got = shown.repr(likelihood)
                raise ValueError(f"likelihood: expected its kind and config, got {got}")
            own = _class(likelihood, LIKELIHOODS, "LIKELIHOODS")
            config["likelihood"] = _make(own, likelihood)
        return config

    def _json(self, name: str, problem: str) -> dict[str, Any]:
        """The table in a member that is a JSON text."""
        text, table = self._arrays.read(name, most=SMALL), None
        with suppress(ValueError, TypeError, RecursionError):
            table = json.loads(text.item())
        if not isinstance(table, dict):
            raise ValueError(problem)
        return table

    def record(self) -> dict[str, Any] | None:
        """The record without its arrays; None if `save` wrote the file, or an older version."""
        if RECORD not in self._arrays.names:
            return None
        return self._json(RECORD, "the record of its training is damaged")

    def with_arrays(self, table: Any, like: Mapping[str, Any], prefix: str = RECORD) -> Any:
        """A part of the record with its arrays, of the names and shapes of those in `like`."""
        if not isinstance(table, Mapping):
            raise ValueError(f"{prefix}: the record of its training is damaged")
        whole = dict(table)
        for name, value in like.items():
            if isinstance(value, np.ndarray):
                whole[name] = self._array(f"{prefix}.{name}", value.shape, whole)
            elif isinstance(value, Mapping):
                whole[name] = self.with_arrays(table.get(name), value, f"{prefix}.{name}")
        return whole

    def _array(self, name: str, shape: tuple[int, ...], beside: Mapping[str, Any]) -> Array:
        """An array of the record; `beside` has the numbers that stand with it."""
        size = self._arrays.size  # arrays of the record are not compressed
        old = f"{name[:-2]}.S"  # before 0.3, RMSprop kept S = s / (1 − ρ)
        if name.endswith(".s") and name not in self._arrays.names and old in self._arrays.names:
            rho = check_fraction("rho", beside.get("rho"))
            return self._arrays.read(old, shape, most=size) * np.float32(1.0 - rho)
        return self._arrays.read(name, shape, most=size)


def _check_sizes(kind: type[VAE], config: dict[str, Any]) -> Shapes:
    """The names and shapes of the weights of a model with this config, before it is made."""
    for name in ("hidden", "latent", "image_shape"):
        if name not in config:  # a class of somebody else, with other names
            return {}
    if not isinstance(config["hidden"], list):
        raise ValueError("hidden: expected a list of numbers; the file is damaged")
    hidden = config["hidden"] = check_counts("hidden", config["hidden"])
    latent = config["latent"] = check_count("latent", config["latent"])
    shape = config["image_shape"] = check_counts("image_shape", config["image_shape"], length=2)
    outputs = prod(shape) * config.get("likelihood", kind.likelihood).outputs
    shapes = kind.encoder_class.shapes(prod(shape), hidden, latent)
    return shapes | kind.decoder_class.shapes(latent, hidden[::-1], outputs)


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
