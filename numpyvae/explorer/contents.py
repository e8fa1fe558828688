"""All that the page is told: the weights, the latent means, some pictures, the grid, the tasks."""

from __future__ import annotations

import unicodedata
import warnings
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.bernoulli import Bernoulli
from numpyvae.core.latent import kl_divergence, kl_per_latent, reparameterize
from numpyvae.core.vae import VAE
from numpyvae.data.images import as_pixels, corrupt, images_for, pixels_for
from numpyvae.data.mnist import MNIST_CREDIT, holds_mnist
from numpyvae.evaluation.aggregate import principal_plane
from numpyvae.evaluation.agreement import check_agreement
from numpyvae.evaluation.quadrature import evidence, half_width_for
from numpyvae.explorer.packing import (
    pack_images,
    pack_integers,
    pack_surface,
    pack_weights,
    packed,
)
from numpyvae.explorer.tasks import Known, tasks
from numpyvae.support.inputs import check_number
from numpyvae.support.types import Array

MEANS = 10_000  # test images whose means the page shows
PICTURES = 400  # test images that the page holds
SPACING = {1: 0.002, 2: 0.05}  # of the grid for the evidence; the page refines it where needed
REACH = 5.0  # standard deviations of q that it shall hold on each side
DRAWS = 30  # of z, where the grid does not give the reconstruction term
NOISES = 8  # by which it is judged how badly a denoising model fits a picture
NAMES = 255  # most labels
FARTHEST = 1e5  # of a mean, on an axis of the page
TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


def contents(
    vae: VAE,
    images: ArrayLike,
    labels: ArrayLike | None,
    *,
    noise: float,
    name: str,
    credit: str | None,
) -> dict[str, Any]:
    """The table that the page reads; see `page.explore` for the arguments."""
    _check_likelihood(vae)
    noise = check_number("noise", noise)
    every = images_for(vae, "images", images)[:MEANS]
    names, numbers = _labels(labels, len(np.asarray(images)))
    stored, weights = pack_weights(vae)
    rng = np.random.default_rng(0)
    mu, logvar = stored.encode(_noisy(every, noise, rng))
    kl = _checked_kl(mu, logvar)
    _check_layers(stored, every[:10])
    check_agreement(stored, pixels_for(stored, "images", every[:10]))
    x = pixels_for(vae, "images", every[:PICTURES]).astype(np.float32)
    x = np.rint(255.0 * x) / np.float32(255.0)  # as the page stores them
    q = stored.encode(_noisy(x, noise, rng))
    grid, gap, reconstruction = _costs(stored, x, q, half_width_for(mu, logvar, REACH))
    shown = None if numbers is None else numbers[: len(every)]
    known = Known(
        mu=mu, labels=shown, names=names, codes=q[0], kl=kl_divergence(*q),
        reconstruction=reconstruction, gap=gap,
    )  # fmt: skip
    return _architecture(vae) | {
        "version": version("numpyvae"),
        "name": _isolated(name),
        "noise": noise,
        "binary": bool(np.isin(x, (0.0, 1.0)).all()),
        "credit": _usual_credit(every) if credit is None else credit,
        "weights": weights,
        "means": pack_integers(mu),
        "names": names,
        "labels": None if shown is None else packed(shown, "u1"),
        "pictures": {"count": len(x), "bytes": pack_images(x)},
        "badly": [] if gap is None else _badly(gap + _other_noises(stored, x, q, noise, rng)),
        "grid": grid,
        "kl": np.round(kl.mean(axis=0), 4).tolist(),
        "components": _components(mu),
        "tasks": tasks(known),
    }


def _usual_credit(images: Array) -> str:
    return MNIST_CREDIT if holds_mnist(images) else ""


def _architecture(vae: VAE) -> dict[str, Any]:
    return {
        "hidden": list(vae.hidden),
        "latent": vae.latent,
        "activation": vae.activation,
        "beta": vae.beta,
        "shape": list(vae.image_shape),
    }


def _check_likelihood(vae: VAE) -> None:
    if type(vae.likelihood) is not Bernoulli:
        name = type(vae.likelihood).__name__
        problem = f"its likelihood is {name}, and the page computes Bernoulli alone"
        raise ValueError(f"vae: {problem}; numpyvae.evaluation and numpyvae.pictures know it")


def _checked_kl(mu: Array, logvar: Array) -> Array:
    """The KL of each latent, (N, Z); ValueError for a model that has diverged."""
    with np.errstate(over="ignore", invalid="ignore"):
        kl = kl_per_latent(mu, logvar)
    if not np.isfinite(kl).all():
        raise ValueError("vae: its μ or σ is not finite; train it with a lower learning rate")
    if (farthest := float(np.abs(mu).max())) > FARTHEST:
        problem = f"a mean lies {farthest:.3g} from 0, too far to be shown beside the prior"
        raise ValueError(f"vae: {problem}; train it with a lower learning rate")
    return kl


def _noisy(images: Array, noise: float, rng: np.random.Generator) -> Array:
    """What the encoder of a denoising model sees. The costs are those of the clean images."""
    return corrupt(as_pixels(images, np.float32), noise, rng) if noise else images


def _labels(labels: ArrayLike | None, images: int) -> tuple[list[str], Array | None]:
    """The different labels as text, and for each image its place among them."""
    if labels is None:
        return [], None
    array = np.asarray(labels)
    if array.shape != (images,):
        raise ValueError(f"labels: expected shape ({images},) as images, got {array.shape}")
    found, numbers = np.unique(array, return_inverse=True)
    if len(found) > NAMES:
        problem = f"expected at most {NAMES} different ones, got {len(found):,}"
        raise ValueError(f"labels: {problem}; pass none, or coarser ones")
    return [_isolated(str(label)) for label in found], numbers


def _isolated(text: str) -> str:
    """The text without marks that would turn round the rest of its line."""
    return "".join(c for c in text if unicodedata.bidirectional(c) not in TURNING)


def _check_layers(vae: VAE, images: Array) -> None:
    """Raise ValueError for a subclass whose layers are not those of VAE: the page has no others."""
    plain = VAE(vae.hidden, vae.latent, activation=vae.activation, image_shape=vae.image_shape)
    same = plain.parameters.shapes == vae.parameters.shapes
    if same:
        plain.parameters.value[:] = vae.parameters.value
        mu, logvar = plain.encode(images)
        ours, theirs = vae.encode(images), vae.decode_logits(mu)
        found = (mu, logvar, plain.decode_logits(mu))
        same = all(np.allclose(*pair, rtol=1e-4, atol=1e-4) for pair in zip((*ours, theirs), found))
    if not same:
        kind = type(vae).__name__
        raise ValueError(
            f"vae: the layers of {kind} are not those of numpyvae.VAE, and the page knows no others"
        )


def _costs(
    vae: VAE, x: Array, q: tuple[Array, Array], half_width: float
) -> tuple[dict[str, Any] | None, Array | None, Array]:
    """The grid for the page, and KL(q ‖ posterior) and the reconstruction term of the pictures.

    log p(x|z) = x·l(z) − S(z), and S(z) = Σ softplus(l(z)) is the same for every image. S on a grid
    saves the page 40,000 passes through the decoder.
    """
    if vae.latent > 2:
        return None, None, _by_draws(vae, x, q)
    nodes = 2 * round(half_width / SPACING[vae.latent]) + 1
    rows, black = list[Array](), np.zeros_like(x[:1])  # the cost of a black image is S

    def log_likelihood(z: Array) -> Array:
        logits = vae.decode_logits(z)
        rows.append(vae.likelihood.all_costs(logits, black)[:, 0])  # S
        return logits @ x.T - rows[-1][:, None]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of mass at the border
        found = evidence(log_likelihood, vae.latent, q=q, nodes=nodes, half_width=half_width)
    assert found.gap is not None  # because q was given
    grid = {
        "half_width": half_width,
        "nodes": nodes,
        "softplus": pack_surface(np.concatenate(rows).reshape(nodes, -1)),
    }
    # −ELBO = gap − value; where the grid does not resolve q, by draws
    reconstruction = found.gap - found.value - kl_divergence(*q)
    poor = np.isnan(reconstruction)
    if poor.any():
        reconstruction[poor] = _by_draws(vae, x[poor], (q[0][poor], q[1][poor]))
    return grid, found.gap, reconstruction


def _by_draws(vae: VAE, x: Array, q: tuple[Array, Array]) -> Array:
    """The reconstruction terms E_q[−log p(x|z)], (N,), each a mean over DRAWS of z from q.

    The q of a noisy picture is not that of x, so `evaluation.elbo`, which encodes x, is no help.
    """
    rng, mean = np.random.default_rng(0), np.zeros(len(x))
    for _ in range(DRAWS):
        z = reparameterize(*q, rng.standard_normal(q[0].shape, q[0].dtype))
        logits = vae.decode_logits(z)
        mean += vae.likelihood.cost(logits, x, vae.likelihood.mean(logits)) / DRAWS
    return mean


def _other_noises(
    vae: VAE, x: Array, q: tuple[Array, Array], noise: float, rng: np.random.Generator
) -> Array:
    """How much more −ELBO is with other noises on average, and so the gap; 0 without noise."""
    if not noise:
        return np.zeros(len(x))

    def cost(other: tuple[Array, Array]) -> Array:
        return _by_draws(vae, x, other) + kl_divergence(*other)

    others = (vae.encode(_noisy(x, noise, rng)) for _ in range(NOISES))
    return np.mean([cost(other) for other in others], axis=0) - cost(q)


def _badly(gap: Array) -> list[int]:
    """The twenty pictures whose q is farthest from the true posterior, the worst first."""
    known = np.flatnonzero(np.isfinite(gap))
    return known[np.argsort(-gap[known])][:20].tolist()


def _components(mu: Array) -> dict[str, Any] | None:
    """The plane of the two principal components of the means, for more than two latents."""
    if mu.shape[1] <= 2:
        return None
    center, directions, share = principal_plane(mu)
    return {"center": center.tolist(), "directions": directions.tolist(), "share": share}
