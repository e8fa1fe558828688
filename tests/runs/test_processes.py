"""An executor whose tasks have a process each: all results, whatever happens to some of them."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest
import tasks

from numpyvae.runs import Processes
from numpyvae.runs.processes import cores

pytestmark = pytest.mark.once


def outcomes(task, arguments, jobs):
    """The result or the exception of each task, in order."""
    with Processes(jobs) as executor:
        futures = [executor.submit(task, *each) for each in arguments]
        return [future.exception() or future.result() for future in futures]


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_every_result_arrives_whatever_the_number_of_jobs(jobs):
    assert outcomes(tasks.add, [(10, 2), (20, 0), (30, 3)], jobs) == [12, 20, 33]


def test_as_many_run_at_the_same_time_as_there_are_jobs_and_no_more(tmp_path):
    together = outcomes(tasks.running_together, [(str(tmp_path), i) for i in range(6)], 2)
    assert len(together) == 6
    assert max(together) <= 2
    assert outcomes(tasks.running_together, [(str(tmp_path), i) for i in range(2)], 1) == [1, 1]


def test_a_task_that_raises_or_dies_fails_alone():
    first, second = outcomes(tasks.refuse, [(5,), (6,)], 1)
    assert (type(first), str(first)) == (ValueError, "5: no")
    assert str(second) == "6: no"
    with Processes(2) as executor:
        dead, alive = executor.submit(tasks.die, 7), executor.submit(tasks.add, 1, 2)
        assert str(dead.exception()).startswith("its process ended too early: was it killed")
        assert alive.result() == 3


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that kills")
def test_a_process_that_is_killed_fails_alone():
    with Processes(2) as executor:
        dead, alive = executor.submit(tasks.be_killed), executor.submit(tasks.add, 1, 2)
        assert str(dead.exception()).startswith("its process ended too early: was it killed")
        assert alive.result() == 3


@pytest.mark.skipif(os.name == "nt", reason="on Windows a process is ended without cleaning up")
def test_when_the_first_process_is_killed_the_others_end_and_clean_up(tmp_path):
    code = (
        "import sys, tasks; from numpyvae.runs import Processes\n"
        "if __name__ == '__main__':\n"
        "    with Processes(1) as executor:\n"
        "        executor.submit(tasks.last_until_stopped, sys.argv[1], 0).result()\n"
    )
    script = tmp_path / "script.py"
    script.write_text(code)
    folder = tmp_path / "work"
    folder.mkdir()
    first = subprocess.Popen(
        [sys.executable, script, folder],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(tasks.__file__).parent)},
    )
    wait_for(folder / "unfinished-0")
    first.kill()
    first.communicate(timeout=50)  # waits until the other has closed the pipe too
    assert list(folder.iterdir()) == []


def wait_for(path):
    end = time.monotonic() + 50
    while not path.exists():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_unforeseen_exception_arrives_with_its_traceback():
    (error,) = outcomes(tasks.stumble, [(5,)], 1)
    assert repr(error) == "KeyError('a mistake in the program')"
    assert "in stumble" in str(error.__cause__)


@pytest.mark.skipif(os.name == "nt", reason="on Windows a process is ended without cleaning up")
def test_an_exception_in_the_block_ends_all_processes_which_remove_their_unfinished_files(tmp_path):
    started = time.monotonic()
    futures = []

    def stop_in_the_middle():
        with Processes(2) as executor:
            for i in range(3):
                futures.append(executor.submit(tasks.last_until_stopped, str(tmp_path), i))
            wait_for(tmp_path / "unfinished-0")
            wait_for(tmp_path / "unfinished-1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_in_the_middle()
    assert time.monotonic() - started < 40
    assert [future.done() for future in futures] == [True] * 3
    assert isinstance(futures[0].exception(), RuntimeError)
    with pytest.raises(CancelledError):
        futures[2].result()
    assert multiprocessing.active_children() == []
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_as_before_afterwards_and_may_be_ignored_by_the_caller():
    for handler in (signal.SIG_IGN, signal.default_int_handler):
        before = signal.signal(signal.SIGINT, handler)
        try:
            assert outcomes(tasks.add, [(1, 1)], 1) == [2]
            assert signal.getsignal(signal.SIGINT) is handler
        finally:
            signal.signal(signal.SIGINT, before)


def test_works_in_another_thread_than_the_main_one():
    found = []
    worker = threading.Thread(target=lambda: found.append(outcomes(tasks.add, [(1, 2)], 1)))
    worker.start()
    worker.join()
    assert found == [[3]]


def test_jobs_is_a_whole_number_and_cores_is_one():
    with pytest.raises(ValueError, match="jobs: expected a whole number of at least 1, got 0"):
        Processes(0)
    assert 1 <= cores() <= os.cpu_count()


def test_ctrl_c_while_a_process_is_started_is_not_lost(monkeypatch, tmp_path):
    start = SpawnProcess.start

    def interrupted(process):
        os.kill(os.getpid(), signal.SIGINT)
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            outcomes(tasks.last_until_stopped, [(str(tmp_path), 0)], 1)
    finally:
        signal.signal(signal.SIGINT, before)
    assert multiprocessing.active_children() == []
