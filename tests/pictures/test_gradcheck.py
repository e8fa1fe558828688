"""The picture of a gradient check."""

from numpyvae import VAE, pictures
from numpyvae.debugging import break_backward, check_vae


def small(seed=0):
    """A model whose own check costs little; what counts is said of the twin."""
    return VAE(8, 2, image_shape=(3, 3), rng=seed)


def test_the_picture_is_drawn_for_every_verdict():
    report = check_vae(break_backward(small(), "relu_mask_missing"))
    figure = pictures.gradients(report)
    left, right = figure.axes
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert any(label.startswith("FAIL") for label in labels)
    assert any(label.startswith("PASS") for label in labels)
    assert len(right.patches) == 10
