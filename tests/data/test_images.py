import numpy as np
import pytest

from numpyvae.data.images import binarize, corrupt


def test_binarize(rng):
    x = np.array([[0.0, 0.2, 0.5, 0.51, 1.0]] * 4000, np.float32)
    assert binarize(x, "grey", rng) is x
    assert binarize(x, "thresholded", rng)[0].tolist() == [0, 0, 0, 1, 1]
    drawn = binarize(x, "dynamic", rng)
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert drawn.dtype == np.float32
    # five standard errors of a mean of 4000 coins
    np.testing.assert_allclose(drawn.mean(axis=0), x[0], atol=5 * 0.5 / 4000**0.5)
    assert drawn[:, 0].sum() == 0
    assert drawn[:, 4].sum() == 4000
    assert not np.array_equal(drawn, binarize(x, "dynamic", rng))


def test_corrupt(rng):
    x = np.full((200, 100), 0.5, np.float32)
    noisy = corrupt(x, 0.1, rng)
    assert noisy.std() == pytest.approx(0.1, rel=0.03)
    assert noisy.mean() == pytest.approx(0.5, abs=0.005)
    assert noisy.dtype == np.float32
    wild = corrupt(x, 10.0, rng)
    assert wild.min() == 0.0
    assert wild.max() == 1.0
