"""Objects that know how they were made: models and likelihoods."""

from __future__ import annotations

from typing import Any

from numpyvae.support.inputs import shown


class Configured:
    """An object with a config: the arguments of its constructor, which CONFIG names.

    `type(thing)(**thing.config)` is made in the same way. Each argument is an attribute.
    """

    CONFIG: tuple[str, ...] = ()

    @property
    def config(self) -> dict[str, object]:
        """The arguments of the constructor, by name."""
        return {name: getattr(self, name) for name in self.CONFIG}

    def __repr__(self) -> str:
        """As it is made: VAE(hidden=(256,), latent=2, …)."""
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.config.items())
        return f"{type(self).__name__}({arguments})"


def check_configured(name: str, value: Any, example: str) -> Any:
    """`value` if it is such an object; raises ValueError otherwise."""
    if not isinstance(value, Configured):
        got = f"the class {value.__name__}" if isinstance(value, type) else shown.repr(value)
        raise ValueError(f"{name}: expected one such as {example}, got {got}")
    return value
