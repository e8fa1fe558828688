"""Many trainings side by side."""

import numpy as np
import pytest
from helpers import as_png

from numpyvae import Loss, pictures


def test_losses_of_every_setting_and_their_standard_error():
    losses = {"beta=1": [Loss(150.0, 5.0), Loss(152.0, 6.0)], "beta=4": [Loss(160.0, 3.0, 4.0)]}
    figure = pictures.loss_by_setting(losses)
    total, reconstruction, kl = figure.axes
    assert [label.get_text() for label in total.get_yticklabels()] == ["beta=1", "beta=4"]
    for axes, values in ((total, [155.0, 158.0]), (reconstruction, [150.0, 152.0]), (kl, [5, 6])):
        dots = next(line for line in axes.lines if line.get_marker() == ".")
        mean = axes.containers[0]
        assert list(dots.get_xdata()) == values
        assert mean[0].get_xdata() == [np.mean(values)]
        (bar,) = mean[2][0].get_segments()
        assert bar[:, 0] == pytest.approx([values[0], values[1]])  # of two seeds: mean ± half
    assert list(total.lines[-1].get_xdata()) == [163.0]  # not weighted by beta
    assert total.get_ylim()[0] > total.get_ylim()[1]  # the first setting on top
    assert as_png(figure).startswith(b"\x89PNG")


def curve():
    return [Loss(150.0, 9.0, 0.1), Loss(155.0, 5.0), Loss(157.0, 4.0), Loss(165.0, 2.0, 4.0)]


def test_rate_and_distortion_of_every_run_and_beta_along_the_mean():
    figure = pictures.rate_distortion({"latent=2": curve()})
    (axes,) = figure.axes
    dots, line = axes.lines[:2]
    assert list(dots.get_xdata()) == [9.0, 5.0, 4.0, 2.0]
    assert list(dots.get_ydata()) == [150.0, 155.0, 157.0, 165.0]
    assert line.get_xydata().tolist() == [[9.0, 150.0], [4.5, 156.0], [2.0, 165.0]]
    labels = {text.get_text(): text.xy for text in axes.texts if "β" in text.get_text()}
    assert labels.keys() == {"β = 0.1", "β = 1", "β = 4"}
    assert tuple(labels["β = 1"]) == (4.5, 156.0)
    assert axes.get_legend() is None


def test_along_a_grey_line_the_elbo_is_the_same():
    (axes,) = pictures.rate_distortion({"": curve()}).axes
    lines = axes.lines[2:]
    labels = [text for text in axes.texts if "β" not in text.get_text()]
    assert len(lines) == len(labels) >= 3
    for line, label in zip(lines, labels):
        assert line.get_xydata().sum(axis=1) == pytest.approx(float(label.get_text()))


def test_several_curves_have_a_legend_and_more_than_ten_are_drawn():
    figure = pictures.rate_distortion({f"latent={n}": curve() for n in range(1, 13)})
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()][-1] == "latent=12"
    looks = {(line.get_color(), line.get_marker()) for line in legend.get_lines()}
    assert len(looks) == 12


def test_beta_is_named_only_where_it_varies():
    same = {"latent=2": [Loss(155.0, 5.0)], "latent=3": [Loss(150.0, 9.0)]}
    (axes,) = pictures.rate_distortion(same).axes
    assert not [text for text in axes.texts if "β" in text.get_text()]


def test_one_run_is_drawn():
    assert as_png(pictures.rate_distortion({"": [Loss(155.0, 5.0)]})).startswith(b"\x89PNG")
    assert as_png(pictures.loss_by_setting({"": [Loss(155.0, 5.0)]})).startswith(b"\x89PNG")
