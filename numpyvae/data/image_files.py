"""Images from files: a folder of IDX files such as MNIST's, an .npy or an .npz file."""

from __future__ import annotations

import gzip
import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import IO, Any

import numpy as np

from numpyvae.data.images import check_images
from numpyvae.support.arrays import DamagedFileError, open_arrays, read_exactly
from numpyvae.support.files import open_file
from numpyvae.support.inputs import shown
from numpyvae.support.types import Array

# Type code in the header → element type; IDX is big-endian.
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

USUAL_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True)
class Dataset:
    """Images (N, X) to train on and to test with, their labels (N,) if known, and their shape."""

    x_train: Array
    y_train: Array | None
    x_test: Array
    y_test: Array | None
    image_shape: tuple[int, int]


def load_idx(path: str | PathLike[str]) -> Array:
    """The array in an IDX file, gzipped or not, of any element type and number of dimensions.

    The format: two zero bytes, a type code, the number of dimensions, each dimension as a
    big-endian 32-bit number, then the elements. Raises ValueError naming the file if its content
    has another format, and OSError if it cannot be read.
    """
    with open_file(path) as packed:
        is_gzip = packed.peek(2)[:2] == b"\x1f\x8b"  # whatever the name says
        stream: Any = gzip.GzipFile(fileobj=packed) if is_gzip else packed
        try:
            dtype, shape = _idx_header(path, stream)
            data = read_exactly(stream, math.prod(shape) * dtype.itemsize)
            array = np.frombuffer(data, dtype).reshape(shape)
        except DamagedFileError:
            raise
        except ValueError as error:
            raise DamagedFileError(f"{path}: {error}; copy or download it again") from None
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            problem = f"truncated or damaged ({error}); copy or download it again"
            raise DamagedFileError(f"{path}: {problem}") from None
    return array.astype(dtype.newbyteorder("="), copy=False)


def _idx_header(path: object, stream: IO[bytes]) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The element type and the shape of an IDX file."""
    start = stream.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in IDX_TYPES:
        raise DamagedFileError(
            f"{path}: not an IDX file: it starts with {start!r}, "
            "expected two zero bytes and a type code; check that it is the right file"
        )
    lengths = stream.read(4 * start[3])
    if len(lengths) < 4 * start[3]:
        raise DamagedFileError(f"{path}: truncated inside its header; copy or download it again")
    return np.dtype(IDX_TYPES[start[2]]), tuple(np.frombuffer(lengths, ">u4").tolist())


def load_images(path: str | PathLike[str], lowest: float = 0.0, highest: float = 1.0) -> Dataset:
    """Images of any size from a folder of the four usual IDX files, an .npy or an .npz file.

    Parameters
    ----------
    path : str or path
        A folder with train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
        t10k-labels-idx1-ubyte, each gzipped (.gz) or not: MNIST, Fashion-MNIST, KMNIST, …
        An .npz file with x_train and x_test, and y_train and y_test if there are labels; or with
        one array. An .npy file with one array (N, height, width) or (N, X), whose last tenth
        becomes the test images.
    lowest, highest : float
        The range of floats. Images may also be uint8, from 0 to 255, or bool.

    Returns
    -------
    Dataset
        x_train, y_train, x_test, y_test and image_shape. Images are flat, (N, X); y is None
        without labels.

    Raises
    ------
    ValueError, OSError
        For a file that is missing, damaged, or holds something else; the message names it.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import VAE, load_images
    >>> np.save("mine.npy", np.random.default_rng(0).random((50, 6, 4)))
    >>> data = load_images("mine.npy")
    >>> data.x_train.shape, data.x_test.shape, data.image_shape
    ((45, 24), (5, 24), (6, 4))
    >>> vae = VAE(image_shape=data.image_shape)
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder; check the spelling")
    if not (path.is_dir() or path.is_file()):
        raise ValueError(f"{path}: expected a folder or a file, got a pipe or a device")
    kind = "folder" if path.is_dir() else path.suffix
    if kind not in READERS:
        endings = " or ".join(kind for kind in READERS if kind != "folder")
        raise ValueError(f"{path}: expected a folder of IDX files, or a file ending in {endings}")
    return _dataset(path, (lowest, highest), *READERS[kind](path))


Split = tuple[Array, Array | None, Array, Array | None]  # x_train, y_train, x_test, y_test


def _read_folder(folder: Path) -> Split:
    """The four IDX files of a folder."""
    arrays = []
    for name in USUAL_NAMES:
        candidates = (folder / name, folder / f"{name}.gz")
        file = next((file for file in candidates if file.is_file()), None)
        if file is None:
            raise FileNotFoundError(
                f"{folder}: {name} (or {name}.gz) is missing; "
                f"the folder needs {', '.join(USUAL_NAMES)}"
            )
        array = load_idx(file)
        wanted = 3 if "images" in name else 1
        if array.ndim != wanted:
            raise ValueError(
                f"{file}: expected {'images (N, height, width)' if wanted > 1 else 'labels (N,)'}, "
                f"got shape {array.shape}; is the file mislabeled?"
            )
        arrays.append(array)
    x_train, y_train, x_test, y_test = arrays
    return x_train, y_train, x_test, y_test


def _read_numpy(path: Path) -> Split:
    """The named arrays of an .npz file, or one array, whose last tenth is the test set."""
    with open_arrays(path) as arrays:
        if len(arrays.names) == 1:
            images = arrays.read(arrays.names[0])
            if images.ndim < 2 or len(images) < 2:
                raise ValueError(
                    f"{path}: expected at least two images as (N, height, width) or (N, X), "
                    f"got shape {images.shape}"
                )
            kept = len(images) - max(1, len(images) // 10)
            return images[:kept], None, images[kept:], None
        if not {"x_train", "x_test"} <= set(arrays.names):
            raise ValueError(
                f"{path}: expected one array, or arrays called x_train and x_test, "
                f"got {shown.repr(arrays.names)}"
            )
        x_train, x_test = arrays.read("x_train"), arrays.read("x_test")
        y_train, y_test = (
            arrays.read(name) if name in arrays.names else None for name in ("y_train", "y_test")
        )
        return x_train, y_train, x_test, y_test


READERS: dict[str, Callable[[Path], Split]] = {
    "folder": _read_folder,
    ".npy": _read_numpy,
    ".npz": _read_numpy,
}


def _dataset(
    path: Path,
    accepted: tuple[float, float],
    x_train: Array,
    y_train: Array | None,
    x_test: Array,
    y_test: Array | None,
) -> Dataset:
    """The images, checked and flattened, and their shape."""
    if x_train.ndim == 3:
        image_shape = (x_train.shape[1], x_train.shape[2])
    elif x_train.ndim == 2:  # flat images: square if the number of pixels is a square, else a row
        side = math.isqrt(x_train.shape[1])
        image_shape = (side, side) if side * side == x_train.shape[1] else (1, x_train.shape[1])
    else:
        raise ValueError(
            f"{path}: expected grey images as (N, height, width) or (N, X), got {x_train.shape}"
        )
    if 0 in image_shape or x_test.shape[1:] != x_train.shape[1:]:
        raise ValueError(
            f"{path}: expected training and test images of one size, "
            f"got {x_train.shape} and {x_test.shape}"
        )
    x_train = check_images(f"{path}: training images", x_train, image_shape, *accepted)
    x_test = check_images(f"{path}: test images", x_test, image_shape, *accepted)
    for kind, x, y in (("training", x_train, y_train), ("test", x_test, y_test)):
        if y is not None and (y.shape != (len(x),) or y.dtype.kind not in "iu"):
            raise ValueError(
                f"{path}: {kind} labels: expected {len(x):,} whole numbers, one per image, "
                f"got {y.dtype} of shape {y.shape}"
            )
    return Dataset(x_train, y_train, x_test, y_test, image_shape)
