"""numpyvae: the variational auto-encoder in plain NumPy, every gradient written by hand.

Begin with plain.py, the whole model on two pages. Each package, called a room, answers one
question, and its first lines say in which order to read it. core is the model and its training.
Around it are data (images), variants, runs (trainings on disk), evaluation, gradcheck (any
gradient), debugging (the backward pass of a VAE), pictures, explorer (a model in one HTML page),
course (the tutorials), cli (the command line) and support (small helpers).
"""

from __future__ import annotations

from importlib import import_module

from numpyvae.support.version import __version__ as __version__

TYPE_CHECKING = False  # `typing` would take longer to import than everything else here
if TYPE_CHECKING:
    from typing import Any

    from numpyvae.public import *  # noqa: F403


def __getattr__(name: str) -> Any:
    """Import the public names when one is first used: the command starts before NumPy does."""
    public = import_module("numpyvae.public")
    if name == "__all__" or name in public.__all__:
        return getattr(public, name)
    raise AttributeError(f"module 'numpyvae' has no attribute {name!r}")


def __dir__() -> list[str]:
    public = import_module("numpyvae.public")
    return sorted({*globals(), *public.__all__})
