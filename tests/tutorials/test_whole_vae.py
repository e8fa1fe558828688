"""The mistakes that people make: the checks of 07 catch and name all of them, as its text says."""

import re

import numpy as np
import pytest
from tutorial_files import FOLDER, prose

from numpyvae.course import EXERCISES
from numpyvae.course.check import verdict_on
from numpyvae.course.wrong_vaes import RIGHT_VAES, WRONG_VAES, vae
from numpyvae.gradcheck import check_gradients

pytestmark = pytest.mark.once

OF_07 = ("forward", "loss", "backward", "train_step")


def verdicts(edits):
    """The verdicts of the four checks."""
    made = vae(edits)
    return [verdict_on(EXERCISES[name], getattr(made, name)) for name in OF_07]


# What the first check that refuses it says. A function that it calls is named with its own mistake.
SENTENCES = {
    "σ = exp(logvar), in forward alone": "This uses the variance as the standard deviation",
    "σ = exp(logvar)": "This uses the variance as the standard deviation",
    "the KL averaged over the latents": "This averages over the latents.",
    "the cross-entropy averaged over the pixels": "This is the mean over the pixels",
    "the sum over the batch": "This is the sum over the batch; the loss is the mean over images.",
    "the gradient not divided by B": "1/B is missing: the loss is a mean over the images.",
    "the KL with the wrong sign": "The sign of the KL is flipped",
    "logvar taken for log σ in the KL": "This uses logvar as log σ; it is log σ².",
    "the last term of the KL squared": "This has − logvar²; the term is − logvar.",
    "½ missing in dKL/dlogvar": "The ½ is missing, or this is the derivative by log σ",
    "dlogvar without the sampling path": "the path from logvar through z is missing.",
    "½ σ missing in the sampling path": "½ σ is missing; the factor is ½ σ ε.",
    "h with the gradient of mu alone": "dh lacks its part through logvar",
    "the relu mask missing": "No entry is set to zero: is the mask missing",
    "the relu mask from the sign of dy": "The mask is taken from the sign of dy",
    "an extra σ′ at the output": "This has an extra factor σ′",
    "new eps in backward": 'Your b_logvar does not depend on t["eps"].',
    "the gradient of a bias averaged": "This is the mean over the examples",
    "the decoder fed with mu, without noise": "The noise is missing.",
    "a relu on logvar": "logvar has a relu; it must be able to be negative.",
    "the sigmoid, then its logarithm": "This takes the logarithm of a rounded sigmoid",
    "RMSprop without the root": "The root is missing: divide by √s + eps.",
    "RMSprop with |g| in place of g²": "The running mean takes |g|; take g².",
    "a hidden β of 0.1": "The KL is hidden behind a weight of 0.1",
}


@pytest.mark.parametrize("wrong", WRONG_VAES, ids=lambda wrong: wrong.name)
def test_every_mistake_is_refused_with_the_sentence_that_names_it(wrong):
    refused = [verdict for verdict in verdicts(wrong.edits) if not verdict.right]
    assert SENTENCES[wrong.name] in refused[0].mistake


@pytest.mark.parametrize(("name", "edits"), RIGHT_VAES)
def test_the_right_vae_is_not_accused_however_it_is_written(name, edits):
    assert [verdict.status for verdict in verdicts(edits)] == ["ok"] * 4, name


def test_the_gradient_check_alone_finds_eleven_of_them():
    rng = np.random.default_rng(0)
    x, eps = rng.random((4, 6)), rng.standard_normal((4, 2))
    found = 0
    for wrong in WRONG_VAES:
        made = vae(wrong.edits)
        theta = made.initialize(6, 5, 2, rng, np.float64)
        report = check_gradients(
            lambda p, made=made: sum(made.loss(made.forward(p, x, eps))),
            theta,
            lambda p, made=made: made.backward(p, made.forward(p, x, eps)),
        )
        assert not (wrong.both and not report.ok), wrong.name
        found += not report.ok
    words = re.search(
        r"We made (\d+) mistakes .* alone\s+finds (\w+) of them", prose("07_whole_vae"), re.DOTALL
    )
    assert (int(words[1]), words[2]) == (len(WRONG_VAES), "eleven")
    assert found == 11


def test_the_whole_vae_has_fewer_than_120_lines():
    notebook = (FOLDER / "07_whole_vae.ipynb").read_text(encoding="utf-8")
    assert int(re.search(r"the whole VAE: (\d+) lines", notebook)[1]) < 120
