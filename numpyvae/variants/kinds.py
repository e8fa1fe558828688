"""The tables of models and likelihoods, by their names in files and on the command line.

A class of your own is saved and loaded like these once it is in the table: `KINDS["Mine"] = Mine`.
"""

from numpyvae.core.bernoulli import Bernoulli, Likelihood
from numpyvae.core.vae import VAE
from numpyvae.variants.free_bits import FreeBits
from numpyvae.variants.gaussian import Gaussian
from numpyvae.variants.gaussian_vae import GaussianVAE
from numpyvae.variants.iwae import IWAE

KINDS: dict[str, type[VAE]] = {
    "VAE": VAE,
    "IWAE": IWAE,
    "FreeBits": FreeBits,
    "GaussianVAE": GaussianVAE,
}
LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "gaussian": Gaussian,
}
