"""Layers, and the networks made of them. No layer stores its input; it is passed to backward.

`out=` means what it means in NumPy: write the result into that array. Else it is a new array.
"""

from itertools import pairwise
from typing import Any

import numpy as np

from numpyvae.core.parameters import Parameters
from numpyvae.support.inputs import check_choice
from numpyvae.support.types import NOT_YET, Array, Arrays, Maybe


class Dense:
    """y = x W + b,   x (B, n_in), W (n_in, n_out), b (n_out,), y (B, n_out)."""

    def __init__(self, parameters: Parameters, name: str) -> None:
        self.W, self.dW = parameters[f"W_{name}"], parameters.gradient(f"W_{name}")
        self.b, self.db = parameters[f"b_{name}"], parameters.gradient(f"b_{name}")

    def forward(self, x: Array, out: Maybe = None) -> Array:
        """y = x W + b"""
        y = np.matmul(x, self.W, out=out)
        y += self.b
        return y

    def backward(self, x: Array, dy: Array, out: Maybe = None, need_dx: bool = True) -> Array:
        """dW = xᵀ dy  and  db = Σ dy over the rows, both written;  dx = dy Wᵀ, returned.

        Without `need_dx`, dx is not computed: the first layer's dx is never used.
        """
        np.matmul(x.T, dy, out=self.dW)
        np.sum(dy, axis=0, out=self.db)
        return np.matmul(dy, self.W.T, out=out) if need_dx else NOT_YET

    def initialize(self, rng: np.random.Generator) -> None:
        """W ~ Uniform(±√(6 / (n_in + n_out))), b = 0   (Glorot & Bengio 2010, eq. 16)"""
        limit = (6.0 / sum(self.W.shape)) ** 0.5
        self.W[:] = rng.uniform(-limit, limit, self.W.shape)
        self.b[:] = 0.0


def relu(a: Array, out: Maybe = None) -> Array:
    """y = max(a, 0), entry by entry."""
    return np.maximum(a, 0.0, out=out)


def relu_backward(dy: Array, y: Array, out: Maybe = None) -> Array:
    """da = dy where y > 0, else 0: max(a, 0) has slope 1 where a > 0, that is, where y > 0."""
    slope = np.greater(y, 0.0, out=np.empty_like(dy) if out is None else out)  # 1.0 or 0.0
    return np.multiply(dy, slope, out=slope)


def tanh_backward(dy: Array, y: Array, out: Maybe = None) -> Array:
    """da = dy (1 − y²): the slope of y = tanh(a), in terms of y."""
    da = np.multiply(y, y, out=out)
    np.subtract(1.0, da, out=da)
    return np.multiply(da, dy, out=da)


ACTIVATIONS: Any = {"relu": (relu, relu_backward), "tanh": (np.tanh, tanh_backward)}


class Hidden:
    """y₁ = φ(x W₁ + b₁),  y₂ = φ(y₁ W₂ + b₂),  …: dense layers, an activation φ after each.

    Arrays come in lists, one per layer, in the order of the forward pass: y the outputs,
    dy = ∂loss/∂y, da = ∂loss/∂a where y = φ(a). An entry may be None; it is then allocated.
    """

    def __init__(self, parameters: Parameters, names: list[str], activation: str = "relu") -> None:
        self.layers = [Dense(parameters, name) for name in names]
        check_choice("activation", activation, ACTIVATIONS)
        self.activation, self.activation_backward = ACTIVATIONS[activation]

    def forward(self, x: Array, out: Arrays | None = None) -> Arrays:
        """All outputs [y₁, y₂, …]; the last one feeds the next part of the network."""
        y: Arrays = []
        for i, layer in enumerate(self.layers):
            a = layer.forward(y[i - 1] if i else x, out=out[i] if out else None)
            y.append(self.activation(a, out=a))
        return y

    def backward(
        self, x: Array, y: Arrays, dy: Arrays, da: Arrays, out: Maybe, need_dx: bool = True
    ) -> Array:
        """Given dy[-1], write da, the rest of dy and every dW and db; return dx."""
        for i in range(len(self.layers) - 1, 0, -1):
            da[i] = self.activation_backward(dy[i], y[i], out=da[i])
            dy[i - 1] = self.layers[i].backward(y[i - 1], da[i], out=dy[i - 1])
        da[0] = self.activation_backward(dy[0], y[0], out=da[0])
        return self.layers[0].backward(x, da[0], out, need_dx)


def sigmoid(a: Array, out: Maybe = None) -> Array:
    """σ(a) = 1 / (1 + e⁻ᵃ) = ½ + ½ tanh(a/2), entry by entry. The last form cannot overflow.

    Its absolute error is small, its relative error is not: it is rounded to 0 for very negative a,
    so never take its logarithm.
    """
    p = np.multiply(a, 0.5, out=out)
    np.tanh(p, out=p)
    p *= 0.5
    p += 0.5
    return p


class Encoder:
    """The layers of q(z|x): hidden ones, then one for μ and one for log σ². See VAE.forward."""

    def __init__(self, parameters: Parameters, depth: int, activation: str) -> None:
        self.hidden = Hidden(parameters, [f"h{i + 1}" for i in range(depth)], activation)
        self.mu, self.logvar = Dense(parameters, "mu"), Dense(parameters, "logvar")
        self.layers = (*self.hidden.layers, self.mu, self.logvar)


class Decoder:
    """The layers of p(x|z): hidden ones, then one for the logits. See VAE.forward."""

    def __init__(self, parameters: Parameters, depth: int, activation: str) -> None:
        self.hidden = Hidden(parameters, [f"g{i + 1}" for i in range(depth)], activation)
        self.output = Dense(parameters, "out")
        self.layers = (*self.hidden.layers, self.output)


def weight_shapes(pixels: int, hidden: tuple[int, ...], latent: int) -> dict[str, tuple[int, ...]]:
    """The name and shape of every weight of encoder and decoder, in the order of the pass."""
    down, up = (pixels, *hidden), (latent, *hidden[::-1])
    sizes = {f"h{i}": pair for i, pair in enumerate(pairwise(down), start=1)}
    sizes |= {"mu": (down[-1], latent), "logvar": (down[-1], latent)}
    sizes |= {f"g{i}": pair for i, pair in enumerate(pairwise(up), start=1)}
    sizes["out"] = (up[-1], pixels)
    pairs = [((f"W_{name}", (m, n)), (f"b_{name}", (n,))) for name, (m, n) in sizes.items()]
    return {name: shape for pair in pairs for name, shape in pair}
