"""A check that says in words what is wrong."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.parameters import Array

NO_MISTAKES: Mapping[str, ArrayLike] = {}


class NotYet(AssertionError):  # noqa: N818  (a verdict, not an error of the program)
    """An exercise is not right yet. A notebook shows the words alone, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        """What IPython asks an exception for, if it has it."""
        return str(self).splitlines()


def expect(
    name: str,
    yours: ArrayLike | None,
    exact: ArrayLike,
    why: str,
    *,
    given: str = "",
    mistakes: Mapping[str, ArrayLike] = NO_MISTAKES,
    tolerance: float = 1e-9,
) -> None:
    """Raise NotYet, in words, unless `yours` is `exact` within `tolerance` of its largest entry.

    name       of what is checked, such as "kl_divergence" or "dense_backward: dW"
    why        where the exact value comes from, such as "by hand: ½ · 2²"
    given      the input, as a learner would type it
    mistakes   values that known mistakes give, each with the sentence that names it

    Of an array, the entry that is furthest off is shown, with its index.
    """
    head = f"{name}: not yet" + (f", for {given}" if given else "")
    if yours is None:
        raise NotYet(f"{head}\n  yours is None: is a `return` missing?")
    try:
        found, right = np.asarray(yours) * 1.0, np.asarray(exact)
    except (TypeError, ValueError):
        raise NotYet(f"{head}\n  yours is no array of numbers, but {yours!r}") from None
    if found.shape != right.shape:
        turned = found.shape == right.shape[::-1]
        remark = "; is it transposed?" if turned else ""
        raise NotYet(f"{head}\n  yours has shape {found.shape}, expected {right.shape}{remark}")

    def agrees(value: Array) -> bool:
        scale = float(np.abs(value[np.isfinite(value)]).max(initial=0.0)) or 1.0
        with np.errstate(invalid="ignore"):  # infinities, which are equal but have no difference
            close = np.abs(found - value) <= tolerance * scale
        return bool((close | (found == value)).all())

    if agrees(right):
        return
    with np.errstate(invalid="ignore"):
        distance = np.nan_to_num(np.abs(found - right), nan=np.inf)
    worst = np.unravel_index(distance.argmax(), right.shape)
    place = f"at [{', '.join(map(str, worst))}]: " if right.ndim else ""
    line = f"  {place}yours {found[worst]:.7g}   exact {right[worst]:.7g} ({why})"
    if right[worst] != 0 and np.isfinite(found[worst]) and found[worst] != 0:
        line += f"   ratio {found[worst] / right[worst]:.4g}"
    said = [f"  {sentence}" for sentence, value in mistakes.items() if agrees(np.asarray(value))]
    raise NotYet("\n".join([head, line, *said[:1]]))
