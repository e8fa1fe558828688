"""The table of known mistakes: each is refused with the sentence that names it."""

import pytest

from numpyvae.course import EXERCISES
from numpyvae.course.judge import judge

pytestmark = pytest.mark.once
TABLE = [(each, mistake) for each in EXERCISES.values() for mistake in each.mistakes]


def making(exercise, mistake):
    """A function that makes the mistake; one in a single result leaves the others right."""
    if not mistake.part:
        return mistake.function

    def function(*arguments):
        names = exercise.returns.split(", ")
        results = list(exercise.right(*arguments))
        results[names.index(mistake.part)] = mistake.function(*arguments)
        return tuple(results)

    return function


@pytest.mark.parametrize(
    ("exercise", "mistake"), TABLE, ids=[f"{each.name}-{m.sentence}" for each, m in TABLE]
)
def test_a_mistake_is_refused_with_its_sentence(exercise, mistake):
    verdict = judge(exercise, making(exercise, mistake))
    assert verdict.status == "not yet"
    assert verdict.mistake == mistake.sentence
    assert mistake.sentence in str(verdict)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_an_exercise_has_its_own_mistakes_and_three_hints(exercise):
    """No sentence stands for two mistakes in the same result."""
    named = [(mistake.part, mistake.sentence) for mistake in exercise.mistakes]
    assert len(set(named)) == len(named) >= 5
    assert len(exercise.hints) == 3
    assert all(sentence.endswith((".", "?")) for _, sentence in named)
    assert exercise.statement


def test_there_are_more_than_four_hundred():
    assert len(TABLE) > 400
