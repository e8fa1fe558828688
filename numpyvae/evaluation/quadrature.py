"""The evidence and the true posterior of a model with one or two latents, by integration.

A Grid hands out its nodes in portions. `integrate` sums over them: every evidence here, on one grid
for all images or on a grid around the q of each, is a call of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.vae import VAE
from numpyvae.data.images import pixels_for
from numpyvae.evaluation.agreement import check_agreement
from numpyvae.support.inputs import check_count, check_number
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array, Progress

ROW = 1_000  # nodes in each part of a line, an even number
HELD = 1e-5  # tolerated error of ∫ q on the grid
BORDER = 1e-3  # posterior mass in the outermost nodes that gives a warning
NARROWEST, WIDEST = 5.0, 10.0  # half-widths of a grid that is made for an encoder
LogLikelihood = Callable[[Array], Array]  # z (M, Z) → log p(xₙ|zₘ), (M, N), one column per image


def half_width_for(mu: Array, logvar: Array, sigmas: float) -> float:
    """A whole half-width, 5 to 10, of a grid that holds μ ± `sigmas` σ of every q (N, Z)."""
    reach = float((np.abs(mu) + sigmas * np.exp(0.5 * logvar)).max())
    return float(np.clip(np.ceil(reach), NARROWEST, WIDEST))


@dataclass(frozen=True)
class Nodes:
    """Some nodes of a grid.

    z       (M, Z)
    second  (M,) True for the nodes that stay if every second one of each axis is left out
    edge    (M,) True for the outermost nodes
    """

    z: Array
    second: Array
    edge: Array


@dataclass(frozen=True)
class Grid:
    """A line or a square of equidistant nodes: [−half_width, half_width]^Z.

    latent  Z, 1 or 2
    nodes   of each axis
    """

    latent: int
    nodes: int = 401
    half_width: float = 5.0

    def __post_init__(self) -> None:
        if self.latent not in (1, 2):
            problem = f"expected 1 or 2 to integrate over, got {self.latent}; use bounds"
            raise ValueError(f"latent: {problem}")
        check_count("nodes", self.nodes, least=5)
        check_number("half_width", self.half_width, positive=True)

    @property
    def axis(self) -> Array:
        """The nodes of each axis, (nodes,)."""
        return np.linspace(-self.half_width, self.half_width, self.nodes)

    @property
    def log_cell(self) -> float:
        """log of the length or area of a cell."""
        return float(self.latent * np.log(2.0 * self.half_width / (self.nodes - 1)))

    def portions(self, progress: Progress[int] = iter) -> Iterator[Nodes]:
        """All nodes: the rows of a square, z₁ by z₁, or pieces of a line."""
        axis, last = self.axis, self.nodes - 1
        for i in progress(range(0, self.nodes, ROW if self.latent == 1 else 1)):
            j = np.arange(i, min(i + ROW, self.nodes)) if self.latent == 1 else np.arange(last + 1)
            second, edge, z = j % 2 == 0, (j == 0) | (j == last), axis[j, None]
            if self.latent == 2:
                z = np.column_stack([np.full(len(j), axis[i]), z])
                second, edge = second & (i % 2 == 0), edge | (i in (0, last))
            yield Nodes(z, second, edge)


@dataclass(frozen=True)
class Evidence:
    """log p(x) = log ∫ p(x|z) p(z) dz of N images, in nats, with estimates of its error.

    value    (N,)
    error    (N,) the change in value if every second node of each axis is left out
    outside  (N,) the share of the posterior mass in the outermost nodes; mass beyond them is lost
    gap      (N,) KL(q ‖ posterior) = value − ELBO, if q was given; NaN where the grid is too
             coarse or too narrow for q
    """

    value: Array
    error: Array
    outside: Array
    gap: Array | None = None

    def or_better(self, around: Evidence, places: Array) -> Evidence:
        """The larger value of this one and of that around q, for the images at `places`.

        The grid around q resolves q, so its value − gap is the ELBO, whichever value counts.
        """
        assert self.gap is not None
        assert around.gap is not None
        better = around.value > self.value[places] - around.error
        value, error, outside = self.value.copy(), self.error.copy(), self.outside.copy()
        value[places[better]] = around.value[better]
        error[places[better]] = around.error[better]
        outside[places[better]] = around.outside[better]
        gap = self.gap.copy()
        gap[places] = value[places] - (around.value - around.gap)
        return Evidence(value, error, outside, gap)


@blas_threads()
def vae_log_likelihood(vae: VAE, images: ArrayLike) -> LogLikelihood:
    """log p(x|z) of all images (N, X) at any z, a function for `evidence`.

    Where the likelihood allows it, a matrix product of outputs and pixels serves all images, so
    many cost little more than one: see `all_costs` of each likelihood.
    """
    x = pixels_for(vae, "images", images)
    check_agreement(vae, x)
    return lambda z: -vae.likelihood.all_costs(vae.decode_logits(z), x)


@blas_threads()
def evidence(
    log_likelihood: LogLikelihood,
    latent: int,
    *,
    q: tuple[Array, Array] | None = None,
    nodes: int = 401,
    half_width: float = 5.0,
    progress: Progress[int] = iter,
) -> Evidence:
    """log p(x) = log ∫ p(x|z) N(z; 0, 1) dz for every image, by a sum over a square grid.

    This is the trapezoidal rule: for a smooth integrand that vanishes at the border it converges
    faster than any power of the spacing. Sums are in float64, row by row, so the memory needed is
    that of one row, nodes x N.

    Parameters
    ----------
    log_likelihood : callable
        log p(x|z) of N images at z (M, Z): (M, N). `vae_log_likelihood(vae, images)` makes one.
    latent : {1, 2}
        Number Z of latents.
    q : tuple of numpy.ndarray, optional
        μ and log σ² (N, Z) of a Gaussian for each image, such as vae.encode(images); its KL from
        the true posterior is then computed on the same grid.
    nodes : int
        Of each axis, an odd number; the grid is [−half_width, half_width]^Z.
    half_width : float
    progress : callable
        Wraps the loop over the rows of the grid; pass tqdm to see a bar.

    Returns
    -------
    Evidence
        `value`, `error`, `outside` and, with q, `gap`, (N,) each, in nats. `gap` is NaN where the
        grid does not resolve q: σ is less than about 0.8 of the spacing, or μ is near the border.

    Warns
    -----
    UserWarning
        If posterior mass lies in the outermost nodes.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import VAE
    >>> from numpyvae.evaluation import elbo, evidence, vae_log_likelihood
    >>> vae = VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> x = np.random.default_rng(0).random((5, 4))
    >>> found = evidence(vae_log_likelihood(vae, x), latent=2, q=vae.encode(x))
    >>> reconstruction, kl = elbo(vae, x, samples=1000)
    >>> bool(np.allclose(found.value, found.gap - reconstruction - kl, atol=0.1))
    True
    """
    grid = Grid(latent, nodes, half_width)
    if nodes % 2 == 0:
        raise ValueError(f"nodes: expected an odd number, got {nodes}; take {nodes + 1}")

    def log_joint(z: Array) -> Array:
        found = log_likelihood(z)
        return found + log_prior(z).astype(np.result_type(found, np.float32))[:, None]

    found = integrate(grid, log_joint, q, progress)
    if (found.outside > BORDER).any():
        cut = f"{(found.outside > BORDER).sum():,} of {len(found.value):,} images"
        cut = f"{(found.outside > BORDER).sum():,} of {len(found.value):,} images"
        border = f"the border of [{-half_width:g}, {half_width:g}]"
        warnings.warn(
            f"{cut} have posterior mass at {border}: take a larger half_width",
            stacklevel=2,
        )
    return found


@blas_threads()
def evidence_around(
    vae: VAE,
    images: ArrayLike,
    q: tuple[Array, Array],
    *,
    nodes: int = 65,
    reach: float = 8.0,
    progress: Progress[int] = iter,
) -> Evidence:
    """The evidence of each image (N, X) by a sum over a grid of its own, μ ± `reach` σ of its q.

    For posteriors too sharp for one grid. Mass far from q is not counted, so the value is too low
    if the posterior is elsewhere; it is never too high. The rest is as in `evidence`.

    With z = μ + σ u, ∫ p(x, z) dz = ∫ p(x, z) |σ| du, and q is N(0, 1) in u.
    """
    x, grid = pixels_for(vae, "images", images), Grid(vae.latent, nodes, reach)
    standard = np.zeros((1, vae.latent)), np.zeros((1, vae.latent))
    found = []
    for n in progress(range(len(x))):
        mu, sigma = q[0][n], np.exp(0.5 * q[1][n].astype(np.float64))
        log_likelihood = vae_log_likelihood(vae, x[n : n + 1])
        found.append(integrate(grid, _in_units_of(mu, sigma, log_likelihood), standard))
    names = ("value", "error", "outside", "gap")
    return Evidence(*(np.concatenate([getattr(each, name) for each in found]) for name in names))


def _in_units_of(mu: Array, sigma: Array, log_likelihood: LogLikelihood) -> LogLikelihood:
    """u (M, Z) → log p(x, z) |σ| at z = μ + σ u, (M, 1)."""

    def log_joint(u: Array) -> Array:
        z = mu + sigma * u
        return log_likelihood(z) + (log_prior(z) + np.log(sigma).sum())[:, None]

    return log_joint


def integrate(
    grid: Grid,
    log_joint: LogLikelihood,
    q: tuple[Array, Array] | None = None,
    progress: Progress[int] = iter,
) -> Evidence:
    """log ∫ e^log_joint over a grid, by the trapezoidal rule, and KL(q ‖ e^log_joint / that)."""
    total, coarse, border = _LogSum(), _LogSum(), _LogSum()
    cross: Array | float = 0.0  # Σ q log p(x, z)
    held: Array | float = 0.0  # Σ q
    for nodes in grid.portions(progress):
        found = log_joint(nodes.z)
        total.add(found)
        coarse.add(found[nodes.second])
        border.add(found[nodes.edge])
        if q is not None:
            mass = np.exp(log_density(nodes.z, q))
            held = held + mass.sum(axis=0)
            cross = cross + np.einsum("mn,mn->n", mass.astype(found.dtype), found)
    cell, half = np.exp(grid.log_cell), grid.latent * np.log(2.0)
    value = total.value + grid.log_cell
    gap = None
    if q is not None:  # ∫ q log q − ∫ q (log p(x, z) − log p(x)), the first in closed form
        entropy = 0.5 * (np.log(2.0 * np.pi) + 1.0 + q[1].astype(np.float64)).sum(axis=1)
        gap = -entropy - (cross - held * value) * cell
        gap[np.abs(held * cell - 1.0) > HELD] = np.nan
    return Evidence(
        value=value,
        error=np.abs(total.value - (coarse.value + half)),
        outside=np.exp(border.value - total.value),
        gap=gap,
    )


class _LogSum:
    """log Σ eᵃ of N columns, whose rows are added in portions, in float64, without overflow."""

    def __init__(self) -> None:
        self.largest: Array = np.array(-np.inf)
        self.sum: Array = np.array(0.0)

    def add(self, a: Array) -> None:
        """Add more rows, (m, N), if there are any."""
        if len(a):
            largest = np.maximum(self.largest, a.max(axis=0))
            shifted = np.exp(a - largest.astype(a.dtype))
            self.sum = self.sum * np.exp(self.largest - largest) + shifted.sum(axis=0)
            self.largest = largest

    @property
    def value(self) -> Array:
        """log Σ eᵃ of all rows so far, (N,)."""
        return self.largest + np.log(self.sum)


def log_prior(z: Array) -> Array:
    """log N(z; 0, I) at z (M, Z): (M,)."""
    return -0.5 * (z**2 + np.log(2.0 * np.pi)).sum(axis=1)


def log_density(z: Array, q: tuple[Array, Array]) -> Array:
    """log N(z; μ, diag σ²) at z (M, Z), for N Gaussians q = μ, log σ² (N, Z): (M, N)."""
    total: Array | float = 0.0
    for place, mu, logvar in zip(z.T, *(array.T.astype(np.float64) for array in q)):
        distance = place[:, None] - mu
        total = total - 0.5 * (distance**2 * np.exp(-logvar) + logvar + np.log(2.0 * np.pi))
    return np.asarray(total)


@blas_threads()
def posterior(
    log_likelihood: LogLikelihood, *, nodes: int = 401, half_width: float = 5.0
) -> tuple[Array, Array]:
    """The true posterior p(z|x) of a model with two latents, as a density on a square grid.

    Returns the nodes (nodes,) of each axis, and the density (N, nodes, nodes), with z₁ along the
    second axis of the array and z₂ along the third. It is all in memory, so pass few images.
    """
    grid = Grid(2, nodes, half_width)
    log_joint = log_joint_on_grid(log_likelihood, grid)
    density = np.exp(log_joint.astype(np.float64) - log_joint.max(axis=(0, 1)))
    density /= density.sum(axis=(0, 1)) * np.exp(grid.log_cell)
    return grid.axis, np.moveaxis(density, 2, 0)


def log_joint_on_grid(log_likelihood: LogLikelihood, grid: Grid) -> Array:
    """log p(x, z) of a model with two latents: (nodes, nodes, N) for z₁, z₂ and the image.

    It is all in memory: 160,801 numbers for each image, with 401 nodes.
    """
    rows = []
    for nodes in grid.portions():  # the pixels of all nodes at once would take gigabytes
        found = log_likelihood(nodes.z)
        rows.append(found + log_prior(nodes.z).astype(found.dtype)[:, None])
    return np.stack(rows)
