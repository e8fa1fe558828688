"""Schedules: β and the learning rate by epoch, and a training that goes by them."""

import numpy as np
import pytest

from numpyvae import VAE, RMSprop, train
from numpyvae.variants import Schedule


def test_beta_rises_in_equal_steps_and_then_stays():
    schedule = Schedule(beta=2.0, learning_rate=0.1, anneal=4)
    assert [schedule.beta_of(e) for e in (1, 2, 3, 4, 5, 100)] == [0.5, 1.0, 1.5, 2.0, 2.0, 2.0]
    assert [Schedule(beta=2.0, learning_rate=0.1).beta_of(e) for e in (1, 2)] == [2.0, 2.0]


def test_the_rates_of_burda_last_for_the_powers_of_three():
    """0.001 · 10^(−i/7) for 3^i epochs, i = 0 … 7: 3,280 in all."""
    schedule = Schedule(beta=1.0, learning_rate=1e-3, decay="burda")
    rates = [schedule.learning_rate_of(e) for e in range(1, 4001)]
    wanted = [1e-3 * 10 ** (-i / 7) for i in range(8) for _ in range(3**i)]
    assert len(wanted) == 3280
    assert rates[:3280] == pytest.approx(wanted, rel=1e-14)
    assert set(rates[3280:]) == {rates[3279]}
    assert rates[-1] == pytest.approx(1e-4)
    assert Schedule(beta=1.0, learning_rate=0.5).learning_rate_of(3000) == 0.5


def test_a_training_goes_by_it(rng):
    """Every epoch has its own β in its losses; the rate is that of the next step."""
    x, vae = rng.random((60, 12)), VAE(5, image_shape=(3, 4))
    optimizer = RMSprop(vae.parameters)
    training = train(vae, x, epochs=5, batch_size=20, optimizer=optimizer)
    schedule = Schedule(beta=2.0, learning_rate=0.01, anneal=4, decay="burda")
    found = [
        (epoch.number, epoch.train.beta, optimizer.learning_rate)
        for epoch in schedule.epochs(training, vae)
    ]
    rates = [0.01, *[0.01 * 10 ** (-1 / 7)] * 3, 0.01 * 10 ** (-2 / 7)]
    assert found == [(e, min(e / 2, 2.0), pytest.approx(rates[e - 1])) for e in range(1, 6)]


def test_an_epoch_that_is_stopped_leaves_beta_and_the_rate_as_they_were(rng):
    class Stopped(RMSprop):
        def step(self):
            super().step()
            if self.t == 7:
                raise KeyboardInterrupt

    x, vae = rng.random((60, 12)), VAE(5, image_shape=(3, 4))
    training = train(vae, x, epochs=5, batch_size=20, optimizer=Stopped(vae.parameters))
    schedule = Schedule(beta=2.0, learning_rate=0.01, anneal=4, decay="burda")
    epochs = schedule.epochs(training, vae)
    next(epochs), next(epochs)
    before = vae.beta, training.optimizer.learning_rate
    with pytest.raises(KeyboardInterrupt):
        next(epochs)  # the third, of other β
    assert (vae.beta, training.optimizer.learning_rate) == before == (1.0, before[1])


def test_without_anything_to_change_it_changes_nothing(rng):
    x = rng.random((60, 12))
    weights = []
    for wrapped in (False, True):
        vae = VAE(5, image_shape=(3, 4))
        training = train(vae, x, epochs=3, batch_size=20)
        for _ in (
            Schedule(beta=1.0, learning_rate=1e-3).epochs(training, vae) if wrapped else training
        ):
            pass
        weights.append(vae.parameters.value.copy())
    assert np.array_equal(*weights)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"anneal": -1}, "anneal: expected a whole number of at least 0, got -1"),
        ({"anneal": 0.5}, "anneal: expected a whole number of at least 0, got 0.5"),
        ({"decay": "step"}, "decay: expected one of none, burda, got 'step'"),
        ({"beta": -1.0}, "beta: expected a finite number of at least 0, got -1.0"),
        ({"learning_rate": 0.0}, "learning_rate: expected a finite number above 0, got 0.0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Schedule(**{"beta": 1.0, "learning_rate": 0.1} | arguments)
