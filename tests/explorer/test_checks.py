"""The tasks: as many solutions in Python as on the page, and thresholds that fit the model."""

import json
import re

import numpy as np
import pytest
from explorer.conftest import other_model

from numpyvae import VAE
from numpyvae.explorer import tasks as rules
from numpyvae.explorer.contents import contents
from numpyvae.explorer.packing import pack_weights

SITUATION = (
    "{ z: null, mu: null, label: null, kl: null, reconstruction: null, gap: null, drawnGap: null,"
    " path: [] }"
)


def by_kind(table):
    return {task["kind"]: task for task in table["tasks"]}


def solved(run, task, situations):
    """Which of the situations, given as JavaScript, solve a task on the page."""
    return run(
        f"((task, name) => [{', '.join(situations)}].map((now) => "
        f"CHECKS[task.kind].solved(task, {{ ...{SITUATION}, ...now }}, near)))({json.dumps(task)})"
    )


@pytest.fixture
def around(table, classic, mnist):
    stored, _ = pack_weights(classic)
    mu, _ = stored.encode(mnist[1][0])
    known = rules.Known(
        mu=mu, labels=mnist[1][1].astype(int), names=table["names"], codes=mu[:400],
        kl=np.zeros(400), reconstruction=np.zeros(400), gap=None,
    )  # fmt: skip
    return rules._Around(known)


def test_the_classic_has_all_tasks_each_with_twenty_solutions(table):
    assert set(by_kind(table)) == {"border", "hole", "fool", "far", "cheap", "way"}
    assert min(task["solutions"] for task in table["tasks"]) >= 20


def test_neighbors_on_the_page_are_those_of_the_tree(table, engine, around, rng):
    z = rng.standard_normal((50, 2))
    found = engine(table)(f"{json.dumps(z.tolist())}.map((z) => near.around(z))")
    counts, distance = around.shares(z)
    agree = [each["counts"] == list(ours) for each, ours in zip(found, counts.tolist())]
    assert np.mean(agree) > 0.9  # the page's means are rounded, so a 20th neighbor may differ
    ours = [each["distance"] for each in found]
    np.testing.assert_allclose(ours, distance, atol=table["means"]["scale"])


def test_places_that_solve_the_border_and_the_hole(table, engine, around):
    run, kinds = engine(table), by_kind(table)
    places = around.places(0.05, 3.0)
    found = solved(run, kinds["border"], [f"{{z: {list(z)}}}" for z in places.tolist()])
    assert sum(found) == pytest.approx(kinds["border"]["solutions"], rel=0.02)
    assert not all(found)
    places = around.places(0.05, 2.0)
    found = solved(run, kinds["hole"], [f"{{z: {list(z)}}}" for z in places.tolist()])
    assert sum(found) == pytest.approx(kinds["hole"]["solutions"], rel=0.02)
    assert not all(found)


@pytest.fixture(scope="module")
def noisy(classic, mnist):
    """What the page is told about a model that is used for denoising."""
    return contents(classic, *mnist[1], noise=0.15, name="", credit=None)


@pytest.mark.parametrize("noise", [0.0, 0.15])
def test_pictures_that_solve_the_other_tasks(table, noisy, noise, engine):
    """With noise, the page draws another one; so the same number of others may solve a task."""
    table = noisy if noise else table
    run, kinds = engine(table), by_kind(table)
    run("(globalThis.random ??= randomNumbers(3), 0)")
    seen = f"(x) => x.map((v) => Math.min(1, Math.max(0, v + {noise} * random.normal())))"
    run(f"(globalThis.seen = {seen}, 0)")
    one = "{{mu: encode(model, seen(pictures[{0}])).mu, label: labels[{0}]}}"
    fooled = solved(run, kinds["fool"], map(one.format, range(400)))
    assert sum(fooled) == pytest.approx(kinds["fool"]["solutions"], abs=25 if noise else 1)
    few = range(0, 400, 8)
    measured = run(
        f"{list(few)}.map((n) => {{ const x = pictures[n], q = encode(model, seen(x));"
        " const e = grid.evidence(x), gap = grid.gap(e, q), kl = klDivergence(q);"
        " return { gap, kl, reconstruction: gap - e.value - kl }; })"
    )
    for kind in {"far", "cheap"} & set(kinds):
        found = solved(run, kinds[kind], map(json.dumps, measured))
        assert sum(found) == pytest.approx(kinds[kind]["solutions"] / 8, abs=6)
        assert not all(found)


def test_numbers_are_judged_as_they_are_shown(table, engine):
    run, kinds = engine(table), by_kind(table)
    above = kinds["far"]["above"]
    gaps = [f"{{gap: {above + more}}}" for more in (-0.004, 0.004, 0.006)]
    assert solved(run, kinds["far"], gaps) == [False, False, True]
    places = [
        f"{{kl: {kinds['cheap']['below'] - less}, reconstruction: 1e4}}" for less in (0.004, 0.006)
    ]
    assert solved(run, kinds["cheap"], places) == [False, True]


def test_the_labels_around_a_place_add_up(table, engine, rng):
    places = rng.standard_normal((40, 2)).tolist()
    for words in engine(table)(f"{json.dumps(places)}.map((z) => near.inWords(z))"):
        assert sum(int(count) for count in re.findall(r"\((\d+)×\)", words)) == 20
    assert "others" in words or words.count("×") <= 3


def test_ways_that_pass_no_other_label(table, engine, around):
    run, task = engine(table), by_kind(table)["way"]
    known, rng = around.known, np.random.default_rng(0)
    ends = [
        known.mu[rng.choice(np.flatnonzero(known.labels == label), rules.WAYS)]
        for label in task["labels"]
    ]
    ways = [
        f"{{path: straightWay({a.tolist()}, {b.tolist()}).map((z) => near.most(z))}}"
        for a, b in zip(*ends)
    ]
    found = solved(run, task, ways)
    assert sum(found) == pytest.approx(task["solutions"], abs=2)
    assert not any(solved(run, task, ["{path: []}", "{path: [1, 2]}"]))


def test_what_is_not_known_solves_nothing(table, engine):
    run, kinds = engine(table), by_kind(table)
    assert solved(run, kinds["far"], ["{gap: null}"]) == [False]
    assert solved(run, kinds["fool"], ["{mu: [0, 0], label: null}"]) == [False]


@pytest.mark.parametrize("latent", [1, 2, 3])
def test_every_answer_is_a_sentence_for_every_model(engine, latent):
    """Words for each task of models of other sizes: no "undefined", no "NaN"."""
    vae, x, labels = other_model(latent=latent)
    table = contents(vae, x, labels, noise=0.0, name="", credit=None)
    for kind in ("border", "hole", "fool", "far", "cheap", "way"):
        task = {
            "kind": kind, "labels": [0, 1], "least": 0.1, "radius": 2, "fewer": 5, "above": 2.5,
            "below": 1.5, "share": 60,
        }  # fmt: skip
        words = engine(table)(
            "((task, name) => { const mu = encode(model, pictures[0]).mu, rule = CHECKS[task.kind];"
            f" const now = {{ ...{SITUATION}, z: mu, mu, kl: 1, reconstruction: 2,"
            " path: [0, 0, 2], label: 1, drawnGap: { mean: 3, error: 0.5 } };"
            " return [rule.title(task, name), rule.text(task, name), rule.why(task, near),"
            " rule.found(task, now, near, name)]; })"
            f"({json.dumps(task)}, (label) => data.names[label])"
        )
        for text in words:
            assert text.strip()
            assert not any(word in text for word in ("undefined", "NaN", "null"))


def test_a_model_whose_tasks_have_too_few_solutions_offers_none(rng):
    """Of thirty pictures no twenty are among the worst tenth."""
    vae = VAE(4, 2, image_shape=(2, 2), rng=0)
    images = rng.random((30, 4))
    found = contents(vae, images, None, noise=0.0, name="", credit=None)["tasks"]
    assert "far" not in {task["kind"] for task in found}
    assert all(task["solutions"] >= 20 for task in found)
