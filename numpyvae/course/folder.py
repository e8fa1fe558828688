"""The working folder of a learner: notebooks without solutions, and functions taken from them."""

from __future__ import annotations

import ast
import json
import linecache
from os import PathLike
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from numpyvae.checkpoints import replacing
from numpyvae.course.blanks import NOT_WRITTEN, blank

README = "README.md"


def tutorials() -> Path:
    """The folder with the solved notebooks: that of an installed package, or of the checkout."""
    for folder in (Path(__file__).parent / "tutorials", Path(__file__).parents[2] / "tutorials"):
        if (folder / README).exists():
            return folder
    raise FileNotFoundError("the tutorials are missing; install numpyvae again")


def start(folder: str | PathLike[str]) -> tuple[list[str], list[str]]:
    """Write the notebooks, without solutions and outputs, and their README to `folder`.

    Returns the names of the files that were written, and of those that were there already and
    are left as they are. Raises OSError if `folder` cannot be written to.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: expected the name of a folder, got a file")
    folder.mkdir(parents=True, exist_ok=True)
    written, kept = [], []
    for source in [*sorted(tutorials().glob("[0-9][0-9]_*.ipynb")), tutorials() / README]:
        target = folder / source.name
        if target.exists():
            kept.append(target.name)
            continue
        text = source.read_text(encoding="utf-8")
        if source.suffix == ".ipynb":
            text = json.dumps(_without_solutions(json.loads(text)), indent=1, ensure_ascii=False)
        with replacing(target) as file:
            file.write(text.encode())
        written.append(target.name)
    return written, kept


def _without_solutions(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook as a learner gets it."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = blank("".join(cell["source"]))
            cell |= {"source": source.splitlines(True), "outputs": [], "execution_count": None}
    return notebook


def functions(notebook: str, folder: str | PathLike[str] = ".") -> SimpleNamespace:
    """The functions that `notebook`, such as "01_dense_layer", in `folder` defines, by name.

    They are the learner's own once every exercise of that notebook is written, and the solutions
    of the project before; `origin` says which. Raises ValueError if the notebook does not parse.
    """
    name = f"{notebook}.ipynb"
    path, origin = Path(folder) / name, f"your own functions, from {name}"
    if not path.exists():
        path, origin = tutorials() / name, f"our solutions: there is no {name} in this folder"
    elif NOT_WRITTEN in _code(path):
        path, origin = tutorials() / name, f"our solutions: {name} has exercises left"
    source = _code(path)
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise ValueError(f"{path}: {error.msg} in {(error.text or '').strip()!r}") from None
    parts: list[ast.stmt] = [
        part for part in body if isinstance(part, ast.FunctionDef | ast.Import | ast.ImportFrom)
    ]
    linecache.cache[str(path)] = (len(source), None, source.splitlines(True), str(path))
    namespace: dict[str, Any] = {}
    exec(compile(ast.Module(parts, []), str(path), "exec"), namespace)
    found = {part.name: namespace[part.name] for part in parts if isinstance(part, ast.FunctionDef)}
    return SimpleNamespace(origin=origin, **found)


def _code(path: Path) -> str:
    """All code cells of a notebook, without the lines that only Jupyter understands."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    lines = "\n\n".join(code).splitlines(True)
    return "".join(line for line in lines if not line.startswith(("%", "!")))
