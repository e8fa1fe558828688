"""Objects whose state can be copied, saved and restored: optimizers and trainings."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from numpyvae.support.inputs import check_array, check_count, check_number, shown


class Stateful:
    """An object with a state: its attributes, without those called `parameters` or _….

    An attribute is an array, a number, a random generator or another Stateful. A class with other
    attributes names those of its state in STATE.
    """

    STATE: tuple[str, ...] | None = None

    def state(self) -> dict[str, Any]:
        """A copy of the state: arrays, numbers and dicts by name. Only arrays are not JSON."""
        found: dict[str, Any] = {}
        for name, value in self._attributes().items():
            if isinstance(value, Stateful):
                found[name] = value.state()
            elif isinstance(value, np.random.Generator):
                found[name] = copy.deepcopy(value.bit_generator.state)
            else:
                found[name] = copy.copy(value)
        return found

    def restore(self, state: Mapping[str, Any]) -> None:
        """Set what `state()` returned, arrays in place.

        Raises ValueError if it is not the state of such an object; then part of it may be set.
        """
        attributes = self._attributes()
        if not isinstance(state, Mapping) or set(state) != set(attributes):
            got = sorted(map(str, state)) if isinstance(state, Mapping) else state
            raise ValueError(f"state: expected {', '.join(attributes)}, got {shown.repr(got)}")
        if is_dataclass(self):  # a copy with these numbers runs the checks of the class
            replace(self, **{f.name: state[f.name] for f in fields(self) if f.name in state})
        for name, own in attributes.items():
            value = state[name]
            if isinstance(own, Stateful):
                own.restore(value)
            elif isinstance(own, np.random.Generator):
                try:
                    own.bit_generator.state = value
                except (TypeError, ValueError, KeyError, OverflowError):
                    raise ValueError(f"{name}: expected the state of a random generator") from None
            elif isinstance(own, np.ndarray):
                own[:] = check_array(name, value, own.shape, own.dtype)
            elif isinstance(own, int):
                setattr(self, name, check_count(name, value, least=0))
            else:
                sign = -1.0 if isinstance(value, float) and value < 0.0 else 1.0
                setattr(self, name, sign * check_number(name, sign * value))

    @contextmanager
    def undone_on_error(self) -> Iterator[None]:
        """A block after which, if it raises anything, all is as it was before."""
        before = self.state()
        try:
            yield
        except BaseException:
            self.restore(before)
            raise

    def _attributes(self) -> dict[str, Any]:
        names = self.STATE
        if names is None:
            names = tuple(name for name in vars(self) if name != "parameters" and name[0] != "_")
        return {name: getattr(self, name) for name in names}
