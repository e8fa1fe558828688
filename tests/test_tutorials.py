"""The tutorials run, their notebooks are what their sources say, and their checks find mistakes."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from spellchecker import SpellChecker

import numpyvae
from numpyvae import course
from numpyvae.course.blanks import BEGIN, END, NOT_WRITTEN

FOLDER = Path(__file__).parents[1] / "tutorials"
SOURCES = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
NAMES = [path.stem for path in SOURCES]
LONG = ("03", "08", "09", "10")  # more than five seconds each

spec = importlib.util.spec_from_file_location("build", FOLDER / "build.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)


def cells(name, kind="code"):
    """The sources of the cells of a notebook."""
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    return ["".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == kind]


def prose(name):
    return "\n\n".join(cells(name, "markdown"))


def exercises(name):
    """The functions between markers, in order."""
    found = []
    for cell in cells(name):
        if BEGIN in cell:
            defined = [part for part in ast.parse(cell).body if isinstance(part, ast.FunctionDef)]
            found += [part for part in defined if BEGIN in ast.get_source_segment(cell, part)]
    return found


def test_there_are_ten():
    assert [name[:2] for name in NAMES] == [f"{number:02}" for number in range(1, 11)]


# Runs: as a plain script, in a folder of its own, without a screen and without a network.

WITHOUT_NETWORK = """
import runpy, socket, sys
def refuse(*arguments):
    raise OSError("a tutorial wants the network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """One folder for all, so that 09 and 10 find the model of 08."""
    return tmp_path_factory.mktemp("tutorials")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name[:2] in LONG)) for name in NAMES]
)
def test_runs_as_a_script(name, workplace):
    run_as_a_script(name, workplace)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name[:2] in ("09", "10")])
def test_runs_without_the_model_of_08(name, tmp_path):
    assert "no 08_mnist.npz in this folder" in run_as_a_script(name, tmp_path)


def run_as_a_script(name, folder):
    """What it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", "-c", WITHOUT_NETWORK, FOLDER / f"{name}.py"],
        cwd=folder, env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


# Notebooks: made from their sources, executed, small, and without traces of a machine.


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_what_the_builder_makes_of_its_source(name):
    made = build.notebook(FOLDER / f"{name}.py")
    kept = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))

    def content(notebook):
        return [(c["id"], c["cell_type"], "".join(c["source"])) for c in notebook["cells"]]

    assert content(kept) == content(made), f"run: python tutorials/build.py {name[:2]}"


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_was_executed_and_is_clean(name):
    path = FOLDER / f"{name}.ipynb"
    assert path.stat().st_size <= build.LIMIT
    notebook = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert all(output["output_type"] != "error" for output in outputs)
    assert all(output.get("name") != "stderr" for output in outputs)
    assert any("image/png" in output.get("data", {}) for output in outputs)
    text = json.dumps([output for output in outputs if "data" not in output])
    for trace in ("/tmp", "/home", "/root", "Traceback", "Warning"):
        assert trace not in text


@pytest.mark.parametrize("name", NAMES)
def test_the_code_is_no_wider_than_a_page(name):
    for cell in cells(name):
        assert max(map(len, cell.splitlines())) <= 100, cell


# Exercises


@pytest.mark.parametrize("name", NAMES)
def test_every_exercise_says_what_is_wanted_and_is_short(name):
    assert exercises(name)
    for function in exercises(name):
        assert ast.get_docstring(function), function.name
    for cell in cells(name):
        for solution in re.findall(f"{BEGIN}\n(.*?){END}", cell, re.DOTALL):
            assert 1 <= len(solution.strip().splitlines()) <= 25


@pytest.mark.parametrize("name", NAMES)
def test_every_tutorial_has_its_parts(name):
    text = prose(name)
    assert "**The one idea: " in text
    assert "## The picture to remember" in text
    assert "**Predict" in text
    five = text.split("## In five lines")[1].split("##")[0]
    assert re.findall(r"^(\d)\. ", five, re.MULTILINE) == list("12345")
    further = re.findall(r"^(\d)\. ", text.split("## Further exercises")[1], re.MULTILINE)
    assert further == list("123")


def test_the_readme_lists_the_exercises_and_the_minutes():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    total = 0
    for name in NAMES:
        row = next(line for line in text.splitlines() if f"({name}.ipynb)" in line)
        wanted = ", ".join(f"`{function.name}`" for function in exercises(name))
        assert wanted in row
        minutes, seconds = (cell.strip() for cell in row.split("|")[4:6])
        assert f"*Time:* {minutes} minutes" in prose(name)
        total += int(minutes)
        needs = re.findall(r"\d\d", row.split("|")[6])
        asked = re.search(r"\*You need:\*(.*?)\*Time", prose(name))[1]
        assert needs == re.findall(r"\b\d\d\b", asked), name
        if name[:2] in ("03", "10"):
            assert f"*Runs in:* {seconds.removesuffix(' s')} seconds" in prose(name)
    assert total == 10 * 60 + 15
    assert "10 hours and a quarter" in text


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    folder = tmp_path_factory.mktemp("started")
    course.start(folder)
    return folder


def run_cells(code):
    """Execute the cells in order; the number of the cell that raised, and what it raised."""
    import matplotlib

    matplotlib.use("agg")
    namespace = {"__name__": "__main__"}
    for number, cell in enumerate(code):
        try:
            exec(compile(cell, f"<cell {number}>", "exec"), namespace)
        except Exception as error:
            return number, error
    return None, None


@pytest.mark.parametrize("name", NAMES)
def test_a_blank_notebook_runs_to_its_first_check(name, started, monkeypatch, capsys):
    monkeypatch.chdir(started)
    numpyvae.save("08_mnist.npz", numpyvae.VAE())  # as if 08 were done, if in no time
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

    Where 09 and 10 look for the model of 08 they find one that has learned nothing.
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


# A mistake in each exercise, and the words in which its check names it.

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
    ("06", "(z - mu) / variance\n", "(z - mu) / variance**0.5\n", "it is σ²"),
    ("06", "return mu + np.exp(logvar / 2)", "return mu + np.exp(logvar)", "takes the variance"),
    ("06", "dz * 0.5 * np.exp", "dz * np.exp", "The ½ is missing"),
    ("07", '"logits"], t["target"]).m', '"logits"], t["x"]).m', "compare with the target"),
    ("07", 'relu(dense(t["x"], theta["W_h1"], theta["b_h1"]))',
     'dense(t["x"], theta["W_h1"], theta["b_h1"])', "h should have relu"),
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
    ("10", 't["target"] = clean', "pass", "still the spoiled picture"),
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


# Mistakes that people make: in 07, its eight tests catch all of them, as its text claims.

SHARE, DLOGVAR = (
    'share = 1 / len(t["x"])',
    "dlogvar = dmu + share * dmu_kl, dlogvar + share * dlogvar_kl",
)
SAMPLE = "return mu + np.exp(logvar / 2) * eps"
SAMPLE_BACK = "return dz.copy(), dz * 0.5 * np.exp(logvar / 2) * eps"
KL, KL_BACK = (
    "(mu**2 + np.exp(logvar) - 1 - logvar)",
    "return mu.copy(), 0.5 * (np.exp(logvar) - 1)",
)
MISTAKES = {
    "variance for sigma, forward": [(SAMPLE, SAMPLE.replace("logvar / 2", "logvar"))],
    "variance for sigma, both": [
        (SAMPLE, SAMPLE.replace("logvar / 2", "logvar")),
        (SAMPLE_BACK, "return dz, dz * np.exp(logvar) * eps"),
    ],
    "KL averaged over latents, both": [
        ("- 1 - logvar).sum(axis=1)", "- 1 - logvar).mean(axis=1)"),
        (KL_BACK, "return mu / 2, 0.25 * (np.exp(logvar) - 1)"),
    ],
    "cross-entropy averaged over pixels, both": [
        ("(softplus - x * logits).sum(axis=1)", "(softplus - x * logits).mean(axis=1)"),
        ("return sigmoid(logits) - x", "return (sigmoid(logits) - x) / x.shape[1]"),
    ],
    "sum over the batch, both": [
        ('t["target"]).mean()', 't["target"]).sum()'),
        ('t["logvar"]).mean()', 't["logvar"]).sum()'),
        (SHARE, "share = 1.0"),
    ],
    "gradient not divided by B": [(SHARE, "share = 1.0")],
    "KL sign, both": [
        ("return reconstruction, kl", "return reconstruction, -kl"),
        (DLOGVAR, DLOGVAR.replace("+ share", "- share")),
    ],
    "KL takes logvar for log sigma, both": [
        (KL, "(mu**2 + np.exp(2 * logvar) - 1 - 2 * logvar)"),
        (KL_BACK, "return mu, np.exp(2 * logvar) - 1"),
    ],
    "KL's log term squared, both": [
        (KL, "(mu**2 + np.exp(logvar) - 1 - logvar**2)"),
        (KL_BACK, "return mu, 0.5 * (np.exp(logvar) - 2 * logvar)"),
    ],
    "half missing in dKL/dlogvar": [(KL_BACK, "return mu, np.exp(logvar) - 1")],
    "sampling path missing in dlogvar": [(SAMPLE_BACK, "return dz, 0 * dz")],
    "half sigma missing": [(SAMPLE_BACK, "return dz, dz * eps")],
    "trunk gets only mu's gradient": [("relu_backward(dh_mu + dh_logvar", "relu_backward(dh_mu")],
    "relu mask missing": [("return dy * (y > 0)", "return dy")],
    "mask from the gradient's sign": [("return dy * (y > 0)", "return dy * (dy > 0)")],
    "extra sigma' at the output": [
        ("return sigmoid(logits) - x", "p = sigmoid(logits)\n    return (p - x) * p * (1 - p)")
    ],
    "new eps in backward": [
        (
            'reparameterize_backward(dz, t["logvar"], t["eps"])',
            'reparameterize_backward(dz, t["logvar"], np.random.default_rng(9).random(dz.shape))',
        )
    ],
    "bias gradient averaged": [("x.T @ dy, dy.sum(axis=0)", "x.T @ dy, dy.mean(axis=0)")],
    "decoder fed mu, both": [(SAMPLE, "return mu + 0 * eps"), (SAMPLE_BACK, "return dz, 0 * dz")],
    "relu on logvar, both": [
        (
            't["logvar"] = dense(t["h"], theta["W_logvar"], theta["b_logvar"])',
            't["logvar"] = relu(dense(t["h"], theta["W_logvar"], theta["b_logvar"]))',
        ),
        ('theta["W_logvar"], dlogvar)', 'theta["W_logvar"], relu_backward(dlogvar, t["logvar"]))'),
    ],
    "sigmoid, then log": [
        (
            "return (softplus - x * logits).sum(axis=1)",
            "p = 1 / (1 + np.exp(-logits))\n"
            "    return -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)",
        )
    ],
    "RMSprop without the root": [("grad / (np.sqrt(s) + eps), s", "grad / (s + eps), s")],
    "RMSprop's mean not squared": [("(1 - rho) * grad**2", "(1 - rho) * np.abs(grad)")],
    "hidden beta, both": [
        ("return reconstruction, kl", "return reconstruction, 0.1 * kl"),
        (DLOGVAR, DLOGVAR.replace("+ share", "+ 0.1 * share")),
    ],
}  # fmt: skip


GRADIENT_CHECK = """
rng = np.random.default_rng(0)
x, eps = rng.random((4, 6)), rng.standard_normal((4, 2))
theta = initialize(6, 5, 2, rng, np.float64)
report = check_gradients(
    lambda p: sum(loss(forward(p, x, eps))), theta, lambda p: backward(p, forward(p, x, eps))
)
assert report.ok
"""


def test_the_eight_tests_of_07_catch_every_mistake_and_the_gradient_check_eleven(capsys):
    code = cells("07_whole_vae")
    code = code[: 1 + max(i for i, cell in enumerate(code) if cell.startswith("# Check of"))]
    assert run_cells(code) == (None, None)
    words = re.search(
        r"We made (\d+) mistakes .* alone\s+finds (\w+) of them", prose("07_whole_vae"), re.DOTALL
    )
    assert int(words[1]) == len(MISTAKES)

    seen_by_gradient_check = 0
    for name, changes in MISTAKES.items():
        broken = list(code)
        for old, new in changes:
            assert sum(cell.count(old) for cell in broken) == 1, (name, old)
            broken = [cell.replace(old, new) for cell in broken]
        number, error = run_cells(broken)
        assert isinstance(error, AssertionError), (name, error)
        assert broken[number].startswith("# Check of"), name
        definitions = [cell for cell in broken if cell.startswith(("import", "def "))]
        seen_by_gradient_check += run_cells([*definitions, GRADIENT_CHECK])[0] is not None
    assert seen_by_gradient_check == 11
    assert words[2] == "eleven"


def test_the_whole_vae_has_fewer_than_120_lines():
    notebook = (FOLDER / "07_whole_vae.ipynb").read_text(encoding="utf-8")
    assert int(re.search(r"the whole VAE: (\d+) lines", notebook)[1]) < 120


# Prose


def plain_words(text):
    """The English words: no code, formulas, links or names with digits in them."""
    text = re.sub(
        r"```.*?```|\$\$.*?\$\$|\$[^$]*\$|`[^`\n]*`|\]\([^)]*\)|^    .*$",
        " ",
        text,
        flags=re.S | re.M,
    )
    return set(re.findall(r"(?<![\w'])[A-Za-z]+(?:'[a-z]+)?(?![\w'])", text))


def test_the_prose_is_spelled_right():
    spelling = SpellChecker()
    allowed = set((Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split())
    texts = {name: prose(name) for name in NAMES}
    texts |= {
        str(p): p.read_text(encoding="utf-8")
        for p in (FOLDER / "README.md", FOLDER.parent / "README.md")
    }
    used = {word for text in texts.values() for word in plain_words(text)}
    unknown = {
        word for word in used - allowed
        if spelling.unknown([word.removesuffix("'s")]) and word.removesuffix("'s") not in allowed
    }  # fmt: skip
    where = {
        word: [name for name, text in texts.items() if word in plain_words(text)]
        for word in unknown
    }
    assert not where
    assert spelling.unknown(["recieve", "gradeint"]) == {"recieve", "gradeint"}


def test_every_link_resolves_in_the_project_and_in_a_working_folder(started):
    texts = {name: prose(name) for name in NAMES}
    texts["README"] = (FOLDER / "README.md").read_text(encoding="utf-8")
    targets = [target for text in texts.values() for target in re.findall(r"\]\(([^)#]+)\)", text)]
    assert len(targets) >= 19
    for target in targets:
        assert (FOLDER / target).exists(), target
        assert (started / target).exists(), target


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_is_closed(name):
    for cell in cells(name, "markdown"):
        assert cell.count("$") % 2 == 0, cell
        for formula in re.findall(r"\$\$(.*?)\$\$|\$([^$]+)\$", cell, re.S):
            body = "".join(formula)
            assert body.count("{") == body.count("}"), body
