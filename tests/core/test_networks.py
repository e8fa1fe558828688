import numpy as np
import pytest

from numpyvae import plain
from numpyvae.core.networks import Decoder, Encoder
from numpyvae.core.parameters import Parameters


@pytest.fixture
def make(rng):
    """A network with two hidden layers, and its weights, which are random."""

    def network(kind, inputs, outputs, activation="relu"):
        parameters = Parameters(kind.shapes(inputs, (5, 4), outputs), np.float64)
        parameters.value[:] = rng.standard_normal(parameters.value.size)
        return kind(parameters, (5, 4), activation), parameters

    return network


def test_the_encoder_is_dense_and_relu_in_turn_then_two_heads(make, rng):
    encoder, W = make(Encoder, 3, 2)
    x, dmu, dlogvar = (rng.standard_normal((6, n)) for n in (3, 2, 2))
    h, mu, logvar = encoder.forward(x)
    h1 = np.maximum(plain.dense(x, W["W_h1"], W["b_h1"]), 0)
    h2 = np.maximum(plain.dense(h1, W["W_h2"], W["b_h2"]), 0)
    np.testing.assert_allclose(h[0], h1, atol=1e-14)
    np.testing.assert_allclose(h[1], h2, atol=1e-14)
    np.testing.assert_allclose(mu, plain.dense(h2, W["W_mu"], W["b_mu"]), atol=1e-14)
    np.testing.assert_allclose(logvar, plain.dense(h2, W["W_logvar"], W["b_logvar"]), atol=1e-14)

    dh = encoder.backward(x, h, dmu, dlogvar)
    dh2_mu, dW_mu, db_mu = plain.dense_backward(h2, W["W_mu"], dmu)
    dh2_logvar, dW_logvar, _ = plain.dense_backward(h2, W["W_logvar"], dlogvar)
    dh1, dW_h2, _ = plain.dense_backward(h1, W["W_h2"], (dh2_mu + dh2_logvar) * (h2 > 0))
    _, dW_h1, db_h1 = plain.dense_backward(x, W["W_h1"], dh1 * (h1 > 0))
    np.testing.assert_allclose(dh[1], dh2_mu + dh2_logvar, atol=1e-14)
    np.testing.assert_allclose(dh[0], dh1, atol=1e-14)
    for name, expected in {
        "W_mu": dW_mu, "b_mu": db_mu, "W_logvar": dW_logvar, "W_h2": dW_h2, "W_h1": dW_h1,
        "b_h1": db_h1,
    }.items():  # fmt: skip
        np.testing.assert_allclose(W.gradient(name), expected, atol=1e-13, err_msg=name)


def test_the_decoder_is_dense_and_tanh_in_turn_then_the_output(make, rng):
    decoder, W = make(Decoder, 2, 3, "tanh")
    z, dlogits = rng.standard_normal((6, 2)), rng.standard_normal((6, 3))
    g, logits = decoder.forward(z)
    g1 = np.tanh(plain.dense(z, W["W_g1"], W["b_g1"]))
    g2 = np.tanh(plain.dense(g1, W["W_g2"], W["b_g2"]))
    np.testing.assert_allclose(g[1], g2, atol=1e-14)
    np.testing.assert_allclose(logits, plain.dense(g2, W["W_out"], W["b_out"]), atol=1e-14)

    dg, dz = decoder.backward(z, g, dlogits)
    dg2, dW_out, db_out = plain.dense_backward(g2, W["W_out"], dlogits)
    dg1, dW_g2, _ = plain.dense_backward(g1, W["W_g2"], dg2 * (1 - g2**2))
    dz_plain, dW_g1, _ = plain.dense_backward(z, W["W_g1"], dg1 * (1 - g1**2))
    np.testing.assert_allclose(dg[1], dg2, atol=1e-14)
    np.testing.assert_allclose(dg[0], dg1, atol=1e-14)
    np.testing.assert_allclose(dz, dz_plain, atol=1e-14)
    for name, expected in {
        "W_out": dW_out, "b_out": db_out, "W_g2": dW_g2, "W_g1": dW_g1,
    }.items():  # fmt: skip
        np.testing.assert_allclose(W.gradient(name), expected, atol=1e-13, err_msg=name)


def test_a_network_keeps_nothing_between_its_passes(make, rng):
    """An evaluation between forward and backward changes no gradient, and no array is reused."""
    encoder, W = make(Encoder, 3, 2)
    x, dmu, dlogvar = (rng.standard_normal((6, n)) for n in (3, 2, 2))
    h, _, _ = encoder.forward(x)
    encoder.backward(x, h, dmu, dlogvar)
    kept = W.grad.copy()
    before = [array.copy() for array in (x, *h, dmu, dlogvar)]
    encoder.forward(rng.standard_normal((9, 3)))
    encoder.backward(x, h, dmu, dlogvar)
    assert np.array_equal(W.grad, kept)
    for array, copy in zip((x, *h, dmu, dlogvar), before):
        assert np.array_equal(array, copy)


def test_an_unknown_activation_is_refused(make):
    with pytest.raises(ValueError, match="activation: expected one of relu, tanh, got 'sigmoid'"):
        make(Encoder, 3, 2, "sigmoid")
