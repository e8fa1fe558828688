"""Exercises that nobody has the answers to."""

import json

import numpy as np
import pytest

from numpyvae.course import NotYet, check
from numpyvae.course.judge import judge
from numpyvae.course.judging import judge_folder
from numpyvae.course.variant_notebook import start_variant
from numpyvae.course.variants import FUNCTIONS, variant
from numpyvae.gradcheck import numerical_gradient

SEEDS = range(40)


def right(seed):
    return {name: exercise.right for name, exercise in variant(seed).exercises.items()}


@pytest.mark.parametrize("seed", SEEDS)
def test_every_backward_pass_is_the_numerical_gradient(seed, rng):
    f = right(seed)
    assert tuple(f) == FUNCTIONS
    a, dy, mu, rho, eps = (rng.standard_normal((3, 2)) for _ in range(5))
    x = rng.standard_normal((3, 2))
    pairs = [
        (f["activation_backward"](dy, a), lambda v: (dy * f["activation"](v)).sum(), a),
        (
            f["negative_log_likelihood_backward"](a, x),
            lambda v: f["negative_log_likelihood"](v, x).sum(),
            a,
        ),
        (
            f["sample_backward"](dy, rho, eps)[0],
            lambda v: (dy * f["sample"](v, rho, eps)).sum(),
            mu,
        ),
        (
            f["sample_backward"](dy, rho, eps)[1],
            lambda v: (dy * f["sample"](mu, v, eps)).sum(),
            rho,
        ),
        (f["kl_backward"](mu, rho)[0], lambda v: f["kl"](v, rho).sum(), mu),
        (f["kl_backward"](mu, rho)[1], lambda v: f["kl"](mu, v).sum(), rho),
    ]
    for backward, function, point in pairs:
        np.testing.assert_allclose(backward, numerical_gradient(function, point), atol=1e-8)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_right_functions_pass_and_two_swapped_signs_do_not(seed):
    for exercise in variant(seed).exercises.values():
        assert judge(exercise, exercise.right).status == "ok"

    def wrong(*arguments):
        return -right(seed)["kl"](*arguments)

    assert judge(variant(seed).exercises["kl"], wrong).mistake == "The sign is flipped."


def test_the_kl_is_zero_where_q_is_the_prior_and_positive_elsewhere(rng):
    mu, rho = 2.0 * rng.standard_normal((1000, 1)), 2.0 * rng.standard_normal((1000, 1))
    for seed in SEEDS:
        assert right(seed)["kl"](mu, rho).min() > 0


def test_a_solution_of_another_variant_is_refused():
    for seed in SEEDS:
        other = right(seed + 1)
        refused = [not judge(each, other[name]).right
                   for name, each in variant(seed).exercises.items()]  # fmt: skip
        assert sum(refused) >= 4


def test_the_numbers_choose_different_variants():
    texts = {tuple(part.formula + part.title for part in variant(seed).parts) for seed in SEEDS}
    assert len(texts) == len(SEEDS)
    assert variant(7).parts[1].formula == variant(7).parts[1].formula
    with pytest.raises(ValueError, match="seed: expected a whole number of at least 0, got -1"):
        variant(-1)


def test_the_notebook_is_blank_and_is_judged_by_its_number(tmp_path):
    path = start_variant(tmp_path / "mine", 4711)
    assert path.name == "variant_4711.ipynb"
    with pytest.raises(FileExistsError, match="is not changed; rename it"):
        start_variant(tmp_path / "mine", 4711)
    names = [exercise.id for exercise in variant(4711).exercises.values()]
    blank = list(judge_folder(path.parent, names))
    assert [verdict.status for verdict in blank] == ["not started"] * 9
    text = path.read_text(encoding="utf-8")
    body = '    raise NotImplementedError("kl: not written yet")'
    assert json.dumps(body)[1:-1] in text
    ours = "    from numpyvae.course.variants import variant\\n    return " + (
        "variant(4711).exercises['kl'].right(mu, rho)"
    )
    path.write_text(text.replace(json.dumps(body)[1:-1], ours), encoding="utf-8")
    found = {verdict.exercise: verdict.status for verdict in judge_folder(path.parent, names)}
    assert found["variant_4711.kl"] == "ok"


def test_a_check_knows_a_variant_by_its_number(capsys):
    with pytest.raises(NotYet, match=r"^variant_5\.kl: not yet"):
        check("variant_5.kl", right(6)["kl"])
    check("variant_5.kl", right(5)["kl"])
    assert capsys.readouterr().out == "variant_5.kl: ok\n"
    with pytest.raises(ValueError, match=r"no exercise 'kk'; one of: activation, "):
        check("variant_5.kk", None)
