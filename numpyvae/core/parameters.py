"""All weights of a model in one flat vector, and all their gradients in a second one."""

from collections.abc import Iterator
from math import prod

import numpy as np
from numpy.typing import DTypeLike

from numpyvae.support.tables import shape_table
from numpyvae.support.types import Array, Shapes


class Parameters:
    """θ = (W₁, b₁, W₂, …) in one vector `value` (P,), and ∂loss/∂θ in one vector `grad` (P,).

    Every weight is a *view* of `value`, every gradient a view of `grad`, so an optimizer works on
    one vector. Assign to a view in place (`W[:] = …`, `W -= …`); rebinding it (`W = W - …`)
    detaches it from the vector. `shapes` are in the order of the forward pass.
    """

    def __init__(self, shapes: Shapes, dtype: DTypeLike = np.float32) -> None:
        size = sum(prod(shape) for shape in shapes.values())
        self.shapes = dict(shapes)
        self.value: Array = np.zeros(size, dtype)
        self.grad: Array = np.zeros(size, dtype)
        self._views: dict[str, tuple[Array, Array]] = {}
        start = 0
        for name, shape in shapes.items():
            part = slice(start, start + prod(shape))
            self._views[name] = (self.value[part].reshape(shape), self.grad[part].reshape(shape))
            start = part.stop

    def initialize(self, rng: np.random.Generator) -> None:
        """W ~ Uniform(±√(6 / (n_in + n_out))), all else 0   (Glorot & Bengio 2010, eq. 16)"""
        self.value[:] = 0.0
        for name, shape in self.shapes.items():
            if len(shape) == 2:
                limit = (6.0 / sum(shape)) ** 0.5
                self[name][:] = rng.uniform(-limit, limit, shape)

    def __getitem__(self, name: str) -> Array:
        """The weight called `name`, as a view of `value`."""
        return self._views[name][0]

    def gradient(self, name: str) -> Array:
        """∂loss/∂`name`, as a view of `grad`, with the shape of the weight."""
        return self._views[name][1]

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __repr__(self) -> str:
        total = f"{'total':10} {'':12} {self.value.size:>10,}"
        return f"{shape_table({name: self[name] for name in self})}\n{total}"
