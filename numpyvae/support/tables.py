"""Tables of arrays, for people: names, shapes and sizes, not the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any


def shape_table(arrays: Mapping[str, Any]) -> str:
    """A line for each array, as "h[0]   100 x 256   25,600"; a list of arrays has one for each."""
    single: dict[str, Any] = {}
    for name, value in arrays.items():
        if isinstance(value, list):
            single |= {f"{name}[{i}]": array for i, array in enumerate(value)}
        else:
            single[name] = value
    lines = []
    for name, array in single.items():
        shape = getattr(array, "shape", None)
        if shape is None:
            continue
        lines.append(f"{name:10} {' x '.join(map(str, shape)):>12} {prod(shape):>10,}")
    return "\n".join(lines)
