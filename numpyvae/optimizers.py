"""How a gradient moves the weights: RMSprop, and Adam."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from numpyvae.inputs import check_fraction, check_number
from numpyvae.parameters import Array, Parameters


class Optimizer(Protocol):
    """Anything with a step that reads `parameters.grad` and moves `parameters.value`."""

    def step(self) -> None:
        """One step downhill."""


@dataclass(eq=False)
class RMSprop:
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
        self.s, self._work = (np.zeros_like(self.parameters.value) for _ in range(2))

    def step(self) -> None:
        """θ ← θ − η g / (√s + ε), after s ← ρ s + (1−ρ) g²."""
        g, work = self.parameters.grad, self._work
        np.multiply(g, g, out=work)
        average(self.s, work, self.rho)
        np.sqrt(self.s, out=work)
        work += self.epsilon
        np.divide(g, work, out=work)
        work *= self.learning_rate
        self.parameters.value -= work


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
        work[:] = g
        average(self.m, work, self.beta1)
        np.multiply(g, g, out=work)
        average(self.s, work, self.beta2)
        np.multiply(self.s, 1.0 / (1.0 - self.beta2**self.t), out=work)
        np.sqrt(work, out=work)
        work += self.epsilon
        np.divide(self.m, work, out=work)
        work *= self.learning_rate / (1.0 - self.beta1**self.t)
        self.parameters.value -= work


def average(mean: Array, new: Array, memory: float) -> None:
    """mean ← memory · mean + (1 − memory) · new, in place; `new` is used up."""
    mean *= memory
    new *= 1.0 - memory
    mean += new
