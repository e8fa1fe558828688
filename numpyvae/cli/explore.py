"""numpyvae explore: the latent space of a trained model in one HTML file."""

from __future__ import annotations

import argparse

import numpy as np

from numpyvae.cli.console import add_run_folder, out_folder, say
from numpyvae.data import MNIST_CREDIT
from numpyvae.data.images import as_pixels, binarize, images_for
from numpyvae.explorer import explore
from numpyvae.explorer.contents import MEANS
from numpyvae.runs.run_folder import PAGE, RunFolder
from numpyvae.support.files import write_file

HELP = "the latent space of a trained model in one HTML file"
DESCRIPTION = """\
Write explore.html, a page to open in a browser. Move in the latent space, draw
a digit, and see the encoder's q, the true posterior and the costs of the
picture. The file holds everything: it needs no network and no server."""
EXAMPLES = """\
example:
  numpyvae train && numpyvae explore numpyvae-out
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_run_folder(command)


def run(options: argparse.Namespace) -> int:
    """Write the page and say where it is."""
    folder, out = RunFolder(options.dir), out_folder(options)
    vae, settings = folder.load_model(), folder.load_settings()
    data = settings.images(options.data)
    own = settings.data is None and options.data is None
    x = images_for(vae, "images", data.x_test)[:MEANS]
    if settings.pixels != "grey":
        x = binarize(as_pixels(x, np.float32), settings.pixels, np.random.default_rng(0))
    page = explore(
        vae,
        x,
        None if data.y_test is None else data.y_test[:MEANS],
        noise=settings.noise,
        name="MNIST" if own else str(options.data or settings.data),
        credit=MNIST_CREDIT if own else "",
    )
    content = page.encode()
    out.make()
    write_file(out.path / PAGE, content)
    say(f"{out.path / PAGE} holds the model, {len(content) / 1e6:.1f} MB; open it in a browser")
    return 0
