"""What does a person type, and what is printed? The command `numpyvae`.

Read command_line (main and its parser), console (messages and progress bars) and settings_options
(the options of train and sweep). Then there is a file for each command, such as train.
"""

from numpyvae.cli.command_line import main

__all__ = ["main"]
