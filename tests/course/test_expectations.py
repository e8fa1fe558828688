"""Verdicts in words."""

import numpy as np
import pytest

from numpyvae.course import NotYet, call, expect


def verdict(*arguments, **more):
    with pytest.raises(NotYet) as caught:
        expect(*arguments, **more)
    return str(caught.value)


def test_expect_is_silent_if_all_is_right():
    expect("f", 2.0, 2.0, "by hand")
    expect("f", [1, 2], np.array([1.0, 2.0]), "by hand")
    expect("f", 1e9 + 0.1, 1e9, "by hand")  # relative to its size
    expect("f", np.float32(2.0), 2.0, "by hand")
    expect("f", 1e-10, 0.0, "by hand")
    assert "ratio 1" in verdict("f", 1.0 + 2e-9, 1.0, "by hand")  # and no further than 1e-9
    expect("f", 1.0 + 2e-9, 1.0, "by hand", tolerance=3e-9)


def test_expect_names_the_entry_the_values_the_ratio_and_the_mistake():
    said = verdict(
        "kl", [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 8.0]], "by hand", given="mu = 4",
        mistakes={"The sign is turned.": [[-1.0, -2.0], [-3.0, -8.0]],
                  "The last one is halved.": [[1.0, 2.0], [3.0, 4.0]]},
    )  # fmt: skip
    assert said == (
        "kl: not yet, for mu = 4\n"
        "  at [1, 1]: yours 4   exact 8 (by hand)   ratio 0.5\n"
        "  The last one is halved."
    )


def test_expect_names_a_mistake_that_gives_infinities_or_nan():
    said = verdict("f", -np.inf, 1.0, "by hand", mistakes={"It underflowed.": -np.inf})
    assert "It underflowed." in said
    assert "ratio" not in said
    said = verdict("f", [1.0, np.nan], [1.0, 2.0], "by hand")
    assert "at [1]: yours nan   exact 2 (by hand)" in said


def test_expect_about_what_is_no_such_array():
    assert "is a `return` missing?" in verdict("f", None, 1.0, "by hand")
    assert "not an array of numbers" in verdict("f", "two", 1.0, "by hand")
    assert "not an array of numbers" in verdict("f", [1.0, [2.0, 3.0]], [1.0, 2.0], "by hand")
    assert verdict("f", np.zeros((2, 3)), np.zeros((3, 2)), "by hand").endswith(
        "yours has shape (2, 3), expected (3, 2); is it transposed?"
    )
    assert "transposed" not in verdict("f", np.zeros(3), np.zeros((3, 2)), "by hand")
    assert "transposed" not in verdict("f", 1.0, np.zeros((3, 2)), "by hand")


def test_a_notebook_shows_the_words_alone():
    said = NotYet("kl: not yet\n  yours 1")
    assert said._render_traceback_() == ["kl: not yet", "  yours 1"]


def test_call_returns_arrays_and_passes_arguments_on():
    assert call(lambda x, y: x + y, 1, 2, returns="total") == 3
    first, second = call(lambda x: [x, np.array([x, x])], 1.5, returns="first, second")
    assert (first, second.tolist()) == (1.5, [1.5, 1.5])


def called(function, *arguments, **more):
    with pytest.raises(NotYet) as caught:
        call(function, *arguments, **more)
    return str(caught.value)


def test_call_says_what_is_wrong_with_what_comes_back():
    def f(x):
        return x

    assert called(lambda x: None, 1.0).endswith("it returns None: is a `return` missing?")
    assert called(f, 1.0, returns="dx, dW") == "f: not yet\n  expected 2 results, dx, dW; got 1"
    assert called(f, (1, 2, 3), returns="dx, dW").endswith("got 3")
    assert called(f, "word") == "f: not yet\n  yours is not an array of numbers, but 'word'"
    assert called(f, ("a", 1), returns="s, t").startswith("f: s: not yet")
    assert called(f, [1.0]).endswith("yours is a list; return an array, as np.array(...) does")
    assert called(f, (1.0, 2.0)).endswith(
        "yours is a tuple; return an array, as np.array(...) does"
    )


def test_call_sees_that_an_argument_was_changed():
    def f(x, theta):
        theta *= 2
        return x

    said = called(f, np.ones(2), np.ones(2))
    assert said.startswith("f: not yet\n  it has changed its argument theta; ")

    def g(table):
        table["W"] = table["W"] + 1
        return 1.0

    assert "changed its argument table" in called(g, {"W": np.ones(2)})

    def h(table):
        table["b"] = np.zeros(2)
        return 1.0

    assert "changed its argument table" in called(h, {"W": np.ones(2)})


def test_call_says_in_words_that_arithmetic_failed():
    import math

    assert called(lambda x: math.exp(x), 1000.0).endswith("math range error")
    with np.errstate(over="raise"):
        assert "overflow" in called(lambda x: np.exp(x), 1000.0)


def test_call_says_that_a_blank_is_not_written_yet():
    def f(x):
        raise NotImplementedError("f: not written yet")

    assert called(f, 1.0) == "f: not written yet"
