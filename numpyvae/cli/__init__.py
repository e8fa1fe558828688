"""What does a person type, and what is printed? The command `numpyvae`.

Read command_line (main and its parser) and console (messages and progress bars); then there is a
file for each command: train, gradcheck, evaluate, draw, reproduce, course.
"""

from numpyvae.cli.command_line import main

__all__ = ["main"]
