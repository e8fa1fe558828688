"""The page of formulas: its code runs from top to bottom, and every line is right."""

import re

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm
from tutorial_files import FOLDER, prose

import numpyvae
from numpyvae.core.latent import kl_per_latent
from numpyvae.course import EXERCISES
from numpyvae.evaluation import aggregate_posterior, importance_bound

TEXT = (FOLDER / "formulas.md").read_text(encoding="utf-8")
B, X, H, Z, K = 4, 6, 5, 2, 3
AXIS = np.linspace(-6, 6, 241)


@pytest.fixture(scope="module")
def page():
    """What the page computes from random weights and images, by name, and what it starts from."""
    rng = np.random.default_rng(0)
    vae = numpyvae.VAE(hidden=H, latent=Z, image_shape=(2, 3), rng=0).astype(np.float64)
    vae.parameters.value[:] = rng.standard_normal(vae.parameters.value.size) / 2
    x, eps = rng.random((B, X)), rng.standard_normal((B, Z))
    mu, logvar = rng.standard_normal((2, 50, 2)) / 2
    grid = np.linspace(-8, 8, 3201)
    densities = [norm.pdf(AXIS[:, None], mu[:, i], np.exp(logvar[:, i] / 2)) for i in (0, 1)]
    given = {
        "np": np, "B": B, "N": 50, "x": x, "eps": eps, "s": rng.random((H, X)),
        **{name: vae.parameters[name].copy() for name in vae.parameters},
        "log_sum_exp": logsumexp, "spacing": grid[1] - grid[0],
        "log_p_x_given_z": norm.logpdf(2.0, 1.5 * grid + 0.5, 0.4),
        "log_prior": norm.logpdf(grid), "q": norm.pdf(grid, 0.8, 0.5),
        "k": K, "log_w_k": rng.standard_normal(K) - 800,
        "density_1": densities[0], "density_2": densities[1],
        "mean_kl": kl_per_latent(mu, logvar).sum(axis=1).mean(),
        "prior": np.outer(norm.pdf(AXIS), norm.pdf(AXIS)), "cell": (AXIS[1] - AXIS[0]) ** 2,
        "eigenvalues": np.array([4.0, 1.0, 0.0]), "beta": 2.0, "variance": 0.7,
    }  # fmt: skip
    found = dict(given)
    for row in re.findall(r"^\|.*\| `([^`]+)` \|$", TEXT, re.MULTILINE):
        exec(row, found)
    return {**found, "vae": vae, "given": given, "codes": (mu, logvar)}


def test_every_row_has_code_that_runs(page):
    rows = [line for line in TEXT.split("## Landmarks")[0].splitlines() if line.startswith("| ")]
    rows = [line for line in rows if not line.startswith(("| | formula", "|---"))]
    assert len(rows) == len(re.findall(r"` \|$", TEXT, re.MULTILINE)) > 25


def test_the_pass_is_that_of_the_library(page):
    vae = page["vae"]
    trace = vae.forward(page["x"], page["eps"])
    for name in ("mu", "logvar", "z", "logits", "p"):
        np.testing.assert_allclose(page[name], getattr(trace, name), rtol=1e-13)
    loss = vae.loss(trace)
    np.testing.assert_allclose(page["ce"].mean(), loss.reconstruction, rtol=1e-13)
    np.testing.assert_allclose(page["kl"].mean(), loss.kl, rtol=1e-13)
    np.testing.assert_allclose(page["loss"], loss.total, rtol=1e-13)
    assert np.allclose(np.log(1 + np.exp(page["logits"])), page["softplus"])


def test_the_gradient_is_that_of_the_library(page):
    vae = page["vae"]
    vae.backward(vae.forward(page["x"], page["eps"]))
    for name in vae.parameters:
        np.testing.assert_allclose(
            page[f"d{name}"], vae.parameters.gradient(name), atol=1e-15, err_msg=name
        )


def test_the_step_is_that_of_the_course(page):
    step = EXERCISES["rmsprop_step"].right
    new, s = step(page["W_out"], page["dW_out"], page["given"]["s"])
    np.testing.assert_allclose(page["W_new"], new, rtol=1e-14)
    np.testing.assert_allclose(page["s"], s, rtol=1e-14)


def test_evidence_posterior_and_gap_are_those_of_a_straight_line(page):
    a, c, sd = 1.5, 0.5, 0.4
    np.testing.assert_allclose(page["evidence"], norm.logpdf(2.0, c, np.hypot(a, sd)), rtol=1e-12)
    grid = np.linspace(-8, 8, 3201)
    mean, width = a * (2.0 - c) / (a**2 + sd**2), sd / np.hypot(a, sd)
    np.testing.assert_allclose(page["posterior"], norm.pdf(grid, mean, width), atol=1e-10)
    ratio, apart = (0.5 / width) ** 2, (0.8 - mean) / width
    closed = 0.5 * (apart**2 + ratio - 1 - np.log(ratio))
    np.testing.assert_allclose(page["gap"], closed, rtol=1e-9)
    elbo = page["evidence"] - closed  # E_q[log p(x|z)] − KL(q ‖ prior)
    expected = norm.logpdf(2.0, a * 0.8 + c, sd) - a**2 * 0.5**2 / (2 * sd**2)
    kl = 0.5 * (0.8**2 + 0.5**2 - 1 - np.log(0.5**2))
    np.testing.assert_allclose(elbo, expected - kl, rtol=1e-9)


def test_weights_bound_and_share(page):
    np.testing.assert_allclose(
        page["log_w"],
        log_weights_of(page["vae"], page["x"], page["eps"]),
        rtol=1e-12,
    )
    np.testing.assert_allclose(page["bound"], importance_bound(page["log_w_k"][None], K)[0])
    right = EXERCISES["log_mean_exp_backward"].right(page["log_w_k"][None])[0]
    np.testing.assert_allclose(page["share"], right, rtol=1e-12)


def log_weights_of(vae, x, eps):
    """log p(x|z) + log p(z) − log q(z|x), term by term."""
    t = vae.forward(x, eps)
    bernoulli = (x * np.log(t.p) + (1 - x) * np.log(1 - t.p)).sum(axis=1)
    log_q = norm.logpdf(t.z, t.mu, np.exp(t.logvar / 2)).sum(axis=1)
    return bernoulli + norm.logpdf(t.z).sum(axis=1) - log_q


def test_the_aggregate_and_the_parts_of_the_kl(page):
    library = aggregate_posterior(*page["codes"], nodes=241, half_width=6.0)
    np.testing.assert_allclose(page["aggregate"], library.q, rtol=1e-10)
    np.testing.assert_allclose(page["information"], library.mutual_information, rtol=1e-10)


def test_the_rates_and_the_slope(page):
    right = EXERCISES["rates"].right(page["eigenvalues"], 0.7, 2.0)
    np.testing.assert_allclose(page["rate"], right)
    assert abs(page["slope"] - np.e) < 1e-9


def test_the_landmarks_are_those_of_notebook_08():
    for value in ("543.43", "205.65", "45.53"):
        assert value in TEXT.split("## Landmarks")[1]
    assert "155 and 161.5" in prose("08_mnist")
    assert "543.4 with all weights zero, 205.7 with one picture" in prose("08_mnist")
