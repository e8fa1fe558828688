"""The finished page in a real browser. Needs Chromium on PATH, and `pip install ".[browser]"`."""

import re
import subprocess

import numpy as np
import pytest
from explorer.browsing import (
    CHROMIUM,
    IN_BROWSER,
    KEYS,
    OPTIONS,
    SOLUTIONS,
    check,
    draw,
    number,
    ready,
    spoken,
    sums,
    until,
)
from explorer.conftest import other_model

from numpyvae import VAE
from numpyvae.explorer import explore
from numpyvae.explorer.packing import pack_weights

pytestmark = IN_BROWSER


def test_the_numbers_on_the_page_are_those_of_numpyvae(visit, classic, mnist):
    page = visit()
    stored, _ = pack_weights(classic)
    mu, logvar = stored.encode(mnist[1][0][:1])
    shown = page.locator("#q").inner_text()
    numbers = [number(text) for text in re.findall(r"[−\d.]+", shown)]
    np.testing.assert_allclose(numbers, [*mu[0], *np.exp(0.5 * logvar[0])], atol=0.0051)
    costs = {name: number(value) for name, value in sums(page).items()}
    elbo = costs["= ELBO"]  # the table adds up to the last digit
    assert costs["evidence"] + costs["− KL(q ‖ posterior)"] == pytest.approx(elbo, abs=1e-9)
    parts = costs["= −reconstruction"] + costs["− KL(q ‖ prior)"]
    assert parts == pytest.approx(elbo, abs=1e-9)
    assert "log p(x)" not in page.inner_text("body")  # grey pixels


def darkness(page, z):
    return page.evaluate(f"darknessAt([{z[0]}, {z[1]}])")


def test_the_posterior_is_drawn_where_it_lies_and_not_with_its_axes_exchanged(visit):
    page = visit()
    page.evaluate(SOLUTIONS)
    page.check("input[value=nothing]", force=True)
    page.evaluate("chooseZ([3, 3])")
    for n in page.evaluate("data.badly.slice(0, 6)"):
        page.evaluate(f"pickTest({n})")
        ready(page)
        page.evaluate("setPin('A', [-6, -6]); setPin('B', [-6, -6])")  # out of the way
        ready(page)
        a, b = page.evaluate("state.evidence.mode")
        assert darkness(page, (a, b)) > 60
        q = page.evaluate("Array.from(state.q.mu)")
        for other in ((b, a), (-a, b), (a, -b)):
            near_q = np.hypot(other[0] - q[0], other[1] - q[1]) < 0.8
            if np.hypot(other[0] - a, other[1] - b) > 0.8 and not near_q:
                assert darkness(page, other) < 40


def test_a_picture_of_the_backdrop_is_the_one_decoded_at_its_place(visit):
    page = visit()
    page.check("input[value=pictures]", force=True)
    page.evaluate(SOLUTIONS)
    found = page.evaluate("sheet = decodeSheet(); pictureOfBackdrop(12, 3)")
    assert found["z"][0] > 0 < found["z"][1]
    np.testing.assert_allclose(found["ink"], found["p"], atol=0.01)


def test_chromium_alone_prints_the_finished_page(file):
    """--dump-dom: the page computes without being touched, and by itself."""
    command = [CHROMIUM, "--headless", *OPTIONS, "--virtual-time-budget=4000", "--dump-dom"]
    ran = subprocess.run([*command, file.as_uri()], capture_output=True, text=True, timeout=120)
    assert re.search(r"KL\(q ‖ posterior\)</th><td>− \d+\.\d\d</td>", ran.stdout)
    assert "Test picture 0, labeled 7" in ran.stdout


def test_decoding_hovering_and_the_evidence_are_fast(visit):
    """Medians, with limits about five times what a sketch of this page took."""
    page = visit()
    page.evaluate(SOLUTIONS)
    assert page.evaluate("TIMES.decode()") <= 1
    assert page.evaluate("TIMES.frame()") <= 8
    assert page.evaluate("TIMES.costs()") <= 250


def test_test_pictures_badly_fitted_ones_and_noise(visit):
    page = visit()
    page.click("#by-label button >> nth=3")
    ready(page)
    assert page.evaluate("labels[state.index]") == 3
    assert "labeled 3" in page.locator("#chosen").inner_text()
    page.click("#badly")
    ready(page)
    assert page.evaluate("state.index === data.badly[0] && state.gap > 3")
    mu = page.evaluate("Array.from(state.q.mu)")
    page.locator("#noise").fill("0.5")
    ready(page)
    assert page.evaluate("Array.from(state.q.mu)") != mu
    assert "costs are those of the clean picture" in page.locator("#about-evidence").inner_text()


def test_coins_are_flipped(visit):
    page = visit()
    page.check("#coins")
    ready(page)
    values = (
        "[...new Set(find('picture-z').getContext('2d').getImageData(0, 0, 28, 28).data)].sort()"
    )
    assert page.evaluate(values) == [0, 255]
    first = page.evaluate("find('picture-z').toDataURL()")
    page.click("#again")
    assert page.evaluate("find('picture-z').toDataURL()") != first


def test_the_decoders_pictures_are_decoded_anew_at_each_zoom(visit):
    page = visit()
    page.check("input[value=pictures]", force=True)
    page.wait_for_timeout(500)  # the pictures are decoded once the view is at rest
    until(page, "sheet !== null")
    first = page.evaluate("sheet.picture.toDataURL()")
    page.click("#zoom-in")
    page.wait_for_timeout(500)
    until(page, "sheet !== null && sheet.width < 6")
    assert page.evaluate("sheet.picture.toDataURL()") != first


def test_every_task_is_solved_by_its_solution_and_not_before(visit):
    page = visit()
    page.evaluate(SOLUTIONS)
    page.evaluate("solveNothing()")
    ready(page)
    kinds = page.evaluate("data.tasks.map((task) => task.kind)")
    for kind in kinds:
        assert check(page, kind).startswith("Not yet."), kind
    for done, kind in enumerate(kinds, start=1):
        page.evaluate(f"SOLVE['{kind}']()")
        ready(page)
        assert check(page, kind).startswith("Yes."), kind
        assert page.locator("#task-list li.done").count() == done
    assert page.locator("#score").inner_text() == f"{len(kinds)} of {len(kinds)} found"


def test_who_draws_says_what_it_is(visit):
    page = visit()
    assert not page.get_by_text("I drew:").is_visible()
    draw(page, [(0.3, 0.2), (0.3, 0.8)])
    assert page.get_by_text("I drew:").is_visible()
    assert "First say what you drew" in check(page, "fool")
    page.get_by_label("what you drew").get_by_role("button", name="4").click()
    answer = page.locator("#task-list li", has_text="Fool").locator(".answer")
    assert answer.inner_text() == ""  # it was about a drawing without a label
    assert "of label 4" in check(page, "fool")


def test_an_answer_holds_until_what_it_is_about_changes(visit):
    page = visit()
    page.evaluate(SOLUTIONS)
    page.evaluate("SOLVE.far()")
    ready(page)
    assert check(page, "far").startswith("Yes.")
    answer = page.locator("#task-list li.done .answer")
    page.evaluate("chooseZ([1, 1])")  # another z, the same picture
    assert answer.inner_text().startswith("Yes.")
    page.evaluate("solveNothing()")
    assert answer.inner_text() == ""
    assert check(page, "far").startswith("Not this one.")  # but found is found
    assert page.locator("#score").inner_text().startswith("1 of")


def test_all_that_is_drawn_is_drawn_anew(visit, tmp_path):
    """The bound of many latents, too."""
    vae, x, labels = other_model(hidden=(7, 6), latent=3, image_shape=(6, 9))
    path = tmp_path / "other.html"
    path.write_text(explore(vae, x, labels), encoding="utf-8")
    page = visit(path)
    before = sums(page)
    page.click("#redraw")
    changed = {name for name, value in sums(page).items() if value != before[name]}
    assert {"bound, k = 50", "− (bound − ELBO)", "= ELBO"} <= changed
    assert all("±" in before[name] for name in changed - {"= −reconstruction"})


@pytest.mark.parametrize(
    ("latent", "labeled"), [(1, True), (1, False), (2, False), (3, True), (20, False)]
)
def test_other_models(visit, tmp_path, latent, labeled):
    """Several hidden layers, another shape, no labels: everything can be pressed."""
    vae, x, labels = other_model(hidden=(7, 6), latent=latent, image_shape=(6, 9))
    path = tmp_path / "other.html"
    path.write_text(explore(vae, x, labels if labeled else None), encoding="utf-8")
    page = visit(path)
    assert page.locator("#sliders").is_visible() == (latent != 2)
    assert page.locator("#sliders input").count() == (0 if latent == 2 else latent)
    assert ("bound, k = 50" in sums(page)) == (latent > 2)
    for button in page.get_by_role("button").all():
        if button.is_visible():
            button.click()
            ready(page)
    for slider in page.locator("#sliders input").all():
        slider.fill("1.5")
    page.evaluate(f"chooseZ({[-5.9] * latent})")
    for slider in page.locator("#sliders input").all():
        assert float(slider.input_value()) == pytest.approx(-5.9)
        assert slider.get_attribute("aria-valuetext") == "−5.90"
        slider.press("ArrowRight")
        assert -5.9 < float(slider.input_value()) < -5
        assert spoken(page).startswith("z")
    page.evaluate(f"chooseZ({[0.5] * latent})")
    page.focus("#plane")
    said = set()
    for key in ("ArrowLeft", "Shift+ArrowLeft", "ArrowUp" if latent > 1 else "ArrowLeft"):
        page.keyboard.press(key)
        said.add(spoken(page))
    assert len(said) == 3
    for key, *_ in KEYS:
        page.keyboard.press(key)
    draw(page, [(0.2, 0.2), (0.8, 0.8)])
    text = page.inner_text("body")
    assert not re.search(r"\b(NaN|undefined|null|Infinity)\b|[−-]0\.00\b", text)


def test_binary_pixels_may_speak_of_log_p(visit, tmp_path, mnist):
    path = tmp_path / "binary.html"
    path.write_text(explore(VAE(16, 2, rng=0), mnist[1][0][:200] > 127), encoding="utf-8")
    page = visit(path)
    assert "log p(x)" in sums(page)
    assert "grey" not in page.locator("#about-evidence").inner_text()
    draw(page, [(0.3, 0.2), (0.3, 0.8)])
    assert page.evaluate("state.x.every((v) => v === 0 || v === 1)")


def test_a_denoising_model_begins_with_its_noise(visit, tmp_path, mnist):
    path = tmp_path / "noisy.html"
    path.write_text(explore(VAE(16, 2, rng=0), mnist[1][0][:200], noise=0.4), encoding="utf-8")
    page = visit(path)
    assert page.locator("#noise").input_value() == "0.4"
    assert "noise 0.4" in page.locator("#about").inner_text()
    assert page.evaluate("state.x.some((v, j) => v !== state.clean[j])")
