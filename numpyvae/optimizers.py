"""How a gradient moves the weights: RMSprop, and Adam."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from numpyvae.inputs import check_fraction, check_number
from numpyvae.parameters import Parameters


class Optimizer(Protocol):
    """Anything with a step that reads `parameters.grad` and moves `parameters.value`."""

    def step(self) -> None:
        """One step downhill."""


class RMSprop:
    """s ← ρ s + (1−ρ) g²,   θ ← θ − η g / (√s + ε)

    g = ∂loss/∂θ, s a running mean of g², η the learning rate. ε stands outside the root.
    (Tieleman & Hinton 2012, Lecture 6.5; defaults and ε as in Keras 2.)
    """

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 1e-3,
        rho: float = 0.9,
        epsilon: float = 1e-7,
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, positive=True)
        self.rho = check_fraction("rho", rho)
        self.epsilon = check_number("epsilon", epsilon, positive=True)
        self.parameters = parameters
        self.s = np.zeros_like(parameters.value)
        self._work = np.empty_like(parameters.value)

    def step(self) -> None:
        """θ ← θ − η g / (√s + ε), after s ← ρ s + (1−ρ) g²."""
        theta, g, s, work = self.parameters.value, self.parameters.grad, self.s, self._work
        s *= self.rho
        np.multiply(g, g, out=work)
        work *= 1.0 - self.rho
        s += work
        np.sqrt(s, out=work)
        work += self.epsilon
        np.divide(g, work, out=work)
        work *= self.learning_rate
        theta -= work


class Adam:
    """m ← β₁ m + (1−β₁) g,   s ← β₂ s + (1−β₂) g²,   θ ← θ − η m̂ / (√ŝ + ε)

    with m̂ = m / (1−β₁ᵗ) and ŝ = s / (1−β₂ᵗ); t counts the steps from 1, not the epochs.
    (Kingma & Ba 2015, Adam, algorithm 1.)
    """

    def __init__(
        self,
        parameters: Parameters,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.learning_rate = check_number("learning_rate", learning_rate, positive=True)
        self.beta1, self.beta2 = check_fraction("beta1", beta1), check_fraction("beta2", beta2)
        self.epsilon = check_number("epsilon", epsilon, positive=True)
        self.parameters = parameters
        self.t = 0
        self.m = np.zeros_like(parameters.value)
        self.s = np.zeros_like(parameters.value)
        self._work = np.empty_like(parameters.value)

    def step(self) -> None:
        """θ ← θ − η m̂ / (√ŝ + ε), after the two running means."""
        theta, g, work = self.parameters.value, self.parameters.grad, self._work
        self.t += 1
        self.m *= self.beta1
        np.multiply(g, 1.0 - self.beta1, out=work)
        self.m += work
        self.s *= self.beta2
        np.multiply(g, g, out=work)
        work *= 1.0 - self.beta2
        self.s += work
        np.divide(self.s, 1.0 - self.beta2**self.t, out=work)
        np.sqrt(work, out=work)
        work += self.epsilon
        np.divide(self.m, work, out=work)
        work *= self.learning_rate / (1.0 - self.beta1**self.t)
        theta -= work
