"""check_vae: the gradient of every weight of a VAE, and of every array on the way."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.core.bernoulli import BERNOULLI
from numpyvae.core.vae import VAE
from numpyvae.data.images import pixels_for
from numpyvae.debugging.perturbations import Point
from numpyvae.debugging.recognition import with_known_mistakes
from numpyvae.debugging.small_copies import small_copy
from numpyvae.gradcheck.checks import check_gradients
from numpyvae.gradcheck.guards import as_seed
from numpyvae.gradcheck.report import Report
from numpyvae.support.threads import blas_threads
from numpyvae.support.types import Array, Progress

IMAGES = 16
SATURATED = 10.0  # added to half of the logits, subtracted from the others

INVISIBLE = (
    "backward agrees with forward. A mistake in both is not seen. Known values find those: weights "
    "of 0 give a loss of X ln 2 (if pixels are Bernoulli) and a KL of 0; a batch stacked on itself "
    "changes neither loss nor gradient; mu = 2 with logvar = 0 costs a KL of 2; logvar = 2 makes "
    "the s.d. of z e"
)


@blas_threads()
def check_vae(
    vae: VAE,
    images: ArrayLike | None = None,
    *,
    small: VAE | None = None,
    progress: Progress[str] = iter,
    rng: np.random.Generator | int = 0,
) -> Report:
    """∂loss/∂W of every weight against numerical derivatives, and every array on a small copy.

    A float64 copy of the model is checked at its own weights; the model itself does not change. The
    loss that is checked is `Loss.total`.

    The small copy is `small`, or a small model with the config and depth of `vae`. Its sizes all
    differ, so that a wrong factor can be named; its weights are random, so that no 0 hides a
    mistake. Its target is not its input. On it, the gradients of dlogits, dz, dmu, … are checked
    too, which finds the first wrong line of `backward`, and they are compared with those of
    MISTAKES. Then it is checked once more, where logits reach ±10.

    Parameters
    ----------
    vae : VAE
        Ours, or a subclass of it.
    images : array_like, (N, X), optional
        To check with; by default 16 of random grey pixels.
    small : VAE, optional
        A small model of the same kind, for a class whose constructor takes other arguments than
        those in its config, or needs other sizes.
    progress : callable
        Wraps the loops over the gradients; pass tqdm to see a bar.
    rng : int or numpy.random.Generator
        Seed of images, noise, the small copy and the directions.

    Returns
    -------
    Report
        Print it, or call `raise_if_failed()`. If there is no small copy, a note says why.

    Examples
    --------
    >>> from numpyvae import VAE
    >>> from numpyvae.debugging import check_vae
    >>> class Careless(VAE):
    ...     def backward(self, t):
    ...         super().backward(t)
    ...         self.encoder.mu.dW *= 2.0
    ...         return t
    >>> check_vae(VAE(hidden=3, latent=2, image_shape=(2, 2))).ok
    True
    >>> check_vae(Careless(hidden=3, latent=2, image_shape=(2, 2))).ok
    False
    """
    started = time.perf_counter()
    seed = as_seed(rng)
    draws = np.random.default_rng(seed)
    copied, why_none = _check_small_copy(vae, small, draws, progress, seed)
    if copied is not None and copied.stopped:
        return copied

    own, pixels = vae.astype(np.float64), int(np.prod(vae.image_shape))
    x = pixels_for(own, "images", draws.random((IMAGES, pixels)) if images is None else images)
    point = Point(own, x, draws.standard_normal((len(x), *vae.eps_shape)), x)
    sizes = "-".join(map(str, [pixels, *vae.hidden, vae.latent, *vae.hidden[::-1], pixels]))
    title = f"gradient check of {type(vae).__name__} {sizes}, {len(x)} images"
    report = _check(point, list(own.parameters), title, progress, seed)
    if report.failed:  # locate the mistake
        located = _check(point, point.everything, title, progress, seed)
        if copied is None or copied.ok:
            report = located
        else:  # the table of the small copy shows where; its hints may not be those of the model
            told = [_without_numbers(hint) for hint in copied.hints]
            hints = [hint for hint in located.hints if _without_numbers(hint) not in told]
            report = replace(report, hints=tuple(hints), stopped=located.stopped)
    notes = (*report.notes, why_none) if copied is None else report.notes
    if copied is not None and copied.ok:
        notes += tuple(f"on the small copy, {note}" for note in copied.notes)
    report = replace(report, small_copy=copied, notes=notes)
    if report.ok:
        report = replace(report, notes=(*report.notes, INVISIBLE))
    return replace(report, seconds=time.perf_counter() - started)


def _without_numbers(hint: str) -> str:
    """A hint in the words that two models of other sizes, and β, share."""
    return re.sub(r"\d+", "#", hint.replace("beta x ", ""))


def _check_small_copy(
    vae: VAE, small: VAE | None, rng: np.random.Generator, progress: Progress[str], seed: int
) -> tuple[Report | None, str]:
    """The check of the small copy, where it fails if it does; or the reason why there is none."""
    try:
        model = small_copy(vae, rng) if small is None else small.astype(np.float64)
        pixels = int(np.prod(model.image_shape))
        x, target = rng.random((5, pixels)), rng.random((5, pixels))
        point = Point(model, x, rng.standard_normal((5, *model.eps_shape)), target)
        title = f"the small copy, 5 images, beta = {model.beta:g}, every array of the pass"
        report = _check(point, point.everything, title, progress, seed)
        report = replace(report, hints=with_known_mistakes(point, report))
        if report.ok and "b_out" in model.parameters.shapes:
            bias = model.parameters["b_out"]
            bias += SATURATED * np.where(np.arange(bias.size) % 2 == 0, 1.0, -1.0)
            title = f"the small copy with logits of ±{SATURATED:g} and more"
            names = [*model.parameters, "dlogits"]
            saturated = _check(point.of(model), names, title, progress, seed)
            if not saturated.ok:
                limit = "all is right where the logits are small: is p, or a logit, limited?"
                more = (limit,) if saturated.failed else ()
                report = replace(saturated, hints=(*saturated.hints, *more))
        return report, ""
    except Exception as error:  # the class may be foreign code
        kind, words = type(vae).__name__, str(error).splitlines()
        return None, (
            f"no small copy was checked: to make one from {kind}.config, or a pass of it, raises "
            f"{type(error).__name__}: {words[0] if words else ''}; "
            f"pass one: check_vae(vae, small={kind}(…))"
        )


def _check(
    point: Point, names: list[str], title: str, progress: Progress[str], seed: int
) -> Report:
    """Check these gradients, but for those that `_params` leaves out."""
    vae = point.vae
    batch = {"x": point.x, "eps": point.eps, "target": point.target}
    before = {name: array.copy() for name, array in batch.items()}
    _warm_up(point, seed)
    first = point.gradients()
    vae.parameters.grad[:] = 0.0
    params, notes = _params(point, names, first, seed)

    def grads(_: dict[str, Array]) -> dict[str, Array]:
        again = point.gradients()
        return {name: again[name] for name in params}

    constants, factors = _candidates(point)
    report = check_gradients(
        point.loss, params, grads,
        constants=constants, factors=factors, progress=progress, title=title, rng=seed,
    )  # fmt: skip
    weights = [row for row in report.rows if row.name in vae.parameters.shapes]
    verdicts = {row.verdict for row in weights}
    if report.failed and not report.stopped and "PASS" in verdicts and "FAIL" not in verdicts:
        what = "not what this check expects, but no weight has a wrong gradient"
        notes += [f"{name} is left out: it is {what}" for name in report.failed]
        rows = tuple(row for row in report.rows if row.verdict != "FAIL")
        report = replace(report, rows=rows, hints=())
    problems = list(report.problems)
    if not np.shares_memory(vae.parameters.grad, next(iter(first.values()))):
        problems.append("parameters.grad was rebound: assign in place, grad[:] = …")
    problems += [
        f"the pass changes {name} in place: work on a copy"
        for name, array in batch.items()
        if not np.array_equal(before[name], array)
    ]
    return replace(
        report,
        problems=tuple(problems),
        notes=(*report.notes, *notes),
        parameters=vae.parameters.value.size,
    )


def _params(
    point: Point, names: list[str], first: dict[str, Array], seed: int
) -> tuple[dict[str, Array], list[str]]:
    """The weights, and a perturbation of 0 for each array whose gradient can be tested; notes.

    `first` are the gradients of one pass. An array is left out, with a note, if backward does not
    write its gradient, or if a perturbation of it is not what that gradient is about.
    """
    weights, notes = point.vae.parameters.shapes, []
    params: dict[str, Array] = {}
    for name in names:
        if name in weights:
            params[name] = point.vae.parameters[name].copy()
        elif name in first:
            params[name] = np.zeros(first[name].shape)
        else:
            notes.append(f"{name} is left out: backward does not write it into the Trace")
    with np.errstate(all="ignore"):
        here = point.loss(params)
    for name in [name for name in params if name not in weights]:
        moved = np.random.default_rng(seed).standard_normal(params[name].shape)
        if point.loss({**params, name: moved}) == here and first[name].any():
            notes.append(f"{name} is left out: forward does not use its layer")
            del params[name]
        elif not point.is_read_by_layers_alone(name, moved):
            notes.append(f"{name} is left out: this model uses {name[1:]} in a way of its own")
            del params[name]
        point.loss({**params, name: 0.0 * moved})
    return params, notes


def _warm_up(point: Point, seed: int) -> None:
    """Pass once at other weights with another batch: what backward keeps of it shows later."""
    rng, value = np.random.default_rng([seed, 1]), point.vae.parameters.value
    own = value.copy()
    value += 0.1 * rng.standard_normal(value.shape)
    Point(point.vae, rng.random(point.x.shape), -point.eps, rng.random(point.x.shape)).gradients()
    value[:] = own


def _candidates(point: Point) -> tuple[dict[str, float], dict[str, Array]]:
    """Constants and arrays that a backward pass may contain one time too many, or not at all.

    Powers of 2 are left out: a factor of 2 or ½ has many causes.
    """
    vae, (batch, pixels) = point.vae, point.x.shape
    constants = {
        "the batch size": float(batch),
        "the number of pixels": float(pixels),
        "the number of latents": float(vae.latent),
        "beta": vae.beta,
    }
    constants = {name: c for name, c in constants.items() if c and c not in (0.5, 1.0, 2.0, 4.0)}
    with np.errstate(all="ignore"):  # a factor that is not finite explains nothing
        t = vae.forward(point.x, point.eps, point.target)
        sigma = np.exp(0.5 * t.logvar)
        factors = {
            "sigma": sigma,
            "sigma^2": sigma**2,
            "eps": t.eps,
        }
        if vae.likelihood.name == BERNOULLI.name:
            factors["p (1 - p)"] = t.p * (1.0 - t.p)
        factors |= {"p": t.p, "x": t.x}
    return constants, factors
