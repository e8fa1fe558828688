"""The texts that people read, README and guides, and what is to be found in them."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDES = ROOT / "tutorials" / "guides"
PATHS = {
    "README": ROOT / "README.md",
    "CONTRIBUTING": ROOT / "CONTRIBUTING.md",
    "tutorials": ROOT / "tutorials" / "README.md",
    "formulas": ROOT / "tutorials" / "formulas.md",
    **{path.stem: path for path in sorted(GUIDES.glob("*.md"))},
}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PATHS.items()}


def words(name):
    """The text on one line, with single spaces."""
    return " ".join(TEXTS[name].split())


def number(name, before):
    """The number that follows the words `before`, a regular expression, in a text."""
    (found,) = re.findall(rf"{before} *(-?[\d.]*\d)", words(name))
    return float(found)


def row(name, head):
    """The numbers in a row of a table, by its first cell."""
    (cells,) = re.findall(rf"^\| {re.escape(head)} \|(.*)\|$", TEXTS[name], re.MULTILINE)
    return [float(value) for value in re.findall(r"-?\d+\.\d+", cells.replace("−", "-"))]


def programs(name):
    """The blocks of Python in a text, each with what it prints, if that stands below it."""
    blocks = re.findall(
        r"```python\n(.*?)```(?:\n\n[^\n]*prints[^\n]*(?:\n[^\n]+)*\n\n```text\n(.*?)```)?",
        TEXTS[name],
        re.DOTALL,
    )
    return [(code, printed or None) for code, printed in blocks]


def commands(name):
    """The commands in a text that begin with numpyvae, as lists of words."""
    lines = re.findall(r"^ {4}(?:\$ |.*&& )?(numpyvae .*)$", TEXTS[name], re.MULTILINE)
    lines += re.findall(r"`(numpyvae [^`]* --[^`]*)`", TEXTS[name])
    return [re.split(r"\s{2,}|:$", line)[0].split() for line in lines]
