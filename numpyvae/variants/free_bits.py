"""Free bits: a VAE in which the first λ nats of each latent are free."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from numpyvae.core.latent import kl_per_latent
from numpyvae.core.trace import Loss, Trace
from numpyvae.core.vae import VAE
from numpyvae.support.inputs import check_number


@dataclass(frozen=True)
class FreeBitsLoss(Loss):
    """total = reconstruction + β Σ_j max(λ, KL_j), in nats per image; kl is the true Σ_j KL_j."""

    charged: Any = 0.0  # Σ_j max(λ, KL_j)

    def __str__(self) -> str:
        """As "14.49 = 8.49 + 6.00, KL 0.34"."""
        return f"{Loss(self.reconstruction, self.charged, self.beta)}, KL {float(self.kl):.2f}"

    @property
    def total(self) -> Any:
        """The quantity that training minimizes."""
        return self.reconstruction + self.beta * self.charged


class FreeBits(VAE):
    """loss = reconstruction + β Σ_j max(λ, KL_j),   KL_j the mean of latent j over the minibatch.

    Up to λ nats, a latent costs the same however much it says, so it is not switched off early in
    the training. (Kingma et al. 2016, Improved Variational Inference with Inverse Autoregressive
    Flow, appendix C.8, where λ belongs to a group of latents; here each latent is a group.)

    Parameters
    ----------
    hidden, latent, **options
        As for VAE.
    free_bits : float
        λ, in nats.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import FreeBits
    >>> vae = FreeBits(hidden=3, latent=2, image_shape=(2, 2), free_bits=0.5)
    >>> x = np.random.default_rng(0).random((5, 4))
    >>> loss = vae.loss(vae.forward(x, np.zeros((5, 2))))
    >>> bool(loss.charged >= 2 * 0.5)  # two latents
    True
    """

    CONFIG = (*VAE.CONFIG, "free_bits")

    def __init__(
        self,
        hidden: int | tuple[int, ...] = 256,
        latent: int = 2,
        *,
        free_bits: float = 0.5,
        **options: Any,
    ) -> None:
        self.free_bits = check_number("free_bits", free_bits)
        super().__init__(hidden, latent, **options)

    def loss(self, t: Trace) -> Loss:
        """mean over images of the reconstruction, + β Σ_j max(λ, KL_j), in nats per image."""
        plain, kl = super().loss(t), kl_per_latent(t.mu, t.logvar).mean(axis=0)
        charged = np.maximum(kl, self.free_bits).sum()
        return FreeBitsLoss(plain.reconstruction, plain.kl, self.beta, charged)

    def backward(self, t: Trace) -> Trace:
        """As in a VAE where β is 0 for latents with KL_j ≤ λ: there, max(λ, KL_j) has slope 0."""
        kl = kl_per_latent(t.mu, t.logvar).mean(axis=0)
        charged: Any = (kl > self.free_bits).astype(t.mu.dtype)
        vae = copy.copy(self)
        vae.beta = self.beta * charged  # (Z,)
        return super(FreeBits, vae).backward(t)
