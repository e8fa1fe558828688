"""numpyvae: the variational auto-encoder in plain NumPy, every gradient written by hand.

Each package, called a room, answers one question. Its first lines say in which order to read it.
Begin with core: the model and its training. Around it are data (images), variants, runs (trainings
on disk), evaluation, gradcheck (any gradient), debugging (the backward pass of a VAE), pictures,
course (the tutorials), cli (the command line) and support (small helpers).
"""

from numpyvae import debugging, evaluation, gradcheck, pictures
from numpyvae.core.optimizers import RMSprop
from numpyvae.core.trace import Loss, Trace
from numpyvae.core.training import Epoch, train
from numpyvae.core.vae import VAE
from numpyvae.data import load_idx, load_mnist
from numpyvae.runs import load, save
from numpyvae.variants import Adam

__version__ = "0.2.0"

__all__ = [
    "VAE",
    "Adam",
    "Epoch",
    "Loss",
    "RMSprop",
    "Trace",
    "debugging",
    "evaluation",
    "gradcheck",
    "load",
    "load_idx",
    "load_mnist",
    "pictures",
    "save",
    "train",
]
