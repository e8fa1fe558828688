"""The loss of a VAE as a function of its weights, and of perturbations of the arrays of a pass."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from numpyvae.core.layers import Dense
from numpyvae.core.networks import Decoder, Encoder
from numpyvae.core.trace import Trace
from numpyvae.core.vae import VAE
from numpyvae.support.types import Array


class Perturbed:
    """A dense layer with something added to its input and to its output."""

    def __init__(self, layer: Dense) -> None:
        self.layer = layer
        self.before: Any = 0.0
        self.after: Any = 0.0

    def forward(self, x: Array) -> Array:
        """y = (x + before) W + b + after"""
        return self.layer.forward(x + self.before) + self.after


class PerturbedNetworks:
    """An encoder and a decoder of any kind, with something added to z, μ, log σ² and the logits."""

    def __init__(self, encoder: Encoder, decoder: Decoder) -> None:
        self.encoder, self.decoder = encoder, decoder
        self.z: Any = 0.0
        self.mu: Any = 0.0
        self.logvar: Any = 0.0
        self.logits: Any = 0.0

    def encode(self, x: Array) -> tuple[list[Array], Array, Array]:
        """h, μ + …, log σ² + …"""
        h, mu, logvar = self.encoder.forward(x)
        return h, mu + self.mu, logvar + self.logvar

    def decode(self, z: Array) -> tuple[list[Array], Array]:
        """g, logits + …  at z + …"""
        g, logits = self.decoder.forward(z + self.z)
        return g, logits + self.logits


Places = dict[str, list[tuple[Any, str]]]  # for each gradient, the attributes to add to


class Point:
    """A model and a batch. The loss is a function of the weights and of perturbations.

    A perturbation is named after the gradient it tests: "dz" is added to z. It is added by the
    layer that writes the array, or by the layers that read it (`Perturbed`). Everything else is
    the model's own `forward` and `loss`, in float64 or, for the complex step, complex128.
    """

    def __init__(self, vae: VAE, x: Array, eps: Array, target: Array) -> None:
        self.vae, self.x, self.eps, self.target = vae, x, eps, target
        self._copies: dict[type, tuple[VAE, Places]] = {}
        self._written: dict[type, dict[str, Array]] = {}  # the arrays that each copy holds now
        self._adds_up: bool | None = None  # is total = reconstruction + β KL, as the loss says it?

    def of(self, vae: VAE) -> Point:
        """The same batch for another model."""
        return Point(vae, self.x, self.eps, self.target)

    @property
    def everything(self) -> list[str]:
        """All weights and all arrays of the pass; in reverse, it is the order of backward."""
        behind = {f"b_h{i + 1}": [f"dh[{i}]"] for i in range(len(self.vae.hidden))}
        behind |= {f"b_g{i + 1}": [f"dg[{i}]"] for i in range(len(self.vae.hidden))}
        behind |= {"b_logvar": ["dmu", "dlogvar", "dz"], "b_out": ["dlogits"]}
        names: list[str] = []
        for name in self.vae.parameters:
            names += [name, *behind.pop(name, [])]
        seams = ("dmu", "dlogvar", "dz", "dlogits")  # of networks with other weights
        names += [name for name in seams if name not in names]
        return [
            name for name in names if name in self.vae.parameters.shapes or name in self._places()
        ]

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
        writer = "dmu" if field == "z" else f"a_{field}[{index}]"  # where it is written
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

    def _places(self) -> Places:
        """Where the copy in float64 is perturbed."""
        if np.float64 not in self._copies:
            self._copies[np.float64] = _perturbable(self.vae.astype(np.float64))
            self._written[np.float64] = {}
        return self._copies[np.float64][1]

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
    """The array of a Trace that is called "dz" or "dg[0]"; None if it is not there."""
    field, _, index = name.rstrip("]").partition("[")
    try:
        return _at(t, field, index)
    except (AttributeError, IndexError, TypeError):
        return None


def _at(t: Trace, field: str, index: str) -> Any:
    """The array of a Trace, or one of a list of arrays."""
    value = getattr(t, field)
    return value[int(index)] if index else value


def _perturbable(vae: VAE) -> tuple[VAE, Places]:
    """A copy whose arrays can be perturbed; and, for each array, where.

    The networks of core are perturbed layer by layer, others only where they meet.
    """
    vae = copy.copy(vae)
    try:
        return vae, _perturb_layers(vae)
    except AttributeError:  # networks without these layers
        networks = PerturbedNetworks(vae.encoder, vae.decoder)
        vae.encoder, vae.decoder = copy.copy(vae.encoder), copy.copy(vae.decoder)
        vae.encoder.forward = networks.encode  # type: ignore[method-assign]
        vae.decoder.forward = networks.decode  # type: ignore[method-assign]
        return vae, {f"d{name}": [(networks, name)] for name in ("z", "mu", "logvar", "logits")}


def _perturb_layers(vae: VAE) -> Places:
    """Put a Perturbed in the place of every dense layer; where to perturb each array."""
    encoder, decoder = copy.copy(vae.encoder), copy.copy(vae.decoder)
    h = [Perturbed(layer) for layer in encoder.layers]
    g = [Perturbed(layer) for layer in decoder.layers]
    mu, logvar, output = map(Perturbed, (encoder.mu, encoder.logvar, decoder.out))
    encoder.layers, decoder.layers = h, g  # type: ignore[assignment]
    encoder.mu, encoder.logvar, decoder.out = mu, logvar, output  # type: ignore[assignment]
    vae.encoder, vae.decoder = encoder, decoder
    places: Places = {
        "dlogits": [(output, "after")],
        "dz": [(g[0], "before")],
        "dmu": [(mu, "after")],
        "dlogvar": [(logvar, "after")],
        f"dh[{len(h) - 1}]": [(mu, "before"), (logvar, "before")],
    }
    for i in range(len(h)):
        places[f"a_h[{i}]"] = [(h[i], "after")]
        places[f"a_g[{i}]"] = [(g[i], "after")]
        places[f"dg[{i}]"] = [(g[i + 1] if i + 1 < len(g) else output, "before")]
        if i + 1 < len(h):
            places[f"dh[{i}]"] = [(h[i + 1], "before")]
    return places
