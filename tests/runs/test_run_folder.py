"""A run folder: its files, and what happens to those of an earlier run."""

import json

import numpy as np
import pytest

from numpyvae import VAE, Epoch, Loss
from numpyvae.runs import RunFolder, Settings

VERSIONS = {"numpyvae": "9"}


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path / "run")


def test_settings_come_back(folder):
    settings = Settings(pixels="dynamic", hidden=(9, 6), beta=0.5, seed=3)
    folder.make()
    folder.save_settings(settings, VERSIONS)
    assert folder.load_settings() == settings
    assert json.loads((folder.path / "settings.json").read_text())["versions"] == VERSIONS


def test_settings_are_plain_numbers_that_json_can_hold(folder):
    settings = Settings(
        hidden=[9, np.int64(6)], latent=np.int32(3), beta=np.float32(0.5), noise=0, seed=np.uint8(3)
    )
    assert settings == Settings(hidden=(9, 6), latent=3, beta=0.5, seed=3)
    folder.make()
    folder.save_settings(settings, VERSIONS)
    assert folder.load_settings() == settings


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ('{"latent": "two"}', "latent: expected a whole number of at least 1, got 'two'"),
        ('{"data": 3}', "data: expected the path of the images, got 3"),
        ('{"optimizer": ["adam"]}', "optimizer: expected one of rmsprop, adam"),
    ],
)
def test_settings_that_no_training_could_use_are_an_error_that_names_the_file(
    folder, table, problem
):
    folder.make()
    (folder.path / "settings.json").write_text(table)
    with pytest.raises(ValueError, match=f"settings.json: {problem}"):
        folder.load_settings()


def test_without_a_file_the_settings_are_the_defaults(folder):
    assert folder.load_settings() == Settings()


def test_settings_of_another_version_may_lack_some_and_have_others(folder):
    folder.make()
    (folder.path / "settings.json").write_text('{"beta": 4.0, "from the future": 1}')
    assert folder.load_settings() == Settings(beta=4.0)


def test_models_come_back_and_epochs_are_in_order(folder):
    folder.make()
    models = [VAE(4, 2, image_shape=(2, 2), rng=seed) for seed in range(11)]
    folder.save_model(models[0])
    assert (folder.load_model().parameters.value == models[0].parameters.value).all()
    for number, vae in enumerate(models, start=1):
        folder.save_epoch(vae, number)
    assert [int(path.stem) for path in folder.epoch_models()] == list(range(1, 12))


def test_only_results_are_set_aside_and_never_over_earlier_ones(folder):
    folder.make()
    assert folder.set_aside() is None
    for name in ("model.npz", "manifold.png", "animation.gif", "notes.txt"):
        (folder.path / name).write_text(name)
    first = folder.set_aside()
    (folder.path / "model.npz").write_text("second")
    second = folder.set_aside()
    assert (first.name, second.name) == ("earlier-1", "earlier-2")
    names = sorted(path.name for path in first.iterdir())
    assert names == ["animation.gif", "manifold.png", "model.npz"]
    assert sorted(path.name for path in folder.path.iterdir()) == [
        "earlier-1",
        "earlier-2",
        "notes.txt",
    ]


def test_the_history_has_a_row_for_each_epoch(folder):
    folder.make()
    loss = Loss(100.0, 5.0, 2.0)
    folder.save_history([Epoch(1, 2, loss, loss, 1.5), Epoch(2, 2, loss, loss, 1.25)])
    rows = (folder.path / "history.csv").read_text().splitlines()
    assert rows[0].split(",")[:3] == ["epoch", "seconds", "train_total"]
    assert rows[2] == "2,1.250,110.0,100.0,5.0,110.0,100.0,5.0"
