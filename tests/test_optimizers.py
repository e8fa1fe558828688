import naive
import numpy as np
import pytest

from numpyvae import Adam, RMSprop
from numpyvae.parameters import Parameters


@pytest.fixture
def start(rng):
    """Parameters, and the gradients of five steps that span twelve orders of magnitude."""

    def make(dtype=np.float64, size=40):
        parameters = Parameters({"theta": (size,)}, dtype)
        parameters.value[:] = rng.standard_normal(size)
        scale = 10.0 ** rng.uniform(-10, 2, size)
        return parameters, [(scale * rng.standard_normal(size)).astype(dtype) for _ in range(5)]

    return make


def run(optimizer, parameters, gradients):
    for gradient in gradients:
        parameters.grad[:] = gradient
        optimizer.step()
    return parameters.value


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-15), (np.float32, 3e-7)])
def test_rmsprop_equals_the_loops(start, dtype, error):
    parameters, gradients = start(dtype)
    theta = parameters.value.astype(float)
    moved = run(RMSprop(parameters, 0.01, 0.8, 1e-6), parameters, gradients)
    exact = naive.rmsprop(theta, [g.astype(float) for g in gradients], 0.01, 0.8, 1e-6)
    np.testing.assert_allclose(moved, exact, rtol=error, atol=error)


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-15), (np.float32, 3e-7)])
def test_adam_equals_the_loops(start, dtype, error):
    parameters, gradients = start(dtype)
    theta = parameters.value.astype(float)
    moved = run(Adam(parameters, 0.01, 0.8, 0.95, 1e-6), parameters, gradients)
    exact = naive.adam(theta, [g.astype(float) for g in gradients], 0.01, 0.8, 0.95, 1e-6)
    np.testing.assert_allclose(moved, exact, rtol=error, atol=error)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 150_000])
def test_blocks_cover_every_weight(rng, size):
    parameters = Parameters({"theta": (size,)}, np.float64)
    parameters.grad[:] = rng.standard_normal(size)
    RMSprop(parameters, 0.01).step()
    exact = -0.01 * parameters.grad / (np.sqrt(0.1 * parameters.grad**2) + 1e-7)
    np.testing.assert_allclose(parameters.value, exact, rtol=1e-14)


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
        subnormal.append(((optimizer._S > 0) & (np.finfo(np.float32).tiny > optimizer._S)).any())
    assert not any(subnormal)
    assert not optimizer._S.any()
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
def test_a_step_writes_into_the_weights_and_leaves_the_gradient(start, optimizer):
    parameters, gradients = start()
    value, view = parameters.value, parameters["theta"]
    before = value.copy()
    parameters.grad[:] = gradients[0]
    optimizer(parameters).step()
    assert parameters.value is value
    assert np.shares_memory(view, value)
    assert not np.array_equal(value, before)
    assert np.array_equal(parameters.grad, gradients[0])


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
