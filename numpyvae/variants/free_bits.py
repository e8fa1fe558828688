"""Free bits: a VAE whose latents each have some nats for nothing."""

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

    @property
    def total(self) -> Any:
        """The quantity that training minimizes."""
        return self.reconstruction + self.beta * self.charged


class FreeBits(VAE):
    """loss = reconstruction + β Σ_j max(λ, KL_j),   KL_j the mean of latent j over the minibatch.

    Below λ nats a latent costs the same whatever it says, so it is not switched off early in the
    training. The arguments are those of VAE and `free_bits`, λ. (Kingma et al. 2016, Improving
    Variational Inference with Inverse Autoregressive Flow, appendix C.8.)
    """

    def __init__(self, *sizes: Any, free_bits: float = 0.5, **options: Any) -> None:
        self.free_bits = check_number("free_bits", free_bits)
        super().__init__(*sizes, **options)

    def loss(self, t: Trace) -> Loss:
        """mean over images of the reconstruction, + β Σ_j max(λ, KL_j), in nats per image."""
        plain, kl = super().loss(t), kl_per_latent(t.mu, t.logvar).mean(axis=0)
        charged = np.maximum(kl, self.free_bits).sum()
        return FreeBitsLoss(plain.reconstruction, plain.kl, self.beta, charged)

    def backward(self, t: Trace) -> Trace:
        """As in a VAE where β is 0 for latents with KL_j ≤ λ: there, max(λ, KL_j) has slope 0."""
        kl = kl_per_latent(t.mu, t.logvar).mean(axis=0)
        vae, beta_of_latent = copy.copy(self), self.beta * (kl > self.free_bits)
        vae.beta = beta_of_latent  # (Z,)
        return super(FreeBits, vae).backward(t)

    def small_twin(self, rng: np.random.Generator, beta: float = 0.7, **options: Any) -> VAE:
        """A float64 model of the same depth, where some latents are above λ and some below."""
        return super().small_twin(rng, beta, free_bits=0.3, **options)
