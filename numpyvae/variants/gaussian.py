"""The Gaussian likelihood: real-valued pixels, with a standard deviation given or learned."""

from math import e, inf, log, pi

import numpy as np

from numpyvae.core.bernoulli import Likelihood
from numpyvae.support.inputs import check_number
from numpyvae.support.types import Array


class Gaussian(Likelihood):
    """p(x|z) = N(x; mean, σ²),  mean = the decoder's output, one σ for all pixels and images.

    σ is `sigma`; if that is None, log σ is a weight, log_sigma, and learned. With a fixed σ the
    cost is the squared error / 2σ², plus a constant: to train on a squared error is to choose a σ.
    """

    name, CONFIG = "gaussian", ("sigma",)
    lowest, highest = -inf, inf

    def __init__(self, sigma: float | None = None) -> None:
        self.sigma = None if sigma is None else check_number("sigma", sigma, positive=True)
        self.weight_shapes = {"log_sigma": (1,)} if self.sigma is None else {}
        self.log_sigma: Array | float
        if self.sigma is not None:  # else they are weights, once there is a model
            self.log_sigma, self.dlog_sigma = log(self.sigma), np.zeros(1)

    def mean(self, output: Array) -> Array:
        """mean = output"""
        return output

    def cost(self, output: Array, x: Array, mean: Array) -> Array:
        """Σ (½ u² + log σ + ½ log 2π) over the pixels,  u = (x − mean) / σ."""
        u = (x - mean) * e**-self.log_sigma  # np.exp of a Python float would be a float64
        return (0.5 * u * u + self.log_sigma + 0.5 * log(2.0 * pi)).sum(axis=1)

    def cost_backward(self, output: Array, x: Array, mean: Array, dcost: float | Array) -> Array:
        """doutput = −u / σ · dcost;  dlog_sigma = Σ (1 − u²) dcost."""
        u = (x - mean) * e**-self.log_sigma
        self.dlog_sigma[:] = ((1.0 - u * u) * dcost).sum()
        return -u * e**-self.log_sigma * dcost

    def kind(self, x: Array) -> str:
        """A density."""
        return "density"

    def sample(self, output: Array, rng: np.random.Generator) -> Array:
        """mean + σ ε"""
        return output + e**self.log_sigma * rng.standard_normal(output.shape, output.dtype)

    def all_costs(self, output: Array, x: Array) -> Array:
        """‖x − mean‖² = ‖x‖² + ‖mean‖² − 2 x·mean: one matrix product for all, in float64."""
        m, x = output.astype(np.float64), x.astype(np.float64)
        zero = np.zeros((1, x.shape[1]))
        apart = (
            self.cost(m, zero, m)[:, None] + self.cost(zero, x, zero) - self.cost(zero, zero, zero)
        )
        return apart - (m @ x.T) * e ** (-2.0 * self.log_sigma)
