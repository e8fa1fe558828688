"""A disk that is full, or a process that dies, at every point at which an epoch is saved."""

import errno
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tasks import DIES_AT_A_RENAME

from numpyvae.runs import Run, RunFolder, Settings

pytestmark = pytest.mark.once


@pytest.fixture
def settings(tmp_path, rng):
    np.save(tmp_path / "images.npy", rng.integers(0, 256, (60, 3, 4), dtype=np.uint8))
    return Settings(
        str(tmp_path / "images.npy"), hidden=(5,), epochs=3, keep_epochs=True, optimizer="adam"
    )


@pytest.fixture
def whole(settings, tmp_path):
    """A run that was never stopped."""
    with Run.start(settings, tmp_path / "whole") as run:
        list(run)
    return tmp_path / "whole"


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


class FullDisk(io.FileIO):
    """A file on a disk with `left` bytes, which all files share."""

    left = 0

    def write(self, content):
        fits = content[: FullDisk.left]
        FullDisk.left -= len(fits)
        super().write(fits)
        if len(fits) < len(content):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(fits)


@pytest.mark.parametrize("step", [500, pytest.param(1, marks=pytest.mark.slow)])
def test_a_full_disk_at_any_byte_leaves_the_state_before(
    settings, whole, tmp_path, monkeypatch, step
):
    out = tmp_path / "out"
    with Run.start(settings, out) as run:
        next(iter(run))
    before = contents(out)
    opened = Path.open

    def full(path, mode="r", *others, **more):
        return FullDisk(path, mode[0]) if mode == "xb" else opened(path, mode, *others, **more)

    with Run.resume(out) as run:
        state = run.training.state()
        monkeypatch.setattr(Path, "open", full)
        bytes_left, failures = 0, 0
        while True:  # with room for one byte more each time, until there is enough
            FullDisk.left = bytes_left
            try:
                next(iter(run))
                break
            except OSError as error:
                message = str(error)
            assert re.fullmatch(rf"{out}/[a-z0-9./]*: no space is left on the disk; .*", message)
            assert "unfinished" not in message
            assert contents(out) == before
            assert len(run.epochs) == 1
            run.training.restore(state)
            bytes_left, failures = bytes_left + step, failures + 1
        monkeypatch.undo()
    assert failures * step > len(before["model.npz"])
    print(f"full after each of {failures} numbers of bytes")
    with Run.resume(out) as run:
        assert [epoch.number for epoch in run] == [3]
    assert (out / "model.npz").read_bytes() == (whole / "model.npz").read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be renamed there")
@pytest.mark.parametrize("over_an_earlier_run", [False, True])
def test_a_process_that_dies_at_any_rename_loses_nothing(
    settings, whole, tmp_path, over_an_earlier_run
):
    """In its first epoch, which sets the earlier run aside, and in its second."""
    earlier = tmp_path / "earlier"
    with Run.start(Settings(settings.data, hidden=(3,), epochs=1), earlier) as run:
        list(run)
    kept = (earlier / "model.npz").read_bytes()
    deaths = 0
    for number in range(30):
        out = tmp_path / f"out-{number}"
        if over_an_earlier_run:
            shutil.copytree(earlier, out)
        done = subprocess.run(
            [sys.executable, "-c", DIES_AT_A_RENAME, settings.data, str(out), str(number)],
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        if done.returncode == 0:
            break
        assert done.returncode == 9
        deaths += 1
        found = [path for path in out.rglob("model.npz") if path.read_bytes() == kept]
        assert len(found) == over_an_earlier_run
        folder = RunFolder(out)
        if folder.model.exists():  # of the earlier run, or of an epoch
            assert folder.load_settings().epochs in (1, 3)
            assert len(folder.load_history()) in (1, 2)
        # a new run finds nothing in its way, and finishes what was begun
        with Run.start(settings, out) as run:
            list(run)
        assert (out / "model.npz").read_bytes() == (whole / "model.npz").read_bytes()
        for folder in out.glob("earlier-*"):
            assert len(RunFolder(folder).load_history()) in (1, 2)
            assert RunFolder(folder).load_settings().epochs in (1, 3)
        assert not list(out.glob(".*"))
    assert deaths == (11 if over_an_earlier_run else 8)
