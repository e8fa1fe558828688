"""The command as a process of its own: its signals, and outputs that are closed or narrow."""

from __future__ import annotations

import codecs
import os
import signal
import sys
import unicodedata

TYPE_CHECKING = False  # see numpyvae/__init__.py
if TYPE_CHECKING:
    from typing import Any

PLAIN = {"±": "+-", "·": "*", "×": "x", "²": "^2", "→": "->", "…": "...", "‖": "||", "−": "-"}
GREEK = {"β": "beta", "ε": "eps", "η": "eta", "θ": "theta", "μ": "mu", "ρ": "rho", "σ": "sigma"}


def start() -> int:
    """Run the command that was typed; return its exit status."""
    _ctrl_c(signal.default_int_handler, signal.SIG_DFL)  # no traceback while NumPy is imported
    os.environ["MPLBACKEND"] = "agg"  # pictures are files only, whatever is set
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")
    if sys.stderr is None:  # closed: messages go nowhere
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115

    from numpyvae.cli.command_line import main
    from numpyvae.cli.console import flush_output
    from numpyvae.support.interrupts import raise_terminated

    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, raise_terminated)
    try:
        _ctrl_c(signal.SIG_DFL, signal.default_int_handler)
        status = main()
    except KeyboardInterrupt:
        status = 130
    except SystemExit as stop:  # argparse's way
        status = stop.code if isinstance(stop.code, int) else 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # there is nothing left to stop
    return flush_output(status)


def _ctrl_c(now: Any, then: Any) -> None:
    """Change the handler of Ctrl-C, unless a job in the background ignores it."""
    if signal.getsignal(signal.SIGINT) == now:
        signal.signal(signal.SIGINT, then)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an output lacks by ASCII that reads the same."""
    assert isinstance(error, UnicodeEncodeError)
    text = ""
    for character in error.object[error.start : error.end]:
        plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
        text += PLAIN.get(character) or GREEK.get(character) or plain or "?"
    return text, error.end
