"""Tasks for the tests of processes, which import them by name."""

import os
import signal
import time
from pathlib import Path

from numpyvae.support.lock import lock


def count(start, n):
    for i in range(n):
        yield start + i


def running_together(folder, i):
    """The number of tasks that run at the moment, counted by files."""
    mark = Path(folder) / f"running-{i}"
    mark.touch()
    time.sleep(0.3)
    yield len(list(Path(folder).glob("running-*")))
    mark.unlink()


def refuse(i):
    yield i
    raise ValueError(f"{i}: no")


def die(i):
    yield i
    os._exit(7)


def be_killed(i):
    yield i
    os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)


def stumble(i):
    yield i
    raise KeyError("a mistake in the program")


def last_until_stopped(folder, i):
    """Works on a file for a minute; removes it when stopped."""
    unfinished = Path(folder) / f"unfinished-{i}"
    unfinished.touch()
    try:
        yield os.getpid()
        time.sleep(60)
        (Path(folder) / "done").touch()
    finally:
        unfinished.unlink()


def finish(run):
    (run.folder.path / "finished.txt").write_text(str(len(run.epochs)))


def refuse_to_finish(run):
    raise OSError("No space left on device")


def hold_the_lock(folder, end):
    with lock(folder):
        end.send("locked")
        time.sleep(60)
