"""numpyvae course: the tutorials as a working folder of your own."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

from numpyvae.cli.console import complain, say
from numpyvae.course import start

HELP = "tutorials with exercises, from one dense layer to the exact likelihood"
DESCRIPTION = """\
Write the notebooks of the course, without their solutions, and a README to a
folder of yours. Existing files are not changed.

Later notebooks run the functions and imports of earlier ones in the same
folder, so keep only notebooks there that you would run yourself."""
EXAMPLES = """\
example:
  numpyvae course start my-course
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    writes = "write the working folder"
    command.add_argument("action", choices=["start"], metavar="start", help=writes)
    command.add_argument("dir", metavar="DIR", help="the folder; it is made if it does not exist")


def run(options: argparse.Namespace) -> int:
    """Write the working folder and print the next step."""
    try:
        written, kept = start(options.dir)
    except PermissionError:
        return complain(f"{options.dir}: no permission to write there; name another folder", 2)
    for names, done in ((written, "written"), (kept, "already there, not changed")):
        if names:
            say(f"{done}: {', '.join(names)}")
    first = Path(options.dir) / min(written + kept)
    say(
        f"next: open {first} in Jupyter or VS Code\n"
        f"      (for Jupyter: pip install jupyterlab && jupyter lab {shlex.quote(str(first))})"
    )
    return 0
