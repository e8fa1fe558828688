"""A gradient check: the errors against the step, and the digits that agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from numpyvae.pictures.canvas import COLOURS, canvas

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from numpyvae.gradcheck.report import Report

# The line, the color and the hatch of each verdict.
STYLES = {
    "PASS": ("o-", COLOURS[0], ""),
    "FAIL": ("s--", COLOURS[4], "///"),
    "UNSURE": ("^:", COLOURS[8], "..."),
    "BLIND": ("x:", COLOURS[8], ""),
}


def gradients(report: Report) -> Figure:
    """|central difference − backprop| against the step, and the digits that agree.

    Left: relative to the scale of the gradient. For a right gradient it falls as h², then rises as
    rounding / h. For a wrong gradient it is constant. Right: the digits of agreement, with a tick
    at the number of digits that are certain on the numerical side.

    Parameters
    ----------
    report : Report

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import numpyvae
    >>> W = np.arange(1.0, 4.0)
    >>> report = numpyvae.gradcheck.check_gradients(
    ...     lambda p: np.sum(p["W"] ** 2), {"W": W}, {"W": 2 * W}
    ... )
    >>> numpyvae.pictures.gradients(report).savefig("check.png")
    """
    if not report.rows:
        raise ValueError("report: nothing was compared, so there is nothing to draw; print it")
    figure = canvas(11.0, 1.6 + 0.28 * max(len(report.rows), 9))
    left, right = figure.subplots(1, 2)
    _differences(left, report)
    _digits(right, report)
    return figure


def _differences(axes: Axes, report: Report) -> None:
    """|central difference − backprop| of each gradient against the step, and two guides."""
    for verdict, (style, color, _) in STYLES.items():
        of_it = [row for row in report.rows if row.verdict == verdict]
        for row in of_it:
            label = f"{verdict} ({len(of_it)})" if row is of_it[0] else None
            gaps = np.maximum(row.gaps, 1e-16)
            axes.loglog(row.steps, gaps, style, color=color, markersize=4, lw=1, label=label)
    steps = report.rows[0].steps
    floor = float(np.median([row.floor for row in report.rows]))
    middle = np.sqrt(np.median([row.gaps[0] for row in report.rows]) / steps[0] ** 2 + 1e-300)
    guides = {
        "truncation ~ h² ": ((middle * steps) ** 2, 3, "right"),
        " rounding ~ ε |loss| / h": (floor / steps, 1, "left"),
    }
    for name, (values, at, side) in guides.items():
        axes.loglog(steps, values, color="black", linestyle=(0, (1, 3)), lw=1)
        axes.annotate(name, (steps[at], values[at]), ha=side, va="top", fontsize=8)
    axes.set_ylim(1e-14, 30.0)
    axes.invert_xaxis()
    axes.set_xlabel("step h")
    axes.set_ylabel("|central difference − backprop| / scale")
    axes.set_title("difference: ~ h² if the gradient is right, constant if wrong")
    axes.legend()
    axes.grid(alpha=0.3)


def _digits(axes: Axes, report: Report) -> None:
    """The digits that agree, a bar for each gradient, and how many are certain."""
    for i, row in enumerate(report.rows):
        _, color, hatch = STYLES[row.verdict]
        axes.barh(i, row.digits, color=color, hatch=hatch, edgecolor="white")
        axes.plot(max(row.limit, 0.0), i, "|", color="black", markersize=14, markeredgewidth=2)
        if row.verdict != "PASS":
            axes.annotate(row.verdict, (row.digits, i), (4, 0), textcoords="offset points",
                           va="center", fontsize=8)  # fmt: skip
    axes.set_yticks(range(len(report.rows)), [row.name for row in report.rows])
    axes.invert_yaxis()
    axes.set_xlim(0.0, 17.5)
    axes.set_xlabel("digits that agree   ( | : certain digits of the numerical side)")
    axes.set_title("backprop · v against the slope of the loss along v")
