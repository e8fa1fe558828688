"""A training step keeps no memory, and rebinds no weight and no gradient."""

import tracemalloc

import numpy as np
import pytest

from numpyvae import VAE, Adam, RMSprop


def steps(batch_size, optimizer, pixels_dtype=np.float32):
    vae = VAE()
    rng = np.random.default_rng(0)
    x = rng.random((batch_size, 784), dtype=pixels_dtype)
    eps = rng.standard_normal((batch_size, 2), dtype=np.float32)
    optimizer = optimizer(vae.parameters)

    def step():
        t = vae.forward(x, eps)
        vae.loss(t)
        vae.backward(t)
        optimizer.step()

    return vae, step


@pytest.mark.parametrize("optimizer", [RMSprop, Adam])
def test_a_step_keeps_no_memory_and_needs_that_of_a_few_arrays(optimizer):
    peaks = {}
    for batch_size in (100, 400):
        _, step = steps(batch_size, optimizer)
        for _ in range(3):
            step()
        tracemalloc.start()
        step()
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(10):
            step()
        after, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        peaks[batch_size] = peak - before
        assert after - before < 2_000  # a few Python objects come and go
    # per image: logits, p, dlogits, and at most three more of (X,) at a time; four of (H,)
    assert peaks[400] < 400 * 4 * (6 * 784 + 4 * 256)
    # nothing of the size of the weights is allocated
    assert peaks[100] < 100 * 4 * (6 * 784 + 4 * 256)


def test_no_weight_and_no_gradient_is_rebound_in_a_step():
    vae, step = steps(50, RMSprop)
    value, grad = vae.parameters.value, vae.parameters.grad
    step()
    assert vae.parameters.value is value
    assert vae.parameters.grad is grad
    encoder, decoder = vae.encoder, vae.decoder
    layers = [*encoder.layers, encoder.mu, encoder.logvar, *decoder.layers, decoder.out]
    assert len(layers) == 5
    for layer in layers:
        for view, vector in (
            (layer.W, value), (layer.b, value), (layer.dW, grad), (layer.db, grad),
        ):  # fmt: skip
            assert np.shares_memory(view, vector)


def test_mnist_stays_uint8_in_memory(mnist):
    from numpyvae import train

    images = mnist[0][0][:20_000]  # 15.7 MB; as float32 it would be 62.7 MB
    tracemalloc.start()
    list(train(VAE(), images, epochs=1))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 15e6
