"""Exercises of notebook 09: the evidence on a grid of two latents, and importance weights."""

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Mistake


def _log_sum_exp(a):
    largest = a.max(axis=0)
    return largest + np.log(np.exp(a - largest).sum(axis=0))


def log_px(log_likelihood, nodes=401, half_width=6.0):
    """log Σ p(x|z) p(z) Δ²"""
    axis, log_joint = _grid(log_likelihood, nodes, half_width)
    return _log_sum_exp(log_joint) + 2 * np.log(axis[1] - axis[0])


def _grid(log_likelihood, nodes, half_width, log_prior=True):
    """The axis, and log p(x|z) p(z) at all points of the grid, (nodes², N)."""
    axis = np.linspace(-half_width, half_width, nodes)
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    prior = -np.log(2 * np.pi) - 0.5 * (z**2).sum(axis=1)
    return axis, log_likelihood(z) + (prior[:, None] if log_prior else 0.0)


def _plus(constant):
    """log_px with a wrong constant, which may depend on the grid."""
    return lambda f, nodes=401, half_width=6.0: log_px(f, nodes, half_width) + constant(
        nodes, 2 * half_width / (nodes - 1))  # fmt: skip


def _without_prior(f, nodes=401, half_width=6.0):
    axis, log_likelihood = _grid(f, nodes, half_width, log_prior=False)
    return _log_sum_exp(log_likelihood) + 2 * np.log(axis[1] - axis[0])


def _underflows(f, nodes=401, half_width=6.0):
    axis, log_joint = _grid(f, nodes, half_width)
    return np.log(np.exp(log_joint).sum(axis=0)) + 2 * np.log(axis[1] - axis[0])


def _first_axis_only(f, nodes=401, half_width=6.0):
    axis = np.linspace(-half_width, half_width, nodes)
    z = np.column_stack([axis, axis])
    prior = -np.log(2 * np.pi) - 0.5 * (z**2).sum(axis=1)
    return _log_sum_exp(f(z) + prior[:, None]) + 2 * np.log(axis[1] - axis[0])


def _wrong_prior(f, nodes=401, half_width=6.0):
    axis, log_joint = _grid(lambda z: f(z) + 0.25 * (z**2).sum(axis=1)[:, None], nodes, half_width)
    return _log_sum_exp(log_joint) + 2 * np.log(axis[1] - axis[0])


def linear(seen, weights, noise, lower=0.0):
    """log N(x; w·z, noise²) of several x, (M, N), and log p(x) = log N(x; 0, |w|² + noise²)."""
    seen, weights = np.array(seen), np.array(weights)

    def log_likelihood(z):
        distance = seen - (z @ weights)[:, None]
        return -0.5 * np.log(2 * np.pi * noise**2) - distance**2 / (2 * noise**2) - lower

    variance = (weights**2).sum() + noise**2
    return log_likelihood, -0.5 * np.log(2 * np.pi * variance) - seen**2 / (2 * variance) - lower


def _linear_case(nodes, half_width, lower=0.0, seen=(0.0, 1.0, -2.0), weights=(1.0, 0.5)):
    f, exact = linear(seen, weights, 1.0, lower)
    text = " + ".join(f"{w:g} z{i}" for w, i in zip(weights, "₁₂"))
    lowered = f", log-likelihoods lower by {lower:g}" if lower else ""
    given = f"x = {text} + noise, nodes = {nodes}, half_width = {half_width:g}{lowered}"
    return Case((f, nodes, half_width), "the closed form, log N(x; 0, …)", exact, given,
                tolerance=1e-7)  # fmt: skip


def _flat(z):
    return np.zeros((len(z), 2))


def importance_bound(log_w, k):
    """Mean over groups of log (1/k Σ w)"""
    groups = log_w.reshape(len(log_w), -1, k)
    largest = groups.max(axis=2, keepdims=True)
    return (largest[..., 0] + np.log(np.exp(groups - largest).mean(axis=2))).mean(axis=1)


def _one_largest_for_all(log_w, k):
    groups = log_w.reshape(len(log_w), -1, k)
    largest = log_w.max(axis=1)[:, None, None]
    return (largest[..., 0] + np.log(np.exp(groups - largest).mean(axis=2))).mean(axis=1)


def _no_largest(log_w, k):
    return np.log(np.exp(log_w.reshape(len(log_w), -1, k)).mean(axis=2)).mean(axis=1)


_FOUR = np.log([[1.0, 3.0, 2.0, 6.0]])
_APART = np.array([0.0, -800.0])

# fmt: off
EXERCISES = (
    Exercise(
        "09_how_good",
        "log Σ p(x|z) p(z) Δ² of each image, (N,), over a grid of nodes x nodes points",
        log_px,
        source="the sum over the grid, term by term",
        by_hand=(
            Case((_flat, 3, 1.0), "nine points, Δ = 1: log of (1 + 4e^−½ + 4e^−1)/2π",
                 [np.log((1 + 4 * np.exp(-0.5) + 4 * np.exp(-1)) / (2 * np.pi))] * 2,
                 given="log p(x|z) = 0 for two images, nodes = 3, half_width = 1"),
            _linear_case(41, 7.0), _linear_case(61, 8.0),
            _linear_case(41, 7.0, seen=(0.5, 2.0), weights=(-0.5, 1.0)),
            _linear_case(41, 7.0, 800.0), _linear_case(51, 7.5, 900.0),
            Case((_flat, 4, 2.0), "sixteen points, Δ = 4/3", given="log p(x|z) = 0 for two images, "
                 "nodes = 4, half_width = 2"),
            Case((_flat, 5, 3.0), "25 points, Δ = 3/2", given="log p(x|z) = 0 for two images, "
                 "nodes = 5, half_width = 3"),
        ),
        mistakes=(
            Mistake("The area of a cell is Δ², not Δ.", _plus(lambda n, d: -np.log(d))),
            Mistake("The area of the cells is missing.", _plus(lambda n, d: -2 * np.log(d))),
            Mistake("The spacing is 2·half_width/(nodes − 1); there is a gap less than nodes.",
                    _plus(lambda n, d: 2 * np.log((n - 1) / n))),
            Mistake("The spacing is 2·half_width/(nodes − 1), not half of that.",
                    _plus(lambda n, d: -2 * np.log(2))),
            Mistake("This is the mean over the grid, not the sum times Δ².",
                    _plus(lambda n, d: -2 * np.log(d * n))),
            Mistake("The prior lacks its constant, −log 2π.",
                    _plus(lambda n, d: np.log(2 * np.pi))),
            Mistake("This is the constant of one latent; for two it is −log 2π, not −½ log 2π.",
                    _plus(lambda n, d: 0.5 * np.log(2 * np.pi))),
            Mistake("The prior is missing.", _without_prior),
            Mistake("The ½ in the prior is −¼ here; it is −½ (z₁² + z₂²).", _wrong_prior),
            Mistake("This goes along the diagonal z₁ = z₂ only; take all pairs.", _first_axis_only),
            Mistake("It underflows: add up with log_sum_exp.", _underflows),
            Mistake("The arguments nodes and half_width are not used.",
                    lambda f, nodes=401, half_width=6.0: log_px(f, 41, 7.0)),
            Mistake("The argument half_width is not used.",
                    lambda f, nodes=401, half_width=6.0: log_px(f, nodes, 6.0)),
            Mistake("This is p(x) itself; return its logarithm.",
                    lambda *a, **k: np.exp(log_px(*a, **k))),
        ),
        hints=(
            "It is log_evidence of notebook 04 on a square: for each z₁ a row of z₂.",
            "z = np.column_stack([np.full(nodes, z1), axis]); add log_prior[:, None], then "
            "log_sum_exp over the row.",
            "return log_sum_exp(np.stack(rows)) + 2 * np.log(axis[1] - axis[0])",
        ),
    ),
    Exercise(
        "09_how_good",
        "the mean over groups of log (1/k Σ w), (N,), from log weights (N, K)",
        importance_bound,
        source="the mean over the groups, term by term",
        by_hand=(
            Case((_FOUR, 2), "by hand: the means of (1, 3) and (2, 6), then (log 2 + log 4)/2",
                 [(np.log(2) + np.log(4)) / 2], given="w = [1, 3, 2, 6], k = 2"),
            Case((_FOUR, 1), "k = 1 is the mean of the logs", [_FOUR.mean()],
                 given="w = [1, 3, 2, 6], k = 1"),
            Case((_FOUR, 4), "one group: log 3", [np.log(3)], given="w = [1, 3, 2, 6], k = 4"),
            Case((np.vstack([_FOUR, _FOUR - 800]), 2), "the second image is 800 nats lower",
                 (np.log(2) + np.log(4)) / 2 + _APART,
                 given="w = [1, 3, 2, 6], and e⁻⁸⁰⁰ times that, k = 2"),
            Case((np.log([[1.0, 3.0, 2.0, 6.0]]) - [[0, 0, 800, 800]], 2),
                 "the second group is 800 nats lower", [(np.log(2) + np.log(4)) / 2 - 400],
                 given="w = [1, 3], and e⁻⁸⁰⁰ times [2, 6], k = 2"),
            Case((np.log([[2.0, 6.0, 1.0, 3.0, 2.0, 2.0]]) - [[0, 0, 900, 900, 0, 0]], 2),
                 "the second group is 900 nats lower", [(np.log(16.0) - 900) / 3],
                 given="w = [2, 6], e⁻⁹⁰⁰ times [1, 3], and [2, 2], k = 2"),
        ),
        sample=lambda draw, I, k: (draw(I, 3 * k), k),
        shrink=False,
        mistakes=(
            Mistake("The sum of the k weights is not divided by k.",
                    lambda w, k: importance_bound(w, k) + np.log(k)),
            Mistake("The sum is divided by K; a group has k weights.",
                    lambda w, k: importance_bound(w, k) + np.log(k) - np.log(w.shape[1])),
            Mistake("This is the mean of the logs; take the log of the mean.",
                    lambda w, k: w.mean(axis=1)),
            Mistake("This is the log of the mean of all weights; average the logs of the groups.",
                    lambda w, k: importance_bound(w, w.shape[1])),
            Mistake("The groups are not neighbors: the first k weights are the first group.",
                    lambda w, k: importance_bound(
                        w.reshape(len(w), k, -1).transpose(0, 2, 1).reshape(w.shape), k)),
            Mistake("It underflows: take out the largest weight of each group.", _no_largest),
            Mistake("One largest weight for a whole image is too large for its other groups: "
                    "they underflow.", _one_largest_for_all),
            Mistake("The largest weight is taken out but not added back.",
                    lambda w, k: importance_bound(w, k)
                    - w.reshape(len(w), -1, k).max(axis=2).mean(axis=1)),
            Mistake("This is the largest weight of each group, not the log of the mean.",
                    lambda w, k: w.reshape(len(w), -1, k).max(axis=2).mean(axis=1)),
            Mistake("This is the sum over the groups; take their mean.",
                    lambda w, k: importance_bound(w, k) * (w.shape[1] // k)),
            Mistake("This uses the first group only.",
                    lambda w, k: importance_bound(w[:, :k], k)),
            Mistake("This averages over the images too; return a number for each image.",
                    lambda w, k: importance_bound(w, k).mean()),
        ),
        hints=(
            "reshape makes the groups: which shape has the k neighbors on its last axis?",
            "groups = log_w.reshape(len(log_w), -1, k); take the largest of each group out.",
            "log_mean = largest[..., 0] + np.log(np.exp(groups - largest).mean(axis=2))",
        ),
    ),
)
