"""Messages, progress bars, and options that several commands share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator

from tqdm import tqdm

from numpyvae.runs.processes import cores
from numpyvae.support.types import Item


def say(line: str) -> None:
    """Print a line above a progress bar, if there is one."""
    tqdm.write(line)
    sys.stdout.flush()


def complain(problem: object, status: int) -> int:
    """Print a problem to standard error in one line; return the exit status."""
    print(f"numpyvae: {problem}", file=sys.stderr)
    return status


def bar(items: Iterable[Item], unit: str = "it", delay: float = 1.0) -> Iterator[Item]:
    """The items, with a progress bar after `delay` seconds, on a terminal only."""
    with tqdm(items, unit=unit, delay=delay, leave=False, disable=None) as progress:
        yield from progress


def add_jobs(command: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add --jobs."""
    jobs = f"runs at the same time, each in a process of its own ({cores()}, all cores)"
    command.add_argument("--jobs", type=int, default=cores(), metavar="N", help=jobs)


def add_run_folder(command: argparse.ArgumentParser) -> None:
    """Add the options of commands that read a run folder: the folder, and other images."""
    command.add_argument("dir", metavar="DIR", help="the folder that numpyvae train wrote")
    images = "use other images; of an .npy file, the last tenth"
    command.add_argument("--data", metavar="PATH", help=images)
