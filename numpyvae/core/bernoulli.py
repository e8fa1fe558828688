"""The likelihood p(x|z): what the decoder's output says of the pixels. Here it is Bernoulli.

`Likelihood` is the base class of all of them. The rest of the library asks `vae.likelihood` alone,
so another one is one file: see numpyvae.variants.gaussian.
"""

import copy
from abc import ABC, abstractmethod

import numpy as np

from numpyvae.core.layers import sigmoid
from numpyvae.core.parameters import Parameters
from numpyvae.support.configured import Configured
from numpyvae.support.types import Array, Shapes


def cross_entropy(logits: Array, x: Array, p: Array) -> Array:
    """−Σ (x log p + (1−x) log(1−p)) = Σ (log(1 + eˡ) − x l) over the pixels, in nats per image.

    logits l, pixels x in [0, 1] and p = σ(l), all (B, X) → (B,). For binary x it is −log p(x|z);
    for grey x it is a cross-entropy, and its minimum is the entropy of x, not 0.
    log(1 + eˡ) = max(l, 0) − log max(p, 1−p) never takes the logarithm of a number below ½.
    """
    linear = np.vecdot((logits > 0.0) - x, logits)  # Σ (max(l, 0) − x l)
    return linear - np.log(np.maximum(p, 1.0 - p)).sum(axis=1)


def cross_entropy_backward(logits: Array, x: Array, p: Array, dcost: float | Array) -> Array:
    """dlogits = (p − x) dcost: the slope p (1−p) of σ cancels that in (p − x) / (p (1−p))."""
    return (p - x) * dcost


class Likelihood(Configured, ABC):
    """cost = −log p(x|z) of each image, and its gradient, as functions of the decoder's output."""

    name = ""  # in settings, files and errors
    lowest, highest = 0.0, 1.0  # the pixels that it accepts
    outputs = 1  # numbers that the decoder gives for each pixel
    weight_shapes: Shapes = {}  # noqa: RUF012  of weights of its own: {"log_sigma": (1,)}

    def connect(self, parameters: Parameters) -> "Likelihood":
        """A copy with its weights and their gradients, log_sigma and dlog_sigma, as views."""
        other = copy.copy(self)
        for name in self.weight_shapes:
            setattr(other, name, parameters[name])
            setattr(other, f"d{name}", parameters.gradient(name))
        return other

    @abstractmethod
    def mean(self, output: Array, /) -> Array:
        """The mean of every pixel, (B, X), for the decoder's output (B, outputs · X)."""

    @abstractmethod
    def cost(self, output: Array, x: Array, mean: Array, /) -> Array:
        """−log p(x|z) of each image, (B,), in nats. x is (B, X), or (1, X) for all rows."""

    @abstractmethod
    def cost_backward(self, output: Array, x: Array, mean: Array, dcost: float | Array, /) -> Array:
        """∂loss/∂output, given dcost, a number or (B, 1); gradients of own weights are stored."""

    @abstractmethod
    def kind(self, x: Array) -> str:
        """What exp(−cost) is for x: "probability", "density", or, if neither, "cross-entropy"."""

    @abstractmethod
    def sample(self, output: Array, rng: np.random.Generator) -> Array:
        """Pixels (B, X) drawn from p(x|z)."""

    def all_costs(self, output: Array, x: Array) -> Array:
        """The cost of every image (N, X) under every output (M, ·): (M, N). One by one, so slow."""
        mean = self.mean(output)
        return np.stack([self.cost(output, image[None], mean) for image in x], axis=1)


class Bernoulli(Likelihood):
    """p(x|z) = Π pˣ (1−p)¹⁻ˣ,  p = sigmoid(logits): a pixel is 1 with probability p, else 0."""

    name = "bernoulli"
    mean = staticmethod(sigmoid)
    cost = staticmethod(cross_entropy)
    cost_backward = staticmethod(cross_entropy_backward)

    def kind(self, x: Array) -> str:
        """A probability, if all pixels are 0 or 1; grey pixels have only a cross-entropy."""
        return "probability" if ((x == 0.0) | (x == 1.0)).all() else "cross-entropy"

    def sample(self, output: Array, rng: np.random.Generator) -> Array:
        """1 with probability p, else 0."""
        return (rng.random(output.shape) < sigmoid(output)).astype(output.dtype)

    def all_costs(self, output: Array, x: Array) -> Array:
        """Σ log(1 + eˡ) − l xᵀ: the cost of a black image, and one matrix product for all."""
        black = cross_entropy(output, np.zeros_like(output), sigmoid(output))
        return black[:, None] - output @ x.T


BERNOULLI = Bernoulli()
