"""The number of threads in which NumPy computes matrix products."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_lock = threading.Lock()
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
    with _lock:
        mine = [threadpool_limits(number, user_api="blas")]
        _limits.append(mine)
    try:
        yield
    finally:
        with _lock:
            position = _limits.index(mine)
            later = _limits[position + 1 :]
            if later:
                later[0][:] = mine  # that block restores in our place
            else:
                mine[0].restore_original_limits()
            del _limits[position]
