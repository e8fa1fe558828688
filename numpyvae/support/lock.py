"""A lock that one process holds on a folder, and that ends with the process, however it ends."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from numpyvae.support.files import naming
from numpyvae.support.interrupts import uninterrupted

if sys.platform == "win32":
    import msvcrt

    def _take(number: int) -> None:
        msvcrt.locking(number, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(number: int) -> None:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)


HELD = (errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)  # by another process


class LostLockError(OSError):
    """The lock is not held any more: what the folder holds now is not known."""


@contextmanager
def lock(folder: Path) -> Iterator[Callable[[], None]]:
    """Hold the lock of `folder` in the block; raises BlockingIOError if another process has it.

    Yields a function that raises LostLockError if a person has moved the folder, or deleted the
    file.

    The operating system ends a lock with its process, so a process that was killed blocks nothing.
    Where the file system has no locks, there is none.
    """
    path, number = folder / ".lock", -1
    try:
        with uninterrupted():
            number = _locked(folder, path)
        yield lambda: _check(path, number)
    finally:
        if number >= 0:
            with uninterrupted():
                with suppress(OSError):  # Windows removes no open file; it stays, and does no harm
                    path.unlink()
                os.close(number)


def _locked(folder: Path, path: Path) -> int:
    """The number of the open file `path`, with its lock."""
    while True:
        with naming(folder):
            number = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _take(number)
        except OSError as error:
            if error.errno in HELD:
                os.close(number)
                problem = "another run is writing there; wait until it ends, or name another folder"
                raise BlockingIOError(f"{folder}: {problem}") from None
        if _is_still(path, number):
            return number
        os.close(number)  # the run before has just ended, and removed the file


def _check(path: Path, number: int) -> None:
    """Raise LostLockError unless the open file `number` is the one at `path`."""
    if not _is_still(path, number):
        lost = "was moved, or its .lock deleted, and another run may be writing there"
        raise LostLockError(f"{path.parent}: it {lost}; this epoch was not saved")


def _is_still(path: Path, number: int) -> bool:
    """True if the open file `number` is the one at `path`."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(number))
    except FileNotFoundError:
        return False
