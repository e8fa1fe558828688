"""The library is equal to numpyvae/plain.py, which is short enough to check by eye."""

import ast
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from numpyvae import VAE, RMSprop, plain, train


@pytest.fixture
def both(rng):
    """The weights of a plain model, a library model that has the same, and a batch; float64."""
    theta = plain.initialize(12, 7, 3, rng, np.float64)
    theta = {name: W + 0.3 * rng.standard_normal(W.shape) for name, W in theta.items()}
    vae = VAE(7, 3, image_shape=(3, 4)).astype(np.float64)
    assert set(vae.parameters) == set(theta)
    for name, W in theta.items():
        vae.parameters[name][:] = W
    return theta, vae, rng.random((5, 12)), rng.standard_normal((5, 3))


def test_every_array_and_every_gradient_is_that_of_the_library(both):
    theta, vae, x, eps = both
    t, theirs = plain.forward(theta, x, eps), vae.forward(x, eps)
    for name in ("mu", "logvar", "z", "logits"):
        np.testing.assert_allclose(t[name], getattr(theirs, name), rtol=0, atol=1e-14, err_msg=name)
    np.testing.assert_allclose(t["h"], theirs.h[0], rtol=0, atol=1e-14)
    np.testing.assert_allclose(t["g"], theirs.g[0], rtol=0, atol=1e-14)
    loss = vae.loss(theirs)
    np.testing.assert_allclose(plain.loss(t), (loss.reconstruction, loss.kl), rtol=1e-14)
    gradient = plain.backward(theta, t)
    vae.backward(theirs)
    assert set(gradient) == set(theta)
    for name, d in gradient.items():
        np.testing.assert_allclose(d, vae.parameters.gradient(name), rtol=0, atol=1e-14)


def test_twenty_steps_of_training_go_to_the_same_weights(both, rng):
    theta, vae, x, _ = both
    s = {name: np.zeros_like(W) for name, W in theta.items()}
    optimizer = RMSprop(vae.parameters)
    for _ in range(20):
        eps = rng.standard_normal((5, 3))
        plain.rmsprop(theta, plain.backward(theta, plain.forward(theta, x, eps)), s)
        vae.backward(vae.forward(x, eps))
        optimizer.step()
    for name, W in theta.items():
        np.testing.assert_allclose(vae.parameters[name], W, rtol=0, atol=1e-11, err_msg=name)


def test_it_learns_as_the_library_does(mnist, capsys):
    """Three epochs on 10,000 digits; other noise, so the losses differ by about 1 %."""
    images = (mnist[0][0][:10_000] / 255).astype(np.float32)
    plain.train(images, epochs=3)
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in printed] == ["epoch 1", "epoch 2", "epoch 3"]
    ours = [float(line.split(": ")[1].split(" =")[0]) for line in printed]
    theirs = [epoch.train.total for epoch in train(VAE(), images, epochs=3)]
    np.testing.assert_allclose(ours, theirs, rtol=0.02)


def test_it_imports_nothing_of_the_package():
    tree = ast.parse(Path(plain.__file__).read_text(encoding="utf-8"))
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert imported == {"gzip", "pathlib", "numpy"}


@pytest.mark.once
def test_it_runs_on_the_included_mnist(tmp_path):
    command = [sys.executable, "-u", "-m", "numpyvae.plain"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        first = process.stdout.readline()
        process.kill()
    name, loss = first.split(": ")
    assert name == "epoch 1"
    assert 180 < float(loss.split(" =")[0]) < 200
