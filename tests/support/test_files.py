"""Replacing a file in one step."""

import os

import pytest

from numpyvae.support.files import replacing


def test_a_write_that_fails_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write():
        with replacing(path) as file:
            file.write(b"half of the n")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_the_old_file_is_never_written_into(tmp_path):
    path, witness = tmp_path / "file", tmp_path / "another name of the same file"
    path.write_bytes(b"old")
    os.link(path, witness)
    with replacing(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert witness.read_bytes() == b"old"
