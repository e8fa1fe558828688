"""Many trainings side by side: their losses by setting, and reconstruction against KL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from numpyvae.core.trace import Loss
from numpyvae.evaluation.bounds import mean_and_error
from numpyvae.pictures.canvas import COLOURS, canvas
from numpyvae.support.types import Array

MARKERS = ("o", "s", "^", "D")  # one for each ten curves, whose colors repeat

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def loss_by_setting(losses: Mapping[str, Sequence[Loss]]) -> Figure:
    """−ELBO, reconstruction and KL of each setting: mean ± standard error over the seeds.

    Parameters
    ----------
    losses : dict of sequences of Loss
        The losses of the seeds, for each setting by name; a small dot stands for each.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpyvae
    >>> losses = {"β = 1": [numpyvae.Loss(144.0, 6.0, 1.0), numpyvae.Loss(145.0, 6.2, 1.0)]}
    >>> numpyvae.pictures.loss_by_setting(losses).savefig("losses.png")
    """
    from matplotlib.ticker import MaxNLocator

    figure = canvas(10.0, 2.0 + 0.32 * len(losses))
    panels = figure.subplots(1, 3, sharey=True)
    for axes, title, color in zip(panels, ("−ELBO", "reconstruction", "KL"), COLOURS):
        for row, group in enumerate(losses.values()):
            values = np.array([_part(loss, title) for loss in group])
            mean, error = mean_and_error(values)
            axes.errorbar(
                mean, row, xerr=error if np.isfinite(error) else None,
                fmt="o", color=color, capsize=3, markersize=6,
            )  # fmt: skip
            axes.plot(values, np.full(len(values), row), ".", color="black", markersize=3, zorder=3)
        axes.set_title(title)
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(5))
    panels[0].set_yticks(range(len(losses)), list(losses))
    panels[0].set_ylim(len(losses) - 0.5, -0.5)  # the first setting on top
    panels[1].set_xlabel("nats per test image   (−ELBO = reconstruction + KL)")
    figure.suptitle("black dots: runs; circles with bars: mean ± standard error", fontsize=10)
    return figure


def _part(loss: Loss, title: str) -> float:
    parts = {"reconstruction": loss.reconstruction, "KL": loss.kl}
    return float(parts.get(title, -loss.elbo))


def rate_distortion(curves: Mapping[str, Sequence[Loss]]) -> Figure:
    """Reconstruction (the distortion) against KL (the rate): a dot for each run, β along a curve.

    Along a grey line, −ELBO is the same. β is the price of a nat of KL: a run minimizes
    reconstruction + β KL, so the best possible curve has slope −β where β is its price. (Alemi et
    al. 2018, Fixing a Broken ELBO, arXiv:1711.00464.)

    Parameters
    ----------
    curves : dict of sequences of Loss
        For each curve by name, the losses of runs that differ in β and seed; it goes through the
        mean for each β.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpyvae
    >>> losses = [numpyvae.Loss(140.0, 9.0, beta=0.5), numpyvae.Loss(144.0, 6.0, beta=1.0)]
    >>> numpyvae.pictures.rate_distortion({"classic": losses}).savefig("rate_distortion.png")
    """
    figure = canvas(7.4 if len(curves) == 1 else 9.4, 6.0)
    axes = figure.add_subplot()
    several = len({loss.beta for losses in curves.values() for loss in losses}) > 1
    for i, (name, losses) in enumerate(curves.items()):
        color, marker = COLOURS[i % len(COLOURS)], MARKERS[i // len(COLOURS) % len(MARKERS)]
        points = np.array([(float(loss.kl), float(loss.reconstruction)) for loss in losses])
        beta = np.array([loss.beta for loss in losses])
        means = np.array([points[beta == b].mean(axis=0) for b in np.unique(beta)])
        axes.plot(*points.T, ".", color=color, markersize=5)
        axes.plot(*means.T, "-", marker=marker, color=color, mfc="white", linewidth=1, label=name)
        if several:
            _name(axes, np.unique(beta), means, color)
    axes.margins(0.12)
    _equal_elbo(axes)
    axes.set_xlabel("KL (rate), nats per test image")
    axes.set_ylabel("reconstruction (distortion), nats per test image")
    axes.set_title(
        "dots: runs; white: means over the seeds; grey lines: the same −ELBO", fontsize=10
    )
    if len(curves) > 1:
        axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    return figure


def _name(axes: Axes, beta: Array, places: Array, color: str) -> None:
    """Write each β to the right of its place."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=2, foreground="white", alpha=0.8)]
    for b, place in zip(beta, places):
        axes.annotate(
            f"β = {b:g}", place, (7, 4), textcoords="offset points", color=color, fontsize=9,
            path_effects=halo,
        )  # fmt: skip


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
