"""GaussianVAE: a VAE of real-valued pixels."""

from __future__ import annotations

from typing import Any

from numpyvae.core.vae import VAE
from numpyvae.variants.gaussian import Gaussian


class GaussianVAE(VAE):
    """VAE(..., likelihood=Gaussian(sigma)): real-valued pixels; σ is learned if it is None."""

    CONFIG = (*(name for name in VAE.CONFIG if name != "likelihood"), "sigma")

    def __init__(
        self,
        hidden: int | tuple[int, ...] = 256,
        latent: int = 2,
        *,
        sigma: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(hidden, latent, likelihood=Gaussian(sigma), **options)
        self.sigma = None if sigma is None else float(sigma)
