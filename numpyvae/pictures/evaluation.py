"""An evaluation: the ladder of bounds, the true posteriors, the KL of each latent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.vae import VAE
from numpyvae.data.images import pixels_for
from numpyvae.evaluation.aggregate import OUTERMOST
from numpyvae.evaluation.bounds import mean_and_error
from numpyvae.evaluation.gaussians import LatentGaussian, around, best_gaussian
from numpyvae.evaluation.quadrature import WIDEST, posterior, vae_log_likelihood
from numpyvae.evaluation.table import Evaluation
from numpyvae.pictures.canvas import COLOURS, canvas, grey, tile
from numpyvae.support.inputs import check_rng
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def ladder(result: Evaluation) -> Figure:
    """ELBO ≤ bound for k = 5, 50, 500 ≤ evidence: the distance of each from the last, per image.

    Left: the means, with a bar of two standard errors of the *difference* from the last one.
    Right: the cumulative gap over the images, the worst first. A few images carry most of it.

    Parameters
    ----------
    result : Evaluation

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import numpyvae
    >>> vae = numpyvae.VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> images = np.random.default_rng(0).random((5, 4))
    >>> result = numpyvae.evaluation.evaluate(vae, images, gap_images=0)
    >>> numpyvae.pictures.ladder(result).savefig("bounds.png")
    """
    rungs = result.ladder
    names, last = list(rungs), result.best
    figure = canvas(10.0, 4.2)
    left, right = figure.subplots(1, 2)
    places = np.arange(len(names))
    means = [float(rungs[name].mean()) for name in names]
    errors = [2.0 * mean_and_error(rungs[last] - rungs[name])[1] for name in names]
    left.errorbar(places, means, yerr=errors, fmt="o-", color=COLOURS[0], capsize=4)
    left.set_xticks(places, [name.replace("bound, ", "") for name in names])
    left.set_ylabel("nats per image")
    left.set_title(f"mean; bars: 2 s.e. of the distance to the {last}")
    left.margins(x=0.1)
    left.grid(alpha=0.3)
    share = np.arange(1, len(result.kl) + 1) / len(result.kl)
    for name, style, color in zip(names[:-1], ("-", "--", "-.", ":"), COLOURS):
        gap = np.sort(rungs[last] - rungs[name])[::-1]
        right.plot(share, np.cumsum(gap) / len(gap), style, color=color, label=name)
    right.set_xscale("log")
    right.set_xlabel("share of the images, the worst first")
    right.set_ylabel(f"their share of the gap to the {last}, in nats")
    right.set_title("the part of the gap carried by the worst images")
    right.legend()
    right.grid(alpha=0.3)
    return figure


@blas_threads()
def posteriors(vae: VAE, images: ArrayLike, result: Evaluation) -> Figure:
    """The true posterior p(z|x) of six of the images, and three Gaussians as ellipses.

    Three images have a typical gap, and three the largest. Filled: 50, 90 and 99 % of the mass of
    the posterior; lines: 90 % of that of the encoder's q(z|x), of the best axis-parallel Gaussian
    and of the best tilted one.

    Parameters
    ----------
    vae : VAE
        With two latents.
    images : array_like, (N, X)
    result : Evaluation
        Of these images.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import numpyvae
    >>> vae = numpyvae.VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> images = np.random.default_rng(0).random((5, 4))
    >>> result = numpyvae.evaluation.evaluate(vae, images, gap_images=0)
    >>> numpyvae.pictures.posteriors(vae, images, result).savefig("posteriors.png")
    """
    if vae.latent != 2 or result.evidence is None or result.evidence.gap is None:
        raise ValueError(f"vae: this picture needs 2 latents, this model has {vae.latent}")
    x = pixels_for(vae, "images", images)
    inside = (np.abs(vae.encode(x)[0]) < WIDEST).all(axis=1) & np.isfinite(result.evidence.gap)
    if not inside.any():
        raise ValueError("images: expected codes inside the largest grid, and all are outside")
    order = np.argsort(np.where(inside, result.evidence.gap, np.inf))[: inside.sum()]
    middle = len(order) // 2
    chosen = list(dict.fromkeys([*order[max(middle - 1, 0) : middle + 2], *order[-3:]]))
    reach = max(5.0, float(np.ceil(np.abs(vae.encode(x[chosen])[0]).max() + 1.0)))
    axis, density = posterior(
        vae_log_likelihood(vae, x[chosen]), nodes=2 * round(reach / 0.025) + 1, half_width=reach
    )
    mu, logvar = vae.encode(x[chosen])
    figure = canvas(10.0, 7.0)
    for i, axes in zip(range(len(chosen)), figure.subplots(2, 3).flat):
        encoder = LatentGaussian(
            mu[i], np.diag(np.exp(0.5 * logvar[i])), result.evidence.gap[chosen[i]]
        )
        kls = _draw_posterior(axes, axis, density[i], encoder)
        corner = axes.inset_axes((0.72, 0.72, 0.27, 0.27), xticks=[], yticks=[])
        image = x[chosen[i]].reshape(vae.image_shape)
        corner.imshow(image, **grey(image))
        axes.set_title(f"image {chosen[i]}: KL {', '.join(f'{kl:.2f}' for kl in kls)}", fontsize=10)
        axes.set_xlabel("$z_1$")
        axes.set_ylabel("$z_2$")
    figure.suptitle(
        "grey: the true posterior p(z|x), 50, 90 and 99 % of its mass;   lines, 90 %: the "
        "encoder's q(z|x) (full),\nthe best axis-parallel Gaussian (dashed), the best tilted one "
        "(dotted), and the KL of each from the posterior"
    )
    return figure


def _draw_posterior(
    axes: Axes, axis: Array, density: Array, encoder: LatentGaussian
) -> list[float]:
    """Draw one posterior (M, M) and three Gaussians; the KL of each of them."""
    mass, spacing = np.sort(density, axis=None)[::-1], axis[1] - axis[0]
    levels = [mass[np.searchsorted(np.cumsum(mass) * spacing**2, p)] for p in (0.99, 0.9, 0.5)]
    levels = [*sorted({float(level) for level in levels}), 1.01 * float(mass[0])]
    axes.contourf(axis, axis, density.T, levels=levels, cmap="Greys", vmin=-mass[0] / 2)
    places, part = around(axis, np.log(np.maximum(density, 1e-300)), encoder)
    parallel = best_gaussian(places, part, [encoder])
    tilted = best_gaussian(places, part, [parallel], tilted=True)
    angle = np.linspace(0.0, 2.0 * np.pi, 100)
    circle = 2.146 * np.stack([np.cos(angle), np.sin(angle)])  # holds 90 % of N(0, I)
    for q, style, color in zip((encoder, parallel, tilted), ("-", "--", ":"), (4, 0, 2)):
        axes.plot(*(q.mean[:, None] + q.scale @ circle), style, color=COLOURS[color], lw=1.5)
    ellipse, inside = encoder.mean[:, None] + encoder.scale @ circle, density > levels[0]
    rows, columns = axis[inside.any(axis=1)], axis[inside.any(axis=0)]
    for limits, places, line in (
        (axes.set_xlim, rows, ellipse[0]), (axes.set_ylim, columns, ellipse[1]),
    ):  # fmt: skip
        low, high = min(places[0], line.min()), max(places[-1], line.max())
        limits(low - 0.3 * (high - low) - 0.05, high + 0.5 * (high - low) + 0.05)
    return [q.kl for q in (encoder, parallel, tilted)]


def latent_kl(result: Evaluation) -> Figure:
    """The KL of each latent, in nats per image, largest first; inactive ones are hatched."""
    order = np.argsort(-result.kl_per_latent)
    figure = canvas(max(4.0, 0.3 * len(order) + 2.0), 3.6)
    axes = figure.add_subplot(
        title=f"{result.active.sum()} of {len(order)} latents active",
        xlabel="latent", ylabel="KL, nats per image",
    )  # fmt: skip
    for place, i in enumerate(order):
        active = bool(result.active[i])
        axes.bar(
            place, result.kl_per_latent[i], color=COLOURS[0] if active else "white",
            edgecolor=COLOURS[0], hatch="" if active else "///",
        )  # fmt: skip
    axes.set_xticks(range(len(order)), [f"$z_{{{i + 1}}}$" for i in order])
    return figure


@blas_threads()
def holes(
    vae: VAE, images: ArrayLike, result: Evaluation, rng: np.random.Generator | int = 0
) -> Figure:
    """log q(z)/p(z) as a map, with codes, and decoded draws from holes and from crowded places.

    q(z) is the aggregate posterior. Blue: fewer codes than draws of the prior, red: more. The draws
    come from the prior where q(z) is below a fifth of it, and from q(z) where it is above twice the
    prior.

    Parameters
    ----------
    vae : VAE
        With two latents.
    images : array_like, (N, X)
        Whose codes are drawn as points.
    result : Evaluation
        Of the model; its `codes` are the map.
    rng : int or numpy.random.Generator
        Seed of the draws.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import numpyvae
    >>> vae = numpyvae.VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> images = np.random.default_rng(0).random((5, 4))
    >>> result = numpyvae.evaluation.evaluate(vae, images, gap_images=0)
    >>> numpyvae.pictures.holes(vae, images, result).savefig("holes.png")
    """
    codes = result.codes
    if vae.latent != 2 or codes is None:
        raise ValueError(f"vae: this picture needs 2 latents, this model has {vae.latent}")
    rng = check_rng(rng)
    x = pixels_for(vae, "images", images)
    ratio, axis = codes.log_ratio, codes.axis
    prior = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2))
    figure = canvas(10.0, 5.5)
    left, right = figure.subplots(1, 2, gridspec_kw={"width_ratios": (1.0, 1.1)})
    mesh = left.pcolormesh(
        axis, axis, ratio.T, cmap="RdBu_r", vmin=-3.0, vmax=3.0, shading="auto", rasterized=True
    )
    left.contour(axis, axis, ratio.T, levels=[np.log(0.2), np.log(0.5)], colors="k", linewidths=0.5)
    mu = vae.encode(x[:1000])[0]
    left.plot(*mu.T, ".", color="k", ms=1.5)
    square = OUTERMOST * np.array([[-1, 1, 1, -1, -1], [-1, -1, 1, 1, -1]])
    left.plot(*square, color="k", lw=0.8)
    left.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
    left.set_title("log q(z)/p(z), codes, and the square of the manifold", fontsize=10)
    figure.colorbar(mesh, ax=left, extend="both", shrink=0.7)
    rows = []
    for weights in (prior * (ratio < np.log(0.2)), codes.q * (ratio > np.log(2.0))):
        share = weights.ravel() / max(weights.sum(), 1e-300)
        if share.any():
            places = np.array(np.unravel_index(rng.choice(share.size, 21, p=share), weights.shape))
            rows.append(vae.decode(axis[places.T]))
        else:  # no such place
            rows.append(np.zeros((21, vae.decode(np.zeros((1, 2))).shape[1])))
    sides = [tile(row, vae.image_shape, columns=3, gap=0) for row in rows]
    between = np.zeros((len(sides[0]), vae.image_shape[1] // 2))
    drawn = np.hstack([sides[0], between, sides[1]])
    right.imshow(drawn, **grey(drawn))
    right.set_axis_off()
    right.set_title("decoded draws: from holes (left), from crowded places (right)", fontsize=10)
    return figure
