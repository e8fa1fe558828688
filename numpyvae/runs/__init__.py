"""Where is a training kept? A run is a folder on disk with a model, its history and its settings.

Read settings (the options of a training), folder (the names in a run folder), checkpoints (one
model as a file), run (a training that writes its folder), then reproduction (published losses).
"""

from numpyvae.runs.checkpoints import load, save
from numpyvae.runs.folder import RunFolder
from numpyvae.runs.reproduction import PUBLISHED, Published, Reproduction, reproduce
from numpyvae.runs.run import Run
from numpyvae.runs.settings import Settings

__all__ = [
    "PUBLISHED",
    "Published",
    "Reproduction",
    "Run",
    "RunFolder",
    "Settings",
    "load",
    "reproduce",
    "save",
]
