"""The working folder of a learner: notebooks without solutions, and functions taken from them."""

from __future__ import annotations

import ast
import json
import linecache
from os import PathLike
from pathlib import Path
from types import FunctionType, SimpleNamespace
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
    elif left := _not_written(_cells(path)):
        path, origin = tutorials() / name, f"our solutions: {name} lacks {', '.join(left)}"
    namespace: dict[str, Any] = {}
    for number, (source, cell) in enumerate(_cells(path), start=1):
        place = f"{path}, code cell {number}"
        linecache.cache[place] = (len(source), None, source.splitlines(True), place)
        exec(compile(_definitions(cell), place, "exec"), namespace)
    found = {key: value for key, value in namespace.items() if isinstance(value, FunctionType)}
    return SimpleNamespace(origin=origin, **found)


def _cells(path: Path) -> list[tuple[str, ast.Module]]:
    """The code cells of a notebook, without the lines that only Jupyter understands."""
    found = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            lines = "".join(cell["source"]).splitlines(True)
            jupyter = [
                line.startswith(("%", "!", "?")) or line.rstrip().endswith("?") for line in lines
            ]
            source = "".join("\n" if skip else line for skip, line in zip(jupyter, lines))
            try:
                found.append((source, ast.parse(source)))
            except SyntaxError as error:
                line = (error.text or "").strip()
                raise ValueError(f"{path}: {error.msg} in {line!r}; correct and save it") from None
    return found


def _not_written(cells: list[tuple[str, ast.Module]]) -> list[str]:
    """The functions whose place is still empty."""
    return [
        str(node.value).removesuffix(f": {NOT_WRITTEN}")
        for _, cell in cells
        for node in ast.walk(cell)
        if isinstance(node, ast.Constant) and str(node.value).endswith(f": {NOT_WRITTEN}")
    ]


def _definitions(cell: ast.Module) -> ast.Module:
    """Imports and functions; and constants, if nothing else is in the cell."""
    kinds: tuple[type[ast.stmt], ...] = (ast.FunctionDef, ast.Import, ast.ImportFrom)
    if all(isinstance(part, (*kinds, ast.Assign)) for part in cell.body):
        return cell
    return ast.Module([part for part in cell.body if isinstance(part, kinds)], [])
