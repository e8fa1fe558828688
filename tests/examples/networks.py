"""Models that people write elsewhere, with right gradients: layers and networks.

Each function takes a random generator and returns (loss, params, grads) for `check_gradients`.
"""

import numpy as np
from scipy.special import erf


def softmax_regression(rng):
    x, y = rng.standard_normal((7, 4)), rng.integers(0, 3, 7)
    params = {"W": rng.standard_normal((4, 3)), "b": rng.standard_normal(3)}

    def scores(p):
        return x @ p["W"] + p["b"]

    def loss(p):
        s = scores(p)
        s = s - s.max(axis=1, keepdims=True)
        return np.mean(np.log(np.exp(s).sum(axis=1)) - s[np.arange(7), y])

    def grads(p):
        s = scores(p)
        e = np.exp(s - s.max(axis=1, keepdims=True))
        ds = e / e.sum(axis=1, keepdims=True)
        ds[np.arange(7), y] -= 1.0
        ds /= 7
        return {"W": x.T @ ds, "b": ds.sum(axis=0)}

    return loss, params, grads


def label_smoothing(rng):
    x, y = rng.standard_normal((6, 4)), np.eye(5)[rng.integers(0, 5, 6)]
    target = 0.9 * y + 0.1 / 5
    params = {"W": rng.standard_normal((4, 5))}

    def loss(p):
        s = x @ p["W"]
        return -np.mean(np.sum(target * (s - np.log(np.exp(s).sum(axis=1, keepdims=True))), axis=1))

    def grads(p):
        e = np.exp(x @ p["W"])
        q = e / e.sum(axis=1, keepdims=True)
        return {"W": x.T @ (q - target) / 6}

    return loss, params, grads


def huber_regression(rng):
    x, y = rng.standard_normal((9, 3)), 3.0 * rng.standard_normal(9)
    params = {"w": rng.standard_normal(3), "b": rng.standard_normal()}

    def loss(p):
        r = x @ p["w"] + p["b"] - y
        return np.mean(np.where(np.abs(r) < 1.0, 0.5 * r**2, np.abs(r) - 0.5))

    def grads(p):
        r = x @ p["w"] + p["b"] - y
        dr = np.clip(r, -1.0, 1.0) / 9
        return {"w": x.T @ dr, "b": dr.sum()}

    return loss, params, grads


def ridge(rng):
    x, y = rng.standard_normal((8, 5)), rng.standard_normal(8)
    params = {"w": rng.standard_normal(5)}

    def loss(p):
        return {"fit": np.mean((x @ p["w"] - y) ** 2), "penalty": 0.3 * np.sum(p["w"] ** 2)}

    def grads(p):
        return {"w": 2.0 / 8 * x.T @ (x @ p["w"] - y) + 0.6 * p["w"]}

    return loss, params, grads


def leaky_relu_network(rng):
    x, y = rng.standard_normal((8, 4)), rng.standard_normal((8, 2))
    params = {
        "W1": rng.standard_normal((4, 6)),
        "b1": rng.standard_normal(6),
        "W2": rng.standard_normal((6, 2)),
    }

    def forward(p):
        a = x @ p["W1"] + p["b1"]
        h = np.where(a > 0.0, a, 0.1 * a)
        return a, h, h @ p["W2"]

    def loss(p):
        return 0.5 * np.sum((forward(p)[2] - y) ** 2) / 8

    def grads(p):
        a, h, out = forward(p)
        dout = (out - y) / 8
        dh = dout @ p["W2"].T
        da = dh * np.where(a > 0.0, 1.0, 0.1)
        return {"W1": x.T @ da, "b1": da.sum(axis=0), "W2": h.T @ dout}

    return loss, params, grads


def gelu_network(rng):
    x, y = rng.standard_normal((7, 3)), rng.standard_normal(7)
    params = {"W": rng.standard_normal((3, 5)), "v": rng.standard_normal(5)}

    def loss(p):
        a = x @ p["W"]
        return np.mean((0.5 * a * (1.0 + erf(a / np.sqrt(2.0))) @ p["v"] - y) ** 2)

    def grads(p):
        a = x @ p["W"]
        cdf = 0.5 * (1.0 + erf(a / np.sqrt(2.0)))
        pdf = np.exp(-0.5 * a**2) / np.sqrt(2.0 * np.pi)
        dout = 2.0 / 7 * (a * cdf @ p["v"] - y)
        dh = np.outer(dout, p["v"])
        da = dh * (cdf + a * pdf)
        return {"W": x.T @ da, "v": (a * cdf).T @ dout}

    return loss, params, grads


def softplus_network(rng):
    x, y = rng.standard_normal((6, 4)), rng.poisson(2.0, 6)
    params = {"W": rng.standard_normal((4, 5)), "v": 0.3 * rng.standard_normal(5)}

    def loss(p):
        h = np.log1p(np.exp(x @ p["W"]))
        rate = h @ p["v"]
        return np.mean(np.exp(rate) - y * rate)

    def grads(p):
        a = x @ p["W"]
        h = np.log1p(np.exp(a))
        drate = (np.exp(h @ p["v"]) - y) / 6
        dh = np.outer(drate, p["v"])
        da = dh / (1.0 + np.exp(-a))
        return {"W": x.T @ da, "v": h.T @ drate}

    return loss, params, grads


def swish_network(rng):
    x, y = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    params = {"W": rng.standard_normal((3, 4)), "V": rng.standard_normal((4, 2))}

    def loss(p):
        a = x @ p["W"]
        return np.sum((a / (1.0 + np.exp(-a)) @ p["V"] - y) ** 2)

    def grads(p):
        a = x @ p["W"]
        s = 1.0 / (1.0 + np.exp(-a))
        dout = 2.0 * ((a * s) @ p["V"] - y)
        da = dout @ p["V"].T * (s + a * s * (1.0 - s))
        return {"W": x.T @ da, "V": (a * s).T @ dout}

    return loss, params, grads


def elu_network(rng):
    x, y = rng.standard_normal((6, 3)), rng.standard_normal(6)
    params = {"W": rng.standard_normal((3, 7)), "v": rng.standard_normal(7)}

    def elu(a):
        return np.where(a > 0.0, a, np.exp(np.minimum(a, 0.0)) - 1.0)

    def loss(p):
        return np.mean((elu(x @ p["W"]) @ p["v"] - y) ** 2)

    def grads(p):
        a = x @ p["W"]
        dout = 2.0 / 6 * (elu(a) @ p["v"] - y)
        da = np.outer(dout, p["v"]) * np.where(a > 0.0, 1.0, np.exp(a))
        return {"W": x.T @ da, "v": elu(a).T @ dout}

    return loss, params, grads


def residual_network(rng):
    x, y = rng.standard_normal((6, 4)), rng.standard_normal((6, 4))
    params = {"W1": rng.standard_normal((4, 4)), "W2": rng.standard_normal((4, 4))}

    def forward(p):
        h1 = x + np.tanh(x @ p["W1"])
        return h1, h1 + np.tanh(h1 @ p["W2"])

    def loss(p):
        return 0.5 * np.mean((forward(p)[1] - y) ** 2)

    def grads(p):
        h1, h2 = forward(p)
        dh2 = (h2 - y) / y.size
        da2 = dh2 * (1.0 - np.tanh(h1 @ p["W2"]) ** 2)
        dh1 = dh2 + da2 @ p["W2"].T
        da1 = dh1 * (1.0 - np.tanh(x @ p["W1"]) ** 2)
        return {"W1": x.T @ da1, "W2": h1.T @ da2}

    return loss, params, grads


def tied_autoencoder(rng):
    x = rng.standard_normal((9, 5))
    params = {"W": rng.standard_normal((5, 3)), "b": rng.standard_normal(3), "c": np.zeros(5)}

    def loss(p):
        h = np.tanh(x @ p["W"] + p["b"])
        return 0.5 * np.sum((h @ p["W"].T + p["c"] - x) ** 2) / 9

    def grads(p):
        h = np.tanh(x @ p["W"] + p["b"])
        dy = (h @ p["W"].T + p["c"] - x) / 9
        da = dy @ p["W"] * (1.0 - h**2)
        return {"W": x.T @ da + dy.T @ h, "b": da.sum(axis=0), "c": dy.sum(axis=0)}

    return loss, params, grads


def dropout_with_a_mask(rng):
    x, y = rng.standard_normal((7, 5)), rng.standard_normal((7, 2))
    mask = (rng.random((7, 6)) < 0.7) / 0.7
    params = {"W": rng.standard_normal((5, 6)), "V": rng.standard_normal((6, 2))}

    def loss(p):
        return np.mean((np.tanh(x @ p["W"]) * mask @ p["V"] - y) ** 2)

    def grads(p):
        h = np.tanh(x @ p["W"])
        dy = 2.0 / 14 * ((h * mask) @ p["V"] - y)
        dh = dy @ p["V"].T * mask
        da = dh * (1.0 - h**2)
        return {"W": x.T @ da, "V": (h * mask).T @ dy}

    return loss, params, grads


def layer_norm(rng):
    x, y = rng.standard_normal((6, 5)), rng.standard_normal((6, 5))
    params = {
        "W": rng.standard_normal((5, 5)),
        "gain": rng.standard_normal(5),
        "bias": rng.standard_normal(5),
    }

    def forward(p):
        a = x @ p["W"]
        centered = a - a.mean(axis=1, keepdims=True)
        sd = np.sqrt((centered**2).mean(axis=1, keepdims=True) + 1e-5)
        return centered / sd, sd

    def loss(p):
        return 0.5 * np.sum((forward(p)[0] * p["gain"] + p["bias"] - y) ** 2) / 6

    def grads(p):
        n, sd = forward(p)
        dy = (n * p["gain"] + p["bias"] - y) / 6
        dn = dy * p["gain"]
        mean = dn.mean(axis=1, keepdims=True)
        da = (dn - mean - n * (dn * n).mean(axis=1, keepdims=True)) / sd
        return {"W": x.T @ da, "gain": (dy * n).sum(axis=0), "bias": dy.sum(axis=0)}

    return loss, params, grads


def batch_norm(rng):
    x, y = rng.standard_normal((8, 3)), rng.standard_normal((8, 4))
    params = {
        "W": rng.standard_normal((3, 4)),
        "gain": rng.standard_normal(4),
        "bias": rng.standard_normal(4),
    }

    def forward(p):
        a = x @ p["W"]
        sd = np.sqrt(((a - a.mean(axis=0)) ** 2).mean(axis=0) + 1e-5)
        return (a - a.mean(axis=0)) / sd, sd

    def loss(p):
        return np.mean((np.tanh(forward(p)[0] * p["gain"] + p["bias"]) - y) ** 2)

    def grads(p):
        n, sd = forward(p)
        h = np.tanh(n * p["gain"] + p["bias"])
        ds = 2.0 / 32 * (h - y) * (1.0 - h**2)
        dn = ds * p["gain"]
        da = (dn - dn.mean(axis=0) - n * (dn * n).mean(axis=0)) / sd
        return {"W": x.T @ da, "gain": (ds * n).sum(axis=0), "bias": ds.sum(axis=0)}

    return loss, params, grads


def rms_norm(rng):
    x, y = rng.standard_normal((5, 6)), rng.standard_normal((5, 6))
    params = {"W": rng.standard_normal((6, 6)), "gain": rng.standard_normal(6)}

    def loss(p):
        a = x @ p["W"]
        rms = np.sqrt((a**2).mean(axis=1, keepdims=True))
        return np.sum((a / rms * p["gain"] - y) ** 2)

    def grads(p):
        a = x @ p["W"]
        rms = np.sqrt((a**2).mean(axis=1, keepdims=True))
        n = a / rms
        dy = 2.0 * (n * p["gain"] - y)
        dn = dy * p["gain"]
        da = (dn - n * (dn * n).mean(axis=1, keepdims=True)) / rms
        return {"W": x.T @ da, "gain": (dy * n).sum(axis=0)}

    return loss, params, grads


def weight_norm(rng):
    x, y = rng.standard_normal((7, 4)), rng.standard_normal(7)
    params = {"v": rng.standard_normal(4), "g": 1.7}

    def loss(p):
        w = p["g"] * p["v"] / np.sqrt(np.sum(p["v"] ** 2))
        return 0.5 * np.mean((np.tanh(x @ w) - y) ** 2)

    def grads(p):
        length = np.sqrt(np.sum(p["v"] ** 2))
        unit = p["v"] / length
        h = np.tanh(p["g"] * x @ unit)
        dw = x.T @ ((h - y) * (1.0 - h**2)) / 7
        return {"v": p["g"] / length * (dw - (dw @ unit) * unit), "g": dw @ unit}

    return loss, params, grads
