"""The evidence, the gap and the posterior's regions on the page, against numpyvae's own."""

import json
import warnings

import numpy as np
import pytest
from explorer.conftest import other_model

from numpyvae.evaluation.quadrature import evidence, posterior, vae_log_likelihood
from numpyvae.explorer.contents import contents
from numpyvae.explorer.packing import pack_weights

EVIDENCE = """[%s].map((n) => {
    const q = encode(model, pictures[n]), e = grid.evidence(pictures[n]);
    const regions = %s
        ? e.levels.map((level) => [...cellsAbove(e, grid, level)].map((cell) => cell.inside)) : [];
    return { value: e.value, error: e.error, gap: grid.gap(e, q), spacing: e.spacing, regions,
             mode: modeOf(e, grid) };
})"""


def on_page(run, images, regions=False):
    return run(EVIDENCE % (", ".join(map(str, images)), str(regions).lower()))


def on_grid(vae, x, grid, times):
    """numpyvae's evidence and gap on a grid `times` finer than the page's."""
    nodes = (grid["nodes"] - 1) * times + 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # mass at the border: the page's grid, too
        return evidence(
            vae_log_likelihood(vae, x), vae.latent, q=vae.encode(x), nodes=nodes,
            half_width=grid["half_width"],
        )  # fmt: skip


def shown(table):
    """The first 90 pictures, and the worst ten of the others."""
    return [*range(90), *[n for n in table["badly"] if n >= 90][:10]]


def test_evidence_and_gap_of_a_hundred_images(classic, table, engine, mnist):
    images = shown(table)
    found = on_page(engine(table), images)
    x = mnist[1][0][images] / 255
    stored, _ = pack_weights(classic)
    want = on_grid(stored, x, table["grid"], 2)
    value, gap = (np.array([each[name] for each in found]) for name in ("value", "gap"))
    assert np.abs(value - want.value).max() <= 0.01
    assert np.abs(gap - want.gap).max() <= 0.02
    original = on_grid(classic, x[::3], table["grid"], 2)
    assert np.abs(value[::3] - original.value).max() <= 0.02


def test_the_posteriors_regions_lie_where_the_posterior_lies(classic, table, engine, mnist):
    """Among them the ten worst. Exchanged axes would fail: no region is symmetric."""
    images = [*range(10), *table["badly"][:10]]
    found = on_page(engine(table), images, regions=True)
    stored, _ = pack_weights(classic)
    half_width = table["grid"]["half_width"]
    axis, density = posterior(
        vae_log_likelihood(stored, mnist[1][0][images] / 255),
        nodes=(table["grid"]["nodes"] - 1) * 2 + 1, half_width=half_width,
    )  # fmt: skip
    cell = (axis[1] - axis[0]) ** 2
    for each, p in zip(found, density):
        place = axis[list(np.unravel_index(p.argmax(), p.shape))]
        assert np.abs(each["mode"] - place).max() <= 0.03
        ranked = np.sort(p.ravel())[::-1]
        held = np.cumsum(ranked) * cell
        for share, region in zip((0.5, 0.9, 0.99), each["regions"]):
            area = (np.searchsorted(held, share) + 1) * cell
            assert sum(map(shoelace, region)) == pytest.approx(area, rel=0.1), share
        assert 0.85 <= mass_inside(each["regions"][1], axis, p) <= 0.95


def shoelace(polygon):
    a, b = np.transpose(polygon)
    return 0.5 * float(a @ np.roll(b, -1) - b @ np.roll(a, -1))


def mass_inside(polygons, axis, density):
    """∫ p over convex polygons that lie side by side, corner by corner counterclockwise."""
    step, inside = axis[1] - axis[0], np.zeros(density.shape, bool)
    for polygon in map(np.array, polygons):
        low = np.floor((polygon.min(axis=0) - axis[0]) / step).astype(int)
        high = np.ceil((polygon.max(axis=0) - axis[0]) / step).astype(int)
        part = tuple(slice(first, last + 1) for first, last in zip(low, high))
        z = np.stack(np.meshgrid(axis[part[0]], axis[part[1]], indexing="ij"), -1)
        held = np.ones(z.shape[:2], bool)
        for corner, following in zip(polygon, np.roll(polygon, -1, axis=0)):
            side, away = following - corner, z - corner
            held &= side[0] * away[..., 1] - side[1] * away[..., 0] >= 0
        inside[part] |= held
    return density[inside].sum() * step**2


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("latent", [1, 2])
def test_small_models(engine, latent, activation):
    vae, x, labels = other_model(latent=latent, activation=activation)
    table = contents(vae, x, labels, noise=0.0, name="", credit=None)
    found = on_page(engine(table), range(10))
    want = on_grid(pack_weights(vae)[0].astype(np.float64), x[:10], table["grid"], 2)
    np.testing.assert_allclose([each["value"] for each in found], want.value, atol=0.005)
    np.testing.assert_allclose([each["gap"] for each in found], want.gap, atol=0.005)


def test_a_posterior_far_narrower_than_the_grid(engine):
    """p(x|z) = N(z; 0.513, 0.004²), up to a factor, written as logits of two pixels."""
    vae, _, _ = other_model(hidden=(4,), latent=1, image_shape=(1, 2))
    vae.parameters.value[:] = 0.0
    steep = 0.5 / 0.004
    # l = ±steep (z − 0.513): the product of two sigmoids, near its top like a Gaussian
    vae.parameters["W_g1"][0, :2] = 1.0, -1.0
    vae.parameters["b_g1"][:2] = -0.513, 0.513
    vae.parameters["W_out"][:2] = steep * np.array([[1.0, -1.0], [-1.0, 1.0]])
    x = np.array([[0.5, 0.5]] * 40)
    table = contents(vae, x, None, noise=0.0, name="", credit=None)
    run = engine(table)
    found = run("(({value, error}) => ({value, error}))(grid.evidence([0.5, 0.5]))")
    z = np.linspace(0.3, 0.7, 400_001)
    stored = pack_weights(vae)[0].astype(np.float64)
    log_p = vae_log_likelihood(stored, np.array([[0.5, 0.5]]))(z[:, None])[:, 0]
    joint = np.exp(log_p - 0.5 * z**2) / np.sqrt(2 * np.pi)
    assert found["value"] == pytest.approx(np.log(np.trapezoid(joint, z)), abs=0.01)


def test_a_q_that_the_grid_does_not_hold_gives_no_gap(engine, table):
    run = engine(table)
    for mu, logvar in [([9.9, 0.0], [0.0, 0.0]), ([0.0, 0.0], [-18.0, 0.0])]:
        q = json.dumps({"mu": mu, "logvar": logvar})
        assert run(f"grid.gap(grid.evidence(pictures[0]), {q})") is None  # NaN in JSON
