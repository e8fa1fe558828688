"""The evidence and the true posterior of a model with one or two latents, by integration."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import logsumexp

from numpyvae.core.vae import VAE
from numpyvae.data.images import pixels_for
from numpyvae.evaluation.agreement import check_agreement
from numpyvae.support.inputs import check_count, check_number
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array, Progress

ROW = 1_000  # nodes in each part of a line, an even number
HELD = 1e-3  # tolerated error of ∫ q on the grid
BORDER = 1e-3  # posterior mass in the outermost nodes that gives a warning
NARROWEST, WIDEST = 5.0, 10.0  # half-widths of a grid that is made for an encoder
LogLikelihood = Callable[[Array], Array]  # z (M, Z) → log p(xₙ|zₘ), (M, N), one column per image


def half_width_for(mu: Array, logvar: Array, sigmas: float) -> float:
    """A whole half-width, 5 to 10, of a grid that holds μ ± `sigmas` σ of every q (N, Z)."""
    reach = float((np.abs(mu) + sigmas * np.exp(0.5 * logvar)).max())
    return float(np.clip(np.ceil(reach), NARROWEST, WIDEST))


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
    """log ∫ p(x|z) N(z; 0, 1) dz for every image, by a sum over a square grid.

    log_likelihood  z (M, Z) → (M, N): `vae_log_likelihood`, or that of another model
    latent          Z, 1 or 2
    q               μ and log σ² (N, Z) of a Gaussian for each image; its KL from the true posterior
                    is then computed on the same grid. It is NaN where the grid does not resolve
                    q: σ is less than about 0.7 of the spacing, or μ is near the border
    nodes           of each axis, an odd number; the grid is [−half_width, half_width]^Z
    progress        a wrapper of the loop over the rows of the grid; pass tqdm to see a bar

    This is the trapezoidal rule: for a smooth integrand that vanishes at the border it converges
    faster than any power of the spacing. Sums are in float64, row by row, so the memory needed is
    that of one row, nodes x N. A UserWarning is given if mass lies in the outermost nodes. Raises
    ValueError for another Z.
    """
    if latent not in (1, 2):
        raise ValueError(f"latent: expected 1 or 2 to integrate over, got {latent}; use bounds")
    if check_count("nodes", nodes, least=5) % 2 == 0:
        raise ValueError(f"nodes: expected an odd number, got {nodes}; take {nodes + 1}")
    half_width = check_number("half_width", half_width, positive=True)
    axis = np.linspace(-half_width, half_width, nodes)
    spacing = axis[1] - axis[0]
    last = nodes - 1

    total, coarse, border = _LogSum(), _LogSum(), _LogSum()
    cross: Array | float = 0.0  # ∫ q log p(x, z), without the factor of the spacing
    held: Array | float = 0.0  # ∫ q, without the factor of the spacing
    rows = range(nodes) if latent == 2 else range(0, nodes, ROW)
    for i in progress(rows):
        # one row of the grid, or one part of the line; j are the nodes on the last axis
        j = np.arange(nodes) if latent == 2 else np.arange(i, min(i + ROW, nodes))
        z = np.column_stack([np.full(len(j), axis[i]), axis[j]]) if latent == 2 else axis[j, None]
        prior = -0.5 * (z**2 + np.log(2.0 * np.pi)).sum(axis=1)
        found = log_likelihood(z)
        log_joint = found + prior.astype(np.result_type(found, np.float32))[:, None]
        total.add(log_joint)
        if i % 2 == 0:
            coarse.add(log_joint[j % 2 == 0])
        edge = (j == 0) | (j == last) | (latent == 2 and i in (0, last))
        if edge.any():
            border.add(log_joint[edge])
        if q is not None:
            mass = density(z[:, -1], q, -1)
            if latent == 2:
                mass *= density(z[:1, 0], q, 0)
            held = held + mass.sum(axis=0)
            cross = cross + np.einsum("mn,mn->n", mass.astype(log_joint.dtype), log_joint)
    value = total.value + latent * np.log(spacing)
    error = np.abs(value - (coarse.value + latent * np.log(2.0 * spacing)))
    outside = np.exp(border.value - total.value)
    if (outside > BORDER).any():
        warnings.warn(
            f"{(outside > BORDER).sum():,} of {len(value):,} images have posterior mass at the "
            f"border of [{-half_width:g}, {half_width:g}]: take a larger half_width",
            stacklevel=2,
        )
    gap = None
    if q is not None:  # ∫ q log q − ∫ q log p(x, z) + log p(x), the first in closed form
        entropy = 0.5 * (np.log(2.0 * np.pi) + 1.0 + q[1].astype(np.float64)).sum(axis=1)
        gap = -entropy - cross * spacing**latent + value
        gap[np.abs(held * spacing**latent - 1.0) > HELD] = np.nan
    return Evidence(value=value, error=error, outside=outside, gap=gap)


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
    """
    x = pixels_for(vae, "images", images)
    u = np.linspace(-reach, reach, nodes)
    places = np.indices((nodes,) * vae.latent).reshape(vae.latent, -1).T
    grid = u[places]
    second = (places % 2 == 0).all(axis=1)  # every second node of each axis
    edge = ((places == 0) | (places == nodes - 1)).any(axis=1)
    mass = np.exp(-0.5 * (grid**2 + np.log(2.0 * np.pi)).sum(axis=1)) * (u[1] - u[0]) ** vae.latent
    found = np.empty((4, len(x)))
    for n in progress(range(len(x))):
        sigma = np.exp(0.5 * q[1][n].astype(np.float64))
        z = q[0][n] + sigma * grid
        cell = np.sum(np.log(sigma * (u[1] - u[0])))
        prior = -0.5 * (z**2 + np.log(2.0 * np.pi)).sum(axis=1)
        log_joint = vae_log_likelihood(vae, x[n : n + 1])(z)[:, 0].astype(np.float64) + prior
        total, coarse, border = (logsumexp(log_joint[part]) for part in (..., second, edge))
        value = total + cell
        entropy = 0.5 * np.log(2.0 * np.pi * np.e) * vae.latent + np.sum(np.log(sigma))
        found[:, n] = (
            value,
            abs(total - (coarse + vae.latent * np.log(2.0))),
            np.exp(border - total),
            value - mass @ log_joint - entropy,
        )
    return Evidence(*found)


class _LogSum:
    """log Σ eᵃ of N columns, whose rows are added in portions, in float64, without overflow."""

    def __init__(self) -> None:
        self.largest: Array = np.array(-np.inf)
        self.sum: Array = np.array(0.0)

    def add(self, a: Array) -> None:
        """Add more rows, (m, N)."""
        largest = np.maximum(self.largest, a.max(axis=0))
        shifted = np.exp(a - largest.astype(a.dtype))
        self.sum = self.sum * np.exp(self.largest - largest) + shifted.sum(axis=0)
        self.largest = largest

    @property
    def value(self) -> Array:
        """log Σ eᵃ of all rows so far, (N,)."""
        return self.largest + np.log(self.sum)


def density(axis: Array, q: tuple[Array, Array], latent: int) -> Array:
    """N(z; μ, σ²) of one latent at the nodes of the axis, for q = μ, log σ² (N, Z): (M, N)."""
    mu, logvar = (array[:, latent].astype(np.float64) for array in q)
    distance = axis[:, None] - mu
    return np.exp(-0.5 * (distance**2 * np.exp(-logvar) + logvar + np.log(2.0 * np.pi)))


@blas_threads()
def posterior(
    log_likelihood: LogLikelihood, *, nodes: int = 401, half_width: float = 5.0
) -> tuple[Array, Array]:
    """The true posterior p(z|x) of a model with two latents, as a density on a square grid.

    Returns the nodes (nodes,) of each axis, and the density (N, nodes, nodes), with z₁ along the
    second axis of the array and z₂ along the third. It is all in memory, so pass few images.
    """
    axis, log_joint = log_joint_on_grid(log_likelihood, nodes=nodes, half_width=half_width)
    density = np.exp(log_joint.astype(np.float64) - log_joint.max(axis=(0, 1)))
    density /= density.sum(axis=(0, 1)) * (axis[1] - axis[0]) ** 2
    return axis, np.moveaxis(density, 2, 0)


def log_joint_on_grid(
    log_likelihood: LogLikelihood, *, nodes: int = 401, half_width: float = 5.0
) -> tuple[Array, Array]:
    """log p(x, z) of a model with two latents on a square grid, without the constant −log 2π.

    Returns the nodes (nodes,) of each axis, and the values (nodes, nodes, N) for z₁, z₂ and the
    image. It is all in memory: 160,801 numbers for each image.
    """
    nodes = check_count("nodes", nodes, least=5)
    half_width = check_number("half_width", half_width, positive=True)
    axis = np.linspace(-half_width, half_width, nodes)
    rows = []
    for z1 in axis:  # row by row: the pixels of all nodes at once would take gigabytes
        z = np.column_stack([np.full(nodes, z1), axis])
        found = log_likelihood(z)
        rows.append(found - (0.5 * (z**2).sum(axis=1)[:, None]).astype(found.dtype))
    return axis, np.stack(rows)
