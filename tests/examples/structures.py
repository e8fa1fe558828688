"""Models that people write elsewhere, with right gradients: sequences, images, distributions.

Each function takes a random generator and returns (loss, params, grads) for `check_gradients`.
"""

import numpy as np


def embedding_bag(rng):
    words, y = rng.integers(0, 6, (5, 4)), rng.standard_normal(5)
    params = {"E": rng.standard_normal((6, 3)), "v": rng.standard_normal(3)}

    def loss(p):
        return 0.5 * np.sum((np.tanh(p["E"][words].mean(axis=1)) @ p["v"] - y) ** 2)

    def grads(p):
        h = np.tanh(p["E"][words].mean(axis=1))
        dout = h @ p["v"] - y
        dmean = np.outer(dout, p["v"]) * (1.0 - h**2)
        dE = np.zeros((6, 3))
        np.add.at(dE, words, dmean[:, None, :] / 4)
        return {"E": dE, "v": h.T @ dout}

    return loss, params, grads


def recurrent_network(rng):
    x, y = rng.standard_normal((4, 5, 2)), rng.standard_normal((5, 3))  # time, batch, features
    params = {
        "Wx": rng.standard_normal((2, 3)),
        "Wh": 0.7 * rng.standard_normal((3, 3)),
        "b": rng.standard_normal(3),
    }

    def forward(p):
        h = [np.zeros((5, 3))]
        for t in range(4):
            h.append(np.tanh(x[t] @ p["Wx"] + h[-1] @ p["Wh"] + p["b"]))
        return h

    def loss(p):
        return 0.5 * np.mean((forward(p)[-1] - y) ** 2)

    def grads(p):
        h = forward(p)
        dWx, dWh, db = np.zeros((2, 3)), np.zeros((3, 3)), np.zeros(3)
        dh = (h[-1] - y) / y.size
        for t in reversed(range(4)):
            da = dh * (1.0 - h[t + 1] ** 2)
            dWx += x[t].T @ da
            dWh += h[t].T @ da
            db += da.sum(axis=0)
            dh = da @ p["Wh"].T
        return {"Wx": dWx, "Wh": dWh, "b": db}

    return loss, params, grads


def lstm(rng):
    x, y = rng.standard_normal((3, 4, 2)), rng.standard_normal((4, 3))
    params = {"W": rng.standard_normal((5, 12)), "b": rng.standard_normal(12)}

    def sigmoid(a):
        return 1.0 / (1.0 + np.exp(-a))

    def forward(p):
        h, c, steps = np.zeros((4, 3)), np.zeros((4, 3)), []
        for t in range(3):
            xh = np.concatenate([x[t], h], axis=1)
            a = xh @ p["W"] + p["b"]
            i, f, o = (sigmoid(a[:, k : k + 3]) for k in (0, 3, 6))
            g = np.tanh(a[:, 9:])
            before, c = c, f * c + i * g
            h = o * np.tanh(c)
            steps.append((xh, i, f, o, g, before, c))
        return h, steps

    def loss(p):
        return 0.5 * np.sum((forward(p)[0] - y) ** 2) / 4

    def grads(p):
        h, steps = forward(p)
        dW, db = np.zeros((5, 12)), np.zeros(12)
        dh, dc = (h - y) / 4, np.zeros((4, 3))
        for xh, i, f, o, g, before, c in reversed(steps):
            do = dh * np.tanh(c)
            dc = dc + dh * o * (1.0 - np.tanh(c) ** 2)
            di, df, dg = dc * g, dc * before, dc * i
            da = np.concatenate(
                [di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)], axis=1
            )
            dW += xh.T @ da
            db += da.sum(axis=0)
            dh = (da @ p["W"].T)[:, 2:]
            dc = dc * f
        return {"W": dW, "b": db}

    return loss, params, grads


def gated_unit(rng):
    x, h0, y = rng.standard_normal((5, 3)), rng.standard_normal((5, 4)), rng.standard_normal((5, 4))
    params = {name: rng.standard_normal((7, 4)) for name in ("Wz", "Wr", "Wn")}

    def forward(p):
        xh = np.concatenate([x, h0], axis=1)
        z, r = (1.0 / (1.0 + np.exp(-xh @ p[name])) for name in ("Wz", "Wr"))
        xrh = np.concatenate([x, r * h0], axis=1)
        n = np.tanh(xrh @ p["Wn"])
        return xh, xrh, z, r, n, (1.0 - z) * n + z * h0

    def loss(p):
        return 0.5 * np.sum((forward(p)[-1] - y) ** 2)

    def grads(p):
        xh, xrh, z, r, n, h = forward(p)
        dh = h - y
        dan = dh * (1.0 - z) * (1.0 - n**2)
        daz = dh * (h0 - n) * z * (1.0 - z)
        dr = (dan @ p["Wn"].T)[:, 3:] * h0
        return {"Wz": xh.T @ daz, "Wr": xh.T @ (dr * r * (1.0 - r)), "Wn": xrh.T @ dan}

    return loss, params, grads


def attention(rng):
    x, y = rng.standard_normal((5, 4)), rng.standard_normal((5, 2))
    params = {
        "Wq": rng.standard_normal((4, 3)),
        "Wk": rng.standard_normal((4, 3)),
        "Wv": rng.standard_normal((4, 2)),
    }

    def forward(p):
        q, k, v = x @ p["Wq"], x @ p["Wk"], x @ p["Wv"]
        e = np.exp(q @ k.T / np.sqrt(3.0))
        share = e / e.sum(axis=1, keepdims=True)
        return q, k, v, share

    def loss(p):
        _, _, v, share = forward(p)
        return 0.5 * np.sum((share @ v - y) ** 2)

    def grads(p):
        q, k, v, share = forward(p)
        dout = share @ v - y
        dshare = dout @ v.T
        ds = share * (dshare - (share * dshare).sum(axis=1, keepdims=True)) / np.sqrt(3.0)
        return {"Wq": x.T @ ds @ k, "Wk": x.T @ ds.T @ q, "Wv": x.T @ share.T @ dout}

    return loss, params, grads


def convolution(rng):
    x, y = rng.standard_normal((3, 6, 5)), rng.standard_normal((3, 2, 4, 4))
    params = {"K": rng.standard_normal((2, 3, 2)), "b": rng.standard_normal(2)}

    def patches():
        return np.lib.stride_tricks.sliding_window_view(x, (3, 2), axis=(1, 2))

    def forward(p):
        return np.einsum("nijkl,ckl->ncij", patches(), p["K"]) + p["b"][:, None, None]

    def loss(p):
        return 0.5 * np.sum((forward(p) - y) ** 2) / 3

    def grads(p):
        dy = (forward(p) - y) / 3
        return {"K": np.einsum("ncij,nijkl->ckl", dy, patches()), "b": dy.sum(axis=(0, 2, 3))}

    return loss, params, grads


def two_convolutions(rng):
    x, y = rng.standard_normal((4, 9)), rng.standard_normal((4, 5))
    params = {"k1": rng.standard_normal(3), "k2": rng.standard_normal(3)}

    def windows(a):
        return np.lib.stride_tricks.sliding_window_view(a, 3, axis=1)

    def loss(p):
        return np.sum((windows(np.tanh(windows(x) @ p["k1"])) @ p["k2"] - y) ** 2)

    def grads(p):
        h = np.tanh(windows(x) @ p["k1"])
        dy = 2.0 * (windows(h) @ p["k2"] - y)
        dh = np.zeros(h.shape)
        for j in range(3):
            dh[:, j : j + 5] += dy * p["k2"][j]
        da = dh * (1.0 - h**2)
        return {
            "k1": np.einsum("ni,nik->k", da, windows(x)),
            "k2": np.einsum("ni,nik->k", dy, windows(h)),
        }

    return loss, params, grads


def max_pooling(rng):
    x, y = rng.standard_normal((6, 8)), rng.standard_normal((6, 3))
    params = {"W": rng.standard_normal((8, 12)), "V": rng.standard_normal((4, 3))}

    def forward(p):
        a = (x @ p["W"]).reshape(6, 4, 3)
        return a, a.max(axis=2)

    def loss(p):
        return 0.5 * np.mean((forward(p)[1] @ p["V"] - y) ** 2)

    def grads(p):
        a, h = forward(p)
        dy = (h @ p["V"] - y) / y.size
        dh = dy @ p["V"].T
        da = np.zeros(a.shape)
        np.put_along_axis(da, a.argmax(axis=2)[:, :, None], dh[:, :, None], axis=2)
        return {"W": x.T @ da.reshape(6, 12), "V": h.T @ dy}

    return loss, params, grads


def average_pooling(rng):
    x, y = rng.standard_normal((5, 4)), rng.standard_normal((5, 2))
    params = {"W": rng.standard_normal((4, 6))}

    def loss(p):
        return np.sum((np.tanh(x @ p["W"]).reshape(5, 2, 3).mean(axis=2) - y) ** 2)

    def grads(p):
        h = np.tanh(x @ p["W"])
        dm = 2.0 * (h.reshape(5, 2, 3).mean(axis=2) - y)
        dh = np.repeat(dm / 3, 3, axis=1)
        return {"W": x.T @ (dh * (1.0 - h**2))}

    return loss, params, grads


def gaussian_likelihood(rng):
    x, y = rng.standard_normal((9, 3)), rng.standard_normal(9)
    params = {"w": rng.standard_normal(3), "s": 0.3 * rng.standard_normal(3)}

    def loss(p):
        logvar = x @ p["s"]
        return 0.5 * np.mean(logvar + (y - x @ p["w"]) ** 2 * np.exp(-logvar))

    def grads(p):
        logvar, r = x @ p["s"], x @ p["w"] - y
        dmean = r * np.exp(-logvar) / 9
        dlogvar = 0.5 * (1.0 - r**2 * np.exp(-logvar)) / 9
        return {"w": x.T @ dmean, "s": x.T @ dlogvar}

    return loss, params, grads


def mixture_density(rng):
    y = rng.standard_normal((7, 1))
    params = {"a": rng.standard_normal(3), "m": rng.standard_normal(3), "s": rng.standard_normal(3)}

    def terms(p):
        weight = p["a"] - np.log(np.sum(np.exp(p["a"])))
        return weight - p["s"] - 0.5 * ((y - p["m"]) * np.exp(-p["s"])) ** 2

    def loss(p):
        return -np.sum(np.log(np.exp(terms(p)).sum(axis=1)))

    def grads(p):
        e = np.exp(terms(p))
        share = e / e.sum(axis=1, keepdims=True)
        weight = np.exp(p["a"]) / np.exp(p["a"]).sum()
        u = (y - p["m"]) * np.exp(-p["s"])
        return {
            "a": 7 * weight - share.sum(axis=0),
            "m": -(share * u * np.exp(-p["s"])).sum(axis=0),
            "s": (share * (1.0 - u**2)).sum(axis=0),
        }

    return loss, params, grads


def matrix_factorization(rng):
    seen, ratings = rng.random((6, 5)) < 0.6, rng.standard_normal((6, 5))
    params = {"U": rng.standard_normal((6, 2)), "V": rng.standard_normal((5, 2)), "c": 0.4}

    def loss(p):
        r = seen * (p["U"] @ p["V"].T + p["c"] - ratings)
        return {"fit": np.sum(r**2), "penalty": 0.1 * (np.sum(p["U"] ** 2) + np.sum(p["V"] ** 2))}

    def grads(p):
        r = 2.0 * seen * (p["U"] @ p["V"].T + p["c"] - ratings)
        return {"U": r @ p["V"] + 0.2 * p["U"], "V": r.T @ p["U"] + 0.2 * p["V"], "c": r.sum()}

    return loss, params, grads


def contrastive(rng):
    x, y = rng.standard_normal((6, 4)), rng.standard_normal((6, 5))
    params = {"A": rng.standard_normal((4, 3)), "B": rng.standard_normal((5, 3))}

    def loss(p):
        s = x @ p["A"] @ (y @ p["B"]).T / 0.5
        return np.mean(np.log(np.exp(s).sum(axis=1)) - np.diag(s))

    def grads(p):
        a, b = x @ p["A"], y @ p["B"]
        e = np.exp(a @ b.T / 0.5)
        ds = (e / e.sum(axis=1, keepdims=True) - np.eye(6)) / 6 / 0.5
        return {"A": x.T @ ds @ b, "B": y.T @ ds.T @ a}

    return loss, params, grads


def cosine_similarity(rng):
    x, y = rng.standard_normal((5, 4)), rng.standard_normal((5, 3))
    params = {"W": rng.standard_normal((4, 3))}

    def loss(p):
        a = x @ p["W"]
        return -np.sum(np.sum(a * y, axis=1) / np.sqrt(np.sum(a * a, axis=1)))

    def grads(p):
        a = x @ p["W"]
        length = np.sqrt(np.sum(a**2, axis=1, keepdims=True))
        unit = a / length
        da = -(y - unit * (unit * y).sum(axis=1, keepdims=True)) / length
        return {"W": x.T @ da}

    return loss, params, grads


def gaussian_process(rng):
    x, y = np.sort(rng.uniform(-2.0, 2.0, 7)), rng.standard_normal(7)
    square = (x[:, None] - x) ** 2
    params = {"scale": 0.2, "width": -0.3, "noise": -1.0}

    def kernel(p):
        return np.exp(p["scale"] - 0.5 * square * np.exp(-2.0 * p["width"]))

    def loss(p):
        K = kernel(p) + np.exp(p["noise"]) * np.eye(7)
        return 0.5 * y @ np.linalg.solve(K, y) + 0.5 * np.log(np.linalg.det(K))

    def grads(p):
        K = kernel(p)
        inverse = np.linalg.inv(K + np.exp(p["noise"]) * np.eye(7))
        alpha = inverse @ y
        dK = 0.5 * (inverse - np.outer(alpha, alpha))
        return {
            "scale": np.sum(dK * K),
            "width": np.sum(dK * K * square * np.exp(-2.0 * p["width"])),
            "noise": np.trace(dK) * np.exp(p["noise"]),
        }

    return loss, params, grads


def planar_flow(rng):
    z = rng.standard_normal((6, 3))
    params = {"u": 0.3 * rng.standard_normal(3), "w": rng.standard_normal(3), "b": 0.2}

    def loss(p):
        h = np.tanh(z @ p["w"] + p["b"])
        out = z + np.outer(h, p["u"])
        return np.sum(0.5 * np.sum(out**2, axis=1) - np.log(1.0 + (1.0 - h**2) * (p["u"] @ p["w"])))

    def grads(p):
        h = np.tanh(z @ p["w"] + p["b"])
        slope, uw = 1.0 - h**2, p["u"] @ p["w"]
        out = z + np.outer(h, p["u"])
        inner = 1.0 + slope * uw
        da = out @ p["u"] * slope + 2.0 * h * slope * uw / inner
        duw = -np.sum(slope / inner)
        return {"u": h @ out + duw * p["w"], "w": z.T @ da + duw * p["u"], "b": da.sum()}

    return loss, params, grads


def hinge(rng):
    x, y = rng.standard_normal((11, 4)), rng.choice([-1.0, 1.0], 11)
    params = {"w": rng.standard_normal(4), "b": 0.1}

    def loss(p):
        return np.mean(np.maximum(0.0, 1.0 - y * (x @ p["w"] + p["b"])))

    def grads(p):
        inside = y * (x @ p["w"] + p["b"]) < 1.0
        ds = -(inside * y) / 11
        return {"w": x.T @ ds, "b": ds.sum()}

    return loss, params, grads
