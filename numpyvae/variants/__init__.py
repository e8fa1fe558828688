"""What can be exchanged without a change in core? One file for each variation; core knows none.

adam is another optimizer; gaussian another likelihood, and gaussian_vae a VAE with it; iwae a
tighter bound, from several draws of z; free_bits a loss in which the first nats of each latent are
free; schedules changes β and the learning rate from epoch to epoch; kinds has the names of models
and likelihoods. (The names of optimizers are with the options of training, in runs.settings.)
"""

from numpyvae.variants.adam import Adam
from numpyvae.variants.free_bits import FreeBits
from numpyvae.variants.gaussian import Gaussian
from numpyvae.variants.gaussian_vae import GaussianVAE
from numpyvae.variants.iwae import IWAE
from numpyvae.variants.kinds import KINDS, LIKELIHOODS
from numpyvae.variants.schedules import Schedule

__all__ = [
    "IWAE",
    "KINDS",
    "LIKELIHOODS",
    "Adam",
    "FreeBits",
    "Gaussian",
    "GaussianVAE",
    "Schedule",
]
