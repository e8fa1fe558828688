"""Marking a class: each submission gets its own verdicts, whatever another one does."""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from course.classroom import BACKWARD, HOSTILE, START, notebook, submit

from numpyvae.course import start, tutorials
from numpyvae.course.judging import judge_folder, notebooks_in
from numpyvae.course.marking import Marking
from numpyvae.support.lock import lock

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no limits of memory for a process"),
]
TWO = ("dense", "dense_backward")


def marked(marking, jobs):
    with ThreadPoolExecutor(jobs) as threads:
        yield from marking.mark(marking.missing(), threads)


def test_a_hostile_function_is_a_verdict_on_that_exercise_alone(tmp_path):
    """One good submission, and one of each hostile kind; nobody else is harmed."""
    folder = tmp_path / "class"
    submit(folder, "good")
    victim = folder / "good" / "01_dense_layer.ipynb"
    before = victim.read_bytes()
    for name, (first, _) in HOSTILE.items():
        first = first.replace("{victim!r}", repr(str(victim)))
        submit(folder, name, first.replace("{folder!r}", repr(str(folder))))
    marking = Marking(folder, tmp_path / "marks", TWO)
    marks = {mark.submission: mark for mark in marked(marking, 2)}
    assert set(marks) == {"good", *HOSTILE}
    assert victim.read_bytes() == before
    assert marks["good"].points == 2
    for name, (_, words) in HOSTILE.items():
        first, second = marks[name].verdicts
        assert words in first.text, name
        assert (first.status, second.status) == ("not yet", "ok"), name


def test_a_second_call_marks_only_what_is_new(tmp_path):
    folder, out = tmp_path / "class", tmp_path / "marks"
    for name in "abcd":
        submit(folder, name, backward=BACKWARD if name != "c" else BACKWARD.replace("sum", "mean"))
    marking = Marking(folder, out, TWO)
    first = next(marked(marking, 1))  # stopped after the first submission
    assert first.submission == "a"
    assert "a" not in marking.missing()
    assert {"c", "d"} <= set(marking.missing())
    list(marked(marking, 2))
    marking.save_tables()
    table = (out / "marks.csv").read_bytes()
    assert marking.missing() == []
    shutil.rmtree(out)
    again = Marking(folder, out, TWO)
    list(marked(again, 2))
    again.save_tables()
    assert (out / "marks.csv").read_bytes() == table
    submit(folder, "b", "b = 0 * b")
    assert again.missing() == ["b"]


def test_a_kill_half_way_does_not_change_the_table(tmp_path):
    folder = tmp_path / "class"
    for number in range(4):
        backward = BACKWARD if number % 2 else BACKWARD.replace("sum", "mean")
        submit(folder, f"{number}", backward=backward)
    command = [sys.executable, "-m", "numpyvae", "course", "mark", str(folder), "--out", "marks"]
    with subprocess.Popen([*command, "--jobs", "1"], cwd=tmp_path) as killed:
        while len(list(tmp_path.glob("marks/records/*.json"))) < 2:
            time.sleep(0.05)
        killed.kill()
    assert not (tmp_path / "marks" / "marks.csv").exists()
    for _ in range(2):
        subprocess.run(command, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    whole = Marking(folder, tmp_path / "whole")
    list(marked(whole, 2))
    whole.save_tables()
    for name in ("marks.csv", "marks.json"):
        assert (tmp_path / "marks" / name).read_text() == (tmp_path / "whole" / name).read_text()


def test_the_tables(tmp_path):
    folder, out = tmp_path / "class", tmp_path / "marks"
    submit(folder, "=s01", backward=BACKWARD.replace("sum", "mean"))
    notebook(folder / "s02.ipynb", START)
    title = {"cell_type": "markdown", "source": ["# 01 · A dense layer and its gradient\n"]}
    code = {"cell_type": "code", "source": ["def dense(x, W, b):\n", "    return x @ W + b\n"]}
    (folder / "renamed.ipynb").write_text(json.dumps({"cells": [title, code]}))
    (folder / "broken").mkdir()
    (folder / "broken" / "01_dense_layer.ipynb").write_text("{")
    marking = Marking(folder, out, TWO)
    list(marked(marking, 2))
    marking.save_tables()
    with (out / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["submission", "points", "of", "dense", "dense_backward"],
        ["'=s01", "1", "2", "ok", "not yet"],
        ["broken", "0", "2", "not yet", "not yet"],
        ["renamed.ipynb", "1", "2", "ok", "not started"],
        ["s02.ipynb", "0", "2", "not started", "not started"],
    ]
    everything = json.loads((out / "marks.json").read_text(encoding="utf-8"))
    assert everything[0]["verdicts"][1]["mistake"].startswith("This is the mean over the examples")
    assert "damaged, not a notebook" in everything[1]["verdicts"][0]["text"]
    results = json.loads((out / "gradescope" / "=s01" / "results.json").read_text())
    assert results["score"] == 1
    assert [test["status"] for test in results["tests"]] == ["passed", "failed"]
    assert "01 dense_backward: not yet" in results["tests"][1]["output"]


def test_a_blank_course_is_not_started_and_the_solutions_pass(tmp_path):
    start(tmp_path / "blank")
    verdicts = list(judge_folder(tmp_path / "blank", confined=True))
    assert {verdict.status for verdict in verdicts} == {"not started"}
    assert len(verdicts) == 36
    verdicts = list(judge_folder(tutorials(), confined=True))
    assert {verdict.status for verdict in verdicts} == {"ok"}


def test_a_file_in_the_folder_does_not_take_the_place_of_a_package(tmp_path):
    for name in ("numpy", "json", "numpyvae", "threading"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit")
    (tmp_path / "helper.py").write_text("def zero():\n    return 0.0\n")
    dense = "from helper import zero\ndef dense(x, W, b):\n    return x @ W + b + zero()\n"
    notebook(tmp_path / "01_dense_layer.ipynb", dense)
    (verdict,) = judge_folder(tmp_path, ["dense"])
    assert verdict.status == "ok", verdict


def test_a_link_is_not_followed(tmp_path):
    submit(tmp_path / "other", "victim")
    folder = tmp_path / "class"
    (folder / "link").mkdir(parents=True)
    source = tmp_path / "other" / "victim" / "01_dense_layer.ipynb"
    (folder / "link" / "01_dense_layer.ipynb").symlink_to(source)
    assert notebooks_in(folder) == {}
    marking = Marking(folder, tmp_path / "marks", TWO)
    (mark,) = marked(marking, 1)
    assert mark.points == 0


def test_a_folder_without_submissions_is_refused(tmp_path):
    with pytest.raises(ValueError, match="expected a folder of submissions"):
        Marking(tmp_path / "none", tmp_path / "marks")
    with pytest.raises(ValueError, match="no submission in it"):
        Marking(tmp_path, tmp_path.parent / "marks")
    submit(tmp_path, "a")
    with pytest.raises(ValueError, match="it lies in the folder of the submissions"):
        Marking(tmp_path, tmp_path / "marks")


@pytest.mark.slow
def test_three_hundred_submissions_are_marked_in_ten_minutes(tmp_path):
    """All 36 exercises of each; five of them are hostile."""
    folder = tmp_path / "class"
    for number in range(300):
        shutil.copytree(tutorials(), folder / f"{number:03}",
                        ignore=shutil.ignore_patterns("pictures", "*.py", "*.md"))  # fmt: skip
    for number, name in enumerate(("endless", "hog", "exit", "printer", "fork")):
        submit(folder, f"{60 * number:03}", HOSTILE[name][0])
    marking = Marking(folder, tmp_path / "marks")
    started = time.monotonic()
    marks = list(marked(marking, 2))
    seconds = time.monotonic() - started
    print(f"300 submissions in {seconds:.0f} s", file=sys.stderr)
    assert sorted(mark.points for mark in marks) == [35] * 5 + [36] * 295
    assert seconds < 600


def test_a_record_that_was_changed_is_made_again(tmp_path):
    submit(tmp_path / "class", "ada")
    marking = Marking(tmp_path / "class", tmp_path / "marks", TWO)
    (mark,) = marked(marking, 1)
    assert marking.missing() == []
    path = tmp_path / "marks" / "records" / "ada.json"
    whole = path.read_text()
    for change in (
        lambda record: record.update(submission="../../evil"),
        lambda record: record.update(submission=None),
        lambda record: record["verdicts"][0].update(kind=[]),
        lambda record: record["verdicts"][0].update(exercise="softmax"),
        lambda record: record["verdicts"].pop(),
        lambda record: record.update(more=1),
    ):
        record = json.loads(whole)
        change(record)
        path.write_text(json.dumps(record))
        assert marking.missing() == ["ada"], record
    path.write_text("[" * 100_000)
    assert list(marked(marking, 1)) == [mark]
    assert path.read_text() == whole


def test_a_submission_that_another_process_marks_is_left_to_it(tmp_path):
    submit(tmp_path / "class", "ada")
    submit(tmp_path / "class", "bob")
    marking = Marking(tmp_path / "class", tmp_path / "marks", TWO)
    work = tmp_path / "marks" / ".copies" / "ada"
    work.mkdir(parents=True)
    with lock(work):
        assert [mark.submission for mark in marked(marking, 2)] == ["bob"]
    assert marking.missing() == ["ada"]
    assert [mark.submission for mark in marked(marking, 2)] == ["ada"]
