"""Exercises of notebook 12: the rates of a linear VAE at its optimum, and its curve."""

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Mistake


def rates(eigenvalues, noise_variance, beta):
    """max(0, ½ log(λ / βσ²))"""
    return 0.5 * np.log(np.maximum(eigenvalues / (beta * noise_variance), 1.0))


def sweep(eigenvalues, noise_variance, betas):
    """Σ ½ log(λ / βσ²) of the latents in use, and Σ min(λ, βσ²) / 2σ², for each β"""
    rate = np.array([rates(eigenvalues, noise_variance, beta).sum() for beta in betas])
    left = np.minimum(eigenvalues, np.multiply.outer(betas, noise_variance)[:, None])
    return rate, left.sum(axis=1) / (2 * noise_variance)


def _swept(change):
    """A wrong result of sweep: change(eigenvalues, noise_variance, β) summed, for each β."""
    return lambda values, noise, betas: np.array([change(values, noise, b).sum() for b in betas])


def _used(values, noise, beta):
    return values > beta * noise


_FOUR = np.array([4.0, 1.0, 0.25])

# fmt: off
EXERCISES = (
    Exercise(
        "12_rate_distortion",
        "the KL of each latent at the optimum, max(0, ½ log(λ / βσ²)), (D,)",
        rates,
        source="the formula",
        by_hand=(
            Case(([np.exp(2.0)], 1.0, 1.0), "½ log e² = 1", [1.0],
                 given="eigenvalues = [e²], noise_variance = 1, beta = 1"),
            Case(([4, 1], 1.0, 1.0), "λ = 4: ½ log 4 = log 2; λ = 1 is the threshold",
                 [np.log(2), 0]),
            Case(([4, 1], 0.5, 4.0), "βσ² = 2: ½ log 2, and 1 is below the threshold",
                 [0.5 * np.log(2), 0]),
            Case(([0, 9], 4.0, 0.25), "βσ² = 1: a latent with λ = 0 is off, and log 3",
                 [0, np.log(3)]),
        ),
        sample=lambda draw, D: (draw.positive(D), float(draw.positive(1)[0]),
                                float(draw.positive(1)[0])),
        mistakes=(
            Mistake("The ½ is missing.", lambda l, n, b: 2 * rates(l, n, b)),
            Mistake("Below the threshold this is negative; a KL is at least 0.",
                    lambda l, n, b: 0.5 * np.log(l / (b * n))),
            Mistake("beta is missing: the threshold is βσ², not σ².",
                    lambda l, n, b: rates(l, n, 1.0)),
            Mistake("The threshold is βσ², not σ²/β: the higher the price, the fewer latents.",
                    lambda l, n, b: rates(l, n, 1.0 / b)),
            Mistake("The noise is missing: the threshold is βσ², not β.",
                    lambda l, n, b: rates(l, 1.0, b)),
            Mistake("noise_variance is σ² already; this squares it.",
                    lambda l, n, b: rates(l, n**2, b)),
            Mistake("This divides by σ; noise_variance is σ².",
                    lambda l, n, b: rates(l, n**0.5, b)),
            Mistake("This squares β.", lambda l, n, b: rates(l, n, b**2)),
            Mistake("The ratio is upside down, or the sign is flipped.",
                    lambda l, n, b: 0.5 * np.log(np.maximum((b * n) / l, 1.0))),
            Mistake("This is ½ log(1 + λ/βσ²), the rate of another problem; here it is ½ log of "
                    "the ratio itself.", lambda l, n, b: 0.5 * np.log(1 + l / (b * n))),
            Mistake("The logarithm has base 2, so this is in bits; nats have the natural one.",
                    lambda l, n, b: rates(l, n, b) / np.log(2)),
            Mistake("This tells which latents are used; return their KL.",
                    lambda l, n, b: (l > b * n).astype(float)),
            Mistake("This is the sum over the latents; return the KL of each.",
                    lambda l, n, b: rates(l, n, b).sum()),
            Mistake("The threshold is at λ = σ²; it is at λ = βσ².",
                    lambda l, n, b: np.where(l > n, 0.5 * np.log(
                        np.maximum(l, 1e-300) / (b * n)), 0.0)),
            Mistake("The logarithm is missing.",
                    lambda l, n, b: 0.5 * np.maximum(l / (b * n) - 1.0, 0.0)),
        ),
        hints=(
            "Which λ gives a ratio of exactly 1, and what is its logarithm?",
            "np.maximum(eigenvalues / (beta * noise_variance), 1) keeps the logarithm at 0 or "
            "above.",
            "return 0.5 * np.log(np.maximum(eigenvalues / (beta * noise_variance), 1))",
        ),
    ),
    Exercise(
        "12_rate_distortion",
        "rate (n,) and distortion (n,) in nats, a number for each of n values of β",
        sweep,
        source="Σ max(0, ½ log(λ / βσ²)), and Σ min(λ, βσ²) / 2σ²",
        returns="rate, distortion",
        by_hand=(
            Case(([4], 1.0, [1, 8]), "β = 1: log 2 and ½; β = 8: the latent is off, 0 and 4/2",
                 ([np.log(2), 0], [0.5, 2])),
            Case(([4, 1], 2.0, [1]), "βσ² = 2: ½ log 2, and (2 + 1)/4",
                 ([0.5 * np.log(2)], [0.75])),
            Case((_FOUR, 0.5, [0.25, 1, 4]), "βσ² = 1/8, 1/2 and 2",
                 ([0.5 * np.log(32 * 8 * 2), 0.5 * np.log(16), 0.5 * np.log(2)],
                  [3 / 8, 1.25, 3.25])),
        ),
        sample=lambda draw, D, P: (draw.positive(D), float(draw.positive(1)[0]),
                                   draw.positive(P)),
        shrink=False,
        mistakes=(
            Mistake("The parts are exchanged: return rate, distortion.",
                    lambda *a: sweep(*a)[::-1]),
            Mistake("This is the mean over the latents; their KLs add up.",
                    lambda l, n, b: sweep(l, n, b)[0] / len(l), "rate"),
            Mistake("Below the threshold this counts negative KLs.",
                    _swept(lambda l, n, b: 0.5 * np.log(l / (b * n))), "rate"),
            Mistake("The rate is multiplied by β; the price is paid in the loss, not here.",
                    lambda l, n, b: sweep(l, n, b)[0] * b, "rate"),
            Mistake("beta is not used: this is the rate for β = 1 each time.",
                    lambda l, n, b: sweep(l, n, np.ones_like(b))[0], "rate"),
            Mistake("This is the squared error; divide it by 2σ² to get nats.",
                    lambda l, n, b: sweep(l, n, b)[1] * 2 * n, "distortion"),
            Mistake("The ½ is missing: divide by 2σ².",
                    lambda l, n, b: sweep(l, n, b)[1] * 2, "distortion"),
            Mistake("This is divided by 2, but not by σ².",
                    lambda l, n, b: sweep(l, n, b)[1] * n, "distortion"),
            Mistake("This is divided by 2βσ²; the distortion does not contain the price.",
                    lambda l, n, b: sweep(l, n, b)[1] / b, "distortion"),
            Mistake("The latents that are off are left out; each of them costs λ/2σ².",
                    _swept(lambda l, n, b: _used(l, n, b) * b / 2), "distortion"),
            Mistake("Every latent costs β/2 here; one that is off costs only λ/2σ².",
                    _swept(lambda l, n, b: np.full(len(l), b / 2)), "distortion"),
            Mistake("This has the larger of λ and βσ²; take the smaller one.",
                    _swept(lambda l, n, b: np.maximum(l, b * n) / (2 * n)),
                    "distortion"),
            Mistake("The latents in use cost nothing here; each of them costs β/2.",
                    _swept(lambda l, n, b: ~_used(l, n, b) * l / (2 * n)),
                    "distortion"),
            Mistake("beta is not used: this is the distortion for β = 1 each time.",
                    lambda l, n, b: sweep(l, n, np.ones_like(b))[1], "distortion"),
            Mistake("This is the mean over the latents; take the sum.",
                    lambda l, n, b: sweep(l, n, b)[1] / len(l), "distortion"),
        ),
        hints=(
            "The rate is the sum of your `rates`. What is left of direction j, if its latent is "
            "on, and if it is off?",
            "np.minimum(eigenvalues, beta * noise_variance).sum() is the squared error for one β.",
            "distortion = np.array([np.minimum(eigenvalues, beta * noise_variance).sum() for beta "
            "in betas]) / (2 * noise_variance)",
        ),
        needs=("rates",),
    ),
)
