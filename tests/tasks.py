"""Tasks for the tests of processes, which import them by name."""

import os
import signal
import time
from pathlib import Path

from numpyvae.support.lock import lock


def add(a, b):
    return a + b


def running_together(folder, i):
    """The number of tasks that run at the moment, counted by files."""
    mark = Path(folder) / f"running-{i}"
    mark.touch()
    time.sleep(0.3)
    found = len(list(Path(folder).glob("running-*")))
    mark.unlink()
    return found


def refuse(i):
    raise ValueError(f"{i}: no")


def die(i):
    os._exit(i)


def be_killed():
    os.kill(os.getpid(), signal.SIGTERM if os.name == "nt" else signal.SIGKILL)


def stumble(i):
    raise KeyError("a mistake in the program")


def last_until_stopped(folder, i):
    """Works on a file for a minute; removes it when stopped."""
    unfinished = Path(folder) / f"unfinished-{i}"
    unfinished.touch()
    try:
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


# A script: two epochs of a training in a folder; the process dies before the rename of this number.
DIES_AT_A_RENAME = """
import os, sys
from pathlib import Path
from numpyvae.runs import Run, Settings

data, out, number = sys.argv[1:]
left = int(number)

def dies(rename):
    def renamed(path, target):
        global left
        if left == 0:
            os._exit(9)
        left -= 1
        return rename(path, target)
    return renamed

Path.rename, Path.replace = dies(Path.rename), dies(Path.replace)
settings = Settings(data, hidden=(5,), epochs=3, keep_epochs=True, optimizer="adam")
with Run.start(settings, out) as run:
    epochs = iter(run)
    next(epochs), next(epochs)
"""
