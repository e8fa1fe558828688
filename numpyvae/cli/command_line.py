"""The command `numpyvae`: its parser, and main."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from numpyvae import __version__
from numpyvae.cli import course, draw, evaluate, explore, gradcheck, reproduce, sweep, train
from numpyvae.cli.console import OutputError, complain, in_a_line, stopped

COMMANDS = (train, sweep, explore, gradcheck, evaluate, draw, reproduce, course)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Exit status: 0 done, 1 failed, 2 bad input, 130 Ctrl-C, 143 terminated."""
    try:
        options = parser().parse_args(arguments)
        with np.errstate(over="ignore", invalid="ignore"):  # results are checked instead
            status: int = options.run(options)
        return status
    except KeyboardInterrupt as stop:
        return stopped(stop)
    except BrokenPipeError:  # the output is a closed pipe, as after `| head`
        return 1
    except OutputError as error:
        return complain(error, 1)
    except MemoryError as error:
        return complain(
            f"not enough memory ({error}); use a smaller model, fewer images or a smaller k", 2
        )
    except (ValueError, OSError) as error:
        return complain(error, 2)


def parser() -> argparse.ArgumentParser:
    """The parser of all commands. Each command module adds its own options."""
    top = OneLineParser(
        prog="numpyvae",
        description="The variational auto-encoder in plain NumPy, every gradient written by hand.",
        epilog="To begin: numpyvae train.   All its options: numpyvae train --help",
    )
    top.add_argument("--version", action="version", version=f"numpyvae {__version__}")
    commands = top.add_subparsers(required=True, title="commands", metavar="COMMAND")
    for command in COMMANDS:
        made = commands.add_parser(
            command.__name__.rpartition(".")[2],
            help=command.HELP,
            description=command.DESCRIPTION,
            epilog=command.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,  # or --seed 7 would mean --seeds 7
        )
        command.add_options(made)
        made.set_defaults(run=command.run)
    return top


class OneLineParser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line, without the usage above it."""

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse the arguments; an unknown one is an error of this command, not of `numpyvae`."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, []

    def error(self, message: str) -> NoReturn:
        """Print the error in one line and exit with status 2."""
        self.exit(2, f"{self.prog}: {in_a_line(message)}; see {self.prog} --help\n")
