"""The table of mistakes: every one is found, located and named."""

import inspect

import numpy as np
import pytest
from helpers import small

from numpyvae import VAE
from numpyvae.debugging import MISTAKES, break_backward, check_vae, mistakes

VISIBLE = [name for name, mistake in MISTAKES.items() if not mistake.invisible]
INVISIBLE = [name for name, mistake in MISTAKES.items() if mistake.invisible]


def assert_found_and_named(name, seed, activation):
    mistake = MISTAKES[name]
    model = VAE(8, 2, image_shape=(3, 3), activation=activation, rng=seed)
    report = check_vae(break_backward(model, name), rng=seed)
    assert not report.ok
    with pytest.raises(AssertionError, match=name):
        report.raise_if_failed()
    twin = report.small_copy
    known = [hint for hint in twin.hints if hint.startswith("known mistake")]
    assert known == [f"known mistake: {mistake}"]  # that one, and no other
    if twin.problems:
        assert len(twin.problems) == 1
        assert f"{mistake.first} first" in twin.problems[0]
    else:
        assert twin.failed[0] == mistake.first


@pytest.mark.parametrize(("seed", "activation"), [(0, "relu"), (0, "tanh")])
@pytest.mark.parametrize("name", VISIBLE)
def test_every_mistake_fails_is_located_and_named(name, seed, activation):
    assert_found_and_named(name, seed, activation)


@pytest.mark.slow
@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("name", VISIBLE)
def test_every_mistake_fails_is_located_and_named_over_20_seeds(name, activation):
    for seed in range(1, 20):
        assert_found_and_named(name, seed, activation)


@pytest.mark.parametrize("name", INVISIBLE)
def test_a_mistake_in_forward_and_backward_alike_is_not_seen_and_that_is_said(name):
    report = check_vae(break_backward(small(), name))
    assert report.ok
    assert "A mistake in both is not seen. Known values find those" in " ".join(report.notes)
    assert "no gradient check can see it" in MISTAKES[name].as_diff()
    x = np.random.default_rng(0).random((5, 9))
    eps = np.random.default_rng(1).standard_normal((5, 2))
    right, wrong = small(), break_backward(small(), name)
    right.parameters.value += 0.3
    wrong.parameters.value += 0.3
    losses = [vae.loss(vae.forward(x, eps)).total for vae in (right, wrong)]
    assert abs(losses[0] - losses[1]) > 1e-3  # it is a mistake


def test_the_table():
    entries = inspect.getsource(mistakes).count("    Mistake(\n")
    assert entries == len(MISTAKES), "two mistakes have the same name; rename one"
    for mistake in MISTAKES.values():
        for edit in mistake.edits:
            assert inspect.getsource(edit.module).count(edit.old) == 1, mistake.name
        assert len(mistake.as_diff().splitlines()) >= 4


def test_a_missing_factor_is_named():
    hints = check_vae(break_backward(small(), "sigma_missing")).small_copy.hints
    assert "dlogvar: a factor sigma is missing in grad(reconstruction)" in hints
    hints = check_vae(break_backward(small(), "extra_sigmoid_slope")).small_copy.hints
    assert "dlogits: there is one factor p (1 - p) too many" in hints


def test_a_hint_that_a_beginner_understands():
    text = str(check_vae(break_backward(small(), "missing_half_kl")))
    assert (
        "dlogvar: backprop = 1 x grad(reconstruction) + 2 x grad(beta x KL); "
        "beta x KL counts 2 times"
    ) in text
    assert "the 1/2 is missing" in text


@pytest.mark.once
@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        ("extra_sigmoid_slope", "missing_half_kl"),
        ("bias_averaged", "logvar_path_missing"),
        ("slope_missing", "variance_for_sigma"),
        ("missing_half_sigma", "kl_doubled_in_mu"),
        ("kl_missing_in_mu", "mu_path_overwritten"),
        ("heads_mixed_up", "target_for_input"),
        ("mean_for_sample", "sampling_path_missing"),
    ],
)
def test_of_two_mistakes_the_one_nearest_the_loss_is_named_first(nearer, farther):
    for names in ((nearer, farther), (farther, nearer)):
        twin = check_vae(break_backward(small(), *names)).small_copy
        assert twin.failed[0] == MISTAKES[nearer].first
        assert any(f"it resembles {MISTAKES[nearer]}" in hint for hint in twin.hints)
        assert "known mistake" not in str(twin)
