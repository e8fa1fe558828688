"""Files that appear complete or not at all, and files that are read whole or refused."""

import errno
import os

import pytest

from numpyvae.support import files
from numpyvae.support.files import in_words, open_file, read_text, remove_unfinished, write_file
from numpyvae.support.files import written as written_together


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def full(number):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"^\S*file: no space is left on the disk; free some$"):
        write_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_the_old_file_is_never_written_into(tmp_path):
    path, witness = tmp_path / "file", tmp_path / "another name of the same file"
    path.write_bytes(b"old")
    os.link(path, witness)
    write_file(path, b"new")
    assert path.read_bytes() == b"new"
    assert witness.read_bytes() == b"old"


def test_several_files_are_written_before_any_appears(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with written_together(tmp_path, {"a": b"new", "sub/b": b"new"}):
        assert (tmp_path / "a").read_bytes() == b"old"
        assert not (tmp_path / "sub").exists()
        assert len(names(tmp_path)) == 3
    assert names(tmp_path) == ["a", "sub"]
    assert (tmp_path / "a").read_bytes() == (tmp_path / "sub" / "b").read_bytes() == b"new"


def test_an_exception_in_the_block_leaves_all_files(tmp_path):
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(KeyError), written_together(tmp_path, {"a": b"new", "b": b"new"}):
        raise KeyError
    assert names(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_leftovers_of_a_killed_process_are_removed_and_other_files_are_not(tmp_path):
    for name in (".0123456789abcdef.unfinished", ".mine.unfinished", ".hidden", "file"):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path)
    assert names(tmp_path) == [".hidden", ".mine.unfinished", "file"]


def test_a_folder_that_is_not_there_and_a_folder_for_a_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere; make it first"):
        write_file(tmp_path / "nowhere" / "file", b"")
    with pytest.raises(OSError, match="a folder; name a file"):
        write_file(tmp_path, b"")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no named pipes among its files")
def test_a_pipe_or_a_folder_is_refused_and_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="pipe: expected a file, got a pipe or a device"):
        open_file(tmp_path / "pipe")
    with pytest.raises(ValueError, match="expected a file, got a folder"):
        open_file(tmp_path)
    with pytest.raises(FileNotFoundError, match="nothing: no such file; check the spelling"):
        open_file(tmp_path / "nothing")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes in folders")
def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe: a pipe or a device; name a file"):
        write_file(tmp_path / "pipe", b"new")
    assert (tmp_path / "pipe").is_fifo()


def test_text_has_a_limit_and_an_encoding(tmp_path):
    path = tmp_path / "text"
    path.write_text("müde", encoding="utf-8")
    assert read_text(path) == "müde"
    assert read_text(path, most=5) == "müde"
    with pytest.raises(ValueError, match="text: longer than 4 bytes"):
        read_text(path, most=4)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="text: damaged, not text in UTF-8"):
        read_text(path)


def test_errors_of_the_system_become_sentences():
    for number, words in files.WORDS.items():
        assert in_words(OSError(number, "?", "a/b")) == f"a/b: {words}"
    assert in_words(OSError(errno.EBUSY, "?"), "x") == f"x: {os.strerror(errno.EBUSY)}"
    assert in_words(OSError("already in words")) == "already in words"
    assert in_words(BrokenPipeError(errno.EPIPE, "?")) == os.strerror(errno.EPIPE)


@pytest.mark.parametrize("name", ["EINVAL", "ENOTSUP", "ENOSYS", "EOPNOTSUPP"])
def test_a_file_system_without_fsync_is_no_problem(tmp_path, monkeypatch, name):
    def unknown(number):
        raise OSError(getattr(errno, name), "unknown")

    monkeypatch.setattr(os, "fsync", unknown)
    write_file(tmp_path / "a.txt", b"a")
    assert (tmp_path / "a.txt").read_bytes() == b"a"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_disk_with_a_fault_is_one(tmp_path, monkeypatch):
    def broken(number):
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match=r"a\.txt: the disk reports a fault"):
        write_file(tmp_path / "a.txt", b"a")
    assert list(tmp_path.iterdir()) == []
