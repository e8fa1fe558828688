"""Exercises of notebook 04: the evidence and the posterior on a grid."""

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Mistake

A, C, S = 1.5, 0.5, 0.8  # the straight line of the notebook: x = a z + c + s · noise


def log_normal(x, mean, sd):
    """log N(x; mean, sd²)"""
    return -0.5 * np.log(2 * np.pi) - np.log(sd) - 0.5 * ((x - mean) / sd) ** 2


def _log_sum_exp(terms):
    largest = terms.max()
    return largest + np.log(np.exp(terms - largest).sum())


def _log_joint(log_likelihood, z):
    return log_likelihood + log_normal(z, 0, 1)


def log_evidence(log_likelihood, z):
    """log Σ p(x|zₘ) p(zₘ) Δ"""
    return _log_sum_exp(_log_joint(log_likelihood, z)) + np.log(z[1] - z[0])


def posterior_grid(log_likelihood, z):
    """p(x|zₘ) p(zₘ) / p(x)"""
    return np.exp(_log_joint(log_likelihood, z) - log_evidence(log_likelihood, z))


def _line(x, z, lower=0.0):
    """The log-likelihood of the straight line on a grid, and that grid."""
    return log_normal(x, A * z + C, S) - lower, z


_FINE, _COARSE = np.linspace(-8, 8, 321), np.linspace(-9, 8, 171)
_SD = (A**2 + S**2) ** 0.5


def _evidence_case(x, z, lower=0.0):
    lowered = f", each lowered by {lower:g}" if lower else ""
    return Case(
        _line(x, z, lower),
        "log N(x; c, a² + s²)" + (f" − {lower:g}" if lower else ", in closed form"),
        log_normal(x, C, _SD) - lower,
        given=f"the straight line at x = {x:g}, spacing {z[1] - z[0]:.2f}{lowered}",
        tolerance=1e-8,
    )


def _posterior_case(x, z, lower=0.0):
    lowered = f", log-likelihoods lowered by {lower:g}" if lower else ""
    return Case(
        _line(x, z, lower),
        "N(z; a(x − c)/(a² + s²), s²/(a² + s²))",
        np.exp(log_normal(z, A * (x - C) / _SD**2, S / _SD)),
        given=f"the straight line at x = {x:g}, spacing {z[1] - z[0]:.2f}{lowered}",
        tolerance=1e-8,
    )


def _uneven(draw, M):
    """Any log-likelihoods, on a grid with spacing ½."""
    return draw(M + 1), np.arange(M + 1) * 0.5 - 1.0


# fmt: off
EXERCISES = (
    Exercise(
        "04_latent_variables",
        "log Σ p(x|zₘ) p(zₘ) Δ, a number, from log p(x|zₘ) on an evenly spaced grid z",
        log_evidence,
        source="the log of the sum, term by term",
        by_hand=(
            Case(([0, 0], [0, 1]), "by hand: log((1 + e^−½)/√(2π))",
                 np.log((1 + np.exp(-0.5)) / np.sqrt(2 * np.pi))),
            _evidence_case(0.5, _FINE), _evidence_case(3.0, _FINE), _evidence_case(-2.0, _COARSE),
            _evidence_case(3.0, _FINE, 2000.0), _evidence_case(1.0, _COARSE, 3000.0),
        ),
        sample=_uneven,
        shrink=False,
        mistakes=(
            Mistake("The prior is missing.", lambda l, z: _log_sum_exp(l) + np.log(z[1] - z[0])),
            Mistake("The spacing is missing.", lambda l, z: _log_sum_exp(_log_joint(l, z))),
            Mistake("The spacing is divided by; multiply by it.",
                    lambda l, z: _log_sum_exp(_log_joint(l, z)) - np.log(z[1] - z[0])),
            Mistake("The spacing is added without its logarithm.",
                    lambda l, z: _log_sum_exp(_log_joint(l, z)) + z[1] - z[0]),
            Mistake("This is only the largest term, not the sum.",
                    lambda l, z: _log_joint(l, z).max() + np.log(z[1] - z[0])),
            Mistake("The largest logarithm is subtracted but not added back.",
                    lambda l, z: log_evidence(l, z) - _log_joint(l, z).max()),
            Mistake("The spacing counts twice.",
                    lambda l, z: log_evidence(l, z) + np.log(z[1] - z[0])),
            Mistake("This is the mean over the grid, not the sum times the spacing.",
                    lambda l, z: _log_sum_exp(_log_joint(l, z)) - np.log(len(z))),
            Mistake("The logarithm is missing: this is p(x) itself.",
                    lambda l, z: np.exp(log_evidence(l, z))),
            Mistake("This is the mean of the logarithms; take the log of the sum.",
                    lambda l, z: _log_joint(l, z).mean()),
            Mistake("Everything underflows: subtract the largest logarithm first.",
                    lambda l, z: np.log(np.exp(_log_joint(l, z)).sum() * (z[1] - z[0]))),
            Mistake("The sum leaves out the last point of the grid.",
                    lambda l, z: _log_sum_exp(_log_joint(l, z)[:-1]) + np.log(z[1] - z[0])),
            Mistake("The prior is added without its logarithm.",
                    lambda l, z: _log_sum_exp(l + np.exp(log_normal(z, 0, 1)))
                    + np.log(z[1] - z[0])),
            Mistake("The prior lacks its constant, −½ log 2π.",
                    lambda l, z: log_evidence(l, z) + 0.5 * np.log(2 * np.pi)),
        ),
        hints=(
            "A sum of products: which three logarithms add up to the logarithm of one term?",
            "log_terms = log_likelihood + log_normal(z, 0, 1) + np.log(z[1] - z[0]); then "
            "log-sum-exp.",
            "return largest + np.log(np.exp(log_terms - largest).sum())",
        ),
    ),
    Exercise(
        "04_latent_variables",
        "p(zₘ|x) on the grid, a density: its sum times the spacing is 1",
        posterior_grid,
        source="Bayes' rule, term by term",
        by_hand=(
            Case(([0, 0], [0, 1]), "by hand: 1/(1 + e^−½) and the rest",
                 [1 / (1 + np.exp(-0.5)), np.exp(-0.5) / (1 + np.exp(-0.5))]),
            _posterior_case(3.0, _FINE), _posterior_case(-1.0, _COARSE),
            _posterior_case(3.0, _FINE, 2000.0), _posterior_case(1.0, _COARSE, 3000.0),
        ),
        sample=_uneven,
        shrink=False,
        mistakes=(
            Mistake("This sums to 1; for a density, it is the sum times the spacing that is 1.",
                    lambda l, z: posterior_grid(l, z) * (z[1] - z[0])),
            Mistake("This is the likelihood, without the prior.", lambda l, z: np.exp(l)),
            Mistake("The prior is missing in the numerator.",
                    lambda l, z: np.exp(l - log_evidence(l, z))),
            Mistake("The prior is missing: this is the likelihood, normalized.",
                    lambda l, z: np.exp(l - _log_sum_exp(l) - np.log(z[1] - z[0]))),
            Mistake("This is the joint density; divide by the evidence.",
                    lambda l, z: np.exp(_log_joint(l, z))),
            Mistake("This is the log of the density.", lambda l, z: np.log(posterior_grid(l, z))),
            Mistake("This divides by log p(x); divide by p(x).",
                    lambda l, z: np.exp(_log_joint(l, z)) / log_evidence(l, z)),
            Mistake("This is divided by its largest value; divide by the evidence.",
                    lambda l, z: np.exp(_log_joint(l, z) - _log_joint(l, z).max())),
            Mistake("The constant must cancel in the logarithm, before exp.",
                    lambda l, z: np.exp(_log_joint(l, z)) / np.exp(log_evidence(l, z))),
            Mistake("This multiplies by the evidence; divide by it.",
                    lambda l, z: np.exp(_log_joint(l, z) + log_evidence(l, z))),
        ),
        hints=(
            "Bayes' rule in logarithms: log p(x|z) + log p(z) − log p(x).",
            "log_evidence(log_likelihood, z) is log p(x). Subtract it before np.exp.",
            "return np.exp(log_joint - log_evidence(log_likelihood, z))",
        ),
        needs=("log_evidence",),
    ),
)
