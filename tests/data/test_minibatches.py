import numpy as np
import pytest

from numpyvae import VAE
from numpyvae.data.minibatches import Minibatches


def in_order(images, order, batch_size, dtype):
    """The x of all minibatches; grey, without noise."""
    model = VAE(2, image_shape=(1, images.shape[1])).astype(dtype)
    batches = Minibatches(model, batch_size, "grey", 0.0)
    return [x for x, _, _ in batches(images, order, np.random.default_rng(0))]


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (250, 12), dtype=np.uint8)


def test_minibatches_give_every_image_once_in_order_and_a_shorter_last_batch(images, rng):
    order = rng.permutation(250)
    batches = in_order(images, order, 40, np.float32)
    assert [len(x) for x in batches] == [40] * 6 + [10]
    np.testing.assert_array_equal(np.concatenate(batches), (images[order] / 255).astype(np.float32))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, bool])
def test_minibatches_of_floats_and_booleans_are_not_divided(rng, dtype):
    images = (rng.random((10, 3)) * 1.5).astype(bool).astype(dtype)
    (x,) = in_order(images, np.arange(10), 10, np.float32)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x, images.astype(np.float32))
