"""Objects that know how they were made: models and likelihoods."""

from __future__ import annotations


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
