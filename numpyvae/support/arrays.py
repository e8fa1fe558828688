"""NumPy's files, which may be damaged or hostile: no more is read than a header promises."""

from __future__ import annotations

import ast
import math
import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from numpyvae.support.files import open_file
from numpyvae.support.types import Array

LENGTHS = {(1, 0): 2, (2, 0): 4}  # bytes of the length of a header, in each version of the format
CHUNK = 2**20  # bytes
HEADER = 10_000  # bytes; NumPy's own headers take 128


class DamagedFileError(ValueError):
    """A file whose content is refused, in words that name it."""


class Arrays:
    """The arrays of an .npz file by name, or the one of an .npy file, called "images".

    Only what is asked for is read. Every problem of the content is a DamagedFileError: NumPy's own
    errors are of many types, and some of them suggest allow_pickle.
    """

    def __init__(self, path: str | PathLike[str], file: IO[bytes]) -> None:
        self.path, self._file = path, file
        self._zip: zipfile.ZipFile | None = None
        with self._in_words():
            if file.read(len(npy.MAGIC_PREFIX)) != npy.MAGIC_PREFIX:
                self._zip = zipfile.ZipFile(file)
        members = ["images.npy"] if self._zip is None else self._zip.namelist()
        self.names = [name[:-4] for name in members if name.endswith(".npy")]
        self.size = os.fstat(file.fileno()).st_size  # of the file, in bytes

    def read(
        self, name: str, shape: tuple[int, ...] | None = None, most: float = math.inf
    ) -> Array:
        """The array of this name. Its header is checked before any element is read.

        shape  the shape that it must have
        most   the largest number of bytes that it may have
        """
        if name not in self.names:
            raise DamagedFileError(f"{self.path}: there is no {name!r} in it")
        with self._in_words(), self._open(name) as member:
            found, fortran, dtype = _header(member)
            if shape is not None and found != shape:
                raise DamagedFileError(f"{self.path}: {name}: expected shape {shape}, got {found}")
            if dtype.kind not in ("biufcSU" if shape is None else "biufc"):
                raise ValueError("objects, or something else that is not plain")
            promised = math.prod(found) * dtype.itemsize
            if promised > most:
                raise DamagedFileError(f"{self.path}: {name}: expected {most:,} bytes at most")
            data = read_exactly(member, promised)
            array = np.frombuffer(data, dtype)
            array = array.reshape(found[::-1]).T if fortran else array.reshape(found)
            return array.astype(dtype.newbyteorder("="), copy=False)

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        if self._zip is None:
            self._file.seek(0)
            yield self._file
        else:
            how = self._zip.getinfo(f"{name}.npy").compress_type
            if how not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others are read whole
                raise ValueError("compressed in a way that NumPy does not write")
            with self._zip.open(f"{name}.npy") as member:
                yield member

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except DamagedFileError:
            raise
        except MemoryError:
            raise DamagedFileError(f"{self.path}: too large for memory") from None
        except Exception:
            plain = "damaged, or not a file of plain NumPy arrays; copy it again"
            raise DamagedFileError(f"{self.path}: {plain}") from None


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and dtype, as NumPy writes them. (Its own reader warns of odd ones.)"""
    length = int.from_bytes(stream.read(LENGTHS[npy.read_magic(stream)]), "little")
    if length > HEADER:
        raise ValueError("its header is too long")
    table = ast.literal_eval(stream.read(length).decode("latin-1"))
    shape, fortran, dtype = (table[name] for name in ("shape", "fortran_order", "descr"))
    if not isinstance(dtype, str) or any(type(n) is not int or n < 0 for n in shape):
        raise ValueError("objects, or something else that is not plain")
    return tuple(shape), bool(fortran), np.dtype(dtype)


@contextmanager
def open_arrays(path: str | PathLike[str]) -> Iterator[Arrays]:
    """The arrays in an .npz or .npy file. Raises OSError if there is no file or no permission."""
    with open_file(path) as file:
        yield Arrays(path, file)


def read_exactly(stream: IO[bytes], promised: int) -> bytearray:
    """Read `promised` bytes, which must be all; raises ValueError if there are fewer or more.

    Memory grows with what has been read, so a header that promises too much costs nothing.
    """
    data = bytearray()
    while len(data) < promised:
        chunk = stream.read(min(CHUNK, promised - len(data)))
        if not chunk:
            size = f"{promised:,}" if promised < 2**63 else "more than 2**63"
            raise ValueError(
                f"truncated: the header promises {size} bytes, and {len(data):,} are there"
            )
        data += chunk
    if stream.read(1):
        raise ValueError(f"longer than its header says, which promises {promised:,} bytes")
    return data
