"""A gradient check: the errors against the step, and the digits that agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from numpyvae.pictures.canvas import COLOURS, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from numpyvae.gradcheck.report import Report


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
    styles = {
        "PASS": ("o-", COLOURS[0], ""),
        "FAIL": ("s--", COLOURS[4], "///"),
        "UNSURE": ("^:", COLOURS[8], "..."),
        "BLIND": ("x:", COLOURS[8], ""),
    }
    figure = canvas(11.0, 1.6 + 0.28 * max(len(report.rows), 9))
    left, right = figure.subplots(1, 2)
    for verdict, (style, color, _) in styles.items():
        of_it = [row for row in report.rows if row.verdict == verdict]
        for row in of_it:
            label = f"{verdict} ({len(of_it)})" if row is of_it[0] else None
            gaps = np.maximum(row.gaps, 1e-16)
            left.loglog(row.steps, gaps, style, color=color, markersize=4, lw=1, label=label)
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
    left.set_title("difference: ~ h² if the gradient is right, constant if wrong")
    left.legend()
    left.grid(alpha=0.3)
    for i, row in enumerate(report.rows):
        _, color, hatch = styles[row.verdict]
        right.barh(i, row.digits, color=color, hatch=hatch, edgecolor="white")
        right.plot(max(row.limit, 0.0), i, "|", color="black", markersize=14, markeredgewidth=2)
        if row.verdict != "PASS":
            right.annotate(row.verdict, (row.digits, i), (4, 0), textcoords="offset points",
                           va="center", fontsize=8)  # fmt: skip
    right.set_yticks(range(len(report.rows)), [row.name for row in report.rows])
    right.invert_yaxis()
    right.set_xlim(0.0, 17.5)
    right.set_xlabel("digits that agree   ( | : certain digits of the numerical side)")
    right.set_title("backprop · v against the slope of the loss along v")
    return figure
