"""The probable cause of a wrong gradient, in words. Patterns are tried in order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from numpyvae.gradcheck.finite_differences import Array
from numpyvae.gradcheck.probe import Probe
from numpyvae.gradcheck.report import Row

NO_PATTERN = "no simple pattern"
MANY = 200  # entries of a wrong gradient to sample, by complex step
FEW = 50  # the same by finite differences, which take thirty evaluations each


@dataclass(frozen=True)
class Sample:
    """Entries of one wrong gradient: all if they are few; else large, wrong and random ones.

    whole                the wrong gradient
    index                (n, ndim) of the entries
    backprop, numerical  (n,) their values
    error                (n,) the error bar of numerical
    terms                name → (n,), the part of numerical from each term of the loss
    parameter            (n,) the values of the parameter itself
    """

    whole: Array
    index: Array
    backprop: Array
    numerical: Array
    error: Array
    terms: dict[str, Array]
    parameter: Array

    @property
    def tolerance(self) -> Array:
        """The largest difference between two entries that count as equal, (n,)."""
        return 3.0 * self.error + 1e-9 * np.abs(self.numerical)

    @property
    def wrong(self) -> Array:
        """True for the entries that are wrong, (n,)."""
        return np.abs(self.backprop - self.numerical) > self.tolerance

    @property
    def largest_gap(self) -> float:
        """The largest error of backprop, as a fraction of the largest entry."""
        gap = float(np.max(np.abs(self.backprop - self.numerical)))
        return gap / max(float(np.max(np.abs(self.numerical))), 1e-300)

    def is_explained_by(self, values: Array) -> bool:
        """True if backprop equals `values` in every entry of the sample."""
        room = self.tolerance + 1e-9 * np.abs(values) + 1e-9 * np.abs(self.backprop)
        return bool(np.all(np.abs(self.backprop - values) <= room))


def diagnose(
    probe: Probe,
    gradient: Array,
    wrong: Row,
    constants: Mapping[str, float],
    factors: Mapping[str, Array],
    rng: np.random.Generator,
) -> str:
    """One sentence about the wrong gradient of the Row `wrong`.

    constants  possible values of a missing or extra factor, by name, such as
               {"the batch size": 5}; best if no two of them, nor their products, are equal
    factors    possible arrays for a missing or extra factor, by name; those of the shape of the
               wrong gradient are tried
    """
    if not gradient.any():
        return f"{wrong.name} is 0 everywhere: was it ever written?"
    sample = take_sample(probe, gradient, wrong, rng)
    factors = {name: array for name, array in factors.items() if array.shape == gradient.shape}
    for sentence in _patterns(sample, dict(constants), factors):
        return f"{wrong.name}: {sentence}"
    lengths = np.linalg.norm(sample.backprop) * np.linalg.norm(sample.numerical)
    cosine = sample.backprop @ sample.numerical / lengths if lengths else 0.0
    return (
        f"{wrong.name}: {NO_PATTERN}; the cosine of its angle to the right gradient is "
        f"{cosine:.2f}. Check the lines that write it, and look for a term that only the loss has"
    )


def take_sample(probe: Probe, gradient: Array, wrong: Row, rng: np.random.Generator) -> Sample:
    """All entries of a small gradient, some of a large one, with their numerical derivatives."""
    flat = gradient.ravel()
    many = MANY if wrong.name in probe.confirmed else FEW
    if flat.size <= many:
        places = np.arange(flat.size)
    else:
        known = [int(np.ravel_multi_index(e.index, gradient.shape)) for e in wrong.worst]
        large = np.argsort(-np.abs(flat))[: many // 10]
        random = rng.choice(flat.size, many // 5, replace=False)
        places = np.unique(np.concatenate([np.array(known, int), large, random]))
    entries = [tuple(int(i) for i in np.unravel_index(p, gradient.shape)) for p in places]
    index = np.array(entries, int).reshape(len(entries), gradient.ndim)
    scale = float(np.abs(flat).max())
    terms: dict[str, Array] = {}
    if wrong.name in probe.confirmed:
        parts = [probe.entry_terms(wrong.name, entry) for entry in entries]
        terms = {name: np.array([part[name] for part in parts]) for name in parts[0]}
        numerical = np.sum(list(terms.values()), axis=0)
        error = np.full(len(entries), 1e-12 * max(scale, float(np.abs(numerical).max())))
    else:
        pairs = [probe.entry(wrong.name, entry, scale) for entry in entries]
        numerical, error = np.array(pairs).T
    return Sample(
        whole=gradient,
        index=index,
        backprop=flat[places],
        numerical=numerical,
        error=error,
        terms=terms,
        parameter=probe.params[wrong.name].ravel()[places],
    )


def _patterns(
    sample: Sample, constants: dict[str, float], factors: dict[str, Array]
) -> Iterator[str]:
    """The sentences of all patterns that fit, the most specific first."""
    yield from _one_ratio(sample, constants)
    yield from _single_precision(sample)
    yield from _transposed(sample)
    yield from _terms(sample, constants)
    yield from _penalty(sample)
    yield from _not_zero_where_it_should_be(sample)
    yield from _a_factor_too_many_or_too_few(sample, factors)
    yield from _some_entries(sample)


def _single_precision(sample: Sample) -> Iterator[str]:
    """Backprop is right except for its last digits."""
    if sample.wrong.mean() < 0.5:
        return
    if np.array_equal(sample.whole.astype(np.float32), sample.whole) and sample.largest_gap < 1e-2:
        yield "nearly right, and every entry is exactly a float32 number: it is computed in float32"
    if sample.largest_gap < 1e-6:
        yield (
            f"only the first {-np.log10(sample.largest_gap):.0f} digits are right: "
            "is something computed in float32, or does only one pass add a small epsilon?"
        )


def _one_ratio(sample: Sample, constants: dict[str, float]) -> Iterator[str]:
    """Backprop is c times the right gradient, with one c for all entries."""
    large = np.abs(sample.numerical) > 100.0 * sample.error
    if not large.any():
        return
    c = float(np.median(sample.backprop[large] / sample.numerical[large]))
    if sample.is_explained_by(c * sample.numerical):
        times = f"{c:.6g}" if abs(c - 1.0) > 1e-4 else f"1 {c - 1.0:+.1e}"
        yield f"backprop is {times} times what it should be, everywhere{_which(c, constants)}"


def _which(c: float, constants: dict[str, float]) -> str:
    """The name of the factor c, if it has one."""
    if abs(c + 1.0) < 1e-6:
        return ": the sign is wrong"
    for sign, also in ((1.0, ""), (-1.0, ", and the sign is wrong")):
        for name, value in constants.items():
            if abs(c - sign * value) < 1e-6 * abs(value):
                return f": that is {name}{also}"
            if abs(c * value - sign) < 1e-6:
                return f": that is 1 / {name}{also}"
    return ""


def _transposed(sample: Sample) -> Iterator[str]:
    """Backprop is the transpose of the right gradient, a square matrix."""
    whole = sample.whole
    if whole.ndim == 2 and whole.shape[0] == whole.shape[1]:
        turned = whole.T[tuple(sample.index.T)]
        if np.all(np.abs(turned - sample.numerical) <= sample.tolerance):
            yield "it is the transpose of the right gradient"


def _terms(sample: Sample, constants: dict[str, float]) -> Iterator[str]:
    """Backprop is a sum of the gradients of the terms, with weights other than 1."""
    alive = {name: part for name, part in sample.terms.items() if part.any()}
    if len(alive) < 2 or len(sample.backprop) <= len(alive):
        return
    matrix = np.column_stack(list(alive.values()))
    shares, *_ = np.linalg.lstsq(matrix, sample.backprop, rcond=None)
    if np.linalg.cond(matrix) > 1e8 or not sample.is_explained_by(matrix @ shares):
        return
    shown = [0.0 if abs(share) < 1e-9 else float(share) for share in shares]
    equation = " + ".join(f"{c:.6g} x grad({name})" for c, name in zip(shown, alive))
    equation = equation.replace("+ -", "- ")
    wrong = [
        f"{name} is missing" if c == 0.0 else f"{name} counts {c:.6g} times{_which(c, constants)}"
        for c, name in zip(shown, alive)
        if abs(c - 1.0) > 1e-6
    ]
    yield f"backprop = {equation}; {', '.join(wrong)}"


def _penalty(sample: Sample) -> Iterator[str]:
    """The difference is a multiple of the parameter, or of its sign."""
    gap = sample.backprop - sample.numerical
    for what, shape in (("", sample.parameter), ("the sign of ", np.sign(sample.parameter))):
        if len(gap) > 2 and shape.any():
            c = float(gap @ shape / (shape @ shape))
            if c and sample.is_explained_by(sample.numerical + c * shape):
                yield (
                    f"it is off by {c:.4g} x {what}the parameter: a penalty on the parameters "
                    f"is in {'backward' if c > 0.0 else 'the loss'} only"
                )


def _not_zero_where_it_should_be(sample: Sample) -> Iterator[str]:
    """Every wrong entry should be 0 and is not, or is 0 and should not be: a mask."""
    open_ = (np.abs(sample.numerical) <= sample.error) & sample.wrong
    shut = (sample.backprop == 0.0) & sample.wrong
    if not open_.any() or (sample.wrong & ~open_ & ~shut).any() or not sample.numerical.any():
        return
    if shut.any():
        yield (
            f"{open_.sum()} entries should be exactly 0 and are not, {shut.sum()} are 0 and should "
            "not be, the others are right: a mask such as that of the ReLU is the wrong one"
        )
    else:
        yield (
            f"{open_.sum()} entries should be exactly 0 and are not, the others are right: "
            "a mask such as that of the ReLU is missing"
        )


def _a_factor_too_many_or_too_few(sample: Sample, factors: dict[str, Array]) -> Iterator[str]:
    """One term of the loss (or all) is multiplied or divided by a known array."""
    parts = {"": sample.numerical}
    if len(sample.terms) > 1:
        parts |= {f" in grad({term})": part for term, part in sample.terms.items() if part.any()}
    for where, part in parts.items():
        rest = sample.numerical - part
        for name, array in factors.items():
            factor = array[tuple(sample.index.T)]
            if sample.is_explained_by(rest + part * factor):
                yield f"there is one factor {name} too many{where}"
            with np.errstate(divide="ignore", invalid="ignore"):
                without = rest + part / factor
            if np.isfinite(without).all() and sample.is_explained_by(without):
                yield f"a factor {name} is missing{where}"
            if sample.is_explained_by(sample.numerical + factor):
                yield f"{name} is added{where}"


def _some_entries(sample: Sample) -> Iterator[str]:
    """Most entries are right; the wrong ones have something in common."""
    wrong = sample.wrong
    if not 0.0 < wrong.mean() < 0.5:
        return
    sizes = np.abs(sample.backprop[wrong])
    if len(sizes) > 1 and sizes[0] > 0.0 and np.ptp(sizes) <= 1e-9 * sizes[0]:
        yield f"most entries are right; the wrong ones are all ±{sizes[0]:.6g}: are they clipped?"
    index = sample.index[wrong]
    shared = [
        f"index {index[0, axis]} along axis {axis}"
        for axis in range(index.shape[1])
        if len(index) > 2 and (index[:, axis] == index[0, axis]).all()
    ]
    where = (
        f"share {' and '.join(shared)}"
        if shared
        else f"are isolated, e.g. {[int(i) for i in index[0]]}"
    )
    zero = "" if sample.backprop[wrong].any() else " and are 0"
    yield f"most entries are right; the wrong ones {where}{zero}: look at slicing or indexing"
