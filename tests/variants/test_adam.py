from math import sqrt

import numpy as np
import pytest

from numpyvae import Adam


def adam_by_loops(theta, gradients, learning_rate, beta1, beta2, epsilon):
    theta, m, s = list(theta), [0.0] * len(theta), [0.0] * len(theta)
    for t, g in enumerate(gradients, start=1):
        for i in range(len(theta)):
            m[i] = beta1 * m[i] + (1 - beta1) * g[i]
            s[i] = beta2 * s[i] + (1 - beta2) * g[i] ** 2
            m_hat, s_hat = m[i] / (1 - beta1**t), s[i] / (1 - beta2**t)
            theta[i] -= learning_rate * m_hat / (sqrt(s_hat) + epsilon)
    return np.array(theta)


@pytest.mark.parametrize(("dtype", "error"), [(np.float64, 1e-15), (np.float32, 3e-7)])
def test_adam_equals_the_loops(five_steps, dtype, error):
    theta, gradients, moved = five_steps(lambda p: Adam(p, 0.01, 0.8, 0.95, 1e-6), dtype)
    exact = adam_by_loops(theta, gradients, 0.01, 0.8, 0.95, 1e-6)
    np.testing.assert_allclose(moved, exact, rtol=error, atol=error)
