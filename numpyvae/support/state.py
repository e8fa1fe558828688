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

    An attribute of the state is an array, a number, a random generator or another Stateful. Texts,
    None and tuples are constants, which the constructor sets. A class with other attributes names
    those of its state in STATE.
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
            else:
                setattr(self, name, _number(name, value, type(own)))

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
        found = {name: getattr(self, name) for name in names}
        found = {name: v for name, v in found.items() if not isinstance(v, str | tuple | None)}
        kinds = (np.ndarray, int, float, np.random.Generator, Stateful)
        for name, value in found.items():
            if not isinstance(value, kinds):
                wanted = "an array, a number, a random generator, or a constant"
                problem = f"expected {wanted}, which can be saved, got {type(value).__name__}"
                raise ValueError(f"{type(self).__name__}.{name}: {problem}")
        return found


def _number(name: str, value: Any, kind: type) -> Any:
    """`value` as a finite number of this kind; ValueError otherwise."""
    if kind is bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name}: expected true or false, got {shown.repr(value)}")
        return value
    if kind is int:
        return check_count(name, value, least=0)
    negative = isinstance(value, int | float) and value < 0
    return -check_number(name, -value) if negative else check_number(name, value)
