"""Mouse, fingers and keys in the latent space and on the page, in a real browser."""

import numpy as np
import pytest
from explorer.browsing import (
    IN_BROWSER,
    KEYS,
    PHONE,
    SOLUTIONS,
    middle,
    ready,
    spoken,
    touch,
    until,
)  # fmt: skip
from explorer.conftest import other_model

from numpyvae.explorer import explore

pytestmark = IN_BROWSER


def test_hovering_decodes_and_says_nothing_and_a_click_stays(visit):
    page = visit()
    x, y = middle(page)
    before = spoken(page)
    page.mouse.move(x + 80, y + 60)
    until(page, "state.hover !== null")
    ready(page)
    hovered = page.locator("#status").inner_text()
    assert spoken(page) == before
    page.mouse.click(x + 80, y + 60)
    ready(page)
    assert spoken(page) == hovered
    page.mouse.move(5, 5)
    ready(page)
    assert page.evaluate("state.hover") is None
    assert page.locator("#status").inner_text() == hovered


def test_dragging_shifts_the_view_and_the_wheel_zooms_once_the_plane_was_clicked(visit):
    page = visit()
    x, y = middle(page)
    a, b = page.evaluate("placeAt(view.width / 2, view.height / 2)")
    page.mouse.move(x, y)
    page.mouse.wheel(0, -300)
    page.wait_for_timeout(100)
    half = page.evaluate("view.half")
    page.mouse.down()
    page.mouse.move(x + 50, y - 30, steps=4)
    page.mouse.up()
    moved = page.evaluate(f"[right({a}) - view.width / 2, down({b}) - view.height / 2]")
    assert moved == pytest.approx([50, -30], abs=1.5)
    assert page.evaluate("state.z") == [0, 0]  # a drag is no click
    page.mouse.wheel(0, -300)
    until(page, f"view.half < {half}")


def test_every_key(visit):
    page = visit()
    page.focus("#plane")
    for key, holds, words in KEYS:
        page.keyboard.press(key)
        assert page.evaluate(holds), key
        assert spoken(page).startswith(words), key


def test_z_stays_in_view_and_what_is_outside_is_pointed_to(visit):
    page = visit()
    page.evaluate(SOLUTIONS)
    page.focus("#plane")
    for _ in range(60):
        page.keyboard.press("ArrowRight")
        assert page.evaluate("isInView(project(state.z))")
    assert page.evaluate("state.z[0] === WIDEST_VIEW")
    for _ in range(3):
        page.keyboard.press("+")
        assert page.evaluate("isInView(project(state.z))")
    ready(page)
    assert page.evaluate("isInView(project(state.q.mu))") is False
    assert page.evaluate("rimOf(style('q'))") > 60  # pixels of an arrow
    page.click("#zoom-q")
    ready(page)
    assert page.evaluate("rimOf(style('q'))") == 0
    at_once = page.evaluate("pickTest(7), lookAtQ(), state.evidence !== null")
    assert at_once  # the view holds the regions, too


def test_other_buttons_of_the_mouse_do_nothing(visit):
    page = visit()
    before = page.evaluate("state.q.mu[0]")
    x, y = middle(page)
    for button in ("right", "middle"):
        page.mouse.click(x + 70, y, button=button)
        assert page.evaluate("state.z") == [0, 0]
        page.locator("#pad").click(button=button)
        assert page.evaluate("empty && state.q.mu[0]") == before


def test_buttons_and_sliders_say_what_they_did(visit):
    page = visit()
    for name, words in (
        ("#zoom-in", "view: z₁ from"), ("#zoom-out", "view:"), ("#zoom-all", "view:"),
        ("#zoom-q", "view:"), ("#to-mu", "z = ("), ("#strip button >> nth=3", "z = ("),
        ("#pin-a", "A is at z = ("), ("#clear", "the pad is empty"), ("#any", "Test picture"),
        ("#redraw", "The ELBO from one draw"),
    ):  # fmt: skip
        page.evaluate("speak('')")
        page.click(name)
        ready(page)
        assert spoken(page).startswith(words), name
    page.evaluate("speak('')")
    page.locator("#noise").fill("0.3")
    ready(page)
    assert spoken(page).startswith("Test picture")
    assert "KL to the prior" in spoken(page)


def test_the_page_does_not_jump_while_the_mouse_moves(visit):
    page = visit()
    x, y = middle(page)
    heights = set()
    for away in range(-200, 201, 40):
        page.mouse.move(x + away, y + 0.8 * away)
        ready(page)
        heights.add(page.locator("#legend").bounding_box()["y"])
    assert len(heights) == 1


def test_every_control_is_reached_by_tab_and_has_a_name(visit):
    page = visit()
    page.evaluate(SOLUTIONS)
    count = page.evaluate(
        "[...document.querySelectorAll('button, input, canvas[tabindex], summary')]"
        ".filter((e) => e.checkVisibility() && e.tabIndex === 0)"
        ".filter((e) => e.type !== 'radio' || e.checked).length"
    )
    reached = set()
    for _ in range(count + 3):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("nameOfFocus()"))
    reached.discard("")
    assert len(reached) == count < 40
    assert "arrows move z" in page.locator("#plane").get_attribute("aria-label")
    assert not [name for name in reached if name.split(" ", 1)[1] in ("", "null", "undefined")]


def test_the_arrow_keys_go_through_a_row_of_buttons(visit):
    page = visit()
    page.focus("#by-label button")
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("labels[state.index]") == 1
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "any"
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.textContent") == "1"
    for key in ("ArrowLeft", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.textContent") == "9"


@pytest.mark.parametrize("size", ["phone", "narrow"])
def test_a_phone_scrolls_downward_only(visit, size):
    page = visit(**(PHONE if size == "phone" else {"viewport": {"width": 320, "height": 640}}))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if size == "phone":
        x, y = middle(page)
        page.touchscreen.tap(x + 40, y)
        ready(page)
        assert page.evaluate("state.z[0] > 0")
        above = page.locator("#picture-z").bounding_box()
        assert above["y"] + above["height"] < page.locator("#plane").bounding_box()["y"]
    for words in page.locator("#sums tr:not(.sum) td:nth-child(3)").all():
        assert words.is_visible()


def test_two_fingers_zoom_and_one_that_swipes_scrolls(visit):
    page = visit(**PHONE)
    page.touch_session = page.context.new_cdp_session(page)
    page.locator("#plane").scroll_into_view_if_needed()
    x, y = middle(page)
    half = page.evaluate("view.half")
    touch(page, "touchStart", (x - 30, y), (x + 30, y))
    for apart in range(35, 95, 10):
        touch(page, "touchMove", (x - apart, y), (x + apart, y))
    touch(page, "touchEnd")
    assert page.evaluate("view.half") == pytest.approx(half / 3, rel=0.25)
    z, scrolled = page.evaluate("state.z"), page.evaluate("scrollY")
    touch(page, "touchStart", (x - 30, y), (x + 30, y))
    touch(page, "touchMove", (x - 30, y), (x + 30, y))
    touch(page, "touchEnd", (x - 30, y))  # one finger is left
    for away in range(0, 60, 10):
        touch(page, "touchMove", (x - 30 + away, y))
    touch(page, "touchStart", (x + 20, y), (x + 60, y), (x + 60, y + 60))
    touch(page, "touchEnd")
    assert page.evaluate("state.z") == z
    touch(page, "touchStart", (x, y))
    for up in range(0, 200, 20):
        touch(page, "touchMove", (x, y - up))
        page.wait_for_timeout(20)
    touch(page, "touchEnd")
    until(page, f"scrollY > {scrolled + 50}")
    assert page.evaluate("state.z") == z


def test_light_dark_and_print(visit):
    page = visit(color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.click("#theme")
    assert page.evaluate(background) != dark
    page.click("#theme")
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "light"
    assert not page.locator("#tasks").is_visible()
    assert page.locator("#plane").is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen", color_scheme="dark")
    page.check("input[value=pictures]", force=True)
    paper = "sheet.picture.getContext('2d').getImageData(0, 0, 1, 1).data[0]"
    assert page.evaluate(f"sheet = decodeSheet(), {paper}") < 60
    assert page.evaluate(f"dispatchEvent(new Event('beforeprint')), {paper}") > 200
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_an_arrow_key_moves_one_coordinate_only(visit):
    page = visit()
    page.evaluate("lookAt(8, 0, 6), chooseZ([1.5 * WIDEST_VIEW, 0.5])")
    page.focus("#plane")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("state.z[0] === 1.5 * WIDEST_VIEW && state.z[1] > 0.5")


@pytest.mark.parametrize("size", [(1280, 640), (1366, 768), (1920, 1080)])
def test_the_pictures_and_the_plane_fit_a_projector(visit, size):
    page = visit(viewport={"width": size[0], "height": size[1]})
    for name in ("picture-x", "picture-mu", "picture-z", "plane", "status"):
        box = page.locator(f"#{name}").bounding_box()
        assert 0 <= box["y"] <= size[1] - box["height"], name


@pytest.mark.parametrize("letters", ["0.43333333333333335", "m" * 80, "Ankle boot"])
def test_long_names_of_labels_do_not_make_a_phone_scroll_sideways(visit, tmp_path, letters):
    vae, images, labels = other_model()
    names = np.array([f"{letters}{i}" for i in range(4)])
    path = tmp_path / "long.html"
    path.write_text(explore(vae, images, names[labels]), encoding="utf-8")
    page = visit(path, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert page.evaluate("document.querySelectorAll('#by-label button').length") == 4
