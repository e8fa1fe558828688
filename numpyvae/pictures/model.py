"""What a VAE has learned: its loss, its latent space, its reconstructions and samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.images import as_pixels, check_images
from numpyvae.inputs import check_count
from numpyvae.parameters import Array
from numpyvae.pictures.canvas import COLOURS, canvas, name_groups, show, tile
from numpyvae.training import Epoch
from numpyvae.vae import VAE

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def loss(epochs: Sequence[Epoch], references: dict[str, float] | None = None) -> Figure:
    """The losses of the epochs, train and test, in nats per image: from afar, closer, by part.

    `references` maps names to losses that are drawn as lines, to compare with: for instance
    `reference_losses(x_test)`.
    """
    if not epochs:
        raise ValueError("epochs: expected at least one, got none; train first")
    figure = canvas(10.0, 6.4)
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
    figure = canvas(7.4, 6.4)
    axes = figure.add_subplot(title=title, xlabel=names[0], ylabel=names[1])
    for i, label in enumerate(np.unique(groups)):
        here, colour = groups == label, COLOURS[i % len(COLOURS)]
        axes.scatter(
            x[here], y[here], s=6, color=colour, alpha=0.6, linewidths=0, label=f"{label}"
        )  # fmt: skip
    if labels is not None and len(np.unique(groups)) <= 30:  # more names than that hide the points
        name_groups(axes, x, y, groups)
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
    figure = canvas(7.0, 7.0)
    axes = figure.add_subplot(title="what the decoder draws at z", xlabel="$z_1$", ylabel="$z_2$")
    height, width = vae.image_shape
    axes.imshow(
        tile(pixels, vae.image_shape, n, gap=0), interpolation="nearest",
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
    picture = tile(np.concatenate(list(rows.values())), vae.image_shape, count)
    figure = canvas(0.8 * count + 1.6, 0.85 * len(rows))
    axes = show(figure, picture)
    step = picture.shape[0] / len(rows)
    axes.set_yticks([step * (i + 0.5) for i in range(len(rows))], list(rows))
    return figure


def samples(vae: VAE, rng: np.random.Generator | int, rows: int = 6, columns: int = 12) -> Figure:
    """Pictures of the prior: the pixel means at rows x columns draws z from N(0, 1)."""
    rows, columns = check_count("rows", rows), check_count("columns", columns)
    pixels = vae.sample(rows * columns, rng)
    figure = canvas(0.7 * columns, 0.7 * rows + 0.4)
    axes = show(figure, tile(pixels, vae.image_shape, columns))
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
    plane = np.zeros((2, latents))  # of one image there is but one direction
    plane[: len(directions)] = directions[:2]
    x, y = (centred @ plane.T).T
    return x, y, title, ("first principal component", "second principal component")
