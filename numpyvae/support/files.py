"""Reading arrays that may be damaged, and replacing a file in one step."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import IO

import numpy as np

from numpyvae.support.types import Array


def read_arrays(path: str | PathLike[str]) -> dict[str, Array]:
    """The arrays in an .npz file by name, or the one in an .npy file, called "images".

    Raises FileNotFoundError if there is no file, and ValueError naming the file for every other
    problem. NumPy's own errors are not passed on: they are of many types, and some suggest
    allow_pickle.
    """
    try:
        with open(path, "rb") as stream:
            loaded = np.load(stream, allow_pickle=False)
            is_npz = isinstance(loaded, np.lib.npyio.NpzFile)
            arrays = dict(loaded) if is_npz else {"images": loaded}
    except FileNotFoundError:
        raise
    except Exception as error:
        why = "too large for memory" if isinstance(error, MemoryError) else "damaged"
        raise ValueError(f"{path}: {why}, or not a file of plain NumPy arrays") from None
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise ValueError(f"{path}: {name} in it is not a NumPy array; remove it")
    return arrays


@contextmanager
def replacing(path: str | PathLike[str]) -> Iterator[IO[bytes]]:
    """A new file, open for writing bytes, that replaces `path` when it is complete."""
    target = Path(path)
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target}: there is no folder {target.parent}; make it first")
    if target.is_dir():
        raise IsADirectoryError(f"{target}: a folder; name a file in it")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with unfinished.open("xb") as file:
            yield file
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
