"""A training step writes into existing arrays. It keeps no new memory and rebinds nothing."""

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
    trace = None

    def step():
        nonlocal trace
        trace = vae.forward(x, eps, out=trace)
        vae.loss(trace)
        vae.backward(trace)
        optimizer.step()
        return trace

    return vae, step


@pytest.mark.parametrize("optimizer", [RMSprop, Adam])
def test_a_steady_step_allocates_next_to_nothing_whatever_the_batch(optimizer):
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
    assert max(peaks.values()) < 100_000
    # arrays of (B, Z) may come and go, arrays of (B, H) or (B, X) may not
    assert peaks[400] - peaks[100] < 400 * 2 * 4 * 8


def test_nothing_is_rebound_in_a_step():
    vae, step = steps(50, RMSprop)
    trace = step()
    arrays = {name: value for name, value in vars(trace).items() if isinstance(value, np.ndarray)}
    lists = {name: list(value) for name, value in vars(trace).items() if isinstance(value, list)}
    assert step() is trace
    for name, array in arrays.items():
        assert getattr(trace, name) is array, name
    for name, values in lists.items():
        assert all(new is old for new, old in zip(getattr(trace, name), values)), name
    parameters = vae.parameters
    layers = [*vae.encoder.layers, *vae.decoder.layers]
    assert len(layers) == 5
    for layer in layers:
        for view, vector in (
            (layer.W, parameters.value), (layer.b, parameters.value),
            (layer.dW, parameters.grad), (layer.db, parameters.grad),
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
