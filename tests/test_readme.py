"""What the README prints is what happens."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]


def test_the_ten_lines_of_python_print_what_the_readme_prints(tmp_path):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    assert len(code.strip().splitlines()) <= 12
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stderr
    assert re.sub(r"[-\d.]+", "#", done.stdout) == re.sub(r"[-\d.]+", "#", printed)
    # another machine adds in another order, and two epochs are long enough for that to be seen
    assert numbers(done.stdout) == pytest.approx(numbers(printed), rel=3e-3, abs=0.1)
    assert (tmp_path / "manifold.png").stat().st_size > 10_000
    assert (tmp_path / "model.npz").exists()


def test_the_two_commands_stand_alone_and_ci_runs_the_second():
    assert '\n    pip install . && numpyvae train\n    pip install ".[test]" && pytest\n' in README
    assert '\npip install ".[test]" && pytest\n' in (ROOT / ".ci" / "run").read_text()


def test_every_link_to_a_file_resolves():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(targets) > 15
    for target in targets:
        assert (ROOT / target).exists(), target


def test_the_map_names_every_module():
    for path in (ROOT / "numpyvae").glob("*.py"):
        if not path.name.startswith("__"):
            assert f"[{path.name}](numpyvae/{path.name})" in README


def test_the_reference_lines_in_the_readme(mnist):
    from numpyvae.pictures import reference_losses

    for value in reference_losses(mnist[1][0]).values():
        assert f"| {value:.2f} |" in README


def test_the_ratios_of_speed_are_those_of_the_recorded_benchmark():
    table = (ROOT / "tests" / "benchmarks" / "README.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in row.split("|")] for row in table.splitlines()]
    takes = {row[1]: row[7] for row in rows if len(row) == 9}
    words = " ".join(README.split())
    assert f"takes {takes['PyTorch eager']} times as long as with PyTorch" in words
    assert f"{takes['matrix products only']} times as long as its matrix products alone" in words
    assert float(takes["JAX, whole epoch compiled"]) > 1
