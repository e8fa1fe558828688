"""The gradients of any loss: verdicts on right and wrong ones."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest

from numpyvae.gradcheck import (
    check_gradients,
)


def test_a_logistic_regression_in_three_lines(logistic):
    loss, params, grads = logistic
    report = check_gradients(loss, params, grads(params))
    report.raise_if_failed(complete=True)
    assert [row.name for row in report.rows] == ["w", "b"]
    assert all(row.digits > 13 for row in report.rows)
    assert "complex step" in report.method
    assert "PASS: 2 of 2" in str(report)


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
            {"w": np.zeros(2)}, {"w": np.array([3.0, 2.9])}, rng=seed,
        )  # fmt: skip
        assert [row.verdict for row in report.rows] == ["UNSURE"]


def test_a_slope_that_drowns_in_rounding_is_unsure(rng):
    w = rng.standard_normal(5)
    for seed in range(20):
        for factor in (1.0, 1.0 + 1e-4):  # they cannot be distinguished, and neither is rejected
            report = check_gradients(
                lambda p: float(1e10 + np.sin(np.real(p["w"])).sum()),
                {"w": w}, {"w": factor * np.cos(w)}, rng=seed,
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
    # but a gross error is still found
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
            {"w": w}, {"w": 2.0 * w + 1e-6 * np.sign(w)}, rng=seed,
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
        report = check_gradients(loss, {"w": w}, {"w": x.T @ mask.astype(np.float64)}, rng=seed)
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
        report = check_gradients(loss, {"w": w}, {"w": gradient}, rng=seed)
        assert report.failed == ["w"]
        assert report.rows[0].worst[0].index == (123,)


def test_a_failure_survives_python_without_asserts():
    code = (
        "from numpyvae.gradcheck import check_gradients\n"
        "check_gradients(lambda p: p['a'] ** 2, {'a': 1.0}, {'a': 1.0}).raise_if_failed()"
    )
    done = subprocess.run([sys.executable, "-O", "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert "AssertionError" in done.stderr
    assert "ratio 0.5" in done.stderr


def test_a_report_is_never_changed_after_it_is_made(logistic):
    loss, params, grads = logistic
    report = check_gradients(loss, params, {"w": 2.0 * grads(params)["w"], "b": 0.0})
    for record in (report, report.rows[0], report.rows[0].worst[0]):
        for field in dataclasses.fields(record):
            assert not isinstance(getattr(record, field.name), list), field.name
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(record, field.name, None)


def test_a_small_kink_beside_a_large_offset_is_not_accused(rng):
    """The complex step is silently wrong at np.abs, and finite differences cannot tell."""
    a, w = rng.standard_normal((2, 5))

    def loss(p):
        return 1e9 + (a * np.sin(p["w"])).sum() + 1e-5 * np.abs(p["w"]).sum()

    for seed in range(5):
        right = {"w": a * np.cos(w) + 1e-5 * np.sign(w)}
        assert not check_gradients(loss, {"w": w}, right, rng=seed).failed


def test_state_of_the_first_call_is_found(logistic):
    loss, params, grads = logistic
    kept = []

    def memoized(p):
        kept.append(grads(p))
        return kept[0]

    assert check_gradients(loss, params, memoized).failed


def test_ctrl_c_leaves_what_is_known_so_far(logistic):
    loss, params, grads = logistic
    wrong = {**grads(params), "w": 2.0 * grads(params)["w"]}

    def stop_before(last):
        def progress(items):
            for item in items:
                if item == last:
                    raise KeyboardInterrupt
                yield item

        return progress

    report = check_gradients(loss, params, wrong, progress=stop_before("b"))
    assert not report.ok
    assert report.failed == ["w"]
    assert "STOPPED: Ctrl-C, after 1 of 2 gradients were compared; wrong: w" in str(report)
    report = check_gradients(loss, params, grads(params), progress=stop_before("b"))
    assert not report.ok
    assert "after 1 of 2 gradients were compared; none of them is wrong" in str(report)
    report = check_gradients(loss, params, grads(params), progress=stop_before("w"))
    assert "after 0 of 2 gradients" in str(report)
    with pytest.raises(AssertionError, match="STOPPED"):
        report.raise_if_failed()


def test_keys_need_not_be_strings_and_a_loss_may_leave_its_table(rng):
    report = check_gradients(
        lambda p: (p[0, "w"] ** 2).sum(),
        {(0, "w"): np.arange(3.0)},
        lambda p: {(0, "w"): p[0, "w"]},
    )
    assert "wrong: (0, 'w')" in str(report)
    table = rng.standard_normal(11)

    def interpolated(p):
        i = np.floor(np.real(p["u"]) * 10.0).astype(int)
        return (table[i] + (table[i + 1] - table[i]) * (p["u"] * 10.0 - i)).sum()

    u = np.array([0.05, 0.35, 0.93])
    i = np.floor(u * 10.0).astype(int)
    for seed in range(6):  # some directions lead out of the table
        right = {"u": 10.0 * (table[i + 1] - table[i])}
        assert not check_gradients(interpolated, {"u": u}, right, rng=seed).failed
