"""evaluate and draw for those who may only read."""

import codecs
import errno
import os
from contextlib import contextmanager

import pytest

from numpyvae import load
from numpyvae.cli import main
from numpyvae.pictures import canvas
from numpyvae.support import files

pytestmark = pytest.mark.once


@pytest.fixture
def ordinary_user(tmp_path):
    """A block with the rights of an ordinary user, also where everything runs as root."""
    if os.name == "nt":
        pytest.skip("Windows has other permissions")

    @contextmanager
    def ordinary():
        if os.getuid() != 0:
            yield
            return
        codecs.lookup("cp437")  # of zipfile; the user may have no right to read Python's own files
        for folder in (tmp_path, *tmp_path.parents):
            if "pytest-of-" in str(folder):
                folder.chmod(0o755)
        os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(0)

    return ordinary


@pytest.fixture
def closed():
    """Take rights from files, and give them back after the test, so that they can be removed."""
    taken = []

    def close(path, mode):
        taken.append(path)
        path.chmod(mode)

    yield close
    for path in taken:
        path.chmod(0o755)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_the_numbers_come_first_and_a_folder_that_is_read_only_keeps_them(
    trained, ordinary_user, closed, capsys, monkeypatch, arguments
):
    """Written as an ordinary user, and drawn with all rights: fonts may be out of reach else."""

    folder = trained()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    closed(folder, 0o555)

    def write_files(folder, contents):
        with ordinary_user():
            files.write_files(folder, contents)

    monkeypatch.setattr(canvas, "write_files", write_files)
    capsys.readouterr()
    assert main(["evaluate", "model", "--gap-images", "3", *arguments]) == 1
    out, err = capsys.readouterr()
    assert "ELBO" in out
    assert "evidence" in out
    problem = "model/bounds.png: no permission; change the permission, or name another folder"
    remedy = "the numbers are complete; for the pictures, name another folder with --out"
    assert err == f"numpyvae: {problem}; {remedy}\n"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_pictures_go_where_out_says(trained, tmp_path, capsys):
    folder = trained("--keep-epochs", "--epochs", "2")
    before = names(folder)
    assert main(["evaluate", "model", "--gap-images", "3", "--out", "elsewhere/pictures"]) == 0
    assert main(["draw", "model", "--out", "elsewhere/pictures"]) == 0
    out = capsys.readouterr().out
    assert "elsewhere/pictures holds bounds.png, holes.png, kl.png, posteriors.png" in out
    assert "elsewhere/pictures holds interpolation.png, walk.png, animation.gif" in out
    assert names(folder) == before
    assert len(names(tmp_path / "elsewhere" / "pictures")) == 7


def test_a_full_disk_keeps_the_numbers(trained, capsys, monkeypatch):
    trained()

    def full(number):
        raise OSError(errno.ENOSPC, "?")

    monkeypatch.setattr(os, "fsync", full)
    capsys.readouterr()
    assert main(["evaluate", "model", "--gap-images", "3"]) == 1
    out, err = capsys.readouterr()
    assert "evidence" in out
    assert err.startswith("numpyvae: model/bounds.png: no space is left on the disk; free some; ")
    assert main(["draw", "model"]) == 2
    problem = "model/interpolation.png: no space is left on the disk; free some"
    assert capsys.readouterr().err == f"numpyvae: {problem}\n"


@pytest.mark.parametrize(
    ("what", "file"),
    [
        ("model/model.npz", "model/model.npz"),
        ("model", "model/model.npz"),
        ("images.npy", "images.npy"),
    ],
)
def test_no_permission_is_called_that(trained, ordinary_user, closed, tmp_path, capsys, what, file):
    trained()
    closed(tmp_path / what, 0o000)
    capsys.readouterr()
    for command in ("evaluate", "draw"):
        with ordinary_user():
            assert main([command, "model"]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert (
            err
            == f"numpyvae: {file}: no permission; change the permission, or name another folder\n"
        )


def test_train_finds_out_before_the_first_epoch(
    data, ordinary_user, closed, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "closed").mkdir()
    closed(tmp_path / "closed", 0o555)
    for out in ("closed", "closed/new"):
        with ordinary_user():
            assert main(["train", "--data", "images.npz", "--hidden", "8", "--out", out]) == 2
        printed, err = capsys.readouterr()
        assert printed == ""
        problem = "no permission; change the permission, or name another folder"
        assert err == f"numpyvae: {out}: {problem}\n"


def test_pipes_loops_and_links_to_nothing(trained, tmp_path, capsys):
    trained()
    os.mkfifo("pipe.npy")
    os.symlink("loop.npy", "loop.npy")
    os.symlink("nothing", "dangling")
    capsys.readouterr()
    for arguments, problem in (
        (
            ["evaluate", "model", "--data", "pipe.npy"],
            "pipe.npy: expected a folder or a file, got a",
        ),
        (["evaluate", "model", "--data", "loop.npy"], "loop.npy: no such file or folder; check"),
        (
            ["train", "--data", "images.npy", "--out", "dangling"],
            "dangling: something else has this",
        ),
    ):
        assert main(arguments) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"numpyvae: {problem}")
        assert err.count("\n") == 1
    (tmp_path / "model" / "model.npz").unlink()
    os.mkfifo(tmp_path / "model" / "model.npz")
    assert main(["evaluate", "model"]) == 2
    assert "model.npz: expected a file, got a pipe or a device" in capsys.readouterr().err


def test_a_model_that_a_friend_sent_needs_no_other_file(trained, tmp_path, capsys):
    """It knows that its pixels are binary; without the record, nobody does."""
    folder = trained("--pixels", "dynamic")
    for name in names(folder):
        if name != "model.npz":
            (folder / name).unlink()
    capsys.readouterr()
    assert main(["evaluate", "model", "--gap-images", "3", "--json", "--out", "."]) == 0
    assert '"kind": "log-likelihood"' in capsys.readouterr().out
    from numpyvae import save

    save(folder / "model.npz", load(folder / "model.npz"))
    assert main(["evaluate", "model"]) == 2
    assert "settings.json: missing, so nobody knows how the model" in capsys.readouterr().err
