"""How good is a model: the ELBO with its error, tighter bounds, and what each latent does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.bernoulli import cross_entropy
from numpyvae.gaussian import reparameterize
from numpyvae.images import check_pixels
from numpyvae.inputs import check_count
from numpyvae.parameters import Array
from numpyvae.vae import VAE

CHUNK = 5_000  # draws of z that are decoded at a time

# Every value here is in nats per image. With grey pixels "log p(x|z)" stands for minus the
# cross-entropy, which is no log-density; the bounds hold for it all the same (README).


def elbo(
    vae: VAE, images: ArrayLike, rng: np.random.Generator | int, samples: int = 1
) -> tuple[Array, Array]:
    """E_q[−log p(x|z)] and KL(q(z|x) ‖ p(z)), (N,) each: ELBO = −(reconstruction + KL).

    images (N, X). The expectation is a mean over `samples` draws of z from q; the KL is exact.
    Whatever vae.beta is, it does not enter: the ELBO bounds log p(x) only with a weight of 1.
    """
    check_count("samples", samples)
    rng = np.random.default_rng(rng)
    reconstruction, kl = [], []
    for x, mu, logvar in _encoded(vae, images, samples):
        eps = rng.standard_normal((samples, *mu.shape))  # (samples, n, Z): a pass for each sample
        z = reparameterize(mu, np.broadcast_to(logvar, eps.shape), eps).swapaxes(0, 1)
        reconstruction.append(-log_likelihood(vae, x, z).mean(axis=1))
        kl.append(kl_per_latent(mu, logvar).sum(axis=1))
    return np.concatenate(reconstruction), np.concatenate(kl)


def log_weights(
    vae: VAE,
    images: ArrayLike,
    samples: int,
    rng: np.random.Generator | int,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Array:
    """log w = log p(x|z) + log p(z) − log q(z|x) for `samples` draws of z from q: (N, samples).

    E_q[w] = p(x), so each weight is an unbiased estimate of p(x), if a noisy one.
    `progress` wraps the loop over the chunks; pass tqdm to see a bar.
    """
    check_count("samples", samples)
    rng = np.random.default_rng(rng)
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

    Its mean rises with k, from the ELBO at k = 1 towards log p(x). All K draws are used: the
    value is a mean over the K / k groups of k. (Burda, Grosse & Salakhutdinov 2016, eq. 8.)
    """
    count = log_w.shape[1]
    if check_count("k", k) > count or count % k:
        raise ValueError(f"k: expected a divisor of the {count} draws, got {k}")
    bound: Array = log_mean_exp(log_w.reshape(len(log_w), count // k, k)).mean(axis=1)
    return bound


def log_mean_exp(a: Array) -> Array:
    """log (mean eᵃ) along the last axis, without overflow: the largest a is taken out first."""
    largest = a.max(axis=-1, keepdims=True)
    value: Array = largest[..., 0] + np.log(np.exp(a - largest).mean(axis=-1))
    return value


def kl_per_latent(mu: Array, logvar: Array) -> Array:
    """½ (μ² + σ² − 1 − log σ²), (N, Z): the part of the KL that each latent has, in float64."""
    mu, logvar = mu.astype(np.float64), logvar.astype(np.float64)
    kl: Array = 0.5 * (mu**2 + np.exp(logvar) - 1.0 - logvar)
    return kl


def active_units(mu: Array, least: float = 0.01) -> Array:
    """Which latents tell images apart: the variance of μ over the images exceeds `least`. (Z,)

    mu (N, Z). (Burda, Grosse & Salakhutdinov 2016, section 5.2, with their 0.01.)
    """
    active: Array = mu.astype(np.float64).var(axis=0) > least
    return active


def mean_and_error(values: Array) -> tuple[float, float]:
    """The mean over the images and its standard error, s / √N, the images being a sample."""
    n = len(values)
    error = values.std(ddof=1) / n**0.5 if n > 1 else np.inf
    return float(values.mean()), float(error)


def log_likelihood(vae: VAE, x: Array, z: Array) -> Array:
    """log p(x|z) of image n at each of its own z: (N, K) for x (N, X), z (N, K, Z)."""
    count, draws, latent = z.shape
    logits = decoder_logits(vae, z.reshape(-1, latent)).reshape(count, draws, -1)
    minus = [cross_entropy(rows, np.broadcast_to(p, rows.shape)) for rows, p in zip(logits, x)]
    return -np.stack(minus).astype(np.float64)


def decoder_logits(vae: VAE, z: Array) -> Array:
    """The logits of the pixels, (M, X), at latents z (M, Z), in the dtype of the weights."""
    g = vae.decoder.forward(z.astype(vae.parameters.value.dtype, copy=False))
    return vae.output.forward(g[-1])


def _encoded(vae: VAE, images: ArrayLike, samples: int) -> Iterator[tuple[Array, Array, Array]]:
    """Chunks of images as pixels x, with their μ and log σ² in float64."""
    x = check_pixels("images", images, vae.image_shape, vae.parameters.value.dtype)
    step = max(1, CHUNK // samples)
    for start in range(0, len(x), step):
        chunk = x[start : start + step]
        mu, logvar = vae.encode(chunk)
        yield chunk, mu.astype(np.float64), logvar.astype(np.float64)
