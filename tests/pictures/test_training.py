"""The loss during training."""

import pytest
from helpers import as_png

from numpyvae import pictures
from numpyvae.core.trace import Loss
from numpyvae.core.training import Epoch


def epochs(test=True, beta=1.0):
    def loss(n):
        return Loss(200.0 - 10 * n, 4.0 + n, beta)

    return [Epoch(n, 3, loss(n), loss(n - 0.5) if test else None, 1.0) for n in (1, 2, 3)]


@pytest.mark.parametrize("test", [True, False])
def test_loss_draws_the_numbers_it_was_given(test):
    figure = pictures.loss(epochs(test), {"a line": 205.65})
    whole, total, reconstruction, kl = figure.axes
    assert [axes.get_title() for axes in figure.axes[1:]] == ["total", "reconstruction", "KL"]
    assert len(total.lines) == 1 + test
    assert list(total.lines[0].get_ydata()) == [195.0, 186.0, 177.0]
    assert list(reconstruction.lines[0].get_ydata()) == [190.0, 180.0, 170.0]
    assert list(kl.lines[0].get_ydata()) == [5.0, 6.0, 7.0]
    assert [text.get_text() for text in whole.texts] == ["a line 205.65"]
    assert as_png(figure).startswith(b"\x89PNG")


def test_loss_says_what_beta_does():
    assert "reconstruction + 4 × KL" in pictures.loss(epochs(beta=4.0)).get_supylabel()
    assert "reconstruction + KL" in pictures.loss(epochs()).get_supylabel()


def test_loss_names_the_parts_of_another_objective():
    figure = pictures.loss(epochs(), rest="remainder")
    assert figure.axes[3].get_title() == "remainder"
    assert list(figure.axes[3].lines[0].get_ydata()) == [5.0, 6.0, 7.0]
    assert "reconstruction + remainder" in figure.get_supylabel()
    annealed = [epochs(beta=0.5)[0], epochs(beta=1.0)[1]]
    assert "reconstruction + β × KL" in pictures.loss(annealed).get_supylabel()
