"""The numerical side of a check: the slope of the loss along a direction."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from numpyvae.gradcheck.finite_differences import Array, Derivative, derivative, rounding_noise

EPS = float(np.finfo(float).eps)
H = 1e-20  # the complex step: its square is 1e-40, so the error of the derivative is too
K = 3.0  # two numbers agree within K error bars

Loss = Callable[[dict[str, Array]], Any]  # a number, or named numbers whose sum it is


class Probe:
    """A loss at one point θ, and its slope along a direction v, by two methods.

    *Finite differences* (`derivative`) need the loss alone. The *complex step*,
    Im loss(θ + i h v) / h with h = 1e-20, subtracts nothing, so it has 15 digits. The real part of
    θ does not move, so it crosses no kink. But np.abs, a cast or a comparison can break it, and
    some of them do so silently. So it is used only after finite differences have confirmed it:
    `confirm`. (Squire & Trapp 1998, Using complex variables to estimate derivatives of real
    functions.)
    """

    def __init__(self, loss: Loss, params: Mapping[str, Array]) -> None:
        self.loss = loss
        self.params = dict(params)
        self.evaluations = 0
        self.confirmed: set[str] = set()  # parameters for which the complex step may be used
        self.why_not = ""  # why it may not be
        self.noise = 0.0

    def __call__(self, changed: Mapping[str, Array]) -> Any:
        """The loss, or its named terms, with some parameters changed."""
        self.evaluations += 1
        with np.errstate(all="ignore"):  # the caller checks that the result is finite
            return self.loss({**self.params, **changed})

    def nearby(self, changed: Mapping[str, Array]) -> float:
        """The loss as a float; NaN if it raises an error, as outside its domain."""
        try:
            return total(self(changed))
        except (ArithmeticError, AssertionError, LookupError, ValueError):
            return float("nan")

    def measure_noise(self, rng: np.random.Generator) -> None:
        """Measure the rounding error of the loss along a random direction in all parameters."""
        v = {name: rng.standard_normal(array.shape) for name, array in self.params.items()}
        length = sum(float(np.sum(direction**2)) for direction in v.values()) ** 0.5

        def phi(t: float) -> float:
            return self.nearby({name: self.params[name] + t / length * v[name] for name in v})

        self.noise = rounding_noise(phi)

    def slope(self, name: str, v: Array) -> Derivative:
        """∂loss/∂t at θ + t v, v of the shape of parameter `name`, by finite differences."""
        return derivative(
            lambda t: self.nearby({name: self.params[name] + t * v}), noise=self.noise
        )

    def complex_slopes(self, name: str, v: Array) -> dict[str, float]:
        """The same by complex step, for each term of the loss; TypeError if the result is real."""
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)
            value = self({name: self.params[name] + 1j * H * v})
        terms = value if isinstance(value, Mapping) else {"loss": value}
        if not any(np.iscomplexobj(part) for part in terms.values()):
            raise TypeError("the loss comes back real")
        return {term: float(np.imag(part)) / H for term, part in terms.items()}

    def complex_slope(self, name: str, v: Array) -> float:
        """The same, summed over the terms."""
        return sum(self.complex_slopes(name, v).values())

    def confirm(self, trials: list[tuple[str, Array, Derivative]]) -> list[float | None]:
        """The complex step in these trials, and None where it is not confirmed.

        It is rejected for all parameters if it raises an exception, returns a real number, or is
        wrong in any smooth direction by more than an invisible kink could explain. It is accepted
        for a parameter if it agrees, within the error bars, in every smooth direction, and there
        is at least one.
        """
        found: list[float] = []
        right: dict[str, list[bool]] = {name: [] for name, _, _ in trials}
        try:
            for name, v, finite in trials:
                slope = self.complex_slope(name, v)
                if not np.isfinite(slope) and np.isfinite(finite.value):
                    raise ArithmeticError(f"it is not finite along {name}")
                found.append(slope)
                if finite.status == "smooth":
                    room = K * finite.error + 4.0 * EPS * abs(slope)
                    gap = abs(slope - finite.value)
                    right[name].append(gap <= room)
                    if gap > room + finite.hidden:
                        raise ArithmeticError(f"it is wrong along {name}: np.abs in the loss?")
        except Exception as error:  # the loss is foreign code, and may fail in any way
            self.why_not = str(error).splitlines()[0] if str(error) else type(error).__name__
            return [None] * len(trials)
        self.confirmed = {name for name, answers in right.items() if answers and all(answers)}
        return [
            slope if name in self.confirmed else None for (name, _, _), slope in zip(trials, found)
        ]

    @property
    def method(self) -> str:
        """The method of the numerical side, in words."""
        left = [name for name in self.params if name not in self.confirmed]
        if not self.confirmed:
            return f"finite differences (no complex step: {self.why_not or 'not confirmed'})"
        method = "complex step, confirmed by finite differences"
        return method + (f"; these alone for {', '.join(map(str, left))}" if left else "")

    def complex_spread(self, name: str, v: Array, rng: np.random.Generator) -> float:
        """The spread of the slope along v when the parameters move by rounding: large on a kink.

        If a unit is on the kink of its ReLU to the last digit, backprop may compute one side of
        the kink and the loss the other. Pairs of opposite moves of about 1e-12 reveal it.
        """
        here = self.params
        slopes = [self.complex_slope(name, v)]
        for _ in range(3):
            moves = {
                n: 1e-12 * rng.standard_normal(a.shape) * (1.0 + np.abs(a)) for n, a in here.items()
            }
            for sign in (1.0, -1.0):
                self.params = {n: a + sign * moves[n] for n, a in here.items()}
                slopes.append(self.complex_slope(name, v))
        self.params = here
        return max(slopes) - min(slopes)

    def entry(self, name: str, index: tuple[int, ...], scale: float) -> tuple[float, float]:
        """∂loss/∂name[index] and its error bar, by the better of the two methods."""
        v = np.zeros(self.params[name].shape)
        v[index] = 1.0
        if name in self.confirmed:
            slope = self.complex_slope(name, v)
            return slope, 1e-12 * max(scale, abs(slope))
        finite = self.slope(name, v)
        return finite.value, K * finite.error

    def entry_terms(self, name: str, index: tuple[int, ...]) -> dict[str, float]:
        """∂term/∂name[index] of each term of the loss; needs the complex step."""
        v = np.zeros(self.params[name].shape)
        v[index] = 1.0
        return self.complex_slopes(name, v)

    def worst_entry(
        self, name: str, gradient: Array, known: list[tuple[int, ...]], rng: np.random.Generator
    ) -> tuple[int, ...]:
        """The index of the worst entry of `gradient`, except those in `known`, by bisection.

        It takes 2 log₂ n slopes. Each half of the entries gets its own random direction; the half
        along which gradient and loss disagree more is searched further.
        """
        weights = rng.standard_normal(gradient.shape)
        for index in known:
            weights[index] = 0.0
        flat = weights.ravel()
        entries = np.arange(flat.size)
        while len(entries) > 1:
            halves = np.array_split(entries, 2)
            gaps = []
            for half in halves:
                v = np.zeros(gradient.shape)
                v.ravel()[half] = flat[half]
                slope = self.complex_slope if name in self.confirmed else self._quick_slope
                gap = abs(float(np.sum(gradient * v)) - slope(name, v))
                gaps.append(gap if np.isfinite(gap) else np.inf)
            entries = halves[int(gaps[1] > gaps[0])]
        return tuple(int(i) for i in np.unravel_index(entries[0], gradient.shape))

    def _quick_slope(self, name: str, v: Array) -> float:
        """One central difference, accurate enough to find the worst entry."""
        h = 1e-5 / max(float(np.linalg.norm(v)), 1e-30)
        here = self.params[name]
        up, down = self.nearby({name: here + h * v}), self.nearby({name: here - h * v})
        return (up - down) / (2.0 * h)


def total(value: Any) -> float:
    """The loss as a float: the value itself, or the sum of its named terms."""
    if isinstance(value, Mapping):
        value = sum(value.values())
    return float(value)
