"""The best Gaussian for a true posterior, and the parts of the gap that it divides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from numpyvae.evaluation.quadrature import Grid, LogLikelihood, log_joint_on_grid
from numpyvae.support.inputs import check_array
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array, Progress

DROP = 40.0  # nats below the highest point; what lies lower is left out
REACH = 6.0  # standard deviations of the encoder's q that are kept
MODES = 3  # the highest ones, from which a search starts
TOGETHER = 50  # images whose grids are in memory at once


@dataclass(frozen=True)
class LatentGaussian:
    """N(mean, L Lᵀ) of two latents, and its KL from a posterior.

    mean   (2,)
    scale  (2, 2) L, lower triangular with a positive diagonal; diagonal if axis-parallel
    kl     KL(q ‖ posterior), in nats; NaN if the grid is too coarse for q
    """

    mean: Array
    scale: Array
    kl: float

    @property
    def covariance(self) -> Array:
        """L Lᵀ, (2, 2)."""
        return self.scale @ self.scale.T


@dataclass(frozen=True)
class GapSplit:
    """KL(q ‖ posterior) of N images for three q, each better than the one before, (N,) in nats.

    encoder   the encoder's q(z|x)
    parallel  the best Gaussian with axes parallel to the latents
    tilted    the best Gaussian

    NaN where the grid does not resolve one of them.
    """

    encoder: Array
    parallel: Array
    tilted: Array

    @property
    def amortization(self) -> Array:
        """The cost of one encoder for all images, instead of the best q for each."""
        return self.encoder - self.parallel

    @property
    def independence(self) -> Array:
        """The cost of latents that are independent in q."""
        return self.parallel - self.tilted

    @property
    def shape(self) -> Array:
        """The cost of a Gaussian: the KL that the best one keeps."""
        return self.tilted

    @property
    def held(self) -> Array:
        """True for the images whose Gaussians the grid resolves."""
        return np.isfinite(self.encoder + self.parallel + self.tilted)


def gaussian_kl(
    phi: Array, axes: tuple[Array, Array], log_posterior: Array, outside: float
) -> tuple[float, Array]:
    """KL(q ‖ p) = −H(q) − Σ q(z) (log p(z) − f) h₁ h₂ − f over a grid, and its gradient by φ.

    φ = (m₁, m₂, a, b, c):  z = m + L u,  L = [[eᵃ, 0], [c, eᵇ]],  u from N(0, 1).
    f = `outside` stands for log p outside the grid: else a q beyond it would seem good.
    H(q) = log 2πe + a + b. With log q = −½ |u|² − a − b − log 2π, the gradient of the sum is
    Σ q (log p − f) h₁ h₂ · ∂log q/∂φ, where
    ∂/∂m₂ = u₂ / eᵇ,   ∂/∂m₁ = (u₁ − c u₂ / eᵇ) / eᵃ,   ∂/∂b = u₂² − 1,   ∂/∂c = u₁ u₂ / eᵇ,
    ∂/∂a = u₁² − 1 − c u₁ u₂ / eᵇ.

    axes           (M₁,) and (M₂,) equidistant nodes
    log_posterior  (M₁, M₂) log p(z|x)
    """
    m1, m2, a, b, c = phi
    width, height = np.exp(a), np.exp(b)
    cell = (axes[0][1] - axes[0][0]) * (axes[1][1] - axes[1][0])
    u1 = ((axes[0] - m1) / width)[:, None]
    u2 = (axes[1] - m2 - c * u1) / height
    q = np.exp(-0.5 * (u1**2 + u2**2) - a - b - np.log(2.0 * np.pi))
    weighted = q * (log_posterior - outside) * cell
    rows = weighted.sum(axis=1)
    one = rows.sum()
    s2, s22 = (weighted * u2).sum(), (weighted * u2**2).sum()
    s1, s11 = rows @ u1[:, 0], rows @ u1[:, 0] ** 2
    s12 = (weighted * u2).sum(axis=1) @ u1[:, 0]
    value = -(np.log(2.0 * np.pi * np.e) + a + b) - one - outside
    slope = np.array([
        (s1 - c * s2 / height) / width,
        s2 / height,
        s11 - one - c * s12 / height,
        s22 - one,
        s12 / height,
    ])  # fmt: skip
    return float(value), -slope - np.array([0.0, 0.0, 1.0, 1.0, 0.0])


def best_gaussian(
    axes: tuple[Array, Array],
    log_joint: Array,
    starts: Sequence[LatentGaussian] = (),
    *,
    tilted: bool = False,
) -> LatentGaussian:
    """The Gaussian q with the smallest KL(q ‖ posterior), axis-parallel unless `tilted`.

    axes       (M₁,) and (M₂,) equidistant nodes that enclose the posterior
    log_joint  (M₁, M₂) log p(x, z) at the nodes, up to a constant
    starts     further points to start the search from, such as the encoder's q

    L-BFGS-B, with the gradient above, from every start, from the highest modes of the posterior,
    and from its mean and variance; the best result counts. KL(q ‖ p) has a minimum for each mode,
    because q may cover one and leave the others. Standard deviations below the spacing of the grid
    are not tried: the sum over the grid would not be the integral.
    """
    from scipy.optimize import minimize  # a third of a second, which other commands can do without

    log_joint = check_array("log_joint", log_joint, (len(axes[0]), len(axes[1])), np.float64)
    h1, h2 = (float(axis[1] - axis[0]) for axis in axes)
    log_posterior = log_joint - logsumexp(log_joint) - np.log(h1 * h2)
    floor = float(log_posterior.max()) - DROP
    bounds = [(axes[0][0], axes[0][-1]), (axes[1][0], axes[1][-1])]
    bounds += [(np.log(h1), 5.0), (np.log(h2), 5.0), (-10.0, 10.0) if tilted else (0.0, 0.0)]
    best, least = None, np.inf
    for start in (*starts, *_moments(axes, log_posterior), *_modes(axes, log_posterior)):
        L = start.scale
        phi = np.array([*start.mean, np.log(L[0, 0]), np.log(L[1, 1]), L[1, 0] * tilted])
        phi = np.clip(phi, [low for low, _ in bounds], [high for _, high in bounds])
        found = minimize(
            gaussian_kl, phi, (axes, log_posterior, floor), "L-BFGS-B", True, bounds=bounds,
            options={"ftol": 1e-13, "gtol": 1e-8, "maxiter": 500},
        )  # fmt: skip
        if found.fun < least:
            best, least = found.x, float(found.fun)
    assert best is not None  # there is at least one mode
    scale = np.array([[np.exp(best[2]), 0.0], [best[4], np.exp(best[3])]])
    at_bound = best[2] <= bounds[2][0] or best[3] <= bounds[3][0]
    resolved = not at_bound and np.linalg.svd(scale, compute_uv=False)[-1] > 0.8 * max(h1, h2)
    return LatentGaussian(best[:2], scale, least if resolved else np.nan)


@blas_threads()
def gap_split(
    log_likelihood: LogLikelihood,
    q: tuple[Array, Array],
    *,
    nodes: int = 401,
    half_width: float = 5.0,
    progress: Progress[int] = iter,
) -> GapSplit:
    """KL(q ‖ posterior) of the encoder's q, and of the best Gaussian, axis-parallel and tilted.

    (Cremer, Li & Duvenaud 2018, Inference suboptimality in variational autoencoders, estimate
    these parts; with two latents they can be computed.)

    Parameters
    ----------
    log_likelihood : callable
        log p(x|z) of N images at z (M, 2): (M, N), as for `evidence`.
    q : tuple of numpy.ndarray
        μ and log σ² of the encoder, (N, 2) each.
    nodes, half_width
        The grid, as for `evidence`.
    progress : callable
        Wraps the loop over the images; pass tqdm to see a bar.

    Returns
    -------
    GapSplit
        `encoder`, `parallel` and `tilted`, and their differences `amortization`, `independence`
        and `shape`, (N,) each, in nats. NaN where the grid does not resolve a Gaussian.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import VAE
    >>> from numpyvae.evaluation import gap_split, vae_log_likelihood
    >>> vae = VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> x = np.random.default_rng(0).random((2, 4))
    >>> split = gap_split(vae_log_likelihood(vae, x), vae.encode(x), nodes=101)
    >>> bool((split.encoder >= split.parallel).all() and (split.parallel >= split.tilted).all())
    True
    """
    mu, sigma = q[0].astype(np.float64), np.exp(0.5 * q[1].astype(np.float64))
    grid, found = Grid(2, nodes, half_width), np.empty((3, len(mu)))
    for n in progress(range(len(mu))):
        if n % TOGETHER == 0:
            some = slice(n, n + TOGETHER)
            log_joint = log_joint_on_grid(_of_some(log_likelihood, some), grid)
        encoder = LatentGaussian(mu[n], np.diag(sigma[n]), np.nan)
        axes, part = around(grid.axis, log_joint[:, :, n % TOGETHER], encoder)
        parallel = best_gaussian(axes, part, [encoder])
        tilted = best_gaussian(axes, part, [parallel], tilted=True)
        found[:, n] = _kl_on_grid(axes, part, encoder), parallel.kl, tilted.kl
    return GapSplit(*found)


def _of_some(log_likelihood: LogLikelihood, some: slice) -> LogLikelihood:
    """log p(x|z) of some of the images."""
    return lambda z: log_likelihood(z)[:, some]


def around(axis: Array, log_joint: Array, q: LatentGaussian) -> tuple[tuple[Array, Array], Array]:
    """The part of a square grid that holds the posterior and q, with no more nodes than it needs.

    Four nodes for each standard deviation of q, and of the highest mode, give an integral to the
    last digits.
    """
    high = log_joint > log_joint.max() - DROP
    parts = []
    for latent in (0, 1):
        kept = high.any(axis=1 - latent)
        kept |= np.abs(axis - q.mean[latent]) < REACH * q.scale[latent, latent]
        places = np.flatnonzero(kept)
        parts.append(slice(max(0, places[0] - 2), places[-1] + 3))  # some, however sharp it is
    rows, columns = parts
    axes, part = (axis[rows], axis[columns]), log_joint[rows, columns].astype(np.float64)
    narrowest = [*np.diag(q.scale), *np.diag(_modes(axes, part)[0].scale)]
    every = max(1, int(min(narrowest) / (4.0 * (axis[1] - axis[0]))))
    return (axes[0][::every], axes[1][::every]), part[::every, ::every]


def _kl_on_grid(axes: tuple[Array, Array], log_joint: Array, q: LatentGaussian) -> float:
    """KL(q ‖ posterior) of an axis-parallel q; NaN where the grid does not hold q."""
    h1, h2 = (float(axis[1] - axis[0]) for axis in axes)
    sd, inside = np.diag(q.scale), True
    for axis, mean, s in zip(axes, q.mean, sd):
        inside &= bool(axis[0] < mean - 4.0 * s and mean + 4.0 * s < axis[-1])
    log_posterior = log_joint - logsumexp(log_joint) - np.log(h1 * h2)
    phi, floor = np.array([*q.mean, *np.log(sd), 0.0]), float(log_posterior.max()) - DROP
    kl, _ = gaussian_kl(phi, axes, log_posterior, floor)
    return kl if inside and (sd > 0.8 * np.array([h1, h2])).all() else np.nan


def _moments(axes: tuple[Array, Array], log_posterior: Array) -> list[LatentGaussian]:
    """The Gaussian with the mean and the covariance of the posterior."""
    mass = np.exp(log_posterior - log_posterior.max())
    mass /= mass.sum()
    z = np.stack(np.meshgrid(*axes, indexing="ij"))
    mean = (z * mass).sum(axis=(1, 2))
    apart = z - mean[:, None, None]
    covariance = np.einsum("iab,jab,ab->ij", apart, apart, mass)
    least = np.diag([float(axis[1] - axis[0]) ** 2 for axis in axes])
    return [LatentGaussian(mean, np.linalg.cholesky(covariance + least), np.nan)]


def _modes(axes: tuple[Array, Array], log_posterior: Array) -> list[LatentGaussian]:
    """Gaussians at the highest local maxima on the grid, as wide as the curvature there says."""
    f = np.pad(log_posterior, 1, constant_values=-np.inf)
    inner = f[1:-1, 1:-1]
    around = [
        f[1 + i : f.shape[0] - 1 + i, 1 + j : f.shape[1] - 1 + j]
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if (i, j) != (0, 0)
    ]
    peaks = np.argwhere(np.all([inner >= other for other in around], axis=0))
    peaks = peaks[np.argsort(-inner[tuple(peaks.T)])][:MODES]
    found = []
    for place in peaks:
        mean = np.array([axis[i] for axis, i in zip(axes, place)])
        i, j = (int(np.clip(k, 1, n - 2)) for k, n in zip(place, inner.shape))
        bends = np.array([
            inner[i + 1, j] - 2.0 * inner[i, j] + inner[i - 1, j],
            inner[i, j + 1] - 2.0 * inner[i, j] + inner[i, j - 1],
        ])  # fmt: skip
        h = np.array([float(axis[1] - axis[0]) for axis in axes])
        found.append(LatentGaussian(mean, np.diag(h / np.sqrt(np.maximum(-bends, 1e-3))), np.nan))
    return found
