"""The outputs, numbers and links in the README are right."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from test_house import READING_PATH

from numpyvae import VAE, fit
from numpyvae.cli import main
from numpyvae.evaluation import evaluate
from numpyvae.evaluation.evaluator import SPACING

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


CODE = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
PRINTED = re.findall(r"```text\n(.*?)```", README, re.DOTALL)


def run(code, folder):
    """The output of the code, in UTF-8 on every platform."""
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code],
        cwd=folder, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.once
def test_the_ten_lines_of_python_print_what_the_readme_prints(tmp_path):
    code, printed = CODE[0], PRINTED[0]
    assert len(code.strip().splitlines()) <= 12
    stdout = run(code, tmp_path)
    assert re.sub(r"[-\d.]+", "#", stdout) == re.sub(r"[-\d.]+", "#", printed)
    # another machine adds in another order, which is visible after two epochs
    assert numbers(stdout) == pytest.approx(numbers(printed), rel=3e-3, abs=0.1)
    assert (tmp_path / "manifold.png").stat().st_size > 10_000
    assert (tmp_path / "model.npz").exists()


@pytest.mark.once
def test_the_sweep_in_python_trains_both_runs(tmp_path):
    stdout = run(CODE[1], tmp_path)
    assert len(re.findall(r"^beta=(0\.5|1),epochs=2,seed=0 epoch [12]/2 ", stdout, re.M)) == 4
    assert len(list(tmp_path.glob("my-sweep/*/model.npz"))) == 2


@pytest.mark.once
def test_the_gradient_check_prints_what_the_readme_prints(tmp_path):
    assert (len(CODE), len(PRINTED)) == (3, 2)
    stdout = run(CODE[2], tmp_path)

    def but_for_rounding(text):  # the last digits, and how many of them agree, may differ
        text = re.sub(r"\d+ evaluations   [\d.]+ s", "# evaluations", text)
        text = re.sub(r" +[\d.]+ +[\d.]+  (PASS|FAIL)", r" \1", text)
        return re.sub(r"(\d\.\d{5})\d+", r"\1", text)

    assert but_for_rounding(stdout) == but_for_rounding(PRINTED[1])


@pytest.mark.once
def test_the_hints_of_the_broken_vae_are_those_in_the_readme(capsys):
    assert main(["gradcheck", "--break", "missing_half_kl"]) == 1
    hints = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  hint: ")]
    assert "\n".join(f"  {hint}" for hint in hints) in README


def test_the_two_commands_stand_alone_and_ci_runs_the_second():
    assert (
        '\n    pip install . && numpyvae train\n    pip install ".[test]" && pytest -n auto\n'
        in README
    )
    assert '\npip install ".[test]" && pytest -n auto\n' in (ROOT / ".ci" / "run").read_text()


def test_every_link_to_a_file_resolves():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(targets) > 15
    for target in targets:
        assert (ROOT / target).exists(), target


def test_the_map_names_every_room_and_the_reading_path_in_order():
    for path in (ROOT / "numpyvae").glob("*/__init__.py"):
        assert f"[{path.parent.name}](numpyvae/{path.parent.name}/__init__.py)" in README
    named = re.findall(r"^\| \[(\w+)\.py\]\(numpyvae/core/\1\.py\)", README, re.MULTILINE)
    assert tuple(named) == READING_PATH


def test_the_likelihood_in_contributing_is_right(rng):
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    space = {}
    exec(code, space)  # its last line is a gradient check
    vae = VAE(5, 1, image_shape=(2, 2), likelihood=space["Cauchy"]())
    history = fit(vae, np.clip(rng.standard_cauchy((300, 4)), -9.0, 9.0), epochs=20)
    assert history[-1].train.total < history[0].train.total
    result = evaluate(vae, rng.standard_normal((6, 4)))
    assert (result.elbo <= result.evidence.value + 0.1).all()


def test_the_reference_lines_in_the_readme(mnist):
    from numpyvae.pictures import reference_losses

    for value in reference_losses(mnist[1][0]).values():
        assert f"| {value:.2f} |" in README


def test_the_grid_of_the_evidence_is_as_fine_as_the_readme_says():
    assert f"on a grid of points {SPACING[2]} apart" in README


def test_the_ratios_of_speed_are_those_of_the_recorded_benchmark():
    text = (ROOT / "tests" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    tables = []  # for one thread and for two: contender → column → value
    for part in text.split("## An epoch of the classic")[1:]:
        rows = [[cell.strip() for cell in line.split("|")] for line in part.splitlines()]
        heads, _, *rows = [row[1:-1] for row in rows if len(row) == 12]
        tables.append({row[0]: dict(zip(heads, row)) for row in rows})
    one, two = tables
    words = " ".join(README.split())
    takes = {name: row["numpyvae takes"] for name, row in one.items()}
    assert f"takes {takes['PyTorch eager']} times as long as with PyTorch" in words
    assert f"{takes['matrix products only']} times as long as its matrix products alone" in words
    assert float(takes["JAX, whole epoch compiled"]) > 1
    longer = float(two["numpyvae"]["seconds"]) / float(one["numpyvae"]["seconds"])
    assert f"two threads take {longer:.2f} times as long as one on an idle machine" in words
    assert f"two threads take {two['numpyvae']['÷ alone']} times as long as alone" in words
    assert f"one thread takes {one['numpyvae']['÷ alone']} times as long." in words
