"""The words for a wrong gradient."""

import numpy as np
import pytest

from numpyvae.gradcheck import (
    check_gradients,
)


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
    assert "share index 5 along axis 1, all 0 there" in hint(last)
    one = right.copy()
    one[2, 3] *= 1.01
    assert "most entries are right, but not [2, 3] (1 wrong of 36 looked at)" in hint(one)
    assert "off by 0.1 x the parameter, as if a penalty on the parameters were in backward" in hint(
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


def test_words_that_would_be_false_are_not_said(rng):
    W, M = rng.standard_normal((6, 7)), rng.standard_normal((6, 7))
    right = np.cos(W) * M

    def hint(gradient, **more):
        report = check_gradients(
            lambda p: (np.sin(p["W"]) * M).sum(), {"W": W}, {"W": gradient}, **more
        )
        return report.hints[-1]

    two = right.copy()
    two[[1, 4], 3] *= 1.1  # two entries share a column by chance in one of seven cases
    assert "share index" not in hint(two)
    assert "(2 wrong of 42 looked at)" in hint(two)
    assert "backprop is 0 times what it should be" in hint(1e-17 * right)
    loss, params = (lambda p: p["w"] ** 2), {"w": 3.0}
    one = check_gradients(loss, params, {"w": 7.5}).hints[-1]
    assert "backprop is 1.25 times what it should be. That is one entry, which" in one
    same = {"the batch size": 3.0, "the number of latents": 3.0}
    assert hint(3.0 * right, constants=same).endswith("is 3 times what it should be, everywhere")
    assert "that is the batch size" in hint(3.0 * right, constants={"the batch size": 3.0})


def test_clipping_signs_and_masks_are_not_guessed_from_few_numbers(rng):
    w = rng.standard_normal(9)

    def hints(loss, gradient, at=w):
        report = check_gradients(lambda p: loss(p["w"]), {"w": at}, {"w": gradient})
        assert report.failed == ["w"]
        return " ".join(report.hints)

    assert "clipped" not in hints(lambda w: np.abs(w).sum(), np.ones(9))
    positive = np.abs(w) + 0.1
    text = hints(lambda w: (w * np.log(w)).sum(), np.log(positive), positive)
    assert "penalty" not in text
    middle, other = np.argsort(w)[[4, 3]]
    text = hints(lambda w: np.median(w), (np.arange(9) == other) * 1.0)
    assert middle != other
    assert "mask such as" not in text
