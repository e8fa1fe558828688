"""Objects that warn if nobody uses them."""

from __future__ import annotations

import warnings


class Unused:
    """An object that warns when it is deleted, unless `if_unused`, the warning, is None by then."""

    if_unused: str | None = None

    def __del__(self) -> None:
        if self.if_unused is not None:
            warnings.warn(self.if_unused, RuntimeWarning, stacklevel=2)
