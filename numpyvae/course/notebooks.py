"""The notebooks: where they are, and the functions that a learner has written in them.

Taking functions from a notebook executes it in part: its imports, its functions, and assignments of
names that its exercises use. Never do this with a notebook that you would not run yourself.
"""

from __future__ import annotations

import ast
import json
import linecache
import re
from functools import lru_cache
from os import PathLike
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any

from numpyvae.course.check import verdict_on
from numpyvae.course.exercises import EXERCISES
from numpyvae.course.variants import FUNCTIONS
from numpyvae.support.files import read_text

README = "README.md"
TAKING = 3.0  # seconds for the check of a function that a later notebook takes over
LONGEST = 2**26  # bytes of a notebook, with its pictures
KEPT = (ast.FunctionDef, ast.Import, ast.ImportFrom)
MAGIC = re.compile(r"^[ \t]*[%!?].*|^[ \t]*[\w.]+\?+[ \t]*$", re.MULTILINE)  # Jupyter's, not Python


def tutorials() -> Path:
    """The folder of the solved notebooks, in an installed package or in a checkout."""
    for folder in (Path(__file__).parent / "tutorials", Path(__file__).parents[2] / "tutorials"):
        if (folder / README).exists():
            return folder
    raise FileNotFoundError("the tutorials are missing; install numpyvae again")


def functions(notebook: str, folder: str | PathLike[str] = ".") -> SimpleNamespace:
    """The functions by name that `notebook`, such as "01_dense_layer", in `folder` defines.

    Those of its exercises are the learner's own if they pass their checks, and our solutions
    otherwise. `origin` says which.

    This **runs code of the notebook**: see `defined`.
    """
    file = f"{notebook}.ipynb"
    ours, path = defined(tutorials() / file), Path(folder) / file
    if not path.exists():
        return SimpleNamespace(**ours, origin=f"our solutions: there is no {file} in this folder")
    own, passed = _passed(notebook, path, read_text(path, most=LONGEST))
    lacking = [name for name in _exercises(notebook) if name not in passed]
    origin = f"your own functions, from {file}"
    if lacking:
        yours = f"yours for {', '.join(passed)}; " if passed else ""
        origin = f"{yours}ours for {', '.join(lacking)}: not right yet in {file}"
    return SimpleNamespace(**{**ours, **own, **{name: ours[name] for name in lacking}},
                           origin=origin)  # fmt: skip


def _exercises(notebook: str) -> list[str]:
    return [name for name, each in EXERCISES.items() if each.notebook == notebook]


@lru_cache(maxsize=20)
def _passed(
    notebook: str, path: Path, text: str
) -> tuple[dict[str, FunctionType], tuple[str, ...]]:
    """The functions of a notebook with this text, and the names of those that pass their checks.

    Several notebooks take the functions of 07; whoever judges all of them checks these once.
    """
    own = defined(path)
    names = [name for name in _exercises(notebook) if name in own]
    return own, tuple(n for n in names if verdict_on(EXERCISES[n], own[n], TAKING).right)


def defined(path: Path) -> dict[str, FunctionType]:
    """The functions that a notebook defines, by name.

    This **runs code of the notebook**: its imports, its functions, and the assignments of names
    that its exercises use. Raises ValueError, naming the notebook and the cell, if the file is
    damaged, if a cell with a function does not parse, or if one of those lines fails.
    """
    cells = cells_of(path)
    used = _used([part for _, cell in cells for part in cell.body])
    namespace: dict[str, Any] = {}
    for source, cell in cells:
        place = f"{path}, {source[:40]!r}"
        linecache.cache[place] = (len(source), None, source.splitlines(True), place)
        kept = [part for part in cell.body if isinstance(part, KEPT) or _names(part) & used]
        try:
            exec(compile(ast.Module(kept, []), place, "exec"), namespace)
        except (Exception, SystemExit) as error:
            problem = f"{type(error).__name__}: {error}"
            raise ValueError(f"{place}: {problem}; correct the cell and save it") from error
    return {key: value for key, value in namespace.items() if isinstance(value, FunctionType)}


def cells_of(path: Path) -> list[tuple[str, ast.Module]]:
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


def _used(parts: list[ast.stmt]) -> set[str]:
    """The names that the exercises in these statements use, directly or through other names."""
    needs: dict[str, set[str]] = {}
    for part in parts:
        for name in _names(part):
            needs[name] = needs.get(name, set()) | _uses(part)
    found: set[str] = set()
    written = [part.name for part in parts if isinstance(part, ast.FunctionDef)]
    waiting = [name for name in written if name in EXERCISES or name in FUNCTIONS]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += needs.get(name, ())
    return found


def _uses(part: ast.stmt) -> set[str]:
    """The names that a statement takes from elsewhere: no arguments and local variables."""
    nodes = list(ast.walk(part))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    loaded = {node.id for node in names if isinstance(node.ctx, ast.Load)}
    return loaded - own


def _names(part: ast.stmt) -> set[str]:
    """The names that a function or an assignment defines; none for any other statement."""
    if isinstance(part, ast.FunctionDef):
        return {part.name}
    if not isinstance(part, ast.Assign | ast.AnnAssign):
        return set()
    targets = part.targets if isinstance(part, ast.Assign) else [part.target]
    nodes = [node for target in targets for node in ast.walk(target)]
    return {node.id for node in nodes if isinstance(node, ast.Name)}
