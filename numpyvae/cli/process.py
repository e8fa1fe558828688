"""The command as a process of its own: its signals, and outputs that are closed or narrow."""

from __future__ import annotations

import codecs
import os
import sys

PLAIN = {"±": "+-", "·": "*", "×": "x", "²": "^2", "→": "->", "…": "...", "‖": "||", "−": "-"}
GREEK = {"β": "beta", "ε": "eps", "η": "eta", "θ": "theta", "μ": "mu", "ρ": "rho", "σ": "sigma"}


def start() -> int:
    """Run the command that was typed; return its exit status."""
    import _signal

    # no traceback while modules are imported: even `signal` takes its time, but not _signal
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    os.environ["MPLBACKEND"] = "agg"  # pictures are files only, whatever is set
    codecs.register_error("plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="plain")
    if sys.stderr is None:  # closed: messages go nowhere
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115

    import signal

    from numpyvae.cli.command_line import main
    from numpyvae.cli.console import flush_output
    from numpyvae.support.interrupts import raise_terminated

    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, raise_terminated)
    try:
        if signal.getsignal(signal.SIGINT) == signal.SIG_DFL:  # not ignored, as in the background
            signal.signal(signal.SIGINT, signal.default_int_handler)
        status = main()
    except KeyboardInterrupt:
        status = 130
    except SystemExit as stop:  # argparse's way
        status = stop.code if isinstance(stop.code, int) else 2
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # there is nothing left to stop
    return flush_output(status)


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Replace characters that an output lacks by ASCII that reads the same."""
    import unicodedata

    assert isinstance(error, UnicodeEncodeError)
    text = ""
    for character in error.object[error.start : error.end]:
        plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
        text += PLAIN.get(character) or GREEK.get(character) or plain or "?"
    return text, error.end
