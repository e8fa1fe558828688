"""break_backward: a model whose backward pass contains a mistake on purpose."""

from __future__ import annotations

import difflib
import functools
import inspect
from types import ModuleType
from typing import Any

from numpyvae.core import bernoulli, latent, layers, networks, vae
from numpyvae.core.bernoulli import Bernoulli
from numpyvae.core.vae import VAE
from numpyvae.debugging.mistakes import MISTAKES, Mistake

PASSES = ("_connect", "forward", "loss", "backward", "encoder_class", "decoder_class")


def break_backward(model: VAE, *names: str) -> VAE:
    """A copy of the model, with the same weights, whose backward contains the mistakes `names`.

        wrong = break_backward(vae, "missing_half_kl")

    The copy shares nothing with the model. Raises ValueError for a name that is not in MISTAKES,
    for two mistakes in one line, for one in the Bernoulli likelihood of a model with another, and
    for a model whose class overrides a pass of VAE: the mistakes are edits of VAE's own source.
    """
    for name in names:
        if name not in MISTAKES:
            nearest = difflib.get_close_matches(name, MISTAKES, n=1, cutoff=0.0)[0]
            raise ValueError(
                f"mistake: expected one of the {len(MISTAKES)} mistakes in "
                f"numpyvae.debugging.MISTAKES, got {name!r}; the nearest is {nearest}"
            )
        if not fits(model, MISTAKES[name]):
            raise ValueError(
                f"mistake: {name} is in the Bernoulli likelihood, and this model has "
                f"{type(model.likelihood).__name__}; pass a model without a likelihood of its own"
            )
    kind = type(model)
    own = [name for name in PASSES if getattr(kind, name) is not getattr(VAE, name)]
    if own:
        raise ValueError(
            f"model: {kind.__name__} has its own {', '.join(own)}, and a mistake would replace it; "
            "pass a plain VAE, with all mistakes in one call"
        )
    altered = _altered(names)
    wrong: VAE = object.__new__(type(kind.__name__, (kind,), altered["VAE"]))
    wrong.__dict__.update(model.__dict__)
    if type(model.likelihood) is Bernoulli:
        wrong.likelihood = altered["BERNOULLI"]
    return wrong.astype(model.parameters.value.dtype)


def fits(model: VAE, mistake: Mistake) -> bool:
    """True if the model has the line that the mistake changes."""
    inside = any(edit.module is bernoulli for edit in mistake.edits)
    return not inside or type(model.likelihood) is Bernoulli


@functools.cache
def _altered(names: tuple[str, ...]) -> dict[str, Any]:
    """VAE's passes and networks, and BERNOULLI, compiled from source with these mistakes in it."""
    edits = [edit for name in names for edit in MISTAKES[name].edits]
    spaces: dict[ModuleType, dict[str, Any]] = {}
    order = (layers, latent, bernoulli, networks, vae)  # each imports only from those before it
    for module in order:
        source = inspect.getsource(module)
        for edit in edits:
            if edit.module is module:
                if source.count(edit.old) != 1:
                    clash = " and ".join(names)
                    raise ValueError(f"names: {clash} change the same line; pass only one of them")
                source = source.replace(edit.old, edit.new)
        space = spaces[module] = {"__name__": module.__name__}
        exec(compile(source, f"<{module.__name__} with a mistake>", "exec"), space)
        for earlier, altered in spaces.items():  # use what is altered in place of what is imported
            for name, value in vars(earlier).items():
                if earlier is not module and space.get(name) is value:
                    space[name] = altered[name]
    passes = {name: vars(spaces[vae]["VAE"])[name] for name in PASSES}
    passes["encoder_class"] = spaces[networks]["Encoder"]
    passes["decoder_class"] = spaces[networks]["Decoder"]
    return {"VAE": passes, "BERNOULLI": spaces[bernoulli]["BERNOULLI"]}
