"""The variational auto-encoder: one pass forward, its loss, and the same pass backward."""

import copy
from math import prod

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from numpyvae.bernoulli import cross_entropy, cross_entropy_backward
from numpyvae.gaussian import kl_backward, kl_divergence, reparameterize, reparameterize_backward
from numpyvae.images import check_pixels
from numpyvae.inputs import check_array, check_count, check_counts, check_number
from numpyvae.layers import Dense, Hidden, sigmoid
from numpyvae.parameters import Array, Parameters
from numpyvae.trace import Loss, Trace


class VAE:
    """p(z) = N(0, 1),   p(x|z) = Bernoulli(sigmoid(logits)),   q(z|x) = N(μ(x), σ²(x)).

    `hidden` is the width of the encoder's hidden layer, or a tuple of widths; the decoder has the
    same ones mirrored. `beta` weighs the KL. `rng` (a seed or a Generator) draws the weights.
    Layers are named after what they make: W_mu and b_mu in `parameters` make mu.
    (Kingma & Welling 2014, Auto-Encoding Variational Bayes, arXiv:1312.6114.)
    """

    def __init__(
        self,
        hidden: int | tuple[int, ...] = 256,
        latent: int = 2,
        *,
        beta: float = 1.0,
        image_shape: tuple[int, ...] = (28, 28),
        rng: np.random.Generator | int = 0,
    ) -> None:
        self.hidden = check_counts("hidden", hidden)
        self.latent = check_count("latent", latent)
        self.beta = check_number("beta", beta)
        self.image_shape = check_counts("image_shape", image_shape, length=2)
        self._connect(Parameters(self._shapes()))
        generator = np.random.default_rng(rng)
        for layer in self.layers:
            layer.initialize(generator)

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """The name and shape of every weight, in the order of the forward pass."""
        down = (prod(self.image_shape), *self.hidden)
        up = (self.latent, *self.hidden[::-1])
        layers = [(f"h{i}", down[i - 1], down[i]) for i in range(1, len(down))]
        layers += [("mu", down[-1], self.latent), ("logvar", down[-1], self.latent)]
        layers += [(f"g{i}", up[i - 1], up[i]) for i in range(1, len(up))]
        layers += [("out", up[-1], down[0])]
        pairs = [((f"W_{name}", (m, n)), (f"b_{name}", (n,))) for name, m, n in layers]
        return {name: shape for pair in pairs for name, shape in pair}

    def _connect(self, parameters: Parameters) -> None:
        """Make the layers views of these parameters."""
        self.parameters = parameters
        depth = range(1, len(self.hidden) + 1)
        self.encoder = Hidden(parameters, [f"h{i}" for i in depth])
        self.mu_head = Dense(parameters, "mu")
        self.logvar_head = Dense(parameters, "logvar")
        self.decoder = Hidden(parameters, [f"g{i}" for i in depth])
        self.output = Dense(parameters, "out")
        heads = (self.mu_head, self.logvar_head)
        self.layers = (*self.encoder.layers, *heads, *self.decoder.layers, self.output)

    def astype(self, dtype: DTypeLike) -> "VAE":
        """A copy with parameters of another dtype: float64 or complex128 to check gradients."""
        twin = copy.copy(self)
        twin._connect(Parameters(self.parameters.shapes, dtype))
        twin.parameters.value[:] = self.parameters.value
        return twin

    def forward(
        self, x: Array, eps: Array, target: Array | None = None, out: Trace | None = None
    ) -> Trace:
        """x → h → μ, logvar → z = μ + σ ε → g → logits → p

        x (B, X) are images, eps (B, Z) is noise from N(0, 1), target (B, X) are the images to
        restore if x is corrupted. `out`: an earlier Trace of as many images, to be overwritten.
        """
        t = Trace.empty(depth=len(self.hidden)) if out is None else out
        t.x = self._pixels("x", x)
        t.target = t.x if target is None else self._pixels("target", target)
        if t.target.shape != t.x.shape:
            raise ValueError(f"target: expected shape {t.x.shape} as x, got {t.target.shape}")
        t.eps = check_array("eps", eps, (len(t.x), self.latent), t.x.dtype)

        t.h = self.encoder.forward(t.x, out=t.h)
        t.mu = self.mu_head.forward(t.h[-1], out=t.mu)
        t.logvar = self.logvar_head.forward(t.h[-1], out=t.logvar)
        t.z = reparameterize(t.mu, t.logvar, t.eps, out=t.z)
        t.g = self.decoder.forward(t.z, out=t.g)
        t.logits = self.output.forward(t.g[-1], out=t.logits)
        t.p = sigmoid(t.logits, out=t.p)
        return t

    def loss(self, t: Trace) -> Loss:
        """mean over images of (Σ pixels cross-entropy + β Σ latents KL), in nats per image."""
        t.scratch = np.empty_like(t.logits) if t.scratch is None else t.scratch
        reconstruction = cross_entropy(t.logits, t.target, t.p, t.scratch).mean()
        return Loss(reconstruction, kl_divergence(t.mu, t.logvar).mean(), self.beta)

    def backward(self, t: Trace) -> Trace:
        """∂loss/∂name of every array of the pass, in t, and of every weight, in parameters.grad."""
        share = 1.0 / len(t.x)  # of one image in the mean

        t.dlogits = cross_entropy_backward(t.logits, t.target, t.p, out=t.dlogits)
        t.dlogits *= share
        t.dg[-1] = self.output.backward(t.g[-1], t.dlogits, out=t.dg[-1])
        t.dz = self.decoder.backward(t.z, t.g, t.dg, t.da_g, out=t.dz)
        t.dmu, t.dlogvar = reparameterize_backward(t.dz, t.logvar, t.eps, (t.dmu, t.dlogvar))
        dmu_kl, dlogvar_kl = kl_backward(t.mu, t.logvar)
        t.dmu += self.beta * share * dmu_kl
        t.dlogvar += self.beta * share * dlogvar_kl
        t.dh_logvar = self.logvar_head.backward(t.h[-1], t.dlogvar, out=t.dh_logvar)
        t.dh[-1] = self.mu_head.backward(t.h[-1], t.dmu, out=t.dh[-1])
        t.dh[-1] += t.dh_logvar  # h feeds both heads, so their gradients add
        self.encoder.backward_weights(t.x, t.h, t.dh, t.da_h)
        return t

    def encode(self, images: ArrayLike) -> tuple[Array, Array]:
        """μ(x), log σ²(x) of images (N, X) or (N, height, width): (N, Z) each."""
        h = self.encoder.forward(self._pixels("images", images))
        return self.mu_head.forward(h[-1]), self.logvar_head.forward(h[-1])

    def decode(self, z: ArrayLike) -> Array:
        """The pixel means p = sigmoid(logits) in [0, 1] for latents z (N, Z): (N, X)."""
        z = check_array("z", z, (-1, self.latent), self.parameters.value.dtype)
        g = self.decoder.forward(z)
        logits = self.output.forward(g[-1])
        return sigmoid(logits, out=logits)

    def reconstruct(self, images: ArrayLike) -> Array:
        """The pixel means at z = μ(x), without noise, for looking at: (N, X)."""
        return self.decode(self.encode(images)[0])

    def sample(self, n: int, rng: np.random.Generator | int) -> Array:
        """The pixel means of n draws z from the prior N(0, 1): (n, X)."""
        size = (check_count("n", n), self.latent)
        return self.decode(np.random.default_rng(rng).standard_normal(size))

    def summary(self) -> str:
        """A table of the weights: name, shape, number of entries."""
        return str(self.parameters)

    def _pixels(self, name: str, images: ArrayLike) -> Array:
        return check_pixels(name, images, self.image_shape, self.parameters.value.real.dtype)
