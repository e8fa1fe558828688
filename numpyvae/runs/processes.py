"""An executor whose tasks have a process each."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any

from numpyvae.support.inputs import check_count
from numpyvae.support.interrupts import uninterrupted

GRACE = 10.0  # seconds to remove unfinished files


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class Processes(ThreadPoolExecutor):
    """An executor of concurrent.futures that runs each task in a process of its own.

        with Processes(2) as executor:
            futures = [executor.submit(task, i) for i in range(9)]

    At most `jobs` run at the same time. Why not a single ProcessPoolExecutor? If one of its
    processes is killed, perhaps because it took too much memory, all of its tasks fail; and Ctrl-C
    reaches all of them at once, with a traceback each. Here, each task has such an executor for
    itself, so a process that dies fails its own task alone. An exception in the block, such as
    Ctrl-C, ends all processes, which then remove their unfinished files. Tasks and results are
    pickled, so a task is a function of a module, and a script needs `if __name__ == "__main__":`.
    """

    def __init__(self, jobs: int) -> None:
        super().__init__(check_count("jobs", jobs), initializer=_leave_ctrl_c_to_the_main_thread)
        self._context = multiprocessing.get_context("spawn")  # a forked copy of BLAS may deadlock
        self._guard, self._over = threading.Lock(), False
        self._ends = set[Connection]()  # a process lives only as long as its end of a pipe is open
        if sys.platform != "win32":
            resource_tracker.ensure_running()  # by a thread that leaves Ctrl-C alone

    def submit(self, task: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        """Run `task(*args, **more)` when a process is free; its result is in the Future."""
        with uninterrupted():  # or a thread might be forgotten
            return super().submit(self._in_a_process, task, args, more)

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> bool | None:
        """Wait for the tasks, or end them after an exception."""
        if kind is not None:
            with self._guard:
                self._over = True
                for end in self._ends:
                    end.close()
            self.shutdown(cancel_futures=True)
        return super().__exit__(kind, *error)

    def _in_a_process(self, task: Callable[..., Any], args: Any, more: Any) -> Any:
        """The result of a task; a thread waits here."""
        watched, end = self._context.Pipe(duplex=False)
        with watched, end, ProcessPoolExecutor(1, self._context, _begin, (watched,)) as single:
            with self._guard:
                if self._over:
                    raise CancelledError
                self._ends.add(end)
            try:
                return single.submit(_work, task, args, more).result()
            except BrokenProcessPool:
                problem = (
                    "its process ended too early: was it killed, or did it need too much memory?"
                )
                raise RuntimeError(problem) from None
            finally:
                with self._guard:
                    self._ends.remove(end)


def _leave_ctrl_c_to_the_main_thread() -> None:
    """Block it in this thread, and in the processes that it starts."""
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


def _begin(watched: Connection) -> None:
    """What a process does first."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the first process ends this one,
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # which then removes unfinished files
    threading.Thread(target=_end_with, args=(watched,), daemon=True).start()


def _work(task: Callable[..., Any], args: Any, more: Any) -> Any:
    """The result of a task; a signal that ends it ends its process."""
    try:
        return task(*args, **more)
    except SystemExit:
        os._exit(1)


def _end_with(watched: Connection) -> None:
    """End this process when the other end of the pipe is closed, or its process has ended."""
    wait([watched])
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)
