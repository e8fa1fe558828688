"""How a gradient moves the weights: RMSprop."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from numpyvae.core.parameters import Parameters
from numpyvae.support.inputs import check_fraction, check_number
from numpyvae.support.state import Stateful
from numpyvae.support.types import Array


class Optimizer(Stateful, ABC):
    """A rule for `step`. Its own numbers and arrays are its `state()`, for a continuation."""

    parameters: Parameters
    learning_rate: float

    @abstractmethod
    def step(self) -> None:
        """Read `parameters.grad` and move `parameters.value` one step downhill."""


def rmsprop(theta: Array, g: Array, s: Array, eta: float, rho: float, epsilon: float) -> None:
    """One step of RMSprop, in place, as in the textbook; `RMSprop.step` does the same faster."""
    s[:] = rho * s + (1.0 - rho) * g**2
    theta[:] = theta - eta * g / (np.sqrt(s) + epsilon)


@dataclass(eq=False)
class RMSprop(Optimizer):
    """s ← ρ s + (1−ρ) g²,   θ ← θ − η g / (√s + ε)

    g = ∂loss/∂θ, s a running mean of g², η the learning rate; ε stands outside the root.
    (Tieleman & Hinton 2012, lecture 6.5; ε and the defaults as in Keras 2.)
    """

    parameters: Parameters
    learning_rate: float = 1e-3
    rho: float = 0.9
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        self.learning_rate = check_number("learning_rate", self.learning_rate, positive=True)
        self.rho = check_fraction("rho", self.rho)
        self.epsilon = check_number("epsilon", self.epsilon, positive=True)
        self.t = 0
        self.S, self._work = (np.zeros_like(self.parameters.value) for _ in range(2))

    def step(self) -> None:
        """s ← ρ s + (1−ρ) g²,   θ ← θ − η g / (√s + ε)

        It stores S = s / (1−ρ), so √s = √(1−ρ) √S; this saves one pass over the weights. Every 50
        steps, tiny entries of S, which had no gradient for long, become 0: subnormals are slow.
        """
        theta, g, S, work = self.parameters.value, self.parameters.grad, self.S, self._work
        root = (1.0 - self.rho) ** 0.5
        S *= self.rho  # s ← ρ s + (1−ρ) g²
        S += np.multiply(g, g, out=work)
        np.sqrt(S, out=work)  # θ ← θ − η g / (√s + ε)
        work += self.epsilon / root
        np.divide(g, work, out=work)
        work *= self.learning_rate / root
        theta -= work
        if self.t % 50 == 0:
            S *= S >= 1e8 * np.finfo(S.dtype).tiny
        self.t += 1
