"""Adam, the other optimizer."""

from dataclasses import dataclass, field

import numpy as np

from numpyvae.core.optimizers import Optimizer
from numpyvae.core.parameters import Parameters
from numpyvae.support.inputs import check_fraction, check_number


@dataclass(eq=False)
class Adam(Optimizer):
    """m ← β₁ m + (1−β₁) g,   s ← β₂ s + (1−β₂) g²,   θ ← θ − η m̂ / (√ŝ + ε)

    with m̂ = m / (1−β₁ᵗ) and ŝ = s / (1−β₂ᵗ), where t counts the steps from 1, not the epochs.
    (Kingma & Ba 2015, Adam, algorithm 1.)
    """

    parameters: Parameters = field(repr=False)
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
        """m ← β₁ m + (1−β₁) g,   s ← β₂ s + (1−β₂) g²,   θ ← θ − η m̂ / (√ŝ + ε)"""
        g, m, s, work = self.parameters.grad, self.m, self.s, self._work
        self.t += 1
        m *= self.beta1
        m += np.multiply(g, 1.0 - self.beta1, out=work)
        s *= self.beta2
        np.multiply(g, g, out=work)
        s += np.multiply(work, 1.0 - self.beta2, out=work)
        np.multiply(s, 1.0 / (1.0 - self.beta2**self.t), out=work)
        np.sqrt(work, out=work)
        work += self.epsilon
        np.divide(m, work, out=work)
        work *= self.learning_rate / (1.0 - self.beta1**self.t)
        self.parameters.value -= work
