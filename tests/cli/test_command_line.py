"""The command as a whole: help, version, a closed pipe."""

import os
import subprocess
import sys

import pytest

from numpyvae import __version__
from numpyvae.cli import main
from numpyvae.cli.command_line import COMMANDS


def numpyvae(*arguments, **settings):
    return subprocess.run(
        [sys.executable, "-m", "numpyvae", *arguments], capture_output=True, text=True, **settings
    )


def test_help_and_version():
    assert numpyvae("--version").stdout == f"numpyvae {__version__}\n"
    top = numpyvae("--help").stdout
    assert all(command.HELP in " ".join(top.split()) for command in COMMANDS)
    bare = numpyvae()
    assert bare.returncode == 2
    assert bare.stderr.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_page_of_help(command):
    name = command.__name__.rpartition(".")[2]
    text = numpyvae(name, "--help").stdout
    assert text.startswith(f"usage: numpyvae {name} ")
    assert command.DESCRIPTION in text
    assert command.EXAMPLES.strip() in text
    assert f"numpyvae {name} " in command.EXAMPLES
    assert max(len(line) for line in text.splitlines()) <= 100


@pytest.mark.skipif(os.name == "nt", reason="a pipe is closed in another way on Windows")
def test_a_closed_pipe_is_not_a_traceback(data, tmp_path):
    command = [sys.executable, "-m", "numpyvae", "train", "--data", str(data), "--epochs", "99"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_a_very_long_word_is_not_repeated_whole(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--seed", "9" * 5000 + "\x1b[31m"])
    error = capsys.readouterr().err
    assert len(error) < 2200
    assert "\x1b" not in error
