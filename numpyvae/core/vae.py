"""The variational auto-encoder: one pass forward, its loss, and the same pass backward."""

import copy
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from numpyvae.core.bernoulli import cross_entropy, cross_entropy_backward
from numpyvae.core.latent import kl_backward, kl_divergence, reparameterize, reparameterize_backward
from numpyvae.core.layers import Decoder, Encoder, sigmoid, weight_shapes
from numpyvae.core.parameters import Parameters
from numpyvae.core.trace import Loss, Trace
from numpyvae.data.images import check_pixels
from numpyvae.support.inputs import check_array, check_count, check_counts, check_number, check_rng
from numpyvae.support.types import Array, Maybe


class VAE:
    """p(z) = N(0, I),   p(x|z) = Bernoulli(sigmoid(logits)),   q(z|x) = N(μ(x), diag σ²(x)).

    `hidden` is the width of the encoder's hidden layer, or a tuple of widths; the decoder has the
    same ones in reverse. `activation` is "relu" or "tanh"; `beta` weighs the KL; `rng`, a seed or a
    Generator, draws the weights. W_mu and b_mu in `parameters` are the weights that give mu.
    (Kingma & Welling 2014, Auto-Encoding Variational Bayes, arXiv:1312.6114.)
    """

    def __init__(
        self,
        hidden: int | tuple[int, ...] = 256,
        latent: int = 2,
        *,
        activation: str = "relu",
        beta: float = 1.0,
        image_shape: tuple[int, ...] = (28, 28),
        rng: np.random.Generator | int = 0,
    ) -> None:
        self.hidden = check_counts("hidden", hidden)
        self.latent = check_count("latent", latent)
        self.eps_shape: tuple[int, ...] = (self.latent,)  # of the noise of one image
        self.activation = activation
        self.beta = check_number("beta", beta)
        self.image_shape = check_counts("image_shape", image_shape, length=2)
        self._connect(Parameters(weight_shapes(prod(self.image_shape), self.hidden, self.latent)))
        generator = check_rng(rng)
        for layer in (*self.encoder.layers, *self.decoder.layers):
            layer.initialize(generator)

    def _connect(self, parameters: Parameters) -> None:
        """Make the layers views of these parameters."""
        self.parameters = parameters
        self.encoder = Encoder(parameters, len(self.hidden), self.activation)
        self.decoder = Decoder(parameters, len(self.hidden), self.activation)

    def forward(
        self, x: Array, eps: Array, target: Maybe = None, out: Trace | None = None
    ) -> Trace:
        """x → h → μ, logvar → z = μ + σ ε → g → logits → p

        x (B, X) are images, eps (B, Z) is noise from N(0, 1), target (B, X) are the clean images
        if x is corrupted. `out` is an earlier Trace of as many images; it is overwritten.
        """
        t = Trace(depth=len(self.hidden)) if out is None else out
        t.x = self._pixels("x", x)
        t.target = t.x if target is None else self._pixels("target", target)
        if t.target.shape != t.x.shape:
            raise ValueError(f"target: expected shape {t.x.shape} as x, got {t.target.shape}")
        t.eps = check_array("eps", eps, (len(t.x), *self.eps_shape), t.x.dtype)

        t.h = self.encoder.hidden.forward(t.x, out=t.h)
        t.mu = self.encoder.mu.forward(t.h[-1], out=t.mu)
        t.logvar = self.encoder.logvar.forward(t.h[-1], out=t.logvar)
        t.z = reparameterize(t.mu, t.logvar, t.eps, out=t.z)
        t.g = self.decoder.hidden.forward(t.z, out=t.g)
        t.logits = self.decoder.output.forward(t.g[-1], out=t.logits)
        t.p = sigmoid(t.logits, out=t.p)
        return t

    def loss(self, t: Trace) -> Loss:
        """mean over images of (Σ pixels cross-entropy + β Σ latents KL), in nats per image."""
        t.scratch = np.empty((2, *t.p.shape), t.p.dtype) if t.scratch is None else t.scratch
        reconstruction = cross_entropy(t.logits, t.target, t.p, t.scratch).mean()
        return Loss(reconstruction, kl_divergence(t.mu, t.logvar).mean(), self.beta)

    def backward(self, t: Trace) -> Trace:
        """∂loss/∂name of every array of the pass, in t, and of every weight, in parameters.grad."""
        share = 1.0 / len(t.x)  # the weight of one image in the mean

        t.dlogits = cross_entropy_backward(t.logits, t.target, t.p, out=t.dlogits)
        t.dlogits *= share
        t.dg[-1] = self.decoder.output.backward(t.g[-1], t.dlogits, out=t.dg[-1])
        t.dz = self.decoder.hidden.backward(t.z, t.g, t.dg, t.da_g, out=t.dz)
        t.dmu, t.dlogvar = reparameterize_backward(t.dz, t.logvar, t.eps, (t.dmu, t.dlogvar))
        dmu_kl, dlogvar_kl = kl_backward(t.mu, t.logvar)
        t.dmu += self.beta * share * dmu_kl
        t.dlogvar += self.beta * share * dlogvar_kl
        t.dh_logvar = self.encoder.logvar.backward(t.h[-1], t.dlogvar, out=t.dh_logvar)
        t.dh[-1] = self.encoder.mu.backward(t.h[-1], t.dmu, out=t.dh[-1])
        t.dh[-1] += t.dh_logvar  # h feeds both mu and logvar, so their gradients add
        self.encoder.hidden.backward(t.x, t.h, t.dh, t.da_h, out=None, need_dx=False)
        return t

    def encode(self, images: ArrayLike) -> tuple[Array, Array]:
        """μ(x), log σ²(x) of images (N, X) or (N, height, width): (N, Z) each."""
        h = self.encoder.hidden.forward(self._pixels("images", images))
        return self.encoder.mu.forward(h[-1]), self.encoder.logvar.forward(h[-1])

    def decode(self, z: ArrayLike) -> Array:
        """The pixel means p = sigmoid(logits) in [0, 1] for latents z (N, Z): (N, X)."""
        logits = self.decode_logits(z)
        return sigmoid(logits, out=logits)

    def decode_logits(self, z: ArrayLike) -> Array:
        """The logits of the pixels, (N, X), for latents z (N, Z)."""
        z = check_array("z", z, (-1, self.latent), self.parameters.value.dtype)
        g = self.decoder.hidden.forward(z)
        return self.decoder.output.forward(g[-1])

    def reconstruct(self, images: ArrayLike) -> Array:
        """The pixel means at z = μ(x), without noise, for looking at: (N, X)."""
        return self.decode(self.encode(images)[0])

    def sample(self, n: int, rng: np.random.Generator | int) -> Array:
        """The pixel means of n draws z from the prior N(0, 1): (n, X)."""
        size = (check_count("n", n), self.latent)
        return self.decode(check_rng(rng).standard_normal(size))

    def astype(self, dtype: DTypeLike) -> "VAE":
        """A copy with parameters of another dtype: float64 or complex128 to check gradients."""
        twin = copy.copy(self)
        twin._connect(Parameters(self.parameters.shapes, dtype))
        twin.parameters.value[:] = self.parameters.value
        return twin

    def small_twin(self, rng: np.random.Generator, beta: float = 0.7, **options: Any) -> "VAE":
        """A float64 VAE of the same class and depth, with random weights; its sizes all differ."""
        sizes: Any = {"hidden": tuple(11 + 2 * i for i in range(len(self.hidden))), "latent": 3}
        twin = type(self)(**sizes, beta=beta, image_shape=(1, 7), rng=rng, **options)
        twin.activation = self.activation
        twin.parameters.value += 0.3 * rng.standard_normal(twin.parameters.value.size)
        return twin.astype(np.float64)

    def _pixels(self, name: str, images: ArrayLike) -> Array:
        return check_pixels(name, images, self.image_shape, self.parameters.value.real.dtype)
