"""The VAE of notebook 07, with places for mistakes, and its evidence by quadrature."""

from functools import partial

import numpy as np

from numpyvae.course.exercises.dense_layer import dense, dense_backward
from numpyvae.course.exercises.elbo import kl_backward, kl_divergence
from numpyvae.course.exercises.network import (
    cross_entropy,
    cross_entropy_backward,
    relu_backward,
    rmsprop_step,
    sigmoid,
)
from numpyvae.course.exercises.reparameterization import reparameterize, reparameterize_backward

RELU = partial(np.maximum, 0)


def same(a):
    """a, in the place of a function that a mistake leaves out."""
    return a


def layer(theta, name, a):
    """The dense layer that is named after its output."""
    return dense(a, theta[f"W_{name}"], theta[f"b_{name}"])


def forward(
    theta, x, eps, *, h=RELU, mu=same, logvar=same, sample=reparameterize, g=RELU, logits=same
):
    """x → h → mu, logvar → z → g → logits. The keywords are places for mistakes."""
    t = {"x": x, "target": x, "eps": eps}
    t["h"] = h(layer(theta, "h1", x))
    t["mu"] = mu(layer(theta, "mu", t["h"]))
    t["logvar"] = logvar(layer(theta, "logvar", t["h"]))
    t["z"] = sample(t["mu"], t["logvar"], eps)
    t["g"] = g(layer(theta, "g1", t["z"]))
    t["logits"] = logits(layer(theta, "out", t["g"]))
    return t


def loss(
    t, *, pixels=cross_entropy, latents=kl_divergence, target="target", mean=np.mean, beta=1.0
):
    """The means of cross-entropy and KL over the images. The keywords are places for mistakes."""
    return mean(pixels(t["logits"], t[target])), beta * mean(latents(t["mu"], t["logvar"]))


def backward(
    theta,
    t,
    *,
    share=None,
    pixels=cross_entropy_backward,
    relu_g=relu_backward,
    relu_h=relu_backward,
    sample=reparameterize_backward,
    latents=kl_backward,
    beta=1.0,
    linear=dense_backward,
    into_h=np.add,
    target="target",
):
    """The forward pass, from its end. The keywords are places for mistakes."""
    d = {}
    share = 1.0 / len(t["x"]) if share is None else share
    dlogits = share * pixels(t["logits"], t[target])
    dg, d["W_out"], d["b_out"] = linear(t["g"], theta["W_out"], dlogits)
    dz, d["W_g1"], d["b_g1"] = linear(t["z"], theta["W_g1"], relu_g(dg, t["g"]))
    dmu, dlogvar = sample(dz, t["logvar"], t["eps"])
    dmu_kl, dlogvar_kl = latents(t["mu"], t["logvar"])
    dmu, dlogvar = dmu + beta * share * dmu_kl, dlogvar + beta * share * dlogvar_kl
    dh_logvar, d["W_logvar"], d["b_logvar"] = linear(t["h"], theta["W_logvar"], dlogvar)
    dh_mu, d["W_mu"], d["b_mu"] = linear(t["h"], theta["W_mu"], dmu)
    dh = into_h(dh_mu, dh_logvar)
    _, d["W_h1"], d["b_h1"] = linear(t["x"], theta["W_h1"], relu_h(dh, t["h"]))
    return d


def train_step(theta, s, x, eps, lr=1e-3):
    """θ and s of every weight after a step of RMSprop."""
    return stepped(theta, s, backward(theta, forward(theta, x, eps)), lr)


def stepped(theta, s, grad, lr):
    """θ and s of every weight, given the gradient."""
    new = {name: rmsprop_step(theta[name], grad[name], s[name], lr) for name in theta}
    return {name: part[0] for name, part in new.items()}, {
        name: part[1] for name, part in new.items()
    }


def random_weights(draw, X, H, Z):
    """Weights and biases from N(0, 1)."""
    sizes = {"h1": (X, H), "mu": (H, Z), "logvar": (H, Z), "g1": (Z, H), "out": (H, X)}
    weights = {f"W_{name}": draw.normal(*shape) for name, shape in sizes.items()}
    return weights | {f"b_{name}": draw.normal(m) for name, (_, m) in sizes.items()}


def random_pass(draw, B, X, H, Z):
    """Weights and a forward pass whose target is not x."""
    theta = random_weights(draw, X, H, Z)
    t = forward(theta, draw.unit(B, X), draw.normal(B, Z))
    return theta, {**t, "target": draw.unit(B, X)}


def random_training(draw, B, X, H, Z):
    """Weights, the s of each, images and noise."""
    theta = random_weights(draw, X, H, Z)
    s = {name: draw.normal(*W.shape) ** 2 for name, W in theta.items()}
    return theta, s, draw.unit(B, X), draw.normal(B, Z)


def known_weights(**biases):
    """Weights that are all 0, with X = 3, H = 5 and Z = 2, except the given ones."""
    sizes = {"h1": (3, 5), "mu": (5, 2), "logvar": (5, 2), "g1": (2, 5), "out": (5, 3)}
    weights = {f"W_{name}": np.zeros(shape) for name, shape in sizes.items()}
    zero = {f"b_{name}": np.zeros(m) for name, (_, m) in sizes.items()}
    return weights | zero | {name: np.array(bias) for name, bias in biases.items()}


def evidence_minus_elbo(forward, loss):
    """log p(x) − ELBO of one binary image, with one latent and fixed weights.

    The ELBO is computed from forward and loss, and averaged over a grid of eps; log p(x) from the
    weights alone, as a sum over a grid of z.
    """
    theta, x = _ONE_LATENT, _BINARY
    elbo = -sum(w * sum(loss(forward(theta, x, np.array([[e]])))) for e, w in zip(_GRID, _NORMAL))
    return {"log p(x) − ELBO": _log_joint(_GRID).max() + np.log(_terms().sum()) - elbo}


def _log_joint(z):
    """log p(x|z) p(z) Δ on a grid, straight from the definition."""
    g = np.maximum(z[:, None] @ _ONE_LATENT["W_g1"] + _ONE_LATENT["b_g1"], 0)
    p = sigmoid(g @ _ONE_LATENT["W_out"] + _ONE_LATENT["b_out"])
    return np.log(np.where(_BINARY == 1, p, 1 - p)).sum(axis=1) + np.log(_NORMAL)


def _terms():
    return np.exp(_log_joint(_GRID) - _log_joint(_GRID).max())


def kl_from_posterior():
    """KL(q ‖ posterior) on the grid."""
    hidden = np.maximum(_BINARY @ _ONE_LATENT["W_h1"] + _ONE_LATENT["b_h1"], 0)
    mu, logvar = (hidden @ _ONE_LATENT[f"W_{n}"] + _ONE_LATENT[f"b_{n}"] for n in ("mu", "logvar"))
    step = _GRID[1] - _GRID[0]
    log_q = -0.5 * (np.log(2 * np.pi) + logvar + (_GRID - mu) ** 2 / np.exp(logvar))[0]
    log_posterior = _log_joint(_GRID) - _log_joint(_GRID).max() - np.log(_terms().sum() * step)
    return (np.exp(log_q) * (log_q - log_posterior)).sum() * step


_GRID = np.linspace(-9.0, 9.0, 181)
_NORMAL = np.exp(-(_GRID**2) / 2) / np.sqrt(2 * np.pi) * (_GRID[1] - _GRID[0])
_BINARY = np.array([[0.0, 1.0, 1.0]])
# One latent. No relu of the decoder has its corner where the prior or q has mass, so that a sum
# over the grid is exact to many digits.
_WEIGHTS = np.random.default_rng(3)
_ONE_LATENT = {
    "W_h1": 0.5 * _WEIGHTS.standard_normal((3, 5)),
    "b_h1": np.array([0.1, -0.2, 0.3, 0.0, 0.2]),
    "W_mu": 0.5 * _WEIGHTS.standard_normal((5, 1)),
    "b_mu": np.array([0.2]),
    "W_logvar": 0.5 * _WEIGHTS.standard_normal((5, 1)),
    "b_logvar": np.array([-0.3]),
    "W_g1": np.array([[0.3, -0.2, 0.25, -0.3, 0.1]]),
    "b_g1": np.array([4.0, -4.0, 4.0, 4.0, -4.0]),
    "W_out": 0.5 * _WEIGHTS.standard_normal((5, 3)),
    "b_out": np.array([-1.0, 0.5, -0.5]),
}
