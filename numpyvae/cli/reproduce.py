"""numpyvae reproduce: run an experiment with known results, and compare."""

from __future__ import annotations

import argparse
from functools import partial

from numpyvae.cli.console import bar, complain, say, stopped
from numpyvae.cli.executors import add_executor, executor, how_to_go_on
from numpyvae.cli.train import draw
from numpyvae.evaluation.many_draws import NegativeLogLikelihoods
from numpyvae.runs.many import Failure
from numpyvae.runs.reproduction import EXPERIMENTS, Reproduction
from numpyvae.runs.run import Run

HELP = "train a published setup, and compare the losses"
DESCRIPTION = """\
Train a published setup on full MNIST, a run for each seed, and print our
results beside the known ones. Stop it at any time: the same command goes on.
What is in its folder is not computed again."""
EXAMPLES = """\
examples:
  numpyvae reproduce classic                    50 epochs for each of 3 seeds
  numpyvae reproduce pytorch-400-20 --seeds 1   10 epochs
  numpyvae reproduce burda-vae --epochs 10      the first 10 of 3,280 epochs, and the NLL
  numpyvae reproduce burda-vae --epochs 50      go on to 50 epochs

experiments:
{}

exit status: 0 if no result disagrees, 1 if one does or a run fails, 2 for bad input
""".format("\n".join(f"  {name:15} {each.source}" for name, each in EXPERIMENTS.items()))


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    command.add_argument("name", choices=EXPERIMENTS, metavar="NAME", help="the experiment")
    seeds = "number of runs, with seeds 0, 1, … (3; burda: 1)"
    command.add_argument("--seeds", type=int, metavar="N", help=seeds)
    epochs = "the first epochs of the experiment (all)"
    command.add_argument("--epochs", type=int, metavar="N", help=epochs)
    add_executor(command)
    out = "folder for the runs (numpyvae-NAME)"
    command.add_argument("--out", metavar="DIR", help=out)


def run(options: argparse.Namespace) -> int:
    """Train what is missing, and print the comparison. Exit status 1 if a result disagrees."""
    out = f"numpyvae-{options.name}" if options.out is None else options.out
    found = Reproduction(EXPERIMENTS[options.name], out, options.seeds, options.epochs)
    problems: dict[str, Failure] = {}
    try:
        with executor(options) as workers:
            finish = partial(_finish, draws=found.experiment.draws)
            for name, result in bar(found.train(workers, finish), unit="epoch", delay=0.0):
                if isinstance(result, Failure):
                    problems[name] = result
                else:
                    say(f"{name}: {result}")
    except KeyboardInterrupt as stop:
        epochs = sum(found.folder(name).epochs_done(run) for name, run in found.runs.items())
        kept = f"{found.out} holds {epochs:,} epochs; {how_to_go_on(options)}" if epochs else ""
        return stopped(stop, kept)
    say(found)
    say(f"{found.out} holds a folder for each run")
    for name, failure in problems.items():
        complain(f"{name}: {failure.problem}", 1)
    return 0 if found.agrees() and not problems else 1


def _finish(run: Run, draws: int) -> None:
    """Draw the pictures of a run and, with draws, measure the NLL of all test images."""
    draw(run)
    if draws:
        path, pixels = run.folder.path, run.settings.pixels
        for _ in NegativeLogLikelihoods(path, run.vae, run.data.x_test, pixels, draws):
            pass
