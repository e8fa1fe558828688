"""The forward pass, both losses, the dense layer and the optimizers, written plainly in float64.

The library is tested against these functions.
"""

from math import exp, log, log1p, sqrt

import numpy as np


def dense(x, W, b):
    return np.array(
        [
            [sum(row[k] * W[k, j] for k in range(len(row))) + b[j] for j in range(W.shape[1])]
            for row in x
        ]
    )


def dense_backward(x, W, dy):
    rows, n_in, n_out = len(x), *W.shape
    dW = [[sum(x[r, k] * dy[r, j] for r in range(rows)) for j in range(n_out)] for k in range(n_in)]
    db = [sum(dy[r, j] for r in range(rows)) for j in range(n_out)]
    dx = [[sum(dy[r, j] * W[k, j] for j in range(n_out)) for k in range(n_in)] for r in range(rows)]
    return np.array(dW), np.array(db), np.array(dx)


def softplus(a):
    return a + log1p(exp(-a)) if a > 0 else log1p(exp(a))


def sigmoid(a):
    return 1 / (1 + exp(-a)) if a > 0 else exp(a) / (1 + exp(a))


def cross_entropy(logits, x):
    return np.array(
        [sum(softplus(a) - t * a for a, t in zip(row, xs)) for row, xs in zip(logits, x)]
    )


def kl_divergence(mu, logvar):
    return np.array(
        [sum(0.5 * (m**2 + exp(v) - 1 - v) for m, v in zip(ms, vs)) for ms, vs in zip(mu, logvar)]
    )


def rmsprop(theta, gradients, learning_rate, rho, epsilon):
    theta, s = list(theta), [0.0] * len(theta)
    for g in gradients:
        for i in range(len(theta)):
            s[i] = rho * s[i] + (1 - rho) * g[i] ** 2
            theta[i] -= learning_rate * g[i] / (sqrt(s[i]) + epsilon)
    return np.array(theta)


def adam(theta, gradients, learning_rate, beta1, beta2, epsilon):
    theta, m, s = list(theta), [0.0] * len(theta), [0.0] * len(theta)
    for t, g in enumerate(gradients, start=1):
        for i in range(len(theta)):
            m[i] = beta1 * m[i] + (1 - beta1) * g[i]
            s[i] = beta2 * s[i] + (1 - beta2) * g[i] ** 2
            m_hat, s_hat = m[i] / (1 - beta1**t), s[i] / (1 - beta2**t)
            theta[i] -= learning_rate * m_hat / (sqrt(s_hat) + epsilon)
    return np.array(theta)


def loss(vae, x, eps, target):
    """The whole model, from the weights alone: (reconstruction, kl), means over the images."""
    weights = vae.parameters
    h = x
    for i in range(len(vae.hidden)):
        h = np.maximum(dense(h, weights[f"W_h{i + 1}"], weights[f"b_h{i + 1}"]), 0)
    mu = dense(h, weights["W_mu"], weights["b_mu"])
    logvar = dense(h, weights["W_logvar"], weights["b_logvar"])
    g = mu + np.sqrt(np.exp(logvar)) * eps
    for i in range(len(vae.hidden)):
        g = np.maximum(dense(g, weights[f"W_g{i + 1}"], weights[f"b_g{i + 1}"]), 0)
    logits = dense(g, weights["W_out"], weights["b_out"])
    return cross_entropy(logits, target).mean(), kl_divergence(mu, logvar).mean()


def entropy(x):
    return -sum(p * log(p) for p in (x, 1 - x) if p > 0)
