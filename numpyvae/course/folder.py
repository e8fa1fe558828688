"""The working folder of a learner: notebooks without solutions, and functions taken from them."""

from __future__ import annotations

import ast
import json
import linecache
import re
from os import PathLike
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

from numpyvae.checkpoints import replacing
from numpyvae.course.blanks import BEGIN, NOT_WRITTEN, blank

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
    are left as they are. Raises ValueError without a name, OSError if `folder` cannot be written.
    """
    if not str(folder):
        raise ValueError("expected the name of a folder, got an empty one")
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: expected the name of a folder, got a file")
    folder.mkdir(parents=True, exist_ok=True)
    written, kept = [], []
    for source in [*sorted(tutorials().glob("[0-9][0-9]_*.ipynb")), tutorials() / README]:
        target = folder / source.name
        if target.exists() or target.is_symlink():
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
    of the project before; `origin` says which. Whether they are right is not asked. Raises
    ValueError if the file is damaged, or a cell with a function does not parse.
    """
    file = f"{notebook}.ipynb"
    own, ours = Path(folder) / file, tutorials() / file
    if not own.exists():
        return _defined(ours, f"our solutions: there is no {file} in this folder")
    empty = {name for _, cell in _cells(own) for name in _not_written(cell)}
    defined = {name for _, cell in _cells(own) for name in _named(cell)}
    exercises = [name for source, cell in _cells(ours) if BEGIN in source for name in _named(cell)]
    lacking = [name for name in exercises if name in empty or name not in defined]
    if lacking:
        return _defined(ours, f"our solutions: {file} lacks {', '.join(lacking)}")
    return _defined(own, f"your own functions, from {file}")


def _defined(path: Path, origin: str) -> SimpleNamespace:
    """The functions of a notebook, and a word on where they come from."""
    namespace: dict[str, Any] = {}
    for source, cell in _cells(path):
        place = f"{path}, {source[:40]!r}"
        linecache.cache[place] = (len(source), None, source.splitlines(True), place)
        exec(compile(_definitions(cell), place, "exec"), namespace)
    found = {key: value for key, value in namespace.items() if isinstance(value, FunctionType)}
    return SimpleNamespace(**{**found, "origin": origin})


def _cells(path: Path) -> list[tuple[str, ast.Module]]:
    """The code cells of a notebook, each with what it parses to.

    A cell that only Jupyter understands is left out, unless it defines a function.
    """
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, OSError):
        remedy = "rename it; numpyvae course start writes a new one"
        raise ValueError(f"{path}: damaged, not a notebook; {remedy}") from None
    found = []
    for source in sources:
        for text in (source, re.sub(r"(?m)^\s*[%!?].*|^\s*[\w.]+\?+\s*$", "", source)):
            try:
                found.append((text, ast.parse(text)))
                break
            except SyntaxError as error:
                problem = f"{error.msg} in {(error.text or '').strip()!r}"
        else:
            if re.search(r"(?m)^def ", source):
                raise ValueError(f"{path}: {problem}; correct the cell, and save") from None
    return found


def _named(cell: ast.Module) -> list[str]:
    """The functions that a cell defines."""
    return [part.name for part in cell.body if isinstance(part, ast.FunctionDef)]


def _not_written(cell: ast.Module) -> list[str]:
    """The functions whose place is still empty."""
    return [
        str(node.value).removesuffix(f": {NOT_WRITTEN}")
        for node in ast.walk(cell)
        if isinstance(node, ast.Constant) and str(node.value).endswith(f": {NOT_WRITTEN}")
    ]


def _definitions(cell: ast.Module) -> ast.Module:
    """Imports and functions; and constants, if nothing else is in the cell."""
    kinds: tuple[type[ast.stmt], ...] = (ast.FunctionDef, ast.Import, ast.ImportFrom)
    if all(isinstance(part, (*kinds, ast.Assign)) for part in cell.body):
        return cell
    return ast.Module([part for part in cell.body if isinstance(part, kinds)], [])
