"""NumPy's files, honest and hostile."""

import tracemalloc
import zipfile

import numpy as np
import pytest
from numpy.lib import format as npy

from numpyvae.support.arrays import open_arrays


def read(path, name="images", **limits):
    with open_arrays(path) as arrays:
        return arrays.read(name, **limits)


def with_header(path, shape, data, dtype="|u1", compress=zipfile.ZIP_DEFLATED):
    """An .npz file whose member "images" promises `shape`, and holds `data`."""
    with zipfile.ZipFile(path, "w", compress) as archive, archive.open("images.npy", "w") as file:
        header = {"descr": dtype, "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, header)
        for _ in range(0, len(data), 2**20):
            file.write(data[: 2**20])


@pytest.mark.parametrize(
    "array",
    [
        np.arange(12.0).reshape(3, 4),
        np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        np.arange(5, dtype=">i4"),
        np.array(7),
        np.zeros((0, 3), np.float32),
        np.array("text"),
        np.array([True, False]),
    ],
)
def test_arrays_come_back_as_numpy_reads_them(tmp_path, array):
    np.savez(tmp_path / "a.npz", images=array, other=np.ones(2))
    np.save(tmp_path / "a.npy", array)
    for path in (tmp_path / "a.npz", tmp_path / "a.npy"):
        found = read(path)
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype.newbyteorder("=")
    assert open_names(tmp_path / "a.npz") == ["images", "other"]


def open_names(path):
    with open_arrays(path) as arrays:
        return arrays.names


def test_a_shape_is_compared_before_anything_is_read(tmp_path):
    path = tmp_path / "a.npz"
    with_header(path, (10**6, 10**6), b"")
    with pytest.raises(ValueError, match=r"a.npz: images: expected shape \(3,\), got \(1000000,"):
        read(path, shape=(3,))
    with pytest.raises(ValueError, match=r"a.npz: images: expected 100 bytes at most"):
        read(path, most=100)
    with pytest.raises(ValueError, match=r"a.npz: there is no 'labels' in it"):
        read(path, "labels")


@pytest.mark.parametrize("shape", [(10**12,), (2**31, 2**31), (3,), (-1,), (10**30,)])
def test_a_header_that_promises_more_or_less_than_there_is_costs_nothing(tmp_path, shape):
    """300 MB of zeros in 300 kB, and headers that say otherwise."""
    path = tmp_path / "bomb.npz"
    data = bytes(2**20) * (300 if shape == (3,) else 1)
    with_header(path, shape, data)
    assert cost_of_refusing(path) < 10e6


@pytest.mark.once
@pytest.mark.parametrize("compress", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bomb_of_another_compression_costs_nothing(tmp_path, compress):
    path = tmp_path / "bomb.npz"
    with_header(path, (200 * 2**20,), bytes(200 * 2**20), compress=compress)
    assert cost_of_refusing(path) < 10e6


@pytest.mark.once
def test_a_header_or_elements_of_immense_length_cost_nothing(tmp_path):
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        data = npy.magic(2, 0) + b"\xff\xff\xff\x0f" + bytes(2**28)
        archive.writestr("images.npy", data)
    assert cost_of_refusing(path) < 10e6
    with_header(path, (3,), bytes(300 * 2**20), dtype="|S100000000")
    assert cost_of_refusing(path, shape=(3,)) < 10e6


def cost_of_refusing(path, **limits):
    """The peak of memory, in bytes, while the file is refused."""
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"bomb.npz: damaged, or not a file of plain NumPy"):
        read(path, **limits)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def test_objects_and_damage_are_refused(tmp_path):
    path = tmp_path / "a.npz"
    for bad in (np.array([{}], object), np.zeros(2, "datetime64[s]"), np.zeros(1, "i4,f4")):
        np.savez(path, images=bad)
        with pytest.raises(ValueError, match="damaged, or not a file of plain NumPy arrays"):
            read(path)
    np.savez(path, images=np.arange(100))
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"NUMPY") + 300] ^= 1
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="damaged"):
        read(path)
