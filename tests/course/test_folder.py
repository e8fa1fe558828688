"""The working folder, from a checkout and from a wheel."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from hatchling.build import build_wheel

from numpyvae.course import blank, start, tutorials

TEXTS = [tutorials() / name for name in ("README.md", "formulas.md")]


def notebooks():
    return sorted(tutorials().glob("*.ipynb"))


def test_start_writes_notebooks_that_are_blank_and_never_over_a_file(tmp_path):
    folder = tmp_path / "deep" / "course"
    written, kept = start(folder)
    assert sorted(written) == sorted(file.name for file in (*notebooks(), *TEXTS))
    assert kept == []
    assert sorted(written) == sorted(path.name for path in folder.iterdir())
    mine, gone = folder / written[0], folder / written[1]
    original = gone.read_bytes()
    mine.write_text("my work")
    gone.unlink()
    written, kept = start(folder)
    assert written == [gone.name]
    assert len(kept) == len(notebooks()) + 1
    assert mine.read_text() == "my work"
    assert gone.read_bytes() == original


def test_started_notebooks_are_those_of_the_project_but_for_solutions(tmp_path):
    start(tmp_path)
    for path in tmp_path.glob("*.ipynb"):
        blanked = json.loads(path.read_text(encoding="utf-8"))
        solved = json.loads((tutorials() / path.name).read_text(encoding="utf-8"))
        assert blanked["nbformat"] == solved["nbformat"]
        assert [c["id"] for c in blanked["cells"]] == [c["id"] for c in solved["cells"]]
        for mine, ours in zip(blanked["cells"], solved["cells"]):
            source = "".join(ours["source"])
            expected = blank(source) if ours["cell_type"] == "code" else source
            assert "".join(mine["source"]) == expected


def test_a_link_that_leads_nowhere_is_left_as_it_is(tmp_path):
    link = tmp_path / "01_dense_layer.ipynb"
    link.symlink_to(tmp_path / "elsewhere")
    assert start(tmp_path)[1] == [link.name]
    assert link.is_symlink()


def test_the_wheel_holds_the_tutorials_and_needs_neither_jupyter_nor_a_checkout(tmp_path):
    """As installed: the package and what a wheel adds to it, copied to a folder of their own."""
    site = tmp_path / "site"
    root = Path(__file__).parents[2]
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    here = os.getcwd()
    os.chdir(root)
    try:
        name = build_wheel(str(wheels))
    finally:
        os.chdir(here)
    with zipfile.ZipFile(wheels / name) as wheel:
        wheel.extractall(site)
    inside = {path.name for path in (site / "numpyvae" / "course" / "tutorials").iterdir()}
    kept = [*(root / "tutorials").glob("*.ipynb"), *TEXTS]
    assert inside == {path.name for path in kept}
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['IPython', 'nbformat', 'jupytext']))\n"
        "from numpyvae.cli import main; from numpyvae.course import tutorials\n"
        "print(tutorials()); sys.exit(main(['course', 'start', 'mine']))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(site)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(site / "numpyvae" / "course" / "tutorials"))
    assert len(list((tmp_path / "mine").glob("*.ipynb"))) == len(notebooks())
