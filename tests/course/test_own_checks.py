"""A learner's own checks, run against right VAEs and against wrong ones."""

import pytest

from numpyvae.course.own_checks import load_checks, try_checks
from numpyvae.course.wrong_vaes import RIGHT_VAES, WRONG_VAES

pytestmark = pytest.mark.once

TABLE = '''
"""The oracles that need no reference solution, as in the table of notebook 07."""
import numpy as np

E = np.e
rng = np.random.default_rng(0)
x, eps = rng.random((4, 6)), rng.standard_normal((4, 2))


def theta(vae, **biases):
    made = vae.initialize(6, 5, 2, np.random.default_rng(1), np.float64)
    if not biases:
        return made
    return {name: 0 * W + np.array(biases.get(name, 0.0)) for name, W in made.items()}


def check_zero_net(vae):
    found = vae.loss(vae.forward(theta(vae, b_h1=0.0), x, eps))
    assert np.allclose(found, (6 * np.log(2), 0))


def check_kl_values(vae):
    for biases, exact in (({"b_mu": [2, 0]}, 2), ({"b_logvar": [2, 0]}, (E**2 - 3) / 2),
                          ({"b_mu": [2, 2]}, 4)):
        assert np.isclose(vae.loss(vae.forward(theta(vae, **biases), x, eps))[1], exact)


def check_sampling(vae):
    z = vae.forward(theta(vae, b_logvar=[2, -2]), x, np.ones((4, 2)))["z"]
    assert np.allclose(z, [E, 1 / E])


def check_batch_twice(vae):
    once = vae.backward(theta(vae), vae.forward(theta(vae), x, eps))
    both = vae.forward(theta(vae), np.vstack([x, x]), np.vstack([eps, eps]))
    both = vae.backward(theta(vae), both)
    assert all(np.allclose(once[name], both[name]) for name in once)


def check_far(vae):
    weights = theta(vae) | {"b_out": np.array([1000.0, -1000.0] * 3)}
    assert np.isfinite(vae.loss(vae.forward(weights, x, eps))).all()


def check_gradient(vae):
    weights = theta(vae)
    found = vae.backward(weights, vae.forward(weights, x, eps))
    for name, W in weights.items():
        for index in np.ndindex(W.shape):
            values = []
            for step in (1e-5, -1e-5):
                W[index] += step
                values.append(sum(vae.loss(vae.forward(weights, x, eps))))
                W[index] -= step
            assert abs((values[0] - values[1]) / 2e-5 - found[name][index]) < 1e-6, name


def check_step(vae):
    weights = theta(vae)
    g = vae.backward(weights, vae.forward(weights, x, eps))
    s = {name: 0 * W + 0.04 for name, W in weights.items()}
    new, _ = vae.train_step(weights, s, x, eps, 0.01)
    for name, W in weights.items():
        exact = W - 0.01 * g[name] / (np.sqrt(0.9 * 0.04 + 0.1 * g[name] ** 2) + 1e-7)
        assert np.allclose(new[name], exact, rtol=0, atol=1e-9)
'''


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("own") / "my_checks.py"
    path.write_text(TABLE, encoding="utf-8")
    return path


def caught(checks):
    tried = list(try_checks(checks))
    assert [each.right for each in tried] == [True] * len(RIGHT_VAES) + [False] * len(WRONG_VAES)
    assert not [each for each in tried if each.right and each.complaint]
    return {each.name for each in tried if each.complaint}


def test_the_table_of_the_notebook_catches_all(file):
    assert caught(load_checks(file)) == {wrong.name for wrong in WRONG_VAES}


def test_a_gradient_check_alone_catches_eleven(file):
    checks = load_checks(file)
    found = caught({"check_gradient": checks["check_gradient"]})
    assert found == {wrong.name for wrong in WRONG_VAES if not wrong.both}
    assert len(found) == 11


def test_a_check_that_accuses_a_right_vae_is_told(file):
    def check_wrong(vae):
        raise AssertionError("never right")

    tried = list(try_checks({"check_wrong": check_wrong}))
    assert {each.complaint for each in tried} == {"check_wrong: never right"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1", "no function whose name begins with check_"),
        ("x = 1 / 0", "ZeroDivisionError: division by zero; correct the file"),
        ("import sys\nsys.exit(2)", "SystemExit: 2; correct the file"),
        ("def check_this(vae:", "SyntaxError"),
        ("from numpyvae.course import check", "no function whose name begins with check_"),
    ],
)
def test_a_file_that_is_of_no_use_is_refused(tmp_path, text, problem):
    (tmp_path / "my_checks.py").write_text(text)
    with pytest.raises(ValueError, match=problem):
        load_checks(tmp_path / "my_checks.py")
    with pytest.raises(ValueError, match="expected a Python file"):
        load_checks(tmp_path / "nowhere.py")
