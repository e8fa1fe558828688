"""A run folder: its files, and what happens to those of an earlier run."""

import dataclasses
import json

import numpy as np
import pytest

from numpyvae import VAE, Epoch, Loss
from numpyvae.runs import RunFolder, Settings

VERSIONS = {"numpyvae": "9"}
LOSS = Loss(100.0, 5.0, 2.0)
SETTINGS = Settings(pixels="dynamic", hidden=(9, 6), beta=2.0, seed=3, epochs=2)


@pytest.fixture
def folder(tmp_path):
    made = RunFolder(tmp_path / "run")
    made.make()
    return made


def save_epochs(folder, settings=SETTINGS, number=1, seconds=1.5):
    """The files of an epoch; the state of the training is left out, but for its number."""
    vae = VAE(settings.hidden, settings.latent, image_shape=(2, 2), rng=number)
    epochs = [Epoch(n, settings.epochs, LOSS, LOSS, seconds) for n in range(1, number + 1)]
    record = {"images": 0, "state": {"epoch": number}}
    return folder.save_epoch(vae, epochs, settings, VERSIONS, record)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def change(folder, **settings):
    """Rewrite settings.json with other values; ... leaves one out."""
    path = folder.path / "settings.json"
    table = json.loads(path.read_text()) | settings
    path.write_text(json.dumps({name: v for name, v in table.items() if v is not ...}))


def test_settings_come_back(folder):
    folder.save_settings(SETTINGS, VERSIONS)
    assert folder.load_settings() == SETTINGS
    assert json.loads((folder.path / "settings.json").read_text())["versions"] == VERSIONS


def test_settings_are_plain_numbers_that_json_can_hold(folder):
    settings = Settings(
        hidden=[9, np.int64(6)], latent=np.int32(3), beta=np.float32(0.5), noise=0, seed=np.uint8(3)
    )
    assert settings == Settings(hidden=(9, 6), latent=3, beta=0.5, seed=3)
    folder.save_settings(settings, VERSIONS)
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
def test_settings_that_are_missing_or_wrong_are_an_error_that_names_the_file(
    folder, settings, problem
):
    folder.save_settings(SETTINGS, VERSIONS)
    change(folder, **settings)
    with pytest.raises(ValueError, match=f"settings.json: {problem}"):
        folder.load_settings()


@pytest.mark.parametrize("text", ["{", "", "[" * 100_000, "3", "[]", '{"beta": 1e999}', "\x00"])
def test_settings_that_are_damaged_are_an_error_that_names_the_file(folder, text):
    (folder.path / "settings.json").write_text(text)
    with pytest.raises(ValueError, match=r"settings.json: [^\n]*(delete it|copy it)"):
        folder.load_settings()


def test_settings_that_came_later_may_be_missing_and_unknown_ones_are_ignored(folder):
    folder.save_settings(SETTINGS, VERSIONS)
    change(folder, threads=..., **{"from the future": 1})
    assert folder.load_settings() == SETTINGS


def test_the_model_knows_its_settings(folder):
    """settings.json may be missing, or name other images; it may not contradict the model."""
    save_epochs(folder)
    change(folder, data="elsewhere.npy", epochs=7)
    assert folder.load_settings() == dataclasses.replace(SETTINGS, data="elsewhere.npy", epochs=7)
    change(folder, pixels="grey")
    with pytest.raises(ValueError, match=r"settings.json: pixels is 'grey' here and 'dynamic' in"):
        folder.load_settings()
    (folder.path / "settings.json").unlink()
    assert folder.load_settings() == SETTINGS


def test_without_any_settings_nobody_knows_what_the_pixels_are(folder):
    with pytest.raises(FileNotFoundError, match=r"settings.json: missing, so nobody knows how"):
        folder.load_settings()


def test_models_come_back_and_epochs_are_in_order(folder):
    settings = dataclasses.replace(SETTINGS, keep_epochs=True, epochs=11)
    for number in range(1, 12):
        save_epochs(folder, settings, number)
    last = VAE(settings.hidden, settings.latent, image_shape=(2, 2), rng=11)
    assert (folder.load_model().parameters.value == last.parameters.value).all()
    assert [int(path.stem) for path in folder.epoch_models()] == list(range(1, 12))


def test_an_earlier_run_is_set_aside_with_the_first_epoch_and_other_files_stay(folder):
    (folder.path / "notes.txt").touch()
    assert save_epochs(folder) is None
    assert save_epochs(folder, number=2) is None
    (folder.path / "manifold.png").touch()
    first = save_epochs(folder)
    second = save_epochs(folder)
    assert (first.name, second.name) == ("earlier-1", "earlier-2")
    assert names(first) == ["history.csv", "manifold.png", "model.npz", "settings.json"]
    assert names(second) == ["history.csv", "model.npz", "settings.json"]
    assert len(RunFolder(first).load_history()) == 2
    present = ["earlier-1", "earlier-2", "history.csv", "model.npz", "notes.txt", "settings.json"]
    assert names(folder.path) == present


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
    assert folder.load_history() == [Epoch(n, 2, LOSS, LOSS, 1.5) for n in (1, 2)]


def test_the_history_of_the_model_is_the_one_that_counts(folder):
    """A run killed between two renames: history.csv has a row more, or is missing, or damaged."""
    save_epochs(folder, number=2)
    path = folder.path / "history.csv"
    path.write_text(path.read_text() + "3,1.5,1.0,1.0,0.0,1.0,1.0,0.0\n")
    assert folder.load_history() == [Epoch(n, 2, LOSS, LOSS, 1.5) for n in (1, 2)]
    for damage in ("", "epoch,seconds\n1,2\n", "epoch\nx\n", "\0"):
        path.write_text(damage)
        assert [epoch.test for epoch in folder.load_history()] == [LOSS, LOSS]
    path.unlink()
    assert folder.load_history() == [Epoch(n, 2, LOSS, LOSS, 0.0) for n in (1, 2)]


def test_a_damaged_history_of_an_older_version_is_an_error_that_names_the_file(folder):
    folder.save_settings(SETTINGS, VERSIONS)
    from numpyvae import save

    save(folder.path / "model.npz", VAE(2))
    for damage in ("epoch,seconds\n1,2\n", "epoch\nx\n", "epoch\n\xff", "epoch\n" + "1" * 200_000):
        (folder.path / "history.csv").write_text(damage, encoding="latin-1")
        with pytest.raises(ValueError, match=r"history.csv: damaged, not a history; delete it"):
            folder.load_history()
