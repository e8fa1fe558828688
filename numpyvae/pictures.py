"""What a VAE has learned, drawn: each function returns a matplotlib figure.

    numpyvae.pictures.manifold(vae).savefig("manifold.png")

The figures belong to nobody's global state, so nothing has to be closed afterwards.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.bounds import mean_and_error
from numpyvae.images import as_pixels, check_images
from numpyvae.inputs import check_count
from numpyvae.parameters import Array
from numpyvae.quadrature import posterior, vae_log_likelihood
from numpyvae.training import Epoch
from numpyvae.vae import VAE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from numpyvae.evaluation import Evaluation
    from numpyvae.gradcheck.report import Report

# Ten colours that the colour-blind can tell apart: the eight of M. Okabe & K. Ito (2008), the
# yellow darkened for white paper, with a grey and a wine red.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#000000", "#D55E00",
    "#56B4E9", "#CC79A7", "#C9B900", "#999999", "#7A1F4F",
)  # fmt: skip


def loss(epochs: Sequence[Epoch], references: dict[str, float] | None = None) -> Figure:
    """The losses of the epochs, train and test, in nats per image: from afar, closer, by part.

    `references` maps names to losses that are drawn as lines, to compare with: for instance
    `reference_losses(x_test)`.
    """
    if not epochs:
        raise ValueError("epochs: expected at least one, got none; train first")
    figure = _figure(10.0, 6.4)
    panels = figure.subplots(2, 2, sharex=True)
    titles = ("total, and what to compare it with", "total", "reconstruction", "KL")
    for axes, title in zip(panels.flat, titles):
        for name, style, colour in (("train", "s--", COLOURS[8]), ("test", "o-", COLOURS[0])):
            losses = [getattr(epoch, name) for epoch in epochs]
            if None in losses:
                continue
            part = title.lower() if title in ("reconstruction", "KL") else "total"
            values = [getattr(loss, part) for loss in losses]
            numbers = [epoch.number for epoch in epochs]
            axes.plot(numbers, values, style, color=colour, markersize=4, label=name)
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.xaxis.get_major_locator().set_params(integer=True)
    whole = panels[0, 0]
    for label, value in (references or {}).items():
        whole.axhline(value, color="black", linestyle=":", linewidth=1)
        whole.annotate(
            f"{label} {value:.2f}", (1.0, value), (-4, 2), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", va="bottom", fontsize=8,
        )  # fmt: skip
    whole.set_ylim(0.0, 1.12 * whole.get_ylim()[1])
    panels[0, 1].legend()
    figure.supxlabel("epoch")
    beta = epochs[0].train.beta
    weight = "" if beta == 1.0 else f"{beta:g} × "
    figure.supylabel(f"nats per image   (total = reconstruction + {weight}KL)")
    return figure


def reference_losses(images: ArrayLike) -> dict[str, float]:
    """Three losses to compare with, in nats per image, of images (N, X) of any image shape.

    A network of zeros says ½ for every pixel: X ln 2. The best constant picture is the mean
    image. A perfect reconstruction says p = x, and what is left is the entropy of the pixels,
    Σ −x log x − (1−x) log(1−x): 0 for binary images, not for grey ones.
    """
    from scipy.special import entr

    array = np.asarray(images)
    array = check_images("images", array, array.shape[1:] if array.ndim > 1 else (1,))
    mean = np.zeros(array.shape[1])
    entropy = 0.0
    for chunk in np.array_split(array, range(1000, len(array), 1000)):
        x = as_pixels(chunk, np.float64)
        mean += x.sum(axis=0) / len(array)
        entropy += float((entr(x) + entr(1.0 - x)).sum()) / len(array)
    return {
        "all parameters zero": float(np.log(2.0) * array.shape[1]),
        "best constant picture": float((entr(mean) + entr(1.0 - mean)).sum()),
        "perfect reconstruction": entropy,
    }


def latent(vae: VAE, images: ArrayLike, labels: ArrayLike | None = None) -> Figure:
    """Where `images` (N, X) lie in latent space: the means μ(x), coloured by `labels` (N,).

    With more than two latents, the two principal components of the means are shown; with one,
    the means along the line, a row for each label.
    """
    mu, _ = vae.encode(images)
    groups = np.zeros(len(mu), int) if labels is None else np.asarray(labels)
    if groups.shape != (len(mu),):
        raise ValueError(f"labels: expected shape ({len(mu)},), got {groups.shape}")
    x, y, title, names = _flatten(mu, groups)
    figure = _figure(7.4, 6.4)
    axes = figure.add_subplot(title=title, xlabel=names[0], ylabel=names[1])
    for i, label in enumerate(np.unique(groups)):
        here, colour = groups == label, COLOURS[i % len(COLOURS)]
        axes.scatter(
            x[here], y[here], s=6, color=colour, alpha=0.6, linewidths=0, label=f"{label}"
        )  # fmt: skip
    if labels is not None and len(np.unique(groups)) <= 30:  # more names than that hide the points
        _name_groups(axes, x, y, groups)
    if vae.latent > 1:
        axes.set_aspect("equal", "datalim")
    return figure


def manifold(vae: VAE, n: int = 15) -> Figure:
    """What each place in a two-dimensional latent space decodes to: n x n pictures.

    The places are z = Φ⁻¹(u), u from 0.05 to 0.95 in equal steps, so that each picture stands for
    the same share of the prior. z₁ grows to the right and z₂ upwards, as in `latent`.
    """
    from scipy.special import ndtri

    if vae.latent != 2:
        raise ValueError(f"vae: a manifold needs 2 latents, this model has {vae.latent}")
    line = ndtri(np.linspace(0.05, 0.95, check_count("n", n)))
    z2, z1 = np.meshgrid(line[::-1], line, indexing="ij")  # the top row has the largest z₂
    pixels = vae.decode(np.stack([z1.ravel(), z2.ravel()], axis=1))
    figure = _figure(7.0, 7.0)
    axes = figure.add_subplot(title="what the decoder draws at z", xlabel="$z_1$", ylabel="$z_2$")
    height, width = vae.image_shape
    axes.imshow(
        _tile(pixels, vae.image_shape, n, gap=0), interpolation="nearest",
        cmap="gray_r", vmin=0.0, vmax=1.0,
        extent=(-0.5, n - 0.5, -0.5, n - 0.5), aspect=height / width,
    )  # fmt: skip
    shown = range(0, n, 2)
    axes.set_xticks(shown, [f"{line[i]:.2f}" for i in shown])
    axes.set_yticks(shown, [f"{line[i]:.2f}" for i in shown])
    return figure


def reconstructions(vae: VAE, images: ArrayLike, corrupted: ArrayLike | None = None) -> Figure:
    """`images` (N, X), at most 20, above their reconstructions at z = μ(x).

    With `corrupted` (N, X) those are drawn in between, and reconstructed from.
    """
    rows = {"original": as_pixels(check_images("images", images, vae.image_shape), np.float32)}
    count = len(rows["original"])
    if count > 20:
        raise ValueError(f"images: expected at most 20 to draw in a row, got {count}; pass fewer")
    if corrupted is not None:
        noisy = check_images("corrupted", corrupted, vae.image_shape)
        if len(noisy) != count:
            raise ValueError(
                f"corrupted: expected {count} images like the originals, got {len(noisy)}"
            )
        rows["corrupted"] = as_pixels(noisy, np.float32)
    rows["reconstruction"] = vae.reconstruct(images if corrupted is None else corrupted)
    picture = _tile(np.concatenate(list(rows.values())), vae.image_shape, count)
    figure = _figure(0.8 * count + 1.6, 0.85 * len(rows))
    axes = _show(figure, picture)
    step = picture.shape[0] / len(rows)
    axes.set_yticks([step * (i + 0.5) for i in range(len(rows))], list(rows))
    return figure


def samples(vae: VAE, rng: np.random.Generator | int, rows: int = 6, columns: int = 12) -> Figure:
    """Pictures of the prior: the pixel means at rows x columns draws z from N(0, 1)."""
    rows, columns = check_count("rows", rows), check_count("columns", columns)
    pixels = vae.sample(rows * columns, rng)
    figure = _figure(0.7 * columns, 0.7 * rows + 0.4)
    axes = _show(figure, _tile(pixels, vae.image_shape, columns))
    axes.set_title("samples: z drawn from the prior, decoded")
    return figure


def _flatten(mu: Array, groups: Array) -> tuple[Array, Array, str, tuple[str, str]]:
    """Two coordinates for each mean, a title, and what the axes are called."""
    latents = mu.shape[1]
    if latents == 1:
        spread = np.random.default_rng(0).uniform(-0.3, 0.3, len(mu))  # so that points show
        return mu[:, 0], groups + spread, "latent means μ(x), a row a label", ("$z_1$", "label")
    if latents == 2:
        return mu[:, 0], mu[:, 1], "latent means μ(x)", ("$z_1$", "$z_2$")
    centred = mu - mu.mean(axis=0)
    _, singular, directions = np.linalg.svd(centred, full_matrices=False)
    share = float((singular[:2] ** 2).sum() / max((singular**2).sum(), 1e-300))
    title = f"latent means μ(x): 2 of {latents} principal components, {share:.0%} of variance"
    x, y = (centred @ directions[:2].T).T
    return x, y, title, ("first principal component", "second principal component")


def _tile(pixels: Array, image_shape: tuple[int, ...], columns: int, gap: int = 2) -> Array:
    """Images (N, X) side by side, row by row, as one picture; nothing between them but a gap."""
    height, width = image_shape
    rows = -(-len(pixels) // columns)
    cells = np.zeros((rows * columns, height + gap, width + gap), np.float32)
    cells[: len(pixels), gap // 2 : gap // 2 + height, gap // 2 : gap // 2 + width] = (
        pixels.reshape(-1, height, width)
    )
    grid = cells.reshape(rows, columns, height + gap, width + gap).swapaxes(1, 2)
    return grid.reshape(rows * (height + gap), columns * (width + gap))


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        """A figure without pyplot, which a notebook shows all the same."""

        def _repr_png_(self) -> bytes:
            file = io.BytesIO()
            self.savefig(file, format="png")
            return file.getvalue()

    return NotebookFigure(figsize=(width, height), dpi=120, layout="constrained")


def _name_groups(axes: Axes, x: Array, y: Array, groups: Array) -> None:
    """A legend, and each label at the median of its points, so that it can be read in grey too."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground="white")]
    apart = 0.04 * (y.max() - y.min())
    taken: list[tuple[float, float]] = []
    centres = {
        label: (float(np.median(x[groups == label])), float(np.median(y[groups == label])))
        for label in np.unique(groups)
    }
    for label, (right, up) in sorted(centres.items(), key=lambda item: -item[1][1]):
        while any(np.hypot(right - r, up - u) < apart for r, u in taken):
            up -= apart  # not over another label; from the top down, so that their order stays
        taken.append((right, up))
        axes.annotate(
            f"{label}", (right, up), ha="center", va="center", weight="bold", path_effects=halo
        )
    legend = axes.legend(title="label", markerscale=3, loc="upper left", bbox_to_anchor=(1, 1))
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)


def _show(figure: Figure, picture: Array) -> Axes:
    """A picture in [0, 1], ink on paper, without a frame."""
    axes = figure.add_subplot(xticks=[], yticks=[])
    axes.imshow(picture, cmap="gray_r", vmin=0.0, vmax=1.0, interpolation="nearest")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return axes


def gradients(report: Report) -> Figure:
    """Two panels for a gradient check: the V of every gradient, and how many digits agree.

    Left: |central difference − backprop| / scale against the step h. A right gradient dives as h²
    and climbs back as rounding / h does; a wrong one stays where it is, whatever h. Right: digits
    of agreement, with a tick at as many as the numerical side can vouch for.
    """
    if not report.rows:
        raise ValueError("report: nothing was compared, so there is nothing to draw; print it")
    styles = {
        "PASS": ("o-", COLOURS[0], ""),
        "FAIL": ("s--", COLOURS[4], "///"),
        "UNSURE": ("^:", COLOURS[8], "..."),
        "BLIND": ("x:", COLOURS[8], ""),
    }
    figure = _figure(11.0, 1.6 + 0.28 * max(len(report.rows), 9))
    left, right = figure.subplots(1, 2)
    for verdict, (style, colour, _) in styles.items():
        of_it = [row for row in report.rows if row.verdict == verdict]
        for row in of_it:
            label = f"{verdict} ({len(of_it)})" if row is of_it[0] else None
            gaps = np.maximum(row.gaps, 1e-16)
            left.loglog(row.steps, gaps, style, color=colour, markersize=4, lw=1, label=label)
    steps = report.rows[0].steps
    floor = float(np.median([row.floor for row in report.rows]))
    middle = np.sqrt(np.median([row.gaps[0] for row in report.rows]) / steps[0] ** 2 + 1e-300)
    guides = {
        "truncation ~ h² ": ((middle * steps) ** 2, 3, "right"),
        " rounding ~ ε |loss| / h": (floor / steps, 1, "left"),
    }
    for name, (values, at, side) in guides.items():
        left.loglog(steps, values, color="black", linestyle=(0, (1, 3)), lw=1)
        left.annotate(name, (steps[at], values[at]), ha=side, va="top", fontsize=8)
    left.set_ylim(1e-14, 30.0)
    left.invert_xaxis()
    left.set_xlabel("step h")
    left.set_ylabel("|central difference − backprop| / scale")
    left.set_title("a right gradient dives, a wrong one stays")
    left.legend()
    left.grid(alpha=0.3)
    for i, row in enumerate(report.rows):
        _, colour, hatch = styles[row.verdict]
        right.barh(i, row.digits, color=colour, hatch=hatch, edgecolor="white")
        right.plot(max(row.limit, 0.0), i, "|", color="black", markersize=14, markeredgewidth=2)
        if row.verdict != "PASS":
            right.annotate(row.verdict, (row.digits, i), (4, 0), textcoords="offset points",
                           va="center", fontsize=8)  # fmt: skip
    right.set_yticks(range(len(report.rows)), [row.name for row in report.rows])
    right.invert_yaxis()
    right.set_xlim(0.0, 17.5)
    right.set_xlabel("digits that agree   ( | : what the numerical side can vouch for)")
    right.set_title("backprop · v against the loss along v")
    return figure


def ladder(result: Evaluation) -> Figure:
    """ELBO ≤ bound for k = 5, 50, 500 ≤ evidence: how far each is below the best, per image.

    Left the means, with a bar of two standard errors of the *difference* from the last one; right
    the images sorted by it: a few carry most of the gap.
    """
    rungs = result.ladder
    names, last = list(rungs), list(rungs)[-1]
    figure = _figure(10.0, 4.2)
    left, right = figure.subplots(1, 2)
    places = np.arange(len(names))
    means = [float(rungs[name].mean()) for name in names]
    errors = [2.0 * mean_and_error(rungs[last] - rungs[name])[1] for name in names]
    left.errorbar(places, means, yerr=errors, fmt="o-", color=COLOURS[0], capsize=4)
    left.set_xticks(places, [name.replace("bound, ", "") for name in names])
    left.set_ylabel("nats per image")
    left.set_title("each bound, and what it bounds" if result.evidence else "each bound")
    left.margins(x=0.1)
    left.grid(alpha=0.3)
    share = np.arange(1, len(result.kl) + 1) / len(result.kl)
    for name, style, colour in zip(names[:-1], ("-", "--", "-.", ":"), COLOURS):
        gap = np.sort(rungs[last] - rungs[name])[::-1]
        right.plot(share, np.cumsum(gap) / len(gap), style, color=colour, label=name)
    right.set_xscale("log")
    right.set_xlabel("share of the images, the worst fitted first")
    right.set_ylabel(f"nats below the {last} that they account for")
    right.set_title("a few images carry much of the gap")
    right.legend()
    right.grid(alpha=0.3)
    return figure


def posteriors(vae: VAE, images: ArrayLike, result: Evaluation) -> Figure:
    """The true posterior p(z|x) of six of the images, and the encoder's ellipse q(z|x) on top.

    Three that q fits as usual, and the three that it fits worst. Filled: 50, 90 and 99 % of the
    posterior's mass; the line: 90 % of q's. Needs two latents and the evaluation of the images.
    """
    if vae.latent != 2 or result.evidence is None or result.evidence.gap is None:
        raise ValueError(f"vae: this picture needs 2 latents, this model has {vae.latent}")
    x = as_pixels(check_images("images", images, vae.image_shape), np.float32)
    order = np.argsort(result.evidence.gap)
    middle = len(order) // 2
    chosen = list(dict.fromkeys([*order[[middle - 1, middle, middle + 1]], *order[-3:]]))
    axis, density = posterior(vae_log_likelihood(vae, x[chosen]))
    spacing = axis[1] - axis[0]
    mu, logvar = vae.encode(x[chosen])
    angle = np.linspace(0.0, 2.0 * np.pi, 100)
    circle = np.stack([np.cos(angle), np.sin(angle)])
    figure = _figure(10.0, 7.0)
    for i, axes in zip(range(len(chosen)), figure.subplots(2, 3).flat):
        mass = np.sort(density[i], axis=None)[::-1]
        levels = [mass[np.searchsorted(np.cumsum(mass) * spacing**2, p)] for p in (0.99, 0.9, 0.5)]
        levels = [*sorted({float(level) for level in levels}), 1.01 * float(mass[0])]
        axes.contourf(axis, axis, density[i].T, levels=levels, cmap="Greys", vmin=-mass[0] / 2)
        ellipse = mu[i][:, None] + 2.146 * np.exp(0.5 * logvar[i])[:, None] * circle
        axes.plot(*ellipse, color=COLOURS[4], lw=1.5)
        inside = density[i] > levels[0]
        rows, columns = axis[inside.any(axis=1)], axis[inside.any(axis=0)]
        for limits, places, line in (
            (axes.set_xlim, rows, ellipse[0]), (axes.set_ylim, columns, ellipse[1]),
        ):  # fmt: skip
            low, high = min(places[0], line.min()), max(places[-1], line.max())
            limits(low - 0.3 * (high - low) - 0.05, high + 0.5 * (high - low) + 0.05)
        corner = axes.inset_axes((0.72, 0.72, 0.27, 0.27), xticks=[], yticks=[])
        corner.imshow(x[chosen[i]].reshape(vae.image_shape), cmap="gray_r", vmin=0.0, vmax=1.0)
        axes.set_title(f"image {chosen[i]}: KL(q ‖ p) = {result.evidence.gap[chosen[i]]:.2f}")
        axes.set_xlabel("$z_1$")
        axes.set_ylabel("$z_2$")
    figure.suptitle(
        "grey: the true posterior p(z|x), 50, 90 and 99 % of its mass;   "
        "line: the encoder's q(z|x), 90 %"
    )
    return figure


def latent_kl(result: Evaluation) -> Figure:
    """The KL of each latent, in nats per image, largest first; inactive ones are hatched."""
    order = np.argsort(-result.kl_per_latent)
    figure = _figure(max(4.0, 0.3 * len(order) + 2.0), 3.6)
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


def interpolation(vae: VAE, first: ArrayLike, second: ArrayLike, steps: int = 9) -> Figure:
    """From each image of `first` (N, X) to its partner in `second`, on a straight line of means.

    A row for each pair: the first image, the decodings at z = (1−t) μ₁ + t μ₂, the second image.
    """
    steps = check_count("steps", steps, least=2)
    ends = [
        as_pixels(check_images(name, images, vae.image_shape), np.float32)
        for name, images in (("first", first), ("second", second))
    ]
    if len(ends[0]) != len(ends[1]):
        raise ValueError(
            f"second: expected {len(ends[0])} images as in first, got {len(ends[1])}; pair them"
        )
    (mu1, _), (mu2, _) = (vae.encode(images) for images in ends)
    t = np.linspace(0.0, 1.0, steps)[None, :, None]
    between = vae.decode(((1.0 - t) * mu1[:, None] + t * mu2[:, None]).reshape(-1, vae.latent))
    between = between.reshape(len(mu1), steps, -1)
    rows = np.concatenate([ends[0][:, None], between, ends[1][:, None]], axis=1)
    columns = steps + 2
    figure = _figure(0.8 * columns, 0.85 * len(mu1) + 0.5)
    axes = _show(figure, _tile(rows.reshape(-1, rows.shape[-1]), vae.image_shape, columns))
    axes.set_title("an image, the way from its mean to that of another one, and the other one")
    step = axes.get_xlim()[1] / columns
    for edge in (1, columns - 1):
        axes.axvline(edge * step, color=COLOURS[4], lw=2)
    return figure


def walk(vae: VAE, image: ArrayLike | None = None, steps: int = 11) -> Figure:
    """What each latent does: it goes from −3 to 3, the others stay where they are.

    They stay at 0, or at the mean of an `image` (X,) if one is given. A row for each latent, of at
    most 20: with an image, those with the largest |μ| of it.
    """
    places = np.linspace(-3.0, 3.0, check_count("steps", steps, least=2))
    centre = np.zeros(vae.latent)
    if image is not None:
        centre = vae.encode(np.asarray(image).reshape(1, -1))[0][0].astype(np.float64)
    shown = np.sort(np.argsort(-np.abs(centre), kind="stable")[:20])
    z = np.tile(centre, (len(shown), len(places), 1))
    for row, latent in enumerate(shown):
        z[row, :, latent] = places
    picture = _tile(vae.decode(z.reshape(-1, vae.latent)), vae.image_shape, len(places))
    figure = _figure(0.8 * len(places) + 0.8, 0.85 * len(shown) + 0.7)
    axes = _show(figure, picture)
    height, width = picture.shape[0] / len(shown), picture.shape[1] / len(places)
    axes.set_yticks([height * (i + 0.5) for i in range(len(shown))],
                    [f"$z_{{{i + 1}}}$" for i in shown])  # fmt: skip
    axes.set_xticks([width * (i + 0.5) for i in range(len(places))], [f"{p:.1f}" for p in places])
    axes.set_title("one latent at a time")
    return figure


def animation(
    path: str | PathLike[str], models: Sequence[VAE], images: ArrayLike, labels: ArrayLike
) -> None:
    """A GIF of the training: latent means of `images` (N, X) and the manifold, model by model.

    `models` have two latents; each is a frame of half a second. The file appears complete or not
    at all.
    """
    from matplotlib.animation import PillowWriter

    if not models:
        raise ValueError("models: expected at least one, got none; train with --keep-epochs")
    means = [vae.encode(images)[0] for vae in models]
    if any(vae.latent != 2 for vae in models):
        raise ValueError("models: an animation needs 2 latents")
    reach = 1.05 * float(np.abs(means[-1]).max())
    groups = np.asarray(labels)
    height, width = models[0].image_shape
    line = np.linspace(-2.0, 2.0, 15)
    z2, z1 = np.meshgrid(line[::-1], line, indexing="ij")
    figure = _figure(10.0, 5.2)
    left, right = figure.subplots(1, 2)
    writer = PillowWriter(fps=2)
    partial = Path(path).with_name(f".{Path(path).stem}.partial.gif")
    try:
        with writer.saving(figure, str(partial), dpi=80):
            for number, (vae, mu) in enumerate(zip(models, means), start=1):
                left.clear()
                right.clear()
                for i, label in enumerate(np.unique(groups)):
                    here, colour = groups == label, COLOURS[i % len(COLOURS)]
                    left.scatter(
                        *mu[here].T, s=4, color=colour, alpha=0.6, linewidths=0, label=f"{label}"
                    )
                _name_groups(left, mu[:, 0], mu[:, 1], groups)
                left.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
                left.set(xlabel="$z_1$", ylabel="$z_2$", title=f"latent means, epoch {number}")
                pixels = vae.decode(np.stack([z1.ravel(), z2.ravel()], axis=1))
                right.imshow(
                    _tile(pixels, vae.image_shape, len(line), gap=0), cmap="gray_r", vmin=0.0,
                    vmax=1.0, extent=(-2.0, 2.0, -2.0, 2.0), aspect=height / width,
                )  # fmt: skip
                right.set(xlabel="$z_1$", ylabel="$z_2$", title="what the decoder draws at z")
                writer.grab_frame()
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
