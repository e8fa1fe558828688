"""The record of a pass: every array by name, with its shape; and the loss of the pass."""

from dataclasses import InitVar, dataclass, fields
from typing import Any

from numpyvae.support.types import NOT_YET, Array, Arrays


@dataclass(eq=False)
class Trace:
    """Every array of one pass. B images, X pixels, H_i hidden units in layer i, Z latents.

    h, g and their gradients are lists of one array per hidden layer, in the order of the pass.
    """

    depth: InitVar[int] = 1
    x: Array = NOT_YET  # (B, X) input of the encoder
    target: Array = NOT_YET  # (B, X) what the decoder should reproduce: x, or the clean image
    h: Arrays = NOT_YET  # (B, H_i) each
    mu: Array = NOT_YET  # (B, Z)
    logvar: Array = NOT_YET  # (B, Z)
    eps: Array = NOT_YET  # (B, Z)
    z: Array = NOT_YET  # (B, Z)
    g: Arrays = NOT_YET  # (B, H_i) each
    logits: Array = NOT_YET  # (B, X)
    p: Array = NOT_YET  # (B, X) sigmoid(logits), the pixel means
    dlogits: Array = NOT_YET  # dname = ∂loss/∂name, with the shape of name
    dg: Arrays = NOT_YET
    da_g: Arrays = NOT_YET  # ∂loss/∂a, where g = φ(a)
    dz: Array = NOT_YET
    dmu: Array = NOT_YET
    dlogvar: Array = NOT_YET
    dh: Arrays = NOT_YET
    dh_logvar: Array = NOT_YET  # the part of dh[-1] that comes through logvar
    da_h: Arrays = NOT_YET  # ∂loss/∂a, where h = φ(a)
    scratch: Array = NOT_YET  # (2, B, X) working space of the loss

    def __post_init__(self, depth: int) -> None:
        for name in ("h", "g", "dg", "da_g", "dh", "da_h"):
            setattr(self, name, [NOT_YET] * depth)

    def __str__(self) -> str:
        """The table of shapes."""
        rows = []
        for field in fields(self):
            value = getattr(self, field.name)
            many = isinstance(value, list)
            for i, array in enumerate(value if many else [value]):
                name = f"{field.name}[{i}]" if many else field.name
                rows.append(f"{name:10} {'not yet' if array is None else array.shape}")
        return "\n".join(rows)


@dataclass(frozen=True)
class Loss:
    """total = reconstruction + β KL, in nats per image: means over the images."""

    reconstruction: Any
    kl: Any  # not weighted by β
    beta: float = 1.0

    @property
    def total(self) -> Any:
        """The quantity that training minimizes."""
        return self.reconstruction + self.beta * self.kl

    @property
    def elbo(self) -> Any:
        """ELBO = −(reconstruction + KL), for every β."""
        return -(self.reconstruction + self.kl)

    def __str__(self) -> str:
        """As "153.04 = 146.83 + 6.21"; the parts are rounded first, so that the sum adds up."""
        reconstruction, kl = round(float(self.reconstruction), 2), round(float(self.kl), 2)
        weight = "" if self.beta == 1.0 else f"{self.beta:.3g} x "
        total = reconstruction + self.beta * kl
        return f"{total:.2f} = {reconstruction:.2f} + {weight}{kl:.2f}"
