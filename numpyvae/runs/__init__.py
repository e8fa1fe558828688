"""Where are the results of a training kept? A run is a folder, and its model.npz is the run.

Read options (an option, declared once), settings (the options of a training), checkpoints (one
model as a file), run_folder (its files and their names), released (runs of 0.1 and 0.2), run (a
training that writes its folder), many (runs on any executor), processes (an executor of ours),
sweep (a run for every combination of settings), then reproduction (experiments whose results are
known).
"""

from numpyvae.runs.checkpoints import load, save
from numpyvae.runs.many import Busy, Failure, Runs
from numpyvae.runs.processes import Processes
from numpyvae.runs.reproduction import EXPERIMENTS, Experiment, Known, Reproduction
from numpyvae.runs.run import Run
from numpyvae.runs.run_folder import RunFolder
from numpyvae.runs.settings import Settings
from numpyvae.runs.sweep import Sweep

__all__ = [
    "EXPERIMENTS",
    "Busy",
    "Experiment",
    "Failure",
    "Known",
    "Processes",
    "Reproduction",
    "Run",
    "RunFolder",
    "Runs",
    "Settings",
    "Sweep",
    "load",
    "save",
]
