"""Exercises: a blank is met by a check first, and a check names mistakes in words."""

import ast
import json
import re

import pytest
from tutorial_files import LONG, NAMES, cells, exercises, run_cells

import numpyvae
from numpyvae import course
from numpyvae.course.blanks import BEGIN, END, NOT_WRITTEN


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
    assert sources[number].startswith("# Check of"), sources[number]
    assert isinstance(error, NotImplementedError | course.NotYet)
    assert str(error) == f"{exercises(name)[0].name}: {NOT_WRITTEN}"


def exercise_cells(name):
    """The cells that exercises and their checks need; all, unless the notebook trains long.

    An untrained model stands for that of 08, which 09 and 10 look for.
    """
    if name[:2] not in LONG:
        return cells(name)
    numpyvae.save("08_mnist.npz", numpyvae.VAE())
    needed = ("import ", "from ", "# Check of", "def log_sum_exp")
    return [cell for cell in cells(name) if BEGIN in cell or cell.startswith(needed)]


@pytest.mark.parametrize("name", NAMES)
def test_every_blank_is_met_by_a_check_first(name, tmp_path, monkeypatch, capsys):
    """All exercises are solved but one: what fails first is a check, and it names that one."""
    monkeypatch.chdir(tmp_path)
    for function in exercises(name):
        solution = rf"def {function.name}\(.*?{END}"
        blanked = [
            re.sub(solution, lambda found: course.blank(found[0]), cell, flags=re.DOTALL)
            for cell in exercise_cells(name)
        ]
        number, error = run_cells(blanked)
        assert number is not None, function.name
        assert blanked[number].startswith("# Check of"), (function.name, blanked[number])
        assert str(error) == f"{function.name}: {NOT_WRITTEN}"


WRONG = [
    ("01", "return x @ W + b", "return x @ W", "the bias is missing"),
    ("01", "db = dy.sum(axis=0)", "db = dy.mean(axis=0)", "the mean over the examples"),
    ("01", "return dx, dW, db", "return dW, db", "expected 3 results, dx, dW, db; got 2"),
    ("02", "/ (2 * h)\n", "/ h\n", "2h apart"),
    ("02", "x[index] = here\n", "pass\n", "not put back"),
    ("02", ".max() / size)", ".max())", "the absolute difference"),
    ("03", "return dy * (y > 0)", "return dy * (dy > 0)", "the sign of dy"),
    ("03", "0.5 + 0.5 * np.tanh(l / 2)", "1 / (1 + np.exp(-l))", "overflow"),
    ("03", "x * logits).sum(axis=1)", "x * logits).mean(axis=1)", "the mean over the pixels"),
    ("03", "return sigmoid(logits) - x", "return (sigmoid(logits) - x) / len(x)", "1/B"),
    ("03", "(np.sqrt(s) + eps)", "np.sqrt(s + eps)", "outside the root"),
    ("03", "return theta, s", "return s, theta", "exchanged"),
    ("04", "likelihood + log_normal(z, 0, 1) + ", "likelihood + ", "The prior is missing"),
    ("04", "log_terms - largest", "log_terms", "yours"),
    ("04", "log_joint - log_evidence(log_likelihood, z)", "log_joint", "the joint density"),
    ("05", "logvar).sum(axis=1)", "logvar).mean(axis=1)", "averaging over the latents"),
    ("05", "return mu, 0.5 * (np", "return mu, (np", "The ½ is missing"),
    ("05", "return reconstruction - kl", "return reconstruction + kl", "The KL is added"),
    ("05", "return reconstruction - kl", "print(reconstruction - kl)", "it returns None"),
    ("06", "(z - mu) / variance\n", "(z - mu) / variance**0.5\n", "divide by σ²"),
    ("06", "return mu + np.exp(logvar / 2)", "return mu + np.exp(logvar)", "uses the variance"),
    ("06", "dz * 0.5 * np.exp", "dz * np.exp", "The ½ is missing"),
    ("07", '"logits"], t["target"]).m', '"logits"], t["x"]).m', "compare with the target"),
    ("07", 'relu(dense(t["x"], theta["W_h1"], theta["b_h1"]))',
     'dense(t["x"], theta["W_h1"], theta["b_h1"])', "h should have a relu"),
    ("07", "grad[name], s[name], lr)", "grad[name], 0.0, lr)", "The old s was lost"),
    ("08", "theta, s = step(", "theta, _ = step(", "hand the new s"),
    ("08", "rng.permutation(len(images))", "np.arange(len(images))", "random order"),
    ("08", "range(0, len(images), batch_size)", "range(0, len(images) - batch_size, batch_size)",
     "is the last batch lost?"),
    ("08", "np.meshgrid(z, z[::-1])", "np.meshgrid(z, z)", "upside down"),
    ("08", "mu.var(axis=0)", "mu.std(axis=0)", "is this the s.d.?"),
    ("09", "+ 2 * np.log(", "+ np.log(", "is Δ², not Δ"),
    ("09", "- largest).mean(axis=2)", "- largest).sum(axis=2)", "not divided by k"),
    ("10", "np.clip(spoiled, 0, 1)", "spoiled", "clip"),
    ("10", 't["target"] = clean', "pass", "still the corrupted picture"),
]  # fmt: skip


@pytest.mark.parametrize(("number", "old", "new", "words"), WRONG)
def test_a_check_says_in_words_what_is_wrong(number, old, new, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = next(name for name in NAMES if name.startswith(number))
    code = exercise_cells(name)
    assert sum(cell.count(old) for cell in code if BEGIN in cell) == 1
    broken = [cell.replace(old, new) if BEGIN in cell else cell for cell in code]
    number, error = run_cells(broken)
    assert isinstance(error, AssertionError), error
    assert broken[number].startswith("# Check of")
    assert words in str(error)
