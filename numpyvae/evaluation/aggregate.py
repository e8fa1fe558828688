"""The aggregate posterior q(z): where the codes of all images lie, beside the prior."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from numpyvae.core.latent import kl_per_latent
from numpyvae.evaluation.quadrature import Grid, log_density, log_prior
from numpyvae.support.inputs import check_array
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array

OUTERMOST = 1.73  # the outermost code of pictures.manifold
CHUNK = 5_000  # images whose q are on the grid at a time


@dataclass(frozen=True)
class Aggregate:
    """q(z) = mean over N images of q(z|x), of two latents, on a square grid.

    images              N. With few images, q(z) is uneven, and more of the prior seems empty
    axis                (M,) the nodes of each axis
    q                   (M, M) q(z), z₁ along the first axis
    kl                  KL(q(z) ‖ p(z)), in nats: how far the codes are from the prior
    mutual_information  of images and codes, in nats: the mean of KL(q(z|x) ‖ p(z)) is the sum of
                        the two (Hoffman & Johnson 2016). At most log N.
    half, fifth         the prior's mass where q(z) is below a half, and a fifth, of p(z)
    outside             the share of images whose μ is outside ±1.73, which pictures.manifold shows
    """

    images: int
    axis: Array
    q: Array
    kl: float
    mutual_information: float
    half: float
    fifth: float
    outside: float

    @property
    def log_ratio(self) -> Array:
        """log q(z)/p(z), (M, M): above 0 where there are more codes than draws of the prior."""
        with np.errstate(divide="ignore"):
            return np.log(self.q) - _log_prior_on(self.axis)


def principal_plane(mu: Array) -> tuple[Array, Array, float]:
    """The plane through the codes μ (N, Z) that holds the most of their variance, Z ≥ 2.

    Returns the center (Z,), two orthogonal directions of length 1 (2, Z), and the share of the
    variance: the two principal components.
    """
    center = mu.mean(axis=0, dtype=np.float64)
    _, singular, directions = np.linalg.svd(mu - center, full_matrices=False)
    plane = np.eye(2, mu.shape[1])  # for a single image, which has one direction only
    plane[: len(directions)] = directions[:2]
    return center, plane, float((singular[:2] ** 2).sum() / max((singular**2).sum(), 1e-300))


@blas_threads()
def aggregate_posterior(
    mu: Array, logvar: Array, *, nodes: int = 401, half_width: float = 5.0
) -> Aggregate:
    """The Aggregate of the encoder's μ and log σ² (N, 2).

    q(z₁, z₂) = 1/N Σ N(z₁; μ₁, σ₁²) N(z₂; μ₂, σ₂²) is a product of two matrices, because each
    q(z|x) has independent latents. Raises ValueError if the grid does not hold q(z): codes beyond
    it, or standard deviations below its spacing.
    """
    mu = check_array("mu", mu, (-1, 2), np.float64)
    logvar = check_array("logvar", logvar, mu.shape, np.float64)
    grid = Grid(2, nodes, half_width)
    axis, cell, q = grid.axis, np.exp(grid.log_cell), np.zeros((nodes, nodes))
    for start in range(0, len(mu), CHUNK):
        some = slice(start, start + CHUNK)
        first, second = (
            np.exp(log_density(axis[:, None], (mu[some, [i]], logvar[some, [i]]))) for i in (0, 1)
        )
        q += first @ second.T / len(mu)
    if abs(q.sum() * cell - 1.0) > 1e-3:
        held = f"{100.0 * q.sum() * cell:.1f} % of it"
        raise ValueError(f"half_width: the grid holds {held}; take a wider or a finer one")
    log_p = _log_prior_on(axis)
    prior = np.exp(log_p) * cell
    kl = float(np.sum(q * (np.log(np.maximum(q, 1e-300)) - log_p)) * cell)
    ratio = q / np.exp(log_p)
    return Aggregate(
        images=len(mu),
        axis=axis,
        q=q,
        kl=kl,
        mutual_information=float(kl_per_latent(mu, logvar).sum(axis=1).mean()) - kl,
        half=float(prior[ratio < 0.5].sum()),
        fifth=float(prior[ratio < 0.2].sum()),
        outside=float((np.abs(mu) > OUTERMOST).any(axis=1).mean()),
    )


def _log_prior_on(axis: Array) -> Array:
    """log N(z; 0, I) on the square grid, (M, M)."""
    line = log_prior(axis[:, None])
    return line[:, None] + line
