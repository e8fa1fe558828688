"""Objects that warn if nobody uses them."""

from __future__ import annotations

import warnings


class Unused:
    """An object that warns when it is deleted, unless `unused` was set to None by then."""

    unused: str | None = None

    def __del__(self) -> None:
        if self.unused is not None:
            warnings.warn(self.unused, RuntimeWarning, stacklevel=2)
