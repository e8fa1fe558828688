import naive
import numpy as np
import pytest

from numpyvae import Adam


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-15), (np.float32, 3e-7)])
def test_adam_equals_the_loops(five_steps, dtype, error):
    theta, gradients, moved = five_steps(lambda p: Adam(p, 0.01, 0.8, 0.95, 1e-6), dtype)
    exact = naive.adam(theta, gradients, 0.01, 0.8, 0.95, 1e-6)
    np.testing.assert_allclose(moved, exact, rtol=error, atol=error)
