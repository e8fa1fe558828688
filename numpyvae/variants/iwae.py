"""IWAE: the importance-weighted auto-encoder, a VAE trained on a tighter bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from numpyvae.core.bernoulli import cross_entropy, cross_entropy_backward
from numpyvae.core.latent import reparameterize, reparameterize_backward
from numpyvae.core.layers import sigmoid
from numpyvae.core.trace import Loss, Trace
from numpyvae.core.vae import VAE
from numpyvae.evaluation.bounds import log_mean_exp
from numpyvae.support.inputs import check_array, check_count
from numpyvae.support.types import NOT_YET, Array, Maybe

ROWS = 1_000  # of z to decode at a time, at most


@dataclass(eq=False)
class IWAETrace(Trace):
    """Every array of one pass, with k draws of z for each image: B k rows, image by image.

    eps is (B, k, Z) and z is (B k, Z). At most ROWS rows are decoded at a time, as a slice; g,
    logits and p are those of the last one. Their gradients are here if there is only one.
    """

    rows: Any = NOT_YET  # the slice
    cross_entropy: Array = NOT_YET  # (B, k) −log p(x|z)
    log_w: Array = NOT_YET  # (B, k)
    weights: Array = NOT_YET  # (B, k) w / Σ w, the share of each draw


class IWAE(VAE):
    """loss = −log 1/k Σ w,   w = p(x|z) p(z) / q(z|x) for k draws z = μ + σ ε, in nats per image.

    In expectation over ε, −loss is a lower bound of log p(x): for k = 1 it is the ELBO, and it
    rises with k toward log p(x). The arguments are those of VAE, and `k`. β is 1, because with
    another one the loss would bound nothing.
    (Burda, Grosse & Salakhutdinov 2016, Importance Weighted Autoencoders, eq. 8.)
    """

    def __init__(
        self,
        hidden: int | tuple[int, ...] = 256,
        latent: int = 2,
        *,
        k: int = 50,
        activation: str = "relu",
        beta: float = 1.0,
        image_shape: tuple[int, ...] = (28, 28),
        rng: np.random.Generator | int = 0,
    ) -> None:
        self.k = check_count("k", k)
        shape: Any = {"activation": activation, "image_shape": image_shape}
        super().__init__(hidden, latent, beta=beta, rng=rng, **shape)
        self.eps_shape = (self.k, self.latent)
        self._check_beta()

    def forward(
        self, x: Array, eps: Array, target: Maybe = None, out: Trace | None = None
    ) -> IWAETrace:
        """x → h → μ, logvar → z = μ + σ ε → g → logits → p → log w,  k times from z on

        x (B, X) are images, eps (B, k, Z) is noise from N(0, 1); target and `out` as for VAE.
        """
        self._check_beta()
        t = out if isinstance(out, IWAETrace) else IWAETrace(depth=len(self.hidden))
        t.x = self._pixels("x", x)
        t.target = t.x if target is None else self._pixels("target", target)
        if t.target.shape != t.x.shape:
            raise ValueError(f"target: expected shape {t.x.shape} as x, got {t.target.shape}")
        t.eps = check_array("eps", eps, (len(t.x), *self.eps_shape), t.x.dtype)

        t.h = self.encoder.hidden.forward(t.x, out=t.h)
        t.mu = self.encoder.mu.forward(t.h[-1], out=t.mu)
        t.logvar = self.encoder.logvar.forward(t.h[-1], out=t.logvar)
        t.z = reparameterize(*self._draws(t), out=t.z)
        t.cross_entropy = np.empty(len(t.z), t.z.dtype)
        for rows in self._slices(t):
            self._decode(t, rows)
            t.cross_entropy[rows] = cross_entropy(t.logits, self._targets(t), t.p, t.scratch)
        t.cross_entropy = t.cross_entropy.reshape(len(t.x), self.k)
        # log p(z) − log q(z|x): the constants ½ log 2π of both cancel
        log_ratio = 0.5 * (t.eps**2 + t.logvar[:, None] - t.z.reshape(t.eps.shape) ** 2).sum(axis=2)
        t.log_w = log_ratio - t.cross_entropy
        t.weights = np.exp(t.log_w - log_mean_exp(t.log_w)[:, None]) / self.k
        return t

    def loss(self, t: Trace) -> Loss:
        """mean over images of −log 1/k Σ w, as the sum of two terms, in nats per image.

        The first, called reconstruction, is the mean of −log p(x|z), each draw with its share of
        the weight. The second, called kl, is the rest; for k = 1 it is log q(z|x) − log p(z).
        """
        assert isinstance(t, IWAETrace)
        total = -log_mean_exp(t.log_w).mean()
        reconstruction = (t.weights * t.cross_entropy).sum(axis=1).mean()
        return Loss(reconstruction, total - reconstruction)

    def backward(self, t: Trace) -> Trace:
        """∂loss/∂name of every weight, in parameters.grad, and of the arrays of the pass, in t.

        ∂loss/∂log w is −1/B times the share of each draw. Every slice is decoded again, except
        the one that is still in t. So the decoder takes the memory of one slice, for any B and k.
        """
        assert isinstance(t, IWAETrace)
        share = 1.0 / len(t.x)  # the weight of one image in the mean
        dlog_w = -share * t.weights.reshape(-1, 1)  # (B k, 1)

        grad, decoder_grad = self.parameters.grad, np.zeros_like(self.parameters.grad)
        dz = np.empty_like(t.z)
        slices = self._slices(t)
        for rows in reversed(slices):
            if rows != t.rows:
                self._decode(t, rows)
            t.dlogits = cross_entropy_backward(t.logits, self._targets(t), t.p, out=t.dlogits)
            t.dlogits *= -dlog_w[rows]
            t.dg[-1] = self.decoder.output.backward(t.g[-1], t.dlogits, out=t.dg[-1])
            self.decoder.hidden.backward(t.z[rows], t.g, t.dg, t.da_g, out=dz[rows])
            decoder_grad += grad
        if len(slices) > 1:  # these are of one slice, not of the pass
            t.dlogits = NOT_YET
            t.dg, t.da_g = ([NOT_YET] * len(self.hidden) for _ in range(2))
        grad[:] = decoder_grad  # the encoder's part of it is written below
        dz -= dlog_w * t.z
        dmu, dlogvar = reparameterize_backward(dz, *self._draws(t)[1:])
        t.dmu, t.dlogvar = (d.reshape(t.eps.shape).sum(axis=1) for d in (dmu, dlogvar))
        t.dlogvar -= 0.5 * share  # of ½ logvar in log w, whose shares add up to 1
        t.dh_logvar = self.encoder.logvar.backward(t.h[-1], t.dlogvar, out=t.dh_logvar)
        t.dh[-1] = self.encoder.mu.backward(t.h[-1], t.dmu, out=t.dh[-1])
        t.dh[-1] += t.dh_logvar  # h feeds both mu and logvar, so their gradients add
        self.encoder.hidden.backward(t.x, t.h, t.dh, t.da_h, out=None, need_dx=False)
        return t

    def small_twin(self, rng: np.random.Generator, beta: float = 1.0, **options: Any) -> VAE:
        """A float64 IWAE of the same depth, with random weights; its sizes all differ."""
        return super().small_twin(rng, beta, **{"k": 4} | options)

    def _check_beta(self) -> None:
        if self.beta != 1.0:
            raise ValueError(f"beta: expected 1 for IWAE, got {self.beta!r}; train a VAE instead")

    def _draws(self, t: IWAETrace) -> tuple[Array, Array, Array]:
        """μ, logvar and ε of every draw: (B k, Z) each."""
        mu, logvar = (np.repeat(array, self.k, axis=0) for array in (t.mu, t.logvar))
        return mu, logvar, t.eps.reshape(mu.shape)

    def _slices(self, t: IWAETrace) -> list[slice]:
        """Slices of about the same size, of at most ROWS, of the rows of z."""
        rows = len(t.z)
        size = -(-rows // -(-rows // ROWS))
        return [slice(start, min(start + size, rows)) for start in range(0, rows, size)]

    def _targets(self, t: IWAETrace) -> Array:
        """The target of each row of the slice in t."""
        return t.target[np.arange(t.rows.start, t.rows.stop) // self.k]

    def _decode(self, t: IWAETrace, rows: slice) -> None:
        """Write g, logits and p of these rows."""
        if t.p is not NOT_YET and len(t.p) != rows.stop - rows.start:  # the last may be smaller
            for name in ("logits", "p", "dlogits", "scratch"):
                setattr(t, name, NOT_YET)
            t.g, t.dg, t.da_g = ([NOT_YET] * len(self.hidden) for _ in range(3))
        t.rows = rows
        t.g = self.decoder.hidden.forward(t.z[rows], out=t.g)
        t.logits = self.decoder.output.forward(t.g[-1], out=t.logits)
        t.p = sigmoid(t.logits, out=t.p)
        t.scratch = np.empty((2, *t.p.shape), t.p.dtype) if t.scratch is NOT_YET else t.scratch
