"""How a gradient moves the weights: RMSprop, and Adam."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from numpyvae.inputs import check_fraction, check_number
from numpyvae.parameters import Parameters

BLOCK = 65_536  # weights


class Optimizer(Protocol):
    """Anything with a step that reads `parameters.grad` and moves `parameters.value`."""

    parameters: Parameters

    def step(self) -> None:
        """One step downhill."""


@dataclass(eq=False)
class RMSprop:
    """s ← ρ s + (1−ρ) g²,   θ ← θ − η g / (√s + ε)

    g = ∂loss/∂θ, s a running mean of g², η the learning rate; ε stands outside the root.
    (Tieleman & Hinton 2012, lecture 6.5; ε and the defaults as in Keras 2.)

    After the matrix products this is what an epoch takes longest for, so: the mean is kept as
    S = s/(1−ρ), which saves a pass over the weights; blocks keep the working space in the cache;
    and a mean whose gradient is gone, decaying as ρᵗ, becomes 0 before it is subnormal, and slow.
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
        self._S = np.zeros_like(self.parameters.value)
        self._work = np.empty_like(self._S[:BLOCK])

    def step(self) -> None:
        """θ ← θ − η g / (√s + ε), after s ← ρ s + (1−ρ) g²."""
        root, least = (1.0 - self.rho) ** 0.5, 1e8 * np.finfo(self._S.dtype).tiny
        for start in range(0, self._S.size, BLOCK):
            block = slice(start, start + BLOCK)
            theta, g, S = self.parameters.value[block], self.parameters.grad[block], self._S[block]
            work = self._work[: S.size]
            S *= self.rho
            np.multiply(g, g, out=work)
            S += work
            np.sqrt(S, out=work)
            work += self.epsilon / root
            np.divide(g, work, out=work)
            work *= self.learning_rate / root
            theta -= work
            if self.t % 50 == 0:
                S *= S >= least
        self.t += 1


@dataclass(eq=False)
class Adam:
    """m ← β₁ m + (1−β₁) g,   s ← β₂ s + (1−β₂) g²,   θ ← θ − η m̂ / (√ŝ + ε)

    with m̂ = m / (1−β₁ᵗ) and ŝ = s / (1−β₂ᵗ), where t counts the steps from 1, not the epochs.
    (Kingma & Ba 2015, Adam, algorithm 1.)
    """

    parameters: Parameters
    learning_rate: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        self.learning_rate = check_number("learning_rate", self.learning_rate, positive=True)
        self.beta1 = check_fraction("beta1", self.beta1)
        self.beta2 = check_fraction("beta2", self.beta2)
        self.epsilon = check_number("epsilon", self.epsilon, positive=True)
        self.t = 0
        self.m, self.s, self._work = (np.zeros_like(self.parameters.value) for _ in range(3))

    def step(self) -> None:
        """θ ← θ − η m̂ / (√ŝ + ε), after the two running means."""
        g, work = self.parameters.grad, self._work
        self.t += 1
        self.m *= self.beta1
        self.m += np.multiply(g, 1.0 - self.beta1, out=work)
        self.s *= self.beta2
        np.multiply(g, g, out=work)
        self.s += np.multiply(work, 1.0 - self.beta2, out=work)
        np.multiply(self.s, 1.0 / (1.0 - self.beta2**self.t), out=work)
        np.sqrt(work, out=work)
        work += self.epsilon
        np.divide(self.m, work, out=work)
        work *= self.learning_rate / (1.0 - self.beta1**self.t)
        self.parameters.value -= work
