"""The command as a process: outputs that are closed, full or narrow, and odd environments."""

import io
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from numpyvae.cli.console import complain
from numpyvae.cli.process import PLAIN

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(os.name == "nt", reason="written for a POSIX shell and its devices"),
]


def shell(command, cwd, **environment):
    """Run `numpyvae …` in a shell. The bytes of its outputs, and its exit status."""
    command = command.replace("numpyvae", f"{sys.executable} -m numpyvae", 1)
    done = subprocess.run(
        command,
        shell=True,
        executable="/bin/bash",
        cwd=cwd,
        capture_output=True,
        env={k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"} | environment,
        timeout=300,
    )
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    return done.stdout, done.stderr, done.returncode


TRAIN = "numpyvae train --data images.npz --hidden 8 --epochs 1 --out new"


def test_every_replacement_is_ascii():
    assert all(text.isascii() for text in PLAIN.values())


@pytest.mark.parametrize(
    "encoding",
    ["ascii", "cp932", *(pytest.param(name, marks=pytest.mark.slow) for name in ("cp1251", "gbk"))],
)
def test_a_narrow_output_gets_ascii_that_reads_the_same(trained, tmp_path, encoding):
    trained()
    out, err, status = shell(
        "numpyvae evaluate model --images 9 --gap-images 3", tmp_path, PYTHONIOENCODING=encoding
    )
    assert (err, status) == (b"", 0)
    text = out.decode(encoding)
    assert ("+- standard error" if encoding == "ascii" else "± standard error") in text
    out, err, status = shell("numpyvae gradcheck --list", tmp_path, PYTHONIOENCODING=encoding)
    assert (err, status) == (b"", 0)
    assert "sigma^2" in out.decode(encoding)


def test_a_closed_output_is_a_sentence_and_nothing_is_lost(trained, data, tmp_path):
    trained()
    for command in ("numpyvae evaluate model --images 9 --gap-images 3", TRAIN):
        _, err, status = shell(f"{command} >&-", tmp_path)
        assert err == b"numpyvae: standard output is closed; redirect it to a file\n"
        assert status == 1
    assert not (tmp_path / "new" / "model.npz").exists()
    assert shell(TRAIN, tmp_path)[1:] == (b"", 0)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize(
    "command",
    [
        "numpyvae evaluate model --images 9 --gap-images 3",
        TRAIN,
        "numpyvae --help",
        "numpyvae --version",
    ],
)
def test_a_full_output_is_a_sentence(trained, data, tmp_path, command):
    trained()
    _, err, status = shell(f"{command} > /dev/full", tmp_path)
    assert err == b"numpyvae: standard output: no space is left on the disk; free some\n"
    assert status == 1
    assert not list(tmp_path.rglob("*.unfinished"))


def test_without_standard_error_the_status_tells(data, tmp_path):
    assert shell("numpyvae train --nonsense 2>&-", tmp_path) == (b"", b"", 2)
    assert shell("numpyvae evaluate nowhere 2>&-", tmp_path) == (b"", b"", 2)
    assert shell(f"{TRAIN} 2>&- <&-", tmp_path)[1:] == (b"", 0)


def test_an_output_that_nobody_reads(data, tmp_path):
    _, err, _ = shell(f"{TRAIN} | true", tmp_path)
    assert err == b""


def test_a_name_that_is_not_utf8(data, tmp_path):
    out, err, status = shell(TRAIN.replace("new", r"$'n\377w'"), tmp_path)
    assert (err, status) == (b"", 0)
    assert b"\nn?w holds model.npz" in out
    assert os.path.exists(os.fsencode(tmp_path) + b"/n\xffw/model.npz")


@pytest.mark.parametrize(
    "environment",
    [
        {"MPLBACKEND": "nonsense"},
        {"MPLBACKEND": "TkAgg", "DISPLAY": ""},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "TERM": "dumb"},
        {"COLUMNS": "1"},
        {"PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error"},
        {"HOME": "/nowhere", "MPLCONFIGDIR": "/nowhere", "XDG_CACHE_HOME": "/nowhere"},
    ],
)
def test_odd_environments(data, tmp_path, environment):
    out, _, status = shell(TRAIN, tmp_path, **environment)
    assert status == 0
    assert out.count(b"\n") == 6
    assert (tmp_path / "new" / "loss.png").exists()


@pytest.mark.parametrize("delay", [0.02, 0.05, 0.1, 0.2, 0.3, 0.4])
def test_ctrl_c_while_the_command_is_loaded_is_no_traceback(tmp_path, delay):
    """NumPy and matplotlib take about 0.3 s. `reproduce` then trains until it is stopped."""
    code = "from numpyvae.cli.process import start; print(flush=True); raise SystemExit(start())"
    with subprocess.Popen(
        [sys.executable, "-c", code, "reproduce", "classic", "--jobs", "1"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        start_new_session=True,
    ) as process:
        process.stdout.readline()
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        try:
            _, error = process.communicate(timeout=60)
        finally:
            process.kill()  # if it is still there
    assert process.returncode in (130, -signal.SIGINT)
    assert error in (b"", b"numpyvae: stopped\n")


def test_a_file_prints_no_lines_and_no_escape_codes_of_its_own(capsys):
    assert complain("a.npz: format 'x\n\x1b[31mnumpyvae: all good', expected 1", 2) == 2
    err = capsys.readouterr().err
    assert err == "numpyvae: a.npz: format 'x\\n\\x1b[31mnumpyvae: all good', expected 1\n"
    complain("9" * 100_000, 2)
    assert len(capsys.readouterr().err) < 2100


def test_a_bar_starts_no_thread():
    from numpyvae.cli.console import Bar

    before = threading.active_count()
    with Bar(range(3), disable=False, file=io.StringIO()) as shown:
        assert threading.active_count() == before
        assert list(shown) == [0, 1, 2]
