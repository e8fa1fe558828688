"""The record of a pass: every array by name, with its shape; and the loss of the pass."""

from dataclasses import dataclass

from numpyvae.support.tables import shape_table
from numpyvae.support.types import Array


class Trace:
    """Every array of one pass. B images, X pixels, H_i hidden units in layer i, Z latents.

    h, g, dh and dg are lists, an array per hidden layer. `forward` sets the first ten arrays,
    `backward` the others. Printing it shows the table of shapes.
    """

    x: Array  # (B, X) input of the encoder
    target: Array  # (B, X) what the decoder should reproduce: x, or the clean image
    eps: Array  # (B, Z)
    h: list[Array]  # (B, H_i) each
    mu: Array  # (B, Z)
    logvar: Array  # (B, Z)
    z: Array  # (B, Z)
    g: list[Array]  # (B, H_i) each
    logits: Array  # (B, X) the decoder's output: log-odds, if pixels are Bernoulli
    p: Array  # (B, X) the mean of each pixel
    dlogits: Array  # dname = ∂loss/∂name, with the shape of name
    dg: list[Array]
    dz: Array
    dmu: Array
    dlogvar: Array
    dh: list[Array]

    def __repr__(self) -> str:
        return shape_table(vars(self))


@dataclass(frozen=True)
class Loss:
    """total = reconstruction + β KL, in nats per image: means over the images."""

    reconstruction: float
    kl: float  # not weighted by β
    beta: float = 1.0

    @property
    def total(self) -> float:
        """The quantity that training minimizes."""
        return self.reconstruction + self.beta * self.kl

    @property
    def elbo(self) -> float:
        """ELBO = −(reconstruction + KL), for every β; of an IWAE, the bound of k draws."""
        return -(self.reconstruction + self.kl)

    def __str__(self) -> str:
        """As "153.04 = 146.83 + 6.21"; the parts are rounded before they are added up."""
        reconstruction, kl = round(float(self.reconstruction), 2), round(float(self.kl), 2)
        weight = "" if self.beta == 1.0 else f"{self.beta:.3g} x "
        total = reconstruction + self.beta * kl
        return f"{total:.2f} = {reconstruction:.2f} + {weight}{kl:.2f}"
