"""One HTML page: a model, test images, and the scripts that compute with them in a browser."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from importlib.resources import files
from typing import Any

from numpy.typing import ArrayLike

from numpyvae.core.vae import VAE
from numpyvae.explorer.contents import contents
from numpyvae.support.threads import blas_threads

SCRIPTS = (
    "mathematics", "evidence", "ink", "checks", "state", "view", "marks", "plane", "line", "moves",
    "pictures", "pad", "choice", "costs", "walk", "tasks", "page",
)  # fmt: skip
# Words by which a reader searches the file for requests; in base64 they may come up by chance.
SUSPECT = ("http", "fetch", "eval")
WIDTH, HEIGHT = "100%", 900  # of the page in a notebook


class Page(str):
    """The text of an HTML page, which a notebook displays in a frame."""

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{html.escape(self)}" sandbox="allow-scripts" title="latent explorer" '
            f'style="width: {WIDTH}; height: {HEIGHT}px; border: 0"></iframe>'
        )


@blas_threads()
def explore(
    vae: VAE,
    images: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    noise: float = 0.0,
    name: str = "",
    credit: str | None = None,
) -> Page:
    """The latent explorer of a model: one HTML page, without a server and without a request.

    Everything is computed in the browser, with weights rounded to 16 bits: μ and σ of a picture,
    the decoder's pictures, for one and two latents the true posterior and the evidence, by
    integration, and for more a bound of 50 draws.

    Parameters
    ----------
    vae : VAE
        With a Bernoulli likelihood.
    images : array_like, (N, X) or (N, height, width)
        Which the model was not trained on.
    labels : array_like, (N,), optional
        Of any kind, such as 0 to 9; without them the means have one color.
    noise : float
        Standard deviation of the noise on the encoder's input, for a denoising model.
    name : str
        Of the data, for the headline.
    credit : str, optional
        A line about the images for the footer; None names the authors and the license of MNIST if
        test images of it are among the first hundred.

    Returns
    -------
    Page
        The text of the page, a str, which a notebook displays.

    Raises
    ------
    ValueError
        For a model or images that the page cannot show.

    Examples
    --------
    >>> import numpy as np
    >>> from pathlib import Path
    >>> from numpyvae import VAE
    >>> from numpyvae.explorer import explore
    >>> images = np.random.default_rng(0).random((50, 6, 6))
    >>> page = explore(VAE(hidden=3, latent=2, image_shape=(6, 6)), images)
    >>> _ = Path("explore.html").write_text(page, encoding="utf-8")
    """
    table = contents(vae, images, labels, noise=noise, name=name, credit=credit)
    style, script = _web("page.css"), "\n".join(_web(f"{name}.js") for name in SCRIPTS)
    text = _web("page.html")
    for place, content in {
        "STYLE-HASH": _hash(style),
        "SCRIPT-HASH": _hash(script),
        "/* style */": style,
        "/* script */": script,
        "/* data */": _json(table),
    }.items():
        assert text.count(place) == 1, place
        text = text.replace(place, content)
    return Page(text)


def _json(table: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in, and without the words of SUSPECT."""
    text = json.dumps(table, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
    for word in SUSPECT:
        text = text.replace(word, f"\\u{ord(word[0]):04x}{word[1:]}")
    return text


def _hash(content: str) -> str:
    """The hash by which the page's own policy admits a script or a style, and no other."""
    return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()


def _web(name: str) -> str:
    return files("numpyvae.explorer").joinpath("web", name).read_text(encoding="utf-8")
