"""numpyvae reproduce: train a published setup and compare the losses."""

from __future__ import annotations

import argparse
from functools import partial

from numpyvae import pictures
from numpyvae.cli.console import add_jobs, bar, complain, say, stopped
from numpyvae.cli.settings_options import VERSIONS
from numpyvae.runs.burda import EPOCHS, MODELS, NLL, TABLE, Burda
from numpyvae.runs.processes import Failure
from numpyvae.runs.reproduction import PUBLISHED, reproduce
from numpyvae.support.inputs import check_count

BURDA = "burda"
CURVES = "curves.png"
HELP = "train a published setup, and compare the losses"
DESCRIPTION = """\
Train a published setup on full MNIST and print our losses beside the
published ones. Exit status: 0 if all agree, 1 if not.

classic and pytorch-400-20 are trained with several seeds. burda trains a VAE
and two importance-weighted auto-encoders (IWAE) for 3,280 epochs each, which
takes days, or for the first --epochs of them. It says at the start how long it
will take here. Stop it at any time, and run the same command to continue."""
EXAMPLES = """\
examples:
  numpyvae reproduce classic                    50 epochs for each seed: about two minutes each
  numpyvae reproduce pytorch-400-20 --seeds 1   10 epochs
  numpyvae reproduce burda --epochs 10          the first 10 epochs of each model
  numpyvae reproduce burda --epochs 50          go on to 50 epochs
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    command.add_argument("name", choices=[*PUBLISHED, BURDA], help="the setup to reproduce")
    add_jobs(command)
    group = command.add_argument_group("classic, pytorch-400-20")
    seeds = "number of trainings, with seeds 0, 1, … (3)"
    group.add_argument("--seeds", type=int, metavar="N", help=seeds)
    group = command.add_argument_group("burda")
    epochs = f"epochs of each model, of the published {EPOCHS:,} ({EPOCHS})"
    group.add_argument("--epochs", type=int, metavar="N", help=epochs)
    out = "folder for the runs, the table and the picture (numpyvae-burda)"
    group.add_argument("--out", metavar="DIR", help=out)


def run(options: argparse.Namespace) -> int:
    """Train and print the comparison. Exit status 1 if a loss disagrees or a training fails."""
    foreign = ("seeds",) if options.name == BURDA else ("epochs", "out")
    flags = [f"--{name}" for name in foreign if getattr(options, name) is not None]
    if flags:
        raise ValueError(f"{', '.join(flags)}: not an option of {options.name}; leave it out")
    jobs = check_count("jobs", options.jobs)
    if options.name == BURDA:
        epochs = EPOCHS if options.epochs is None else options.epochs
        return _burda(Burda("numpyvae-burda" if options.out is None else options.out, epochs), jobs)
    seeds = range(3 if options.seeds is None else check_count("seeds", options.seeds))
    progress = partial(bar, unit="epoch", delay=0.0)
    try:
        result = reproduce(PUBLISHED[options.name], seeds, jobs, progress)
    except RuntimeError as error:
        return complain(error, 1)
    say(result)
    for seed, problem in result.problems.items():
        complain(f"seed {seed}: {problem}", 1)
    return 0 if result.agrees.all() and not result.problems else 1


def _burda(burda: Burda, jobs: int) -> int:
    """Train and measure what is missing, then print and draw everything."""
    problems = {}
    try:
        _say_how_long(burda, jobs)
        names = list(burda.to_do())
        for number, result in bar(burda.run(jobs, VERSIONS), unit="step", delay=0.0):
            name = names[number]
            if isinstance(result, Failure):
                problems[name] = result.problem
            elif isinstance(result, NLL):
                say(f"{name}: NLL {result.nll:.2f} ± {result.error:.2f}")
            elif result is not None:
                say(f"{name}: {result}")
    except KeyboardInterrupt as stop:
        epochs = sum(len(burda.history(name)) for name in MODELS)
        kept = f"{burda.out} holds the {epochs:,} epochs that are complete" if epochs else ""
        return stopped(stop, kept and f"{kept}; run the same command again to continue")
    say(burda)
    done = min(len(burda.history(name)) for name in MODELS)
    if done < EPOCHS:
        say(f"{done:,} of {EPOCHS:,} epochs: this is not yet a reproduction of the published NLL")
    _draw(burda)
    say(f"{burda.out} holds {TABLE}, {CURVES} and a folder for each model")
    for name, problem in problems.items():
        complain(f"{name}: {problem}", 1)
    return 0 if burda.agrees() and not problems else 1


def _say_how_long(burda: Burda, jobs: int) -> None:
    """Print what will be computed, and how long it will take on this machine."""
    to_do = burda.to_do()
    if not to_do:
        say(f"{burda.out}: everything was computed before")
        return
    say("measuring how long this takes here ...")
    expected = burda.expected_seconds()
    for name, (training, likelihood) in expected.items():
        more = f"{to_do[name]:,} more epoch{'s'[: to_do[name] != 1]}"
        epochs = f"{duration(training)} for {more}, " if to_do[name] else ""
        say(f"{name:>8}: {epochs}{duration(likelihood)} for its NLL")
    ends = [0.0] * jobs  # when each process will be free; the next model is for the first of them
    for pair in expected.values():
        ends = [min(ends) + sum(pair), *sorted(ends)[1:]]
    say(f"in all about {duration(max(ends))} with {jobs} job{'s'[: jobs != 1]}; stop at any time")


def duration(seconds: float) -> str:
    """As "40 s", "12 min", "5.5 h" or "3.2 days"."""
    for unit, size, most in (("s", 1.0, 90.0), ("min", 60.0, 90.0), ("h", 3600.0, 48.0)):
        if seconds / size < most:
            return f"{seconds / size:.{int(unit == 'h')}f} {unit}"
    return f"{seconds / 86_400.0:.1f} days"


def _draw(burda: Burda) -> None:
    """Write the picture of the losses."""
    losses = {
        name: [epoch.test.total for epoch in burda.history(name) if epoch.test is not None]
        for name in MODELS
    }
    found = {name: (x.epochs, x.nll) for name, x in burda.likelihoods().items()}
    published = {name: model.published for name, model in MODELS.items()}
    figure = pictures.beside_published(losses, found, published, EPOCHS)
    pictures.save_all(burda.out, {CURVES: figure})
