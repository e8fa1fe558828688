"""Exercises of notebook 11: the aggregate posterior on a grid, and the two parts of the mean KL."""

from functools import partial

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Mistake
from numpyvae.course.exercises.elbo import kl_divergence

_LOG_2PI = np.log(2 * np.pi)


def _densities(mu, sd, axis):
    """N(axis; μ, σ²) of one latent: a row for each point of the axis, a column for each image."""
    return np.exp(-0.5 * ((axis[:, None] - mu) / sd) ** 2) / (np.sqrt(2 * np.pi) * sd)


def aggregate_grid(mu, logvar, axis, *, sd=lambda v: np.exp(v / 2), join=None):
    """1/N Σ N(z₁; μ₁, σ₁²) N(z₂; μ₂, σ₂²). The keywords are places for mistakes."""
    first, second = (_densities(mu[:, i], sd(logvar[:, i]), axis) for i in (0, 1))
    return join(first, second) if join else first @ second.T / len(mu)


def _log_prior(axis, constant=_LOG_2PI):
    return -0.5 * (axis[:, None] ** 2 + axis**2) - constant


def kl_parts(mu, logvar, q, axis, *, information=np.subtract):
    """mean KL − KL(q(z) ‖ p(z)), and KL(q(z) ‖ p(z)). The keyword is a place for mistakes."""
    distance = _distance(q, axis)
    return information(kl_divergence(mu, logvar).mean(), distance), distance


def _distance(q, axis, power=2, constant=_LOG_2PI):
    return (q * (_log(q) - _log_prior(axis, constant))).sum() * (axis[1] - axis[0]) ** power


def _log(q):
    """log q, and 0 for q = 0, where it is multiplied by 0."""
    return np.log(np.where(q > 0, q, 1.0))


def _reversed(q, axis):
    p = np.exp(_log_prior(axis))
    return (p * (np.log(p) - _log(q))).sum() * (axis[1] - axis[0]) ** 2


def _without_zeros(q, axis):
    with np.errstate(all="ignore"):
        return (q * (np.log(q) - _log_prior(axis))).sum() * (axis[1] - axis[0]) ** 2


def _with_distance(wrong):
    """A kl_parts with a wrong distance, which makes the information wrong, too."""

    def parts(mu, logvar, q, axis):
        distance = wrong(q, axis)
        return kl_divergence(mu, logvar).mean() - distance, distance

    return parts


def _codes(draw, I, M):
    """Codes, and a q whose mass is 1 on a grid, with entries of very different size."""
    axis = np.arange(M + 2) * 0.5 - 1.0
    mu, logvar = draw.normal(I, 2), draw.normal(I, 2) - 1
    q = aggregate_grid(mu, logvar, axis) * draw.positive(M + 2, M + 2)
    q.flat[:2] *= 1e-3
    return mu, logvar, q / (q.sum() * 0.25), axis


_AXIS = np.array([-1.0, 0.0, 1.0])
_TWO = np.array([[1.0, 0.0], [-1.0, 0.0]])
_SPIKE = np.array([[0.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
_N0, _N1, _N2 = np.exp(-0.5 * np.arange(3.0) ** 2) / np.sqrt(2 * np.pi)

# fmt: off
EXERCISES = (
    Exercise(
        "11_samples",
        "q(z) = 1/N Σₙ N(z₁; μₙ₁, σₙ₁²) N(z₂; μₙ₂, σₙ₂²) on the grid axis × axis, (M, M)",
        aggregate_grid,
        source="the mean over the images of their densities",
        by_hand=(
            Case(([[0, 0]], [[0, 0]], _AXIS), "one image: N(z₁; 0, 1) N(z₂; 0, 1)",
                 np.outer([_N1, _N0, _N1], [_N1, _N0, _N1])),
            Case((_TWO, np.zeros((2, 2)), _AXIS), "the mean of two: ½ (N(z₁; 1, 1) + N(z₁; −1, 1)) "
                 "times N(z₂; 0, 1)",
                 np.outer([(_N0 + _N2) / 2, _N1, (_N0 + _N2) / 2], [_N1, _N0, _N1])),
            Case(([[0, 0], [1, -1]], [[-8, -6], [-6, -8]], _AXIS), "narrow q(z|x): the largest "
                 "density is e⁷/4π", given="mu = [[0, 0], [1, -1]], logvar = [[-8, -6], [-6, -8]], "
                 "axis = [-1, 0, 1]"),
            Case(([[0, 0]], [[np.log(4), 0]], _AXIS), "σ₁ = 2, so N(z₁; 0, 4)",
                 np.outer(np.array([np.exp(-1 / 8), 1.0, np.exp(-1 / 8)]) * _N0 / 2,
                          [_N1, _N0, _N1]), given="mu = [[0, 0]], logvar = [[log 4, 0]], "
                 "axis = [-1, 0, 1]"),
        ),
        sample=lambda draw, I, M: (draw.normal(I, 2), draw.normal(I, 2),
                                   np.arange(M + 1) * 0.5 - 1.0),
        shrink=False,
        mistakes=(
            Mistake("This is the sum over the images; divide by N.",
                    partial(aggregate_grid, join=lambda a, b: a @ b.T)),
            Mistake("This is the product of two means; take the mean of the products. The "
                    "latents of one image are independent, those of all images are not.",
                    partial(aggregate_grid, join=lambda a, b: np.outer(
                        a.mean(axis=1), b.mean(axis=1)))),
            Mistake("It is transposed: z₁ runs along the first axis of the array.",
                    lambda mu, v, axis: aggregate_grid(mu, v, axis).T),
            Mistake("σ is exp(logvar / 2), not exp(logvar).",
                    partial(aggregate_grid, sd=np.exp)),
            Mistake("σ is exp(logvar / 2), not logvar.", partial(aggregate_grid, sd=lambda v: v)),
            Mistake("logvar is not used: this has σ = 1 for all images.",
                    partial(aggregate_grid, sd=np.ones_like)),
            Mistake("σ is missing in 1/(√2π σ), the factor before the exponential.",
                    lambda mu, v, axis: aggregate_grid(
                        mu, v, axis, join=lambda a, b: (a * np.exp(v[:, 0] / 2)) @ (
                            b * np.exp(v[:, 1] / 2)).T / len(mu))),
            Mistake("The factor 1/2π is missing.",
                    lambda mu, v, axis: 2 * np.pi * aggregate_grid(mu, v, axis)),
            Mistake("The factor is 1/√2π for each latent, so 1/2π for both.",
                    lambda mu, v, axis: np.sqrt(2 * np.pi) * aggregate_grid(mu, v, axis)),
            Mistake("The ½ in the exponent is missing.",
                    lambda mu, v, axis: aggregate_grid(mu, v - np.log(2), axis) / 2),
            Mistake("The densities of the two latents are added; multiply them.",
                    partial(aggregate_grid, join=lambda a, b: (
                        a.mean(axis=1)[:, None] + b.mean(axis=1)))),
            Mistake("This is log q(z); return q(z).",
                    lambda mu, v, axis: np.log(aggregate_grid(mu, v, axis))),
            Mistake("This sums to 1; for a density, it is the sum times Δ² that is 1.",
                    lambda mu, v, axis: (lambda q: q / q.sum())(aggregate_grid(mu, v, axis))),
            Mistake("This is multiplied by Δ²; a density is not.",
                    lambda mu, v, axis: aggregate_grid(mu, v, axis) * (axis[1] - axis[0]) ** 2),
            Mistake("This is one Gaussian with the mean μ and the mean σ; q(z) is a mixture.",
                    lambda mu, v, axis: aggregate_grid(
                        mu.mean(axis=0)[None], 2 * np.log(np.exp(v / 2).mean(axis=0))[None], axis)),
        ),
        hints=(
            "For one image, it is a column of densities of z₁ times a row of densities of z₂.",
            "first (M, N) has N(axis; μ, σ²) of the first latent, an image in each column; second "
            "likewise. Which matrix product sums over the images?",
            "return first @ second.T / len(mu)",
        ),
    ),
    Exercise(
        "11_samples",
        "mean KL(q(z|x) ‖ p) = information + distance, with distance = KL(q(z) ‖ p(z))",
        kl_parts,
        source="Σ q log(q/p) Δ², and the rest of the mean KL",
        returns="information, distance",
        by_hand=(
            Case(([[2, 0]], [[0, 0]], _SPIKE, _AXIS), "by hand: ½ log(½ · 2π) and 2 − that",
                 (2 - 0.5 * np.log(np.pi), 0.5 * np.log(np.pi)),
                 given="mu = [[2, 0]], logvar = 0, q = ½ at z = 0 and 0 elsewhere, Δ = 1"),
            Case(([[0, 3]], [[0, 0]], 0.5 * _SPIKE[::-1] + 0.25 * np.eye(3)[:, ::-1], _AXIS),
                 "the sum over the cells where q is not 0",
                 given="mu = [[0, 3]], logvar = 0, q = ¼, ½, ¼ on a diagonal, Δ = 1"),
            Case((_TWO, np.zeros((2, 2)), np.exp(_log_prior(_AXIS)), _AXIS),
                 "q is the prior, so the distance is 0", (0.5, 0.0),
                 given="mu = ±1, logvar = 0, q = p, Δ = 1"),
        ),
        sample=_codes,
        shrink=False,
        mistakes=(
            Mistake("The parts are exchanged: return information, distance.",
                    lambda *a: kl_parts(*a)[::-1]),
            Mistake("This is KL(p ‖ q); the distance is KL(q ‖ p), a mean over draws from q.",
                    _with_distance(_reversed)),
            Mistake("The prior is missing: this is minus the entropy of q.",
                    _with_distance(lambda q, axis: (
                        q * _log(q)).sum() * (axis[1] - axis[0]) ** 2)),
            Mistake("The area of a cell is Δ², not Δ.",
                    _with_distance(partial(_distance, power=1))),
            Mistake("The area of the cells is missing.",
                    _with_distance(partial(_distance, power=0))),
            Mistake("The prior lacks its constant, −log 2π.",
                    _with_distance(partial(_distance, constant=0.0))),
            Mistake("This is the constant of one latent; for two it is −log 2π.",
                    _with_distance(partial(_distance, constant=0.5 * _LOG_2PI))),
            Mistake("The sign is flipped.",
                    _with_distance(lambda q, axis: -_distance(q, axis))),
            Mistake("Where q is 0, q log q is 0 and not NaN: take the logarithm of the others.",
                    _with_distance(_without_zeros)),
            Mistake("log(q/p) is not weighted with q.",
                    _with_distance(lambda q, axis: (
                        _log(q) - _log_prior(axis)).sum() * (axis[1] - axis[0]) ** 2)),
            Mistake("log(q/p) is weighted with p; weight it with q.",
                    _with_distance(lambda q, axis: -_reversed(q, axis))),
            Mistake("This is log(q) / log(p); take log q − log p.",
                    _with_distance(lambda q, axis: (q * _log(q) / _log_prior(axis)).sum() * (
                        axis[1] - axis[0]) ** 2)),
            Mistake("The distance is added to the mean KL; subtract it.",
                    lambda *a: kl_parts(*a, information=np.add)[0], "information"),
            Mistake("This is the mean KL itself; subtract the distance.",
                    lambda *a: kl_parts(*a, information=lambda kl, d: kl)[0], "information"),
            Mistake("The sign is flipped: it is the mean KL minus the distance.",
                    lambda *a: -kl_parts(*a)[0], "information"),
            Mistake("This sums the KL over the images; take the mean.",
                    lambda mu, v, q, axis: kl_divergence(mu, v).sum() - _distance(q, axis),
                    "information"),
        ),
        hints=(
            "The mean KL is easy: kl_divergence, then the mean. Only the distance needs the grid.",
            "log_prior = −½ (z₁² + z₂²) − log 2π on the grid: axis[:, None] and axis. Mind q = 0.",
            "distance = (q * (np.log(np.maximum(q, 1e-300)) - log_prior)).sum() * cell",
        ),
        needs=("kl_divergence",),
    ),
)
