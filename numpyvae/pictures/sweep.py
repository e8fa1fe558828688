"""Many trainings side by side: their losses by setting, and reconstruction against KL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from numpyvae.core.trace import Loss
from numpyvae.evaluation.bounds import mean_and_error
from numpyvae.pictures.canvas import COLOURS, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def loss_by_setting(losses: Mapping[str, Sequence[Loss]]) -> Figure:
    """−ELBO, reconstruction and KL of each setting, by name: mean ± standard error over the seeds.

    `losses` holds the loss of each seed; a small dot stands for each.
    """
    figure = canvas(10.0, 1.7 + 0.32 * len(losses))
    panels = figure.subplots(1, 3, sharey=True)
    rows = np.arange(len(losses))
    titles = ("−ELBO = reconstruction + KL", "reconstruction", "KL")
    for axes, title, color in zip(panels, titles, COLOURS):
        for row, group in zip(rows, losses.values()):
            values = np.array([_part(loss, title) for loss in group])
            mean, error = mean_and_error(values)
            axes.plot(values, np.full(len(values), row), ".", color=COLOURS[8], markersize=4)
            axes.errorbar(
                mean, row, xerr=error if np.isfinite(error) else None,
                fmt="o", color=color, capsize=3, markersize=5,
            )  # fmt: skip
        axes.set_title(title)
        axes.grid(alpha=0.3)
    panels[0].set_yticks(rows, list(losses))
    panels[0].set_ylim(len(rows) - 0.5, -0.5)  # the first setting on top
    figure.supxlabel("nats per test image")
    return figure


def _part(loss: Loss, title: str) -> float:
    parts = {"reconstruction": loss.reconstruction, "KL": loss.kl}
    return float(parts.get(title, -loss.elbo))


def rate_distortion(curves: Mapping[str, Sequence[Loss]]) -> Figure:
    """Reconstruction (the distortion) against KL (the rate): a point for each run, β along a curve.

    `curves` holds, for each curve by name, the losses of runs that differ in β and seed. Along a
    grey line, −ELBO is the same. β is the price of a nat of KL: a run minimizes
    reconstruction + β KL, so the curve has slope −β at its own β. (Alemi et al. 2018, Fixing a
    Broken ELBO, arXiv:1711.00464.)
    """
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground="white")]
    figure = canvas(7.4, 6.0)
    axes = figure.add_subplot()
    for (name, losses), color in zip(curves.items(), COLOURS * (1 + len(curves) // len(COLOURS))):
        kl = np.array([float(loss.kl) for loss in losses])
        reconstruction = np.array([float(loss.reconstruction) for loss in losses])
        beta = np.array([loss.beta for loss in losses])
        axes.plot(kl, reconstruction, ".", color=color, alpha=0.6)
        means = np.array(
            [(kl[beta == b].mean(), reconstruction[beta == b].mean()) for b in np.unique(beta)]
        )
        axes.plot(*means.T, "-", color=color, linewidth=1, label=name)
        for b, mean in zip(np.unique(beta), means):
            axes.annotate(
                f"β = {b:g}", mean, (7, 6), textcoords="offset points", color=color, fontsize=9,
                path_effects=halo,
            )  # fmt: skip
    axes.margins(0.12)
    _equal_elbo(axes)
    axes.set_xlabel("KL (rate), nats per test image")
    axes.set_ylabel("reconstruction (distortion), nats per test image")
    axes.set_title("a dot for each run; grey lines: the same −ELBO = reconstruction + KL")
    if len(curves) > 1:
        axes.legend()
    return figure


def _equal_elbo(axes: Axes) -> None:
    """Lines of equal reconstruction + KL across the picture, each with its value."""
    from matplotlib.ticker import MaxNLocator

    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    left = max(left, 0.0)
    for total in MaxNLocator(8).tick_values(left + low, right + high):
        ends = np.clip([left, right], total - high, total - low)
        if ends[1] - ends[0] > 0.1 * (right - left):  # not in the very corner
            axes.plot(ends, total - ends, color=COLOURS[8], linewidth=0.7, alpha=0.6, zorder=0)
            axes.annotate(
                f"{total:g}", (ends[1], total - ends[1]), (-2, 2), textcoords="offset points",
                color=COLOURS[8], fontsize=8, ha="right", va="bottom",
            )  # fmt: skip
    axes.set_xlim(left, right)
    axes.set_ylim(low, high)
