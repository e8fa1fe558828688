"""The loss of a VAE as a function of its weights, and of perturbations of the arrays of a pass."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from numpyvae.core.layers import Dense
from numpyvae.core.trace import Trace
from numpyvae.core.vae import VAE
from numpyvae.support.types import Array


class Perturbed:
    """A dense layer with something added to its input and to its output."""

    def __init__(self, layer: Dense) -> None:
        self.layer = layer
        self.before: Any = 0.0
        self.after: Any = 0.0

    def forward(self, x: Array, out: Array | None = None) -> Array:
        """y = (x + before) W + b + after"""
        return self.layer.forward(x + self.before) + self.after


class Point:
    """A model and a batch. The loss is a function of the weights and of perturbations.

    A perturbation is named after the gradient it tests: "dz" is added to z. It is added by the
    layer that writes the array, or by the layers that read it (`Perturbed`). Everything else is
    the model's own `forward` and `loss`, in float64 or, for the complex step, complex128.
    """

    def __init__(self, vae: VAE, x: Array, eps: Array, target: Array) -> None:
        self.vae, self.x, self.eps, self.target = vae, x, eps, target
        self._copies: dict[type, tuple[VAE, dict[str, list[tuple[Perturbed, str]]]]] = {}
        self._written: dict[type, dict[str, Array]] = {}  # the arrays that each copy holds now
        self._adds_up: bool | None = None  # is total = reconstruction + β KL, as the loss says it?

    def of(self, vae: VAE) -> Point:
        """The same batch for another model."""
        return Point(vae, self.x, self.eps, self.target)

    @property
    def everything(self) -> list[str]:
        """All weights and all arrays of the pass; in reverse, it is the order of backward."""
        depth = range(len(self.vae.hidden))
        names: list[str] = []
        for i in depth:
            names += [f"W_h{i + 1}", f"b_h{i + 1}", f"da_h[{i}]", f"dh[{i}]"]
        names += ["W_mu", "b_mu", "dh_logvar", "W_logvar", "b_logvar", "dmu", "dlogvar", "dz"]
        for i in depth:
            names += [f"W_g{i + 1}", f"b_g{i + 1}", f"da_g[{i}]", f"dg[{i}]"]
        names += ["W_out", "b_out", "dlogits"]
        own = [name for name in self.vae.parameters if name not in names]  # of a further head
        return own + names

    def loss(self, params: dict[str, Array]) -> dict[str, Any]:
        """The terms of `Loss.total` at these weights and perturbations: reconstruction and β KL.

        What total has beyond them, such as a penalty, is a third term.
        """
        return self._run(params)[0]

    def _run(self, params: dict[str, Array]) -> tuple[dict[str, Any], Trace]:
        """The terms of the loss, and the trace of the pass."""
        complex_step = any(np.iscomplexobj(array) for array in params.values())
        dtype: type = np.complex128 if complex_step else np.float64
        if dtype not in self._copies:
            self._copies[dtype] = _perturbable(self.vae.astype(dtype))
            self._written[dtype] = {}
        vae, places = self._copies[dtype]
        written = self._written[dtype]
        for name, array in params.items():
            if written.get(name) is array:  # most are unchanged: only one moves at a time
                continue
            if name in places:
                for layer, side in places[name]:
                    setattr(layer, side, array)
            else:
                vae.parameters[name][...] = array
            written[name] = array
        t = vae.forward(self.x, self.eps, self.target)
        loss = vae.loss(t)
        kl = "KL" if loss.beta == 1.0 else "beta x KL"
        terms = {"reconstruction": loss.reconstruction, kl: loss.beta * loss.kl}
        rest = loss.total - sum(terms.values())
        if self._adds_up is None:
            size = sum(abs(term) for term in terms.values()) + abs(loss.total)
            self._adds_up = not abs(rest) > 1e-12 * size
        return (terms if self._adds_up else terms | {"the rest of total": rest}), t

    def is_read_by_layers_alone(self, name: str, v: Array) -> bool:
        """True if all of the loss's dependence on an array goes through the layers that read it.

        v is a direction, of the array's shape. The array is g for "dg[0]", h for "dh[0]", z for
        "dz". It is moved where it is written, and its change δ is measured; then δ is added where
        it is read. If the reconstruction does not change alike, the model uses the array in a way
        of its own, as in a residual network, and a perturbation of its readers does not test the
        gradient.
        """
        field, _, index = name.removeprefix("d").rstrip("]").partition("[")
        if field not in ("g", "h", "z"):
            return True
        writer = "dmu" if field == "z" else f"da_{field}[{index}]"
        step = 1e-5
        found = [self._run({writer: sign * step * v, name: 0.0 * v}) for sign in (1.0, -1.0)]
        (above, t_above), (below, t_below) = found
        written = (above["reconstruction"] - below["reconstruction"]) / (2.0 * step)
        change = (_at(t_above, field, index) - _at(t_below, field, index)) / (2.0 * step)
        above, below = (
            self.loss({writer: 0.0 * v, name: sign * step * change}) for sign in (1.0, -1.0)
        )
        read = (above["reconstruction"] - below["reconstruction"]) / (2.0 * step)
        return bool(abs(written - read) <= 1e-4 * (abs(written) + abs(read)) + 1e-9)

    def gradients(self) -> dict[str, Array]:
        """The gradients of one backward pass: of weights by their names, of arrays as in the Trace.

        Arrays that backward does not write into the Trace are left out.
        """
        with np.errstate(all="ignore"):  # the caller checks that the result is finite
            t = self.vae.forward(self.x, self.eps, self.target)
            self.vae.backward(t)
        weights = {name: self.vae.parameters.gradient(name) for name in self.vae.parameters}
        arrays = {name: _array(t, name) for name in self.everything if name not in weights}
        return weights | {name: array for name, array in arrays.items() if array is not None}


def _array(t: Trace, name: str) -> Array | None:
    """The array of a Trace that is called "dz" or "dg[0]"."""
    field, _, index = name.rstrip("]").partition("[")
    return _at(t, field, index)


def _at(t: Trace, field: str, index: str) -> Any:
    """The array of a Trace, or one of a list of arrays."""
    value = getattr(t, field)
    return value[int(index)] if index and value is not None else value


def _perturbable(vae: VAE) -> tuple[VAE, dict[str, list[tuple[Perturbed, str]]]]:
    """A copy with perturbed layers; and, for each array, which layers to perturb on which side."""
    vae = copy.copy(vae)
    encoder = vae.encoder = copy.copy(vae.encoder)
    decoder = vae.decoder = copy.copy(vae.decoder)
    encoder.hidden, decoder.hidden = copy.copy(encoder.hidden), copy.copy(decoder.hidden)
    h = [Perturbed(layer) for layer in encoder.hidden.layers]
    g = [Perturbed(layer) for layer in decoder.hidden.layers]
    mu, logvar, output = map(Perturbed, (encoder.mu, encoder.logvar, decoder.output))
    encoder.hidden.layers, decoder.hidden.layers = h, g  # type: ignore[assignment]
    encoder.mu, encoder.logvar, decoder.output = mu, logvar, output  # type: ignore[assignment]
    places: dict[str, list[tuple[Perturbed, str]]] = {
        "dlogits": [(output, "after")],
        "dz": [(g[0], "before")],
        "dmu": [(mu, "after")],
        "dlogvar": [(logvar, "after")],
        "dh_logvar": [(logvar, "before")],
        f"dh[{len(h) - 1}]": [(mu, "before"), (logvar, "before")],
    }
    for i in range(len(h)):
        places[f"da_h[{i}]"] = [(h[i], "after")]
        places[f"da_g[{i}]"] = [(g[i], "after")]
        places[f"dg[{i}]"] = [(g[i + 1] if i + 1 < len(g) else output, "before")]
        if i + 1 < len(h):
            places[f"dh[{i}]"] = [(h[i + 1], "before")]
    return vae, places
