"""What has passed, when, and with which hints."""

import pytest

from numpyvae.course import EXERCISES, check, start
from numpyvae.course.hints import next_hint, solution
from numpyvae.course.progress import FILE, load_progress, note_passed
from numpyvae.course.variants import variant

KL = EXERCISES["kl_divergence"]


@pytest.fixture
def folder(tmp_path):
    start(tmp_path / "my")
    return tmp_path / "my"


def test_a_passed_check_is_noted_once(folder, monkeypatch):
    monkeypatch.chdir(folder)
    check("kl_divergence", KL.right)
    first = load_progress(folder)["kl_divergence"].passed
    assert first[:2] == "20"
    note_passed(folder, [KL, EXERCISES["dense"]])
    records = load_progress(folder)
    assert records["kl_divergence"].passed == first
    assert records["dense"].passed
    assert set(records) == {"kl_divergence", "dense"}


def test_hints_come_one_after_the_other_and_are_noted(folder):
    for number, text in enumerate((*KL.hints, KL.hints[-1]), start=1):
        said = next_hint(KL, folder)
        assert said.startswith(f"kl_divergence, hint {min(number, 3)} of 3: {text}\n")
        assert said.endswith("--solution") == (number >= 3)
    assert "return 0.5 * (mu**2" in solution(KL, folder)
    record = load_progress(folder)["kl_divergence"]
    assert (record.passed, record.hints, record.solution) == ("", 3, True)


@pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
def test_every_solution_is_found_whole(exercise, tmp_path):
    text = solution(exercise, tmp_path)
    compile(text, "solution", "exec")
    assert text.startswith(f"def {exercise.name}(")
    assert "SOLUTION" not in text
    assert "return" in text


def test_a_variant_has_hints_but_no_solution(tmp_path):
    kl = variant(1).exercises["kl"]
    assert next_hint(kl, tmp_path).startswith("variant_1.kl, hint 1 of 3: ")
    with pytest.raises(ValueError, match=r"variant_1\.kl: a variant has no solution"):
        solution(kl, tmp_path)
    assert not list(tmp_path.iterdir())  # it is no working folder, so nothing is noted


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"dense": 3}',
        '{"dense": {"passed": "", "x": 1}}',
        "[" * 100_000,
        '{"dense": {"hints": 1.5}}',
        '{"dense": {"hints": -1}}',
        '{"dense": {"passed": true}}',
        '{"dense": {"passed": "\\u001b[31m"}}',
        '{"dense": {"solution": 1}}',
    ],
)
def test_a_damaged_record_is_named_with_the_remedy(folder, text):
    (folder / FILE).write_text(text)
    with pytest.raises(ValueError, match=r"progress\.json: damaged; delete it"):
        load_progress(folder)
