"""The number of threads in which NumPy computes matrix products."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

from numpyvae.support.interrupts import uninterrupted


@contextmanager
def blas_threads(number: int = 1) -> Iterator[None]:
    """Compute the block in `number` BLAS threads, then restore the number that was set before.

    One is the default because idle BLAS threads wait by spinning. A second one saves some time
    on an idle machine; beside other busy programs it multiplies the time. Also, results differ in
    the last bits between one thread and two.

    `@blas_threads()` on a function computes all of it in one thread. The number belongs to the
    whole process: where blocks of several Python threads overlap, that of the first one holds.
    """
    limits = None
    try:
        with (
            uninterrupted()
        ):  # Ctrl-C in a callback from C, as threadpoolctl has them, would be lost
            limits = threadpool_limits(number, user_api="blas")
        yield
    finally:
        if limits is not None:
            with uninterrupted():
                limits.restore_original_limits()
