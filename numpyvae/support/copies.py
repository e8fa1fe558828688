"""Models whose arrays are views of one vector: copied and pickled so that they still are."""

from __future__ import annotations

from typing import Any

ARRAYS = ("parameters", "encoder", "decoder")  # they are made anew


class Connected:
    """An object with `parameters`, and `_connect(parameters)`, which makes the rest views of them.

    A deep copy, or a model from a pickle, is connected anew. Otherwise its layers would have arrays
    of their own, which no optimizer moves. A shallow copy shares everything.
    """

    parameters: Any

    def _connect(self, parameters: Any) -> None:
        """Make all layers views of these parameters."""

    def __copy__(self) -> Any:
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        return other

    def __getstate__(self) -> dict[str, Any]:
        kept = {name: value for name, value in vars(self).items() if name not in ARRAYS}
        own = self.parameters
        return kept | {"parameters": (type(own), own.shapes, own.value)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        kind, shapes, value = state["parameters"]
        vars(self).update(state)
        self._connect(kind(shapes, value.dtype))
        self.parameters.value[:] = value
