"""The tutorials run, and the notebooks are made from their sources."""

import json
import os
import subprocess
import sys

import pytest
from tutorial_files import FOLDER, LONG, NAMES, build, cells

pytestmark = pytest.mark.once

WITHOUT_NETWORK = """
import runpy, socket, sys
def refuse(*arguments):
    raise OSError("a tutorial wants the network")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture(scope="module")
def workplace(tmp_path_factory):
    """One folder for all, so that 09, 10 and 11 find the model of 08."""
    return tmp_path_factory.mktemp("tutorials")


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name[:2] in LONG)) for name in NAMES]
)
def test_runs_as_a_script(name, workplace):
    assert run_as_a_script(name, workplace).strip(), "a tutorial prints what it finds"


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NAMES if name[:2] in ("09", "10", "11")])
def test_runs_without_the_model_of_08(name, tmp_path):
    assert "no 08_mnist.npz in this folder" in run_as_a_script(name, tmp_path)


def run_as_a_script(name, folder):
    """Run a tutorial as a script; return its output."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "utf8", "-c", WITHOUT_NETWORK, FOLDER / f"{name}.py"],
        cwd=folder, env={**os.environ, "MPLBACKEND": "agg"},
        capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


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
    # 09, 10 and 11 show the model of 08: build all notebooks together
    assert "no 08_mnist.npz in this folder" not in text


@pytest.mark.parametrize("name", NAMES)
def test_the_code_is_no_wider_than_a_page(name):
    for cell in cells(name):
        assert max(map(len, cell.splitlines())) <= 100, cell
