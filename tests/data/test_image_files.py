"""Images from files: right, damaged and foreign ones."""

import gzip
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpyvae import load_idx
from numpyvae.data.image_files import IDX_TYPES, USUAL_NAMES, load_images


def idx(array):
    """The bytes of an IDX file, put together independently of the reader."""
    code = {np.dtype(kind).newbyteorder("="): code for code, kind in IDX_TYPES.items()}
    header = bytes([0, 0, code[array.dtype.newbyteorder("=")], array.ndim])
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return header + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def npy(shape):
    """The bytes of an .npy file that claims this shape."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)


@pytest.fixture
def folder(tmp_path, rng):
    """Four small files in the usual names: images of 5 x 6 pixels, half of the files gzipped."""
    arrays = (
        rng.integers(0, 256, (20, 5, 6), dtype=np.uint8),
        rng.integers(0, 3, 20, dtype=np.uint8),
        rng.integers(0, 256, (8, 5, 6), dtype=np.uint8),
        rng.integers(0, 3, 8, dtype=np.uint8),
    )
    for i, (name, array) in enumerate(zip(USUAL_NAMES, arrays)):
        if i % 2:
            (tmp_path / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (tmp_path / name).write_bytes(idx(array))
    return tmp_path


@given(
    array=st.sampled_from(sorted(IDX_TYPES.values())).flatmap(
        lambda kind: hnp.arrays(np.dtype(kind).newbyteorder("="), hnp.array_shapes(max_dims=4))
    ),
    zipped=st.booleans(),
)
def test_any_idx_file_is_read_back(tmp_path_factory, array, zipped):
    path = tmp_path_factory.mktemp("idx") / "file"
    path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    back = load_idx(path)
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@given(data=st.binary(max_size=40))
def test_no_bytes_whatever_end_in_anything_but_a_valueerror_that_names_the_file(
    tmp_path_factory, data
):
    path = tmp_path_factory.mktemp("idx") / "noise"
    path.write_bytes(b"\0\0" + data)
    problem = f"{path}: "
    try:
        load_idx(path)
    except ValueError as error:
        problem = str(error)
    assert problem.startswith(f"{path}: ")
    assert "\n" not in problem


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "truncated: the header promises 15 bytes, and 14 are there"),
        (lambda data: data[:10], "truncated inside its header"),
        (lambda data: b"\0\0\x08\xff" + b"\1" * 2000, r"the header promises more than 2\*\*63 "),
        (lambda data: data + b"\0", "longer than its header says"),
        (lambda data: b"PK\3\4" + data[4:], "not an IDX file: it starts with b'PK"),
        (lambda data: b"", "not an IDX file"),
        (lambda data: gzip.compress(data)[:-9], "truncated or damaged"),
        (lambda data: b"\x1f\x8b" + data, "truncated or damaged"),
        (lambda data: b"\0\0\x08\xff" + bytes(4 * 255), "maximum supported dimension"),
        (
            lambda data: b"\0\0\x08\3" + bytes(4) + b"\xff" * 8,
            "(too big|Maximum allowed|array is too)",
        ),
    ],
)
def test_damaged_idx_files_are_named(tmp_path, change, message):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(change(idx(np.zeros((1, 3, 5), np.uint8))))
    with pytest.raises(ValueError, match=message) as refusal:
        load_idx(path)
    assert str(refusal.value).startswith(f"{path}: ")
    assert "\n" not in str(refusal.value)


def test_a_folder_of_images_of_any_size(folder):
    data = load_images(folder)
    assert data.x_train.shape == (20, 30)
    assert data.y_test.shape == (8,)
    assert data.image_shape == (5, 6)


def test_a_missing_file_is_named(folder):
    (folder / "t10k-images-idx3-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match=r"t10k-images-idx3-ubyte \(or .*\.gz\) is missing"):
        load_images(folder)


def test_mislabeled_files_are_named(folder):
    images, labels = folder / USUAL_NAMES[0], folder / f"{USUAL_NAMES[1]}.gz"
    kept = images.read_bytes()
    images.write_bytes(gzip.decompress(labels.read_bytes()))
    with pytest.raises(ValueError, match=r"expected images .* is the file mislabeled\?"):
        load_images(folder)
    images.write_bytes(kept)
    labels.write_bytes(idx(np.zeros(19, np.uint8)))
    with pytest.raises(ValueError, match="training labels: expected 20 whole numbers"):
        load_images(folder)


def test_train_and_test_images_must_have_one_size(folder):
    (folder / USUAL_NAMES[2]).write_bytes(idx(np.zeros((8, 4, 6), np.uint8)))
    with pytest.raises(ValueError, match="training and test images of one size"):
        load_images(folder)


def test_an_array_of_ones_own(tmp_path, rng):
    images = rng.random((25, 4, 7))
    np.save(tmp_path / "mine.npy", images)
    data = load_images(tmp_path / "mine.npy")
    assert data.image_shape == (4, 7)
    np.testing.assert_array_equal(data.x_train, images[:23].reshape(23, 28))
    np.testing.assert_array_equal(data.x_test, images[23:].reshape(2, 28))
    assert data.y_test is None


def test_flat_images_are_square_if_they_can_be(tmp_path):
    np.savez(tmp_path / "flat.npz", anything=np.zeros((10, 49), bool))
    assert load_images(tmp_path / "flat.npz").image_shape == (7, 7)
    np.savez(tmp_path / "line.npz", anything=np.zeros((10, 50), bool))
    assert load_images(tmp_path / "line.npz").image_shape == (1, 50)


def test_an_npz_with_the_usual_names(tmp_path, rng):
    arrays = {
        "x_train": rng.integers(0, 256, (9, 3, 3), dtype=np.uint8),
        "y_train": np.arange(9),
        "x_test": rng.integers(0, 256, (4, 3, 3), dtype=np.uint8),
    }
    np.savez_compressed(tmp_path / "all.npz", **arrays)
    data = load_images(tmp_path / "all.npz")
    assert len(data.x_test) == 4
    assert data.y_train.tolist() == list(range(9))
    assert data.y_test is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.npy", b"rubbish", "damaged, or not a file of plain NumPy arrays"),
        ("a.npz", b"rubbish", "damaged, or not a file of plain NumPy arrays"),
        ("a.npy", np.array([{}, {}], dtype=object), "damaged, or not a file of plain NumPy arrays"),
        ("a.npy", npy("((((((("), "damaged, or not a file of plain NumPy arrays"),
        ("a.npy", npy(f"({10**30}, 28, 28)"), "damaged, or not a file of plain NumPy arrays"),
        ("a.npy", npy("(99999999999, 28, 28)"), "a.npy: (too large|damaged)"),
        ("a.npy", npy("(3, 4, 4)" + " " * 20_000), "damaged, or not a file of plain NumPy arrays"),
        (
            "a.npz",
            {"x_train.txt": "words"},
            "expected one array, or arrays called x_train and x_test, got \\[\\]",
        ),
        ("a.npy", np.zeros((30, 8, 0)), "training and test images of one size"),
        ("a.npy", np.zeros((30, 0)), "training and test images of one size"),
        ("a.npy", np.full((30, 9), 15, np.uint8), "the largest value is 15; .* images / 15"),
        ("a.npy", np.full((30, 9), 15.0), r"from 15 to 15; rescale them to \[0, 1\]"),
        ("a.npy", np.zeros(5), "expected at least two images"),
        ("a.npy", np.zeros((1, 4)), "expected at least two images"),
        ("a.npy", np.zeros((5, 2, 2, 3)), r"expected grey images as \(N, height, width\)"),
        ("a.npy", np.full((5, 4), 255.0), "training images: .* divide by 255"),
        ("a.npz", {"x_train": np.zeros((5, 4)), "other": np.zeros(3)}, "called x_train and x_test"),
        ("a.txt", b"", "expected a folder of IDX files, or a file ending in .npy or .npz"),
    ],
)
def test_bad_files_are_refused_by_name(tmp_path, name, content, message):
    path = tmp_path / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict) and "x_train.txt" in content:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(*content.popitem())
    elif isinstance(content, dict):
        np.savez(path, **content)
    else:
        np.save(path, content, allow_pickle=True)
    with pytest.raises(ValueError, match=message) as refusal:
        load_images(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there(tmp_path):
    for load in (load_idx, load_images):
        with pytest.raises(FileNotFoundError, match=r"no such file.*check the spelling"):
            load(tmp_path / "nothing")
