"""Runs that each released version trained and saved: they load, and train the same again."""

import csv
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from numpyvae import load
from numpyvae.cli import main
from numpyvae.runs import RunFolder

FIXTURES = Path(__file__).parent / "fixtures"
TRAIN = (
    *("train", "--data", "images.npz", "--hidden", "8", "6", "--latent", "2", "--beta", "0.5"),
    *("--pixels", "dynamic", "--noise", "0.1", "--epochs", "3", "--batch-size", "30"),
    *("--learning-rate", "0.003", "--seed", "4", "--out", "again"),
)
# As all versions printed them.
LOSSES = [
    "train 20.81 = 20.73 + 0.5 x 0.16   test 20.81 = 20.74 + 0.5 x 0.14",
    "train 20.71 = 20.64 + 0.5 x 0.14   test 20.44 = 20.33 + 0.5 x 0.22",
    "train 20.53 = 20.40 + 0.5 x 0.26   test 20.24 = 20.03 + 0.5 x 0.42",
]


@pytest.fixture(params=["run-0.1", "run-0.2"])
def made(request, tmp_path, monkeypatch):
    """A copy of the run and of its images, as the working folder."""
    shutil.copytree(FIXTURES / request.param, tmp_path / "run")
    shutil.move(tmp_path / "run" / "images.npz", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_model_loads(made):
    vae = load("run/model.npz")
    assert (vae.hidden, vae.latent, vae.beta, vae.image_shape) == ((8, 6), 2, 0.5, (5, 6))
    assert vae.parameters.value.dtype == np.float32
    with np.load("run/model.npz") as file:
        for name in vae.parameters:
            np.testing.assert_array_equal(vae.parameters[name], file[name])


def test_the_same_settings_print_the_same_losses(made, capsys):
    assert main(TRAIN) == 0
    printed = capsys.readouterr().out
    assert re.findall("train [^\n]*test [^\n]*", printed) == LOSSES


def test_the_same_settings_give_the_same_history_and_model(made):
    assert main(TRAIN) == 0
    old, new = (
        list(csv.DictReader((made / folder / "history.csv").read_text().splitlines()))
        for folder in ("run", "again")
    )
    assert [list(row) for row in old] == [list(row) for row in new]
    for before, now in zip(old, new):
        for name in set(before) - {"seconds"}:  # other machines add in another order
            assert float(now[name]) == pytest.approx(float(before[name]), rel=1e-5)
    weights = [
        load(folder / "model.npz").parameters.value for folder in (made / "run", made / "again")
    ]
    np.testing.assert_allclose(*weights, atol=1e-4)


@pytest.mark.once
def test_its_settings_are_read(made, capsys):
    """Evaluated on its own images, as the binary pixels that it was trained on."""
    assert main(["evaluate", "run", "--json", "--gap-images", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["kind"] == "log-likelihood"
    assert found["images"] == 40
    assert found["evidence"]["mean"] == pytest.approx(-20.29, abs=0.01)
    assert main(["draw", "run"]) == 0
    assert "run holds interpolation.png, walk.png" in capsys.readouterr().out


def test_its_history_is_read_and_it_cannot_go_on(made, capsys):
    assert [str(epoch).split(" s   ")[1] for epoch in RunFolder("run").load_history()] == LOSSES
    before = {path.name: path.read_bytes() for path in (made / "run").iterdir()}
    assert main(["train", "--resume", "run", "--epochs", "5"]) == 2
    problem = f"{Path('run', 'model.npz')}: a model of version 0.1 or 0.2, or one saved "
    problem += "without its training, so it cannot go on; train it again"
    assert capsys.readouterr().err == f"numpyvae: {problem}\n"
    assert {path.name: path.read_bytes() for path in (made / "run").iterdir()} == before


HALF_WAY = FIXTURES / "half-way"  # after 0.2: runs stopped after two of four epochs


@pytest.fixture(params=["adam", "iwae", "free-bits", "gaussian"])
def stopped(request, tmp_path, monkeypatch):
    """A copy of a run that was stopped half-way, with its images, as the working folder."""
    shutil.copytree(HALF_WAY / request.param, tmp_path / "run")
    shutil.copy(HALF_WAY / "images.npz", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "run"


def test_a_run_stopped_half_way_goes_on_to_the_numbers_of_the_whole_run(stopped):
    assert main(["train", "--resume", "run"]) == 0
    whole, resumed = (
        list(csv.DictReader((stopped / name).read_text().splitlines()))
        for name in ("whole.csv", "history.csv")
    )
    assert [row["epoch"] for row in resumed] == ["1", "2", "3", "4"]
    for expected, found in zip(whole, resumed):
        for name in set(expected) - {"seconds"}:  # other machines add in another order
            assert float(found[name]) == pytest.approx(float(expected[name]), rel=1e-5), name
