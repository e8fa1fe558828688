"""The skeleton of a new exercise, for `python tutorials/build.py --new-exercise NAME NN`."""

import re
from pathlib import Path

from numpyvae.course import EXERCISES

TUTORIALS = Path(__file__).parent
ROOT = TUTORIALS.parent
FILES = ROOT / "numpyvae" / "course" / "exercises"

CELLS = '''# %% [markdown]
# ### Exercise {number}: `{name}`
#
# TODO: say what to derive on paper, and what to return, with shapes.


# %%
def {name}(x):
    """TODO: the equation, and the shapes: x (B, n) → (B,)."""
    # BEGIN SOLUTION
    return x.sum(axis=1)
    # END SOLUTION


# %% [markdown]
# **The check:** TODO: which inputs it tries, in a sentence.

# %%
check("{name}", {name})

'''

EXERCISE = '''"""An exercise of notebook {number}: TODO, what it is about."""

from numpyvae.course.exercise import Case, Exercise, Mistake


def {name}(x):
    """TODO: the equation. This is the solution that the checks compare with."""
    return x.sum(axis=1)


# fmt: off
EXERCISES = (
    Exercise(
        "{notebook}",
        "TODO: what it returns, with shapes, for x (B, n)",
        {name},
        source="TODO: where the exact value comes from",
        # An input that a learner can compute by hand, the reason, and the exact value.
        by_hand=(Case(([[1, 2]],), "TODO by hand: 1 + 2", [3]),),
        # Random inputs of many sizes; see Exercise for the letters.
        sample=lambda draw, B, n: (draw(B, n),),
        # What learners do wrong: a sentence, and a function that does it. The check must refuse
        # each of them with this sentence and no other.
        mistakes=(
            Mistake("TODO: This is a mean over the entries; take their sum.",
                    lambda x: x.mean(axis=1)),
            Mistake("TODO: The sign is flipped.", lambda x: -x.sum(axis=1)),
            Mistake("TODO: This sums everything; each row has a sum of its own.",
                    lambda x: x.sum() + 0 * x.sum(axis=1)),
            Mistake("TODO: This sums the squares.", lambda x: (x * x).sum(axis=1)),
            Mistake("TODO: This leaves out the first entry.", lambda x: x[:, 1:].sum(axis=1)),
        ),
        # Three hints: a question, a step, the line.
        hints=(
            "TODO: which axis are the entries?",
            "TODO: sum over axis 1.",
            "return x.sum(axis=1)",
        ),
    ),
)
'''

RIGHT = '''def {name}_with_{word}(x):
    """TODO: a right answer, written as another student would."""
    return x.sum(axis=1)


'''

WRONG = '''def {name}_off_by_{word}(x):
    """TODO: a wrong answer that is none of the known mistakes."""
    return x.sum(axis=1) + {amount}


'''


def new_exercise(name: str, notebook: str) -> list[str]:
    """Write the skeleton of exercise `name` of the notebook, such as "05"; what to fill in.

    It runs and passes its tests as it is: an exercise to sum the rows of x. Raises ValueError if
    the name is taken or no name, and if there is no such notebook.
    """
    file = FILES / f"{name}.py"
    if not re.fullmatch("[a-z][a-z0-9_]*", name):
        raise ValueError(f"{name}: expected a name for a function, such as kl_divergence")
    if file.exists() or name in EXERCISES:
        raise ValueError(f"{name}: there is such an exercise; choose another name")
    scripts = sorted(TUTORIALS.glob(f"{notebook}_*.py"))
    if not re.fullmatch(r"\d\d", notebook) or not scripts:
        raise ValueError(f"{notebook}: no such notebook; expected its number, such as 05")
    script, words = scripts[0], {"name": name, "notebook": scripts[0].stem}
    text = script.read_text(encoding="utf-8")
    number = 1 + max(map(int, re.findall(r"^# ### Exercise (\d+)", text, re.MULTILINE)), default=0)
    place = text.index("# %% [markdown]\n# ## The picture to remember")
    cells = CELLS.format(number=number, **words)
    script.write_text(text[:place] + cells + text[place:], encoding="utf-8")
    file.write_text(EXERCISE.format(number=notebook, **words), encoding="utf-8")
    _register(name)
    _row(name, script.stem)
    answers = ROOT / "tests" / "examples"
    right = [
        RIGHT.format(word=word, **words) for word in ("numpy", "a_loop", "einsum", "a_product")
    ]
    wrong = [
        WRONG.format(word=word, amount=a, **words)
        for word, a in zip(("one", "two", "ten"), (1, 2, 10))
    ]
    _before(answers / "right_answers.py", "def exercise_of", "".join(right))
    _before(answers / "wrong_answers.py", "def exercise_of", "".join(wrong))
    return [
        f"{script}: the text, the solution, the check: look for TODO",
        f"{file}: what is known about the exercise: look for TODO",
        f"{answers}: four right and three wrong answers called {name}_…, for the tests",
        f"then: python tutorials/build.py {notebook}, and pytest tests/course tests/tutorials",
    ]


def _register(name: str) -> None:
    """Import the file in the table of exercises, and list it there at the end."""
    path = FILES / "__init__.py"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"(import \(\n)(.*?)(\n\))", lambda m: m[1] + _sorted(m[2], name) + m[3], text,
                  count=1, flags=re.DOTALL)  # fmt: skip
    text = re.sub(r"(_FILES = \(.*?)\)  # fmt", rf"\1, {name})  # fmt", text, flags=re.DOTALL)
    path.write_text(text, encoding="utf-8")


def _sorted(lines: str, name: str) -> str:
    return "\n".join(sorted([*lines.splitlines(), f"    {name},"]))


def _row(name: str, notebook: str) -> None:
    """Name the exercise in the row of its notebook, in the README of the course."""
    path = TUTORIALS / "README.md"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    for i, line in enumerate(lines):
        if f"({notebook}.ipynb)" in line and line.startswith("| ["):
            cells = line.split("|")
            cells[3] = f"{cells[3].rstrip()}, `{name}` "
            lines[i] = "|".join(cells)
    path.write_text("".join(lines), encoding="utf-8")


def _before(path: Path, place: str, new: str) -> None:
    """Insert text before a place in a file."""
    text = path.read_text(encoding="utf-8")
    i = text.index(place)
    path.write_text(text[:i] + new + text[i:], encoding="utf-8")
