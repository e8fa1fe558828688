"""The state of an object: copied, and restored exactly."""

import json

import numpy as np
import pytest

from numpyvae.support.state import Stateful


class Part(Stateful):
    def __init__(self, size):
        self.parameters = "not part of the state"
        self.rate, self.count, self.mean = 0.5, 3, np.arange(size, dtype=np.float32)
        self._work = "nor this"


class Whole(Stateful):
    def __init__(self, seed, size=4):
        self.part, self.noise = Part(size), np.random.default_rng(seed)


def test_a_state_is_a_copy_and_brings_everything_back():
    one, two = Whole(1), Whole(2)
    state = one.state()
    assert set(state) == {"part", "noise"}
    assert set(state["part"]) == {"rate", "count", "mean"}
    expected = one.noise.standard_normal(5)
    one.part.mean[:] = 9.0
    one.part.count = 8
    kept = two.part.mean
    two.restore(state)
    assert two.part.mean is kept  # views stay views
    assert two.part.mean.tolist() == [0, 1, 2, 3]
    assert (two.part.count, two.part.rate) == (3, 0.5)
    assert two.noise.standard_normal(5).tolist() == expected.tolist()


def test_all_but_the_arrays_is_json():
    state = Whole(1).state()
    del state["part"]["mean"]
    assert json.loads(json.dumps(state)) == state


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"part": None}, "state: expected rate, count, mean, got None"),
        ({"part": {"rate": 1.0}}, r"state: expected rate, count, mean, got \['rate'\]"),
        ({"noise": 3}, "noise: expected the state of a random generator"),
        ({"noise": {"bit_generator": "PCG64"}}, "noise: expected the state of a random generator"),
        ({"noise": {"bit_generator": "MT19937"}}, "noise: expected the state of a random"),
        ({"more": 1}, "state: expected part, noise, got"),
        ({"rate": np.nan}, "rate: expected a finite number"),
        ({"count": -1}, "count: expected a whole number of at least 0"),
        ({"mean": np.zeros(3)}, r"mean: expected shape \(4,\), got \(3,\)"),
        ({"mean": np.full(4, np.inf)}, "mean: expected finite numbers"),
    ],
)
def test_a_state_of_something_else_is_refused(changes, message):
    state = Whole(1).state()
    inner = {name: value for name, value in changes.items() if name in state["part"]}
    state["part"].update(inner)
    state.update({name: value for name, value in changes.items() if name not in inner})
    with pytest.raises(ValueError, match=message):
        Whole(1).restore(state)
