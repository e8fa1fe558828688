"""The working folder of a learner: the notebooks without solutions."""

from __future__ import annotations

import json
from os import PathLike
from typing import Any

from numpyvae.course.blanks import blank
from numpyvae.course.notebooks import tutorials
from numpyvae.support.files import folder_for, remove_unfinished, write_file


def start(folder: str | PathLike[str]) -> tuple[list[str], list[str]]:
    """Write the notebooks, without solutions and outputs, README and formulas to `folder`.

    Returns the names of the files written, and of the existing files, which do not change. Raises
    ValueError if the name is empty, and OSError if `folder` cannot be written.
    """
    folder = folder_for(folder, "dir")
    folder.mkdir(parents=True, exist_ok=True)
    remove_unfinished(folder)
    written, kept = [], []
    notebooks, texts = (sorted(tutorials().glob(name)) for name in ("[0-9][0-9]_*.ipynb", "*.md"))
    for source in [*notebooks, *texts]:
        target = folder / source.name
        if target.exists() or target.is_symlink():
            kept.append(target.name)
            continue
        text = source.read_text(encoding="utf-8")
        if source.suffix == ".ipynb":
            text = json.dumps(_without_solutions(json.loads(text)), indent=1, ensure_ascii=False)
        write_file(target, text.encode())
        written.append(target.name)
    return written, kept


def _without_solutions(notebook: dict[str, Any]) -> dict[str, Any]:
    """The notebook for a learner: exercises blank, no outputs."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = blank("".join(cell["source"]))
            cell |= {"source": source.splitlines(True), "outputs": [], "execution_count": None}
    return notebook
