import numpy as np
import pytest

from numpyvae import Adam, RMSprop, plain
from numpyvae.core.parameters import Parameters


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-15), (np.float32, 3e-7)])
def test_rmsprop_equals_the_two_lines_of_the_textbook(five_steps, dtype, error):
    theta, gradients, moved = five_steps(lambda p: RMSprop(p, 0.01, 0.8, 1e-6), dtype, size=9_000)
    weights, s = {"theta": theta}, {"theta": np.zeros_like(theta)}
    for g in gradients:
        plain.rmsprop(weights, {"theta": g}, s, 0.01, 0.8, 1e-6)
    np.testing.assert_allclose(moved, weights["theta"], rtol=error, atol=error)


def test_means_of_weights_without_gradient_never_stay_subnormal():
    parameters = Parameters({"theta": (1000,)}, np.float32)
    parameters.grad[:] = 1e-3
    optimizer = RMSprop(parameters)
    optimizer.step()
    moved = parameters.value.copy()
    parameters.grad[:] = 0.0
    subnormal = []
    for _ in range(1500):
        optimizer.step()
        subnormal.append(((optimizer.s > 0) & (np.finfo(np.float32).tiny > optimizer.s)).any())
    assert not any(subnormal)
    assert not optimizer.s.any()
    assert np.array_equal(parameters.value, moved)


def test_defaults_are_those_of_keras_2_and_of_the_adam_paper():
    rmsprop, adam = RMSprop(Parameters({})), Adam(Parameters({}))
    assert (rmsprop.learning_rate, rmsprop.rho, rmsprop.epsilon) == (1e-3, 0.9, 1e-7)
    assert (adam.learning_rate, adam.beta1, adam.beta2, adam.epsilon) == (1e-3, 0.9, 0.999, 1e-8)


def test_epsilon_stands_outside_the_root():
    parameters = Parameters({"theta": (1,)}, np.float64)
    parameters.grad[:] = 1.0
    RMSprop(parameters, learning_rate=1.0, rho=0.0, epsilon=3.0).step()
    assert parameters.value[0] == -0.25  # 1 / (√1 + 3); inside it would be 1 / √(1 + 3) = ½


@pytest.mark.parametrize("optimizer", [RMSprop, Adam])
def test_a_step_writes_into_the_weights_and_leaves_the_gradient(rng, optimizer):
    parameters, gradient = Parameters({"theta": (40,)}), rng.standard_normal(40).astype("f4")
    value, view = parameters.value, parameters["theta"]
    before = value.copy()
    parameters.grad[:] = gradient
    optimizer(parameters).step()
    assert parameters.value is value
    assert np.shares_memory(view, value)
    assert not np.array_equal(value, before)
    assert np.array_equal(parameters.grad, gradient)


@pytest.mark.parametrize("optimizer", [RMSprop, Adam])
def test_a_gradient_of_zero_moves_nothing(optimizer):
    parameters = Parameters({"theta": (3,)})
    optimizer(parameters).step()
    assert parameters.value.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: RMSprop(p, 0.0), "learning_rate: expected a finite number above 0, got 0.0"),
        (lambda p: RMSprop(p, float("inf")), "learning_rate: expected a finite number above 0"),
        (lambda p: RMSprop(p, rho=1.0), "rho: expected a number of at least 0 and below 1"),
        (lambda p: RMSprop(p, epsilon=-1), "epsilon: expected a finite number above 0, got -1"),
        (lambda p: Adam(p, -1e-3), "learning_rate: expected a finite number above 0, got -0.001"),
        (lambda p: Adam(p, beta2=1.5), "beta2: expected a number of at least 0 and below 1"),
    ],
)
def test_bad_settings_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make(Parameters({}))
