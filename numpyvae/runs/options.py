"""An option of training, declared once: its default, help, check, and place on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from numpyvae.support.inputs import check_choice, check_count, check_number

Check = Callable[[str, Any], Any]  # name and value → the value as it is kept; raises ValueError


def as_it_is(name: str, value: Any) -> Any:
    """The check of an option that the object refuses which it is made for."""
    return value


@dataclass(frozen=True)
class Option:
    """What is known of an option beside its name, type and default.

    help     for docstring and command line
    group    its heading on the command line; "" if it is not in the help
    check    refuses what no training could use
    type     of the words on the command line; None for a text, or for a flag
    choices  all values that there are, if they have names
    metavar  stands for the value in the help
    shown    stands for the default in the help
    """

    help: str
    group: str
    check: Check = as_it_is
    type: Callable[[str], Any] | None = None
    choices: tuple[str, ...] = ()
    metavar: str | None = None
    shown: str | None = None


def option(default: Any, help: str, group: str, check: Check = as_it_is, **more: Any) -> Any:
    """A field of Settings."""
    return field(default=default, metadata={"option": Option(help, group, check, **more)})


def count(default: int, help: str, group: str, *, least: int = 1, **more: Any) -> Any:
    """An option that is a whole number."""
    check = partial(check_count, least=least)
    return option(default, help, group, check, **{"type": int, "metavar": "N"} | more)


def number(default: float, help: str, group: str, **more: Any) -> Any:
    """An option that is a number of at least 0."""
    return option(default, help, group, check_number, type=float, **more)


def choice(default: str, help: str, group: str, choices: Iterable[str], **more: Any) -> Any:
    """An option that is one of some names."""
    check = partial(check_choice, choices=choices)  # also what is added to a table later
    return option(default, help, group, check, choices=tuple(choices), **more)
