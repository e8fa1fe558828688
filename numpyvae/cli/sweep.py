"""numpyvae sweep: trainings for every combination of settings and seeds."""

from __future__ import annotations

import argparse
from typing import Any

from numpyvae import pictures
from numpyvae.cli.console import add_jobs, bar, complain, say, stopped
from numpyvae.cli.settings_options import VERSIONS, add_settings, given
from numpyvae.cli.train import draw
from numpyvae.core.trace import Loss
from numpyvae.runs.processes import Failure
from numpyvae.runs.sweep import Point, Sweep, save_table, table, words
from numpyvae.support.inputs import check_count

HELP = "train every combination of settings and seeds, many at once"
DESCRIPTION = """\
Train a VAE for every combination of the values given and for several seeds,
each in a process and a folder of its own. Print a table of the test losses and
draw them; of an IWAE, the column ELBO holds its own bound. Runs whose folder in
--out is complete are not repeated. (Delete it if the images have changed.)"""
EXAMPLES = """\
examples:
  numpyvae sweep --beta 0.1 0.5 1 2 4 --seeds 3            15 runs
  numpyvae sweep --hidden 64 256 512,256 --latent 2 20     three networks, two numbers of latents
  numpyvae sweep --seeds 5 --jobs 2                        the classic with five seeds

exit status: 0 if every run has completed, 1 if not, 2 for bad input
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_settings(command, several=True)
    group = command.add_argument_group("runs")
    seeds = "number of runs of each combination, with seeds 0, 1, … (1)"
    group.add_argument("--seeds", type=int, default=1, metavar="N", help=seeds)
    add_jobs(group)
    out = "folder for the runs, the table and the pictures (numpyvae-sweep)"
    group.add_argument("--out", metavar="DIR", default="numpyvae-sweep", help=out)


def run(options: argparse.Namespace) -> int:
    """Train what is missing, then print and draw the table. Exit status 1 if a run fails."""
    jobs = check_count("jobs", options.jobs)
    sweep = Sweep(_lists(given(options)), options.seeds, options.out)
    missing = sweep.missing()
    say(_headline(sweep, len(missing)))
    try:
        problems = _train(sweep, missing, jobs) if missing else {}
    except KeyboardInterrupt as stop:
        done = len(sweep.runs) - len(sweep.missing())
        complete = f"{done} of {len(sweep.runs)} runs in {sweep.out} are complete"
        return stopped(stop, f"{complete}; the same command goes on")
    points = sweep.results()
    if points:
        files = _save(sweep, points)
        error = "; mean ± standard error over the seeds" if len(sweep.seeds) > 1 else ""
        say(f"of the test images, in nats per image{error}\n{table(points)}")
        say(f"{sweep.out} holds {', '.join(files)} and a folder for each run")
    else:
        say("no run has completed, so there is no table")
    for name, problem in problems.items():
        complain(f"{name}: {problem}", 1)
    return 1 if problems else 0


def _lists(values: dict[str, Any]) -> dict[str, list[Any]]:
    """A flag such as --keep-epochs has a single value."""
    return {name: value if isinstance(value, list) else [value] for name, value in values.items()}


def _headline(sweep: Sweep, missing: int) -> str:
    """The number of runs, and of those that need not be repeated."""
    counts = {"setting": len(sweep.points), "seed": len(sweep.seeds), "run": len(sweep.runs)}
    settings, seeds, runs = (f"{n} {name}{'s'[: n != 1]}" for name, n in counts.items())
    done = len(sweep.runs) - missing
    return f"{settings} x {seeds} = {runs}" + (f", {done} of them completed before" if done else "")


def _train(sweep: Sweep, names: list[str], jobs: int) -> dict[str, str]:
    """Train these runs; print the last epoch of each. The problems by name of the run."""
    problems = {}
    results = sweep.train(names, jobs, VERSIONS, finish=draw)
    for number, result in bar(results, unit="epoch", delay=0.0):
        name = names[number]
        if isinstance(result, Failure):
            problems[name] = result.problem
            say(f"{name}: failed")
        elif result.number == result.epochs and result.test is not None:
            test = result.test
            say(f"{name}: test ELBO {test.elbo:.2f} = -({test.reconstruction:.2f} + {test.kl:.2f})")
    return problems


def _save(sweep: Sweep, points: list[Point]) -> list[str]:
    """Write the table and the pictures; return the names of the files."""
    save_table(sweep.out / "sweep.csv", points)
    by_setting = {words(point.values) or "all": point.losses for point in points}
    curves: dict[str, list[Loss]] = {}
    for point in points:
        others = {name: value for name, value in point.values.items() if name != "beta"}
        curves.setdefault(words(others), []).extend(point.losses)
    figures = {
        "losses.png": pictures.loss_by_setting(by_setting),
        "rate_distortion.png": pictures.rate_distortion(curves),
    }
    pictures.save_all(sweep.out, figures)
    return ["sweep.csv", *figures]
