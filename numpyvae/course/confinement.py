"""Limits for a process that runs the code of somebody else.

What is refused is refused by Python: connections, other processes, ctypes, writing and deleting
outside of the working folder, and reading in folders that are named. That stops accidents and
simple tricks. It is no protection against somebody who attacks Python itself; for that, mark in a
container or a virtual machine.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MEMORY = 2 * 2**30  # bytes of address space
FILE = 50 * 2**20  # bytes of a file
SECONDS = 600  # of computing, all notebooks together
PRINTED = 1_000_000  # characters
PROCESSES = ("os.fork", "os.forkpty", "os.exec", "os.spawn", "os.posix_spawn", "os.system",
             "os.startfile", "subprocess.Popen", "pty.spawn")  # fmt: skip
SIGNALS = ("os.kill", "os.killpg", "signal.pthread_kill")
CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod",
           "os.chown", "os.truncate", "os.utime", "shutil.rmtree", "shutil.move", "os.setxattr",
           "os.removexattr", "os.chflags")  # fmt: skip
READS = ("open", "os.listdir", "os.scandir")
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class _Printed(io.TextIOBase):
    """A standard output that counts what is printed and keeps none of it."""

    def __init__(self) -> None:
        self._count = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        """Count the characters; raises RuntimeError if there are too many."""
        self._count += len(text)
        if self._count > PRINTED:
            raise RuntimeError(f"it prints more than {PRINTED:,} characters")
        return len(text)


def limit_resources() -> None:
    """Limit memory, size of files and computing time, where the operating system can."""
    if sys.platform == "win32":
        return
    import resource

    limits = {
        resource.RLIMIT_AS: MEMORY,
        resource.RLIMIT_FSIZE: FILE,
        resource.RLIMIT_CPU: SECONDS,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        try:
            hard = resource.getrlimit(kind)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (most, most))
        except (ValueError, OSError):
            pass  # macOS knows some of these limits but does not set them


def confine(folder: Path, forbidden: Sequence[Path]) -> None:
    """From now on, refuse what this module names. It cannot be taken back.

    `folder` is the only folder that can be changed; folders in `forbidden` cannot be read.
    """
    own = os.path.realpath(folder)
    closed = [os.path.realpath(path) for path in forbidden]
    sys.stdout = sys.stderr = _Printed()
    sys.stdin = io.StringIO()

    def inside(path: Any, of: str) -> bool:
        place = os.path.realpath(os.fsdecode(path))
        return place == of or place.startswith(of + os.sep)

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event in PROCESSES:
            raise PermissionError("starting a process is not allowed while marking")
        if event in SIGNALS:
            raise PermissionError("sending a signal is not allowed while marking")
        if event.startswith(("socket.", "urllib.")):
            raise PermissionError("a network connection is not allowed while marking")
        if event == "ctypes.dlopen":
            raise PermissionError("ctypes is not allowed while marking")
        paths = [each for each in arguments[:2] if isinstance(each, str | bytes | os.PathLike)]
        if event in CHANGES and not all(inside(path, own) for path in paths):
            raise PermissionError("changing a file outside its folder is not allowed")
        if event in READS and paths and not isinstance(arguments[0], int):
            flags = arguments[2] if event == "open" and len(arguments) > 2 else 0
            if isinstance(flags, int) and flags & WRITING and not _harmless(paths[0], own, inside):
                raise PermissionError("writing outside its folder is not allowed")
            if any(inside(paths[0], place) for place in closed) and not inside(paths[0], own):
                raise PermissionError("reading there is not allowed while marking")

    sys.addaudithook(refuse)


def _harmless(path: Any, own: str, inside: Any) -> bool:
    return inside(path, own) or os.fsdecode(path) == os.devnull
