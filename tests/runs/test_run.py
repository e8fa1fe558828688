"""A training that writes its folder."""

import numpy as np
import pytest

from numpyvae import load
from numpyvae.runs import Run, RunFolder, Settings


@pytest.fixture
def settings(tmp_path, rng):
    np.save(tmp_path / "images.npy", rng.integers(0, 256, (60, 3, 4), dtype=np.uint8))
    return Settings(str(tmp_path / "images.npy"), hidden=(5,), epochs=3, keep_epochs=True)


def test_each_epoch_is_on_disk_when_it_is_yielded(settings, tmp_path):
    run = Run(settings, str(tmp_path / "out"), {})
    assert len(run) == 3
    folder = RunFolder(tmp_path / "out")
    assert not list(folder.path.iterdir())
    for number, epoch in enumerate(run, start=1):
        assert epoch.number == number == len(run.epochs)
        saved = load(folder.path / "model.npz").parameters.value
        assert np.array_equal(saved, run.vae.parameters.value)
        assert len((folder.path / "history.csv").read_text().splitlines()) == 1 + number
        assert folder.load_settings() == settings
        assert len(folder.epoch_models()) == number


def test_bad_settings_write_nothing(settings, tmp_path):
    with pytest.raises(ValueError, match="latent: expected a whole number"):
        Run(Settings(settings.data, latent=0), str(tmp_path / "out"), {})
    assert not (tmp_path / "out").exists()


def test_the_images_of_the_settings_or_others_instead(settings, tmp_path, rng):
    np.save(tmp_path / "other.npy", rng.integers(0, 256, (40, 2, 2), dtype=np.uint8))
    assert settings.images().image_shape == (3, 4)
    assert settings.images(tmp_path / "other.npy").image_shape == (2, 2)
    assert Settings().images().image_shape == (28, 28)
