"""What a VAE has learned, drawn: each returns a matplotlib figure (animation writes a GIF).

    numpyvae.pictures.manifold(vae).savefig("manifold.png")

The figures belong to nobody's global state, so nothing has to be closed afterwards.
"""

from numpyvae.pictures.canvas import COLOURS, STYLE, tile
from numpyvae.pictures.evaluation import ladder, latent_kl, posteriors
from numpyvae.pictures.gradcheck import gradients
from numpyvae.pictures.model import (
    latent,
    loss,
    manifold,
    reconstructions,
    reference_losses,
    samples,
)
from numpyvae.pictures.views import animation, interpolation, walk

__all__ = [
    "COLOURS",
    "STYLE",
    "animation",
    "gradients",
    "interpolation",
    "ladder",
    "latent",
    "latent_kl",
    "loss",
    "manifold",
    "posteriors",
    "reconstructions",
    "reference_losses",
    "samples",
    "tile",
    "walk",
]
