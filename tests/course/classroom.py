"""Submissions for the tests of marking: right, wrong, empty and hostile ones."""

import json

START = "import numpy as np\n"
BACKWARD = "def dense_backward(x, W, dy):\n    return dy @ W.T, x.T @ dy, dy.sum(axis=0)\n"
DENSE = "def dense(x, W, b):\n    {}\n    return x @ W + b\n"
HOSTILE = {  # what `dense` does first, and words of the verdict on it
    "endless": ("while True: pass", "endless loop"),
    "stubborn": (
        "import threading\n    while True:\n        try:\n            while True: pass\n"
        "        except BaseException: pass",
        "endless loop",
    ),
    "memory": ("x = x + np.ones(10**10)[0]", "more memory"),
    # 3.2 GB that are reserved, not filled: fast on a busy machine, and above the limit
    "hog": ("a = [np.zeros(10**7) for _ in range(40)]", "more memory"),
    "exit": ("raise SystemExit(0)", "ends the program"),
    "os_exit": ("import os; os._exit(0)", "Its process ended"),
    "crash": ("import os; os.abort()", "Its process ended"),
    "printer": ("print('x' * 10**7)", "prints more than 1,000,000 characters"),
    "fork": ("import os; os.fork()", "starting a process is not allowed"),
    "shell": ("import subprocess; subprocess.run(['true'])", "starting a process is not allowed"),
    "deleter": ("import os; os.remove({victim!r})", "changing a file outside its folder"),
    "mover": ("import shutil; shutil.move({victim!r}, 'mine')", "changing a file outside"),
    "writer": ("open({victim!r}, 'w')", "writing outside its folder"),
    "thief": ("x = x + len(open({victim!r}).read())", "reading there is not allowed"),
    "lister": ("import os; os.listdir({folder!r})", "reading there is not allowed"),
    "network": ("import socket; socket.socket()", "network connection is not allowed"),
    "ctypes": ("import ctypes; ctypes.CDLL(None)", "ctypes is not allowed"),
    "killer": ("import os; os.kill(os.getppid(), 9)", "sending a signal is not allowed"),
}


def notebook(path, *sources):
    """Write a notebook with these cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [{"cell_type": "code", "source": source.splitlines(True)} for source in sources]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")


def submit(folder, name, first="pass", backward=BACKWARD):
    """Write a submission whose `dense` does something first."""
    notebook(folder / name / "01_dense_layer.ipynb", START, DENSE.format(first), backward)
