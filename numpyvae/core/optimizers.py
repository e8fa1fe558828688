"""How a gradient moves the weights: RMSprop."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from numpyvae.core.parameters import Parameters
from numpyvae.support.inputs import check_fraction, check_number
from numpyvae.support.state import Stateful


class Optimizer(Stateful):
    """`step` moves `parameters.value` by `parameters.grad`; own numbers and arrays: `state()`."""

    parameters: Parameters
    learning_rate: float
    step: Callable[[], None]


@dataclass(eq=False)
class RMSprop(Optimizer):
    """s ← ρ s + (1−ρ) g²,   θ ← θ − η g / (√s + ε)

    g = ∂loss/∂θ, s a running mean of g², η the learning rate; ε stands outside the root.
    (Tieleman & Hinton 2012, lecture 6.5; ε and the defaults as in Keras 2.)
    """

    parameters: Parameters = field(repr=False)
    learning_rate: float = 1e-3
    rho: float = 0.9
    epsilon: float = 1e-7

    def __post_init__(self) -> None:
        self.learning_rate = check_number("learning_rate", self.learning_rate, positive=True)
        self.rho = check_fraction("rho", self.rho)
        self.epsilon = check_number("epsilon", self.epsilon, positive=True)
        self.t = 0
        self.s = np.zeros_like(self.parameters.value)
        self._work = np.empty_like(self.s)  # to allocate so much takes longer than a step

    def step(self) -> None:
        """s ← ρ s + (1−ρ) g²,   θ ← θ − η g / (√s + ε)"""
        theta, g, s, work = self.parameters.value, self.parameters.grad, self.s, self._work
        np.multiply(g, g, out=work)  # s ← ρ s + (1−ρ) g²
        work *= 1.0 - self.rho
        s *= self.rho
        s += work
        np.sqrt(s, out=work)  # θ ← θ − η g / (√s + ε)
        work += self.epsilon
        np.divide(g, work, out=work)
        work *= self.learning_rate
        theta -= work
        if self.t % 50 == 0:  # subnormal numbers, of weights long without a gradient, are slow
            s[s < 1e8 * np.finfo(s.dtype).tiny] = 0.0
        self.t += 1
