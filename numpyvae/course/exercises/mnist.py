"""Exercises of notebook 08: an epoch, the grid of codes, and the latents that are used."""

from functools import partial

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Mistake
from numpyvae.course.exercises.epoch import epoch_over, train_epoch


def manifold_codes(n):
    """Φ⁻¹((k + ½)/n) on both axes, from the top left"""
    from scipy.special import ndtri

    z = ndtri((np.arange(n) + 0.5) / n)
    right, up = np.meshgrid(z, z[::-1])
    return np.column_stack([right.ravel(), up.ravel()])


def active_units(mu, least=0.01):
    """Var(μ) > least"""
    return mu.var(axis=0) > least


def _forgets(which):
    """A train_epoch that does not pass theta (0) or s (1) to the next step."""

    def epoch(theta, s, images, rng, step, batch_size=100):
        def stepped(*given):
            parts = (theta, s)
            old = [parts[i] if i == which else given[i] for i in range(2)]
            return step(*old, *given[2:])

        return train_epoch(theta, s, images, rng, stepped, batch_size)

    return epoch


def _returns_early(theta, s, images, rng, step, batch_size=100):
    return train_epoch(theta, s, images, rng, step, batch_size, stop=lambda n, size: 1)


def _replaced(rng, n):
    return rng.integers(0, n, n)


# fmt: off
_EPOCH_MISTAKES = (
    Mistake("The last batch is dropped because it is smaller; use it too.",
            partial(train_epoch, stop=lambda n, size: n - n % size)),
    Mistake("The loop ends after the first batch: is `return` inside the loop?", _returns_early),
    Mistake("The images come in their own order; draw a new order from rng.",
            partial(train_epoch, order=lambda rng, n: np.arange(n))),
    Mistake("Images are drawn with replacement: some come twice and others not at all.",
            partial(train_epoch, order=_replaced)),
    Mistake("All images of a batch get the same noise; draw a row for each image.",
            partial(train_epoch, noise=lambda rng, shape: np.repeat(
                rng.standard_normal((1, shape[1]), np.float32), shape[0], axis=0))),
    Mistake("eps is drawn in float64; draw it in np.float32, like the images.",
            partial(train_epoch, noise=lambda rng, shape: rng.standard_normal(shape))),
    Mistake("eps is uniform; draw it from N(0, 1) with rng.standard_normal.",
            partial(train_epoch, noise=lambda rng, shape: rng.random(shape, np.float32))),
    Mistake("eps is zero; draw it from N(0, 1).",
            partial(train_epoch, noise=lambda rng, shape: np.zeros(shape, np.float32))),
    Mistake("The number of latents is not 2 but len(theta[\"b_mu\"]).",
            partial(train_epoch, noise=lambda rng, shape: rng.standard_normal(
                (shape[0], 2), np.float32))),
    Mistake("The argument batch_size is not used.", lambda theta, s, images, rng, step, size=100:
            train_epoch(theta, s, images, rng, step, 100)),
    Mistake("Every step starts from the first theta; pass the new one on.", _forgets(0)),
    Mistake("Every step starts from the first s; pass the new one on.", _forgets(1)),
    Mistake("The theta and s that it was given are returned; return those of the last step.",
            lambda theta, s, *rest: (train_epoch(theta, s, *rest), (theta, s))[1]),
    Mistake("The order is drawn from a generator of its own with a fixed seed; use rng.",
            partial(train_epoch, order=lambda rng, n: np.random.default_rng(0).permutation(n))),
    Mistake("The noise is drawn from a generator of its own with a fixed seed; use rng.",
            partial(train_epoch, noise=lambda rng, shape: np.random.default_rng(0).standard_normal(
                shape, np.float32))),
)
# fmt: on


def _many(seed):
    """A mu of 20 images whose 300 latents have variances from 0.001 to 100."""
    rng = np.random.default_rng(seed)
    return 10.0 ** rng.uniform(-1.5, 1, 300) * rng.standard_normal((20, 300)) + rng.normal(
        0, 2, 300
    )


def _grid(order):
    """A wrong manifold_codes: other rows of the right one."""
    return lambda n: manifold_codes(n).reshape(n, n, 2)[order].reshape(-1, 2)


def _quantiles(u):
    """A wrong manifold_codes: other quantiles."""

    def codes(n):
        from scipy.special import ndtri

        z = ndtri(u(n))
        return np.stack([np.tile(z, n), np.repeat(z[::-1], n)], axis=1)

    return codes


def _uniform(n):
    from scipy.special import ndtr

    return ndtr(manifold_codes(n))


_Q, _R = 0.6744897501960817, 0.9674215661017014  # Φ⁻¹(¾) and Φ⁻¹(5/6)

# fmt: off
EXERCISES = (
    Exercise(
        "08_mnist",
        "one pass over all images in random order; the new theta and s",
        train_epoch,
        source="a step that notes what it is given",
        by_hand=(
            Case(measure=epoch_over(250, 24, 40), why="250 images, batches of 40, 24 latents",
                 given="an epoch over 250 numbered images in batches of 40, with 24 latents"),
            Case(measure=epoch_over(300, 20, 60), why="300 images, batches of 60, 20 latents",
                 given="an epoch over 300 numbered images in batches of 60, with 20 latents"),
            Case(measure=epoch_over(330, 20, 100), why="330 images, batches of 100, 20 latents",
                 given="an epoch over 330 numbered images in batches of 100, with 20 latents"),
        ),
        mistakes=_EPOCH_MISTAKES,
        hints=(
            "Draw the order once, before the loop. What changes from batch to batch?",
            "order = rng.permutation(len(images)); in the loop x = images[order[start : start + "
            "batch_size]].",
            "theta, s = step(theta, s, x, eps)",
        ),
    ),
    Exercise(
        "08_mnist",
        "codes (n·n, 2) from the top left: on each axis the quantiles (k + ½)/n of N(0, 1)",
        manifold_codes,
        source="z = Φ⁻¹((k + ½)/n), from the top left",
        by_hand=(
            Case((1,), "Φ⁻¹(½) = 0", [[0, 0]]),
            Case((2,), "±Φ⁻¹(¾), from the top left", [[-_Q, _Q], [_Q, _Q], [-_Q, -_Q], [_Q, -_Q]]),
            Case((3,), "0 and ±Φ⁻¹(5/6), from the top left",
                 [[-_R, _R], [0, _R], [_R, _R], [-_R, 0], [0, 0], [_R, 0], [-_R, -_R], [0, -_R],
                  [_R, -_R]]),
            Case((4,), "Φ⁻¹((k + ½)/4)"),
        ),
        mistakes=(
            Mistake("This is upside down: the first row has the largest z₂.",
                    _grid(np.s_[::-1])),
            Mistake("The columns of the array are swapped; z₁ comes first.",
                    lambda n: manifold_codes(n)[:, ::-1]),
            Mistake("This goes column by column; pictures are laid out row by row.",
                    lambda n: manifold_codes(n).reshape(n, n, 2).transpose(1, 0, 2).reshape(-1, 2)),
            Mistake("This is upside down, and goes column by column.",
                    lambda n: manifold_codes(n).reshape(n, n, 2)[::-1].transpose(1, 0, 2)
                    .reshape(-1, 2)),
            Mistake("This is mirrored: z₁ grows to the right.", _grid(np.s_[:, ::-1])),
            Mistake("These are the values u, not z = Φ⁻¹(u).", _uniform),
            Mistake("The quantiles are k/n; take (k + ½)/n, which is never 0 or 1.",
                    _quantiles(lambda n: np.arange(n) / n)),
            Mistake("The quantiles are (k + 1)/(n + 1); take (k + ½)/n.",
                    _quantiles(lambda n: (np.arange(n) + 1) / (n + 1))),
        ),
        hints=(
            "First the n numbers for one axis, then all pairs of them.",
            "z = ndtri((np.arange(n) + 0.5) / n); np.meshgrid(z, z[::-1]) has row 0 on top.",
            "return np.column_stack([right.ravel(), up.ravel()])",
        ),
    ),
    Exercise(
        "08_mnist",
        "mask (Z,): True where the variance of mu (N, Z) over the images is above `least`",
        active_units,
        source="the variance over the images, against `least`",
        by_hand=(
            Case(([[1], [-1]],), "the variance of ±1 is 1", np.array([True])),
            Case(([[5], [5]],), "a latent that is always 5 has variance 0", np.array([False])),
            Case(([[0.08], [-0.08]],), "the variance of ±0.08 is 0.0064", np.array([False])),
            Case(([[0.08, 0.12], [-0.08, -0.12]],), "the variances are 0.0064 and 0.0144",
                 np.array([False, True])),
            Case(([[1, 3], [-1, -3]], 2.0), "the variances are 1 and 9; least = 2",
                 np.array([False, True])),
            Case(([[2, 0.5], [-2, -0.5]], 1.0), "the variances are 4 and 0.25; least = 1",
                 np.array([True, False])),
            *[Case((_many(seed), least), "the variance of each latent, against `least`",
                   given=f"300 latents of many variances, least = {least}")
              for seed, least in ((0, 0.01), (1, 0.3), (2, 5.0))],
        ),
        sample=lambda draw, N, Z: (draw.normal(N + 1, Z), 0.5),
        shrink=False,
        mistakes=(
            Mistake("This compares the standard deviation; take the variance.",
                    lambda mu, least=0.01: mu.std(axis=0) > least),
            Mistake("The argument `least` is not used.",
                    lambda mu, least=0.01: mu.var(axis=0) > 0.01),
            Mistake("The comparison is the wrong way round: True means used.",
                    lambda mu, least=0.01: mu.var(axis=0) <= least),
            Mistake("This is the variance over the latents; take it over the images: axis=0.",
                    lambda mu, least=0.01: mu.var(axis=1) > least),
            Mistake("This compares the mean square, not the variance; subtract the mean.",
                    lambda mu, least=0.01: (mu**2).mean(axis=0) > least),
            Mistake("This compares the mean of |μ|, not the variance.",
                    lambda mu, least=0.01: np.abs(mu).mean(axis=0) > least),
            Mistake("This is the variance itself; compare it with `least`.",
                    lambda mu, least=0.01: mu.var(axis=0)),
        ),
        hints=(
            "A latent is used if its mu differs from image to image. Which axis are the images?",
            "mu.var(axis=0) has an entry for each latent.",
            "return mu.var(axis=0) > least",
        ),
    ),
)
