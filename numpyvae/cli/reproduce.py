"""numpyvae reproduce: train a published setup and compare the losses."""

from __future__ import annotations

import argparse
from functools import partial

from numpyvae.cli.console import add_jobs, bar, complain, say
from numpyvae.runs.reproduction import PUBLISHED, reproduce
from numpyvae.support.inputs import check_count

HELP = "train a published setup, and compare the losses"
DESCRIPTION = """\
Train a published setup on full MNIST and print our losses beside the
published ones. Exit status: 0 if all agree, 1 if not."""
EXAMPLES = """\
examples:
  numpyvae reproduce classic                    50 epochs for each seed: about two minutes each
  numpyvae reproduce pytorch-400-20 --seeds 1   10 epochs
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    command.add_argument("name", choices=PUBLISHED, help="the setup to reproduce")
    seeds = "number of trainings, with seeds 0, 1, … (3)"
    command.add_argument("--seeds", type=int, default=3, metavar="N", help=seeds)
    add_jobs(command)


def run(options: argparse.Namespace) -> int:
    """Train and print the comparison. Exit status 1 if a loss disagrees or a training fails."""
    seeds = range(check_count("seeds", options.seeds))
    progress = partial(bar, unit="epoch", delay=0.0)
    try:
        result = reproduce(PUBLISHED[options.name], seeds, options.jobs, progress)
    except RuntimeError as error:
        return complain(error, 1)
    say(result)
    for seed, problem in result.problems.items():
        complain(f"seed {seed}: {problem}", 1)
    return 0 if result.agrees.all() and not result.problems else 1
