"""IWAE: the importance-weighted auto-encoder, a VAE trained on a tighter bound."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from numpyvae.core.latent import reparameterize, reparameterize_backward
from numpyvae.core.trace import Loss, Trace
from numpyvae.core.vae import VAE
from numpyvae.data.minibatches import check_batch
from numpyvae.support.inputs import check_count
from numpyvae.support.logarithms import log_mean_exp
from numpyvae.support.types import Array

ROWS = 1_000  # of z to decode at a time, at most


class IWAETrace(Trace):
    """Every array of one pass, with k draws of z for each image: B k rows, image by image.

    eps is (B, k, Z) and z is (B k, Z). At most ROWS rows are decoded at a time, as a slice: g,
    logits, p and their gradients belong to the last such slice, `rows`. There is no dz.
    """

    rows: slice  # which these are
    cost: Array  # (B, k) −log p(x|z)
    log_w: Array  # (B, k)
    weights: Array  # (B, k) w / Σ w, the share of each draw


class IWAE(VAE):
    """loss = −log 1/k Σ w,   w = p(x|z) p(z) / q(z|x) for k draws z = μ + σ ε, in nats per image.

    In expectation over ε, −loss is a lower bound of log p(x). For k = 1 it is the ELBO, and it
    rises with k toward log p(x). (Burda, Grosse & Salakhutdinov 2016, Importance Weighted
    Autoencoders, eq. 8.)

    Parameters
    ----------
    hidden, latent, **options
        As for VAE, but for beta, which must be 1: with another one the loss is no longer a bound.
    k : int
        Draws of z for each image. The noise `eps` of a pass is (B, k, Z).

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import IWAE, fit
    >>> images = np.random.default_rng(0).random((200, 4))
    >>> vae = IWAE(hidden=3, latent=2, k=5, image_shape=(2, 2))
    >>> history = fit(vae, images, epochs=2)
    >>> vae.eps_shape
    (5, 2)
    """

    CONFIG = (*(name for name in VAE.CONFIG if name != "beta"), "k")

    def __init__(
        self, hidden: int | tuple[int, ...] = 256, latent: int = 2, *, k: int = 50, **options: Any
    ) -> None:
        self.k = check_count("k", k)
        super().__init__(hidden, latent, **options)
        self.eps_shape = (self.k, self.latent)
        self._check_beta()

    def forward(self, x: Array, eps: Array, target: Array | None = None) -> IWAETrace:
        """x → h → μ, logvar → z = μ + σ ε → g → logits → p → log w,  from z on k times per image

        x (B, X) are images, eps (B, k, Z) is noise from N(0, 1); target as for VAE.
        """
        self._check_beta()
        t = IWAETrace()
        t.x, t.eps, t.target = check_batch(self, x, eps, target)
        t.h, t.mu, t.logvar = self.encoder.forward(t.x)
        t.z = reparameterize(*self._repeated(t))
        cost = np.empty(len(t.z), t.z.dtype)
        for rows in self._slices(t):
            self._decode(t, rows)
            cost[rows] = self.likelihood.cost(t.logits, self._targets(t), t.p)
        t.cost = cost.reshape(len(t.x), self.k)
        # log p(z) − log q(z|x): the constants ½ log 2π of both cancel
        log_ratio = 0.5 * (t.eps**2 + t.logvar[:, None] - t.z.reshape(t.eps.shape) ** 2).sum(axis=2)
        t.log_w = log_ratio - t.cost
        t.weights = np.exp(t.log_w - log_mean_exp(t.log_w)[:, None]) / self.k
        return t

    def loss(self, t: Trace) -> Loss:
        """mean over images of −log 1/k Σ w, as the sum of two terms, in nats per image.

        The first, called reconstruction, is the mean of −log p(x|z), each draw with its share of
        the weight. The second, called kl, is the rest; for k = 1 it is log q(z|x) − log p(z).
        """
        assert isinstance(t, IWAETrace)
        total = -log_mean_exp(t.log_w).mean()
        reconstruction = (t.weights * t.cost).sum(axis=1).mean()
        return Loss(reconstruction, total - reconstruction)

    def backward(self, t: Trace) -> Trace:
        """∂loss/∂name of every weight, in parameters.grad, and of the arrays of the pass, in t.

        ∂loss/∂log w is −1/B times the share of each draw. Every slice is decoded again, except
        the one that is still in t. So the decoder takes the memory of one slice, for any B and k.
        """
        assert isinstance(t, IWAETrace)
        share = 1.0 / len(t.x)  # the weight of one image in the mean
        dlog_w = -share * t.weights.reshape(-1, 1)  # (B k, 1)

        grad, summed = self.parameters.grad, np.zeros_like(self.parameters.grad)
        dz = np.empty_like(t.z)
        slices = self._slices(t)
        for rows in reversed(slices):
            if rows != t.rows:
                self._decode(t, rows)
            t.dlogits = self.likelihood.cost_backward(
                t.logits, self._targets(t), t.p, -dlog_w[rows]
            )
            t.dg, dz[rows] = self.decoder.backward(t.z[rows], t.g, t.dlogits)
            summed += grad
        if len(slices) > 1:  # these are of one slice, not of the pass
            del t.dlogits, t.dg
        grad[:] = summed  # of the decoder and the likelihood; the encoder's part is written below
        dz -= dlog_w * t.z
        dmu, dlogvar = reparameterize_backward(dz, *self._repeated(t)[1:])
        t.dmu, t.dlogvar = (d.reshape(t.eps.shape).sum(axis=1) for d in (dmu, dlogvar))
        t.dlogvar -= 0.5 * share  # of ½ logvar in log w, whose shares add up to 1
        t.dh = self.encoder.backward(t.x, t.h, t.dmu, t.dlogvar)
        return t

    def _check_beta(self) -> None:
        if self.beta != 1.0:
            raise ValueError(f"beta: expected 1 for IWAE, got {self.beta!r}; train a VAE instead")

    def _repeated(self, t: IWAETrace) -> tuple[Array, Array, Array]:
        """μ, logvar and ε of every draw: (B k, Z) each."""
        mu, logvar = (np.repeat(array, self.k, axis=0) for array in (t.mu, t.logvar))
        return mu, logvar, t.eps.reshape(mu.shape)

    def _slices(self, t: IWAETrace) -> list[slice]:
        """Slices of about the same size, of at most ROWS, of the rows of z."""
        rows = len(t.z)
        size = ceil(rows / ceil(rows / ROWS))
        return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]

    def _targets(self, t: IWAETrace) -> Array:
        """The target of each row of the slice in t."""
        return t.target[np.arange(t.rows.start, t.rows.stop) // self.k]

    def _decode(self, t: IWAETrace, rows: slice) -> None:
        """Decode these rows, into g, logits and p; the slice that was there is freed before."""
        for name in ("g", "logits", "p", "dlogits"):
            vars(t).pop(name, None)
        t.rows = rows
        t.g, t.logits = self.decoder.forward(t.z[rows])
        t.p = self.likelihood.mean(t.logits)
