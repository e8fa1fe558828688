"""Layers: the dense layer, and the activation functions.

Each backward function stands below its forward function. Given dy, the gradient of the output, it
returns that of the input. Nothing is kept in between: a dense layer is handed its input x again,
an activation its output y.
"""

from collections.abc import Callable

import numpy as np

from numpyvae.core.parameters import Parameters
from numpyvae.support.types import Array


class Dense:
    """y = x W + b,   x (B, n_in), W (n_in, n_out), b (n_out,), y (B, n_out)."""

    def __init__(self, parameters: Parameters, name: str) -> None:
        self.W, self.dW = parameters[f"W_{name}"], parameters.gradient(f"W_{name}")
        self.b, self.db = parameters[f"b_{name}"], parameters.gradient(f"b_{name}")

    def forward(self, x: Array) -> Array:
        """y = x W + b"""
        return x @ self.W + self.b

    def backward(self, x: Array, dy: Array) -> Array:
        """dW = xᵀ dy  and  db = Σ dy over the rows, both stored;  dx = dy Wᵀ, returned."""
        self.weights_backward(x, dy)
        return dy @ self.W.T

    def weights_backward(self, x: Array, dy: Array) -> None:
        """dW = xᵀ dy  and  db = Σ dy, stored; without dx, which a first layer does not need."""
        np.matmul(x.T, dy, out=self.dW)  # into the flat vector of all gradients
        np.sum(dy, axis=0, out=self.db)


def relu(a: Array) -> Array:
    """y = max(a, 0), entry by entry."""
    return np.maximum(a, 0.0)


def relu_backward(dy: Array, y: Array) -> Array:
    """da = dy where y > 0, else 0: max(a, 0) has slope 1 where a > 0, that is, where y > 0."""
    return dy * (y > 0.0)


def tanh_backward(dy: Array, y: Array) -> Array:
    """da = dy (1 − y²): the slope of y = tanh(a), in terms of y."""
    return dy * (1.0 - y * y)


ACTIVATIONS: dict[str, tuple[Callable[..., Array], Callable[..., Array]]]
ACTIVATIONS = {"relu": (relu, relu_backward), "tanh": (np.tanh, tanh_backward)}


def sigmoid(a: Array) -> Array:
    """σ(a) = ½ + ½ tanh(a/2) = 1 / (1 + e⁻ᵃ): cannot overflow. Small values have few digits."""
    return 0.5 + 0.5 * np.tanh(0.5 * a)
