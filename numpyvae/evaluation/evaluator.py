"""evaluate: all bounds, the evidence and the references, as an Evaluation."""

from __future__ import annotations

import warnings
from contextlib import suppress
from typing import TypedDict

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.latent import kl_per_latent
from numpyvae.core.vae import VAE
from numpyvae.data.images import pixels_for
from numpyvae.evaluation.aggregate import Aggregate, aggregate_posterior
from numpyvae.evaluation.agreement import check_agreement
from numpyvae.evaluation.bounds import active_units, elbo, importance_bound, log_weights
from numpyvae.evaluation.gaussians import gap_split
from numpyvae.evaluation.quadrature import (
    BORDER,
    Evidence,
    evidence,
    evidence_around,
    half_width_for,
    vae_log_likelihood,
)
from numpyvae.evaluation.references import reference_losses
from numpyvae.evaluation.table import AS, Evaluation
from numpyvae.support.inputs import check_choice, check_count, check_rng
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array, Progress

KS = (5, 50, 500)
DRAWS = 100  # of z for each image, for the ELBO
ABOVE = 2.0  # nats; if a bound lies so far above the evidence of an image, look closer
AROUND = ((8.0, 65), (16.0, 129), (32.0, 129))  # σ of q on each side, and nodes, one after another
SPACING = {1: 0.001, 2: 0.025}  # of that grid, for each number of latents


@blas_threads()
def evaluate(
    vae: VAE,
    images: ArrayLike,
    rng: np.random.Generator | int = 0,
    progress: Progress[int] = iter,
    gap_images: int = 150,
    train_images: ArrayLike | None = None,
) -> Evaluation:
    """ELBO ≤ importance-weighted bounds ≤ log p(x), and more, of a model on new images.

    Parameters
    ----------
    vae : VAE
    images : array_like, (N, X)
        Which the model was not trained on; at least two.
    rng : int or numpy.random.Generator
        Seed of the draws of z.
    progress : callable
        Wraps the long loops; pass tqdm to see a bar.
    gap_images : int
        The number of images for which the gap is split into its parts, with two latents.
    train_images : array_like, optional
        Those that the decoder has seen, whose codes make q(z); `images`, if not given.

    Returns
    -------
    Evaluation
        Print it, or see its fields: `elbo`, `bounds`, `evidence` (for one or two latents), `split`
        and `codes` (for two), `kl_per_latent`, `active`; arrays are in nats per image.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import VAE
    >>> from numpyvae.evaluation import evaluate
    >>> vae = VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> x = np.random.default_rng(0).random((5, 4))
    >>> result = evaluate(vae, x, gap_images=0)
    >>> list(result.ladder)
    ['ELBO', 'bound, k = 5', 'bound, k = 50', 'bound, k = 500', 'evidence']
    >>> bool(result.elbo.mean() < result.evidence.value.mean())
    True
    """
    rng = check_rng(rng)
    check_count("gap_images", gap_images, least=0)
    x = pixels_for(vae, "images", images)
    if len(x) < 2:
        raise ValueError("images: expected at least two, for a standard error, got one; pass more")
    check_agreement(vae, x)
    mu, logvar = q = _encoded(vae, x)
    reconstruction, kl = elbo(vae, x, rng, samples=DRAWS)
    log_w = log_weights(vae, x, max(KS), rng, progress)
    bounds = {k: importance_bound(log_w, k) for k in KS}
    found, split, codes = None, None, None
    if vae.latent <= 2:
        grid = _grid(*q)
        found = _evidence(vae, x, q, bounds[max(KS)], grid, progress)
    if vae.latent == 2:
        codes = _aggregate(vae, x if train_images is None else train_images)
        some = slice(gap_images)
        if gap_images:
            q = (mu[some], logvar[some])
            split = gap_split(vae_log_likelihood(vae, x[some]), q, **grid, progress=progress)
    return Evaluation(
        kind=check_choice("kind", vae.likelihood.kind(x), AS),
        pixels=x.shape[1],
        reconstruction=reconstruction,
        kl=kl,
        bounds=bounds,
        evidence=found,
        split=split,
        codes=codes,
        references={name: 0.0 - loss for name, loss in reference_losses(x, vae.likelihood).items()},
        kl_per_latent=kl_per_latent(mu, logvar).mean(axis=0),
        active=active_units(mu),
    )


class GridSize(TypedDict):
    """The arguments of a Grid."""

    nodes: int
    half_width: float


def _encoded(vae: VAE, images: ArrayLike) -> tuple[Array, Array]:
    """μ and log σ² of images, in float64."""
    mu, logvar = vae.encode(images)
    return mu.astype(np.float64), logvar.astype(np.float64)


def _grid(mu: Array, logvar: Array) -> GridSize:
    """A grid wide enough for the encoder's q, if that is possible."""
    half_width = half_width_for(mu, logvar, 6.0)
    nodes = 2 * round(half_width / SPACING[mu.shape[1]]) + 1
    return {"nodes": nodes, "half_width": half_width}


def _aggregate(vae: VAE, images: ArrayLike) -> Aggregate | None:
    """q(z) over these images; None if no grid holds it."""
    q = _encoded(vae, images)
    with suppress(ValueError):
        return aggregate_posterior(*q, **_grid(*q))
    return None


def _evidence(
    vae: VAE,
    x: Array,
    q: tuple[Array, Array],
    bound: Array,
    grid: GridSize,
    progress: Progress[int],
) -> Evidence:
    """The evidence of every image, on one grid of this size.

    Where that does not resolve q, or a bound lies well above its result, there is another
    grid around q; the larger result counts, because both leave out mass and add none.
    """
    log_likelihood = vae_log_likelihood(vae, x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # the table shows `outside`
        found = evidence(log_likelihood, vae.latent, q=q, **grid, progress=progress)
    assert found.gap is not None  # because q was given
    poor = np.isnan(found.gap) | (bound > found.value + ABOVE)
    for reach, nodes in AROUND:
        if poor.any():
            around = (q[0][poor], q[1][poor])
            near = evidence_around(
                vae, x[poor], around, reach=reach, nodes=nodes, progress=progress
            )
            found = found.or_better(near, np.flatnonzero(poor))
            poor &= (found.outside > BORDER) | (found.error > 0.1)
    return found
