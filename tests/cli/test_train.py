"""numpyvae train: its output, its files, its errors, and Ctrl-C."""

import csv
import dataclasses
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from numpyvae import __version__, load
from numpyvae.cli import main
from numpyvae.cli.command_line import parser
from numpyvae.cli.settings_options import given
from numpyvae.core.optimizers import RMSprop
from numpyvae.runs import RunFolder, Settings

NUMBER = r"(-?[\d.]+)"
LINE = re.compile(
    rf"epoch (\d)/3 +{NUMBER} s   train {NUMBER} = {NUMBER} \+ {NUMBER}"
    rf"   test {NUMBER} = {NUMBER} \+ {NUMBER}"
)


def test_train_prints_numbers_that_add_up_and_writes_everything(run, tmp_path, capsys):
    assert run("--out", "here") == 0
    out, err = capsys.readouterr()
    assert err == ""  # no progress bar without a terminal
    epochs = [LINE.fullmatch(line) for line in out.splitlines() if line.startswith("epoch")]
    assert [match[1] for match in epochs] == ["1", "2", "3"]
    for match in epochs:
        for total, reconstruction, kl in (match.group(3, 4, 5), match.group(6, 7, 8)):
            assert float(total) == pytest.approx(float(reconstruction) + float(kl), abs=1e-9)
    assert "VAE 30-8-2-8-30" in out
    assert "nats per image" in out
    names = {path.name for path in (tmp_path / "here").iterdir()}
    assert names == {
        "model.npz", "history.csv", "settings.json",
        "loss.png", "latent.png", "manifold.png", "reconstructions.png", "samples.png",
    }  # fmt: skip
    assert load(tmp_path / "here" / "model.npz").image_shape == (5, 6)
    with open(tmp_path / "here" / "history.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for row, match in zip(rows, epochs):
        assert float(row["test_kl"]) == pytest.approx(float(match[8]), abs=0.006)
        parts = float(row["train_reconstruction"]) + float(row["train_kl"])
        assert float(row["train_total"]) == pytest.approx(parts, rel=1e-12)
    settings = json.loads((tmp_path / "here" / "settings.json").read_text())
    assert settings["seed"] == 0
    assert settings["hidden"] == [8]
    assert settings["versions"]["numpyvae"] == __version__


@pytest.mark.once
def test_the_same_seed_gives_the_same_model_file(run, tmp_path):
    for out, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        assert run("--out", out, "--seed", seed) == 0
    model = {out: (tmp_path / out / "model.npz").read_bytes() for out in "abc"}
    assert model["a"] == model["b"]
    assert model["a"] != model["c"]


@pytest.mark.once
def test_an_earlier_run_is_kept(run, tmp_path, capsys):
    (tmp_path / "numpyvae-out").mkdir()
    (tmp_path / "numpyvae-out" / "mine.txt").write_text("not numpyvae's")
    for seed in ("1", "2", "3"):
        assert run("--seed", seed) == 0
    out = tmp_path / "numpyvae-out"
    seeds = [
        json.loads((folder / "settings.json").read_text())["seed"]
        for folder in (out / "earlier-1", out / "earlier-2", out)
    ]
    assert seeds == [1, 2, 3]
    assert (out / "mine.txt").exists()
    assert not (out / "earlier-1" / "mine.txt").exists()
    assert "held an earlier run; it is now in" in capsys.readouterr().out


@pytest.mark.parametrize(
    "options",
    [
        ["--latent", "1"],
        ["--latent", "5"],
        ["--hidden", "9", "7"],
        ["--pixels", "thresholded"],
        ["--pixels", "dynamic", "--beta", "4"],
        ["--noise", "0.4", "--optimizer", "adam", "--learning-rate", "0.01"],
        ["--batch-size", "300"],
    ],
)
def test_every_option_trains_and_draws(run, tmp_path, capsys, options):
    assert run(*options) == 0
    assert (tmp_path / "numpyvae-out" / "latent.png").exists()
    wide = "--latent" in options
    assert (tmp_path / "numpyvae-out" / "manifold.png").exists() != wide
    if "--beta" in options:
        assert "total = reconstruction + 4 x KL" in capsys.readouterr().out


def test_defaults_are_those_of_the_classic():
    assert given(parser().parse_args(["train"])) == {}
    assert dataclasses.asdict(Settings()) == {
        "data": None, "pixels": "grey", "noise": 0.0, "hidden": (256,), "latent": 2, "beta": 1.0,
        "epochs": 10, "batch_size": 100, "optimizer": "rmsprop", "learning_rate": 1e-3, "seed": 0,
        "threads": 1, "keep_epochs": False, "activation": "relu", "objective": "elbo", "k": 1,
        "anneal": 0, "free_bits": 0.0, "decay": "none", "epsilon": None, "likelihood": "bernoulli",
    }  # fmt: skip


def test_every_setting_is_an_option_in_the_help(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    text = capsys.readouterr().out
    assert "--decay" not in text  # of one published experiment; it is accepted all the same
    for field in dataclasses.fields(Settings):
        assert field.name == "decay" or f"--{field.name.replace('_', '-')}" in text
    assert "--out" in text


BAD = [
    (["--epochs", "0"], "epochs: expected a whole number of at least 1, got 0"),
    (["--epochs", "ten"], "argument --epochs: invalid int value: 'ten'"),
    (["--batch-size", "-1"], "batch_size: expected a whole number of at least 1, got -1"),
    (["--hidden", "8", "0"], "hidden: expected a whole number of at least 1, got 0"),
    (["--latent", "0"], "latent: expected a whole number of at least 1, got 0"),
    (["--beta", "-1"], "beta: expected a finite number of at least 0, got -1.0"),
    (["--beta", "nan"], "beta: expected a finite number of at least 0, got nan"),
    (["--beta", "1e308"], "beta: expected a number up to 1e+30, got 1e+308"),
    (["--noise", "-1"], "noise: expected a finite number of at least 0, got -1.0"),
    (["--learning-rate", "0"], "learning_rate: expected a finite number above 0, got 0.0"),
    (["--threads", "0"], "threads: expected a whole number of at least 1, got 0"),
    (["--epoch", "3"], "train: unrecognized arguments: --epoch 3; see numpyvae train --help"),
    (["--seed", "-3"], "seed: expected a whole number of at least 0, got -3"),
    (["--pixels", "gray"], "argument --pixels: invalid choice: 'gray'"),
    (["--data", "nowhere"], "nowhere: no such file or folder"),
    (["--data", "."], "train-images-idx3-ubyte (or train-images-idx3-ubyte.gz) is missing"),
    (["--hidden", "9999999999999"], "hidden: expected a whole number up to 2147483647"),
    (["--hidden", "2147483647"], "Unable to allocate"),
    (["--epochs", "1" + "0" * 30], "epochs: expected a whole number up to 2147483647"),
    (["--out", "a-file"], "out: expected the name of a folder, got 'a-file'"),
    (["--out", ""], "out: expected the name of a folder, got ''"),
    (["--data", ""], "the folder needs"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_input_is_one_line_status_2_and_nothing_written(
    run, tmp_path, capsys, options, message
):
    (tmp_path / "a-file").write_text("in the way")
    before = sorted(tmp_path.iterdir())
    try:
        status = run(*options)
    except SystemExit as stop:  # argparse's own way
        status = stop.code
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("numpyvae")
    assert message in err
    assert sorted(tmp_path.iterdir()) == before


def test_divergence_is_one_line_status_1_and_the_last_good_model_is_kept(
    run, tmp_path, capsys, monkeypatch
):

    steps = []
    step = RMSprop.step

    def poisoned(self):
        step(self)
        steps.append(1)
        if len(steps) == 5:  # two steps an epoch
            self.parameters.value[:] = np.inf

    monkeypatch.setattr(RMSprop, "step", poisoned)
    assert run() == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "epoch 3, step 2: the loss is not finite" in err
    assert err.endswith("lower the learning rate; numpyvae-out holds the model of epoch 2\n")
    model = load(tmp_path / "numpyvae-out" / "model.npz")
    assert np.isfinite(model.parameters.value).all()
    assert len((tmp_path / "numpyvae-out" / "history.csv").read_text().splitlines()) == 3


def test_a_disk_that_is_full_is_no_model_saved(run, tmp_path, capsys, monkeypatch):
    written = []
    sync = os.fsync

    def full(number):
        written.append(number)
        if len(written) > 1:  # the model
            raise OSError(28, "No space left on device")
        sync(number)

    monkeypatch.setattr(os, "fsync", full)
    assert run() == 1
    err = capsys.readouterr().err
    assert err == (
        "numpyvae: numpyvae-out/history.csv: no space is left on the disk; free some; "
        "no model was saved\n"
    )


def test_a_run_that_fails_at_once_leaves_the_earlier_one_in_place(run, tmp_path, capsys):
    assert run() == 0
    out = tmp_path / "numpyvae-out"
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run("--learning-rate", "1e30") == 1
    assert capsys.readouterr().err.endswith(
        "; no epoch is complete, and numpyvae-out still holds the earlier run\n"
    )
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("over_an_earlier_run", [False, True])
def test_an_error_between_two_renames_is_told_as_it_is(
    run, tmp_path, capsys, monkeypatch, over_an_earlier_run
):
    """Of the first epoch: the model may be there, or the earlier run be moved."""
    if over_an_earlier_run:
        assert run("--seed", "5") == 0
    out, replace = tmp_path / "numpyvae-out", Path.replace
    for number in range(3):
        left = [number]

        def broken(path, target, left=left):
            if left[0] == 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            left[0] -= 1
            return replace(path, target)

        capsys.readouterr()
        with monkeypatch.context() as patched:
            patched.setattr(Path, "replace", broken)
            assert run("--seed", str(number)) == 1
        error = capsys.readouterr().err
        if number == 0:
            earlier = f"; the earlier run is in {Path('numpyvae-out', 'earlier-1')}"
            assert error.endswith("no model was saved" + earlier * over_an_earlier_run + "\n")
            assert not (out / "model.npz").exists()
        else:
            going_on = "holds the model of epoch 1; to go on: numpyvae train --resume numpyvae-out"
            assert error.endswith(f"; numpyvae-out {going_on}\n")
            assert RunFolder(out).load_settings().seed == number
            assert main(["train", "--resume", "numpyvae-out"]) == 0


def test_a_stop_in_the_first_epoch_of_the_same_command_speaks_of_the_earlier_run(
    run, capsys, monkeypatch
):
    assert run() == 0
    capsys.readouterr()

    def stop(optimizer):
        raise KeyboardInterrupt

    monkeypatch.setattr(RMSprop, "step", stop)
    assert run() == 130
    kept = "no epoch is complete, and numpyvae-out still holds the earlier run"
    assert capsys.readouterr().err == f"numpyvae: stopped; {kept}\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT to send to one process")
def test_ctrl_c_is_not_a_traceback_and_keeps_the_last_epoch(data, tmp_path):
    command = [sys.executable, "-m", "numpyvae", "train", "--data", str(data), "--epochs", "9999"]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # a job in the background ignores Ctrl-C, and so would its children
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        while not process.stdout.readline().startswith("epoch"):
            assert process.poll() is None
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        try:
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()  # if it is still there
    assert process.returncode == 130
    assert "Traceback" not in out + err
    words = (
        r"numpyvae: stopped; numpyvae-out holds the model of epoch (\d+); to go on: {}\n".format(
            "numpyvae train --resume numpyvae-out"
        )
    )
    done = int(re.fullmatch(words, err)[1])
    assert len(RunFolder(tmp_path / "numpyvae-out").load_history()) == done


@pytest.mark.once
def test_resume_goes_on_to_the_same_model_and_to_more_epochs(run, tmp_path, capsys):
    assert run("--epochs", "2") == 0
    assert main(["train", "--resume", "numpyvae-out", "--epochs", "4"]) == 0
    out = capsys.readouterr().out
    assert "numpyvae-out goes on after epoch 2 of 4\n" in out
    assert re.findall(r"epoch (\d/\d)", out) == ["1/2", "2/2", "3/4", "4/4"]
    assert run("--epochs", "4", "--out", "whole") == 0
    whole, resumed = tmp_path / "whole", tmp_path / "numpyvae-out"
    assert (whole / "model.npz").read_bytes() == (resumed / "model.npz").read_bytes()
    assert not (resumed / "earlier-1").exists()
    rows = [
        [row.split(",")[2:] for row in (folder / "history.csv").read_text().splitlines()]
        for folder in (whole, resumed)
    ]
    assert rows[0] == rows[1]


def test_images_that_were_moved_are_named_and_must_be_the_same(run, tmp_path, capsys):
    assert run("--epochs", "2") == 0
    (tmp_path / "images.npz").rename(tmp_path / "moved.npz")
    capsys.readouterr()
    assert main(["train", "--resume", "numpyvae-out", "--epochs", "3"]) == 2
    assert "images.npz: no such file or folder; check the spelling" in capsys.readouterr().err
    assert main(["train", "--resume", "numpyvae-out", "--epochs", "3", "--data", "moved.npz"]) == 0
    assert RunFolder(tmp_path / "numpyvae-out").load_settings().data == "moved.npz"
    with np.load("moved.npz") as images:
        np.savez("other.npz", **{name: 1 - images[name] // 2 for name in images})
    capsys.readouterr()
    assert main(["train", "--resume", "numpyvae-out", "--epochs", "4", "--data", "other.npz"]) == 2
    assert "the images in other.npz have changed" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows moves no folder with an open file")
def test_of_a_folder_that_was_moved_nothing_is_claimed(run, tmp_path, capsys, monkeypatch):
    step, steps = RMSprop.step, []

    def moving(self):
        step(self)
        steps.append(1)
        if len(steps) == 3:  # in the second epoch
            (tmp_path / "numpyvae-out").rename(tmp_path / "elsewhere")

    monkeypatch.setattr(RMSprop, "step", moving)
    assert run("--epochs", "4") == 1
    err = capsys.readouterr().err
    assert err.endswith("another run may be writing there; this epoch was not saved\n")
    assert "holds" not in err
    assert len(RunFolder(tmp_path / "elsewhere").load_history()) == 1


@pytest.mark.parametrize(("folder", "quoted"), [("runs/a", "runs/a"), ("first run", "'first run'")])
def test_a_finished_run_says_so(run, capsys, folder, quoted):
    assert run("--out", folder) == 0
    capsys.readouterr()
    assert main(["train", "--resume", folder]) == 0
    assert capsys.readouterr().out == (
        f"{folder}: finished after epoch 3 of 3; "
        f"for more: numpyvae train --resume {quoted} --epochs 6\n"
    )


def test_a_run_whose_pictures_are_missing_gets_them(run, tmp_path, capsys, monkeypatch):
    from numpyvae import pictures

    def full(folder, figures):
        raise OSError(f"{folder}: no space is left on the disk; free some")

    monkeypatch.setattr(pictures, "save_all", full)
    assert run() == 1
    assert "numpyvae-out holds the model of epoch 3; to go on: numpyvae" in capsys.readouterr().err
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--resume", "numpyvae-out"]) == 0
    assert (tmp_path / "numpyvae-out" / "manifold.png").exists()
    assert "finished" not in capsys.readouterr().out


def test_another_version_of_numpy_is_a_line_of_warning(run, tmp_path, capsys, monkeypatch):
    from numpyvae.cli import train

    monkeypatch.setitem(train.VERSIONS, "numpy", "1.0")
    assert run("--epochs", "1") == 0
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()
    assert main(["train", "--resume", "numpyvae-out", "--epochs", "2"]) == 0
    err = capsys.readouterr().err
    assert err == (
        f"numpyvae: numpyvae-out: trained with NumPy 1.0, this is {np.__version__}; "
        "the last digits may differ from an unbroken run\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--beta", "2"], "--beta: not allowed with --resume, which keeps the settings"),
        (["--out", "x", "--batch-size", "3"], "--batch-size, --out: not allowed with --resume"),
        (["--keep-epochs"], "--keep-epochs: not allowed with --resume"),
        (["--epochs", "1"], "epochs: expected the new total, at least 3, which are done; got"),
        (["--epochs", "0"], "epochs: expected a whole number of at least 1, got 0"),
    ],
)
def test_what_resume_refuses(run, tmp_path, capsys, options, message):
    assert run() == 0
    before = (tmp_path / "numpyvae-out" / "model.npz").read_bytes()
    capsys.readouterr()
    assert main(["train", "--resume", "numpyvae-out", *options]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"numpyvae: {message}")
    assert err.count("\n") == 1
    assert (tmp_path / "numpyvae-out" / "model.npz").read_bytes() == before


def test_nothing_to_resume(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--resume", "nowhere"]) == 2
    assert "nowhere: no such folder" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert main(["train", "--resume", "empty"]) == 2
    assert "empty: it holds no complete epoch; train one first" in capsys.readouterr().err
    assert not list((tmp_path / "empty").iterdir())
