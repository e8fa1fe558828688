"""Models that people write elsewhere: right ones are not accused, wrong ones do not pass."""

import inspect

import numpy as np
import pytest
from documents import words
from examples import networks, structures, wrong_vaes
from examples.wrong_models import WRONG, wrong_model

from numpyvae.gradcheck import check_gradients

CAUSES = ("known mistake", "that is ", "missing", "too many", "a penalty on", "slicing", "clipped")
RIGHT = [
    model
    for module in (networks, structures)
    for model in vars(module).values()
    if inspect.isfunction(model) and model.__module__ == module.__name__
]


@pytest.mark.parametrize("model", RIGHT, ids=lambda model: model.__name__)
def test_a_right_model_is_not_accused(model):
    for seed in range(3):
        report = check_gradients(*model(np.random.default_rng(seed)))
        report.raise_if_failed()
        assert report.complete or model is structures.hinge  # on its kink


def test_the_guide_counts_them():
    passes = sum(len(wrong.depths) for wrong in wrong_vaes.WRONG)
    assert f"Nor in {len(RIGHT)} models of other kinds" in words("gradient_checking")
    assert f"Of {len(WRONG) + passes} wrong gradients" in words("gradient_checking")


@pytest.mark.once
def test_wrong_models_fail_and_no_false_cause_is_named():
    assert len(WRONG) > 140
    for wrong in WRONG:
        report = check_gradients(*wrong_model(wrong)(np.random.default_rng(1)))
        assert report.failed, wrong
        hints = " ".join(report.hints)
        if any(cause in hints for cause in CAUSES):
            assert wrong.named, (wrong, hints)
            assert wrong.named in hints, (wrong, hints)
