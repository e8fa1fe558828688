"""Tasks in processes of their own: all results, whatever happens to some of them."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections import defaultdict
from multiprocessing.context import SpawnProcess
from pathlib import Path

import pytest
import tasks

from numpyvae.runs.processes import Failure, cores, in_processes

pytestmark = pytest.mark.once


def results(task, arguments, jobs):
    found = defaultdict(list)
    for i, item in in_processes(task, arguments, jobs):
        found[i].append(item)
    return dict(found)


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_every_item_arrives_in_order_whatever_the_number_of_jobs(jobs):
    arguments = [(10, 2), (20, 0), (30, 3)]
    assert results(tasks.count, arguments, jobs) == {0: [10, 11], 2: [30, 31, 32]}


def test_no_tasks_no_results():
    assert results(tasks.count, [], 2) == {}


def test_as_many_run_at_the_same_time_as_there_are_jobs_and_no_more(tmp_path):
    found = results(tasks.running_together, [(str(tmp_path), i) for i in range(6)], 2)
    together = [items[0] for items in found.values()]
    assert len(together) == 6
    assert max(together) <= 2
    alone = results(tasks.running_together, [(str(tmp_path), i) for i in range(2)], 1)
    assert alone == {0: [1], 1: [1]}


def test_a_task_that_raises_is_reported_and_the_others_go_on():
    found = results(tasks.refuse, [(5,), (6,)], 1)
    assert found == {0: [5, Failure("5: no")], 1: [6, Failure("6: no")]}


def test_a_process_that_dies_is_reported_and_the_others_go_on():
    found = results(tasks.die, [(5,), (6,)], 2)
    failure = Failure("its process ended with exit status 7")
    assert found == {0: [5, failure], 1: [6, failure]}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that kills")
def test_a_process_that_is_killed_is_reported_and_the_others_go_on():
    found = results(tasks.be_killed, [(5,), (6,)], 2)
    failure = Failure("its process was killed by signal 9")
    assert found == {0: [5, failure], 1: [6, failure]}


@pytest.mark.skipif(os.name == "nt", reason="on Windows a process is ended without cleaning up")
def test_when_the_first_process_is_killed_the_others_end_and_clean_up(tmp_path):
    code = (
        "import sys, tasks; from numpyvae.runs.processes import in_processes\n"
        "if __name__ == '__main__':\n"
        "    for _, process in in_processes(tasks.last_until_stopped, [(sys.argv[1], 0)], 1):\n"
        "        print(process, flush=True)\n"
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
    first.stdout.readline()
    first.kill()
    first.communicate(timeout=50)  # waits until the other has closed the pipe too
    assert list(folder.iterdir()) == []


def test_an_unforeseen_exception_shows_its_traceback(capfd):
    assert results(tasks.stumble, [(5,)], 1) == {
        0: [5, Failure("its process ended with exit status 1")]
    }
    assert "KeyError: 'a mistake in the program'" in capfd.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="on Windows a process is ended without cleaning up")
def test_leaving_the_loop_ends_all_processes_and_removes_their_unfinished_files(tmp_path):
    started = in_processes(tasks.last_until_stopped, [(str(tmp_path), i) for i in range(3)], 2)
    _, first = next(started)
    _, second = next(started)
    started.close()
    for process in (first, second):
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_is_as_before_afterwards_and_may_be_ignored_by_the_caller():
    for handler in (signal.SIG_IGN, signal.default_int_handler):
        before = signal.signal(signal.SIGINT, handler)
        try:
            assert results(tasks.count, [(1, 1)], 1) == {0: [1]}
            assert signal.getsignal(signal.SIGINT) is handler
        finally:
            signal.signal(signal.SIGINT, before)


def test_works_in_another_thread_than_the_main_one():
    found = []
    worker = threading.Thread(target=lambda: found.append(results(tasks.count, [(1, 2)], 1)))
    worker.start()
    worker.join()
    assert found == [{0: [1, 2]}]


def test_jobs_is_a_whole_number_and_cores_is_one():
    with pytest.raises(ValueError, match="jobs: expected a whole number of at least 1, got 0"):
        results(tasks.count, [(1, 1)], 0)
    assert 1 <= cores() <= os.cpu_count()


def test_ctrl_c_while_a_process_is_started_is_not_lost(monkeypatch):
    start = SpawnProcess.start

    def interrupted(process):
        signal.raise_signal(signal.SIGINT)
        start(process)

    monkeypatch.setattr(SpawnProcess, "start", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            list(in_processes(tasks.count, [(0, 1)], 1))
    finally:
        signal.signal(signal.SIGINT, before)
    assert multiprocessing.active_children() == []
