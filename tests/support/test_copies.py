"""Deep copies and pickles of a model: trained like the model itself."""

import copy
import pickle

import numpy as np
import pytest

from numpyvae import IWAE, VAE, FreeBits, GaussianVAE, fit

X = np.random.default_rng(0).random((40, 6))


@pytest.mark.parametrize("how", [copy.deepcopy, lambda vae: pickle.loads(pickle.dumps(vae))])
@pytest.mark.parametrize("kind", [VAE, IWAE, FreeBits, GaussianVAE])
def test_a_copy_learns_the_same_and_shares_nothing(kind, how):
    vae = kind((5, 4), 2, image_shape=(2, 3), rng=1)
    fit(vae, X, epochs=1, batch_size=10)
    other = how(vae)
    assert repr(other) == repr(vae)
    assert not np.shares_memory(other.parameters.value, vae.parameters.value)
    for layer, weights in ((other.encoder.mu, "W_mu"), (other.decoder.out, "W_out")):
        assert np.shares_memory(layer.W, other.parameters.value)
        assert np.array_equal(layer.W, vae.parameters[weights])
    before = vae.parameters.value.copy()
    fit(other, X, epochs=2, batch_size=10)
    assert np.array_equal(vae.parameters.value, before)
    fit(vae, X, epochs=2, batch_size=10)
    assert np.array_equal(vae.parameters.value, other.parameters.value)
    assert not np.array_equal(vae.parameters.value, before)
    assert np.array_equal(other.decode(np.ones((1, 2))), vae.decode(np.ones((1, 2))))


def test_a_float64_model_stays_one():
    other = copy.deepcopy(VAE(4, 2, image_shape=(2, 3)).astype(np.float64))
    assert other.parameters.value.dtype == np.float64


def test_a_shallow_copy_shares_its_weights():
    vae = VAE(4, 2, image_shape=(2, 3))
    assert copy.copy(vae).parameters is vae.parameters
