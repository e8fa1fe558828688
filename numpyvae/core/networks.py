"""The two networks of a VAE: the encoder, x → μ, log σ², and the decoder, z → logits.

Both are functions of arrays: they return what their hidden layers give, are handed it in the
backward pass, and store nothing but weights. Any class with the constructor, `shapes`, `forward`
and `backward` of these is a network: make it the `encoder_class` or `decoder_class` of a VAE.
"""

from itertools import pairwise

from numpyvae.core.layers import ACTIVATIONS, Dense
from numpyvae.core.parameters import Parameters
from numpyvae.support.inputs import check_choice
from numpyvae.support.types import Array, Shapes


class Hidden:
    """h₁ = φ(x W₁ + b₁),  h₂ = φ(h₁ W₂ + b₂),  …: what both networks begin with."""

    letter = "h"  # the hidden layers are called h1, h2, …
    heads: tuple[str, ...] = ()  # the layers after them

    @classmethod
    def shapes(cls, inputs: int, hidden: tuple[int, ...], outputs: int) -> Shapes:
        """The name and shape of every weight, in the order of the pass."""
        widths = enumerate(pairwise((inputs, *hidden)), start=1)
        sizes = {f"{cls.letter}{i}": size for i, size in widths}
        sizes |= dict.fromkeys(cls.heads, (hidden[-1], outputs))
        shapes: Shapes = {}
        for name, (n_in, n_out) in sizes.items():
            shapes |= {f"W_{name}": (n_in, n_out), f"b_{name}": (n_out,)}
        return shapes

    def __init__(self, parameters: Parameters, hidden: tuple[int, ...], activation: str) -> None:
        self.layers = [Dense(parameters, f"{self.letter}{i + 1}") for i in range(len(hidden))]
        check_choice("activation", activation, ACTIVATIONS)
        self.activation, self.activation_backward = ACTIVATIONS[activation]

    def hidden_forward(self, x: Array) -> list[Array]:
        """[h₁, h₂, …]"""
        h: list[Array] = []
        for layer in self.layers:
            x = self.activation(layer.forward(x))
            h.append(x)
        return h

    def hidden_backward(self, h: list[Array], dh_last: Array) -> tuple[list[Array], Array]:
        """[dh₁, dh₂, …] and da, where h₁ = φ(a): the caller goes on with the first layer itself."""
        dh = [dh_last]
        for i in range(len(h) - 1, 0, -1):
            da = self.activation_backward(dh[0], h[i])
            dh.insert(0, self.layers[i].backward(h[i - 1], da))
        return dh, self.activation_backward(dh[0], h[0])


class Encoder(Hidden):
    """x → h₁ → … → μ, log σ²: hidden layers, then one layer for μ and one for log σ²."""

    heads = ("mu", "logvar")

    def __init__(self, parameters: Parameters, hidden: tuple[int, ...], activation: str) -> None:
        super().__init__(parameters, hidden, activation)
        self.mu, self.logvar = Dense(parameters, "mu"), Dense(parameters, "logvar")

    def forward(self, x: Array) -> tuple[list[Array], Array, Array]:
        """h, μ and log σ²: [(B, H_i), …], (B, Z) and (B, Z) for images x (B, X)."""
        h = self.hidden_forward(x)
        mu = self.mu.forward(h[-1])
        logvar = self.logvar.forward(h[-1])
        return h, mu, logvar

    def backward(self, x: Array, h: list[Array], dmu: Array, dlogvar: Array) -> list[Array]:
        """dh, returned; every dW and db, stored."""
        through_logvar = self.logvar.backward(h[-1], dlogvar)
        through_mu = self.mu.backward(h[-1], dmu)
        dh, da = self.hidden_backward(h, through_mu + through_logvar)  # h feeds both: they add
        self.layers[0].weights_backward(x, da)
        return dh


class Decoder(Hidden):
    """z → g₁ → … → logits: hidden layers, then one for the output."""

    letter, heads = "g", ("out",)

    def __init__(self, parameters: Parameters, hidden: tuple[int, ...], activation: str) -> None:
        super().__init__(parameters, hidden, activation)
        self.out = Dense(parameters, "out")

    def forward(self, z: Array) -> tuple[list[Array], Array]:
        """g and the logits: [(B, H_i), …] and (B, X) for latents z (B, Z)."""
        g = self.hidden_forward(z)
        logits = self.out.forward(g[-1])
        return g, logits

    def backward(self, z: Array, g: list[Array], dlogits: Array) -> tuple[list[Array], Array]:
        """dg and dz, returned; every dW and db, stored."""
        dg_last = self.out.backward(g[-1], dlogits)
        dg, da = self.hidden_backward(g, dg_last)
        dz = self.layers[0].backward(z, da)
        return dg, dz
