"""The skeleton of a new exercise runs and passes the tests before anything is filled in."""

import re
import shutil
import subprocess
import sys

import pytest
from documents import ROOT


@pytest.fixture
def project(tmp_path):
    """The parts of a clone that the skeleton changes, and what its tests read."""
    for name in ("numpyvae", "tests", "tutorials", "pyproject.toml"):
        source, target = ROOT / name, tmp_path / "clone" / name
        if source.is_dir():
            skip = shutil.ignore_patterns("*.gz", "*.png", "__pycache__", "fixtures")
            shutil.copytree(source, target, ignore=skip)
        else:
            shutil.copy(source, target)
    return tmp_path / "clone"


def run(project, *command):
    return subprocess.run(
        [sys.executable, *command], cwd=project, capture_output=True, text=True, encoding="utf-8",
        env={"PYTHONPATH": str(project), "PATH": "", "PYTHONUTF8": "1"},
    )  # fmt: skip


@pytest.mark.once
def test_the_skeleton_is_a_working_exercise(project):
    build = "tutorials/build.py"
    done = run(project, build, "--new-exercise", "row_sums", "05")
    assert done.returncode == 0, done.stderr
    assert "numpyvae/course/exercises/row_sums.py" in done.stdout.replace("\\", "/")
    tests = run(
        project, "-m", "pytest", "-q", "-k", "row_sums or four_right", "-p", "no:cacheprovider",
        "tests/course/test_answers.py", "tests/course/test_mistakes.py",
    )  # fmt: skip
    assert tests.returncode == 0, tests.stdout
    assert "`row_sums`" in (project / "tutorials" / "README.md").read_text(encoding="utf-8")
    script = (project / "tutorials" / "05_elbo.py").read_text(encoding="utf-8")
    assert re.search(r"^# ### Exercise \d+: `row_sums`$", script, re.MULTILINE)
    for arguments, problem in (
        (("row_sums", "05"), "there is such an exercise"),
        (("kl_divergence", "05"), "there is such an exercise"),
        (("Row", "05"), "expected a name for a function"),
        (("other", "99"), "no such notebook"),
    ):
        again = run(project, build, "--new-exercise", *arguments)
        assert again.returncode == 1
        assert problem in again.stderr
