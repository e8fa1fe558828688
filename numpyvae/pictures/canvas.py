"""Shared by all pictures: colors, empty figures, tiles of images, names of groups."""

from __future__ import annotations

import io
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpyvae.support.files import write_files
from numpyvae.support.interrupts import uninterrupted
from numpyvae.support.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Ten colors that color-blind readers can distinguish: the eight of M. Okabe & K. Ito (2008), the
# yellow darkened for white paper, with a grey and a wine red.
COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#000000", "#D55E00",
    "#56B4E9", "#CC79A7", "#C9B900", "#999999", "#7A1F4F",
)  # fmt: skip

# For plt.style.use(STYLE): gives pictures drawn with pyplot the same look.
STYLE = {
    "axes.prop_cycle": f"cycler('color', {list(COLOURS)})",
    "figure.constrained_layout.use": True,
    "figure.dpi": 90,
}


def canvas(width: float, height: float) -> Figure:
    """An empty figure, width x height in inches, outside of pyplot's global state."""
    with uninterrupted():  # Ctrl-C in the middle of an import would be another exception
        import matplotlib.backends.backend_agg
        import matplotlib.patheffects  # noqa: F401
        from matplotlib.figure import Figure

    class NotebookFigure(Figure):
        """A figure without pyplot that a notebook displays."""

        def _repr_png_(self) -> bytes:
            return as_png(self)

    return NotebookFigure(figsize=(width, height), dpi=120, layout="constrained")


def as_png(figure: Figure) -> bytes:
    """The content of a PNG file of a figure."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def save_all(folder: str | PathLike[str], figures: Mapping[str, Figure]) -> None:
    """Write figures as PNG to a folder, which exists, under their names."""
    write_files(Path(folder), {name: as_png(figure) for name, figure in figures.items()})


def tile(pixels: Array, image_shape: tuple[int, ...], columns: int, gap: int = 2) -> Array:
    """Images (N, X) as one picture, row by row, with a gap between them."""
    height, width = image_shape
    rows = -(-len(pixels) // columns)
    cells = np.zeros((rows * columns, height + gap, width + gap), np.float32)
    cells[: len(pixels), gap // 2 : gap // 2 + height, gap // 2 : gap // 2 + width] = (
        pixels.reshape(-1, height, width)
    )
    grid = cells.reshape(rows, columns, height + gap, width + gap).swapaxes(1, 2)
    return grid.reshape(rows * (height + gap), columns * (width + gap))


def grey(picture: Array) -> dict[str, Any]:
    """Options of imshow: 0 is white and 1 black, or the extremes, if pixels are real numbers."""
    low, high = min(0.0, float(picture.min())), max(1.0, float(picture.max()))
    return {"cmap": "gray_r", "vmin": low, "vmax": high, "interpolation": "nearest"}


def show(figure: Figure, picture: Array) -> Axes:
    """Draw a picture, black on white, without a frame."""
    axes = figure.add_subplot(xticks=[], yticks=[])
    axes.imshow(picture, **grey(picture))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return axes


def name_groups(axes: Axes, x: Array, y: Array, groups: Array) -> None:
    """Add a legend, and write each label at the median of its points, readable without color."""
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=3, foreground="white")]
    apart = 0.04 * (y.max() - y.min())
    taken: list[tuple[float, float]] = []
    centers = {
        label: (float(np.median(x[groups == label])), float(np.median(y[groups == label])))
        for label in np.unique(groups)
    }
    for label, (right, up) in sorted(centers.items(), key=lambda item: -item[1][1]):
        while any(np.hypot(right - r, up - u) < apart for r, u in taken):
            up -= apart  # avoid other labels; going from top to bottom keeps their order
        taken.append((right, up))
        axes.annotate(
            f"{label}", (right, up), ha="center", va="center", weight="bold", path_effects=halo
        )
    legend = axes.legend(title="label", markerscale=3, loc="upper left", bbox_to_anchor=(1, 1))
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)
