"""The tutorials as data: sources, cells, prose, exercises."""

import ast
import importlib.util
import json
from pathlib import Path

from numpyvae.course.blanks import BEGIN

FOLDER = Path(__file__).parents[1] / "tutorials"
SOURCES = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
NAMES = [path.stem for path in SOURCES]
LONG = ("03", "08", "09", "10", "11", "12", "13")  # more than ten seconds each
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
