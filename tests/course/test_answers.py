"""Right answers are not accused, however they are written; wrong ones are refused, and truly."""

import pytest
from examples.right_answers import RIGHT_ANSWERS
from examples.wrong_answers import NAMED, WRONG_ANSWERS

from numpyvae.course import EXERCISES
from numpyvae.course.check import verdict_on

pytestmark = [
    pytest.mark.once,
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),  # some answers overflow
]


def rows(answers):
    return [
        pytest.param(EXERCISES[name], function, id=function.__name__)
        for name, functions in answers.items()
        for function in functions
    ]


@pytest.mark.parametrize(("exercise", "function"), rows(RIGHT_ANSWERS))
def test_a_right_answer_is_not_accused(exercise, function):
    verdict = verdict_on(exercise, function)
    assert verdict.right, verdict


@pytest.mark.parametrize(("exercise", "function"), rows(WRONG_ANSWERS))
def test_a_wrong_answer_is_refused_and_no_mistake_is_named_falsely(exercise, function):
    verdict = verdict_on(exercise, function)
    assert verdict.status == "not yet", verdict
    if "does not depend on" not in verdict.mistake:
        assert verdict.mistake == NAMED.get(function.__name__, ""), function.__doc__


def test_every_exercise_has_four_right_and_three_wrong_ones():
    for name in EXERCISES:
        assert len(RIGHT_ANSWERS[name]) >= 4, name
        assert len(WRONG_ANSWERS[name]) >= 3, name
