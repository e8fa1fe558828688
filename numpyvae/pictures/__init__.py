"""What does it look like? Every function returns a matplotlib figure; `animation` writes a GIF.

    numpyvae.pictures.manifold(vae).savefig("manifold.png")

The figures are not registered in pyplot, so they need not be closed. The files are independent;
read the one for your subject: training, latent_space, image_grids, evaluation, gradcheck, sweep,
gif. All of them draw on a canvas.
"""

from numpyvae.evaluation.references import reference_losses
from numpyvae.pictures.canvas import COLOURS, STYLE, as_png, save_all, tile
from numpyvae.pictures.evaluation import holes, ladder, latent_kl, posteriors
from numpyvae.pictures.gif import animation
from numpyvae.pictures.gradcheck import gradients
from numpyvae.pictures.image_grids import interpolation, reconstructions, samples, walk
from numpyvae.pictures.latent_space import latent, manifold
from numpyvae.pictures.sweep import loss_by_setting, rate_distortion
from numpyvae.pictures.training import loss

__all__ = [
    "COLOURS",
    "STYLE",
    "animation",
    "as_png",
    "gradients",
    "holes",
    "interpolation",
    "ladder",
    "latent",
    "latent_kl",
    "loss",
    "loss_by_setting",
    "manifold",
    "posteriors",
    "rate_distortion",
    "reconstructions",
    "reference_losses",
    "samples",
    "save_all",
    "tile",
    "walk",
]
