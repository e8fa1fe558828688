"""Taking the solutions out of exercises."""

import re

BEGIN, END = "# BEGIN SOLUTION", "# END SOLUTION"
NOT_WRITTEN = "not written yet"


def blank(source: str) -> str:
    """The source with each block from `# BEGIN SOLUTION` to `# END SOLUTION` replaced by a blank.

    A block stands inside a function. The blank gives the number of lines of our solution, and
    raises NotImplementedError with the name of the function. Everything else stays the same.
    Raises ValueError for a marker without its partner, and for a block outside of a function.
    """
    kept: list[str] = []
    name, start = None, None  # the last function; the line on which the open block begins
    for number, line in enumerate(source.splitlines(), start=1):
        marker, indent = line.strip(), line[: len(line) - len(line.lstrip())]
        if marker == (BEGIN if start else END):
            raise ValueError(f"line {number}: {marker} without its partner")
        if marker == BEGIN:
            if name is None:
                raise ValueError(f"line {number}: {marker} outside of a function")
            start = number
        elif marker == END and start:
            count = number - start - 1
            lines = "1 line" if count == 1 else f"{count} lines"
            kept.append(f"{indent}# Yours to write; ours has {lines}. Then delete the next line.")
            kept.append(f'{indent}raise NotImplementedError("{name}: {NOT_WRITTEN}")')
            start = None
        elif not start:
            kept.append(line)
            if found := re.match(r"\s*def (\w+)", line):
                name = found[1]
    if start:
        raise ValueError(f"line {start}: {BEGIN} without its partner")
    return "\n".join(kept) + "\n" * source.endswith("\n")
