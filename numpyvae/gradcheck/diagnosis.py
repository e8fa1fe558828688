"""The probable cause of a wrong gradient, in words. Patterns are tried in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from numpyvae.gradcheck.finite_differences import Array
from numpyvae.gradcheck.probe import Probe
from numpyvae.gradcheck.report import Row
from numpyvae.gradcheck.samples import Sample, take_sample

NO_PATTERN = "no simple pattern"


def diagnose(
    probe: Probe,
    gradient: Array,
    wrong: Row,
    constants: Mapping[str, float],
    factors: Mapping[str, Array],
    rng: np.random.Generator,
    progress: Callable[[Iterable[str]], Iterable[str]] = iter,
) -> str:
    """One sentence about the wrong gradient of the Row `wrong`.

    constants  possible values of a missing or extra factor, by name, such as
               {"the batch size": 5}; best if no two of them, nor their products, are equal
    factors    possible arrays for a missing or extra factor, by name; those of the shape of the
               wrong gradient are tried
    """
    if not gradient.any():
        return f"{wrong.name} is 0 everywhere: was it ever written?"
    sample = take_sample(probe, gradient, wrong, rng, progress)
    factors = {name: array for name, array in factors.items() if array.shape == gradient.shape}
    for sentence in _patterns(sample, dict(constants), factors):
        return f"{wrong.name}: {sentence}"
    lengths = np.linalg.norm(sample.backprop) * np.linalg.norm(sample.numerical)
    cosine = sample.backprop @ sample.numerical / lengths if lengths else 0.0
    return (
        f"{wrong.name}: {NO_PATTERN}; the cosine of its angle to the right gradient is "
        f"{cosine:.2f}. Check the lines that write it, and look for a term that only the loss has"
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
    c = 0.0 if abs(c) < 1e-9 else c
    if sample.is_explained_by(c * sample.numerical):
        times = f"{c:.6g}" if abs(c - 1.0) > 1e-4 else f"1 {c - 1.0:+.1e}"
        which = _which(c, constants)
        if len(sample.backprop) == 1 and not which:
            which = ". That is one entry, which tells little"
        else:
            which = f", everywhere{which}"
        yield f"backprop is {times} times what it should be{which}"


def _which(c: float, constants: dict[str, float]) -> str:
    """The name of the factor c, if it has one, and only one."""
    if abs(c + 1.0) < 1e-6:
        return ": the sign is wrong"
    names = []
    for sign, also in ((1.0, ""), (-1.0, ", and the sign is wrong")):
        for name, value in constants.items():
            if abs(c - sign * value) < 1e-6 * abs(value):
                names.append(f": that is {name}{also}")
            if abs(c * value - sign) < 1e-6:
                names.append(f": that is 1 / {name}{also}")
    return names[0] if len(names) == 1 else ""


def _transposed(sample: Sample) -> Iterator[str]:
    """Backprop is the transpose of the right gradient, a square matrix."""
    whole = sample.whole
    if whole.ndim == 2 and whole.shape[0] == whole.shape[1]:
        turned = whole.T[tuple(sample.index.T)]
        if np.all(np.abs(turned - sample.numerical) <= sample.tolerance):
            yield "it is the transpose of the right gradient"


def _terms(sample: Sample, constants: dict[str, float]) -> Iterator[str]:
    """Backprop is a sum of the gradients of the terms, with weights other than 1."""
    present = {name: part for name, part in sample.terms.items() if part.any()}
    if len(present) < 2 or len(sample.backprop) <= len(present):
        return
    matrix = np.column_stack(list(present.values()))
    shares, *_ = np.linalg.lstsq(matrix, sample.backprop, rcond=None)
    if np.linalg.cond(matrix) > 1e8 or not sample.is_explained_by(matrix @ shares):
        return
    shown = [0.0 if abs(share) < 1e-9 else float(share) for share in shares]
    equation = " + ".join(f"{c:.6g} x grad({name})" for c, name in zip(shown, present))
    equation = equation.replace("+ -", "- ")
    wrong = [
        f"{name} is missing" if c == 0.0 else f"{name} counts {c:.6g} times{_which(c, constants)}"
        for c, name in zip(shown, present)
        if abs(c - 1.0) > 1e-6
    ]
    yield f"backprop = {equation}; {', '.join(wrong)}"


def _penalty(sample: Sample) -> Iterator[str]:
    """The difference is a multiple of the parameter, or of its sign.

    If a loss does not depend on the length of a parameter, as with weight normalization, its
    gradient is orthogonal to the parameter; backprop without that projection differs by a multiple.
    """
    gap = sample.backprop - sample.numerical
    for what, shape in (("", sample.parameter), ("the sign of ", np.sign(sample.parameter))):
        constant = bool(what) and np.ptp(shape) == 0.0  # then any shift would fit
        if len(gap) > 2 and shape.any() and not constant:
            c = float(gap @ shape / (shape @ shape))
            if c and sample.is_explained_by(sample.numerical + c * shape):
                along = abs(float(sample.numerical @ sample.parameter))
                room = float(sample.tolerance @ np.abs(sample.parameter))
                if not what and len(gap) == sample.whole.size and along <= room:
                    yield (
                        f"it is off by {c:.4g} x the parameter, and the right gradient is "
                        "orthogonal to the parameter: the projection of a normalization is "
                        "missing, or a penalty is in backward only"
                    )
                yield (
                    f"it is off by {c:.4g} x {what}the parameter, as if a penalty on the "
                    f"parameters were in {'backward' if c > 0.0 else 'the loss'} only"
                )


def _not_zero_where_it_should_be(sample: Sample) -> Iterator[str]:
    """Every wrong entry should be 0 and is not, or is 0 and should not be: a mask."""
    open_ = (np.abs(sample.numerical) <= sample.error) & sample.wrong
    shut = (sample.backprop == 0.0) & sample.wrong
    if (open_ | shut).sum() < 3 and len(open_) > 3:
        return  # too few to speak of a mask
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
            "a mask such as that of the ReLU is missing, or is not 0 there"
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
    """Most entries are right; the wrong ones have something in common.

    k entries share an index of an axis of length n by chance with probability n^(1 − k); below
    1 in 1000, it says something.
    """
    wrong = sample.wrong
    if not 0.0 < wrong.mean() < 0.5:
        return
    sizes = np.abs(sample.backprop[wrong])
    limited = (
        np.all(sample.backprop[wrong] * sample.numerical[wrong] > 0.0)
        and np.all(np.abs(sample.numerical[wrong]) > sizes)
        and np.all(np.abs(sample.backprop[~wrong]) <= sizes[0] * (1.0 + 1e-9))
    )
    if limited and len(sizes) > 2 and np.ptp(sizes) <= 1e-9 * sizes[0]:
        yield f"most entries are right; the wrong ones are all ±{sizes[0]:.6g}: are they clipped?"
    index = sample.index[wrong]
    shared = [
        f"index {index[0, axis]} along axis {axis}"
        for axis, length in enumerate(sample.whole.shape)
        if length ** float(1 - len(index)) < 1e-3 and (index[:, axis] == index[0, axis]).all()
    ]
    zero = "" if sample.backprop[wrong].any() else ", all 0 there"
    if shared:
        same = f"share {' and '.join(shared)}{zero}"
        yield f"most entries are right; the wrong ones {same}: look at slicing or indexing"
    count, place = f"{len(index)} wrong of {len(wrong)} looked at{zero}", [int(i) for i in index[0]]
    yield (
        f"most entries are right, but not {place} ({count}): look for an index, a mask, a limit "
        "or a branch that only some entries take"
    )
