"""The variational auto-encoder: one pass forward, its loss, and the same pass backward.

Forward goes from left to right, and adds up the two parts of the loss below:

    x ─► encoder ─► mu, logvar ─► z = mu + exp(logvar/2)·eps ─► decoder ─► logits ─► p
                         │                                                    │
                  kl(mu, logvar)                                    cost(logits, target)
"""

from __future__ import annotations

import copy
from math import prod

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from numpyvae.core.bernoulli import BERNOULLI, Likelihood
from numpyvae.core.latent import kl_backward, kl_divergence, reparameterize, reparameterize_backward
from numpyvae.core.networks import Decoder, Encoder
from numpyvae.core.parameters import Parameters
from numpyvae.core.trace import Loss, Trace
from numpyvae.data.images import pixels_for
from numpyvae.data.minibatches import check_batch
from numpyvae.support.configured import Configured, check_configured
from numpyvae.support.copies import Connected
from numpyvae.support.inputs import check_array, check_count, check_counts, check_number, check_rng
from numpyvae.support.types import Array


class VAE(Configured, Connected):
    """p(z) = N(0, I),   p(x|z) = likelihood(decoder(z)),   q(z|x) = N(μ(x), diag σ²(x)).

    The classic by default: 784-256-2-256-784 with ReLU, for 28 x 28 pixels. (Kingma & Welling 2014,
    Auto-Encoding Variational Bayes, arXiv:1312.6114.)

    Parameters
    ----------
    hidden : int or tuple of int
        Widths of the encoder's hidden layers; the decoder has them in reverse.
    latent : int
        Number Z of latents.
    activation : {"relu", "tanh"}
        Of the hidden layers.
    beta : float
        Weight of the KL in the loss. Only with 1 is −loss the ELBO.
    image_shape : tuple of int
        Height and width of an image; X is their product.
    likelihood : Likelihood, optional
        Of the pixels; Bernoulli unless another is given. See numpyvae.variants.
    rng : int or numpy.random.Generator
        Seed of the weights: Glorot-uniform, with zero biases.

    Attributes
    ----------
    parameters : Parameters
        All weights by name: W_h1 and b_h1 give h[0], W_mu and b_mu give mu, W_out the logits.

    Examples
    --------
    >>> import numpy as np
    >>> from numpyvae import VAE
    >>> vae = VAE(hidden=3, latent=2, image_shape=(2, 2))
    >>> x = np.random.default_rng(0).random((5, 4))
    >>> trace = vae.forward(x, eps=np.zeros((5, 2)))
    >>> trace.mu.shape, trace.logits.shape
    ((5, 2), (5, 4))
    >>> loss = vae.loss(trace)
    >>> bool(loss.total == loss.reconstruction + loss.kl)
    True
    >>> vae.backward(trace).dmu.shape
    (5, 2)
    """

    CONFIG: tuple[str, ...] = (
        "hidden", "latent", "activation", "beta", "image_shape", "likelihood",
    )  # fmt: skip
    likelihood: Likelihood = BERNOULLI
    encoder_class, decoder_class = Encoder, Decoder

    def __init__(
        self,
        hidden: int | tuple[int, ...] = 256,
        latent: int = 2,
        *,
        activation: str = "relu",
        beta: float = 1.0,
        image_shape: tuple[int, ...] = (28, 28),
        likelihood: Likelihood | None = None,
        rng: np.random.Generator | int = 0,
    ) -> None:
        self.hidden = check_counts("hidden", hidden)
        self.latent = check_count("latent", latent)
        self.eps_shape: tuple[int, ...] = (self.latent,)  # of the noise of one image
        self.activation = activation
        self.beta = check_number("beta", beta)
        self.image_shape = check_counts("image_shape", image_shape, length=2)
        if likelihood is not None:
            self.likelihood = check_configured("likelihood", likelihood, "Gaussian()")
        pixels = prod(self.image_shape)
        shapes = self.encoder_class.shapes(pixels, self.hidden, self.latent)
        outputs = pixels * self.likelihood.outputs
        shapes |= self.decoder_class.shapes(self.latent, self.hidden[::-1], outputs)
        self._connect(Parameters(shapes | self.likelihood.weight_shapes))
        self.parameters.initialize(check_rng(rng))

    def _connect(self, parameters: Parameters) -> None:
        """Make the networks, and the weights of the likelihood, views of these parameters."""
        self.parameters = parameters
        self.encoder = self.encoder_class(parameters, self.hidden, self.activation)
        self.decoder = self.decoder_class(parameters, self.hidden[::-1], self.activation)
        self.likelihood = self.likelihood.connect(parameters)

    def forward(self, x: Array, eps: Array, target: Array | None = None) -> Trace:
        """x → h → μ, logvar → z = μ + σ ε → g → logits → p

        Images x (B, X), noise eps (B, Z) from N(0, 1), and the clean images if x is corrupted.
        """
        t = Trace()
        t.x, t.eps, t.target = check_batch(self, x, eps, target)
        t.h, t.mu, t.logvar = self.encoder.forward(t.x)
        t.z = reparameterize(t.mu, t.logvar, t.eps)
        t.g, t.logits = self.decoder.forward(t.z)
        t.p = self.likelihood.mean(t.logits)
        return t

    def loss(self, t: Trace) -> Loss:
        """mean over images of (−log p(x|z) + β KL(q(z|x) ‖ p(z))), in nats per image."""
        reconstruction = self.likelihood.cost(t.logits, t.target, t.p).mean()
        kl = kl_divergence(t.mu, t.logvar).mean()
        return Loss(reconstruction, kl, self.beta)

    def backward(self, t: Trace) -> Trace:
        """∂loss/∂name of every array of the pass, in t, and of every weight, in parameters.grad."""
        share = 1.0 / len(t.x)  # the weight of one image in the mean
        t.dlogits = self.likelihood.cost_backward(t.logits, t.target, t.p, share)
        t.dg, t.dz = self.decoder.backward(t.z, t.g, t.dlogits)
        dmu, dlogvar = reparameterize_backward(t.dz, t.logvar, t.eps)
        dmu_kl, dlogvar_kl = kl_backward(t.mu, t.logvar)
        t.dmu = dmu + self.beta * share * dmu_kl  # mu and logvar feed both z and the KL
        t.dlogvar = dlogvar + self.beta * share * dlogvar_kl
        t.dh = self.encoder.backward(t.x, t.h, t.dmu, t.dlogvar)
        return t

    def encode(self, images: ArrayLike) -> tuple[Array, Array]:
        """μ(x), log σ²(x) of images (N, X) or (N, height, width): (N, Z) each."""
        _, mu, logvar = self.encoder.forward(pixels_for(self, "images", images))
        return mu, logvar

    def decode(self, z: ArrayLike) -> Array:
        """The pixel means for latents z (N, Z): (N, X)."""
        return self.likelihood.mean(self.decode_logits(z))

    def decode_logits(self, z: ArrayLike) -> Array:
        """The decoder's output, (N, X), for latents z (N, Z): logits, if pixels are Bernoulli."""
        z = check_array("z", z, (-1, self.latent), self.parameters.value.dtype)
        return self.decoder.forward(z)[1]

    def reconstruct(self, images: ArrayLike) -> Array:
        """The pixel means at z = μ(x), without noise, for looking at: (N, X)."""
        return self.decode(self.encode(images)[0])

    def sample(self, n: int, rng: np.random.Generator | int = 0) -> Array:
        """The pixel means of n draws z from the prior N(0, 1): (n, X)."""
        size = (check_count("n", n), self.latent)
        return self.decode(check_rng(rng).standard_normal(size))

    def astype(self, dtype: DTypeLike) -> VAE:
        """A copy with parameters of another dtype: float64 or complex128 to check gradients."""
        other = copy.copy(self)
        other._connect(Parameters(self.parameters.shapes, dtype))
        other.parameters.value[:] = self.parameters.value
        return other
