"""An option for each of the Settings, with one value (train) or with several (sweep)."""

from __future__ import annotations

import argparse
from typing import Any

from numpyvae.runs.settings import Settings


def add_settings(command: argparse.ArgumentParser, several: bool = False) -> None:
    """Add an option for each of the Settings, with its default in the help.

    With `several`, each takes one value or more, and there is none for the seed. An option that is
    not given is None.
    """
    groups: dict[str, Any] = {"": command}
    for name, known in Settings.options().items():
        default, flag = getattr(Settings(), name), f"--{name.replace('_', '-')}"
        if known.group not in groups:
            groups[known.group] = command.add_argument_group(known.group)
        group = groups[known.group]
        if isinstance(default, bool):
            group.add_argument(flag, action="store_true", default=None, help=known.help)
            continue
        if several and name == "seed":
            continue
        text, type_, metavar = known.help, known.type, known.metavar
        nargs = "+" if several else None
        if isinstance(default, tuple):  # several numbers are one value
            nargs = "+"
            if several:
                text, type_, metavar = f"{text}, joined by commas", _widths, "N,N"
        shown = " ".join(map(str, default)) if isinstance(default, tuple) else str(default)
        text = f"{text} ({known.shown or shown})" if known.group else argparse.SUPPRESS
        group.add_argument(
            flag, help=text, type=type_, metavar=metavar, choices=known.choices or None, nargs=nargs
        )


def given(options: argparse.Namespace) -> dict[str, Any]:
    """The values of the settings that were given, by name, in the order of Settings."""
    values = {name: getattr(options, name, None) for name in Settings.options()}
    return {name: value for name, value in values.items() if value is not None}


def _widths(text: str) -> tuple[int, ...]:
    """The widths in "512,256" as numbers."""
    try:
        return tuple(int(width) for width in text.split(","))
    except ValueError:
        wanted = "expected widths joined by commas, such as 512,256"
        raise argparse.ArgumentTypeError(f"{wanted}, got {text!r}") from None
