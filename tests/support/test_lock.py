"""A lock of a folder, and what ends it."""

import multiprocessing
import os
import signal

import pytest
from tasks import hold_the_lock

from numpyvae.support.lock import lock


@pytest.fixture
def holder(tmp_path):
    """A process that holds the lock of a folder until it is killed."""
    context = multiprocessing.get_context("spawn")
    ready, end = context.Pipe(duplex=False)
    process = context.Process(target=hold_the_lock, args=(tmp_path, end))
    process.start()
    assert ready.recv() == "locked"
    yield process
    process.kill()
    process.join()


def test_another_process_is_refused_until_the_first_ends(tmp_path, holder):
    with pytest.raises(BlockingIOError, match="another run is writing there"), lock(tmp_path):
        pass
    os.kill(holder.pid, signal.SIGTERM if os.name == "nt" else signal.SIGKILL)
    holder.join()
    with lock(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == [".lock"]
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(os.name == "nt", reason="Windows deletes no open file")
def test_a_lock_that_was_deleted_is_noticed(tmp_path):
    with lock(tmp_path) as check:
        check()
        (tmp_path / ".lock").unlink()
        with pytest.raises(OSError, match=r"its \.lock deleted, and another run may be writing"):
            check()


def test_the_lock_is_free_after_an_exception(tmp_path):
    with pytest.raises(KeyError), lock(tmp_path):
        raise KeyError
    with lock(tmp_path):
        pass


def test_within_a_process_too(tmp_path):
    with lock(tmp_path):
        with pytest.raises(BlockingIOError), lock(tmp_path):
            pass
        assert (tmp_path / ".lock").exists()  # of the first


def test_a_lock_file_that_was_replaced_is_not_the_lock(tmp_path, monkeypatch):
    """Between opening and locking, the process that had it may end and remove it."""
    from numpyvae.support import lock as module

    opened = []
    take = module._take

    def remove_first(number):
        opened.append(number)
        if len(opened) == 1:
            (tmp_path / ".lock").unlink()
        take(number)

    monkeypatch.setattr(module, "_take", remove_first)
    with lock(tmp_path):
        assert len(opened) == 2
        assert (tmp_path / ".lock").exists()
