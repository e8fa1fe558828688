"""The image (1, 0), one hidden unit, one latent, ε = ½. Every number can be checked on paper."""

from math import log

import numpy as np
import pytest

from numpyvae import VAE, RMSprop

L3 = log(3.0)


@pytest.fixture
def passed():
    vae = VAE(hidden=1, latent=1, image_shape=(1, 2)).astype(np.float64)
    weights = {
        "W_h1": [[1], [2]], "b_h1": [0],  # h = relu(1·1 + 0·2) = 1
        "W_mu": [[2]], "b_mu": [-1],  # μ = 2·1 − 1 = 1
        "W_logvar": [[3]], "b_logvar": [-3],  # log σ² = 3·1 − 3 = 0, so σ = 1
        "W_g1": [[2]], "b_g1": [-2],  # z = 1 + 1·½ = 1.5, g = relu(2·1.5 − 2) = 1
        "W_out": [[L3, 0]], "b_out": [0, 0],  # logits (log 3, 0), so p = (¾, ½)
    }  # fmt: skip
    for name, value in weights.items():
        vae.parameters[name][:] = value
    trace = vae.forward(np.array([[1.0, 0.0]]), np.array([[0.5]]))
    return vae, trace


def test_forward(passed):
    _, t = passed
    assert t.h[0].tolist() == [[1.0]]
    assert t.mu.tolist() == [[1.0]]
    assert t.logvar.tolist() == [[0.0]]
    assert t.z.tolist() == [[1.5]]
    assert t.g[0].tolist() == [[1.0]]
    np.testing.assert_allclose(t.p, [[0.75, 0.5]], rtol=1e-15)


def test_loss(passed):
    vae, t = passed
    loss = vae.loss(t)
    assert loss.reconstruction == pytest.approx(log(8 / 3), rel=1e-15)  # −log ¾ − log ½
    assert loss.kl == 0.5  # ½ (1² + 1 − 1 − 0)
    assert loss.total == pytest.approx(log(8 / 3) + 0.5, rel=1e-15)


def test_backward(passed):
    vae, t = passed
    vae.backward(t)
    dg = -L3 / 4  # −¼·log 3 + ½·0
    dmu = 1 - L3 / 2  # dz = 2 dg, and the KL adds μ = 1
    dlogvar = -L3 / 8  # dz · ½ σ ε = −(log 3)/2 · ¼, and the KL adds ½ (1 − 1)
    dh = 2 * dmu + 3 * dlogvar  # through both heads
    expected = {
        "W_h1": [[dh], [0]], "b_h1": [dh],  # x is (1, 0)
        "W_mu": [[dmu]], "b_mu": [dmu],  # h is 1
        "W_logvar": [[dlogvar]], "b_logvar": [dlogvar],
        "W_g1": [[1.5 * dg]], "b_g1": [dg],  # z is 1.5
        "W_out": [[-0.25, 0.5]], "b_out": [-0.25, 0.5],  # p − x
    }  # fmt: skip
    for name, value in expected.items():
        np.testing.assert_allclose(vae.parameters.gradient(name), value, atol=1e-15, err_msg=name)


def test_two_images_halve_each_ones_share(passed):
    vae, t = passed
    vae.backward(t)
    alone = vae.parameters.grad.copy()
    twice = vae.forward(np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[0.5], [0.5]]))
    vae.backward(twice)
    np.testing.assert_allclose(vae.parameters.grad, alone, atol=1e-15)
    assert vae.loss(twice).total == pytest.approx(vae.loss(t).total, rel=1e-15)


def test_one_step_of_rmsprop(passed):
    vae, t = passed
    vae.backward(t)
    RMSprop(vae.parameters, learning_rate=0.01, rho=0.75, epsilon=0.125).step()
    # s = ¼·(½)² = 1/16, √s = ¼;  θ = 0 − 0.01 · ½ / (¼ + ⅛)
    assert vae.parameters["b_out"][1] == pytest.approx(-0.01 * 0.5 / 0.375, rel=1e-15)
