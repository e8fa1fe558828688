"""The house stays one that a reader can live in."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import numpyvae

HOUSE = Path(numpyvae.__file__).parent
READING_PATH = (
    "parameters", "layers", "gaussian", "bernoulli", "trace", "vae", "optimizers", "training",
)  # fmt: skip


def imports(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield node.module
            if node.module == "numpyvae":
                yield from (f"numpyvae.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def lines(name):
    return len((HOUSE / f"{name}.py").read_text(encoding="utf-8").splitlines())


def test_the_reading_path_is_short():
    assert sum(lines(name) for name in READING_PATH) <= 700
    assert lines("vae") <= 150


def test_the_reading_path_stands_alone_and_imports_go_one_way():
    for position, name in enumerate(READING_PATH):
        allowed = {
            f"numpyvae.{earlier}" for earlier in (*READING_PATH[:position], "images", "inputs")
        }
        own = {module for module in imports(HOUSE / f"{name}.py") if "numpyvae" in module}
        assert own <= allowed, name
    for name in ("images", "inputs"):
        own = {module for module in imports(HOUSE / f"{name}.py") if "numpyvae" in module}
        assert own == {"numpyvae.parameters"}, name


def test_only_numpy_scipy_matplotlib_and_tqdm_are_imported():
    allowed = {*sys.stdlib_module_names, "numpy", "scipy", "matplotlib", "tqdm", "numpyvae"}
    for path in HOUSE.rglob("*.py"):
        tops = {module.split(".")[0] for module in imports(path)}
        assert tops <= allowed, path
        assert "matplotlib" not in tops or path.parent.name == "pictures"


@pytest.mark.parametrize("heavy", ["matplotlib", "scipy", "tqdm", "argparse"])
def test_import_loads_nothing_heavy(heavy):
    code = f"import sys, numpyvae; sys.exit({heavy!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_public_name_has_a_docstring():
    for name in numpyvae.__all__:
        assert getattr(numpyvae, name).__doc__, name


def test_one_version_everywhere():
    from importlib.metadata import version

    assert version("numpyvae") == numpyvae.__version__
    root = Path(__file__).parents[1]
    assert f"## {numpyvae.__version__} " in (root / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"version: {numpyvae.__version__}" in (root / "CITATION.cff").read_text(encoding="utf-8")
