"""The whole VAE on two pages: the model, its gradients, RMSprop and the training, in plain NumPy.

`python -m numpyvae.plain` trains it on MNIST. It imports nothing of numpyvae. The library adds
checks, more layers, likelihoods, files and evaluation; it is tested to be equal to this file.

    x ─► h = relu(x W + b) ─► mu, logvar ─► z = mu + σ eps ─► g = relu(z W + b) ─► logits
"""

import gzip
from pathlib import Path

import numpy as np


def dense(x, W, b):
    return x @ W + b


def dense_backward(x, W, dy):
    return dy @ W.T, x.T @ dy, dy.sum(axis=0)  # dx, dW, db


def sigmoid(a):
    return 0.5 + 0.5 * np.tanh(a / 2)  # = 1 / (1 + exp(-a)), but cannot overflow


def reparameterize(mu, logvar, eps):
    return mu + np.exp(logvar / 2) * eps


def reparameterize_backward(dz, logvar, eps):
    return dz, dz * 0.5 * np.exp(logvar / 2) * eps  # dmu, dlogvar


def kl_divergence(mu, logvar):  # of N(mu, exp(logvar)) from N(0, 1)
    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)


def kl_backward(mu, logvar):
    return mu, 0.5 * (np.exp(logvar) - 1)


def cross_entropy(logits, x):  # -sum(x log p + (1-x) log(1-p)), p = sigmoid(logits)
    return (np.logaddexp(0, logits) - x * logits).sum(axis=1)


def cross_entropy_backward(logits, x):
    return sigmoid(logits) - x


def initialize(pixels, hidden, latent, rng, dtype=np.float32):
    """The weights by name: W_h1 and b_h1 give h, W_mu and b_mu give mu, and so on."""
    sizes = {"h1": (pixels, hidden), "mu": (hidden, latent), "logvar": (hidden, latent)}
    sizes |= {"g1": (latent, hidden), "out": (hidden, pixels)}
    theta = {}
    for name, (n_in, n_out) in sizes.items():
        limit = (6 / (n_in + n_out)) ** 0.5  # Glorot & Bengio 2010
        theta[f"W_{name}"] = rng.uniform(-limit, limit, (n_in, n_out)).astype(dtype)
        theta[f"b_{name}"] = np.zeros(n_out, dtype)
    return theta


def forward(theta, x, eps):
    t = {"x": x, "eps": eps}
    t["h"] = np.maximum(dense(x, theta["W_h1"], theta["b_h1"]), 0)  # the ReLU
    t["mu"] = dense(t["h"], theta["W_mu"], theta["b_mu"])
    t["logvar"] = dense(t["h"], theta["W_logvar"], theta["b_logvar"])
    t["z"] = reparameterize(t["mu"], t["logvar"], eps)
    t["g"] = np.maximum(dense(t["z"], theta["W_g1"], theta["b_g1"]), 0)
    t["logits"] = dense(t["g"], theta["W_out"], theta["b_out"])
    return t


def loss(t):
    """Reconstruction and KL, means over the images, in nats; their sum is -ELBO."""
    return cross_entropy(t["logits"], t["x"]).mean(), kl_divergence(t["mu"], t["logvar"]).mean()


def backward(theta, t):
    d, share = {}, 1 / len(t["x"])  # the weight of one image in the mean
    dlogits = share * cross_entropy_backward(t["logits"], t["x"])
    dg, d["W_out"], d["b_out"] = dense_backward(t["g"], theta["W_out"], dlogits)
    da = dg * (t["g"] > 0)  # the ReLU passes the gradient where it passed the value
    dz, d["W_g1"], d["b_g1"] = dense_backward(t["z"], theta["W_g1"], da)
    dmu, dlogvar = reparameterize_backward(dz, t["logvar"], t["eps"])
    dmu_kl, dlogvar_kl = kl_backward(t["mu"], t["logvar"])
    dmu, dlogvar = dmu + share * dmu_kl, dlogvar + share * dlogvar_kl
    dh_logvar, d["W_logvar"], d["b_logvar"] = dense_backward(t["h"], theta["W_logvar"], dlogvar)
    dh_mu, d["W_mu"], d["b_mu"] = dense_backward(t["h"], theta["W_mu"], dmu)
    da = (dh_mu + dh_logvar) * (t["h"] > 0)  # h feeds both, so their gradients add
    _, d["W_h1"], d["b_h1"] = dense_backward(t["x"], theta["W_h1"], da)
    return d


def rmsprop(theta, grad, s, rate=1e-3, rho=0.9, epsilon=1e-7):
    for name, g in grad.items():
        s[name] = rho * s[name] + (1 - rho) * g**2
        theta[name] = theta[name] - rate * g / (np.sqrt(s[name]) + epsilon)


def train(images, epochs=10, hidden=256, latent=2, batch=100, seed=0):
    """The trained weights; the mean loss of each epoch is printed."""
    rng = np.random.default_rng(seed)
    theta = initialize(images.shape[1], hidden, latent, rng)
    s = {name: np.zeros_like(weight) for name, weight in theta.items()}
    for epoch in range(1, epochs + 1):
        losses = []
        for rows in np.array_split(rng.permutation(len(images)), max(len(images) // batch, 1)):
            t = forward(theta, images[rows], rng.standard_normal((len(rows), latent), np.float32))
            rmsprop(theta, backward(theta, t), s)
            losses.append(loss(t))
        reconstruction, kl = np.mean(losses, axis=0)
        print(f"epoch {epoch}: {reconstruction + kl:.2f} = {reconstruction:.2f} + {kl:.2f}")
    return theta


if __name__ == "__main__":
    file = Path(__file__).parent / "data" / "train-images-idx3-ubyte.gz"
    pixels = np.frombuffer(gzip.decompress(file.read_bytes())[16:], np.uint8)  # [:16]: header
    train((pixels.reshape(60_000, -1) / 255).astype(np.float32))
