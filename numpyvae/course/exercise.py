"""What an exercise of the course consists of: inputs to try, known mistakes, and hints."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import numpy as np

from numpyvae.support.types import Array

Function = Callable[..., Any]
SIZES = {  # the letters of the equations, in words
    "B": "the batch size",
    "X": "the number of pixels",
    "H": "the number of hidden units",
    "Z": "the number of latents",
    "K": "the number of weights",
    "k": "k",
    "D": "the number of dimensions",
    "n": "the number of inputs",
    "m": "the number of outputs",
    "N": "the number of draws",
    "M": "the number of grid points",
    "I": "the number of images",
    "P": "the number of prices",
}


@dataclass(frozen=True, eq=False)
class Case:
    """One input to try.

    arguments  the arguments; here and in `exact`, a list of numbers becomes a float64 array
    why        the source of the exact value, such as "by hand: ½ · 2²"
    exact      the exact value; None for that of the exercise's `right`
    given      the input in words; "" to print the arguments
    measure    the value to compare, computed with the function; None for function(*arguments)
    tolerance  the largest error, relative to the largest entry of the exact value
    sizes      the value of each letter, such as {"B": 2, "Z": 3}
    """

    arguments: tuple[Any, ...] = ()
    why: str = ""
    exact: Any = None
    given: str = ""
    measure: Callable[[Function], Any] | None = None
    tolerance: float = 1e-9
    sizes: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", tuple(map(_as_array, self.arguments)))
        several = isinstance(self.exact, tuple)
        exact = tuple(map(_as_array, self.exact)) if several else _as_array(self.exact)
        object.__setattr__(self, "exact", exact)

    def value(self, function: Function) -> Any:
        """The value that `function` gives in this case."""
        return self.measure(function) if self.measure else function(*self.arguments)

    @property
    def size(self) -> int:
        """The number of entries of all arguments; a measurement counts as large."""
        return 10_000 if self.measure else sum(map(_entries, self.arguments))


def _as_array(argument: Any) -> Any:
    return np.array(argument, dtype=np.float64) if isinstance(argument, list) else argument


def _entries(argument: Any) -> int:
    if isinstance(argument, dict):
        return sum(map(_entries, argument.values()))
    return int(np.size(argument))


@dataclass(frozen=True)
class Mistake:
    """A known mistake: a sentence that names it, and a function that makes it.

    part  the name of the result that `function` returns, such as "dW"; "" for all results
    """

    sentence: str
    function: Function
    part: str = ""


@dataclass(frozen=True)
class Far:
    """Arguments of any size, to find from where on a function overflows.

    arguments  the arguments for a size t, such as [[t, -t]]
    what       the argument in words, such as "logits of ±"
    silent     True if the exercise asks for a function in which nothing overflows on the way
    """

    arguments: Callable[[float], tuple[Any, ...]]
    what: str
    silent: bool = False


class Draw:
    """Random arguments that are short to print: multiples of ¼.

    rough  True for arguments of any digits and of sizes from 0.01 to 12.5
    """

    def __init__(self, rng: np.random.Generator, rough: bool = False):
        self._rng, self._rough = rng, rough

    def __call__(self, *shape: int) -> Array:
        """Entries from −2 to 2."""
        if not self._rough:
            return self._rng.integers(-8, 9, shape) / 4
        found = self._rng.standard_normal(shape) * 10.0 ** self._rng.uniform(-2, 0.7, shape)
        found.flat[0], found.flat[-1] = -12.5, 12.5
        return found

    def normal(self, *shape: int) -> Array:
        """Entries from N(0, 1), which no relu has exactly at its corner."""
        return self._rng.standard_normal(shape)

    def unit(self, *shape: int) -> Array:
        """Entries from 0 to 1, as pixels have."""
        return self._rng.random(shape) if self._rough else self._rng.integers(0, 5, shape) / 4

    def positive(self, *shape: int) -> Array:
        """Entries from ¼ to 2."""
        return self._rng.uniform(0.01, 3, shape) if self._rough else (
            self._rng.integers(1, 9, shape) / 4)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Exercise:
    """A function to write, and all that is needed to judge it.

    notebook   the notebook that asks for it, such as "05_elbo"
    statement  what the function returns, in a line
    right      our own function; its parameters are those of the exercise
    source     the source of `right`'s values, in words
    returns    the names of the results, if there are several: "dx, dW, db"
    by_hand    inputs whose answer is known without `right`, and other special ones
    sample     random arguments: sample(draw, B, Z) for any sizes B and Z
    far        arguments of any size
    mistakes   known mistakes
    hints      three, from a nudge to the last line
    needs      the exercises whose functions this one calls
    shrink     False if the entries of a random argument cannot be replaced by 0
    derived    entries of a dictionary that follow from others; a right function may not need them
    """

    notebook: str
    statement: str
    right: Function
    source: str
    mistakes: tuple[Mistake, ...]
    hints: tuple[str, str, str]
    returns: str = ""
    by_hand: tuple[Case, ...] = ()
    sample: Callable[..., tuple[Any, ...]] | None = None
    far: Far | None = None
    needs: tuple[str, ...] = ()
    shrink: bool = True
    derived: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.right.__name__

    @property
    def id(self) -> str:
        """The name by which a check knows it; that of a variant has the variant in front."""
        is_variant = self.notebook.startswith("variant_")
        return f"{self.notebook}.{self.name}" if is_variant else self.name

    @property
    def parameters(self) -> list[str]:
        """The names of the arguments, without those by which `right` makes mistakes."""
        found = inspect.signature(self.right).parameters.values()
        return [each.name for each in found if each.kind is not each.KEYWORD_ONLY]

    def cases(self) -> Iterator[Case]:
        """The special inputs, then random ones of several sizes."""
        yield from self.by_hand
        if self.sample is None:
            return
        letters = list(inspect.signature(self.sample).parameters)[1:]
        rng = np.random.default_rng(0)
        for sizes in _sizes(len(letters)):
            named = dict(zip(letters, sizes))
            for rough in (False, sizes[0] > 2):
                arguments = self.sample(Draw(rng, rough), **named)
                yield Case(arguments, self.source, sizes=named)


def _sizes(letters: int) -> Sequence[tuple[int, ...]]:
    """Sizes for so many letters: all 1, all but one 1, all 2, all 3, and then all different."""
    ones = (1,) * letters
    one_more = [tuple(1 + (i == k) for i in range(letters)) for k in range(letters)]
    different = list(permutations(range(2, 2 + letters)))
    equal = [(n,) * letters for n in (2, 3)]
    return [ones, *one_more, *equal, *different[:2], *different[-1:]]
