"""Models with a mistake."""

import numpy as np
import pytest
from helpers import small

from numpyvae import VAE
from numpyvae.debugging import break_backward


def test_broken_models_share_nothing_and_unknown_names_are_refused():
    vae = small()
    broken = break_backward(vae, "not_averaged")
    assert isinstance(broken, VAE)
    assert not np.shares_memory(broken.parameters.value, vae.parameters.value)
    np.testing.assert_array_equal(broken.parameters.value, vae.parameters.value)
    with pytest.raises(ValueError, match="got 'slope_mising'; the nearest is slope_missing"):
        break_backward(vae, "slope_mising")
    with pytest.raises(ValueError, match="change the same line"):
        break_backward(vae, "bias_averaged", "bias_forgotten")


@pytest.mark.parametrize("own", ["forward", "loss", "backward"])
def test_a_class_with_its_own_pass_is_refused_not_silently_replaced(own):
    kind = type("Mine", (VAE,), {own: lambda self, *arguments: None})
    with pytest.raises(ValueError, match=f"model: Mine has its own {own}, and a mistake would"):
        break_backward(kind(8, 2, image_shape=(3, 3)), "missing_half_kl")


def test_a_broken_model_is_not_broken_again_which_would_lose_the_first_mistake():
    once = break_backward(small(), "missing_half_kl")
    with pytest.raises(ValueError, match="with all mistakes in one call"):
        break_backward(once, "bias_averaged")


def test_a_subclass_that_leaves_the_passes_alone_keeps_its_own_methods():
    class Named(VAE):
        def name(self):
            return "mine"

    broken = break_backward(Named(8, 2, image_shape=(3, 3)), "missing_half_kl")
    assert broken.name() == "mine"
