"""Names for the types that the rooms share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from numpy.typing import NDArray

Array = NDArray[Any]
Shapes = dict[str, tuple[int, ...]]  # of arrays, by name

Item = TypeVar("Item")
Progress = Callable[[Iterable[Item]], Iterable[Item]]  # wraps a loop, as tqdm does


@dataclass(frozen=True)
class Counted(Generic[Item]):
    """An iterator with a length, for progress bars."""

    length: int
    items: Iterator[Item]

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[Item]:
        return self.items
