"""The loss during training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpyvae.core.training import Epoch
from numpyvae.pictures.canvas import COLOURS, canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def loss(
    epochs: Sequence[Epoch], references: dict[str, float] | None = None, rest: str = "KL"
) -> Figure:
    """The train and test losses of the epochs, in nats per image: the total, and its two parts.

    Parameters
    ----------
    epochs : sequence of Epoch
        As `fit` returns them.
    references : dict of float, optional
        Losses by name that are drawn as lines, such as reference_losses(x_test).
    rest : str
        The name of the part that is not the reconstruction.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import numpyvae
    >>> vae = numpyvae.VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> history = numpyvae.fit(vae, np.random.default_rng(0).random((50, 4)), epochs=3)
    >>> numpyvae.pictures.loss(history).savefig("loss.png")
    """
    if not epochs:
        raise ValueError("epochs: expected at least one, got none; train first")
    figure = canvas(10.0, 6.4)
    panels = figure.subplots(2, 2, sharex=True)
    titles = ("total, and what to compare it with", "total", "reconstruction", rest)
    for axes, title in zip(panels.flat, titles):
        for name, style, color in (("train", "s--", COLOURS[8]), ("test", "o-", COLOURS[0])):
            losses = [getattr(epoch, name) for epoch in epochs]
            if None in losses:
                continue
            part = {"reconstruction": "reconstruction", rest: "kl"}.get(title, "total")
            values = [getattr(loss, part) for loss in losses]
            numbers = [epoch.number for epoch in epochs]
            axes.plot(numbers, values, style, color=color, markersize=4, label=name)
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
    betas = {epoch.train.beta for epoch in epochs}
    weight = "β × " if len(betas) > 1 else "" if betas == {1.0} else f"{betas.pop():g} × "
    figure.supylabel(f"nats per image   (total = reconstruction + {weight}{rest})")
    return figure
