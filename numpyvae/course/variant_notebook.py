"""The notebook of a variant: formulas, blanks and checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from numpyvae.course.blanks import NOT_WRITTEN
from numpyvae.course.exercise import Exercise
from numpyvae.course.variants import Variant, variant
from numpyvae.support.files import folder_for, write_file

INTRODUCTION = """\
# Variant {seed} · A VAE of other parts

The parts of this VAE are not those of the notebooks, and its numbers belong to variant {seed}
alone. Derive each backward pass on paper, write the functions with NumPy, and check them. Arrays
may have any size; return new ones.

The checks compare with the formulas above, for inputs of many sizes. In a terminal,
`numpyvae course check .` checks all functions."""


def start_variant(folder: str | Path, seed: int) -> Path:
    """Write variant_SEED.ipynb to `folder`; raises FileExistsError if it is there already."""
    chosen = variant(seed)
    path = folder_for(folder, "dir") / f"{chosen.notebook}.ipynb"
    if path.exists():
        raise FileExistsError(f"{path}: it exists and is not changed; rename it to begin again")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, json.dumps(notebook(chosen), indent=1, ensure_ascii=False).encode())
    return path


def notebook(chosen: Variant) -> dict[str, Any]:
    """The notebook, in Jupyter's format."""
    cells = [_markdown(INTRODUCTION.format(seed=chosen.seed)),
             _code("import numpy as np\n\nfrom numpyvae.course import check")]  # fmt: skip
    for part in chosen.parts:
        cells.append(_markdown(f"## {part.title[0].upper()}{part.title[1:]}\n\n$${part.formula}$$"))
        for function in part.functions:
            exercise = chosen.exercises[function.__name__]
            cells.append(_code(_blank(exercise)))
            cells.append(_code(f'check("{exercise.id}", {exercise.name})'))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number:02}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def _blank(exercise: Exercise) -> str:
    """The function without its body."""
    arguments = ", ".join(exercise.parameters)
    return (
        f"def {exercise.name}({arguments}):\n"
        f'    """{exercise.statement}"""\n'
        f"    # Yours to write. Then delete the next line.\n"
        f'    raise NotImplementedError("{exercise.name}: {NOT_WRITTEN}")'
    )


def _markdown(text: str) -> dict[str, Any]:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(True)}


def _code(text: str) -> dict[str, Any]:
    return {"cell_type": "code", "metadata": {}, "source": text.splitlines(True), "outputs": [],
            "execution_count": None}  # fmt: skip
