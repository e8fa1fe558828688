"""check_vae: the gradient of every weight of a VAE, and of every array on the way."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.vae import VAE
from numpyvae.data.images import check_pixels
from numpyvae.debugging.broken_models import break_backward
from numpyvae.debugging.mistakes import MISTAKES
from numpyvae.debugging.perturbations import Point
from numpyvae.gradcheck.checks import check_gradients
from numpyvae.gradcheck.diagnosis import NO_PATTERN
from numpyvae.gradcheck.report import Report
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array, Progress

IMAGES = 16

INVISIBLE = (
    "backward agrees with forward. A mistake in both is not seen. Known values find those: weights "
    "of 0 give a loss of X ln 2 and a KL of 0; a batch stacked on itself changes neither loss nor "
    "gradient; mu = 2 with logvar = 0 costs a KL of 2; logvar = 2 makes the s.d. of z e"
)


@blas_threads()
def check_vae(
    vae: VAE, images: ArrayLike | None = None, *, progress: Progress[str] = iter, seed: int = 0
) -> Report:
    """Check the gradients of all weights of `vae`, and those of every array on a small twin.

    images    images to check with, (N, X); by default 16 of random grey pixels
    progress  a wrapper of the loops over the gradients; pass tqdm to see a bar
    seed      the seed of images, noise, the twin and the directions

    A float64 copy of the model is checked at its own weights; the model itself does not change.

    The twin is `vae.small_twin(rng)`, a model of the same class and depth. Its sizes all differ, so
    that a wrong factor can be named; its weights are random, so that no 0 hides a mistake. Its
    target is not its input. On it, the gradients of dlogits, dz, dmu, … are checked too, which
    finds the first wrong line of `backward`, and they are compared with those of MISTAKES.
    """
    started = time.perf_counter()
    rng = np.random.default_rng(seed)
    twin, why_none = _small_twin(vae, rng)
    small = None if twin is None else _check_twin(twin, rng, progress, seed)

    own, pixels = vae.astype(np.float64), int(np.prod(vae.image_shape))
    x = rng.random((IMAGES, pixels)) if images is None else np.asarray(images)
    x = check_pixels("images", x, vae.image_shape, np.float64)
    point = Point(own, x, rng.standard_normal((len(x), vae.latent)), x)
    sizes = "-".join(map(str, [pixels, *vae.hidden, vae.latent, *vae.hidden[::-1], pixels]))
    title = f"gradient check of {type(vae).__name__} {sizes}, {len(x)} images"
    report = _check(point, list(own.parameters), title, progress, seed)
    if report.failed and (small is None or small.ok):  # then the mistake must be located here
        report = _check(point, point.everything, title, progress, seed)
    notes = report.notes if small is not None else (*report.notes, why_none)
    hints = report.hints if small is None or small.ok else ()  # those of the twin say more
    report = replace(report, twin=small, hints=hints, notes=notes)
    if report.ok:
        report = replace(report, notes=(*report.notes, INVISIBLE))
    return replace(report, seconds=time.perf_counter() - started)


def _small_twin(vae: VAE, rng: np.random.Generator) -> tuple[VAE | None, str]:
    """The small twin, or the reason why there is none."""
    try:
        return vae.small_twin(rng), ""
    except Exception as error:  # the class may be foreign code
        kind = type(vae).__name__
        return None, f"no small twin, because {kind}.small_twin(rng) raises: {error}"


def _check_twin(twin: VAE, rng: np.random.Generator, progress: Progress[str], seed: int) -> Report:
    """Check every array of the pass on the twin, and name known mistakes."""
    pixels = int(np.prod(twin.image_shape))
    x, target = rng.random((5, pixels)), rng.random((5, pixels))
    point = Point(twin, x, rng.standard_normal((5, twin.latent)), target)
    title = f"the small twin, 5 images, beta = {twin.beta:g}, every array of the pass"
    report = _check(point, point.everything, title, progress, seed)
    known = _known_mistakes(point, report)
    if known:
        hints = [hint for hint in report.hints if NO_PATTERN not in hint]
        report = replace(report, hints=(*hints, *known))
    return report


def _check(
    point: Point, names: list[str], title: str, progress: Progress[str], seed: int
) -> Report:
    """Check these gradients; arrays whose perturbation does not reach the loss are left out."""
    vae, notes = point.vae, []
    batch = {"x": point.x, "eps": point.eps, "target": point.target}
    before = {name: array.copy() for name, array in batch.items()}
    first = point.gradients()
    vae.parameters.grad[:] = 0.0
    params: dict[str, Array] = {}
    for name in names:
        if name in vae.parameters.shapes:
            params[name] = vae.parameters[name].copy()
        elif name in first:
            params[name] = np.zeros(first[name].shape)
        else:
            notes.append(f"{name} is left out: backward does not write it into the Trace")
    with np.errstate(all="ignore"):
        here = point.loss(params)
    for name in [name for name in params if name not in vae.parameters.shapes]:
        moved = np.random.default_rng(seed).standard_normal(params[name].shape)
        if point.loss({**params, name: moved}) == here and first[name].any():
            notes.append(f"{name} is left out: forward does not use its layer")
            del params[name]

    def grads(_: dict[str, Array]) -> dict[str, Array]:
        again = point.gradients()
        return {name: again[name] for name in params}

    constants, factors = _candidates(point)
    report = check_gradients(
        point.loss, params, grads,
        constants=constants, factors=factors, progress=progress, title=title, seed=seed,
    )  # fmt: skip
    stops = list(report.stops)
    if not np.shares_memory(vae.parameters.grad, next(iter(first.values()))):
        stops.append("parameters.grad was rebound: assign in place, grad[:] = …")
    stops += [
        f"the pass changes {name} in place: work on a copy"
        for name, array in batch.items()
        if not np.array_equal(before[name], array)
    ]
    return replace(
        report,
        stops=tuple(stops),
        notes=(*report.notes, *notes),
        parameters=vae.parameters.value.size,
    )


def _candidates(point: Point) -> tuple[dict[str, float], dict[str, Array]]:
    """Constants and arrays that a backward pass may contain one time too many, or not at all."""
    vae, (batch, pixels) = point.vae, point.x.shape
    constants = {
        "the batch size": float(batch),
        "the number of pixels": float(pixels),
        "the number of latents": float(vae.latent),
        "beta": vae.beta,
    }
    with np.errstate(all="ignore"):  # a factor that is not finite explains nothing
        t = vae.forward(point.x, point.eps, point.target)
        sigma = np.exp(0.5 * t.logvar)
        factors = {
            "sigma": sigma,
            "sigma^2": sigma**2,
            "eps": t.eps,
            "p (1 - p)": t.p * (1.0 - t.p),
            "p": t.p,
            "x": t.x,
        }
    return constants, factors


def _known_mistakes(point: Point, report: Report) -> list[str]:
    """Hints for the mistakes of the museum that give exactly the wrong gradients of this report.

    A mistake fits if it gives the same wrong gradient nearest the loss, up to rounding. Of
    several that fit, those are named that agree in the most gradients.
    """
    for stop in report.stops:
        if "two different gradients" in stop:
            known = "gradients_accumulated" if "twice" in stop else "noise_drawn_again"
            return [f"known mistake: {MISTAKES[known]}"]
    if not report.failed:
        return []
    nearest = report.failed[0]
    vae = point.vae
    plain = VAE(vae.hidden, vae.latent, beta=vae.beta, image_shape=vae.image_shape)
    if plain.parameters.shapes != vae.parameters.shapes:
        return []  # another model, whose mistakes are not in the museum
    plain = plain.astype(np.float64)
    plain.parameters.value[:] = vae.parameters.value
    found, right = _copies(point), _copies(point.of(plain))
    fits: dict[str, int] = {}
    for name, mistake in MISTAKES.items():
        if not mistake.invisible:
            wrong = point.of(break_backward(plain, name)).gradients()
            same = {key for key in found if _equal(found[key], wrong[key])}
            if nearest in same and not _equal(wrong[nearest], right[nearest]):
                fits[name] = len(same)
    most = max(fits.values(), default=0)
    return [f"known mistake: {MISTAKES[name]}" for name, count in fits.items() if count == most]


def _copies(point: Point) -> dict[str, Array]:
    """The gradients, safe from the next backward pass."""
    return {name: gradient.copy() for name, gradient in point.gradients().items()}


def _equal(a: Array, b: Array) -> bool:
    """True if a and b are equal up to rounding."""
    return np.allclose(a, b, rtol=1e-11, atol=1e-14)
