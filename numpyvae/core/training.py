"""Training: shuffled minibatches, a step downhill for each, and one Epoch at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.optimizers import Optimizer, RMSprop
from numpyvae.core.trace import Loss
from numpyvae.core.vae import VAE
from numpyvae.data.images import Pixels, images_for
from numpyvae.data.minibatches import Minibatch, Minibatches
from numpyvae.support.inputs import check_count, check_rng
from numpyvae.support.state import Stateful
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array, Progress
from numpyvae.support.unused import Unused


@np.errstate(over="ignore", invalid="ignore")  # every loss is checked instead
def one_pass(
    vae: VAE, batches: Iterable[Minibatch], where: str, optimizer: Optimizer | None = None
) -> Loss:
    """Pass over the minibatches once; with an optimizer, learn from each. Means over images."""
    reconstruction = kl = seen = 0.0  # sums over the images, in float64
    for step, (x, eps, target) in enumerate(batches, start=1):
        t = vae.forward(x, eps, target)
        loss = vae.loss(t)
        if not math.isfinite(loss.total):
            kept = "the weights from before this epoch are kept; lower the learning rate"
            raise FloatingPointError(f"{where} {step}: the loss is not finite, {loss}; {kept}")
        if optimizer is not None:
            vae.backward(t)
            optimizer.step()
        reconstruction += len(x) * float(loss.reconstruction)
        kl += len(x) * float(loss.kl)
        seen += len(x)
    return Loss(reconstruction / seen, kl / seen, vae.beta)


@dataclass(frozen=True)
class Epoch:
    """Epoch `number` out of `epochs`: losses in nats per image; seconds (NaN: not known)."""

    number: int
    epochs: int
    train: Loss
    test: Loss | None
    seconds: float

    def __str__(self) -> str:
        count = f"{self.number:{len(str(self.epochs))}}/{self.epochs}"
        test = "" if self.test is None else f"   test {self.test}"
        took = "" if math.isnan(self.seconds) else f" {self.seconds:6.1f} s"
        return f"epoch {count}{took}   train {self.train}{test}"


class Training(Stateful, Unused):
    """Minimize the loss of `vae` on images: `for epoch in train(vae, images)` does the work.

    The arguments are those of `fit`, and one more. Each iteration trains for one epoch and gives
    an `Epoch`, so a loop can print, draw, or stop. After Ctrl-C, or a loss that is not finite
    (FloatingPointError), all is as before the epoch in progress.

    Parameters
    ----------
    resume_from : dict, optional
        `state()` of an earlier training with the same arguments, to continue it exactly.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import VAE, train
    >>> images = np.random.default_rng(0).random((200, 4))
    >>> vae = VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> for epoch in train(vae, images, epochs=3):
    ...     print(f"epoch {epoch.number} of {epoch.epochs}: {len(images)} images")
    epoch 1 of 3: 200 images
    epoch 2 of 3: 200 images
    epoch 3 of 3: 200 images
    """

    STATE = ("epoch", "weights", "optimizer", "shuffling", "drawing", "testing")

    def __init__(
        self,
        vae: VAE,
        images: ArrayLike,
        *,
        test_images: ArrayLike | None = None,
        epochs: int = 10,
        batch_size: int = 100,
        optimizer: Optimizer | None = None,
        pixels: Pixels = "grey",
        noise: float = 0.0,
        threads: int = 1,
        rng: np.random.Generator | int = 0,
        resume_from: Mapping[str, object] | None = None,
    ) -> None:
        self.vae, self.weights = vae, vae.parameters.value
        self.images = images_for(vae, "images", images, pixels)
        self.tests: Array | None = None
        if test_images is not None:
            self.tests = images_for(vae, "test_images", test_images, pixels)
        self.epoch = 0  # so many are done
        self.epochs, self.threads = check_count("epochs", epochs), check_count("threads", threads)
        self.batches = Minibatches(vae, batch_size, pixels, noise)
        self.optimizer = RMSprop(vae.parameters) if optimizer is None else optimizer
        if getattr(self.optimizer, "parameters", None) is not vae.parameters:
            problem = "expected one of this model, such as RMSprop(vae.parameters)"
            raise ValueError(f"optimizer: {problem}")
        self.shuffling, self.drawing, self.testing = check_rng(rng).spawn(3)
        if resume_from is not None:
            self.restore(resume_from)
        if len(self) > 0:
            self.if_unused = "train: nothing was trained; iterate, for epoch in train(...), or fit"

    def one_epoch(self) -> Epoch:
        """Learn from every image once, in a new order; then measure the loss of the test images."""
        self.if_unused, started = None, time.perf_counter()
        number, test = self.epoch + 1, None
        with blas_threads(self.threads), self.undone_on_error():
            order = self.shuffling.permutation(len(self.images))
            shuffled = self.batches(self.images, order, self.drawing)
            train = one_pass(self.vae, shuffled, f"epoch {number}, step", self.optimizer)
            seconds = time.perf_counter() - started
            if self.tests is not None:
                in_order = self.batches(self.tests, np.arange(len(self.tests)), self.testing)
                test = one_pass(self.vae, in_order, f"epoch {number}, test batch")
        self.epoch = number
        return Epoch(number, self.epochs, train, test, seconds)

    def __iter__(self) -> Iterator[Epoch]:
        while self.epoch < self.epochs:
            yield self.one_epoch()

    def __len__(self) -> int:
        return self.epochs - self.epoch  # those that are left

    def __repr__(self) -> str:
        left = f"{len(self)} of {self.epochs} epochs left"
        return f"Training of {self.vae} on {len(self.images):,} images: {left}"


train = Training  # reads as a sentence: for epoch in train(vae, images)


def fit(
    vae: VAE,
    images: ArrayLike,
    *,
    test_images: ArrayLike | None = None,
    epochs: int = 10,
    batch_size: int = 100,
    optimizer: Optimizer | None = None,
    pixels: Pixels = "grey",
    noise: float = 0.0,
    threads: int = 1,
    rng: np.random.Generator | int = 0,
    progress: Progress[Epoch] = iter,
) -> list[Epoch]:
    """Minimize reconstruction + β KL, summed over pixels and latents, averaged over images.

    This trains at once. To see each epoch as it ends, iterate over `train`, which has the same
    arguments.

    Parameters
    ----------
    vae : VAE
        The model, whose weights change in place.
    images : array_like, (N, X) or (N, height, width)
        Training images: uint8 from 0 to 255, bool, or floats in the range of the likelihood.
    test_images : array_like, optional
        Held-out images; their loss, with z sampled as in training, is in each Epoch.
    epochs : int
        Passes over the images.
    batch_size : int
        Images in each minibatch.
    optimizer : Optimizer, optional
        RMSprop(vae.parameters) unless another is given.
    pixels : {"grey", "thresholded", "dynamic"}
        x itself; 1 where x > ½; or 1 with probability x, drawn anew each time.
    noise : float
        Standard deviation of noise on the encoder's input; the target is the clean image.
    threads : int
        Of the matrix products; more than one pays only on an idle machine.
    rng : int or numpy.random.Generator
        Seed of the order and of the noise. The same seed gives the same weights, tested or not.
    progress : callable
        Wraps the loop over the epochs; pass tqdm to see a bar.

    Returns
    -------
    list of Epoch
        Each with `number`, `train`, `test` and `seconds`. `train` and `test` are a `Loss`, in nats
        per image: `total`, `reconstruction`, `kl`, `elbo`.

    Raises
    ------
    ValueError
        For images, or other arguments, with which the model would train wrongly.
    FloatingPointError
        If a loss is not finite; the weights are then those of the last complete epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import VAE, fit
    >>> images = np.random.default_rng(0).random((200, 4))
    >>> vae = VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> history = fit(vae, images[:150], test_images=images[150:], epochs=20)
    >>> len(history), history[-1].number
    (20, 20)
    >>> history[-1].train.total < history[0].train.total
    True
    """
    training = train(
        vae, images, test_images=test_images, epochs=epochs, batch_size=batch_size,
        optimizer=optimizer, pixels=pixels, noise=noise, threads=threads, rng=rng,
    )  # fmt: skip
    return list(progress(training))
