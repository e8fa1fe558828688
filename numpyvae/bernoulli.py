"""The Bernoulli decoder: cross-entropy between pixels and logits, and its gradient."""

import numpy as np

from numpyvae.layers import sigmoid
from numpyvae.parameters import Array


def cross_entropy(
    logits: Array, x: Array, p: Array | None = None, scratch: Array | None = None
) -> Array:
    """−Σ (x log p + (1−x) log(1−p)) = Σ (softplus(l) − x l) over the pixels, in nats per image.

    logits l and pixels x in [0, 1] are (B, X); the result is (B,). For binary x it is
    −log p(x|z); for grey x it is a cross-entropy, whose floor is the entropy of x, not 0.

    Computed from p = σ(l), which the gradient needs too: one tanh serves both (give p if you
    have it). softplus(l) = log(1 + eˡ) = max(l, 0) − log q with q = max(p, 1−p) in [½, 1], which
    cannot overflow, and max(l, 0) − x l = ((l > 0) − x) l. `scratch` (B, X) is working space.
    """
    if p is None:
        p = sigmoid(logits)
    work: Array = np.subtract(1.0, p, out=scratch)
    np.maximum(work, p, out=work)
    log_q = np.log(work, out=work).sum(axis=1)
    np.greater(logits, 0.0, out=work)
    work -= x
    total: Array = np.vecdot(work, logits) - log_q
    return total


def cross_entropy_backward(
    logits: Array, x: Array, p: Array | None = None, out: Array | None = None
) -> Array:
    """dlogits = σ(l) − x,  (B, X): the gradient of each image's own cross-entropy."""
    return np.subtract(sigmoid(logits) if p is None else p, x, out=out)
