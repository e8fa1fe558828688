"""Published losses beside ours: the comparison, quickly, and the real thing, slowly."""

import dataclasses

import numpy as np
import pytest

from numpyvae import Epoch, Loss
from numpyvae.cli import main
from numpyvae.runs import Settings, reproduction
from numpyvae.runs.processes import Failure
from numpyvae.runs.reproduction import PUBLISHED, Reproduction, reproduce
from numpyvae.runs.run import prepare


def compared(losses):
    return Reproduction(PUBLISHED["classic"], dict(enumerate(losses)), {})


def test_agreement_is_that_of_the_mean_over_the_seeds():
    near = np.array([[172.0, 158.0, 151.0], [173.0, 157.0, 150.5]])
    assert compared(near).agrees.tolist() == [True, True, True]
    lines = str(compared(near)).splitlines()
    assert lines[3].split()[:3] == ["1", "171.57", "172.50"]
    assert lines[3].endswith("2, 172.00 to 173.00   agrees (+0.93; within 3)")
    apart = near + np.array([[-5.0], [1.0]])  # one seed alone would not
    assert compared(apart).agrees.tolist() == [True, False, False]
    far = near + np.array([0.0, 0.0, 6.0])
    assert compared(far).agrees.tolist() == [True, True, False]
    assert "DISAGREES (+3.71; within 3)" in str(compared(far))


@pytest.fixture
def quick(mnist, monkeypatch, tmp_path):
    """The classic for two epochs on few images: it learns less than what was published."""
    (x, _), (x_test, _) = mnist
    np.savez(tmp_path / "few.npz", x_train=x[:2000], x_test=x_test[:500])
    settings = Settings(str(tmp_path / "few.npz"), epochs=2)
    losses = {1: 171.57, 2: 165.0}
    few = dataclasses.replace(PUBLISHED["classic"], settings=settings, losses=losses)
    monkeypatch.setitem(PUBLISHED, "classic", few)
    return few


def test_the_marks_are_the_test_losses_of_their_epochs(quick):
    found = reproduce(quick, [0, 1], jobs=2)
    for seed in (0, 1):
        _, _, training = prepare(dataclasses.replace(quick.settings, seed=seed))
        assert found.ours[seed] == [epoch.test.total for epoch in training]
        assert found.ours[seed][1] < found.ours[seed][0]
    assert found.problems == {}


def test_a_training_that_fails_is_named_and_the_others_count(quick, monkeypatch, capsys):
    class Losing:
        """Seed 1 breaks after its first epoch."""

        def __call__(self, task, arguments, jobs):
            loss = Loss(160.0, 5.0)
            yield 0, Epoch(1, 2, loss, loss, 0.0)
            yield 1, Epoch(1, 2, loss, loss, 0.0)
            yield 1, Failure("no memory")
            yield 0, Epoch(2, 2, loss, loss, 0.0)

    monkeypatch.setattr(reproduction, "in_processes", Losing())
    found = reproduce(quick, [7, 8])
    assert found.ours == {7: [165.0, 165.0]}
    assert found.problems == {8: "no memory"}
    assert main(["reproduce", "classic", "--seeds", "2"]) == 1
    assert capsys.readouterr().err == "numpyvae: seed 1: no memory\n"


def test_the_exit_status_tells_whether_they_agree(quick, capsys):
    assert main(["reproduce", "classic", "--seeds", "1"]) == 1
    out = capsys.readouterr().out
    assert "DISAGREES" in out
    assert "Keras 2.1" in out
    assert main(["reproduce", "classic", "--seeds", "0"]) == 2
    assert "seeds: expected a whole number" in capsys.readouterr().err


def test_if_no_training_completes_there_is_one_line_and_status_1(quick, monkeypatch, capsys):
    failures = [(0, Failure("no memory")), (1, Failure("no memory"))]
    monkeypatch.setattr(reproduction, "in_processes", lambda *_: iter(failures))
    assert main(["reproduce", "classic", "--seeds", "2"]) == 1
    assert capsys.readouterr().err == "numpyvae: no training completed; seed 0: no memory\n"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seeds"), [("classic", 2), ("pytorch-400-20", 2)])
def test_the_published_losses_are_reproduced(name, seeds, capsys):
    assert main(["reproduce", name, "--seeds", str(seeds)]) == 0
    assert "DISAGREES" not in capsys.readouterr().out
