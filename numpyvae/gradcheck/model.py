"""Is the backward pass of a VAE right? Every weight's gradient, and every gradient on the way."""

from __future__ import annotations

import copy
import time
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.gradcheck.checks import Progress, check_gradients
from numpyvae.gradcheck.diagnosis import NO_PATTERN
from numpyvae.gradcheck.museum import MISTAKES, break_backward
from numpyvae.gradcheck.report import Report
from numpyvae.images import check_pixels
from numpyvae.layers import Dense
from numpyvae.parameters import Array
from numpyvae.trace import Trace
from numpyvae.vae import VAE

IMAGES = 16

INVISIBLE = (
    "backward fits forward; a mistake made alike in both is not seen. Values find those: weights "
    "of 0 give a loss of X ln 2 and a KL of 0; a batch stacked on itself changes neither loss nor "
    "gradient; mu = 2 costs a KL of 2; logvar = 2 makes the spread of z e"
)


def check_vae(
    vae: VAE, images: ArrayLike | None = None, *, progress: Progress[str] = iter, seed: int = 0
) -> Report:
    """Check the gradients of all weights of `vae`, and those of every array on a small twin.

    images    to check with, (N, X); without them, 16 of random grey pixels. A float64 copy of the
              model is checked at its own weights; neither its weights nor its gradients change
    progress  wraps the loops over the gradients; pass tqdm to see a bar
    seed      of images, noise, the twin and the directions

    The twin is a model of the same class and depth with 7 pixels, 11 hidden units, 3 latents and
    β = 0.7, at random weights, given 5 images and other ones as target: all sizes differ, so that
    a wrong factor can be named, and nothing is 0 that could hide a mistake. There dlogits, dz,
    dmu, … are checked too, so the first wrong line of `backward` is found, and its result is
    compared with those of MISTAKES.
    """
    started = time.perf_counter()
    rng = np.random.default_rng(seed)
    twin, why_none = _small_twin(vae, rng)
    if twin is not None:
        x, target, eps = rng.random((5, 7)), rng.random((5, 7)), rng.standard_normal((5, 3))
        twin_point = _Point(twin, x, eps, target)
        twin_title = "its small twin, 5 images, beta = 0.7, every array of the pass"
        small = twin_point.check(twin_point.everything, twin_title, progress, seed)
        known = twin_point.known_mistakes(small)
        if known:
            small.hints = [hint for hint in small.hints if NO_PATTERN not in hint] + known

    own, pixels = vae.astype(np.float64), int(np.prod(vae.image_shape))
    x = rng.random((IMAGES, pixels)) if images is None else np.asarray(images)
    x = check_pixels("images", x, vae.image_shape, np.float64)
    point = _Point(own, x, rng.standard_normal((len(x), vae.latent)), x)
    sizes = "-".join(map(str, [pixels, *vae.hidden, vae.latent, *vae.hidden[::-1], pixels]))
    title = f"gradient check of {type(vae).__name__} {sizes}, {len(x)} images"
    report = point.check(list(own.parameters), title, progress, seed)
    if report.failed and (twin is None or small.ok):  # then it must be located here
        report = point.check(point.everything, title, progress, seed)
    if twin is None:
        report.notes.append(why_none)
    else:
        report.twin = small
        report.hints = report.hints if small.ok else []  # those of the twin say more
    if report.ok:
        report.notes.append(INVISIBLE)
    report.seconds = time.perf_counter() - started
    return report


def _small_twin(vae: VAE, rng: np.random.Generator) -> tuple[VAE | None, str]:
    """A small model of the same class and depth at random weights, or why there is none."""
    hidden = tuple(11 + 2 * i for i in range(len(vae.hidden)))
    try:
        twin = type(vae)(hidden, 3, beta=0.7, image_shape=(1, 7), rng=rng).astype(np.float64)
    except Exception as error:  # the class may be anybody's
        return None, f"no small twin, for {type(vae).__name__}(hidden, latent, …) says: {error}"
    twin.parameters.value += 0.3 * rng.standard_normal(twin.parameters.value.size)
    return twin, ""


class _Nudged:
    """A dense layer whose input and output are moved, to see what that does to the loss."""

    def __init__(self, layer: Dense) -> None:
        self.layer = layer
        self.before: Any = 0.0
        self.after: Any = 0.0

    def forward(self, x: Array, out: Array | None = None) -> Array:
        """y + after, where y is what the layer makes of x + before."""
        y: Array = self.layer.forward(x + self.before) + self.after
        return y


class _Point:
    """A model and a batch: the loss as a function of the weights, and of moves of the arrays.

    A move is called as the gradient that it has: "dz" is what is added to z. It is the layer that
    writes the array, or those that read it, that add it (`_Nudged`); all else is the model's
    own `forward` and `loss`, in float64 or, for the complex step, complex128.
    """

    def __init__(self, vae: VAE, x: Array, eps: Array, target: Array) -> None:
        self.vae, self.x, self.eps, self.target = vae, x, eps, target
        self.copies: dict[type, tuple[VAE, dict[str, list[tuple[_Nudged, str]]]]] = {}
        self.written: dict[type, dict[str, Array]] = {}  # what each copy holds now
        self.found: dict[str, Array] = {}  # the gradients

    def of(self, vae: VAE) -> _Point:
        """The same batch for another model."""
        return _Point(vae, self.x, self.eps, self.target)

    @property
    def everything(self) -> list[str]:
        """All weights, and all arrays of the pass: reversed, it is the order of backward."""
        names: list[str] = []
        for i in range(len(self.vae.hidden)):
            names += [f"W_h{i + 1}", f"b_h{i + 1}", f"da_h[{i}]", f"dh[{i}]"]
        names += ["W_mu", "b_mu", "dh_logvar", "W_logvar", "b_logvar", "dmu", "dlogvar", "dz"]
        for i in range(len(self.vae.hidden)):
            names += [f"W_g{i + 1}", f"b_g{i + 1}", f"da_g[{i}]", f"dg[{i}]"]
        return [*names, "W_out", "b_out", "dlogits"]

    def loss(self, params: dict[str, Array]) -> dict[str, Any]:
        """The terms of the loss, reconstruction and β KL, at these weights and moves."""
        complex_step = any(np.iscomplexobj(array) for array in params.values())
        dtype: type = np.complex128 if complex_step else np.float64
        if dtype not in self.copies:
            self.copies[dtype] = _with_nudges(self.vae.astype(dtype))
            self.written[dtype] = {}
        vae, places = self.copies[dtype]
        written = self.written[dtype]
        for name, array in params.items():
            if written.get(name) is array:  # as most are: only one moves at a time
                continue
            if name in places:
                for layer, side in places[name]:
                    setattr(layer, side, array)
            else:
                vae.parameters[name][...] = array
            written[name] = array
        loss = vae.loss(vae.forward(self.x, self.eps, self.target))
        kl = "KL" if self.vae.beta == 1.0 else "beta x KL"
        return {"reconstruction": loss.reconstruction, kl: self.vae.beta * loss.kl}

    def gradients(self) -> dict[str, Array]:
        """What one pass backward says: of weights under their names, of arrays as in the Trace.

        Arrays that backward leaves out of the Trace are left out here.
        """
        with np.errstate(all="ignore"):  # what is not finite is looked at instead
            t = self.vae.forward(self.x, self.eps, self.target)
            self.vae.backward(t)
        weights = {name: self.vae.parameters.gradient(name) for name in self.vae.parameters}
        arrays = {name: _array(t, name) for name in self.everything if name not in weights}
        return weights | {name: array for name, array in arrays.items() if array is not None}

    def check(self, names: list[str], title: str, progress: Progress[str], seed: int) -> Report:
        """Check these gradients; arrays whose move the loss does not feel are left out."""
        before = [array.copy() for array in (self.x, self.eps, self.target)]
        first = self.gradients()
        self.found = {name: gradient.copy() for name, gradient in first.items()}
        self.vae.parameters.grad[:] = 0.0
        notes = []
        params = {}
        for name in names:
            if name in self.vae.parameters.shapes:
                params[name] = self.vae.parameters[name].copy()
            elif name in first:
                params[name] = np.zeros(first[name].shape)
            else:
                notes.append(f"{name} is left out: backward does not write it into the Trace")
        with np.errstate(all="ignore"):
            t = self.vae.forward(self.x, self.eps, self.target)
            here = self.loss(params)
            sigma = np.exp(0.5 * t.logvar)
            factors = {
                "sigma": sigma, "sigma^2": sigma**2, "eps": t.eps,
                "p (1 - p)": t.p * (1.0 - t.p), "p": t.p, "x": t.x,
            }  # fmt: skip
        for name in list(params):
            if name not in self.vae.parameters.shapes:
                nudge = np.random.default_rng(seed).standard_normal(params[name].shape)
                if self.loss({**params, name: nudge}) == here and first[name].any():
                    notes.append(f"{name} is left out: forward does not pass its layer")
                    del params[name]

        def grads(_: dict[str, Array]) -> dict[str, Array]:
            again = self.gradients()
            return {name: again[name] for name in params}

        batch, pixels = self.x.shape
        constants = {
            "the batch size": float(batch),
            "the number of pixels": float(pixels),
            "the number of latents": float(self.vae.latent),
            "beta": self.vae.beta,
        }
        report = check_gradients(
            self.loss, params, grads,
            constants=constants, factors=factors, progress=progress, title=title, seed=seed,
        )  # fmt: skip
        report.notes += notes
        report.parameters = self.vae.parameters.value.size
        if not np.shares_memory(self.vae.parameters.grad, next(iter(first.values()))):
            report.stops.append("parameters.grad was rebound: write into it, grad[:] = …")
        for name, old, now in zip(("x", "eps", "target"), before, (self.x, self.eps, self.target)):
            if not np.array_equal(old, now):
                report.stops.append(f"the pass changes {name} in place: work on a copy")
        return report

    def known_mistakes(self, report: Report) -> list[str]:
        """The mistakes of the museum that give just the wrong gradients of this report.

        The one nearest the loss must be theirs but for rounding, and wrong with them; of several
        such mistakes, those are named that fit in the most places.
        """
        for stop in report.stops:
            if "two different gradients" in stop:
                known = "gradients_accumulated" if "twice" in stop else "noise_drawn_again"
                return [f"known mistake: {MISTAKES[known]}"]
        wrong = report.failed
        plain = VAE(
            self.vae.hidden, self.vae.latent, beta=self.vae.beta, image_shape=self.vae.image_shape
        ).astype(np.float64)
        plain.parameters.value[:] = self.vae.parameters.value
        right = self.of(plain).gradients()
        fits: dict[str, int] = {}
        for name, mistake in MISTAKES.items():
            if wrong and not mistake.invisible:
                theirs = self.of(break_backward(plain, name)).gradients()
                same = {n for n in self.found if _equal(self.found[n], theirs[n])}
                if wrong[0] in same and not _equal(theirs[wrong[0]], right[wrong[0]]):
                    fits[name] = len(same)
        most = max(fits.values(), default=0)
        return [f"known mistake: {MISTAKES[name]}" for name, n in fits.items() if n == most]


def _equal(a: Array, b: Array) -> bool:
    """Equal but for rounding."""
    return np.allclose(a, b, rtol=1e-11, atol=1e-14)


def _array(t: Trace, name: str) -> Array | None:
    """The array of a Trace that is called "dz" or "dg[0]"."""
    field, _, index = name.rstrip("]").partition("[")
    value = getattr(t, field)
    array: Array | None = value[int(index)] if index and value is not None else value
    return array


def _with_nudges(vae: VAE) -> tuple[VAE, dict[str, list[tuple[_Nudged, str]]]]:
    """A copy whose layers can be nudged, and which of them to nudge, where, to move an array."""
    vae = copy.copy(vae)
    vae.encoder, vae.decoder = copy.copy(vae.encoder), copy.copy(vae.decoder)
    h = [_Nudged(layer) for layer in vae.encoder.layers]
    g = [_Nudged(layer) for layer in vae.decoder.layers]
    mu, logvar, output = map(_Nudged, (vae.mu_head, vae.logvar_head, vae.output))
    vae.encoder.layers, vae.decoder.layers = h, g  # type: ignore[assignment]
    vae.mu_head, vae.logvar_head, vae.output = mu, logvar, output  # type: ignore[assignment]
    places: dict[str, list[tuple[_Nudged, str]]] = {
        "dlogits": [(output, "after")],
        "dz": [(g[0], "before")],
        "dmu": [(mu, "after")],
        "dlogvar": [(logvar, "after")],
        "dh_logvar": [(logvar, "before")],
        f"dh[{len(h) - 1}]": [(mu, "before"), (logvar, "before")],
    }
    for i in range(len(h)):
        places[f"da_h[{i}]"] = [(h[i], "after")]
        places[f"da_g[{i}]"] = [(g[i], "after")]
        places[f"dg[{i}]"] = [(g[i + 1] if i + 1 < len(g) else output, "before")]
        if i + 1 < len(h):
            places[f"dh[{i}]"] = [(h[i + 1], "before")]
    return vae, places
