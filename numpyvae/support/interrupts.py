"""Ctrl-C and the signal that ends a process, delayed while files are written."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

STOPS = (signal.SIGINT, signal.SIGTERM)


class Terminated(KeyboardInterrupt):
    """The process was asked to end (SIGTERM); like Ctrl-C, it goes through every `finally`."""


def raise_terminated(number: int, frame: Any) -> None:
    """A handler of SIGTERM."""
    raise Terminated


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay Ctrl-C and SIGTERM until the block is over, so that its files agree."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals go to the main thread
        return
    waiting: list[int] = []
    handlers = {number: signal.getsignal(number) for number in STOPS}
    try:
        for number in STOPS:
            signal.signal(number, lambda number, frame: waiting.append(number))
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for arrived in waiting:  # the first one may be ignored
            signal.raise_signal(arrived)
