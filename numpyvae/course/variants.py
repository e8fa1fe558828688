"""Exercises that nobody has the answers to: a VAE of other parts, chosen by a number.

`variant(seed)` chooses an activation, a likelihood, a prior with the parameterization of q, and an
optimizer, each with numbers of its own. Our functions judge them as those of the notebooks do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from numpyvae.course.exercise import Draw, Exercise, Function, Mistake
from numpyvae.support.types import Array


@dataclass(frozen=True)
class Part:
    """A part of a VAE: its formula as LaTeX, and the functions to write for it."""

    title: str
    formula: str
    functions: tuple[Function, ...]


def _softplus(a: Array) -> Array:
    return np.maximum(a, 0) + np.log1p(np.exp(-np.abs(a)))


def _sigma(a: Array) -> Array:
    return 0.5 + 0.5 * np.tanh(a / 2)


def _activation(rng: np.random.Generator) -> Part:
    """One of four activations, and its backward pass from dy and the input a."""
    c = float(rng.integers(5, 40)) / 100
    k = float(rng.integers(11, 30)) / 10
    kinds: list[tuple[str, str, Callable[[Array], Array], Callable[[Array], Array]]] = [
        ("a leaky relu", rf"y = \max(a, {c}\, a)",
         lambda a: np.where(a > 0, a, c * a), lambda a: np.where(a > 0, 1.0, c)),
        ("a soft relu", rf"y = \tfrac{{1}}{{{k}}} \log(1 + e^{{{k} a}})",
         lambda a: _softplus(k * a) / k, lambda a: _sigma(k * a)),
        ("a sigmoid-weighted line", rf"y = a\, \sigma({k} a)",
         lambda a: a * _sigma(k * a),
         lambda a: _sigma(k * a) + k * a * _sigma(k * a) * (1 - _sigma(k * a))),
        ("an arctangent", rf"y = \tfrac{{1}}{{{k}}} \arctan({k} a)",
         lambda a: np.arctan(k * a) / k, lambda a: 1 / (1 + (k * a) ** 2)),
    ]  # fmt: skip
    title, formula, value, slope = kinds[rng.integers(len(kinds))]

    def activation(a: Array) -> Array:
        return value(a)

    def activation_backward(dy: Array, a: Array) -> Array:
        return dy * slope(a)

    return Part(title, formula, (activation, activation_backward))


def _likelihood(rng: np.random.Generator) -> Part:
    """One of three likelihoods: −log p(x | o), where o is the decoder's output."""
    s = float(rng.integers(11, 30)) / 10
    n = float(rng.integers(3, 9))
    log_2pi = float(np.log(2 * np.pi))
    kinds: list[tuple[str, str, Callable[..., Array], Callable[..., Array]]] = [
        (f"pixels from a normal distribution around o with standard deviation {s}",
         rf"-\log p = \sum \Bigl( \frac{{(x - o)^2}}{{2 \cdot {s}^2}} + \log {s} "
         r"+ \tfrac12 \log 2\pi \Bigr)",
         lambda o, x: 0.5 * ((x - o) / s) ** 2 + np.log(s) + 0.5 * log_2pi,
         lambda o, x: (o - x) / s**2),
        (f"pixels from a logistic distribution around o with scale {s}",
         rf"-\log p = \sum \bigl( u + \log {s} + 2 \log(1 + e^{{-u}}) \bigr), "
         rf"\quad u = \frac{{x - o}}{{{s}}}",
         lambda o, x: (x - o) / s + np.log(s) + 2 * _softplus((o - x) / s),
         lambda o, x: (2 * _sigma((o - x) / s) - 1) / s),
        (f"pixels with heavy tails around o: Student's t without its constant, {n:g} degrees of "
         "freedom", rf"-\log p = \sum \tfrac{{{n:g} + 1}}{{2}} "
         rf"\log \Bigl( 1 + \frac{{(x - o)^2}}{{{n:g}}} \Bigr)",
         lambda o, x: 0.5 * (n + 1) * np.log1p((x - o) ** 2 / n),
         lambda o, x: (n + 1) * (o - x) / (n + (x - o) ** 2)),
    ]  # fmt: skip
    title, formula, value, slope = kinds[rng.integers(len(kinds))]

    def negative_log_likelihood(o: Array, x: Array) -> Array:
        return value(o, x).sum(axis=1)

    def negative_log_likelihood_backward(o: Array, x: Array) -> Array:
        return slope(o, x)

    functions = negative_log_likelihood, negative_log_likelihood_backward
    return Part(title, formula, functions)


def _guess(rng: np.random.Generator) -> Part:
    """q = N(mu, σ²) with another form of σ, and another normal prior."""
    m = float(rng.integers(3, 20)) / 10
    s = float(rng.integers(11, 25)) / 10
    kinds: list[tuple[str, Callable[[Array], Array], Callable[[Array], Array]]] = [
        (r"\sigma = e^{\rho}", np.exp, np.exp),
        (r"\sigma = \log(1 + e^{\rho})", _softplus, _sigma),
        (r"\sigma = e^{-\rho/2}", lambda r: np.exp(-r / 2), lambda r: -0.5 * np.exp(-r / 2)),
    ]
    formula, sigma, slope = kinds[rng.integers(len(kinds))]

    def sample(mu: Array, rho: Array, eps: Array) -> Array:
        return mu + sigma(rho) * eps

    def sample_backward(dz: Array, rho: Array, eps: Array) -> tuple[Array, Array]:
        return dz.copy(), dz * eps * slope(rho)

    def kl(mu: Array, rho: Array) -> Array:
        ratio = sigma(rho) / s
        return (0.5 * (ratio**2 + ((mu - m) / s) ** 2 - 1) - np.log(ratio)).sum(axis=1)

    def kl_backward(mu: Array, rho: Array) -> tuple[Array, Array]:
        return (mu - m) / s**2, (sigma(rho) / s**2 - 1 / sigma(rho)) * slope(rho)

    title = f"a prior with mean {m} and standard deviation {s} for each latent, and q with"
    return Part(title, formula, (sample, sample_backward, kl, kl_backward))


def _optimizer(rng: np.random.Generator) -> Part:
    """One of three optimizers; each keeps one array."""
    r = float(rng.integers(50, 95)) / 100
    kinds: list[tuple[str, str, Callable[..., tuple[Array, Array]]]] = [
        ("momentum", rf"s \leftarrow {r}\, s + d\theta, \quad \theta \leftarrow \theta - \eta\, s",
         lambda theta, grad, s, lr: (theta - lr * (r * s + grad), r * s + grad)),
        ("momentum that looks ahead",
         rf"s \leftarrow {r}\, s + d\theta, \quad \theta \leftarrow \theta - "
         rf"\eta\, (d\theta + {r}\, s)",
         lambda theta, grad, s, lr: (theta - lr * (grad + r * (r * s + grad)), r * s + grad)),
        ("a running mean of absolute values",
         rf"s \leftarrow {r}\, s + {1 - r:.2f}\, |d\theta|, \quad \theta \leftarrow \theta - "
         r"\eta\, \frac{d\theta}{s + 10^{-3}}",
         lambda theta, grad, s, lr: (
             theta - lr * grad / (r * s + (1 - r) * np.abs(grad) + 1e-3),
             r * s + (1 - r) * np.abs(grad))),
    ]  # fmt: skip
    title, formula, value = kinds[rng.integers(len(kinds))]

    def step(theta: Array, grad: Array, s: Array, lr: float) -> tuple[Array, Array]:
        return value(theta, grad, s, lr)

    return Part(title, formula, (step,))


@dataclass(frozen=True)
class Variant:
    """The parts that a number chooses, and an exercise for each of their functions."""

    seed: int
    parts: tuple[Part, ...]
    exercises: dict[str, Exercise]

    @property
    def notebook(self) -> str:
        """The name of its notebook."""
        return f"variant_{self.seed}"


def variant(seed: int) -> Variant:
    """The variant with this number, from 0 on; the same number gives the same variant."""
    if seed < 0:
        raise ValueError(f"seed: expected a whole number of at least 0, got {seed}")
    rng = np.random.default_rng(seed)
    parts = _activation(rng), _likelihood(rng), _guess(rng), _optimizer(rng)
    exercises = [_exercise(f"variant_{seed}", function) for part in parts
                 for function in part.functions]  # fmt: skip
    return Variant(seed, parts, {exercise.name: exercise for exercise in exercises})


def _exercise(notebook: str, right: Function) -> Exercise:
    statement, returns, sample = _ABOUT[right.__name__]
    several = [name for name in returns.split(", ") if name]
    swapped = Mistake("The two results are exchanged.", lambda *a: right(*a)[::-1])
    return Exercise(
        notebook,
        statement,
        right,
        source="the formula of this variant",
        returns=returns,
        sample=sample,
        mistakes=(swapped,) if several else (_flipped(right),),
        hints=(
            "Write the formula down for a single number first.",
            "Differentiate it on paper; use the chain rule for every inner function.",
            "Compare with a central difference at a point where you know both sides.",
        ),
        shrink=False,  # 0 may be a corner of the activation
    )


def _flipped(right: Function) -> Mistake:
    return Mistake("The sign is flipped.", lambda *a: -right(*a))


def _bz(count: int) -> Callable[..., tuple[Array, ...]]:
    """A sample of so many arrays (B, Z)."""

    def sample(draw: Draw, B: int, Z: int) -> tuple[Array, ...]:
        return tuple(draw.normal(B, Z).round(2) for _ in range(count))

    return sample


def _bx(draw: Draw, B: int, X: int) -> tuple[Array, ...]:
    return draw(B, X), draw(B, X)


def _nm(draw: Draw, n: int, m: int) -> tuple[Any, ...]:
    return draw(n, m), draw.normal(n, m).round(2), draw.positive(n, m), 0.25


_ABOUT: dict[str, tuple[str, str, Callable[..., tuple[Any, ...]]]] = {
    "activation": ("y, entry by entry", "", _bz(1)),
    "activation_backward": ("da = ∂L/∂a, given dy = ∂L/∂y and the input a", "", _bz(2)),
    "negative_log_likelihood": ("−log p(x|o) of each image: o, x (B, X) → (B,)", "", _bx),
    "negative_log_likelihood_backward": (
        "the gradient of each image's own −log p with respect to o, (B, X)", "", _bx),
    "sample": ("z = mu + σ eps; all (B, Z)", "", _bz(3)),
    "sample_backward": ("dmu and drho, (B, Z) each, given dz = ∂L/∂z", "dmu, drho", _bz(3)),
    "kl": ("KL(q ‖ prior) of each image, in nats: mu, rho (B, Z) → (B,)", "", _bz(2)),
    "kl_backward": ("the gradient of each image's own KL: dmu, drho, (B, Z) each", "dmu, drho",
                    _bz(2)),
    "step": ("the new theta and s after one step, as new arrays", "theta, s", _nm),
}  # fmt: skip
FUNCTIONS = tuple(_ABOUT)  # the names of the functions of every variant
