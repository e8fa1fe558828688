"""Published losses beside ours: the comparison, quickly, and the real thing, slowly."""

import dataclasses

import numpy as np
import pytest

from numpyvae.cli import main
from numpyvae.runs import reproduction
from numpyvae.runs.reproduction import PUBLISHED, Reproduction, reproduce


def test_agreement_is_that_of_the_mean_over_the_seeds():
    classic = PUBLISHED["classic"]
    near = np.array([[172.0, 158.0, 151.0], [173.0, 157.0, 150.5]])
    assert Reproduction(classic, near).agrees.tolist() == [True, True, True]
    lines = str(Reproduction(classic, near)).splitlines()
    assert lines[3].split()[:3] == ["1", "171.57", "172.50"]
    assert lines[3].endswith("2, 172.00 to 173.00   agrees (+0.93; within 3)")
    apart = near + np.array([[-5.0], [1.0]])  # one seed alone would not
    assert Reproduction(classic, apart).agrees.tolist() == [True, False, False]
    far = near + np.array([0.0, 0.0, 6.0])
    assert Reproduction(classic, far).agrees.tolist() == [True, True, False]
    assert "DISAGREES (+3.71; within 3)" in str(Reproduction(classic, far))


@pytest.fixture
def quick(mnist, monkeypatch):
    """The classic for one epoch on few images: it learns less than what was published."""
    (x, y), test = mnist
    monkeypatch.setattr(reproduction, "load_mnist", lambda: ((x[:2000], y[:2000]), test))
    one = dataclasses.replace(PUBLISHED["classic"], losses={1: 171.57, 2: 165.0})
    monkeypatch.setitem(PUBLISHED, "classic", one)
    return one


def test_the_marks_are_the_test_losses_of_their_epochs(quick):
    found = reproduce(quick, [0, 1])
    assert found.ours.shape == (2, 2)
    assert (found.ours[:, 1] < found.ours[:, 0]).all()
    np.testing.assert_array_equal(found.ours[:1], reproduce(quick, [0]).ours)


def test_the_exit_status_tells_whether_they_agree(quick, capsys):
    assert main(["reproduce", "classic", "--seeds", "1"]) == 1
    out = capsys.readouterr().out
    assert "DISAGREES" in out
    assert "Keras 2.1" in out
    assert main(["reproduce", "classic", "--seeds", "0"]) == 2
    assert "seeds: expected a whole number" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seeds"), [("classic", 2), ("pytorch-400-20", 2)])
def test_the_published_losses_are_reproduced(name, seeds, capsys):
    assert main(["reproduce", name, "--seeds", str(seeds)]) == 0
    assert "DISAGREES" not in capsys.readouterr().out
