"""Where are the results of a training kept? A run is a folder with model, history and settings.

Read options (an option, declared once), settings (the options of a training), checkpoints (one
model as a file), history (the losses as a file), run_folder (its files and their names), run (a
training that writes its folder), processes (many trainings at once), sweep (a training for every
combination of settings), reproduction (published losses), then burda (a published experiment of
several days).
"""

from numpyvae.runs.burda import Burda
from numpyvae.runs.checkpoints import load, save
from numpyvae.runs.reproduction import PUBLISHED, Published, Reproduction, reproduce
from numpyvae.runs.run import Run
from numpyvae.runs.run_folder import RunFolder
from numpyvae.runs.settings import Settings
from numpyvae.runs.sweep import Sweep

__all__ = [
    "PUBLISHED",
    "Burda",
    "Published",
    "Reproduction",
    "Run",
    "RunFolder",
    "Settings",
    "Sweep",
    "load",
    "reproduce",
    "save",
]
