"""A run folder: its files, what they say, and what happens to those of an earlier run."""

import dataclasses
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

import numpyvae
from numpyvae import VAE, Epoch, Loss, save
from numpyvae.runs import RunFolder, Settings
from numpyvae.runs.run_folder import PICTURES, Record

LOSS = Loss(100.0, 5.0, 2.0)
SETTINGS = Settings(pixels="dynamic", hidden=(9, 6), beta=2.0, seed=3, epochs=2)


@pytest.fixture
def folder(tmp_path):
    made = RunFolder(tmp_path / "run")
    made.make()
    return made


def save_epochs(folder, settings=SETTINGS, number=1):
    """The files of an epoch; the state of the training is left out, but for its number."""
    vae = VAE(settings.hidden, settings.latent, image_shape=(2, 2), rng=number)
    epochs = [Epoch(n, settings.epochs, LOSS, LOSS, 1.5) for n in range(1, number + 1)]
    record = Record(settings, epochs, {"numpyvae": "9"}, False, 0)
    before, folder.earlier = folder.earlier, None
    folder.save(vae, record, {"epoch": number}, first=number == 1)
    found, folder.earlier = folder.earlier, folder.earlier or before
    return found


def released(folder, **settings):
    """The files of version 0.1 or 0.2, but for its history; ... leaves a setting out."""
    table = dataclasses.asdict(SETTINGS) | settings
    table = {name: value for name, value in table.items() if value is not ...}
    (folder.path / "settings.json").write_text(json.dumps(table))
    (folder.path / "history.csv").write_text("epoch,seconds\n")
    save(folder.model, VAE(2))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_settings_come_back_and_are_there_to_be_read(folder):
    save_epochs(folder)
    assert folder.load_settings() == SETTINGS
    table = json.loads((folder.path / "settings.json").read_text())
    assert table["versions"] == {"numpyvae": "9"}
    assert Settings.from_table(table) == SETTINGS


def test_settings_are_plain_numbers_that_json_can_hold(folder):
    settings = Settings(
        hidden=[9, np.int64(6)], latent=np.int32(3), beta=np.float32(0.5), noise=0, seed=np.uint8(3)
    )
    assert settings == Settings(hidden=(9, 6), latent=3, beta=0.5, seed=3)
    save_epochs(folder, settings)
    assert folder.load_settings() == settings


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"latent": "two"}, "latent: expected a whole number of at least 1, got 'two'"),
        ({"data": 3}, "data: expected the path of the images, got 3"),
        ({"optimizer": ["adam"]}, "optimizer: expected one of rmsprop, adam"),
        ({"pixels": "dynmic"}, "pixels: expected one of grey, thresholded, dynamic, got 'dynmic'"),
        ({"pixels": ..., "beta": ...}, "pixels, beta: missing"),
        ({"beta": 10**400}, "beta: expected a finite number"),
        ({"hidden": [[3]]}, r"hidden: expected a whole number of at least 1, got \[3\]"),
        ({"keep_epochs": "yes"}, "keep_epochs: expected true or false, got 'yes'"),
    ],
)
def test_old_settings_that_are_missing_or_wrong_are_an_error_that_names_the_file(
    folder, settings, problem
):
    released(folder, **settings)
    with pytest.raises(ValueError, match=rf"settings.json: damaged, {problem}.*; copy it from"):
        folder.load_settings()


@pytest.mark.parametrize("text", ["{", "", "[" * 100_000, "3", "[]", '{"beta": 1e999}', "\x00"])
def test_old_settings_that_are_damaged_are_an_error_that_names_the_file(folder, text):
    released(folder)
    (folder.path / "settings.json").write_text(text)
    with pytest.raises(ValueError, match=r"settings.json: damaged, [^\n]*; copy it"):
        folder.load_settings()


def test_settings_that_came_later_may_be_missing_and_unknown_ones_are_ignored(folder):
    released(folder, threads=..., **{"from the future": 1})
    assert folder.load_settings() == SETTINGS
    (folder.path / "settings.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"settings.json: missing, so nobody knows how"):
        folder.load_settings()


@pytest.mark.parametrize(
    "rows",
    [
        "epoch,seconds\n1,2\n", "epoch\nx\n", "epoch\n\xff", "epoch\n" + "1" * 200_000,
        "epoch,seconds,train_reconstruction,train_kl,test_reconstruction,test_kl\n-1,1,1,1,1,1\n",
    ],
)  # fmt: skip
def test_a_damaged_old_history_is_an_error_that_names_the_file(folder, rows):
    released(folder, anneal=3)
    (folder.path / "history.csv").write_text(rows, encoding="latin-1")
    with pytest.raises(ValueError, match=r"history.csv: damaged, not a history; copy it from"):
        folder.load_history()


def test_models_come_back_and_epochs_are_in_order(folder):
    settings = dataclasses.replace(SETTINGS, keep_epochs=True, epochs=11)
    for number in range(1, 12):
        save_epochs(folder, settings, number)
    last = VAE(settings.hidden, settings.latent, image_shape=(2, 2), rng=11)
    assert (folder.load_model().parameters.value == last.parameters.value).all()
    assert [int(path.stem) for path in folder.epoch_models()] == list(range(1, 12))


def test_an_earlier_run_is_set_aside_with_the_first_epoch_and_other_files_stay(folder):
    for name in ("notes.txt", "holiday.png"):
        (folder.path / name).touch()
    assert save_epochs(folder) is None
    assert save_epochs(folder, number=2) is None
    (folder.path / "manifold.png").touch()
    first = save_epochs(folder)
    second = save_epochs(folder)
    assert (first.name, second.name) == ("earlier-1", "earlier-2")
    assert names(first) == ["history.csv", "manifold.png", "model.npz", "settings.json"]
    assert names(second) == ["history.csv", "model.npz", "settings.json"]
    assert len(RunFolder(first).load_history()) == 2
    mine = ["earlier-1", "earlier-2", "history.csv", "holiday.png", "model.npz", "notes.txt"]
    assert names(folder.path) == [*mine, "settings.json"]


def test_files_with_our_names_are_moved_and_a_folder_called_epochs_is_not(folder):
    """In a folder that holds no run, but somebody's own pictures."""
    (folder.path / "epochs").mkdir()
    for name in ("samples.png", "other.png", "epochs/mine.txt"):
        (folder.path / name).write_text(name)
    assert save_epochs(folder).name == "earlier-1"
    assert names(folder.path / "earlier-1") == ["samples.png"]
    mine = ["earlier-1", "epochs", "history.csv", "model.npz", "other.png", "settings.json"]
    assert names(folder.path) == mine
    assert names(folder.path / "epochs") == ["mine.txt"]


def test_setting_aside_goes_on_where_it_was_interrupted(folder, monkeypatch):
    """The model is moved last, so a folder without one is not complete."""
    save_epochs(folder)
    (folder.path / "manifold.png").touch()
    (folder.path / "earlier-1").mkdir()
    (folder.path / "history.csv").rename(folder.path / "earlier-1" / "history.csv")
    assert folder.set_aside().name == "earlier-1"
    moved = ["history.csv", "manifold.png", "model.npz", "settings.json"]
    assert names(folder.path / "earlier-1") == moved
    assert names(folder.path) == ["earlier-1"]
    assert folder.set_aside() is None


def test_the_history_has_a_row_for_each_epoch(folder):
    save_epochs(folder, number=2)
    rows = (folder.path / "history.csv").read_text().splitlines()
    assert rows[0].split(",")[:3] == ["epoch", "seconds", "train_total"]
    assert rows[2] == "2,1.500,110.0,100.0,5.0,110.0,100.0,5.0"
    found = folder.load_history()
    assert found == [Epoch(n, 2, LOSS, LOSS, math.nan) for n in (1, 2)]
    assert str(found[0]).startswith("epoch 1/2   train 110.00")  # nobody knows how long it took


def test_the_names_of_pictures_are_those_that_the_commands_write():
    sources = Path(numpyvae.__file__).parent / "cli"
    text = "".join((sources / f"{name}.py").read_text() for name in ("train", "evaluate", "draw"))
    assert set(re.findall(r'"(\w+\.(?:png|gif))"', text)) == set(PICTURES)
