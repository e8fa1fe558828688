"""Exercises of notebook 02: a gradient checker."""

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Mistake


def numerical_gradient(f, x, h=1e-5):
    """(f(x + h eᵢ) − f(x − h eᵢ)) / (2h)"""
    return _quotient(f, x, h, lambda up, down, here: (up - down) / (2 * h))


def _quotient(f, x, h, combine, dtype=np.float64, left=0.0):
    """combine(f(x + h eᵢ), f(x − h eᵢ), f(x)) for every i; each entry is left at xᵢ + left h."""
    x = np.array(x, dtype=dtype)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        before, here = f(x), x[index]
        x[index] = here + h
        up = f(x)
        x[index] = here - h
        down = f(x)
        x[index] = here + left * h
        gradient[index] = combine(up, down, before)
    return gradient


def relative_error(a, b):
    """max|a − b| / max(max|a|, max|b|)"""
    size = max(np.abs(a).max(), np.abs(b).max())
    return float(np.abs(a - b).max() / size) if size else 0.0


def cubes(x):
    """Σ k xₖ³, whose central difference is 3 k xₖ² + k h²."""
    return float((np.arange(1, x.size + 1) * x.ravel() ** 3).sum())


def product(x):
    """x₁ x₂ … xₙ"""
    return float(x.prod())


def exponentials(x):
    """Σ exp(x), whose central difference is exp(x) sinh(h)/h."""
    return float(np.exp(x).sum())


def tenth(x):
    """0.1 Σ x³"""
    return float(0.1 * (x**3).sum())


def _with_step(h):
    return lambda f, x, given=1e-5: numerical_gradient(f, x, h)


_CUBES = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, 2.0]])
_WEIGHTS = np.arange(1.0, 7.0).reshape(2, 3)

# fmt: off
EXERCISES = (
    Exercise(
        "02_gradient_checker",
        "the central difference of f at x for every entry, in an array of the shape of x",
        numerical_gradient,
        source="the two values of f, divided by 2h",
        by_hand=(
            Case((cubes, [2], 0.5), "by Taylor: 3·2² + h²", [12.25], tolerance=1e-10,
                 given="f = x³ at x = [2], h = 0.5"),
            Case((product, [2, 3, 5], 0.01), "by hand: 3·5, 2·5, 2·3", [15, 10, 6],
                 given="f = x₁ x₂ x₃ at x = [2, 3, 5], h = 0.01"),
            Case((product, [1, 4, -2], 0.02), "by hand: −8, −2, 4", [-8, -2, 4],
                 given="f = x₁ x₂ x₃ at x = [1, 4, -2], h = 0.02"),
            Case((exponentials, [0, 1], 0.5), "by hand: eˣ sinh(½)/½",
                 np.exp([0.0, 1.0]) * np.sinh(0.5) / 0.5,
                 given="f = Σ exp(x) at x = [0, 1], h = 0.5"),
            Case((exponentials, [[[0.0, 1.0], [2.0, -1.0]]], 0.25), "by hand: eˣ sinh(¼)/¼",
                 np.exp([[[0.0, 1.0], [2.0, -1.0]]]) * np.sinh(0.25) / 0.25,
                 given="f = Σ exp(x) at an x of shape (1, 2, 2), h = 0.25"),
            Case((cubes, np.array([1.0, 2.0], np.float32)), "by Taylor: 3·1² and 2·3·2²",
                 [3.0, 24.0], tolerance=1e-8, given="f = Σ k xₖ³ at the float32 array x = [1, 2]"),
            Case((cubes, _CUBES, 0.01), "by Taylor: 3 k x² + k h²",
                 3 * _WEIGHTS * _CUBES**2 + _WEIGHTS * 0.01**2, tolerance=1e-10,
                 given="f = Σ k xₖ³ at an x of shape (2, 3), h = 0.01"),
            Case((tenth, np.array([2, 1])), "by hand: 0.1·3·2² and 0.1·3·1²", [1.2, 0.3],
                 tolerance=1e-8, given="f = 0.1 Σ x³ at the integer array x = [2, 1]"),
            Case((tenth, np.array([[3], [1]])), "by hand: 0.1·3·3² and 0.1·3·1²", [[2.7], [0.3]],
                 tolerance=1e-8, given="f = 0.1 Σ x³ at the integer array x = [[3], [1]]"),
        ),
        mistakes=(
            Mistake("This is the forward difference; take f(x + h) − f(x − h).",
                    lambda f, x, h=1e-5: _quotient(
                        f, x, h, lambda up, down, here: (up - here) / h)),
            Mistake("This is the backward difference; take f(x + h) − f(x − h).",
                    lambda f, x, h=1e-5: _quotient(
                        f, x, h, lambda up, down, here: (here - down) / h)),
            Mistake("The two points are 2h apart, but this is divided by h.",
                    lambda f, x, h=1e-5: 2 * numerical_gradient(f, x, h)),
            Mistake("This is (… / 2) · h; put parentheses around 2 * h.",
                    lambda f, x, h=1e-5: numerical_gradient(f, x, h) * h**2),
            Mistake("This is not divided by 2h.",
                    lambda f, x, h=1e-5: numerical_gradient(f, x, h) * 2 * h),
            Mistake("The sign is flipped: it is f(x + h) − f(x − h).",
                    lambda f, x, h=1e-5: -numerical_gradient(f, x, h)),
            Mistake("The argument h is not used.", _with_step(1e-5)),
            Mistake("An entry is not put back before the next one; it stays at x − h.",
                    lambda f, x, h=1e-5: _quotient(
                        f, x, h, lambda up, down, here: (up - down) / (2 * h), left=-1.0)),
            Mistake("An entry is not put back before the next one; it stays at x + h.",
                    lambda f, x, h=1e-5: _quotient(
                        f, x, h, lambda up, down, here: (up - down) / (2 * h), left=1.0)),
            Mistake("All entries are moved at once; move one at a time.",
                    lambda f, x, h=1e-5: np.full(np.shape(x), (f(x + h) - f(x - h)) / (2 * h))),
            Mistake("The step is lost in an integer array: make x float64 first.",
                    lambda f, x, h=1e-5: _quotient(
                        f, x, h, lambda up, down, here: (up - down) / (2 * h),
                        np.asarray(x).dtype)),
            Mistake("The result is rounded to integers: make it a float64 array.",
                    lambda f, x, h=1e-5: numerical_gradient(f, x, h).astype(np.asarray(x).dtype)),
        ),
        hints=(
            "The loop goes over the entries of x. What must be true of all other entries while "
            "one of them is moved?",
            "Make a float64 copy of x. For each index: remember x[index], evaluate f at +h and at "
            "−h, put the entry back.",
            "gradient[index] = (up - down) / (2 * h)",
        ),
    ),
    Exercise(
        "02_gradient_checker",
        "max|a − b| / max(max|a|, max|b|), a number; 0 if both are zero everywhere",
        relative_error,
        source="the formula, entry by entry",
        by_hand=(
            Case(([0], [0]), "two zeros agree", 0.0),
            Case(([[0, 0]], [[0, 0]]), "zeros everywhere agree", 0.0),
            Case(([1], [-3]), "by hand: 4/3", 4 / 3),
            Case(([-5], [1]), "by hand: 6/5", 6 / 5),
            Case(([0, 0], [2, -4]), "by hand: 4/4", 1.0),
            Case(([2, 0, -4], [2, 1e-9, -4.004]), "by hand: 0.004/4.004", 0.004 / 4.004),
            Case(([2, 1e-9, -4.004], [2, 0, -4]), "the order does not matter", 0.004 / 4.004),
            Case(([[1, 2], [3, 4]], [[1, 3], [2, 4]]), "by hand: 1/4", 0.25),
            Case(([2e-9, -4e-9], [-2e-9, 4e-9]), "by hand: 8e-9/4e-9", 2.0),
            Case(([2e-30, -4e-30], [-2e-30, 4e-30]), "by hand: 8e-30/4e-30", 2.0),
        ),
        sample=lambda draw, n, m: (draw.positive(n, m), draw(n, m)),
        shrink=False,
        mistakes=(
            Mistake("This compares entry by entry; then 1e-9 against 0 is a false alarm.",
                    lambda a, b: (np.abs(a - b) / np.maximum(np.maximum(np.abs(a), np.abs(b)),
                                                             1e-300)).max()),
            Mistake("This is the absolute difference; divide it by the size of the larger array.",
                    lambda a, b: np.abs(a - b).max()),
            Mistake("Divide by the larger of the two maxima, not by that of the first array.",
                    lambda a, b: np.abs(a - b).max() / (np.abs(a).max() or 1.0)),
            Mistake("Divide by the larger of the two maxima, not by that of the second array.",
                    lambda a, b: np.abs(a - b).max() / (np.abs(b).max() or 1.0)),
            Mistake("This divides by the sum of the two maxima; take the larger one.",
                    lambda a, b: np.abs(a - b).max() / ((np.abs(a).max() + np.abs(b).max()) or 1)),
            Mistake("An absolute value is missing: take max|a − b|, not max(a − b).",
                    lambda a, b: (a - b).max() / (max(np.abs(a).max(), np.abs(b).max()) or 1.0)),
            Mistake("An absolute value is missing: the sizes are max|a| and max|b|.",
                    lambda a, b: np.abs(a - b).max() / (max(a.max(), b.max()) or 1.0)),
            Mistake("This divides the lengths (2-norms); take the largest entries.",
                    lambda a, b: np.linalg.norm(a - b)
                    / (max(np.linalg.norm(a), np.linalg.norm(b)) or 1.0)),
            Mistake("This is the mean of the differences; take the largest one.",
                    lambda a, b: np.abs(a - b).mean() / (max(np.abs(a).max(), np.abs(b).max())
                                                         or 1.0)),
            Mistake("0/0: two gradients that are zero everywhere agree; return 0.0 for them.",
                    lambda a, b: np.abs(a - b).max() / np.maximum(np.abs(a).max(),
                                                                  np.abs(b).max())),
        ),
        hints=(
            "The largest entry of both arrays is the yardstick for all entries.",
            "size = max(np.abs(a).max(), np.abs(b).max()); what if size is 0?",
            "return float(np.abs(a - b).max() / size) if size else 0.0",
        ),
    ),
)
