"""What does a person type, and what is printed? The command `numpyvae`.

Read process (the command as a process: signals, closed and narrow outputs), command_line (main and
its parser), console (messages and progress bars), settings_options (the options of train and
sweep) and executors (where many runs are computed). Then there is a file for each command, such
as train.
"""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command: see `command_line`."""
    from numpyvae.cli import command_line  # loads NumPy; `process` must be there before that

    return command_line.main(arguments)
