"""The public names, which `numpyvae` passes on when one of them is first used."""

from numpyvae import debugging, evaluation, explorer, gradcheck, pictures
from numpyvae.core.optimizers import RMSprop
from numpyvae.core.trace import Loss, Trace
from numpyvae.core.training import Epoch, train
from numpyvae.core.vae import VAE
from numpyvae.data import load_idx, load_mnist
from numpyvae.runs import load, save
from numpyvae.variants import Adam

__all__ = [
    "VAE",
    "Adam",
    "Epoch",
    "Loss",
    "RMSprop",
    "Trace",
    "debugging",
    "evaluation",
    "explorer",
    "gradcheck",
    "load",
    "load_idx",
    "load_mnist",
    "pictures",
    "save",
    "train",
]
