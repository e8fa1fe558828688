"""Files that are read whole or refused, and files that appear complete or not at all."""

from __future__ import annotations

import errno
import io
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

WORDS = {
    errno.EACCES: "no permission; change the permission, or name another folder",
    errno.EPERM: "no permission; change the permission, or name another folder",
    errno.ENOENT: "no such file or folder; check whether the folder was moved or deleted",
    errno.EROFS: "the file system is read-only; name another folder",
    errno.ENOSPC: "no space is left on the disk; free some",
    errno.EDQUOT: "your disk quota is used up; free some space",
    errno.EFBIG: "the file would be larger than is allowed here; name another folder",
    errno.ELOOP: "the links lead in a circle; name the file itself",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EEXIST: "something else has this name, perhaps a link to nothing; name another folder",
    errno.ENOTDIR: "a part of this path is a file, not a folder; name another one",
    errno.EIO: "the disk reports a fault; try another one",
}
UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.unfinished")
NO_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)  # of some file systems


def in_words(error: OSError, path: str | PathLike[str] | None = None) -> str:
    """The error as a sentence that names the file, `path` if given, and the remedy."""
    if error.errno is None:
        return str(error)  # it is in words already
    place = error.filename if path is None else path
    what = WORDS.get(error.errno, os.strerror(error.errno))
    return what if place is None else f"{place}: {what}"


def open_file(path: str | PathLike[str]) -> io.BufferedReader:
    """A file, open for reading bytes. A folder or a pipe, which would block, raises ValueError."""
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file; check the spelling")
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe or a device"
        raise ValueError(f"{path}: expected a file, got {kind}; name a file")
    return path.open("rb")


def read_text(path: Path, most: int = 2**20) -> str:
    """The text of a file of at most `most` bytes in UTF-8; raises ValueError for any other."""
    with open_file(path) as file:
        size = os.fstat(file.fileno()).st_size  # read(n) takes n bytes of memory at once
        content = file.read(min(size, most) + 1)
    if len(content) > most:
        raise ValueError(f"{path}: longer than {most:,} bytes, so it is not what it should be")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{path}: damaged, not text in UTF-8") from None


def folder_for(path: str | PathLike[str], name: str = "out") -> Path:
    """`path`, a folder or the name of one; raises ValueError, naming the argument, if it is not."""
    if not str(path) or (Path(path).exists() and not Path(path).is_dir()):
        raise ValueError(f"{name}: expected the name of a folder, got {str(path)!r}")
    return Path(path)


def write_file(path: str | PathLike[str], content: bytes) -> None:
    """Write a file, which appears complete or not at all."""
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path}: there is no folder {path.parent}; make it first")
    write_files(path.parent, {path.name: content})


def write_files(folder: Path, contents: Mapping[str, bytes]) -> None:
    """Write several files of a folder together: see `written`."""
    with written(folder, contents):
        pass


@contextmanager
def written(folder: Path, contents: Mapping[str, bytes]) -> Iterator[None]:
    """Write files under other names; after the block, rename all of them, in their order.

    If the disk is full, or the block raises an exception, the files stay as they were. Only files
    are replaced: a folder or a device of that name raises OSError.
    """
    unfinished: list[Path] = []
    for path in (folder / name for name in contents):
        if path.exists() and not path.is_file():
            kind = "a folder" if path.is_dir() else "a pipe or a device"
            raise OSError(f"{path}: {kind}; name a file")
    try:
        for name, content in contents.items():
            path = folder / f".{secrets.token_hex(8)}.unfinished"
            with naming(folder / name), path.open("xb") as file:
                unfinished.append(path)
                file.write(content)
                file.flush()
                _sync(file.fileno())
        yield
        for name, path in zip(contents, unfinished):
            with naming(folder / name):
                (folder / name).parent.mkdir(exist_ok=True)
                path.replace(folder / name)
        if os.name != "nt":  # where a folder cannot be opened
            with naming(folder):  # renamed files keep their new names if the power fails
                number = os.open(folder, os.O_RDONLY)
                try:
                    _sync(number)
                finally:
                    os.close(number)
    finally:
        for path in unfinished:
            path.unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name `path`, and not a temporary file, in an OSError of the block."""
    try:
        yield
    except OSError as error:
        raise type(error)(in_words(error, path)) from None


def _sync(number: int) -> None:
    """Wait until an open file is on the disk, where the file system knows how."""
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno not in NO_SYNC:
            raise


def remove_unfinished(folder: Path) -> None:
    """Remove what a process left in `folder` that was killed while it wrote there."""
    for path in folder.glob(".*.unfinished"):
        if UNFINISHED.fullmatch(path.name):
            path.unlink(missing_ok=True)
