"""GaussianVAE: a VAE of real-valued pixels."""

from __future__ import annotations

from typing import Any

from numpyvae.core.vae import VAE
from numpyvae.variants.gaussian import Gaussian


class GaussianVAE(VAE):
    """VAE(..., likelihood=Gaussian(sigma)): a VAE of real-valued pixels.

    Parameters
    ----------
    hidden, latent, **options
        As for VAE, but for the likelihood.
    sigma : float, optional
        Standard deviation of every pixel; learned if it is None.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import GaussianVAE, fit
    >>> images = np.random.default_rng(0).normal(3.0, 2.0, (200, 4))
    >>> vae = GaussianVAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> history = fit(vae, images, epochs=2)
    >>> vae.parameters["log_sigma"].shape
    (1,)
    """

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
