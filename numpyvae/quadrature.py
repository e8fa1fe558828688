"""The evidence and the true posterior of a model with one or two latents, by integration."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.bounds import decoder_logits
from numpyvae.images import check_pixels
from numpyvae.inputs import check_count, check_number
from numpyvae.layers import sigmoid
from numpyvae.parameters import Array
from numpyvae.vae import VAE

ROW = 1_000  # nodes at a time on a line, an even number
HELD = 1e-3  # of the mass of q that the grid may get wrong
BORDER = 1e-3  # posterior mass in the outermost nodes that is worth a warning
LogLikelihood = Callable[[Array], Array]  # z (M, Z) → log p(xₙ|zₘ), (M, N): one column an image


@dataclass(frozen=True)
class Evidence:
    """log p(x) = log ∫ p(x|z) p(z) dz of N images, in nats, and what is known of its error.

    value    (N,)
    error    (N,) by how much it changes if every second node of each axis is left out
    outside  (N,) the share of the posterior's mass that lies in the outermost nodes: what lies
             beyond them is lost
    gap      (N,) KL(q ‖ posterior), which is what the ELBO is short of the value, if q was given;
             NaN where the grid is too coarse or too narrow for q
    """

    value: Array
    error: Array
    outside: Array
    gap: Array | None = None


def vae_log_likelihood(vae: VAE, images: ArrayLike) -> LogLikelihood:
    """log p(x|z) of all images (N, X) at any z, as `evidence` wants it.

    Σ (x l − softplus(l)) is a matrix product of logits and pixels, less a sum that knows nothing
    of the image: so many images cost little more than one.
    """
    x = check_pixels("images", images, vae.image_shape, vae.parameters.value.dtype)

    def function(z: Array) -> Array:
        logits = decoder_logits(vae, z)
        p = sigmoid(logits)
        softplus = np.maximum(logits, 0.0) - np.log(np.maximum(p, 1.0 - p))
        found: Array = logits @ x.T
        found -= softplus.sum(axis=1, dtype=np.float64).astype(logits.dtype)[:, None]
        return found

    return function


def evidence(
    log_likelihood: LogLikelihood,
    latent: int,
    *,
    q: tuple[Array, Array] | None = None,
    nodes: int = 401,
    half_width: float = 5.0,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Evidence:
    """log ∫ p(x|z) N(z; 0, 1) dz for every image, by a sum over a square grid.

    log_likelihood  z (M, Z) → (M, N); `vae_log_likelihood`, or any model's
    latent          Z, 1 or 2
    q               μ and log σ² (N, Z) of a Gaussian for each image: then its KL from the true
                    posterior is found on the same grid; NaN where the grid does not hold q,
                    because σ is less than about 0.7 of the spacing, or μ near the border
    nodes           of each axis, an odd number; the grid is [−half_width, half_width]^Z
    progress        wraps the loop over the rows of the grid; pass tqdm to see a bar

    This is the trapezoidal rule: for a smooth integrand that vanishes at the border it converges
    faster than any power of the spacing. Sums run in float64, row by row, so the memory is that
    of one row, nodes x N. A UserWarning tells if mass lies in the outermost nodes. ValueError for
    another Z.
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
    cross: Array | float = 0.0  # ∫ q log p(x, z), but for the spacing
    held: Array | float = 0.0  # ∫ q, but for the spacing
    rows = range(nodes) if latent == 2 else range(0, nodes, ROW)
    for i in progress(rows):
        # a row of the grid, or of the line a part; j are the places on the last axis
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
            mass = _density(z[:, -1], q, -1)
            if latent == 2:
                mass *= _density(z[:1, 0], q, 0)
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
    return Evidence(value, error, outside, gap)


class _LogSum:
    """log Σ eᵃ of N columns whose rows come in portions, without overflow, added in float64."""

    def __init__(self) -> None:
        self.largest: Array = np.array(-np.inf)
        self.sum: Array = np.array(0.0)

    def add(self, a: Array) -> None:
        """Take in some more rows, (m, N)."""
        largest = np.maximum(self.largest, a.max(axis=0))
        shifted = np.exp(a - largest.astype(a.dtype))
        self.sum = self.sum * np.exp(self.largest - largest) + shifted.sum(axis=0)
        self.largest = largest

    @property
    def value(self) -> Array:
        """log Σ eᵃ of all rows so far."""
        value: Array = self.largest + np.log(self.sum)
        return value


def _density(axis: Array, q: tuple[Array, Array], latent: int) -> Array:
    """N(z; μ, σ²) of one latent at the places of the axis: (M, N)."""
    mu, logvar = (array[:, latent].astype(np.float64) for array in q)
    distance = axis[:, None] - mu
    density: Array = np.exp(-0.5 * (distance**2 * np.exp(-logvar) + logvar + np.log(2.0 * np.pi)))
    return density


def posterior(
    log_likelihood: LogLikelihood, *, nodes: int = 401, half_width: float = 5.0
) -> tuple[Array, Array]:
    """The true posterior p(z|x) of a model with two latents, as a density on a square grid.

    Returns the places (nodes,) of each axis, and the density (N, nodes, nodes) with z₁
    along the second axis of the array, z₂ along the third. For a few images: all in memory.
    """
    nodes = check_count("nodes", nodes, least=5)
    half_width = check_number("half_width", half_width, positive=True)
    axis = np.linspace(-half_width, half_width, nodes)
    rows = []
    for place in axis:  # row by row: the pixels of all places at once would be gigabytes
        z = np.column_stack([np.full(nodes, place), axis])
        rows.append(log_likelihood(z).astype(np.float64) - 0.5 * (z**2).sum(axis=1)[:, None])
    log_joint = np.stack(rows)
    density = np.exp(log_joint - log_joint.max(axis=(0, 1)))
    density /= density.sum(axis=(0, 1)) * (axis[1] - axis[0]) ** 2
    return axis, np.moveaxis(density, 2, 0)
