"""The public names, which `numpyvae` passes on when one of them is first used."""

from numpyvae import debugging, evaluation, explorer, gradcheck, pictures
from numpyvae.core.bernoulli import BERNOULLI, Likelihood
from numpyvae.core.optimizers import RMSprop
from numpyvae.core.trace import Loss, Trace
from numpyvae.core.training import Epoch, fit, train
from numpyvae.core.vae import VAE
from numpyvae.data import load_idx, load_images, load_mnist
from numpyvae.runs import load, save
from numpyvae.variants import (
    IWAE,
    KINDS,
    LIKELIHOODS,
    Adam,
    FreeBits,
    Gaussian,
    GaussianVAE,
    Schedule,
)

__all__ = [
    "BERNOULLI",
    "IWAE",
    "KINDS",
    "LIKELIHOODS",
    "VAE",
    "Adam",
    "Epoch",
    "FreeBits",
    "Gaussian",
    "GaussianVAE",
    "Likelihood",
    "Loss",
    "RMSprop",
    "Schedule",
    "Trace",
    "debugging",
    "evaluation",
    "explorer",
    "fit",
    "gradcheck",
    "load",
    "load_idx",
    "load_images",
    "load_mnist",
    "pictures",
    "save",
    "train",
]
