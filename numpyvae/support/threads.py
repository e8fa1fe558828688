"""The number of threads in which NumPy computes matrix products."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_lock = threading.RLock()  # a block may end while another begins, if the collector closes it
_limits: list[list[threadpool_limits]] = []  # one for each block that has not ended


@contextmanager
def blas_threads(number: int = 1) -> Iterator[None]:
    """Compute the block in `number` BLAS threads, then restore the number that was set before.

    One is the default because idle BLAS threads wait by spinning. A second one saves little on an
    idle machine; beside other busy programs it multiplies the time. Also, results differ in the
    last bits between one thread and two.

    `@blas_threads()` on a function computes all of it in one thread. The number belongs to the
    whole process: if blocks of several Python threads overlap, the last one that began decides,
    and the last one to end restores.
    """
    mine: list[threadpool_limits] = []
    try:
        with _lock:
            mine.append(threadpool_limits(number, user_api="blas"))
            _limits.append(mine)
        yield
    finally:
        with _lock:
            _end(mine)


def _end(mine: list[threadpool_limits]) -> None:
    """Restore what was before a block, or leave this to the block that began after it."""
    position = next((i for i, other in enumerate(_limits) if other is mine), len(_limits))
    later = _limits[position + 1 :]
    if later:
        later[0][:] = mine
    elif mine:
        mine[0].restore_original_limits()
    del _limits[position : position + 1]
