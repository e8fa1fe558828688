"""Dense layers, ReLU and sigmoid. No layer remembers its input: backward is given what it needs.

`out=` is NumPy's: the result is written into that array, or without it into a new one.
"""

import numpy as np

from numpyvae.parameters import Array, Arrays, Parameters


class Dense:
    """y = x W + b,   x (B, n_in), W (n_in, n_out), b (n_out,), y (B, n_out)."""

    def __init__(self, parameters: Parameters, name: str) -> None:
        self.W, self.dW = parameters[f"W_{name}"], parameters.gradient(f"W_{name}")
        self.b, self.db = parameters[f"b_{name}"], parameters.gradient(f"b_{name}")

    def forward(self, x: Array, out: Array | None = None) -> Array:
        """y = x W + b"""
        y: Array = np.matmul(x, self.W, out=out)
        y += self.b
        return y

    def backward(self, x: Array, dy: Array, out: Array | None = None) -> Array:
        """dW = xᵀ dy  and  db = Σ dy over the rows, both written;  dx = dy Wᵀ, returned."""
        self.backward_weights(x, dy)
        return self.backward_input(dy, out)

    def backward_weights(self, x: Array, dy: Array) -> None:
        """dW and db alone: all that the first layer needs, for nobody asks for the images' dx."""
        np.matmul(x.T, dy, out=self.dW)
        np.sum(dy, axis=0, out=self.db)

    def backward_input(self, dy: Array, out: Array | None = None) -> Array:
        """dx alone."""
        return np.matmul(dy, self.W.T, out=out)

    def initialize(self, rng: np.random.Generator) -> None:
        """W ~ Uniform(±√(6 / (n_in + n_out))), b = 0   (Glorot & Bengio 2010, eq. 16)"""
        limit = (6.0 / sum(self.W.shape)) ** 0.5
        self.W[:] = rng.uniform(-limit, limit, self.W.shape)
        self.b[:] = 0.0


def relu(a: Array, out: Array | None = None) -> Array:
    """y = max(a, 0), entry by entry."""
    return np.maximum(a, 0.0, out=out)


def relu_backward(dy: Array, y: Array, out: Array | None = None) -> Array:
    """da = dy where y > 0, else 0: the slope of max(a, 0) is 1 or 0, and y > 0 just where a > 0."""
    slope: Array = np.greater(y, 0.0, out=np.empty_like(dy) if out is None else out)
    return np.multiply(dy, slope, out=slope)


class Hidden:
    """y₁ = relu(x W₁ + b₁),  y₂ = relu(y₁ W₂ + b₂),  …: dense layers with a ReLU after each.

    Arrays come in lists, one entry a layer, in the order of the forward pass: y the outputs,
    dy = ∂loss/∂y, da = ∂loss/∂a where y = relu(a). An entry may be None: still to be made.
    """

    def __init__(self, parameters: Parameters, names: list[str]) -> None:
        self.layers = [Dense(parameters, name) for name in names]

    def forward(self, x: Array, out: Arrays | None = None) -> Arrays:
        """All outputs [y₁, y₂, …]; the last one feeds what comes next."""
        y: Arrays = []
        for i, layer in enumerate(self.layers):
            a = layer.forward(y[i - 1] if i else x, out=out[i] if out else None)
            y.append(relu(a, out=a))
        return y

    def backward(self, x: Array, y: Arrays, dy: Arrays, da: Arrays, out: Array | None) -> Array:
        """Given dy[-1], write da, the rest of dy and every dW and db; return dx."""
        self.backward_weights(x, y, dy, da)
        return self.layers[0].backward_input(da[0], out)

    def backward_weights(self, x: Array, y: Arrays, dy: Arrays, da: Arrays) -> None:
        """The same without dx."""
        for i, layer in reversed(list(enumerate(self.layers))):
            da[i] = relu_backward(dy[i], y[i], out=da[i])
            layer.backward_weights(y[i - 1] if i else x, da[i])
            if i:
                dy[i - 1] = layer.backward_input(da[i], out=dy[i - 1])


def sigmoid(a: Array, out: Array | None = None) -> Array:
    """σ(a) = 1 / (1 + e⁻ᵃ) = ½ + ½ tanh(a/2), which cannot overflow, entry by entry.

    Accurate absolutely, not relatively: far to the left it is 0. Nobody takes its logarithm.
    """
    p: Array = np.multiply(a, 0.5, out=out)
    np.tanh(p, out=p)
    p *= 0.5
    p += 0.5
    return p
