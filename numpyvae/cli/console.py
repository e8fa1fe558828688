"""Messages, progress bars, and options that several commands share."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress

from tqdm import tqdm

from numpyvae.runs.run_folder import RunFolder
from numpyvae.support.files import folder_for, in_words
from numpyvae.support.interrupts import Terminated
from numpyvae.support.types import Item


class OutputError(OSError):
    """Standard output cannot be written."""


def say(line: object) -> None:
    """Print a line above a progress bar, if there is one; raises OutputError if that fails."""
    if sys.stdout is None:
        raise OutputError("standard output is closed; redirect it to a file")
    try:
        tqdm.write(str(line))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(in_words(error, "standard output")) from None


def complain(problem: object, status: int) -> int:
    """Print a problem to standard error in one line; return the exit status."""
    with suppress(OSError):  # there is nowhere else to say it
        text = in_words(problem) if isinstance(problem, OSError) else str(problem)
        print(f"numpyvae: {in_a_line(text)}", file=sys.stderr, flush=True)
    return status


def in_a_line(text: str) -> str:
    """The text without escape codes, and without the middle if it is very long."""
    if len(text) > 2000:
        text = f"{text[:1000]} ... {text[-900:]}"
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def stopped(stop: KeyboardInterrupt, kept: str = "") -> int:
    """Say that Ctrl-C or SIGTERM stopped the command, and what is kept; return the exit status."""
    terminated = isinstance(stop, Terminated)
    what = "terminated" if terminated else "stopped"
    return complain(f"{what}; {kept}" if kept else what, 143 if terminated else 130)


def flush_output(status: int) -> int:
    """Write what is left to be printed; if that fails, say so and return another exit status."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
        return status
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for the flush at the end
        if isinstance(error, BrokenPipeError) or status != 0:
            return status or 1
        return complain(in_words(error, "standard output"), 1)


class Bar(tqdm):  # type: ignore[type-arg]
    """A progress bar without tqdm's thread, which Ctrl-C could stop half-way as it starts."""

    monitor_interval = 0


def bar(
    items: Iterable[Item], unit: str = "it", delay: float = 1.0, total: int | None = None
) -> Iterator[Item]:
    """The items, with a progress bar after `delay` seconds, on a terminal only.

    total  the number of items, if they have no length
    """
    with Bar(items, unit=unit, delay=delay, total=total, leave=False, disable=None) as progress:
        yield from progress


def add_run_folder(command: argparse.ArgumentParser) -> None:
    """Add the options of commands that read a run folder: its name, other images, and --out."""
    command.add_argument("dir", metavar="DIR", help="the folder that numpyvae train wrote")
    images = "use other images; of an .npy file, the last tenth"
    command.add_argument("--data", metavar="PATH", help=images)
    out = "folder for what is written (DIR)"
    command.add_argument("--out", metavar="FOLDER", help=out)


def out_folder(options: argparse.Namespace) -> RunFolder:
    """The folder for what is written, which may not exist yet."""
    return RunFolder(options.dir if options.out is None else folder_for(options.out, "--out"))
