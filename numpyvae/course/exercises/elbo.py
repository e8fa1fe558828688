"""Exercises of notebook 05: the KL divergence, its gradient, and the ELBO."""

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Mistake
from numpyvae.course.exercises.latent_variables import log_normal

E2 = np.exp(2.0)
_EPS = np.linspace(-8, 8, 401)
_WEIGHTS = np.exp(log_normal(_EPS, 0, 1)) * (_EPS[1] - _EPS[0])


def kl_divergence(mu, logvar):
    """½ Σ (μ² + σ² − 1 − log σ²)"""
    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)


def kl_backward(mu, logvar):
    """dmu = μ, dlogvar = ½ (σ² − 1)"""
    return mu.copy(), 0.5 * (np.exp(logvar) - 1)


def elbo(log_likelihood, mu, logvar):
    """E_q[log p(x|z)] − KL(q ‖ prior)"""
    return _expected(log_likelihood, mu, np.exp(logvar / 2)) - _kl(mu, logvar)


def _kl(mu, logvar):
    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar)


def _expected(log_likelihood, mu, sigma):
    return (_WEIGHTS * log_likelihood(mu + sigma * _EPS)).sum()


def _kl_terms(terms):
    """A wrong KL: ½ Σ of other terms."""
    return lambda mu, logvar: 0.5 * terms(mu, logvar).sum(axis=1)


def line(z):
    """log N(2; 1.5 z + 0.5, 0.4²)"""
    return log_normal(2.0, 1.5 * z + 0.5, 0.4)


def other_line(z):
    """log N(−1; 0.5 z, 1)"""
    return log_normal(-1.0, 0.5 * z, 1.0)


def parabola(z):
    """log N(2; z², 0.4²)"""
    return log_normal(2.0, z**2, 0.4)


def _line_case(log_likelihood, x, a, c, s, mu, logvar):
    """E[(x − a z − c)²] = (x − a μ − c)² + a² σ²: the ELBO of a straight line in closed form."""
    square = (x - a * mu - c) ** 2 + a**2 * np.exp(logvar)
    exact = -0.5 * np.log(2 * np.pi * s**2) - square / (2 * s**2) - _kl(mu, logvar)
    given = f"p(x|z) = N({x:g}; {a:g} z + {c:g}, {s:g}²), mu = {mu:g}, logvar = {logvar:g}"
    return Case((log_likelihood, mu, logvar), "in closed form", exact, given)


def _lines(cases):
    """Cases for both straight lines."""
    first = [_line_case(line, 2.0, 1.5, 0.5, 0.4, *case) for case in cases]
    return (*first, *[_line_case(other_line, -1.0, 0.5, 0.0, 1.0, *case) for case in cases])


# fmt: off
EXERCISES = (
    Exercise(
        "05_elbo",
        "½ Σ (μ² + σ² − 1 − log σ²) over the latents, in nats: mu, logvar (B, Z) → (B,)",
        kl_divergence,
        source="the sum over the latents",
        by_hand=(
            Case(([[3]], [[0]]), "by hand: ½·3²", [4.5]),
            Case(([[0]], [[2]]), "by hand: (e² − 1 − 2)/2", [(E2 - 3) / 2]),
            Case(([[2, 0]], [[0, 0]]), "by hand: ½·2²", [2]),
            Case(([[0, 0]], [[0, -2]]), "by hand: (e⁻² − 1 + 2)/2", [(1 / E2 + 1) / 2]),
            Case(([[2, 1, 0]], [[0, 0, 2]]), "the sum over the latents", [2.5 + (E2 - 3) / 2]),
            Case(([[2, 0], [0, 0], [0, 2]], [[0, 0], [0, 0], [0, 0]]),
                 "one number for each image", [2, 0, 2]),
        ),
        sample=lambda draw, B, Z: (draw(B, Z), draw(B, Z)),
        mistakes=(
            Mistake("This averages over the latents. The KLs of independent latents add up.",
                    lambda mu, v: kl_divergence(mu, v) / mu.shape[1]),
            Mistake("The ½ is missing.", lambda mu, v: 2 * kl_divergence(mu, v)),
            Mistake("The sign is flipped; a KL is never negative.",
                    lambda mu, v: -kl_divergence(mu, v)),
            Mistake("The 1 is subtracted only once; subtract it for each latent.",
                    lambda mu, v: 0.5 * ((mu**2 + np.exp(v) - v).sum(axis=1) - 1)),
            Mistake("The −1 is missing.", _kl_terms(lambda mu, v: mu**2 + np.exp(v) - v)),
            Mistake("This uses logvar as log σ; it is log σ².",
                    _kl_terms(lambda mu, v: mu**2 + np.exp(2 * v) - 1 - 2 * v)),
            Mistake("This has − logvar²; the term is − logvar.",
                    _kl_terms(lambda mu, v: mu**2 + np.exp(v) - 1 - v**2)),
            Mistake("σ² is exp(logvar), not exp(logvar / 2).",
                    _kl_terms(lambda mu, v: mu**2 + np.exp(v / 2) - 1 - v)),
            Mistake("σ² is exp(logvar), not exp(2 logvar).",
                    _kl_terms(lambda mu, v: mu**2 + np.exp(2 * v) - 1 - v)),
            Mistake("The term − logvar has the wrong sign.",
                    _kl_terms(lambda mu, v: mu**2 + np.exp(v) - 1 + v)),
            Mistake("The term − logvar is missing.",
                    _kl_terms(lambda mu, v: mu**2 + np.exp(v) - 1)),
            Mistake("This uses logvar as σ²; σ² = exp(logvar).",
                    lambda mu, v: 0.5 * (mu**2 + v - 1 - np.log(v)).sum(axis=1)),
            Mistake("This has |μ|; the term is μ².",
                    _kl_terms(lambda mu, v: np.abs(mu) + np.exp(v) - 1 - v)),
            Mistake("This has μ; the term is μ².",
                    _kl_terms(lambda mu, v: mu + np.exp(v) - 1 - v)),
            Mistake("The term μ² is missing.", _kl_terms(lambda mu, v: np.exp(v) - 1 - v)),
            Mistake("This adds up the images too; return one number for each image.",
                    lambda mu, v: kl_divergence(mu, v).sum()),
            Mistake("This averages over the images too; return one number for each image.",
                    lambda mu, v: kl_divergence(mu, v).mean()),
            Mistake("The latents are not added up; add .sum(axis=1).",
                    lambda mu, v: 0.5 * (mu**2 + np.exp(v) - 1 - v)),
            Mistake("This adds up the images; add up the latents: axis=1.",
                    lambda mu, v: 0.5 * (mu**2 + np.exp(v) - 1 - v).sum(axis=0)),
        ),
        hints=(
            "There are four terms inside the sum. σ² is exp(logvar), log σ² is logvar itself.",
            "terms = mu**2 + np.exp(logvar) - 1 - logvar is (B, Z). Which axis are the latents?",
            "return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)",
        ),
    ),
    Exercise(
        "05_elbo",
        "the gradient of each image's own KL: dmu and dlogvar, (B, Z) each",
        kl_backward,
        source="the derivative of ½ (μ² + e^logvar − 1 − logvar)",
        returns="dmu, dlogvar",
        by_hand=(
            Case(([[3]], [[2]]), "by hand: 3 and (e² − 1)/2", ([[3]], [[(E2 - 1) / 2]])),
        ),
        sample=lambda draw, B, Z: (draw(B, Z), draw(B, Z)),
        mistakes=(
            Mistake("dmu and dlogvar are exchanged.", lambda mu, v: kl_backward(mu, v)[::-1]),
            Mistake("This is 2μ; the 2 from the square cancels the ½.",
                    lambda mu, v: 2 * mu, "dmu"),
            Mistake("This is μ/2; the 2 from the square cancels the ½.",
                    lambda mu, v: mu / 2, "dmu"),
            Mistake("The sign is flipped.", lambda mu, v: -mu, "dmu"),
            Mistake("This is the sign of μ, the slope of |μ|; the term is μ².",
                    lambda mu, v: np.sign(mu), "dmu"),
            Mistake("This is divided by B; 1/B is applied at the end of the network, not here.",
                    lambda mu, v: mu / len(mu), "dmu"),
            Mistake("This is divided by the number of latents; the KL is a sum over them.",
                    lambda mu, v: mu / mu.shape[1], "dmu"),
            Mistake("The ½ is missing, or this is the derivative by log σ; logvar is log σ².",
                    lambda mu, v: np.exp(v) - 1, "dlogvar"),
            Mistake("The −1 is missing.", lambda mu, v: 0.5 * np.exp(v), "dlogvar"),
            Mistake("The sign is flipped.", lambda mu, v: 0.5 * (1 - np.exp(v)), "dlogvar"),
            Mistake("This is the derivative by σ, not by log σ².",
                    lambda mu, v: np.exp(v / 2) - np.exp(-v / 2), "dlogvar"),
            Mistake("This is the derivative by σ², not by log σ².",
                    lambda mu, v: 0.5 * (1 - np.exp(-v)), "dlogvar"),
            Mistake("This uses logvar as log σ; it is log σ².",
                    lambda mu, v: np.exp(2 * v) - 1, "dlogvar"),
            Mistake("σ² is exp(logvar), not exp(logvar / 2).",
                    lambda mu, v: 0.5 * (np.exp(v / 2) - 1), "dlogvar"),
            Mistake("This is divided by B; 1/B is applied at the end of the network, not here.",
                    lambda mu, v: 0.5 * (np.exp(v) - 1) / len(mu), "dlogvar"),
            Mistake("This has + logvar in place of −1, as if the term were − ½ logvar².",
                    lambda mu, v: 0.5 * (np.exp(v) - 2 * v), "dlogvar"),
        ),
        hints=(
            "Differentiate ½ (μ² + e^logvar − 1 − logvar), once by μ and once by logvar.",
            "d/dμ ½ μ² = μ. The derivative of e^logvar by logvar is e^logvar.",
            "return mu.copy(), 0.5 * (np.exp(logvar) - 1)",
        ),
    ),
    Exercise(
        "05_elbo",
        "E_q[log p(x|z)] − KL(q ‖ prior) for q = N(mu, exp(logvar)), a number",
        elbo,
        source="the sum over the grid of eps",
        by_hand=(
            *_lines([(0.0, 0.0), (0.8, -2.0), (-1.0, 0.5)]),
            Case((parabola, -0.7, -1.0), "the sum over the grid of eps",
                 given="p(x|z) = N(2; z², 0.4²), mu = -0.7, logvar = -1"),
            Case((parabola, 1.2, 0.3), "the sum over the grid of eps",
                 given="p(x|z) = N(2; z², 0.4²), mu = 1.2, logvar = 0.3"),
        ),
        mistakes=(
            Mistake("The KL is added; subtract it.",
                    lambda f, mu, v: elbo(f, mu, v) + 2 * _kl(mu, v)),
            Mistake("The KL is missing.", lambda f, mu, v: elbo(f, mu, v) + _kl(mu, v)),
            Mistake("The ½ of the KL is missing.", lambda f, mu, v: elbo(f, mu, v) - _kl(mu, v)),
            Mistake("This is log p(x|mu) − KL; take the mean of log p(x|z) over the draws z.",
                    lambda f, mu, v: f(mu) - _kl(mu, v)),
            Mistake("This uses exp(logvar) as σ; σ is exp(logvar / 2).",
                    lambda f, mu, v: _expected(f, mu, np.exp(v)) - _kl(mu, v)),
            Mistake("σ is exp(logvar / 2), not logvar.",
                    lambda f, mu, v: _expected(f, mu, v) - _kl(mu, v)),
            Mistake("This is −ELBO, a loss; return the bound itself.",
                    lambda f, mu, v: -elbo(f, mu, v)),
            Mistake("The mean is inside the logarithm; the ELBO is a mean of logarithms.",
                    lambda f, mu, v: np.log(_expected(lambda z: np.exp(f(z)), mu, np.exp(v / 2)))
                    - _kl(mu, v)),
            Mistake("WEIGHTS is missing; this is the plain sum over the grid.",
                    lambda f, mu, v: f(mu + np.exp(v / 2) * _EPS).sum() - _kl(mu, v)),
            Mistake("WEIGHTS is missing; this is the plain mean over the grid.",
                    lambda f, mu, v: f(mu + np.exp(v / 2) * _EPS).mean() - _kl(mu, v)),
            Mistake("mu is missing in z.",
                    lambda f, mu, v: _expected(f, 0.0, np.exp(v / 2)) - _kl(mu, v)),
            Mistake("σ is missing in z = mu + σ eps.",
                    lambda f, mu, v: _expected(f, mu, 1.0) - _kl(mu, v)),
        ),
        hints=(
            "z = mu + np.exp(logvar / 2) * EPS is a whole grid of draws, with WEIGHTS.",
            "reconstruction = (WEIGHTS * log_likelihood(z)).sum(); the KL is a function of yours.",
            "return reconstruction - kl_divergence(np.array([[mu]]), np.array([[logvar]]))[0]",
        ),
        needs=("kl_divergence",),
    ),
)
