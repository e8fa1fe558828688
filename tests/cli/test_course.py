"""numpyvae course."""

import json
import subprocess
import sys
import time

import pytest
from course.classroom import BACKWARD, DENSE, START, notebook, submit

from numpyvae.cli import main
from numpyvae.course import EXERCISES


def test_course_start_never_overwrites(tmp_path, capsys):
    folder = tmp_path / "my course"
    assert main(["course", "start", str(folder)]) == 0
    said = capsys.readouterr().out
    notebook = folder / "01_dense_layer.ipynb"
    assert f"next: open {notebook}" in said
    assert f"jupyter lab '{notebook}'" in said
    notebook.write_text("my work")
    (folder / "02_gradient_checker.ipynb").unlink()
    assert main(["course", "start", str(folder)]) == 0
    written, kept, *_ = capsys.readouterr().out.splitlines()
    assert written == "written: 02_gradient_checker.ipynb"
    assert kept.startswith("already there, not changed: 01_dense_layer.ipynb, 03_network.ipynb")
    assert notebook.read_text() == "my work"


@pytest.mark.parametrize(
    ("folder", "problem"),
    [
        ("", "dir: expected the name of a folder, got ''"),
        ("notes.txt", "dir: expected the name of a folder, got 'notes.txt'"),
    ],
)
def test_course_start_refuses_what_is_no_folder(tmp_path, monkeypatch, capsys, folder, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("a file")
    assert main(["course", "start", folder]) == 2
    assert capsys.readouterr().err == f"numpyvae: {problem}\n"


def test_a_folder_that_cannot_be_written_to(monkeypatch, capsys):
    def refuse(folder):
        raise PermissionError(13, "Permission denied", f"{folder}/.README.md.17")

    monkeypatch.setattr("numpyvae.cli.course.start", refuse)
    assert main(["course", "start", "mine"]) == 2
    said = "numpyvae: mine: no permission to write there; name another folder\n"
    assert capsys.readouterr().err == said


@pytest.fixture
def folder(tmp_path):
    """A working folder in which `dense` is right and `dense_backward` is wrong."""
    main(["course", "start", str(tmp_path / "my")])
    wrong = BACKWARD.replace("dy.sum(axis=0)", "dy.mean(axis=0)")
    notebook(tmp_path / "my" / "01_dense_layer.ipynb", START, DENSE.format("pass"), wrong)
    return tmp_path / "my"


def test_check_prints_the_map_and_what_is_wrong(folder, capsys):
    capsys.readouterr()
    assert main(["course", "check", str(folder)]) == 1
    said = capsys.readouterr().out
    lines = said.splitlines()
    assert lines[0] == "01_dense_layer"
    assert lines[1].split()[:3] == ["dense", "ok", "passed"]
    assert lines[2].split() == ["dense_backward", "not", "yet"]
    assert lines[4].split() == ["numerical_gradient", "not", "started"]
    assert "passed: 1 of 36" in lines
    assert "This is the mean over the examples; the chain rule gives their sum." in said
    assert main(["course", "check", str(folder), "dense"]) == 0
    assert "passed: 1 of 1" in capsys.readouterr().out


def test_check_prints_json(folder, capsys):
    capsys.readouterr()
    assert main(["course", "check", str(folder), "dense", "dense_backward", "--json"]) == 1
    first, second = json.loads(capsys.readouterr().out)
    assert (first["exercise"], first["status"]) == ("dense", "ok")
    assert second["kind"] == "wrong value"
    assert second["mistake"].startswith("This is the mean over the examples")


@pytest.mark.once
def test_watch_checks_again_when_a_notebook_is_saved(folder):
    command = [sys.executable, "-m", "numpyvae", "course", "check", "--watch", str(folder)]
    with subprocess.Popen([*command, "dense_backward"], stdout=subprocess.PIPE, text=True) as watch:
        try:
            lines = iter(watch.stdout.readline, "")
            assert next(line for line in lines if line.startswith("passed:")) == "passed: 0 of 1\n"
            time.sleep(1.2)  # some file systems count seconds
            submit(folder.parent, folder.name)
            assert next(line for line in lines if line.startswith("passed:")) == "passed: 1 of 1\n"
        finally:
            watch.kill()


def test_hints_are_shown_by_the_check(folder, capsys):
    for _ in range(2):
        assert main(["course", "hint", "dense", "--dir", str(folder)]) == 0
    assert main(["course", "hint", "dense", "--dir", str(folder), "--solution"]) == 0
    said = capsys.readouterr().out
    assert "dense, hint 1 of 3: Which array must be on the left" in said
    assert "return x @ W + b" in said
    main(["course", "check", str(folder), "dense"])
    assert ", 2 hints, solution read" in capsys.readouterr().out


def test_mistakes_tries_the_learner_s_own_checks(tmp_path, capsys):
    file = tmp_path / "my_checks.py"
    file.write_text(
        "import numpy as np\n"
        "def check_kl(vae):\n"
        "    assert vae.kl_divergence(np.full((1, 2), 2.0), np.zeros((1, 2)))[0] == 4\n"
    )
    assert main(["course", "mistakes", str(file)]) == 1
    said = capsys.readouterr().out
    assert "caught   the KL averaged over the latents\n" in said
    assert said.endswith("caught 1 of 24, accused no correct one\n")
    file.write_text("def check_all(vae):\n    assert False, 'no'\n")
    assert main(["course", "mistakes", str(file)]) == 1
    assert capsys.readouterr().out.endswith("caught 24 of 24, accused 4 of 4 correct ones\n")


def test_variant_writes_a_notebook_that_check_finds(tmp_path, capsys):
    assert main(["course", "variant", "--seed", "3", str(tmp_path)]) == 0
    assert "variant_3.ipynb\nnext: open it; then numpyvae course check" in capsys.readouterr().out
    assert main(["course", "check", str(tmp_path), "variant_3.kl"]) == 1
    assert "passed: 0 of 1" in capsys.readouterr().out
    assert main(["course", "variant", "--seed", "3", str(tmp_path)]) == 2
    assert "it exists and is not changed" in capsys.readouterr().err


@pytest.mark.once
def test_mark_prints_a_row_for_each_submission(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    submit(tmp_path / "class", "s01")
    submit(tmp_path / "class", "s02", "b = 0 * b")
    assert main(["course", "mark", "class/"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "2 submissions, 2 of them to mark"
    assert said[2].split() == ["s01", "2", "34", "not", "started"]
    assert said[3].split() == ["s02", "1", "34", "not", "started,", "1", "wrong", "value"]
    assert (tmp_path / "class-marks" / "gradescope" / "s02" / "results.json").exists()
    assert main(["course", "mark", "class"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "2 submissions, 0 of them to mark"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["check", "nowhere"], "nowhere: expected a working folder; numpyvae course start makes"),
        (["check", "."], ".: no notebook of these exercises in it"),
        (["check", ".", "dence"], "no exercise 'dence'; one of: dense, "),
        (["hint", "dence"], "no exercise 'dence'; one of: dense, "),
        (["mark", "nowhere"], "nowhere: expected a folder of submissions"),
        (["mistakes", "nowhere.py"], "nowhere.py: expected a Python file"),
        (["variant", "--seed", "-1"], "seed: expected a whole number of at least 0, got -1"),
    ],
)
def test_bad_input_is_a_line(tmp_path, monkeypatch, capsys, arguments, problem):
    monkeypatch.chdir(tmp_path)
    assert main(["course", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"numpyvae: {problem}")
    assert said.count("\n") == 1


def test_every_action_has_a_help(capsys):
    for action in ("start", "check", "hint", "mistakes", "variant", "mark"):
        with pytest.raises(SystemExit) as ended:
            main(["course", action, "--help"])
        assert ended.value.code == 0
        assert f"usage: numpyvae course {action}" in capsys.readouterr().out
    assert len(EXERCISES) == 36


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["hint", "dense", "--dir", "nope"], "nope: no such folder, so nothing could be noted; "),
        (["variant", "--seed", "3", ""], "dir: expected the name of a folder, got ''"),
        (["mark", "class", "--out", ""], "out: expected the name of a folder, got ''"),
    ],
)
def test_a_folder_that_is_none_is_refused(tmp_path, monkeypatch, capsys, arguments, problem):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "class" / "ada").mkdir(parents=True)
    assert main(["course", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"numpyvae: {problem}")
    assert [path.name for path in tmp_path.iterdir()] == ["class"]
