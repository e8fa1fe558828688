"""The gradient checker: what it says of right gradients, of wrong ones, and of bad input."""

import copy
import inspect
import subprocess
import sys

import numpy as np
import pytest

from numpyvae import VAE, Loss, save
from numpyvae.cli import main
from numpyvae.gradcheck import (
    MISTAKES,
    break_backward,
    check_function,
    check_gradients,
    check_layer,
    check_vae,
    derivative,
    numerical_gradient,
)
from numpyvae.layers import Dense, relu, sigmoid
from numpyvae.parameters import Parameters

VISIBLE = [name for name, mistake in MISTAKES.items() if not mistake.invisible]
INVISIBLE = [name for name, mistake in MISTAKES.items() if mistake.invisible]


@pytest.fixture
def logistic(rng):
    """A logistic regression: its loss and gradients, as somebody would write them elsewhere."""
    x, y = rng.standard_normal((9, 4)), rng.integers(0, 2, 9)

    def loss(p):
        a = x @ p["w"] + p["b"]
        return np.mean(np.log(1.0 + np.exp(a)) - y * a)

    def grads(p):
        error = (1.0 / (1.0 + np.exp(-(x @ p["w"] + p["b"]))) - y) / len(y)
        return {"w": x.T @ error, "b": error.sum()}

    return loss, {"w": rng.standard_normal(4), "b": 0.3}, grads


def small(seed=0):
    """A model whose own check costs little; what counts is said of the twin."""
    return VAE(8, 2, image_shape=(3, 3), rng=seed)


# ---- the derivative with its error bar


@pytest.mark.parametrize(
    ("phi", "truth"),
    [
        (np.exp, 1.0),
        (lambda t: np.sin(5.0 * t + 1.0), 5.0 * np.cos(1.0)),
        (lambda t: 1e6 + np.exp(t), 1.0),
        (lambda t: 1e-12 * np.tanh(t + 0.5), 1e-12 / np.cosh(0.5) ** 2),
        (lambda t: np.log(1.0 + np.exp(20.0 * t)), 10.0),
        (lambda t: abs(t - 1e-4) + t, 0.0),  # a kink that small steps do not reach
        (lambda t: 3.0, 0.0),
        (lambda t: t**3, 0.0),
    ],
)
def test_the_error_bar_holds(phi, truth):
    found = derivative(phi)
    assert abs(found.value - truth) <= 3.0 * found.error + 1e-300
    assert found.status == "smooth"
    assert found.error <= 1e-8 * max(abs(truth), abs(phi(0.0)), 1e-3)


def test_a_kink_and_a_hopeless_function_are_named():
    assert derivative(abs).status == "kink"
    assert derivative(lambda t: t + 1e-3 * max(t, 0.0)).status == "kink"
    assert derivative(lambda t: 1e5 + t + 1e-3 * abs(t)).status == "kink"
    rng = np.random.default_rng(0)
    noisy = derivative(lambda t: t + rng.standard_normal())
    assert noisy.status == "noisy" or noisy.error > 0.1
    assert derivative(lambda t: float("nan")).status == "noisy"


def test_the_noise_is_that_of_the_largest_terms_in_a_sum_that_cancels():
    found = derivative(lambda t: (1e6 + t) - 1e6)
    assert 1e-11 < found.error < 1e-6
    assert abs(found.value - 1.0) <= 3.0 * found.error


def test_the_textbook_version():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    found = numerical_gradient(lambda x: (x**3).sum(), x)
    np.testing.assert_allclose(found, 3.0 * x**2, rtol=1e-8)
    assert x[0, 0] == 1.0
    assert numerical_gradient(lambda x: x**2, 3.0) == pytest.approx(6.0, rel=1e-8)


# ---- anybody's loss


def test_a_logistic_regression_in_three_lines(logistic):
    loss, params, grads = logistic
    report = check_gradients(loss, params, grads(params))
    report.raise_if_failed(complete=True)
    assert [row.name for row in report.rows] == ["w", "b"]
    assert all(row.digits > 13 for row in report.rows)
    assert "complex step" in report.method
    assert "PASS: 2 of 2" in str(report)


def test_a_factor_is_named(logistic):
    loss, params, grads = logistic
    wrong = {"w": 9.0 * grads(params)["w"], "b": grads(params)["b"]}
    report = check_gradients(loss, params, wrong, constants={"the batch size": 9.0})
    assert report.failed == ["w"]
    assert not report.ok
    assert "backprop is 9 times what it should be" in report.hints[0]
    assert "that is the batch size" in report.hints[0]
    with pytest.raises(AssertionError, match=r"w\[\d\]: backprop .* ratio 9"):
        report.raise_if_failed()


def test_a_term_is_named(logistic):
    loss, params, grads = logistic

    def penalized(p):
        return {"fit": loss(p), "penalty": (p["w"] ** 2).sum()}

    found = grads(params)
    right = check_gradients(penalized, params, {"w": found["w"] + 2 * params["w"], "b": found["b"]})
    right.raise_if_failed(complete=True)
    half = check_gradients(penalized, params, {"w": found["w"] + params["w"], "b": found["b"]})
    assert "1 x grad(fit) + 0.5 x grad(penalty)" in half.hints[0]
    none = check_gradients(penalized, params, found)
    assert "penalty is missing" in none.hints[0]


def test_the_complex_step_is_dropped_where_it_is_wrong(rng):
    w = rng.standard_normal(30)

    def silent(p):  # np.abs of a complex number is real, and the product complex all the same
        return (np.abs(p["w"]) * p["w"]).sum()

    report = check_gradients(silent, {"w": w}, {"w": 2.0 * np.abs(w)})
    report.raise_if_failed()
    assert "no complex step: it is wrong along w" in report.method
    loud = check_gradients(
        lambda p: np.logaddexp(0.0, p["w"]).sum(), {"w": w}, {"w": 1.0 / (1.0 + np.exp(-w))}
    )
    loud.raise_if_failed()
    assert "no complex step" in loud.method
    lost = check_gradients(lambda p: float((p["w"] ** 2).sum().real), {"w": w}, {"w": 2.0 * w})
    lost.raise_if_failed()
    wrong = check_gradients(silent, {"w": w}, {"w": 2.0 * w})
    assert wrong.failed == ["w"]


def test_unsure_on_a_kink_and_blind_where_all_is_zero():
    # three units exactly on the kink of |a|: any slope between two is right
    kink = check_gradients(lambda p: np.abs(p["w"]).sum(), {"w": np.zeros(3)}, {"w": np.ones(3)})
    assert [row.verdict for row in kink.rows] == ["UNSURE"]
    assert not kink.ok
    dead = check_gradients(
        lambda p: np.maximum(p["w"] - 5.0, 0.0).sum() + (p["v"] ** 2).sum(),
        {"w": np.zeros(3), "v": np.ones(2)},
        {"w": np.zeros(3), "v": 2.0 * np.ones(2)},
    )
    assert [row.verdict for row in dead.rows] == ["BLIND", "PASS"]
    assert dead.ok
    assert not dead.complete
    assert "BLIND: w" in str(dead)
    with pytest.raises(AssertionError, match="BLIND"):
        dead.raise_if_failed(complete=True)


def test_kinks_that_partly_cancel_are_unsure_too(rng):
    for seed in range(20):
        report = check_gradients(
            lambda p: 3.0 * np.abs(p["w"][0]) - 2.9 * np.abs(p["w"][1]),
            {"w": np.zeros(2)}, {"w": np.array([3.0, 2.9])}, seed=seed,
        )  # fmt: skip
        assert [row.verdict for row in report.rows] == ["UNSURE"]


def test_a_slope_that_drowns_in_rounding_is_unsure(rng):
    w = rng.standard_normal(5)
    for seed in range(20):
        for factor in (1.0, 1.0 + 1e-4):  # neither is told from the other, and neither accused
            report = check_gradients(
                lambda p: float(1e10 + np.sin(np.real(p["w"])).sum()),
                {"w": w}, {"w": factor * np.cos(w)}, seed=seed,
            )  # fmt: skip
            assert [row.verdict for row in report.rows] == ["UNSURE"]


def test_several_wrong_entries_are_all_found(rng):
    W = rng.standard_normal((40, 40))
    gradient = 2.0 * W
    places = {(3, 5), (17, 2), (30, 39)}
    for place in places:
        gradient[place] += 0.1
    report = check_gradients(lambda p: (p["W"] ** 2).sum(), {"W": W}, {"W": gradient})
    assert {entry.index for entry in report.rows[0].worst} == places


def test_a_loss_in_float32_says_how_little_it_can_tell(rng):
    x = rng.standard_normal((6, 5)).astype(np.float32)
    w = rng.standard_normal(5).astype(np.float32)
    report = check_gradients(
        lambda p: np.float32(((x @ p["w"].real.astype(np.float32)) ** 2).sum()),
        {"w": w},
        {"w": 2.0 * x.T @ (x @ w)},
    )
    assert not report.failed
    assert any("w is float32: a float64 copy is checked" in note for note in report.notes)
    assert any("loss comes back as float32" in note for note in report.notes)
    # …but what is grossly wrong is still wrong
    wrong = check_gradients(
        lambda p: np.float32(((x @ p["w"].real.astype(np.float32)) ** 2).sum()),
        {"w": w},
        {"w": -2.0 * x.T @ (x @ w)},
    )
    assert wrong.failed == ["w"]


def test_scalars_integers_and_empty_arrays():
    report = check_gradients(
        lambda p: p["a"] ** 2 + 3.0 * p["b"] + (p["n"] ** 2).sum(),
        {"a": 2.0, "b": np.array(1.0), "n": np.array([1, 2]), "none": np.zeros((0, 3))},
        {"a": 4.0, "b": 3.0, "n": [2, 4], "none": np.zeros((0, 3))},
    )
    report.raise_if_failed(complete=True)
    assert [row.shape for row in report.rows] == [(), (), (2,)]
    assert any("n is int64: a float64 copy is checked" in note for note in report.notes)
    assert any("none is empty" in note for note in report.notes)


@pytest.mark.parametrize("bad", [np.array([1j]), np.array(["a"]), np.array([True]), None])
def test_parameters_that_are_not_real_numbers_are_refused(bad):
    with pytest.raises(TypeError, match=r"params\['w'\]: expected real numbers, got .*; leave out"):
        check_gradients(lambda p: 0.0, {"w": bad}, {"w": bad})


def test_no_parameters_are_refused():
    with pytest.raises(ValueError, match="params: expected at least one array"):
        check_gradients(lambda p: 0.0, {}, {})


def stops(loss, params, grads):
    report = check_gradients(loss, params, grads)
    assert not report.ok
    assert not report.rows
    assert "STOP: " in str(report)
    with pytest.raises(ValueError, match="nothing was compared"):
        report.plot()
    return report.stops


def test_guards():
    w = np.array([1.0, 2.0])
    rng = np.random.default_rng(0)

    def square(p):
        return (p["w"] ** 2).sum()

    right = {"w": 2.0 * w}
    (stop,) = stops(lambda p: square(p) + rng.standard_normal(), {"w": w}, right)
    assert "the loss is random" in stop
    assert "Draw the noise once" in stop
    (stop,) = stops(lambda p: float("nan"), {"w": w}, right)
    assert "the loss is nan" in stop
    (stop,) = stops(lambda p: p["w"] ** 2, {"w": w}, right)
    assert "array of shape (2,): return one number" in stop
    (stop,) = stops(square, {"w": w}, {})
    assert "no gradient for w" in stop
    (stop,) = stops(square, {"w": w}, {**right, "W": w})
    assert "gradient for W, but no such parameter" in stop
    (stop,) = stops(square, {"w": w}, {"w": np.ones((5, 2))})
    assert "not summed over the rows of the batch?" in stop
    (stop,) = stops(square, {"w": w}, {"w": np.ones((1, 2))})
    assert "keepdims?" in stop
    (stop,) = stops(square, {"w": w}, {"w": 2.0 * w + 1j})
    assert "not real numbers: complex128" in stop
    (stop,) = stops(lambda p: None, {"w": w}, right)
    assert "the loss is None" in stop
    (stop,) = stops(lambda p: p["w"].sum(), {"w": np.ones((2, 3))}, {"w": np.ones((3, 2))})
    assert "transposed?" in stop
    (stop,) = stops(square, {"w": w}, {"w": [np.nan, 4.0]})
    assert "1 entries that are NaN" in stop
    (stop,) = stops(square, {"w": w}, lambda p: {"w": rng.standard_normal(2)})
    assert "two different gradients" in stop

    total = np.zeros(2)

    def adds_up(p):
        total[:] += 2.0 * p["w"]
        return {"w": total}

    (stop,) = stops(square, {"w": w}, adds_up)
    assert "added up, and not reset" in stop

    def changes(p):
        p["w"] *= 2.0
        return square(p)

    assert any("the loss changes w in place" in stop for stop in stops(changes, {"w": w}, right))

    def backward_changes(p):
        p["w"] += 1.0
        return {"w": 2.0 * (p["w"] - 1.0)}

    found = stops(square, {"w": w}, backward_changes)
    assert any("backward changes w in place" in stop for stop in found)
    np.testing.assert_array_equal(w, [1.0, 2.0])


def test_a_loss_that_reads_a_copy_is_named():
    w = np.array([1.0, 2.0])
    report = check_gradients(lambda p: (w**2).sum() + 0.0 * p["v"], {"w": w, "v": 1.0},
                             {"w": 2.0 * w, "v": 0.0})  # fmt: skip
    assert report.failed == ["w"]
    assert "a copy of it?" in report.hints[0]


def test_patterns(rng):
    W = rng.standard_normal((6, 6))
    M = rng.standard_normal((6, 6))

    def hint(gradient, loss=lambda p: (np.sin(p["W"]) * M).sum()):
        report = check_gradients(loss, {"W": W}, {"W": gradient})
        assert report.failed == ["W"]
        return report.hints[-1]

    right = np.cos(W) * M
    assert "transpose" in hint(right.T)
    assert "the sign is wrong" in hint(-right)
    assert "0 everywhere" in hint(0.0 * right)
    assert "exactly a float32 number" in hint(right.astype(np.float32).astype(np.float64))
    assert "first 7 digits" in hint(right * (1.0 + 1e-7 * rng.random((6, 6))))
    last = right.copy()
    last[:, -1] = 0.0
    assert "share index 5 along axis 1 and are 0" in hint(last)
    one = right.copy()
    one[2, 3] *= 1.01
    assert "isolated, e.g. [2, 3]" in hint(one)
    assert "off by 0.1 x the parameter: a penalty on the parameters is in backward only" in hint(
        right + 0.1 * W
    )
    assert "off by -0.1 x the sign of the parameter" in hint(right - 0.1 * np.sign(W))
    clipped = np.clip(right, -1.2, 1.2)
    assert "all ±1.2: are they clipped?" in hint(clipped)
    assert "backprop is 1 +1.0e-06 times" in hint(right * (1.0 + 1e-6))
    assert "no simple pattern" in hint(right + 0.1 * rng.standard_normal((6, 6)))
    mask = (W > 0.0) * M
    assert "a mask such as that of the ReLU is missing" in hint(
        M, lambda p: (np.maximum(p["W"], 0.0) * M).sum()
    )
    assert "is the wrong one" in hint(M - mask, lambda p: (np.maximum(p["W"], 0.0) * M).sum())


def test_the_complex_step_is_not_believed_where_only_kinks_were_looked_at(rng):
    # np.abs drops the imaginary part, and all directions cross its kink at 0
    w = np.array([0.0, 1.0, -2.0])

    def loss(p):
        return np.abs(p["w"]).sum() + (p["w"] ** 2).sum()

    forgotten = check_gradients(loss, {"w": w}, {"w": 2.0 * w})
    right = check_gradients(loss, {"w": w}, {"w": 2.0 * w + np.sign(w)})
    assert not forgotten.ok
    assert not right.failed
    # nor where the kinks would be too small to be seen
    w = rng.standard_normal(500)
    for seed in range(20):
        right = check_gradients(
            lambda p: 1e-6 * np.abs(p["w"]).sum() + (p["w"] ** 2).sum(),
            {"w": w}, {"w": 2.0 * w + 1e-6 * np.sign(w)}, seed=seed,
        )  # fmt: skip
        assert [row.verdict for row in right.rows] == ["PASS"]


def test_a_small_relative_error_that_rounding_hides_does_not_pass(rng):
    w = rng.standard_normal(20)
    for factor, verdict in ((1.0, "PASS"), (1.0 + 1e-8, "UNSURE"), (1.0 + 1e-5, "FAIL")):
        (row,) = check_gradients(
            lambda p: 1e6 + np.sin(p["w"]).sum(), {"w": w}, {"w": factor * np.cos(w)}
        ).rows
        assert row.verdict == verdict


def test_a_forward_pass_in_float32_is_not_taken_for_flat(rng):
    x = rng.standard_normal((8, 5)).astype(np.float32)

    def loss(p):
        a = np.maximum(x @ p["w"].astype(np.float32), np.float32(0.0))
        return float(a.sum())

    for seed in range(20):
        w = rng.standard_normal(5)
        mask = x @ w.astype(np.float32) > 0.0
        report = check_gradients(loss, {"w": w}, {"w": x.T @ mask.astype(np.float64)}, seed=seed)
        assert not report.failed


def test_tiny_parameters_of_a_loss_that_grows(rng):
    x = 1e-8 * rng.standard_normal(30)
    report = check_gradients(lambda p: float(np.real((p["x"] ** 2).sum())), {"x": x}, {"x": 2 * x})
    assert not report.failed


def test_a_loss_with_a_domain(rng):
    x = 0.01 + 0.01 * rng.random(4)

    def loss(p):
        if (np.real(p["x"]) <= 0.0).any():
            raise ValueError("x must be positive")
        return np.log(p["x"]).sum()

    check_gradients(loss, {"x": x}, {"x": 1.0 / x}).raise_if_failed(complete=True)


def test_any_hashable_names():
    report = check_gradients(
        lambda p: p["self"] ** 2 + p[0] ** 2, {"self": 2.0, 0: 3.0}, {"self": 4.0, 0: 6.0}
    )
    report.raise_if_failed(complete=True)


@pytest.mark.parametrize(
    ("params", "grads", "error", "words"),
    [
        (np.ones(2), {"w": 1.0}, TypeError, "params: expected a dictionary of arrays, got ndarray"),
        ({"w": 1.0}, np.ones(2), TypeError, "grads: expected a dictionary .* got ndarray"),
        ({"w": 1.0}, lambda p: None, TypeError, "grads: expected a dictionary .* got NoneType"),
        ({"w": np.nan}, {"w": 1.0}, ValueError, "1 entries are NaN or infinite; replace them"),
    ],
)
def test_what_is_no_dictionary_of_numbers_is_refused(params, grads, error, words):
    with pytest.raises(error, match=words):
        check_gradients(lambda p: p["w"] ** 2, params, grads)


# ---- layers, functions of one number


def dense(kind=Dense, n=3):
    layer = kind(Parameters({"W_y": (4, n), "b_y": (n,)}), "y")
    layer.initialize(np.random.default_rng(0))
    return layer


def test_a_layer(rng):
    layer = dense()
    before = layer.W.copy()
    report = check_layer(layer, rng.standard_normal((5, 4)))
    report.raise_if_failed(complete=True)
    assert [row.name for row in report.rows] == ["x", "W", "b"]
    np.testing.assert_array_equal(layer.W, before)
    assert not layer.dW.any()


def test_wrong_layers(rng):
    class IgnoresDy(Dense):
        def backward_input(self, dy, out=None):
            return np.ones_like(dy) @ self.W.T

    class Averages(Dense):
        def backward_weights(self, x, dy):
            super().backward_weights(x, dy)
            self.db /= len(dy)

    class Transposed(Dense):
        def backward_input(self, dy, out=None):
            return dy @ self.W

    def report(kind, n):
        return check_layer(dense(kind, n), rng.standard_normal((5, 4)))

    assert report(IgnoresDy, 3).failed == ["x"]
    averages = report(Averages, 3)
    assert averages.failed == ["b"]
    assert "1 / the number of rows" in averages.hints[0]
    assert report(Transposed, 4).failed == ["x"]


def test_weights_whose_gradient_is_made_by_backward_are_found_and_others_named(rng):
    class Usual:
        def __init__(self):
            self.W, self.dW = rng.standard_normal((4, 3)), None
            self.scale = np.ones(3)

        def forward(self, x):
            return x @ self.W * self.scale

        def backward(self, x, dy):
            self.dW = 7.0 * x.T @ (dy * self.scale)
            return (dy * self.scale) @ self.W.T

    report = check_layer(Usual(), rng.standard_normal((5, 4)))
    assert report.failed == ["W"]
    assert "scale was not checked: there is no dscale of its shape" in report.notes

    class Pair(Usual):
        def forward(self, x):
            return super().forward(x), None

    with pytest.raises(TypeError, match=r"expected forward\(x\) to return one array, got tuple"):
        check_layer(Pair(), np.ones((5, 4)))


def test_functions_of_one_number():
    check_function(sigmoid, lambda x: sigmoid(x) * (1.0 - sigmoid(x))).raise_if_failed(True)
    check_function(np.tanh, lambda x: 1.0 - np.tanh(x) ** 2).raise_if_failed(complete=True)
    check_function(relu, lambda x: (x > 0.0) * 1.0).raise_if_failed(complete=True)
    wrong = check_function(sigmoid, lambda x: 1.0 - sigmoid(x) ** 2)
    assert len(wrong.failed) >= 16
    kink = check_function(relu, lambda x: (x > 0.0) * 1.0, [-1.0, 0.0, 1.0])
    assert [row.verdict for row in kink.rows] == ["PASS", "UNSURE", "PASS"]
    softmax = check_function(lambda x: np.exp(x) / np.exp(x).sum(), np.exp)
    assert "f(x) is not f of each entry" in softmax.stops[0]
    assert "return an entry for each" in check_function(np.sin, lambda x: 1.0).stops[0]


# ---- the VAE and the museum


@pytest.mark.parametrize("hidden", [256, (9, 6), (9, 8, 7)])
def test_a_right_vae_passes_and_is_left_as_it_is(hidden):
    vae = VAE(hidden, 2, rng=3)
    value = vae.parameters.value.copy()
    report = check_vae(vae)
    report.raise_if_failed(complete=True)
    assert report.parameters == vae.parameters.value.size
    assert sum(np.prod(row.shape) for row in report.rows) == report.parameters
    names = [row.name for row in report.twin.rows]
    assert {"dlogits", "dz", "dmu", "dlogvar", "dh_logvar", "da_h[0]", "dg[0]"} < set(names)
    assert min(row.digits for row in report.twin.rows) > 12
    assert "made alike in both is not seen" in " ".join(report.notes)
    np.testing.assert_array_equal(vae.parameters.value, value)
    assert not vae.parameters.grad.any()


def assert_found_and_named(name, seed):
    mistake = MISTAKES[name]
    report = check_vae(break_backward(small(seed), name), seed=seed)
    assert not report.ok
    with pytest.raises(AssertionError, match=name):
        report.raise_if_failed()
    twin = report.twin
    known = [hint for hint in twin.hints if hint.startswith("known mistake")]
    assert known == [f"known mistake: {mistake}"]  # that one, and no other
    if twin.stops:
        assert len(twin.stops) == 1
        assert f"{mistake.first} first" in twin.stops[0]
    else:
        assert twin.failed[0] == mistake.first


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", VISIBLE)
def test_every_mistake_fails_is_located_and_named(name, seed):
    assert_found_and_named(name, seed)


@pytest.mark.slow
@pytest.mark.parametrize("name", VISIBLE)
def test_every_mistake_fails_is_located_and_named_over_20_seeds(name):
    for seed in range(2, 20):
        assert_found_and_named(name, seed)


@pytest.mark.parametrize("name", INVISIBLE)
def test_a_mistake_in_forward_and_backward_alike_is_not_seen_and_that_is_said(name):
    report = check_vae(break_backward(small(), name))
    assert report.ok
    assert "made alike in both is not seen. Values find those" in " ".join(report.notes)
    assert "no gradient check can see it" in MISTAKES[name].exhibit()
    x = np.random.default_rng(0).random((5, 9))
    eps = np.random.default_rng(1).standard_normal((5, 2))
    right, wrong = small(), break_backward(small(), name)
    right.parameters.value += 0.3
    wrong.parameters.value += 0.3
    losses = [vae.loss(vae.forward(x, eps)).total for vae in (right, wrong)]
    assert abs(losses[0] - losses[1]) > 1e-3  # it is a mistake


def test_the_museum():
    assert len(VISIBLE) >= 30
    for mistake in MISTAKES.values():
        for module, right, _ in ((mistake.module, mistake.right, ""), *mistake.edits):
            assert inspect.getsource(module).count(right) == 1, mistake.name
        assert len(mistake.exhibit().splitlines()) >= 4


def test_a_missing_factor_is_named():
    hints = check_vae(break_backward(small(), "sigma_missing")).twin.hints
    assert "dlogvar: a factor sigma is missing in grad(reconstruction)" in hints
    hints = check_vae(break_backward(small(), "extra_sigmoid_slope")).twin.hints
    assert "dlogits: there is one factor p (1 - p) too many" in hints


def test_a_hint_that_a_beginner_understands():
    text = str(check_vae(break_backward(small(), "missing_half_kl")))
    assert (
        "dlogvar: backprop = 1 x grad(reconstruction) + 2 x grad(beta x KL); "
        "beta x KL counts 2 times"
    ) in text
    assert "the 1/2 is missing" in text


def test_broken_models_share_nothing_and_unknown_names_are_refused():
    vae = small()
    broken = break_backward(vae, "not_averaged")
    assert isinstance(broken, VAE)
    assert not np.shares_memory(broken.parameters.value, vae.parameters.value)
    np.testing.assert_array_equal(broken.parameters.value, vae.parameters.value)
    with pytest.raises(ValueError, match="got 'relu'; the nearest is relu_"):
        break_backward(vae, "relu")
    with pytest.raises(ValueError, match="alter the same line"):
        break_backward(vae, "bias_averaged", "bias_forgotten")


@pytest.mark.parametrize(
    ("nearer", "farther"),
    [
        ("extra_sigmoid_slope", "missing_half_kl"),
        ("bias_averaged", "logvar_path_missing"),
        ("relu_mask_missing", "variance_for_sigma"),
        ("missing_half_sigma", "kl_doubled_in_mu"),
        ("kl_missing_in_mu", "mu_path_overwritten"),
        ("heads_mixed_up", "target_for_input"),
        ("mean_for_sample", "sampling_path_missing"),
    ],
)
def test_of_two_mistakes_the_one_nearest_the_loss_is_named_first(nearer, farther):
    for names in ((nearer, farther), (farther, nearer)):
        twin = check_vae(break_backward(small(), *names)).twin
        assert twin.failed[0] == MISTAKES[nearer].first
        assert f"known mistake: {MISTAKES[nearer]}" in twin.hints


class OneOff(VAE):
    """The entry `place` of the classic's dW_out is one percent off."""

    place = (0, 0)

    def backward(self, t):
        super().backward(t)
        dW = self.parameters.gradient("W_out")
        if dW.size == 200_704:
            dW[self.place] *= 1.01
        return t


@pytest.mark.parametrize("seed", range(3))
def test_one_entry_of_200704_that_is_one_percent_off_is_found(seed):
    rng = np.random.default_rng(seed)
    place = (int(rng.integers(256)), int(rng.integers(784)))
    vae = OneOff(rng=seed)
    vae.place = place
    report = check_vae(vae, seed=seed)
    assert report.twin.ok
    assert report.failed[0] == "W_out"
    row = next(row for row in report.rows if row.name == "W_out")
    assert row.worst[0].index == place
    assert row.worst[0].backprop / row.worst[0].numerical == pytest.approx(1.01, rel=1e-6)
    assert f"isolated, e.g. [{place[0]}, {place[1]}]" in report.hints[-1]


def test_a_small_entry_that_is_one_percent_off_is_found_too():
    vae = OneOff(rng=0)
    x, eps = np.random.default_rng(0).random((16, 784)), np.zeros((16, 2))
    vae.backward(vae.forward(x, eps))
    dW = np.abs(vae.parameters.gradient("W_out"))
    alive = np.argsort(np.where(dW > 0.0, dW, np.inf), axis=None)[2000]  # the hundredth part
    vae.place = tuple(int(i) for i in np.unravel_index(alive, dW.shape))
    report = check_vae(vae)
    assert report.failed[0] == "W_out"
    assert next(r for r in report.rows if r.name == "W_out").worst[0].index == vae.place


def test_a_backward_pass_in_float32_is_named():
    class Single(VAE):
        def backward(self, t):
            super().backward(t)
            self.parameters.grad[:] = self.parameters.grad.astype(np.float32)
            return t

    report = check_vae(Single(8, 2, image_shape=(3, 3)))
    assert "b_out: nearly right, and every entry is exactly a float32" in report.twin.hints[-1]


def test_rounding_that_only_the_complex_step_sees_is_excused_but_an_entry_is_not(rng):
    w = rng.standard_normal(9)

    def loss(p):  # rounding of 1e6 hides the last digits from finite differences
        return 1e6 + np.sin(p["w"]).sum()

    gradient = np.cos(w).astype(np.float32).astype(np.float64)
    (row,) = check_gradients(loss, {"w": w}, {"w": gradient}).rows
    assert row.verdict == "UNSURE"
    assert "off in the last digits" in row.note
    smallest = int(np.argmin(np.abs(gradient)))
    w[smallest] = 1.57  # a slope of 8e-4
    gradient = np.cos(w)
    gradient[smallest] *= 1.01
    report = check_gradients(loss, {"w": w}, {"w": gradient})
    assert report.failed == ["w"]
    assert report.rows[0].worst[0].index == (smallest,)


def test_a_wrong_entry_among_many_is_not_excused_as_rounding(rng):
    w = rng.standard_normal(400)
    w[123] = 0.5 * np.pi - 1e-4
    gradient = np.cos(w)

    def loss(p):  # finite differences have no digits to spare
        return 1e7 + np.sin(p["w"]).sum()

    assert not check_gradients(loss, {"w": w}, {"w": gradient}).failed
    gradient[123] *= 1.05  # 5e-6 of the largest entry, and 1e-7 of a random slope
    for seed in range(5):
        report = check_gradients(loss, {"w": w}, {"w": gradient}, seed=seed)
        assert report.failed == ["w"]
        assert report.rows[0].worst[0].index == (123,)


def test_a_class_with_a_constructor_of_its_own_and_a_pass_of_its_own():
    class Own(VAE):
        def __init__(self):
            super().__init__(8, 2, image_shape=(3, 3))

    report = check_vae(Own())
    report.raise_if_failed()
    assert report.twin is None
    assert "no small twin" in report.notes[-2] + report.notes[-1]

    class OwnWrong(Own):
        def backward(self, t):
            super().backward(t)
            self.parameters.gradient("W_mu")[:] *= 2.0
            return t

    assert check_vae(OwnWrong()).failed == ["W_mu"]


def test_a_backward_of_ones_own_with_local_variables_is_checked_all_the_same():
    class Local(VAE):
        def backward(self, t):
            own = copy.copy(t)
            own.dg, own.dh, own.da_g, own.da_h = [None], [None], [None], [None]
            super().backward(own)

    report = check_vae(Local(8, 2, image_shape=(3, 3)))
    report.raise_if_failed()
    assert "dz is left out: backward does not write it into the Trace" in report.twin.notes


def test_a_rebound_gradient_vector_is_named():
    class Rebinds(VAE):
        def backward(self, t):
            super().backward(t)
            self.parameters.grad = np.clip(self.parameters.grad, -1.0, 1.0)
            return t

    report = check_vae(Rebinds(8, 2, image_shape=(3, 3)))
    assert not report.ok
    assert any("parameters.grad was rebound" in stop for stop in report.twin.stops)


def test_a_forgotten_penalty_is_not_taken_for_a_known_mistake():
    class Penalized(VAE):
        def loss(self, t):
            loss = super().loss(t)
            penalty = 0.1 * (self.parameters["W_out"] ** 2).sum()
            return Loss(loss.reconstruction + penalty, loss.kl, self.beta)

    twin = check_vae(Penalized(8, 2, image_shape=(3, 3))).twin
    assert twin.failed == ["W_out"]
    assert "off by -0.2 x the parameter: a penalty on the parameters is in the loss" in str(twin)
    assert "known mistake" not in str(twin)


def test_a_pass_that_changes_the_images_is_named():
    class Changes(VAE):
        def backward(self, t):
            super().backward(t)
            t.x *= 0.5
            return t

    report = check_vae(Changes(8, 2, image_shape=(3, 3)), np.ones((4, 9)))
    assert not report.ok
    assert any("changes x in place" in stop for stop in report.twin.stops)


def test_bad_images_are_refused():
    with pytest.raises(ValueError, match="images: expected shape"):
        check_vae(small(), np.ones((4, 8)))


# ---- the command, the picture, the rest


def test_the_command(tmp_path, capsys):
    assert main(["gradcheck", "--plot", str(tmp_path / "check.png")]) == 0
    text = capsys.readouterr().out
    assert "404,244 parameters" in text
    assert "PASS: 10 of 10 gradients agree" in text
    assert (tmp_path / "check.png").read_bytes().startswith(b"\x89PNG")
    assert main(["gradcheck", "--list"]) == 0
    text = capsys.readouterr().out
    assert all(f"  {name} " in text for name in MISTAKES)
    assert main(["gradcheck", "--break", "missing_half_kl"]) == 1
    text = capsys.readouterr().out
    assert "- return mu.copy(), 0.5 * (np.exp(logvar) - 1.0)" in text
    assert "+ return mu.copy(), (np.exp(logvar) - 1.0)" in text
    assert "hint: known mistake: missing_half_kl" in text


@pytest.mark.parametrize("shape", [(28, 28), (4, 4)])
def test_the_command_checks_a_saved_model(tmp_path, capsys, shape):
    save(tmp_path / "model.npz", VAE(8, 2, image_shape=shape))
    assert main(["gradcheck", "--model", str(tmp_path / "model.npz")]) == 0
    assert f"VAE {shape[0] * shape[1]}-8-2-8-" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--break", "missing"], "expected one of the 48 mistakes"),
        (["--model", "nothing.npz"], "nothing.npz"),
        (["--plot", "no/such/folder/check.png"], "no/such/folder"),
    ],
)
def test_bad_input_gets_one_line(tmp_path, monkeypatch, capsys, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    assert main(["gradcheck", *arguments]) == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert len(error.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_picture_is_drawn_for_every_verdict():
    figure = check_vae(break_backward(small(), "relu_mask_missing")).plot()
    left, right = figure.axes
    labels = [text.get_text() for text in left.get_legend().get_texts()]
    assert any(label.startswith("FAIL") for label in labels)
    assert any(label.startswith("PASS") for label in labels)
    assert len(right.patches) == 10


def test_a_failure_survives_python_without_asserts():
    code = (
        "from numpyvae.gradcheck import check_gradients\n"
        "check_gradients(lambda p: p['a'] ** 2, {'a': 1.0}, {'a': 1.0}).raise_if_failed()"
    )
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "AssertionError" in done.stderr
    assert "ratio 0.5" in done.stderr
