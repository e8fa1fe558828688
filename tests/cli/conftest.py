"""Fixtures of the tests of the commands."""

import shutil

import numpy as np
import pytest

from numpyvae.cli import main


@pytest.fixture(scope="session")
def kept(tmp_path_factory):
    """Folders that `trained` has made, by the options."""
    return tmp_path_factory.mktemp("kept"), {}


@pytest.fixture
def trained(tmp_path, monkeypatch, kept):
    """A folder as `numpyvae train` writes it, of a small model on few images.

    The first of a test may be a copy of one that another test has made.
    """
    monkeypatch.chdir(tmp_path)
    place, known = kept
    rng = np.random.default_rng(0)
    ink = rng.random((400, 1)) < 0.5
    shapes = np.where(ink, np.arange(16) < 8, np.arange(16) >= 8) * 0.8
    np.save("images.npy", (shapes + 0.1 * rng.random((400, 16))).reshape(-1, 4, 4))

    def make(*arguments):
        folder = tmp_path / "model"
        if arguments in known and not folder.exists():
            shutil.copytree(known[arguments], folder)
            return folder
        again = folder.exists()
        options = ["--hidden", "8", "--epochs", "20", "--batch-size", "20", "--out", "model"]
        assert main(["train", "--data", "images.npy", *options, *arguments]) == 0
        if not again:
            known[arguments] = place / str(len(known))
            shutil.copytree(folder, known[arguments])
        return folder

    return make


@pytest.fixture
def data(tmp_path, rng):
    """A small set of images of 5 x 6 pixels with labels."""
    path = tmp_path / "images.npz"
    np.savez(
        path,
        x_train=rng.integers(0, 256, (200, 5, 6), dtype=np.uint8),
        x_test=rng.integers(0, 256, (50, 5, 6), dtype=np.uint8),
        y_train=rng.integers(0, 4, 200),
        y_test=rng.integers(0, 4, 50),
    )
    return path


@pytest.fixture
def run(data, tmp_path, monkeypatch):
    """`numpyvae train` on the small set, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def train(*options):
        return main(["train", "--data", str(data), "--hidden", "8", "--epochs", "3", *options])

    return train
