"""The number of BLAS threads: one in every computation of ours, and restored afterwards."""

from typing import ClassVar

import numpy as np
import pytest
from helpers import blas_number
from threadpoolctl import threadpool_limits

from numpyvae import VAE, debugging, evaluation, gradcheck, pictures
from numpyvae.support.threads import blas_threads


def test_a_block_computes_in_one_thread_and_restores_also_after_an_error(three_threads):
    with blas_threads():
        assert blas_number() == 1
        with blas_threads(2):
            assert blas_number() == 2
        assert blas_number() == 1
    assert blas_number() == 3
    with pytest.raises(KeyError), blas_threads():
        raise KeyError
    assert blas_number() == 3


class Watched(VAE):
    """A VAE that notes the number of BLAS threads whenever it, or a twin of it, computes."""

    seen: ClassVar = set()

    def encode(self, images):
        self.seen.add(blas_number())
        return super().encode(images)

    def decode_logits(self, z):
        self.seen.add(blas_number())
        return super().decode_logits(z)

    def loss(self, t):
        self.seen.add(blas_number())
        return super().loss(t)


X = np.random.default_rng(0).random((12, 9), np.float32)


def evaluated(vae):
    return evaluation.evaluate(vae, X, gap_images=1)


ENTRIES = {
    "evaluate": lambda vae, folder: evaluated(vae),
    "elbo": lambda vae, folder: evaluation.elbo(vae, X, 0, samples=2),
    "log_weights": lambda vae, folder: evaluation.log_weights(vae, X, 2, 0),
    "evidence": lambda vae, folder: evaluation.evidence(
        evaluation.vae_log_likelihood(vae, X), 2, nodes=5
    ),
    "posterior": lambda vae, folder: evaluation.posterior(
        evaluation.vae_log_likelihood(vae, X), nodes=5
    ),
    "check_vae": lambda vae, folder: debugging.check_vae(vae),
    "check_gradients": lambda vae, folder: gradcheck.check_gradients(
        lambda p: vae.decode_logits(p["z"]).sum(), {"z": np.ones((2, 2))}, {"z": np.ones((2, 2))}
    ),
    "numerical_gradient": lambda vae, folder: gradcheck.numerical_gradient(
        lambda z: vae.decode_logits(z).sum(), np.ones((2, 2))
    ),
    "latent": lambda vae, folder: pictures.latent(vae, X),
    "manifold": lambda vae, folder: pictures.manifold(vae, n=2),
    "reconstructions": lambda vae, folder: pictures.reconstructions(vae, X),
    "samples": lambda vae, folder: pictures.samples(vae, 0),
    "interpolation": lambda vae, folder: pictures.interpolation(vae, X[:2], X[2:4]),
    "walk": lambda vae, folder: pictures.walk(vae),
    "posteriors": lambda vae, folder: pictures.posteriors(
        vae, X, evaluation.evaluate(vae, X, gap_images=0)
    ),
    "animation": lambda vae, folder: pictures.animation(folder / "a.gif", [vae], X, np.arange(12)),
}


@pytest.mark.once
@pytest.mark.parametrize("entry", ENTRIES)
def test_every_long_computation_uses_one_thread(three_threads, tmp_path, entry):
    vae = Watched(4, 2, image_shape=(3, 3))
    vae.seen.clear()
    ENTRIES[entry](vae, tmp_path)
    assert vae.seen == {1}
    assert blas_number() == 3


def test_a_layer_is_checked_in_one_thread(three_threads):
    class Layer:
        def forward(self, x):
            seen.add(blas_number())
            return 2.0 * x

        def backward(self, x, dy):
            return 2.0 * dy

    seen = set()
    assert gradcheck.check_layer(Layer(), np.ones((2, 3))).ok
    assert seen == {1}
    assert blas_number() == 3


def test_three_threads_are_seen_where_nothing_limits_them(three_threads):
    """The tests above can fail."""
    vae = Watched(4, 2, image_shape=(3, 3))
    vae.seen.clear()
    vae.encode(X)
    assert vae.seen == {3}
    with threadpool_limits(2, "blas"):
        vae.decode(np.zeros((1, 2)))
    assert vae.seen == {2, 3}
