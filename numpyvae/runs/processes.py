"""Many tasks in processes of their own, a few at a time, and their results as they come."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from numpyvae.support.inputs import check_count
from numpyvae.support.interrupts import uninterrupted
from numpyvae.support.types import Item


@dataclass(frozen=True)
class Failure:
    """The reason why a task did not complete."""

    problem: str


Result = tuple[int, Item | Failure]  # of the task with this number


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def in_processes(
    task: Callable[..., Generator[Item]], arguments: Sequence[tuple[Any, ...]], jobs: int
) -> Iterator[Result[Item]]:
    """Run `task(*arguments[i])` for every i, each in its own process, at most `jobs` at a time.

    Yields (i, item) for every item of every task, as they come, and (i, Failure) for a task that
    raises an exception or whose process dies; the others go on. Ctrl-C, and leaving the loop, end
    all processes. `task` is a generator function. It, its arguments and its items are pickled, so
    it is a function of a module. A script needs `if __name__ == "__main__":` around the call,
    because each process imports it.
    """
    check_count("jobs", jobs)
    context = multiprocessing.get_context("spawn")  # a forked copy of BLAS threads may deadlock
    waiting = iter(enumerate(arguments))
    running: dict[Any, tuple[int, BaseProcess]] = {}  # by the pipe of their results
    try:
        while True:
            for i, values in islice(waiting, jobs - len(running)):
                results, end = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(end, task, values), daemon=True)
                with _without_ctrl_c():
                    process.start()
                    running[results] = (i, process)
                end.close()
            if not running:
                return
            ready: Any
            for ready in wait(list(running)):
                i, worker = running[ready]
                try:
                    yield i, ready.recv()
                except (EOFError, OSError):  # it has ended, perhaps within a message
                    del running[ready]
                    ready.close()
                    worker.join()
                    if worker.exitcode:
                        yield i, Failure(_end_in_words(worker.exitcode))
    finally:
        for _, worker in running.values():
            worker.terminate()
        for _, worker in running.values():
            worker.join(10)
            worker.kill()  # if it has not ended by then
            worker.join()


def _end_in_words(status: int) -> str:
    """The end of a process: its exit status or, if that is negative, the signal."""
    ended = f"was killed by signal {-status}" if status < 0 else f"ended with exit status {status}"
    return f"its process {ended}"


def _work(end: Connection, task: Callable[..., Generator[Any]], arguments: tuple[Any, ...]) -> None:
    """Send every item of a task, or a Failure. An unforeseen exception ends the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the first process ends this one,
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # which then removes unfinished files
    threading.Thread(target=_end_with_the_first_process, daemon=True).start()
    try:
        try:
            with closing(task(*arguments)) as items:  # its files are closed, however it ends
                for item in items:
                    end.send(item)
        except (ValueError, OSError, MemoryError, FloatingPointError) as error:
            end.send(Failure(str(error) or type(error).__name__))
    except BrokenPipeError:
        sys.exit(1)  # the first process is gone
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # no file is open; Python may be ending


def _end_with_the_first_process() -> None:
    """End this process when the one that started it has ended, for whatever reason."""
    first = multiprocessing.parent_process()
    if first is not None:
        wait([first.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """Delay Ctrl-C in this process, and block it in a process that is started in the block."""
    if sys.platform == "win32":
        with uninterrupted():
            yield
        return
    resource_tracker.ensure_running()  # if it were started in the block, it would unblock Ctrl-C
    with uninterrupted():
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
