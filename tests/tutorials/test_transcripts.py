"""The transcripts of the course's pages: what they print is what the commands print."""

import json
import re
import shutil

import pytest
from course.classroom import HOSTILE, notebook
from course.ten_submissions import BEGIN, POINTS, TEN
from documents import TEXTS
from tutorial_files import FOLDER

from numpyvae.cli import main
from numpyvae.course import start

pytestmark = pytest.mark.once
WRONG = "    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).mean(axis=1)\n"


def transcript(title):
    """The commands of a transcript, each with what it prints."""
    text = TEXTS["tutorials"] + TEXTS["teaching"]
    block = re.search(rf"<!-- {title} -->\n((?:    .*\n|\n(?=    ))+)", text)[1]
    lines = [line[4:] for line in block.splitlines()]
    commands = []
    for line in lines:
        if line.startswith("$ "):
            commands.append((line[2:], []))
        else:
            commands[-1][1].append(line)
    return commands


def replay(commands, capsys, monkeypatch):
    for command, expected in commands:
        name, *arguments = command.split()
        if name == "cd":
            monkeypatch.chdir(arguments[0])
            continue
        assert name == "numpyvae"
        capsys.readouterr()
        main(arguments)
        said = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "2026-11-26 16:10", capsys.readouterr().out)
        assert said.splitlines() == expected, command


def edit(path, change):
    """Change the sources of the cells of a notebook."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = change("".join(cell["source"])).splitlines(True)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_a_learner_s_first_half_hour(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    start("my-course")
    notebook = tmp_path / "my-course" / "05_elbo.ipynb"
    blank = r'    # Yours to write.*\n    raise NotImplementedError\("kl_divergence.*\n?'
    edit(notebook, lambda source: re.sub(blank, WRONG, source))
    assert "    def kl_divergence(mu, logvar):\n    " + WRONG in TEXTS["tutorials"]
    replay(transcript("learner"), capsys, monkeypatch)
    edit(notebook, lambda source: source.replace(WRONG, WRONG.replace("mean", "sum")))
    replay(transcript("learner, with sum"), capsys, monkeypatch)


def test_a_teacher_s_evening(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("s01", "s02"):
        shutil.copytree(FOLDER, f"submissions/{name}", ignore=shutil.ignore_patterns("pictures"))
    edit(tmp_path / "submissions/s02/03_network.ipynb",
         lambda source: source.replace("return dy * (y > 0)", "return dy * (dy > 0)"))  # fmt: skip
    edit(tmp_path / "submissions/s02/05_elbo.ipynb",
         lambda source: source.replace("0.5 * (mu**2", "(mu**2"))  # fmt: skip
    for name in ("s03", "s04"):
        start(f"submissions/{name}")
    loop = re.compile(r"    # Yours to write.*\n    raise NotImplementedError\(\"dense:.*\n?")
    endless = f"    {HOSTILE['endless'][0]}\n"
    right = "    return dy @ W.T, x.T @ dy, dy.sum(axis=0)\n"
    backward = re.compile(loop.pattern.replace("dense:", "dense_backward:"))
    edit(tmp_path / "submissions/s03/01_dense_layer.ipynb",
         lambda source: backward.sub(right, loop.sub(endless, source)))  # fmt: skip
    replay(transcript("teacher"), capsys, monkeypatch)
    marks = tmp_path / "submissions-marks"
    rows = (marks / "marks.csv").read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) == len(json.loads((marks / "marks.json").read_text(encoding="utf-8"))) == 4


def test_a_test_for_marks_with_ten_submissions(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, parts in TEN.items():
        notebook(tmp_path / "group" / name / "variant_4711.ipynb", BEGIN, *parts.values())
    replay(transcript("marks"), capsys, monkeypatch)
    marks = json.loads((tmp_path / "group-marks" / "marks.json").read_text(encoding="utf-8"))
    points = {
        mark["submission"]: sum(verdict["status"].startswith("ok") for verdict in mark["verdicts"])
        for mark in marks
    }
    assert points == POINTS
