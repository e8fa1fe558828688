"""The gradient checker rejects no correct gradient of random models and layers, with kinks."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from numpyvae import VAE
from numpyvae.core.layers import Dense
from numpyvae.core.parameters import Parameters
from numpyvae.debugging import check_vae
from numpyvae.gradcheck import check_gradients, check_layer

# name: (function, derivative); written for real and complex numbers alike but for the last one
ACTIVATIONS = {
    "relu": (lambda a: np.maximum(a, 0.0), lambda a: (a > 0.0) * 1.0),
    "leaky relu": (
        lambda a: np.maximum(a, 0.0) + 0.1 * np.minimum(a, 0.0),
        lambda a: np.where(a > 0.0, 1.0, 0.1),
    ),
    "tanh": (np.tanh, lambda a: 1.0 - np.tanh(a) ** 2),
    "sine": (np.sin, np.cos),
    "square": (lambda a: a * a, lambda a: 2.0 * a),
    "abs": (np.abs, np.sign),  # the complex step is silently wrong here
}


def network(rng):
    """A dense network of one to three layers with a quadratic loss and a penalty, and its backward.

    Half of them stand on or beside a kink: some pre-activations are moved to 0, or by rounding or
    a little more to either side of it.
    """
    sizes = [int(n) for n in rng.integers(1, 9, rng.integers(2, 5))]
    f, df = ACTIVATIONS[rng.choice(list(ACTIVATIONS))]
    x = rng.standard_normal((int(rng.integers(1, 7)), sizes[0])) * 10.0 ** rng.uniform(-2, 2)
    y = rng.standard_normal((len(x), sizes[-1]))
    params = {}
    for i, (m, n) in enumerate(pairwise(sizes)):
        params[f"W{i}"] = rng.standard_normal((m, n)) * 10.0 ** rng.uniform(-2, 1)
        params[f"b{i}"] = rng.standard_normal(n) * rng.integers(0, 2)
    depth, share = len(sizes) - 1, 1.0 / len(x)
    penalty = rng.choice([0.0, 1e-3, 1.0])

    def forward(p):
        arrays = [x]
        pre = []
        for i in range(depth):
            pre.append(arrays[-1] @ p[f"W{i}"] + p[f"b{i}"])
            arrays.append(f(pre[-1]) if i < depth - 1 else pre[-1])
        return arrays, pre

    def loss(p):
        fit = ((forward(p)[0][-1] - y) ** 2).sum() * share
        if penalty:
            return {
                "fit": fit,
                "penalty": penalty * sum((p[f"W{i}"] ** 2).sum() for i in range(depth)),
            }
        return fit

    def grads(p):
        arrays, pre = forward(p)
        da = 2.0 * share * (arrays[-1] - y)
        found = {}
        for i in reversed(range(depth)):
            found[f"W{i}"] = arrays[i].T @ da + 2.0 * penalty * p[f"W{i}"]
            found[f"b{i}"] = da.sum(axis=0)
            if i:
                da = da @ p[f"W{i}"].T * df(pre[i - 1])
        return found

    if rng.random() < 0.5:
        for i in range(depth - 1):
            a = forward(params)[1][i]
            row, unit = int(rng.integers(len(x))), int(rng.integers(a.shape[1]))
            near = rng.choice([0.0, 1e-17, -1e-15, 1e-12, -1e-9, 1e-7, -1e-5, 1e-3])
            params[f"b{i}"][unit] -= a[row, unit] - near
    return check_gradients(loss, params, grads, rng=int(rng.integers(2**31)))


def model(rng):
    """A VAE at its initial weights or others, with grey, binary, black or white images."""
    hidden = tuple(int(n) for n in rng.integers(1, 12, rng.integers(1, 4)))
    shape = tuple(int(n) for n in rng.integers(1, 5, 2))
    beta = float(rng.choice([0.0, 0.01, 1.0, 30.0]))
    vae = VAE(hidden, int(rng.integers(1, 5)), beta=beta, image_shape=shape, rng=rng)
    vae.parameters.value *= 10.0 ** rng.uniform(-2, 1)
    if rng.random() < 0.5:
        vae.parameters.value += 0.3 * rng.standard_normal(vae.parameters.value.size)
    images = rng.random((int(rng.integers(1, 20)), *shape))
    images = [images, images > 0.5, 0.0 * images, images * 0.0 + 1.0][rng.integers(4)]
    images[0] = 0  # a black image and biases of 0 put every unit of the first layer on its kink
    return check_vae(vae, images, rng=int(rng.integers(2**31)))


def layer(rng):
    m, n = (int(n) for n in rng.integers(1, 30, 2))
    dense = Dense(Parameters({"W_": (m, n), "b_": (n,)}), "")
    dense.W[:] = rng.uniform(-0.5, 0.5, dense.W.shape)
    return check_layer(dense, rng.standard_normal((int(rng.integers(1, 9)), m)))


def fairness(cases):
    """How often each verdict was given, over random cases; every FAIL is the checker's error."""
    count = Counter()
    for seed in range(cases):
        rng = np.random.default_rng([seed, 4])
        report = (network, network, model, layer)[seed % 4](rng)
        if any("infinite" in stop or "ordinary size" in stop for stop in report.problems):
            count["refused"] += 1
            continue
        assert not report.problems, (seed, str(report))
        assert not report.failed, (seed, str(report))
        assert report.small_copy is None or not report.small_copy.failed, (
            seed,
            str(report.small_copy),
        )
        for row in report.rows + (report.small_copy.rows if report.small_copy else ()):
            count[row.verdict] += 1
    assert count["refused"] < 0.02 * cases
    print(f"{cases} random models and layers: {dict(count)}")
    return count


@pytest.mark.once
def test_no_correct_gradient_is_accused():
    count = fairness(60)
    assert count["PASS"] > 0.9 * count.total()


@pytest.mark.slow
def test_no_correct_gradient_is_accused_in_2000_models():
    count = fairness(2000)
    assert count["PASS"] > 0.9 * count.total()
