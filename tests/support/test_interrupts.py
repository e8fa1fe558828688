"""Ctrl-C and SIGTERM while files are written."""

import signal
import threading

import pytest

from numpyvae.support.interrupts import Terminated, raise_terminated, uninterrupted


@pytest.fixture
def handlers():
    """Python's own handler of Ctrl-C, which a job in the background lacks, and ours of SIGTERM."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, raise_terminated)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("number", "exception"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_signal_waits_until_the_block_is_over(handlers, number, exception):
    done = []
    handler = signal.getsignal(number)

    def work():
        with uninterrupted():
            signal.raise_signal(number)
            done.append("first")
            with uninterrupted():
                done.append("second")
            done.append("third")

    with pytest.raises(exception):
        work()
    assert done == ["first", "second", "third"]
    assert signal.getsignal(number) is handler


def test_a_signal_that_is_ignored_hides_no_other(handlers):
    """Ctrl-C reaches the processes of a sweep too; they ignore it and wait to be terminated."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def work():
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(Terminated):
        work()


def test_elsewhere_than_in_the_main_thread_there_is_nothing_to_wait_for():
    done = []

    def work():
        with uninterrupted():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
