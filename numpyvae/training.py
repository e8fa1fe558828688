"""Training: shuffled minibatches, a step downhill for each, and one Epoch at a time."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from numpyvae.images import Pixels, as_pixels, binarize, check_images, corrupt
from numpyvae.inputs import check_count, check_number
from numpyvae.optimizers import Optimizer, RMSprop
from numpyvae.parameters import Array
from numpyvae.trace import Loss, Trace
from numpyvae.vae import VAE


@dataclass(frozen=True)
class Epoch:
    """What one epoch of `epochs` did: losses in nats per image, and the seconds of its training."""

    number: int
    epochs: int
    train: Loss
    test: Loss | None
    seconds: float

    def __str__(self) -> str:
        count = f"{self.number:{len(str(self.epochs))}}/{self.epochs}"
        test = "" if self.test is None else f"   test {self.test}"
        return f"epoch {count} {self.seconds:6.1f} s   train {self.train}{test}"


@dataclass(frozen=True)
class Training:
    """The epochs of a training to come: an iterable that knows its length, for progress bars."""

    length: int
    epochs: Iterator[Epoch]

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Epoch]:
        return self.epochs


def train(
    vae: VAE,
    images: ArrayLike,
    *,
    test_images: ArrayLike | None = None,
    epochs: int = 10,
    batch_size: int = 100,
    optimizer: Optimizer | None = None,
    pixels: Pixels = "grey",
    noise: float = 0.0,
    rng: np.random.Generator | int = 0,
) -> Training:
    """Minimize the loss of `vae` on `images` (N, X): `for epoch in train(...)` does the work.

    test_images  held-out images; their loss (z sampled, as in training) is in each Epoch
    optimizer    RMSprop(vae.parameters) unless another is given
    pixels       "grey" as they are; "thresholded" at ½; "dynamic": drawn anew, 1 with probability x
    noise        standard deviation of Gaussian noise on the encoder's input, clipped to [0, 1];
                 the decoder is to restore the clean image (a denoising VAE)
    rng          a seed or a Generator; the same seed gives the same weights, tested or not

    An epoch that is broken off, by Ctrl-C or by a loss that is not finite (FloatingPointError),
    leaves the weights of the last complete one. Bad arguments raise ValueError at once.
    """
    x_train = check_images("images", images, vae.image_shape)
    if test_images is not None:
        test_images = check_images("test_images", test_images, vae.image_shape)
    check_count("epochs", epochs)
    batch_size, noise = check_count("batch_size", batch_size), check_number("noise", noise)
    if pixels not in get_args(Pixels):
        raise ValueError(f"pixels: expected one of {', '.join(get_args(Pixels))}, got {pixels!r}")
    optimizer = RMSprop(vae.parameters) if optimizer is None else optimizer
    if getattr(optimizer, "parameters", None) is not vae.parameters:
        raise ValueError("optimizer: expected one of this model, such as RMSprop(vae.parameters)")
    dtype = vae.parameters.value.dtype
    shuffling, drawing, testing = np.random.default_rng(rng).spawn(3)
    traces: dict[int, Trace] = {}  # one for each size of minibatch: the last may be shorter

    def one_pass(number: int, images: Array, rng: np.random.Generator, learn: bool) -> Loss:
        """The mean loss of the images in epoch `number`; shuffled and learned from, or neither."""
        order = shuffling.permutation(len(images)) if learn else np.arange(len(images))
        reconstruction = kl = 0.0  # sums over the images, in float64
        for step, clean in enumerate(minibatches(images, order, batch_size, dtype), start=1):
            x, target = binarize(clean, pixels, rng), None
            if noise:
                x, target = corrupt(x, noise, rng), x
            eps = rng.standard_normal((len(x), vae.latent), dtype)
            traces[len(x)] = trace = vae.forward(x, eps, target, out=traces.get(len(x)))
            loss = vae.loss(trace)
            if not math.isfinite(loss.total):
                where = f"epoch {number}, {'step' if learn else 'test batch'} {step}"
                kept = f"the weights of epoch {number - 1}" if number > 1 else "the initial weights"
                remedy = f"{kept} are kept; lower the learning rate"
                raise FloatingPointError(f"{where}: the loss is not finite, {loss}; {remedy}")
            if learn:
                vae.backward(trace)
                optimizer.step()
            reconstruction += len(x) * float(loss.reconstruction)
            kl += len(x) * float(loss.kl)
        return Loss(reconstruction / len(order), kl / len(order), vae.beta)

    def results() -> Iterator[Epoch]:
        for number in range(1, epochs + 1):
            last, started, test = vae.parameters.value.copy(), time.perf_counter(), None
            try:
                with np.errstate(over="ignore", invalid="ignore"):  # each loss is looked at instead
                    loss = one_pass(number, x_train, drawing, learn=True)
                    seconds = time.perf_counter() - started
                    if test_images is not None:
                        test = one_pass(number, np.asarray(test_images), testing, learn=False)
            except BaseException:
                vae.parameters.value[:] = last
                raise
            yield Epoch(number, epochs, loss, test, seconds)

    return Training(epochs, results())


def minibatches(images: Array, order: Array, batch_size: int, dtype: DTypeLike) -> Iterator[Array]:
    """Pixels x (B, X) in [0, 1], in this order; each batch is written over the one before it."""
    rows = np.empty((min(batch_size, len(order)), images.shape[1]), images.dtype)
    x = np.empty(rows.shape, dtype)
    for start in range(0, len(order), batch_size):
        index = order[start : start + batch_size]
        np.take(images, index, axis=0, out=rows[: len(index)], mode="clip")  # "raise" would copy
        yield as_pixels(rows[: len(index)], dtype, out=x[: len(index)])
