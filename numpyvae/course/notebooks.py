"""The notebooks: where they are, and the functions that a learner has written in them.

Taking functions from a notebook executes it in part: its imports, its functions, and the cells that
hold only these and assignments. Never do this with a notebook that you would not run yourself.
"""

from __future__ import annotations

import ast
import json
import linecache
import re
from os import PathLike
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

from numpyvae.course.blanks import BEGIN, NOT_WRITTEN
from numpyvae.support.files import read_text

README = "README.md"
LONGEST = 2**26  # bytes of a notebook, with its pictures
MAGIC = re.compile(r"^[ \t]*[%!?].*|^[ \t]*[\w.]+\?+[ \t]*$", re.MULTILINE)  # Jupyter's, not Python


def tutorials() -> Path:
    """The folder of the solved notebooks, in an installed package or in a checkout."""
    for folder in (Path(__file__).parent / "tutorials", Path(__file__).parents[2] / "tutorials"):
        if (folder / README).exists():
            return folder
    raise FileNotFoundError("the tutorials are missing; install numpyvae again")


def functions(notebook: str, folder: str | PathLike[str] = ".") -> SimpleNamespace:
    """The functions by name that `notebook`, such as "01_dense_layer", in `folder` defines.

    If every exercise of that notebook is written, they are the learner's own; otherwise they are
    our solutions. `origin` says which. They are not checked here.

    This **runs code of the notebook**: imports, functions, and cells with nothing but these and
    assignments. Raises ValueError, naming the notebook and the cell, if the file is damaged, if a
    cell with a function does not parse, or if one of those cells fails.
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
    """The functions of a notebook, and their origin in words."""
    namespace: dict[str, Any] = {}
    for source, cell in _cells(path):
        place = f"{path}, {source[:40]!r}"
        linecache.cache[place] = (len(source), None, source.splitlines(True), place)
        try:
            exec(compile(_definitions(cell), place, "exec"), namespace)
        except (Exception, SystemExit) as error:
            problem = f"{type(error).__name__}: {error}"
            raise ValueError(f"{place}: {problem}; correct the cell and save it") from error
    found = {key: value for key, value in namespace.items() if isinstance(value, FunctionType)}
    return SimpleNamespace(**{**found, "origin": origin})


def _cells(path: Path) -> list[tuple[str, ast.Module]]:
    """The code cells of a notebook, each with its syntax tree.

    A cell that Python cannot parse is left out, unless it defines a function.
    """
    try:
        cells = json.loads(read_text(path, most=LONGEST))["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        remedy = "rename it; numpyvae course start writes a new one"
        raise ValueError(f"{path}: damaged, not a notebook; {remedy}") from None
    found = []
    for source in sources:
        for text in (source, MAGIC.sub("", source)):
            try:
                found.append((text, ast.parse(text)))
                break
            except SyntaxError as error:
                problem = f"{error.msg} in {(error.text or '').strip()!r}"
            except (ValueError, RecursionError, MemoryError) as error:  # not text, or nested deeply
                problem = f"{error or type(error).__name__} in {source[:40]!r}"
        else:
            if re.search(r"(?m)^def ", source):
                raise ValueError(
                    f"{path}: {problem}; correct the cell and save the notebook"
                ) from None
    return found


def _named(cell: ast.Module) -> list[str]:
    """The functions that a cell defines."""
    return [part.name for part in cell.body if isinstance(part, ast.FunctionDef)]


def _not_written(cell: ast.Module) -> list[str]:
    """The functions that are still blank."""
    return [
        str(node.value).removesuffix(f": {NOT_WRITTEN}")
        for node in ast.walk(cell)
        if isinstance(node, ast.Constant) and str(node.value).endswith(f": {NOT_WRITTEN}")
    ]


def _definitions(cell: ast.Module) -> ast.Module:
    """The imports and functions of a cell; also its constants, if it holds nothing else."""
    kinds: tuple[type[ast.stmt], ...] = (ast.FunctionDef, ast.Import, ast.ImportFrom)
    if all(isinstance(part, (*kinds, ast.Assign)) for part in cell.body):
        return cell
    return ast.Module([part for part in cell.body if isinstance(part, kinds)], [])
