"""Real processes, stopped at random moments: while they load, train, write, and draw.

After every stop, the message, the model, its history and its settings tell the same story; nothing
of an earlier run is lost; and the run goes on to the weights of one that was never stopped.
"""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from numpyvae import load
from numpyvae.runs import Run, RunFolder, Settings

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals"),
]

LONG = 3000  # epochs, more than any process here completes
MOST = 250  # epochs before the stop on a fast machine, however long the delay
OPTIONS = ["--hidden", "6", "--batch-size", "50", "--keep-epochs"]
SETTINGS = {"hidden": (6,), "batch_size": 50, "keep_epochs": True}
VARIANTS = [
    {"pixels": "dynamic", "optimizer": "rmsprop"},
    {"pixels": "grey", "noise": 0.5, "optimizer": "adam"},
]
STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}
WORDS = {signal.SIGINT: "stopped", signal.SIGTERM: "terminated"}
# Python itself, and the first small files, are loaded when the clock starts; NumPy is not.
START = "from numpyvae.cli.process import start; print(flush=True); raise SystemExit(start())"


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Images, an earlier run, and per variant a run that was never stopped, with every epoch."""
    folder = tmp_path_factory.mktemp("kills")
    rng = np.random.default_rng(0)
    np.save(folder / "images.npy", rng.integers(0, 256, (110, 4, 5), dtype=np.uint8))
    data = str(folder / "images.npy")
    with Run.start(Settings(data, hidden=(3,), epochs=1), folder / "earlier") as run:
        list(run)
        run.complete()
    for variant in VARIANTS:
        whole = Settings(data, **SETTINGS, **variant, epochs=300)
        with Run.start(whole, folder / variant["optimizer"]) as run:
            list(run)
    return folder


class Killed:
    """A run in a folder of its own that was stopped after `delay` seconds."""

    def __init__(self, home, name, number, delay, over_an_earlier_one, variant):
        self.home, self.number, self.variant = home, number, variant
        self.whole = RunFolder(home / variant["optimizer"])
        self.folder = RunFolder(home / name)
        self.data, self.earlier = str(home / "images.npy"), over_an_earlier_one
        if self.earlier:
            shutil.copytree(home / "earlier", self.folder.path)
        command = ["train", "--data", self.data, "--out", name, "--epochs", str(LONG), *OPTIONS]
        command += [word for name, value in variant.items() for word in (f"--{name}", str(value))]
        with subprocess.Popen(
            [sys.executable, "-c", START, *command],
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
            # a job in the background ignores Ctrl-C, and so would its children
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        ) as process:
            process.stdout.readline()
            end, last = time.monotonic() + delay, self.folder.path / "epochs" / f"{MOST:04}.npz"
            while time.monotonic() < end and not last.exists():
                time.sleep(0.001)
            process.send_signal(number)
            try:
                _, self.error = process.communicate(timeout=120)
            finally:
                process.kill()  # if it is still there
        self.status = process.returncode

    def check(self):
        """Everything that must hold after the stop. The number of rows that history.csv is off."""
        # before the command has its handlers, a signal simply ends the process
        loaded = self.status != -self.number or self.number == signal.SIGKILL
        assert self.status == STATUS[self.number] or not loaded, self.error
        assert re.fullmatch(r"(numpyvae: [^\n]*\n)?", self.error)
        path = self.folder.path
        epochs = self.epochs()
        if self.number in WORDS and loaded:
            assert self.error.startswith(f"numpyvae: {WORDS[self.number]}")
            done = re.search(r"holds the model of epoch (\d+); ", self.error)
            assert (int(done[1]) if done else 0) == epochs
            assert "earlier run" not in self.error or self.earlier
            assert not path.exists() or not list(path.glob(".*"))
        if self.earlier:
            kept = (self.home / "earlier" / "model.npz").read_bytes()
            places = [path / "model.npz", path / "earlier-1" / "model.npz"]
            assert [place.exists() and place.read_bytes() == kept for place in places].count(
                True
            ) == 1
        if epochs == 0:
            return 0
        settings = Settings(self.data, **SETTINGS, **self.variant, epochs=LONG)
        assert self.folder.load_settings() == settings
        reference = self.whole.load_history()[:epochs]
        assert [e.test for e in self.folder.load_history()] == [e.test for e in reference]
        self.compare(epochs)
        history = path / "history.csv"
        rows = len(history.read_text().splitlines()) - 1 if history.exists() else 0
        # the model counts: between two renames, SIGKILL leaves a row less, and resume mends it
        assert epochs - rows in ((0, 1) if self.number == signal.SIGKILL else (0,))
        return epochs - rows

    def epochs(self):
        """The number of epochs in the folder, without those of the earlier run."""
        if not self.folder.model.exists():
            return 0
        before = (self.home / "earlier" / "model.npz").read_bytes()
        if self.earlier and (self.folder.path / "model.npz").read_bytes() == before:
            return 0
        return len(self.folder.load_history())

    def compare(self, epochs):
        """The model is, to the last bit, that of the run that was never stopped."""
        ours = load(self.folder.path / "model.npz").parameters.value
        whole = load(self.whole.path / "epochs" / f"{epochs:04}.npz").parameters.value
        assert np.array_equal(ours, whole)

    def resume(self):
        """Go on for three epochs; nothing that was left behind is in the way."""
        epochs = self.epochs()
        if epochs == 0:
            return False
        with Run.resume(self.folder.path, epochs=epochs + 3) as run:
            assert [epoch.number for epoch in run] == [epochs + 1, epochs + 2, epochs + 3]
        self.compare(epochs + 3)
        assert len(self.folder.epoch_models()) == epochs + 3
        assert not list(self.folder.path.glob(".*"))
        return True


@pytest.mark.parametrize("number", STATUS)
@pytest.mark.parametrize("kills", [5, pytest.param(200, marks=pytest.mark.slow)])
def test_every_stop_tells_one_story(home, number, kills):
    draw = random.Random(f"{number} {kills}")
    off = resumed = trained = 0
    for i in range(kills):
        delay = draw.uniform(0.005, 1.2) if i else 2.0  # at least one trains for some epochs
        name, variant = f"{number}-{kills}-{i}", VARIANTS[i // 2 % 2]
        run = Killed(home, name, number, delay, i % 2 == 1, variant)
        off += run.check()
        trained += run.epochs() > 0
        resumed += run.resume()
        shutil.rmtree(run.folder.path, ignore_errors=True)
    found = f"{trained} after an epoch, {resumed} of them resumed, {off} with a row less"
    print(f"{kills} kills by {number.name}: {found}")
    assert resumed == trained > 0
