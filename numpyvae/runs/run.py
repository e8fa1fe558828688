"""A training that writes its folder, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path

from numpyvae.core.training import Epoch, train
from numpyvae.core.vae import VAE
from numpyvae.data.image_files import Dataset
from numpyvae.runs.run_folder import RunFolder
from numpyvae.runs.settings import OPTIMIZERS, Settings
from numpyvae.support.types import Counted


def prepare(settings: Settings) -> tuple[VAE, Dataset, Counted[Epoch]]:
    """The model, the images and the training of these settings, which has not started."""
    data = settings.images()
    vae = VAE(
        settings.hidden,
        settings.latent,
        beta=settings.beta,
        image_shape=data.image_shape,
        rng=settings.seed,
    )
    training = train(
        vae,
        data.x_train,
        test_images=data.x_test,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        optimizer=OPTIMIZERS[settings.optimizer](vae.parameters, settings.learning_rate),
        pixels=settings.pixels,
        noise=settings.noise,
        threads=settings.threads,
        rng=settings.seed,
    )
    return vae, data, training


class Run:
    """A training that has not started, with its model, images and folder.

    Making a Run loads the images, builds the model and makes the folder. It leaves the results of
    an earlier run in place. Raises ValueError, OSError or MemoryError for images that cannot be
    used or a folder that cannot be made; then nothing is written.

    versions  names and versions of packages, to be saved with the settings
    epochs    the epochs whose model is in the folder, so far
    """

    def __init__(
        self, settings: Settings, out: str | PathLike[str], versions: Mapping[str, str]
    ) -> None:
        self.settings, self.versions, self.folder = settings, versions, RunFolder(out)
        if not str(out) or (Path(out).exists() and not Path(out).is_dir()):
            raise ValueError(f"--out: expected the name of a folder, got {str(out)!r}")
        self.vae, self.data, self._training = prepare(settings)
        self.epochs: list[Epoch] = []
        self.folder.make()

    def __len__(self) -> int:
        return len(self._training)

    def complete(self) -> None:
        """Note in the folder that everything is there, the pictures too."""
        self.folder.save_settings(self.settings, self.versions, completed=True)

    def __iter__(self) -> Iterator[Epoch]:
        """Train; after each epoch, write the model, the history and the settings, and yield it."""
        for epoch in self._training:
            self.folder.save_model(self.vae)
            if self.settings.keep_epochs:
                self.folder.save_epoch(self.vae, epoch.number)
            self.epochs.append(epoch)  # only now is the model of this epoch on disk
            self.folder.save_history(self.epochs)
            self.folder.save_settings(self.settings, self.versions)
            yield epoch
