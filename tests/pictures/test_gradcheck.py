"""The picture of a gradient check."""

from helpers import small

from numpyvae import pictures
from numpyvae.debugging import break_backward, check_vae


def test_the_picture_is_drawn_for_every_verdict():
    report = check_vae(break_backward(small(), "slope_missing"))
    figure = pictures.gradients(report)
    left, right = figure.axes
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert any(label.startswith("FAIL") for label in labels)
    assert any(label.startswith("PASS") for label in labels)
    assert len(right.patches) == 10
