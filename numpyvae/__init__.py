"""numpyvae: the variational auto-encoder in plain NumPy, every gradient written by hand.

To read the source beside the math, take the files in this order:
parameters, layers, gaussian, bernoulli, trace, vae, optimizers, training.
"""

from numpyvae import gradcheck, pictures
from numpyvae.checkpoints import load, save
from numpyvae.mnist import load_idx, load_mnist
from numpyvae.optimizers import Adam, RMSprop
from numpyvae.trace import Loss, Trace
from numpyvae.training import Epoch, train
from numpyvae.vae import VAE

__version__ = "0.1.0"

__all__ = [
    "VAE",
    "Adam",
    "Epoch",
    "Loss",
    "RMSprop",
    "Trace",
    "gradcheck",
    "load",
    "load_idx",
    "load_mnist",
    "pictures",
    "save",
    "train",
]
