"""Does a model compute its loss as evaluation does? Else every number here would be wrong."""

from __future__ import annotations

import numpy as np

from numpyvae.core.latent import kl_divergence
from numpyvae.core.vae import VAE
from numpyvae.support.types import Array

IMAGES = 20  # on which both are computed
CLOSE = 1e-4  # the tolerated relative difference; models are float32


def check_agreement(vae: VAE, x: Array) -> None:
    """Raise ValueError if the loss of `vae` is not finite, or not that of its likelihood and prior.

    A class may override `loss`, with other pixels or another prior in mind. But evaluation uses
    vae.likelihood, `encode`, `decode_logits` and the prior N(0, I). At z = μ + σ ε, for some ε, the
    loss of the model must be the one that follows from these, for images x (N, X). So must
    `all_costs` of the likelihood, which the evidence uses, be its `cost`.
    """
    x = x[:IMAGES]
    with np.errstate(all="ignore"):
        eps = np.linspace(-1.3, 0.9, vae.latent)  # the same for all draws of an IWAE
        loss = vae.loss(vae.forward(x, np.broadcast_to(eps, (len(x), *vae.eps_shape))))
        if not np.isfinite(loss.total):
            problem = "its loss is not finite; train it again with a lower learning rate"
            raise ValueError(f"vae: {problem}")
        mu, logvar = vae.encode(x)
        z = mu + np.exp(0.5 * logvar) * eps
        output = vae.decode_logits(z)
        costs = vae.likelihood.cost(output, x, vae.likelihood.mean(output))
        cost, others = costs.mean(), np.diag(vae.likelihood.all_costs(output, x))
        estimate = 0.5 * (z**2 - eps**2 - logvar).sum(axis=1).mean()  # log q(z|x) − log p(z)
        kls = (kl_divergence(mu, logvar).mean(), estimate)  # of a VAE, of an IWAE
    kind, name = type(vae).__name__, vae.likelihood.name or type(vae.likelihood).__name__
    if not _close(loss.reconstruction, cost, cost):
        problem = f"the reconstruction of {kind}.loss is not the cost of its likelihood, {name}"
        remedy = (
            f"give {kind} a likelihood of its own (numpyvae.Likelihood), and leave `loss` alone"
        )
        raise ValueError(f"vae: {problem}, which evaluation uses; {remedy}")
    if not np.allclose(others, costs, rtol=CLOSE, atol=CLOSE):
        problem = f"all_costs of its likelihood, {name}, is not what its cost gives"
        raise ValueError(f"vae: {problem}; override all_costs too, or inherit from Likelihood")
    rounding = 0.01 * abs(cost)  # the KL of an IWAE is a difference of numbers of this size
    if not any(_close(loss.kl, kl, abs(kl) + rounding) for kl in kls):
        problem = f"the KL of {kind}.loss is not that of N(mu, exp(logvar)) from the prior N(0, 1)"
        raise ValueError(f"vae: {problem}; evaluation knows no other prior and no other posterior")


def _close(a: float, b: float, scale: float) -> bool:
    return bool(abs(a - b) <= CLOSE * (abs(scale) + 1.0))
