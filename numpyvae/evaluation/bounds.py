"""The ELBO with its standard error, importance-weighted bounds, and active latents."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.latent import kl_divergence, reparameterize
from numpyvae.core.vae import VAE
from numpyvae.data.images import pixels_for
from numpyvae.evaluation.agreement import check_agreement
from numpyvae.support.inputs import check_count, check_rng
from numpyvae.support.logarithms import log_mean_exp
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array, Progress

CHUNK = 5_000  # draws of z to decode at a time

# Every value here is in nats per image. "log p(x|z)" is minus the cost of vae.likelihood; for grey
# pixels under a Bernoulli that is no log-density, but the bounds hold for it too (README).


@blas_threads()
def elbo(
    vae: VAE, images: ArrayLike, rng: np.random.Generator | int = 0, samples: int = 1
) -> tuple[Array, Array]:
    """ELBO = E_q[log p(x|z)] − KL(q(z|x) ‖ p(z)): minus both parts of it, for each image.

    The expectation is a mean over draws of z from q; the KL is exact. vae.beta is not used: the
    ELBO bounds log p(x) only if the KL has a weight of 1.

    Parameters
    ----------
    vae : VAE
    images : array_like, (N, X)
    rng : int or numpy.random.Generator
        Seed of the draws.
    samples : int
        Draws of z for each image.

    Returns
    -------
    reconstruction, kl : numpy.ndarray, (N,) each
        E_q[−log p(x|z)] and KL(q(z|x) ‖ p(z)), in nats. The ELBO is minus their sum.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import VAE
    >>> from numpyvae.evaluation import elbo
    >>> vae = VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> reconstruction, kl = elbo(vae, np.random.default_rng(0).random((5, 4)), samples=10)
    >>> reconstruction.shape, bool((kl >= 0).all())
    ((5,), True)
    """
    check_count("samples", samples)
    rng = check_rng(rng)
    reconstruction, kl = [], []
    for x, mu, logvar in _encoded(vae, images, samples):
        eps = rng.standard_normal((samples, *mu.shape))  # (samples, n, Z): a pass for each sample
        z = reparameterize(mu, np.broadcast_to(logvar, eps.shape), eps).swapaxes(0, 1)
        reconstruction.append(-log_likelihood(vae, x, z).mean(axis=1))
        kl.append(kl_divergence(mu, logvar))
    return np.concatenate(reconstruction), np.concatenate(kl)


@blas_threads()
def log_weights(
    vae: VAE,
    images: ArrayLike,
    samples: int,
    rng: np.random.Generator | int = 0,
    progress: Progress[int] = iter,
) -> Array:
    """log w = log p(x|z) + log p(z) − log q(z|x) for `samples` draws of z from q: (N, samples).

    E_q[w] = p(x), so each weight is an unbiased, but noisy, estimate of p(x). `progress` is a
    wrapper of the loop over the chunks; pass tqdm to see a bar.
    """
    check_count("samples", samples)
    rng = check_rng(rng)
    chunks = list(_encoded(vae, images, samples))
    found = []
    for i in progress(range(len(chunks))):
        x, mu, logvar = chunks[i]
        eps = rng.standard_normal((samples, *mu.shape))
        z = reparameterize(mu, np.broadcast_to(logvar, eps.shape), eps)
        # log p(z) − log q(z|x): the constants ½ log 2π of both cancel
        log_ratio = 0.5 * (eps**2 + logvar - z**2).sum(axis=2)
        found.append(log_likelihood(vae, x, z.swapaxes(0, 1)) + log_ratio.T)
    return np.concatenate(found)


def importance_bound(log_w: Array, k: int) -> Array:
    """log (1/k Σ w), the importance-weighted bound, (N,) for log weights (N, K), K a multiple of k.

    Its mean rises with k, from the ELBO at k = 1 toward log p(x). All K draws are used: the
    value is a mean over the K / k groups of k. If q misses much of the posterior, a few weights
    dominate and most draws lack them: then the value is often too low, and a standard error over
    the images, each with one group, does not show it. (Burda, Grosse & Salakhutdinov 2016, eq. 8.)
    """
    count = log_w.shape[1]
    if check_count("k", k) > count or count % k:
        raise ValueError(f"k: expected a divisor of the {count} draws, got {k}")
    return log_mean_exp(log_w.reshape(len(log_w), count // k, k)).mean(axis=1)


def active_units(mu: Array, least: float = 0.01) -> Array:
    """True for latents that distinguish images: the variance of μ over them exceeds `least`. (Z,)

    mu (N, Z). (Burda, Grosse & Salakhutdinov 2016, section 5.2, with their 0.01.)
    """
    return mu.astype(np.float64).var(axis=0) > least


def mean_and_error(values: Array) -> tuple[float, float]:
    """The mean over a sample of N images, and its standard error s / √N."""
    n = len(values)
    error = values.std(ddof=1) / n**0.5 if n > 1 else np.inf
    return float(values.mean()), float(error)


def log_likelihood(vae: VAE, x: Array, z: Array) -> Array:
    """log p(x|z) of image n at each of its own z: (N, K) for x (N, X), z (N, K, Z)."""
    count, draws, latent = z.shape
    output = vae.decode_logits(z.reshape(-1, latent)).reshape(count, draws, -1)
    cost = vae.likelihood.cost
    minus = [cost(rows, image[None], vae.likelihood.mean(rows)) for rows, image in zip(output, x)]
    return -np.stack(minus).astype(np.float64)


def _encoded(vae: VAE, images: ArrayLike, samples: int) -> Iterator[tuple[Array, Array, Array]]:
    """Chunks of images as pixels x, with their μ and log σ² in float64."""
    x = pixels_for(vae, "images", images)
    check_agreement(vae, x)
    step = max(1, CHUNK // samples)
    for start in range(0, len(x), step):
        chunk = x[start : start + step]
        mu, logvar = vae.encode(chunk)
        yield chunk, mu.astype(np.float64), logvar.astype(np.float64)
