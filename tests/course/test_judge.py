"""Verdicts: what is wrong has a name, and what is right is not accused."""

import signal
import sys
import time

import numpy as np
import pytest

from numpyvae.course import EXERCISES, NotYet, check
from numpyvae.course.check import verdict_on
from numpyvae.course.judge import judge


def verdict(name, function, seconds=10.0):
    return judge(EXERCISES[name], function, seconds)


def raises(error):
    def function(*arguments):
        raise error

    return function


def endless(x, W, b):
    while True:
        pass


def stubborn(x, W, b):
    """Catch the first interrupt."""
    try:
        while True:
            pass
    except BaseException:
        while True:
            pass


def grows(x, W, b):
    return grows(x, W, b)


def changes_b(x, W, b):
    b *= 2
    return x @ W + b


def changes_t(theta, t):
    t["x"] = 2 * t["x"]
    return EXERCISES["backward"].right(theta, t)


def random(x, W, b):
    return x @ W + b + np.random.default_rng().random()


KINDS = [
    ("dense", 5, "wrong type", "expected the function dense, got a value (int)"),
    ("dense", lambda x, W: x @ W, "wrong arguments", "It takes (x, W); it is called with (x,"),
    ("dense", lambda x, W, b: None, "wrong type", "It returns None: is a `return` missing?"),
    ("dense", lambda x, W, b: "y", "wrong type", "not an array of numbers, but str: 'y'"),
    ("dense", lambda x, W, b: (x @ W + b).T, "wrong shape", "expected (2, 1); is it transposed?"),
    ("relu_backward", lambda dy, y: (dy * (y > 0)).T if len(y) != y.shape[1] > 1 < len(y)
     else dy * (y > 0), "wrong shape", "expected (2, 3); it is transposed"),
    ("dense", lambda x, W, b: (x @ W + b)[None], "wrong shape", "remove the axes of length 1"),
    ("dense_backward", lambda x, W, dy: (x, W), "wrong type", "3 results, dx, dW, db; got 2"),
    ("forward", lambda theta, x, eps: [x], "wrong type", "is a list; expected a dictionary"),
    ("forward", lambda theta, x, eps: {"x": x}, "wrong type", "missing: target, eps, h, mu"),
    ("dense", changes_b, "argument changed", "It changes its argument b; work on a copy"),
    ("backward", changes_t, "argument changed", "It changes its argument t"),
    ("dense", random, "not deterministic", "Two calls with the same arguments"),
    ("cross_entropy", lambda o, x: (np.log(1 + np.exp(o)) - x * o).sum(axis=1), "not finite",
     "inf"),
    ("sigmoid", lambda o: 1 / (1 + np.exp(-o)), "overflow", "overflow encountered in exp"),
    ("dense", endless, "endless loop", "No result after 0.3 seconds"),
    ("dense", stubborn, "endless loop", "No result after 0.3 seconds"),
    ("dense", grows, "crash", "It calls itself without end"),
    ("dense", raises(SystemExit(1)), "crash", "It ends the program, in your line `raise error`"),
    ("dense", raises(MemoryError()), "crash", "It needs more memory than there is"),
    ("dense", raises(KeyError("W")), "crash", "KeyError: 'W', in your line `raise error`"),
    ("dense", lambda x, W, b: x @ W + 1.0000001 * b, "wrong value", "equal in"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "function", "kind", "words"), KINDS)
def test_what_goes_wrong_has_a_name(name, function, kind, words):
    found = verdict(name, function, 0.3 if kind == "endless loop" else 10.0)
    assert (found.status, found.kind) == ("not yet", kind)
    assert words in found.text
    assert len(str(found)) < 800


def test_a_blank_is_not_started():
    blank = raises(NotImplementedError("dense: not written yet"))
    assert str(verdict("dense", blank)) == "01 dense: not started"


def test_the_smallest_input_is_shown_with_yours_exact_and_the_factor():
    def kl_divergence(mu, logvar):
        return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).mean(axis=1)

    with pytest.raises(NotYet) as caught:
        check("kl_divergence", kl_divergence)
    assert str(caught.value).splitlines() == [
        "05 kl_divergence: not yet",
        "  smallest input that fails: mu = [[2, 0]], logvar = [[0, 0]]",
        "  at [0]: yours 1   exact 2 (by hand: ½·2²)   ratio 0.5, always 1 / the number of latents",
        "  This averages over the latents. The KLs of independent latents add up.",
        "  next: numpyvae course hint kl_divergence",
    ]
    assert caught.value._render_traceback_() == str(caught.value).splitlines()


def test_the_size_from_where_on_it_overflows_is_found():
    def cross_entropy(logits, x):
        return (np.log(1 + np.exp(logits)) - x * logits).sum(axis=1)

    assert verdict("cross_entropy", cross_entropy).given == "logits = ±710"
    assert np.isfinite(np.exp(709.0))
    assert verdict("sigmoid", lambda o: 1 / (1 + np.exp(-o))).given == "l = ±710"


@pytest.mark.parametrize(
    ("name", "wrong", "factor"),
    [
        ("dense_backward", lambda x, W, dy: (dy @ W.T, 3 * x.T @ dy, dy.sum(axis=0)), "always 3"),
        ("cross_entropy", lambda o, x: (np.logaddexp(0, o) - x * o).sum(1) / 2, "always ½"),
        ("relu_backward", lambda dy, y: -2 * dy * (y > 0), "always −2"),
        ("kl_backward", lambda mu, v: (mu * len(mu), (np.exp(v) - 1) / 2), "always the batch size"),
    ],
)  # fmt: skip
def test_a_factor_has_a_name(name, wrong, factor):
    assert factor in verdict(name, wrong).text


def test_an_argument_that_is_not_used_is_named():
    found = verdict("reparameterize", lambda mu, logvar, eps: 1.1 * mu + np.exp(logvar / 2))
    assert found.mistake == "The result does not depend on eps."


def test_a_function_that_another_one_calls_is_blamed():
    scope = {"np": np}
    exec(
        "def kl_divergence(mu, logvar):\n"
        "    return (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)\n"
        "def cross_entropy(logits, x):\n"
        "    return (np.logaddexp(0, logits) - x * logits).sum(axis=1)\n"
        "def loss(t):\n"
        "    kl = kl_divergence(t['mu'], t['logvar']).mean()\n"
        "    return cross_entropy(t['logits'], t['target']).mean(), kl\n",
        scope,
    )
    found = verdict_on(EXERCISES["loss"], scope["loss"])
    assert (
        found.text == "It calls kl_divergence, which is not right yet. Check kl_divergence first."
    )
    assert found.mistake == "The ½ is missing."


REMARKS = [
    ("dense", lambda x, W, b: (x @ W + b).tolist(), "It returns a list"),
    ("dense", lambda x, W, b: (x @ W + b).astype(np.float32), "It returns float32"),
    ("dense_backward", lambda x, W, dy: (dy @ W.T, (x.T @ dy).tolist(), sum(dy)), "returns lists"),
    ("cross_entropy", lambda o, x: (np.where(o > 0, o + np.log1p(np.exp(-o)), np.log1p(np.exp(o)))
                                    - x * o).sum(axis=1), "NumPy warns on the way"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "function", "words"), REMARKS)
def test_right_with_a_remark(name, function, words):
    found = verdict(name, function)
    assert found.status == "ok with a remark"
    assert words in found.remark


def test_a_check_prints_its_verdict(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check("relu_backward", lambda dy, y: np.where(y > 0, dy, 0))
    assert capsys.readouterr().out == "03 relu_backward: ok\n"
    assert not list(tmp_path.iterdir())  # it is no working folder
    with pytest.raises(ValueError, match="no exercise 'dence'; one of: dense, dense_backward"):
        check("dence", None)


def test_all_checks_together_take_seconds():
    started = time.process_time()
    for exercise in EXERCISES.values():
        assert judge(exercise, exercise.right).right
    assert time.process_time() - started < 15  # 1 s on an idle machine


def test_an_endless_loop_is_found_where_ctrl_c_is_ignored():
    """As in a job in the background; afterwards it is ignored again."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert verdict("dense", endless, 0.3).kind == "endless loop"
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_in_a_check_is_ctrl_c():
    with pytest.raises(KeyboardInterrupt):
        verdict("dense", raises(KeyboardInterrupt()))


def test_a_limit_of_time_leaves_nothing_behind():
    with pytest.raises(NotYet):
        check("dense", raises(ValueError("no")))
    time.sleep(0.05)
    assert sys.exc_info() == (None, None, None)


def test_a_changed_argument_is_named_even_if_only_its_zeros_change():
    def kl_parts(mu, logvar, q, axis):
        q[q == 0] = 1e-300
        return EXERCISES["kl_parts"].right(mu, logvar, q, axis)

    verdict = judge(EXERCISES["kl_parts"], kl_parts)
    assert verdict.kind == "argument changed"
    assert "q" in verdict.text


def test_a_result_of_whole_numbers_is_not_said_to_ignore_an_argument():
    def rates(eigenvalues, noise_variance, beta):
        return np.trunc(EXERCISES["rates"].right(eigenvalues, noise_variance, beta))

    verdict = judge(EXERCISES["rates"], rates)
    assert verdict.status == "not yet"
    assert verdict.mistake == ""
