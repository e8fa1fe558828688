"""Models with a mistake."""

import numpy as np
import pytest

from numpyvae import VAE
from numpyvae.debugging import break_backward


def small(seed=0):
    """A model whose own check costs little; what counts is said of the twin."""
    return VAE(8, 2, image_shape=(3, 3), rng=seed)


def test_broken_models_share_nothing_and_unknown_names_are_refused():
    vae = small()
    broken = break_backward(vae, "not_averaged")
    assert isinstance(broken, VAE)
    assert not np.shares_memory(broken.parameters.value, vae.parameters.value)
    np.testing.assert_array_equal(broken.parameters.value, vae.parameters.value)
    with pytest.raises(ValueError, match="got 'relu'; the nearest is relu_"):
        break_backward(vae, "relu")
    with pytest.raises(ValueError, match="change the same line"):
        break_backward(vae, "bias_averaged", "bias_forgotten")
