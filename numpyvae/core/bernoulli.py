"""The Bernoulli likelihood: the cross-entropy between pixels and logits, and its gradient."""

from math import gcd

import numpy as np

from numpyvae.core.layers import sigmoid
from numpyvae.support.types import Array, Maybe


def cross_entropy(logits: Array, x: Array, p: Maybe = None, scratch: Maybe = None) -> Array:
    """−Σ (x log p + (1−x) log(1−p)) = Σ (softplus(l) − x l) over the pixels, in nats per image.

    logits l (B, X), pixels x in [0, 1] (B, X) → (B,). For binary x it is −log p(x|z); for grey x
    it is a cross-entropy, and its minimum is the entropy of x, not 0. `p` is σ(l), if known;
    `scratch` (2, B, X) is working space.

    How: loss and gradient share the one tanh in p. softplus(l) = log(1 + eˡ) = max(l, 0) − log q
    with q = max(p, 1−p) ≥ ½, so nothing overflows; and max(l, 0) − x l = ((l > 0) − x) l. One
    logarithm serves n ≤ 8 pixels, n a divisor of X: Σ log q = Σ log ∏ q, with ∏ q ≥ 2⁻ⁿ.
    """
    p = sigmoid(logits) if p is None else p
    work, spare = np.empty((2, *p.shape), p.dtype) if scratch is None else scratch
    np.subtract(1.0, p, out=work)
    np.maximum(work, p, out=work)
    (images, pixels), n = p.shape, gcd(8, p.shape[1])
    products = spare.reshape(n, images, pixels // n)[0]
    np.prod(work.reshape(images, n, pixels // n), axis=1, out=products)
    log_q = np.log(products, out=products).sum(axis=1)
    np.greater(logits, 0.0, out=work)
    work -= x
    return np.vecdot(work, logits) - log_q


def cross_entropy_backward(logits: Array, x: Array, p: Maybe = None, out: Maybe = None) -> Array:
    """dlogits = σ(l) − x,  (B, X): the gradient of the cross-entropy of each image."""
    return np.subtract(sigmoid(logits) if p is None else p, x, out=out)
