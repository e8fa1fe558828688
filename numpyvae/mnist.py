"""Images from files: full MNIST inside the package, any IDX file, any folder or array of images."""

from __future__ import annotations

import gzip
import math
import zlib
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from numpyvae.images import check_images
from numpyvae.inputs import read_arrays
from numpyvae.parameters import Array

# Type code in the header → element type; IDX is big-endian.
IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

MNIST_FOLDER = Path(__file__).with_name("data")
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


def load_mnist() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """(x_train, y_train), (x_test, y_test): MNIST, images uint8 (60000, 784) and (10000, 784).

    Labels are uint8 (60000,) and (10000,). The files travel inside the package, so there is no
    download. (LeCun, Cortes, Burges; CC BY-SA 3.0, see numpyvae/data/README.md.)
    """
    mnist = load_images(MNIST_FOLDER)
    assert mnist.y_train is not None
    assert mnist.y_test is not None
    return (mnist.x_train, mnist.y_train), (mnist.x_test, mnist.y_test)


def load_idx(path: str | PathLike[str]) -> Array:
    """The array in an IDX file, gzipped or not, of any element type and number of dimensions.

    The format: two zero bytes, a type code, the number of dimensions, each dimension as a
    big-endian 32-bit number, then the elements. Raises ValueError naming the file if its content
    is not that, and OSError if it cannot be read.
    """
    data = _read(Path(path))
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in IDX_TYPES:
        raise ValueError(
            f"{path}: not an IDX file: it starts with {bytes(data[:4])!r}, "
            "expected two zero bytes and a type code; check that it is the right file"
        )
    dtype, start = np.dtype(IDX_TYPES[data[2]]), 4 + 4 * data[3]
    if len(data) < start:
        raise ValueError(f"{path}: truncated inside its header; copy or download it again")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", data[3], offset=4))
    promised = start + math.prod(shape) * dtype.itemsize
    if len(data) != promised:
        what = "truncated" if len(data) < promised else "longer than its header says"
        raise ValueError(
            f"{path}: {what}: the header promises {promised:,} bytes for shape {shape}, "
            f"the file has {len(data):,}; copy or download it again"
        )
    try:
        array = np.frombuffer(data, dtype, offset=start).reshape(shape)
    except ValueError:
        raise ValueError(f"{path}: NumPy has no array of shape {shape}; is it damaged?") from None
    return array.astype(dtype.newbyteorder("="), copy=False)


def load_images(path: str | PathLike[str]) -> Dataset:
    """Images of any size from a folder of the four usual IDX files, an .npy or an .npz file.

    folder   train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and
             t10k-labels-idx1-ubyte, each gzipped (.gz) or not: MNIST, Fashion-MNIST, KMNIST, …
    .npz     x_train and x_test, with y_train and y_test if there are labels; or one array
    .npy     one array (N, height, width) or (N, X); the last tenth of the images is the test set

    Images are uint8, bool, or floats in [0, 1]. Raises ValueError or OSError naming the file.
    """
    path = Path(path)
    if path.is_dir():
        return _load_folder(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file or folder; check the spelling")
    if path.suffix not in (".npy", ".npz"):
        raise ValueError(f"{path}: expected a folder of IDX files, an .npy or an .npz file")
    arrays = read_arrays(path)
    if len(arrays) == 1:
        (images,) = arrays.values()
        if images.ndim < 2 or len(images) < 2:
            raise ValueError(
                f"{path}: expected at least two images as (N, height, width) or (N, X), "
                f"got shape {images.shape}"
            )
        kept = len(images) - max(1, len(images) // 10)
        return _dataset(path, images[:kept], None, images[kept:], None)
    if "x_train" not in arrays or "x_test" not in arrays:
        raise ValueError(
            f"{path}: expected one array, or arrays called x_train and x_test, "
            f"got {', '.join(arrays) or 'none'}"
        )
    y_train, y_test = arrays.get("y_train"), arrays.get("y_test")
    return _dataset(path, arrays["x_train"], y_train, arrays["x_test"], y_test)


def _load_folder(folder: Path) -> Dataset:
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
                f"got shape {array.shape}; is the file mislabelled?"
            )
        arrays.append(array)
    return _dataset(folder, *arrays)


def _dataset(
    path: Path, x_train: Array, y_train: Array | None, x_test: Array, y_test: Array | None
) -> Dataset:
    """Checked and flattened, with the shape of the images."""
    if x_train.ndim == 3:
        image_shape = (x_train.shape[1], x_train.shape[2])
    elif x_train.ndim == 2:  # flat: a square if the number of pixels is one, else one line
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
    x_train = check_images(f"{path}: training images", x_train, image_shape)
    x_test = check_images(f"{path}: test images", x_test, image_shape)
    for kind, x, y in (("training", x_train, y_train), ("test", x_test, y_test)):
        if y is not None and (y.shape != (len(x),) or y.dtype.kind not in "iu"):
            raise ValueError(
                f"{path}: {kind} labels: expected {len(x):,} whole numbers, one an image, "
                f"got {y.dtype} of shape {y.shape}"
            )
    return Dataset(x_train, y_train, x_test, y_test, image_shape)


def _read(path: Path) -> bytearray:
    """The bytes of a file, decompressed if it is gzipped (whatever its name says)."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file; check the spelling") from None
    if data[:2] == b"\x1f\x8b":
        try:
            data = gzip.decompress(data)
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(
                f"{path}: truncated or damaged ({error}); copy or download it again"
            ) from None
    return bytearray(data)  # so that the arrays made of it can be written to
