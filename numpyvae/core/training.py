"""Training: shuffled minibatches, a step downhill for each, and one Epoch at a time."""

import math
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.optimizers import Optimizer, RMSprop
from numpyvae.core.trace import Loss, Trace
from numpyvae.core.vae import VAE
from numpyvae.data.images import Pixels, check_images
from numpyvae.data.minibatches import Minibatch, Minibatches
from numpyvae.support.inputs import check_count, check_rng
from numpyvae.support.state import Stateful
from numpyvae.support.threads import blas_threads


@dataclass(frozen=True)
class Epoch:
    """Epoch `number` out of `epochs`: losses in nats per image, and seconds of training."""

    number: int
    epochs: int
    train: Loss
    test: Loss | None
    seconds: float

    def __str__(self) -> str:
        count = f"{self.number:{len(str(self.epochs))}}/{self.epochs}"
        test = "" if self.test is None else f"   test {self.test}"
        return f"epoch {count} {self.seconds:6.1f} s   train {self.train}{test}"


class Training(Stateful):
    """The epochs of a training, made by `train`: to iterate is to train.

    `state()` is all that a continuation needs: the number of epochs done, the weights, and the
    states of the optimizer and of the three random generators.
    """

    def __init__(self, epochs: int, optimizer: Optimizer, rng: Any, one_epoch: Any) -> None:
        self.epoch, self.weights, self.optimizer = 0, optimizer.parameters.value, optimizer
        self.shuffling, self.drawing, self.testing = check_rng(rng).spawn(3)
        self._epochs, self._one_epoch = epochs, one_epoch

    def __len__(self) -> int:
        return self._epochs - self.epoch

    def __iter__(self) -> Iterator[Epoch]:
        while self.epoch < self._epochs:
            before = self.state()
            try:
                epoch = self._one_epoch(self)
                self.epoch += 1
            except BaseException:
                self.restore(before)
                raise
            yield epoch


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
    threads: int = 1,
    rng: np.random.Generator | int = 0,
    resume_from: Mapping[str, Any] | None = None,
) -> Training:
    """Minimize the loss of `vae` on `images` (N, X): `for epoch in train(...)` does the work.

    test_images  held-out images; their loss (z sampled, as in training) is in each Epoch
    optimizer    RMSprop(vae.parameters) unless another is given
    pixels       "grey": x itself; "thresholded": x > ½; "dynamic": 1 with probability x, each time
    noise        standard deviation of Gaussian noise on the encoder's input; the decoder is
                 trained to restore the clean image (a denoising VAE)
    threads      of the matrix products; more than one pays only on an idle machine
    rng          a seed or a Generator; the same seed gives the same weights, with or without tests
    resume_from  `state()` of an earlier training with the same arguments, to continue it exactly

    After an epoch that does not complete, because of Ctrl-C or a loss that is not finite
    (FloatingPointError), all is as before it. Bad arguments raise ValueError at once.
    """
    x_train, x_test = check_images("images", images, vae.image_shape), None
    if test_images is not None:
        x_test = check_images("test_images", test_images, vae.image_shape)
    check_count("epochs", epochs)
    check_count("threads", threads)
    batches = Minibatches(batch_size, vae.eps_shape, pixels, noise, vae.parameters.value.dtype)
    optimizer = RMSprop(vae.parameters) if optimizer is None else optimizer
    if not isinstance(optimizer, Optimizer) or optimizer.parameters is not vae.parameters:
        raise ValueError("optimizer: expected one of this model, such as RMSprop(vae.parameters)")

    def one_epoch(of: Training) -> Epoch:
        started, number, test = time.perf_counter(), of.epoch + 1, None
        with blas_threads(threads):
            order = of.shuffling.permutation(len(x_train))
            loss = one_pass(vae, batches(x_train, order, of.drawing), number, optimizer)
            seconds = time.perf_counter() - started
            if x_test is not None:
                test = one_pass(vae, batches(x_test, np.arange(len(x_test)), of.testing), number)
        return Epoch(number, epochs, loss, test, seconds)

    training = Training(epochs, optimizer, rng, one_epoch)
    if resume_from is not None:
        training.restore(resume_from)
    return training


@np.errstate(over="ignore", invalid="ignore")  # every loss is checked instead
def one_pass(
    vae: VAE, batches: Iterable[Minibatch], epoch: int, optimizer: Optimizer | None = None
) -> Loss:
    """Pass over the minibatches once; with an optimizer, learn from each. The mean loss."""
    traces: dict[int, Trace] = {}  # one for each size of minibatch: the last may be smaller
    reconstruction = kl = images = 0.0  # sums over the images, in float64
    for step, (x, eps, target) in enumerate(batches, start=1):
        t = traces[len(x)] = vae.forward(x, eps, target, out=traces.get(len(x)))
        loss = vae.loss(t)
        if not math.isfinite(loss.total):
            where = f"epoch {epoch}, {'test batch' if optimizer is None else 'step'} {step}"
            kept = f"the weights of epoch {epoch - 1}" if epoch > 1 else "the initial weights"
            problem = f"{where}: the loss is not finite, {loss}; {kept} are kept"
            raise FloatingPointError(f"{problem}; lower the learning rate")
        if optimizer is not None:
            vae.backward(t)
            optimizer.step()
        reconstruction += len(x) * float(loss.reconstruction)
        kl += len(x) * float(loss.kl)
        images += len(x)
    return Loss(reconstruction / images, kl / images, vae.beta)
