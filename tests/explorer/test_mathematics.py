"""The page's mathematics, run as it is, against numpyvae with the same stored weights."""

import json

import numpy as np
import pytest
from explorer.conftest import other_model

from numpyvae.core.latent import kl_divergence
from numpyvae.evaluation.bounds import log_mean_exp
from numpyvae.explorer.contents import contents
from numpyvae.explorer.packing import pack_weights
from numpyvae.plain import cross_entropy

# mu, logvar, p, cross-entropy: the page computes in float64, numpyvae in float32
TOLERANCES = {"mu": 2e-6, "logvar": 2e-6, "p": 5e-6, "cost": 1e-4}
PASS = """pictures.slice(0, 100).map((x) => {
    const q = encode(model, x);
    return { mu: q.mu, logvar: q.logvar, p: decode(model, q.mu), kl: klDivergence(q),
             cost: crossEntropy(logitsAt(model, q.mu), x) };
})"""


def expected(vae, x):
    stored, _ = pack_weights(vae)
    mu, logvar = stored.encode(x)
    logits = stored.decode_logits(mu)
    return {
        "mu": mu, "logvar": logvar, "p": stored.decode(mu), "kl": kl_divergence(mu, logvar),
        "cost": cross_entropy(logits, x.astype(np.float32)),
    }  # fmt: skip


def test_a_pass_of_a_hundred_test_images_is_that_of_numpyvae(classic, table, engine, mnist):
    found = engine(table)(PASS)
    want = expected(classic, mnist[1][0][:100] / 255)
    for name, tolerance in TOLERANCES.items():
        ours = np.array([each[name] for each in found])
        np.testing.assert_allclose(ours, want[name], rtol=0, atol=tolerance, err_msg=name)
    np.testing.assert_allclose([each["kl"] for each in found], want["kl"], rtol=1e-5)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("latent", [1, 2, 4])
def test_other_depths_shapes_and_activations(engine, latent, activation):
    vae, x, labels = other_model(latent=latent, activation=activation)
    table = contents(vae, x, labels, noise=0.0, name="", credit=None)
    found = engine(table)(PASS)
    want = expected(vae, x)
    for name in ("mu", "logvar", "p", "cost", "kl"):
        ours = np.array([each[name] for each in found])
        np.testing.assert_allclose(ours, want[name], rtol=2e-5, atol=2e-6, err_msg=name)


def test_pictures_means_and_labels_arrive_as_they_were_sent(table, engine, mnist, classic):
    run = engine(table)
    x, y = mnist[1]
    np.testing.assert_array_equal(np.rint(255 * np.array(run("pictures"))), x[:400])
    np.testing.assert_array_equal(run("labels"), y)
    mu, _ = pack_weights(classic)[0].encode(x)
    ours = np.array(run("means")).reshape(-1, 2)
    np.testing.assert_allclose(ours, mu, atol=0.51 * table["means"]["scale"])


def test_the_sum_of_softplus_arrives_to_half_of_its_scale(table, engine, classic):
    run, grid = engine(table), table["grid"]
    axis = np.linspace(-grid["half_width"], grid["half_width"], grid["nodes"])
    ours = np.array(run("Array.from(grid.softplus)")).reshape(grid["nodes"], -1)
    assert grid["softplus"]["scale"] == 1 / 256
    stored, _ = pack_weights(classic)
    for i in (0, 57, 200):  # z₁ along the first axis
        z = np.column_stack([np.full(len(axis), axis[i]), axis])
        want = np.logaddexp(0, stored.decode_logits(z).astype(float)).sum(axis=1)
        np.testing.assert_allclose(ours[i], want, atol=0.0021)


def test_log_weights_and_the_importance_bound(engine):
    vae, x, labels = other_model(latent=4)
    run = engine(contents(vae, x, labels, noise=0.0, name="", credit=None))
    draws, bound = run(
        "(() => { const x = pictures[3], q = encode(model, x);"
        " const draws = drawsOf(model, x, q, 40, randomNumbers(3));"
        " return [draws, importanceBound(draws)]; })()"
    )
    stored = pack_weights(vae)[0].astype(np.float64)
    mu, logvar = stored.encode(x[3:4])
    z = np.array([draw["z"] for draw in draws])
    eps = (z - mu) / np.exp(0.5 * logvar)
    log_p = -cross_entropy(stored.decode_logits(z), np.broadcast_to(x[3], (40, 15)))
    log_w = log_p + 0.5 * (eps**2 - z**2 + logvar).sum(axis=1)
    np.testing.assert_allclose([-draw["reconstruction"] for draw in draws], log_p, rtol=1e-6)
    np.testing.assert_allclose([draw["logWeight"] for draw in draws], log_w, rtol=1e-5)
    np.testing.assert_allclose(bound, log_mean_exp(log_w[None])[0], rtol=1e-5)


def test_random_numbers_are_normal_and_the_same_each_time(engine, table):
    run = engine(table)
    draw = "(() => { const r = randomNumbers(5); return Array.from({length: 20000}, r.normal); })()"
    numbers = np.array(run(draw))
    assert run(draw) == numbers.tolist()
    assert abs(numbers.mean()) < 4 / np.sqrt(20_000)
    assert abs(numbers.var() - 1) < 4 * np.sqrt(2 / 20_000)
    assert abs((numbers**4).mean() - 3) < 4 * np.sqrt(96 / 20_000)
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 4 / np.sqrt(20_000)


def test_entropy_is_the_least_cross_entropy(engine, table):
    run = engine(table)
    x = [0.0, 1.0, 0.25, 0.5]
    want = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75)) + np.log(2)
    assert run(f"entropy({json.dumps(x)})") == pytest.approx(want, rel=1e-12)


def test_means_with_their_errors(engine, table):
    found = engine(table)("meanAndError([1, 2, 3, 6])")
    values = np.array([1, 2, 3, 6])
    assert found["mean"] == 3
    assert found["error"] == pytest.approx(values.std(ddof=1) / 2)
