"""The training step of notebook 13, with places for mistakes."""

import numpy as np

from numpyvae.course.exercises.dense_layer import dense_backward
from numpyvae.course.exercises.elbo import kl_backward
from numpyvae.course.exercises.network import cross_entropy, cross_entropy_backward, relu_backward
from numpyvae.course.exercises.reparameterization import reparameterize_backward
from numpyvae.course.exercises.vae_pass import (
    forward,
    known_weights,
    random_weights,
    same,
    stepped,
)


def log_mean_exp_backward(log_w):
    """w / Σ w"""
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    return w / w.sum(axis=1, keepdims=True)


def log_weights(t, *, target="target", prior="z", pixels=cross_entropy):
    """log p(x|z) + log p(z) − log q(z|x). The keywords are places for mistakes."""
    squares = t["eps"] ** 2 + t["logvar"] - t[prior] ** 2
    return 0.5 * squares.sum(axis=1) - pixels(t["logits"], t[target])


def _repeated(x, k):
    return np.repeat(x, k, axis=0)


def iwae_step(
    theta, s, x, eps, lr=1e-3, *, repeat=_repeated, noise=same, share=None, prior=1.0, entropy=0.5,
    update=stepped,
):  # fmt: skip
    """θ and s after a step of RMSprop on −mean log 1/k Σ w. The keywords are for mistakes."""
    B, k, Z = eps.shape
    t = forward(theta, repeat(x, k), noise(eps).reshape(B * k, Z))
    part = (share or log_mean_exp_backward)(log_weights(t).reshape(B, k)).reshape(-1, 1) / B
    dlogits = part * cross_entropy_backward(t["logits"], t["target"])
    grad = _backpropagate(theta, t, dlogits, prior * part * t["z"], -entropy * part)
    return update(theta, s, grad, lr)


def _backpropagate(theta, t, dlogits, dz, dlogvar, dmu=0.0):
    """The gradient of every weight, given that of the logits, and direct parts of the others."""
    d = {}
    dg, d["W_out"], d["b_out"] = dense_backward(t["g"], theta["W_out"], dlogits)
    through, d["W_g1"], d["b_g1"] = dense_backward(t["z"], theta["W_g1"], relu_backward(dg, t["g"]))
    by_draw = reparameterize_backward(dz + through, t["logvar"], t["eps"])
    dmu, dlogvar = dmu + by_draw[0], dlogvar + by_draw[1]
    dh_mu, d["W_mu"], d["b_mu"] = dense_backward(t["h"], theta["W_mu"], dmu)
    dh_logvar, d["W_logvar"], d["b_logvar"] = dense_backward(t["h"], theta["W_logvar"], dlogvar)
    da = relu_backward(dh_mu + dh_logvar, t["h"])
    _, d["W_h1"], d["b_h1"] = dense_backward(t["x"], theta["W_h1"], da)
    return d


def step_with_the_exact_kl(theta, s, x, eps, lr=1e-3):
    """The gradient of the KL in closed form, with the share of each draw."""
    B, k, Z = eps.shape
    t = forward(theta, _repeated(x, k), eps.reshape(B * k, Z))
    part = log_mean_exp_backward(log_weights(t).reshape(B, k)).reshape(-1, 1) / B
    dmu, dlogvar = kl_backward(t["mu"], t["logvar"])
    dlogits = part * cross_entropy_backward(t["logits"], t["target"])
    grad = _backpropagate(theta, t, dlogits, 0.0, part * dlogvar, part * dmu)
    return stepped(theta, s, grad, lr)


def several_draws(draw, B, k, X, H, Z):
    """Arguments of `iwae_step`."""
    theta = random_weights(draw, X, H, Z)
    s = {name: draw.normal(*W.shape) ** 2 for name, W in theta.items()}
    return theta, s, draw.unit(B, X), draw.normal(B, k, Z), 0.25


def unlikely_images(cost):
    """Arguments of `iwae_step` whose weights are too small for exp(log w)."""
    theta = known_weights(b_out=[-cost] * 3, b_mu=[0.5, -0.25])
    theta["W_g1"] = np.array([[0.5, -0.5, 0.25, 0.75, -0.25], [0.25, 0.5, -0.75, 0.5, 1.0]])
    theta["W_out"] = np.linspace(-1, 1, 15).reshape(5, 3)
    s = {name: np.ones_like(W) for name, W in theta.items()}
    return theta, s, np.ones((2, 3)), np.linspace(-1, 1.5, 8).reshape(2, 2, 2), 0.25


def large_logits(size):
    """A pass with such logits, and latents of 0."""
    latents = {name: np.zeros((2, 1)) for name in ("mu", "logvar", "eps", "z", "h", "g")}
    logits = np.array([[size, -size], [-size, size]])
    target = np.array([[1.0, 0.0], [1.0, 0.25]])
    return ({"x": 0 * target, "target": target, "logits": logits, **latents},)
