"""Exercises of notebook 06: two gradients through a random draw."""

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Mistake


def score_gradient(f_values, z, mu, logvar):
    """f ∂log q/∂mu and f ∂log q/∂logvar"""
    variance = np.exp(logvar)
    return f_values * (z - mu) / variance, f_values * 0.5 * ((z - mu) ** 2 / variance - 1)


def reparameterize(mu, logvar, eps):
    """z = mu + σ eps, σ = exp(logvar / 2)"""
    return mu + np.exp(logvar / 2) * eps


def reparameterize_backward(dz, logvar, eps):
    """dmu = dz, dlogvar = dz ½ σ eps"""
    return dz.copy(), dz * 0.5 * np.exp(logvar / 2) * eps


# fmt: off
EXERCISES = (
    Exercise(
        "06_reparameterization",
        "f ∂log q/∂mu and f ∂log q/∂logvar at each draw, (N,) each",
        score_gradient,
        source="f times the derivative of log q",
        returns="dmu, dlogvar",
        by_hand=(
            Case(([18], [4], 1.0, np.log(9.0)), "by hand: 18·3/9 and 18·½·(9/9 − 1)", ([6], [0]),
                 given="f = [18], z = [4], mu = 1, logvar = log 9"),
            Case(([18, 10], [4, 1], 1.0, np.log(9.0)), "by hand: 18·3/9, 0; 0, 10·½·(0 − 1)",
                 ([6, 0], [0, -5]), given="f = [18, 10], z = [4, 1], mu = 1, logvar = log 9"),
        ),
        sample=lambda draw, N: (draw(N), draw(N), float(draw(1)[0]) / 4 - 0.125,
                                float(draw(1)[0]) / 4 + 0.0625),
        shrink=False,
        mistakes=(
            Mistake("dmu and dlogvar are exchanged.", lambda *a: score_gradient(*a)[::-1]),
            Mistake("This is the mean over the draws; return one estimate for each draw.",
                    lambda *a: tuple(part.mean() for part in score_gradient(*a))),
            Mistake("This is the sum over the draws; return one estimate for each draw.",
                    lambda *a: tuple(part.sum() for part in score_gradient(*a))),
            Mistake("This divides by σ; divide by σ².",
                    lambda f, z, mu, v: f * (z - mu) / np.exp(v / 2), "dmu"),
            Mistake("This does not divide by σ².", lambda f, z, mu, v: f * (z - mu), "dmu"),
            Mistake("The sign is flipped.", lambda f, z, mu, v: f * (mu - z) / np.exp(v), "dmu"),
            Mistake("f is missing.", lambda f, z, mu, v: (z - mu) / np.exp(v), "dmu"),
            Mistake("mu is missing: it is (z − mu)/σ².", lambda f, z, mu, v: f * z / np.exp(v),
                    "dmu"),
            Mistake("This divides by logvar; divide by σ² = exp(logvar).",
                    lambda f, z, mu, v: f * (z - mu) / v, "dmu"),
            Mistake("The ½ is missing.",
                    lambda f, z, mu, v: f * ((z - mu) ** 2 / np.exp(v) - 1), "dlogvar"),
            Mistake("The −1 is missing.",
                    lambda f, z, mu, v: f * 0.5 * (z - mu) ** 2 / np.exp(v), "dlogvar"),
            Mistake("f is missing.",
                    lambda f, z, mu, v: 0.5 * ((z - mu) ** 2 / np.exp(v) - 1), "dlogvar"),
            Mistake("The sign is flipped.",
                    lambda f, z, mu, v: f * 0.5 * (1 - (z - mu) ** 2 / np.exp(v)), "dlogvar"),
            Mistake("This is the derivative by σ, not by logvar.",
                    lambda f, z, mu, v: f * ((z - mu) ** 2 / np.exp(v) - 1) / np.exp(v / 2),
                    "dlogvar"),
            Mistake("This is the derivative by σ², not by logvar.",
                    lambda f, z, mu, v: f * 0.5 * ((z - mu) ** 2 / np.exp(v) - 1) / np.exp(v),
                    "dlogvar"),
            Mistake("The square is missing in (z − mu)²/σ².",
                    lambda f, z, mu, v: f * 0.5 * ((z - mu) / np.exp(v) - 1), "dlogvar"),
        ),
        hints=(
            "The text gives both derivatives of log q. Multiply each by f.",
            "variance = np.exp(logvar); ∂log q/∂mu = (z − mu)/variance.",
            "return f_values * (z - mu) / variance, "
            "f_values * 0.5 * ((z - mu) ** 2 / variance - 1)",
        ),
    ),
    Exercise(
        "06_reparameterization",
        "z = mu + σ eps with σ = exp(logvar / 2); all (B, Z)",
        reparameterize,
        source="mu + exp(logvar/2) eps",
        by_hand=(
            Case(([[1]], [[2]], [[1]]), "by hand: σ = e", [[1 + np.e]]),
            Case(([[1, 1]], [[2, -2]], [[1, -1]]), "by hand: σ is e and 1/e",
                 [[1 + np.e, 1 - 1 / np.e]]),
        ),
        sample=lambda draw, B, Z: (draw(B, Z), draw(B, Z), draw(B, Z)),
        mistakes=(
            Mistake("This uses the variance as the standard deviation; σ = exp(logvar / 2).",
                    lambda mu, v, eps: mu + np.exp(v) * eps),
            Mistake("This uses exp(2 logvar) as σ; σ = exp(logvar / 2).",
                    lambda mu, v, eps: mu + np.exp(2 * v) * eps),
            Mistake("This uses logvar as σ; σ = exp(logvar / 2).", lambda mu, v, eps: mu + v * eps),
            Mistake("This uses √logvar as σ; σ = exp(logvar / 2).",
                    lambda mu, v, eps: mu + np.sqrt(v) * eps),
            Mistake("mu is missing.", lambda mu, v, eps: np.exp(v / 2) * eps),
            Mistake("The noise is missing.", lambda mu, v, eps: mu + 0 * eps),
            Mistake("eps is missing: this is mu + σ.", lambda mu, v, eps: mu + np.exp(v / 2)),
            Mistake("σ is missing: this is mu + eps.", lambda mu, v, eps: mu + eps),
            Mistake("The noise is subtracted; add it.",
                    lambda mu, v, eps: mu - np.exp(v / 2) * eps),
            Mistake("All images get the noise of the first; each row has its own eps.",
                    lambda mu, v, eps: mu + np.exp(v / 2) * eps[:1]),
            Mistake("All latents get the noise of the first; each column has its own eps.",
                    lambda mu, v, eps: mu + np.exp(v / 2) * eps[:, :1]),
        ),
        hints=(
            "A standard deviation is the root of a variance. What is the root of exp(logvar)?",
            "σ = exp(logvar / 2)",
            "return mu + np.exp(logvar / 2) * eps",
        ),
    ),
    Exercise(
        "06_reparameterization",
        "dmu and dlogvar, (B, Z) each, from dz = ∂L/∂z and the eps of the forward pass",
        reparameterize_backward,
        source="the derivatives of mu + exp(logvar/2) eps",
        returns="dmu, dlogvar",
        by_hand=(
            Case(([[3]], [[2]], [[1]]), "by hand: 3 and 3·½·e·1", ([[3]], [[1.5 * np.e]])),
            Case(([[3, 5]], [[2, -2]], [[1, -1]]), "by hand: 3·½·e·1 and 5·½·(1/e)·(−1)",
                 ([[3, 5]], [[1.5 * np.e, -2.5 / np.e]])),
        ),
        sample=lambda draw, B, Z: (draw(B, Z), draw(B, Z), draw(B, Z)),
        mistakes=(
            Mistake("dmu and dlogvar are exchanged.",
                    lambda *a: reparameterize_backward(*a)[::-1]),
            Mistake("This is 1, the slope; multiply it by dz.",
                    lambda dz, v, eps: 1 + 0 * dz, "dmu"),
            Mistake("This has a factor eps; ∂z/∂mu = 1.", lambda dz, v, eps: dz * eps, "dmu"),
            Mistake("This has a factor σ; ∂z/∂mu = 1.",
                    lambda dz, v, eps: dz * np.exp(v / 2), "dmu"),
            Mistake("The sign is flipped.", lambda dz, v, eps: -dz, "dmu"),
            Mistake("The ½ is missing.", lambda dz, v, eps: dz * np.exp(v / 2) * eps, "dlogvar"),
            Mistake("σ is missing; the factor is ½ σ ε.",
                    lambda dz, v, eps: dz * 0.5 * eps, "dlogvar"),
            Mistake("½ σ is missing; the factor is ½ σ ε.", lambda dz, v, eps: dz * eps, "dlogvar"),
            Mistake("eps is missing; the factor is ½ σ ε.",
                    lambda dz, v, eps: dz * 0.5 * np.exp(v / 2), "dlogvar"),
            Mistake("dz is missing.", lambda dz, v, eps: 0.5 * np.exp(v / 2) * eps, "dlogvar"),
            Mistake("This is 0: the path from logvar through z is missing.",
                    lambda dz, v, eps: 0 * dz, "dlogvar"),
            Mistake("This uses the variance as the standard deviation, and its slope σ².",
                    lambda dz, v, eps: dz * np.exp(v) * eps, "dlogvar"),
            Mistake("This uses the variance as the standard deviation; the factor is ½ σ ε.",
                    lambda dz, v, eps: dz * 0.5 * np.exp(v) * eps, "dlogvar"),
            Mistake("The sign is flipped.",
                    lambda dz, v, eps: -dz * 0.5 * np.exp(v / 2) * eps, "dlogvar"),
        ),
        hints=(
            "∂z/∂mu = 1. For logvar, differentiate exp(logvar / 2) · eps.",
            "d/dlogvar exp(logvar / 2) = ½ exp(logvar / 2) = ½ σ",
            "return dz.copy(), dz * 0.5 * np.exp(logvar / 2) * eps",
        ),
    ),
)
