"""Exercises of notebook 10: a corrupted picture, and a step toward the clean one."""

import math

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Mistake
from numpyvae.course.exercises.vae_pass import backward, forward, random_training, stepped


def corrupt(x, noise, rng):
    """clip(x + noise · N(0, 1), 0, 1)"""
    return np.clip(x + noise * rng.standard_normal(x.shape, x.dtype), 0, 1)


def denoising_step(theta, s, spoiled, clean, eps, lr=1e-3):
    """A step whose encoder sees `spoiled` and whose target is `clean`."""
    return _step(theta, s, spoiled, clean, spoiled, eps, lr)


def _step(theta, s, seen, target, x_of_backward, eps, lr):
    t = {**forward(theta, seen, eps), "target": target}
    return stepped(theta, s, backward(theta, {**t, "x": x_of_backward}), lr)


def _spoiled(noise, shape=(100, 100)):
    """A measurement of `corrupt` for grey, black and white pixels."""

    def measure(function):
        grey = np.full(shape, 0.5, np.float32)
        rng = np.random.default_rng(0)
        found = [np.asarray(function(grey, noise, rng)) for _ in range(2)]
        again = np.asarray(function(grey, noise, np.random.default_rng(0)))
        black = np.asarray(function(0 * grey, noise, np.random.default_rng(1)))
        white = np.asarray(function(0 * grey + 1, noise, np.random.default_rng(1)))
        if found[0].shape != shape:
            raise _wrong_shape(found[0].shape, shape)
        added = (found[0] - 0.5) / noise
        in_image, over_images = (len(np.unique(each)) for each in (added[0], added[:, 0]))
        double = np.asarray(function(np.full((2, 3), 0.5), noise, np.random.default_rng(2)))
        light = np.full(shape, 0.9, np.float32)
        clipped = np.asarray(function(light, noise, np.random.default_rng(3))) == 1
        return {
            "a float32 result for a float32 x": found[0].dtype == np.float32,
            "a float64 result for a float64 x": double.dtype == np.float64,
            "different values among the pixels of an image, in tenths": round(
                10 * in_image / shape[1]
            ),
            "different values of a pixel over the images, in tenths": round(
                10 * over_images / shape[0]
            ),
            "s.d. of the noise, in units of `noise`": float(added.std())
            if min(in_image, over_images) > 1
            else np.nan,
            "noise with mean 0": bool(abs(added.mean()) < 0.04 * added.std()),
            "normal noise": bool(
                0.035 < (np.abs(added - added.mean()) > 2 * added.std()).mean() < 0.057
                and (np.abs(added - added.mean()) > 3 * added.std()).mean() < 0.0045
            ),
            "no pixel below 0": bool(black.min() >= 0),
            "no pixel above 1": bool(white.max() <= 1),
            "half of the black pixels stay 0": bool(abs((black == 0).mean() - 0.5) < 0.03),
            "half of the white pixels stay 1": bool(abs((white == 1).mean() - 0.5) < 0.03),
            "as many pixels of 0.9 become 1 as noise beyond 0.1": bool(
                abs(clipped.mean() - _normal_tail(0.1 / noise)) < 0.02
            ),
            "new noise in a second call": not np.array_equal(found[0], found[1]),
            "the same noise for the same rng": np.array_equal(found[0], again),
        }

    return measure


def _normal_tail(z):
    """P(N(0, 1) > z)"""
    return 0.5 * math.erfc(z / 2**0.5)


def _wrong_shape(found, expected):
    from numpyvae.course.guard import Fault

    return Fault("wrong shape", f"The result has shape {found}, expected {expected}.")


def _with(draw_noise, clip=lambda a: np.clip(a, 0, 1)):
    """A wrong corrupt: other noise, or another clip."""
    return lambda x, noise, rng: clip(x + draw_noise(noise, rng, x)).astype(x.dtype)


def _normal(noise, rng, x):
    return noise * rng.standard_normal(x.shape, x.dtype)


def _training(draw, B, X, H, Z):
    """Arguments of `denoising_step`."""
    theta, s, spoiled, eps = random_training(draw, B, X, H, Z)
    return theta, s, spoiled, draw.unit(B, X), eps, 0.25


_CASES = tuple(
    Case(measure=_spoiled(noise), why="clip(x + noise · N(0, 1), 0, 1)", tolerance=0.03,
         given=f"{100 * 100:,} pixels of ½, of 0 and of 1, noise = {noise}")
    for noise in (0.1, 0.15)
)  # fmt: skip

# fmt: off
EXERCISES = (
    Exercise(
        "10_denoising",
        "clip(x + noise · N(0, 1), 0, 1): a new array with the shape and dtype of x",
        corrupt,
        source="the formula",
        by_hand=_CASES,
        mistakes=(
            Mistake("The result is not clipped; pixels stay between 0 and 1.",
                    _with(_normal, lambda a: a)),
            Mistake("Pixels above 1 are not clipped.", _with(_normal, lambda a: np.maximum(a, 0))),
            Mistake("Pixels below 0 are not clipped.", _with(_normal, lambda a: np.minimum(a, 1))),
            Mistake("The argument noise is not used; multiply by it.",
                    _with(lambda noise, rng, x: rng.standard_normal(x.shape, x.dtype))),
            Mistake("`noise` is the standard deviation; this takes its root.",
                    _with(lambda noise, rng, x: noise**0.5 * rng.standard_normal(
                        x.shape, x.dtype))),
            Mistake("`noise` is the standard deviation; this squares it.",
                    _with(lambda noise, rng, x: noise**2 * rng.standard_normal(x.shape, x.dtype))),
            Mistake("All pixels of an image get the same noise; draw one for each pixel.",
                    _with(lambda noise, rng, x: noise * rng.standard_normal(
                        (len(x), 1), x.dtype))),
            Mistake("All images get the same noise; draw one for each pixel of each image.",
                    _with(lambda noise, rng, x: noise * rng.standard_normal(
                        (1, x.shape[1]), x.dtype))),
            Mistake("All pixels get the same number; draw one for each pixel.",
                    _with(lambda noise, rng, x: noise * rng.standard_normal((), x.dtype))),
            Mistake("The noise is uniform from 0 to 1; draw it from N(0, 1).",
                    _with(lambda noise, rng, x: noise * rng.random(x.shape, x.dtype))),
            Mistake("The noise is not drawn from rng, so it is the same in every call.",
                    _with(lambda noise, rng, x: _normal(noise, np.random.default_rng(0), x))),
            Mistake("The result has another dtype than x; draw the noise with dtype x.dtype.",
                    lambda x, noise, rng: np.clip(
                        x.astype(np.float64) + noise * rng.standard_normal(x.shape), 0, 1)),
            Mistake("The picture is left as it was; add the noise.",
                    lambda x, noise, rng: x.copy()),
        ),
        hints=(
            "One normal number for each pixel, times `noise`, plus x. What happens at 0 and 1?",
            "rng.standard_normal(x.shape, x.dtype) has the shape and the dtype of x.",
            "return np.clip(x + noise * rng.standard_normal(x.shape, x.dtype), 0, 1)",
        ),
    ),
    Exercise(
        "10_denoising",
        "the new theta and s after a step: the encoder sees `spoiled`, the target is `clean`",
        denoising_step,
        source="a step with the target `clean`",
        returns="theta, s",
        sample=_training,
        shrink=False,
        mistakes=(
            Mistake("The target is still the corrupted picture.",
                    lambda th, s, spoiled, clean, eps, lr=1e-3: _step(
                        th, s, spoiled, spoiled, spoiled, eps, lr)),
            Mistake("spoiled and clean are swapped.",
                    lambda th, s, spoiled, clean, eps, lr=1e-3: _step(
                        th, s, clean, spoiled, clean, eps, lr)),
            Mistake("The encoder sees the clean picture.",
                    lambda th, s, spoiled, clean, eps, lr=1e-3: _step(
                        th, s, clean, clean, clean, eps, lr)),
            Mistake("t[\"x\"] must stay the corrupted picture; the encoder has seen that one.",
                    lambda th, s, spoiled, clean, eps, lr=1e-3: _step(
                        th, s, spoiled, clean, clean, eps, lr)),
            Mistake("theta and s are exchanged.", lambda *a: denoising_step(*a)[::-1]),
            Mistake("The old s is lost.", lambda th, s, *rest: denoising_step(
                th, {name: 0 * old for name, old in s.items()}, *rest)),
            Mistake("This goes uphill.", lambda th, s, spoiled, clean, eps, lr=1e-3:
                    denoising_step(th, s, spoiled, clean, eps, -lr)),
            Mistake("The argument lr is not used.", lambda th, s, spoiled, clean, eps, lr=1e-3:
                    denoising_step(th, s, spoiled, clean, eps)),
        ),
        hints=(
            "The loss compares the logits with one entry of t. Which one, and when is it read?",
            "Between forward and backward, replace that entry.",
            't["target"] = clean',
        ),
        needs=("forward", "backward", "rmsprop_step"),
    ),
)
