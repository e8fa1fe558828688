import numpy as np

from numpyvae.core.parameters import Parameters


def test_weights_and_gradients_are_views_in_the_order_given():
    parameters = Parameters({"W": (2, 3), "b": (3,)}, np.float64)
    parameters.value[:] = np.arange(9)
    parameters.grad[:] = -np.arange(9)
    assert parameters["W"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert parameters["b"].tolist() == [6, 7, 8]
    assert parameters.gradient("b").tolist() == [-6, -7, -8]
    parameters["b"][1] = 70.0
    assert parameters.value[7] == 70.0
    assert np.shares_memory(parameters.gradient("W"), parameters.grad)


def test_iterating_gives_the_names():
    parameters = Parameters({"W": (2, 3), "b": (3,)})
    assert list(parameters) == ["W", "b"]
    assert parameters.value.dtype == parameters.grad.dtype == np.float32
