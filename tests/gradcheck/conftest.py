"""A loss and its gradients, as an engineer would write them elsewhere."""

import numpy as np
import pytest


@pytest.fixture
def logistic(rng):
    """A logistic regression: its loss and gradients, written without numpyvae."""
    x, y = rng.standard_normal((9, 4)), rng.integers(0, 2, 9)

    def loss(p):
        a = x @ p["w"] + p["b"]
        return np.mean(np.log(1.0 + np.exp(a)) - y * a)

    def grads(p):
        error = (1.0 / (1.0 + np.exp(-(x @ p["w"] + p["b"]))) - y) / len(y)
        return {"w": x.T @ error, "b": error.sum()}

    return loss, {"w": rng.standard_normal(4), "b": 0.3}, grads
