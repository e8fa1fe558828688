"""The latent Gaussian: a draw from it, its KL divergence from the prior, and both gradients."""

import numpy as np

from numpyvae.support.types import Array


def reparameterize(mu: Array, logvar: Array, eps: Array) -> Array:
    """z = μ + σ ε,  σ = exp(logvar/2): a draw from N(μ, σ²) if ε is one from N(0, 1).

    All arrays are (B, Z). The randomness enters through ε, so z is a smooth function of μ and
    logvar and has derivatives (Kingma & Welling 2014, section 2.4).
    """
    return mu + np.exp(0.5 * logvar) * eps


def reparameterize_backward(dz: Array, logvar: Array, eps: Array) -> tuple[Array, Array]:
    """dmu = dz,  dlogvar = dz · ½ σ ε,  since ∂σ/∂logvar = ½ σ."""
    return dz.copy(), dz * 0.5 * np.exp(0.5 * logvar) * eps


def kl_divergence(mu: Array, logvar: Array) -> Array:
    """KL(N(μ, diag σ²) ‖ N(0, I)) = ½ Σ (μ² + σ² − 1 − log σ²) over the latents, in nats per image.

    mu, logvar (B, Z) → (B,). Never negative. (Kingma & Welling 2014, appendix B, sign reversed.)
    """
    return kl_per_latent(mu, logvar).sum(axis=1)


def kl_per_latent(mu: Array, logvar: Array) -> Array:
    """½ (μ² + σ² − 1 − log σ²): the KL divergence of each latent alone, (B, Z)."""
    return 0.5 * (mu * mu + (np.expm1(logvar) - logvar))  # expm1: near 0, σ² − 1 keeps its digits


def kl_backward(mu: Array, logvar: Array) -> tuple[Array, Array]:
    """dmu = μ,  dlogvar = ½ (σ² − 1): the gradient of the KL of each image, (B, Z) each."""
    return mu.copy(), 0.5 * (np.exp(logvar) - 1.0)
