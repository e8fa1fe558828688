"""Exercises: a blank is met by a check first, and a check names mistakes in words."""

import ast
import json
import re

import pytest
from tutorial_files import FOLDER, NAMES, cells, exercises, run_cells

import numpyvae
from numpyvae import course
from numpyvae.course.blanks import BEGIN, END
from numpyvae.course.check import verdict_on
from numpyvae.course.notebooks import defined

pytestmark = pytest.mark.once


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_says_what_is_wanted_and_is_short(name):
    lengths = []
    assert exercises(name)
    for function in exercises(name):
        assert ast.get_docstring(function), function.name
    for cell in cells(name):
        for solution in re.findall(f"{BEGIN}\n(.*?){END}", cell, re.DOTALL):
            lengths.append(len(solution.strip().splitlines()))
    assert 1 <= min(lengths) <= max(lengths) <= 14  # as the READMEs say


@pytest.mark.parametrize("name", NAMES)
def test_a_blank_notebook_runs_to_its_first_check(name, started, monkeypatch, capsys):
    monkeypatch.chdir(started)
    numpyvae.save("08_mnist.npz", numpyvae.VAE())  # stands for the trained model of 08
    notebook = json.loads((started / f"{name}.ipynb").read_text(encoding="utf-8"))
    code = [c for c in notebook["cells"] if c["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    sources = ["".join(cell["source"]) for cell in code]
    assert not any(marker in source for source in sources for marker in (BEGIN, END))
    number, error = run_cells(sources)
    first = exercises(name)[0].name
    assert sources[number].startswith(f'check("{first}", {first})') or "\ncheck(" in sources[number]
    assert isinstance(error, course.NotYet)
    assert error.verdict.status == "not started"
    assert str(error) == f"{name[:2]} {first}: not started"


@pytest.mark.parametrize("exercise", course.EXERCISES.values(), ids=course.EXERCISES)
def test_the_registry_knows_every_exercise_and_the_notebook_checks_it_in_a_line(exercise):
    name = exercise.notebook
    wanted = next(each for each in exercises(name) if each.name == exercise.name)
    assert [argument.arg for argument in wanted.args.args] == exercise.parameters
    position = next(i for i, cell in enumerate(cells(name)) if f"def {exercise.name}(" in cell)
    line = f'check("{exercise.name}", {exercise.name})'
    assert line in "\n".join(cells(name)[position + 1 :]).splitlines()


def test_the_registry_has_no_other_exercises():
    wanted = [function.name for name in NAMES for function in exercises(name)]
    assert wanted == list(course.EXERCISES)


@pytest.mark.parametrize("name", NAMES)
def test_our_solutions_are_right_without_a_remark(name):
    found = defined(FOLDER / f"{name}.ipynb")
    for exercise in course.EXERCISES.values():
        if exercise.notebook == name:
            assert verdict_on(exercise, found[exercise.name]).status == "ok", exercise.name


@pytest.mark.parametrize("name", NAMES)
def test_little_of_the_code_is_checks(name):
    """At most a tenth of its lines, without the solutions."""
    lines = [line for cell in cells(name) for line in course.blank(cell).splitlines() if line]
    checks = [line for line in lines if line.startswith("check(")]
    assert 0 < len(checks) <= 0.1 * len(lines)
