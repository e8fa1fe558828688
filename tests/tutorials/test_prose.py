"""The prose: its parts, its spelling, its links, its formulas."""

import re
from pathlib import Path

import pytest
from documents import TEXTS
from spellchecker import SpellChecker
from tutorial_files import FOLDER, NAMES, cells, exercises, prose

pytestmark = pytest.mark.once


def test_they_are_numbered_in_order():
    assert [name[:2] for name in NAMES] == [f"{number:02}" for number in range(1, len(NAMES) + 1)]


@pytest.mark.parametrize("name", NAMES)
def test_every_tutorial_has_its_parts(name):
    text = prose(name)
    assert "**The one idea: " in text
    assert "## The picture to remember" in text
    assert "**Predict" in text
    five = text.split("## In five lines")[1].split("##")[0]
    assert re.findall(r"^(\d)\. ", five, re.MULTILINE) == list("12345")
    further = re.findall(r"^(\d)\. ", text.split("## Further exercises")[1], re.MULTILINE)
    assert further == list("123")


@pytest.mark.parametrize("name", NAMES)
def test_every_tutorial_derives_something_on_paper_and_folds_the_answer_away(name):
    derivation, *_ = [cell for cell in cells(name, "markdown") if "**On paper" in cell]
    _, _, after = derivation.partition("**On paper")
    assert re.search(r"<details><summary>.*?</summary>\n\n.+?\n\n</details>", after, re.DOTALL)
    assert prose(name).count("<details>") == prose(name).count("</details>")


@pytest.mark.parametrize("name", NAMES)
def test_every_tutorial_says_where_to_read_on(name):
    references = prose(name).split("## Read on")[1].split("Next: ")[0]
    listed = re.findall(r"^\* (.+)$", references, re.MULTILINE)
    assert len(listed) >= 2
    assert all(re.search(r"\*.+\*.*(19|20)\d\d", each) for each in listed)


@pytest.mark.parametrize("name", NAMES)
def test_every_tutorial_computes_in_one_blas_thread(name):
    assert "\nthreadpool_limits(1)  #" in cells(name)[0]


def test_the_readme_lists_the_exercises_and_the_minutes():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    total = 0
    for name in NAMES:
        row = next(line for line in text.splitlines() if f"({name}.ipynb)" in line)
        wanted = ", ".join(f"`{function.name}`" for function in exercises(name))
        assert wanted in row
        minutes, seconds = (cell.strip() for cell in row.split("|")[4:6])
        assert f"*Time:* {minutes} minutes" in prose(name)
        total += int(minutes)
        needs = re.findall(r"\d\d", row.split("|")[6])
        asked = re.search(r"\*You need:\*(.*?)\*Time", prose(name))[1]
        assert needs == re.findall(r"\b\d\d\b", asked), name
        if name[:2] in ("03", "10"):
            assert f"*Runs in:* {seconds.removesuffix(' s')} seconds" in prose(name)
    assert f"In total that is {total} minutes for a learner" in text


def plain_words(text):
    """The English words: no code, formulas, links or names with digits in them."""
    text = re.sub(
        r"```.*?```|\$\$.*?\$\$|\$[^$]*\$|`[^`\n]*`|\]\([^)]*\)|^    .*$",
        " ",
        text,
        flags=re.S | re.M,
    )
    return set(re.findall(r"(?<![\w'])[A-Za-z]+(?:'[a-z]+)?(?![\w'])", text))


def test_the_prose_is_spelled_right():
    spelling = SpellChecker()
    allowed = set((Path(__file__).parent / "words.txt").read_text(encoding="utf-8").split())
    texts = {name: re.sub(r"## Read on\n.*", "", prose(name), flags=re.DOTALL) for name in NAMES}
    texts |= {name: text for name, text in TEXTS.items() if name != "formulas"}
    used = {word for text in texts.values() for word in plain_words(text)}
    unknown = {
        word for word in used - allowed
        if spelling.unknown([word.removesuffix("'s")]) and word.removesuffix("'s") not in allowed
    }  # fmt: skip
    where = {
        word: [name for name, text in texts.items() if word in plain_words(text)]
        for word in unknown
    }
    assert not where
    assert spelling.unknown(["recieve", "gradeint"]) == {"recieve", "gradeint"}


def test_every_link_resolves_in_the_project_and_in_a_working_folder(started):
    texts = {name: prose(name) for name in NAMES}
    texts["README"] = (FOLDER / "README.md").read_text(encoding="utf-8")
    targets = [target for text in texts.values() for target in re.findall(r"\]\(([^)#]+)\)", text)]
    assert len(targets) >= 19
    for target in targets:
        assert (FOLDER / target).exists(), target
        assert (started / target).exists(), target


@pytest.mark.parametrize("name", NAMES)
def test_every_formula_is_closed(name):
    for cell in cells(name, "markdown"):
        assert cell.count("$") % 2 == 0, cell
        for formula in re.findall(r"\$\$(.*?)\$\$|\$([^$]+)\$", cell, re.S):
            body = "".join(formula)
            assert body.count("{") == body.count("}"), body
