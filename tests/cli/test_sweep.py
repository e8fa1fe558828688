"""numpyvae sweep: its folder, its output, and what happens when runs fail or are stopped."""

import csv
import dataclasses
import os
import signal
import subprocess
import sys
import time

import pytest

from numpyvae import load
from numpyvae.cli import main
from numpyvae.cli.command_line import parser
from numpyvae.cli.settings_options import given
from numpyvae.runs import Settings

pytestmark = pytest.mark.once

OPTIONS = ["--hidden", "8", "--epochs", "2", "--out", "swept"]


@pytest.fixture
def sweep(data, tmp_path, monkeypatch):
    """`numpyvae sweep` on the small set, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*options):
        return main(["sweep", "--data", "images.npz", *OPTIONS, "--jobs", "2", *options])

    return run


def test_a_sweep_writes_runs_a_table_and_two_pictures(sweep, tmp_path, capsys):
    assert sweep("--beta", "0.5", "2", "--seeds", "2") == 0
    out = tmp_path / "swept"
    runs = sorted(path.name for path in out.iterdir() if path.is_dir())
    assert runs[0] == "data=images.npz,hidden=8,beta=0.5,epochs=2,seed=0"
    assert len(runs) == 4
    for name in runs:
        files = {path.name for path in (out / name).iterdir()}
        assert files > {"model.npz", "history.csv", "settings.json", "loss.png", "manifold.png"}
    with (out / "sweep.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["beta"], row["seeds"]) for row in rows] == [("0.5", "2"), ("2", "2")]
    for picture in ("losses.png", "rate_distortion.png"):
        assert (out / picture).read_bytes().startswith(b"\x89PNG")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 settings x 2 seeds = 4 runs"
    assert sum("seed=" in line and "test ELBO -" in line for line in lines) == 4
    assert "beta  seeds" in lines[-4]
    assert lines[-1].startswith("swept holds sweep.csv, losses.png, rate_distortion.png")


def test_a_second_call_prints_the_same_table_and_trains_what_is_missing(sweep, capsys):
    assert sweep("--beta", "0.5", "2") == 0
    first = capsys.readouterr().out
    assert sweep("--beta", "0.5", "2") == 0
    second = capsys.readouterr().out
    assert second.splitlines()[0] == "2 settings x 1 seed = 2 runs, 2 of them completed before"
    assert "test ELBO" not in second
    assert second.splitlines()[1:] == first.splitlines()[3:]
    assert sweep("--beta", "0.5", "2", "3") == 0
    assert capsys.readouterr().out.count("test ELBO") == 1


def test_a_broken_run_is_reported_and_the_others_complete(sweep, capsys):
    assert sweep("--learning-rate", "0.001", "1e30") == 1
    said = capsys.readouterr()
    assert "learning_rate=1e+30,seed=0: failed" in said.out
    assert said.err.count("\n") == 1
    assert "epoch 1, step 2: the loss is not finite" in said.err
    assert "0.001      1" in said.out
    assert sweep("--learning-rate", "1e30") == 1  # no run at all
    assert capsys.readouterr().out.endswith("no run has completed, so there is no table\n")


def test_every_option_of_train_but_the_seed_takes_several_values():
    arguments = [
        "--data", "a", "b", "--pixels", "grey", "dynamic", "--noise", "0", "0.5",
        "--hidden", "8", "9,7", "--latent", "1", "2", "--beta", "1", "2", "--epochs", "1", "2",
        "--batch-size", "10", "20", "--optimizer", "adam", "rmsprop", "--learning-rate", "1e-3",
        "1e-2", "--threads", "1", "2", "--objective", "elbo", "iwae", "--k", "1", "2",
        "--activation", "relu", "tanh", "--anneal", "0", "2", "--free-bits", "0", "0.1",
        "--decay", "none", "burda", "--epsilon", "1e-7", "1e-4",
        "--likelihood", "bernoulli", "gaussian",
    ]  # fmt: skip
    values = given(parser().parse_args(["sweep", *arguments]))
    assert all(len(value) == 2 for value in values.values())
    assert values["hidden"] == [(8,), (9, 7)]
    every = {field.name for field in dataclasses.fields(Settings)}
    assert every - set(values) == {"seed", "keep_epochs"}
    assert given(parser().parse_args(["sweep", "--keep-epochs"])) == {"keep_epochs": True}


BAD = [
    (["--seeds", "0"], "seeds: expected a whole number of at least 1, got 0"),
    (["--jobs", "0"], "jobs: expected a whole number of at least 1, got 0"),
    (["--seed", "3"], "unrecognized arguments: --seed 3; see numpyvae sweep --help"),
    (
        ["--hidden", "8,x"],
        "argument --hidden: expected widths joined by commas, such as 512,256, got '8,x'",
    ),
    (["--latent", "2", "0"], "latent: expected a whole number of at least 1, got 0"),
    (["--data", "nowhere"], "nowhere: no such file or folder"),
    (
        ["--out", "images.npz/swept"],
        "images.npz/swept: a part of this path is a file, not a folder",
    ),
    (["--beta", "1", "1"], "beta=1,epochs=2: given twice; leave one out"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_input_is_one_line_status_2_and_nothing_written(
    sweep, tmp_path, capsys, options, message
):
    try:
        status = sweep(*options)
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "swept").exists()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no process groups to send Ctrl-C to")
def test_ctrl_c_leaves_finished_runs_whole_and_no_process_behind(sweep, tmp_path, capsys):
    """Ctrl-C in a terminal reaches all processes of the group."""
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from numpyvae.cli import main; sys.exit(main())"
    )
    endless = ["--data", "images.npz", "--hidden", "8", "--epochs", "2", "100000"]
    options = ["--out", "swept", "--jobs", "2"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, "sweep", *endless, *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    lines = [process.stdout.readline()]
    while "test ELBO" not in lines[-1]:
        lines.append(process.stdout.readline())
    done = tmp_path / "swept" / "data=images.npz,hidden=8,epochs=2,seed=0"
    while '"completed": true' not in (done / "settings.json").read_text():
        time.sleep(0.01)  # its pictures are being drawn
    os.killpg(process.pid, signal.SIGINT)
    _, error = process.communicate(timeout=60)  # waits until no process has the pipes open
    assert process.returncode == 130
    assert error == (
        "numpyvae: stopped; 1 of 2 runs in swept are complete; the same command goes on\n"
    )
    load(done / "model.npz")
    assert not list((tmp_path / "swept").rglob(".*"))
    assert sweep("--epochs", "2") == 0
    assert "1 of them completed before" in capsys.readouterr().out
