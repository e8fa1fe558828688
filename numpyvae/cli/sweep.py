"""numpyvae sweep: trainings for every combination of settings and seeds."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpyvae import pictures
from numpyvae.cli.console import bar, complain, say, stopped
from numpyvae.cli.executors import add_executor, executor, how_to_go_on
from numpyvae.cli.settings_options import add_settings, given
from numpyvae.cli.train import draw
from numpyvae.core.trace import Loss
from numpyvae.runs.many import Busy, Failure
from numpyvae.runs.sweep import COLUMNS, Point, Sweep, word, words
from numpyvae.support.files import write_file

HELP = "train every combination of settings and seeds, many at once"
DESCRIPTION = """\
Train a VAE for every combination of the values given and for several seeds,
each in a process and a folder of its own. Print a table of the test losses and
draw them; of an IWAE, the column ELBO holds its own bound. Runs whose folder in
--out is complete are not repeated. (Delete it if the images have changed.) Two
sweeps on one folder share the work."""
EXAMPLES = """\
examples:
  numpyvae sweep --beta 0.1 0.5 1 2 4 --seeds 3            15 runs
  numpyvae sweep --hidden 64 256 512,256 --latent 2 20     three networks, two numbers of latents
  numpyvae sweep --seeds 5 --jobs 2                        the classic with five seeds
  numpyvae sweep --seeds 40 --dask tcp://node1:8786        on many machines

With --dask, --out must lie on a file system that all workers share. A run whose
worker dies is done by another one, and has the same bits whoever computes it.

exit status: 0 if every run has completed, 1 if not or if another process still
trains one, 2 for bad input
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_settings(command, several=True)
    group = command.add_argument_group("runs")
    seeds = "number of runs of each combination, with seeds 0, 1, … (1)"
    group.add_argument("--seeds", type=int, default=1, metavar="N", help=seeds)
    add_executor(group)
    out = "folder for the runs, the table and the pictures (numpyvae-sweep)"
    group.add_argument("--out", metavar="DIR", default="numpyvae-sweep", help=out)


def run(options: argparse.Namespace) -> int:
    """Train what is missing, then print and draw the table. Exit status 1 if a run fails."""
    sweep = Sweep(_lists(given(options)), options.seeds, options.out)
    missing = sweep.missing()
    say(_headline(sweep, len(missing)))
    try:
        problems = _train(sweep, options) if missing else {}
    except KeyboardInterrupt as stop:
        done = len(sweep.runs) - len(sweep.missing())
        complete = f"{done} of {len(sweep.runs)} runs in {sweep.out} are complete"
        return stopped(stop, f"{complete}; {how_to_go_on(options)}")
    points = sweep.results()
    if points:
        files = _save(sweep, points)
        error = "; mean ± standard error over the seeds" if len(sweep.seeds) > 1 else ""
        say(f"of the test images, in nats per image{error}\n{table(points)}")
        say(f"{sweep.out} holds {', '.join(files)} and a folder for each run")
    else:
        say("no run has completed, so there is no table")
    for name, failure in problems.items():
        complain(f"{name}: {failure.problem}", 1)
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


def _train(sweep: Sweep, options: argparse.Namespace) -> dict[str, Failure]:
    """Train the missing runs; print the last epoch of each. The problems by name of the run."""
    problems = {}
    with executor(options) as workers:
        for name, result in bar(sweep.train(workers, draw), unit="epoch", delay=0.0):
            if isinstance(result, Failure):
                problems[name] = result
                busy = isinstance(result, Busy)
                say(f"{name}: {'left to another process' if busy else 'failed'}")
            elif result.number == result.epochs and result.test is not None:
                said = f"{result.test.elbo:.2f} = -({result.test.reconstruction:.2f} + "
                say(f"{name}: test ELBO {said}{result.test.kl:.2f})")
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


def table(points: Sequence[Point]) -> str:
    """A line for each point: its values, and mean ± standard error over the seeds, in nats."""
    names = list(points[0].values)
    heads = [*names, "seeds", "ELBO", "reconstruction", "KL"]
    rows = [
        [
            *(word(value) for value in point.values.values()),
            str(len(point.losses)),
            *(_with_error(*pair) for pair in point.summary().values()),
        ]
        for point in points
    ]
    widths = [max(map(len, column)) for column in zip(heads, *rows)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in [heads, *rows]
    )


def _with_error(mean: float, error: float) -> str:
    """As "-156.24 ± 0.31"; a single seed has no standard error."""
    return f"{mean:.2f} ± {error:.2f}" if np.isfinite(error) else f"{mean:.2f}"


def save_table(path: Path, points: Sequence[Point]) -> None:
    """Write the same table as CSV, unrounded; the error of a single seed is left empty."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    columns = [column for name in COLUMNS for column in (name, f"{name}_error")]
    rows.writerow([*points[0].values, "seeds", *columns])
    for point in points:
        pairs = point.summary().values()
        cells = [cell if np.isfinite(cell) else "" for pair in pairs for cell in pair]
        rows.writerow([*map(word, point.values.values()), len(point.losses), *cells])
    write_file(path, text.getvalue().encode())
