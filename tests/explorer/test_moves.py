"""Mouse, fingers and keys on the page, in a real browser."""

import numpy as np
import pytest
from explorer.browsing import (
    IN_BROWSER,
    KEYS,
    PHONE,
    SOLUTIONS,
    draw,
    middle,
    ready,
    spoken,
    touch,
    until,
)  # fmt: skip

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
    for key, holds in KEYS:
        page.keyboard.press(key)
        assert page.evaluate(holds), key
        assert spoken(page).startswith("z = ("), key


def test_every_control_is_reached_by_tab_and_has_a_name(visit):
    page = visit()
    page.evaluate(SOLUTIONS)
    count = page.evaluate(
        "[...document.querySelectorAll('button, input, canvas[tabindex], summary')]"
        ".filter((e) => e.checkVisibility() && !(e.type === 'radio' && !e.checked)).length"
    )
    reached = set()
    for _ in range(count + 3):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("nameOfFocus()"))
    reached.discard("")
    assert len(reached) == count
    assert not [name for name in reached if name.split(" ", 1)[1] in ("", "null", "undefined")]


@pytest.mark.parametrize("centered", [True, False])
def test_drawing(visit, centered):
    page = visit()
    if not centered:
        page.uncheck("#centered")
    draw(page, [(0.1, 0.1), (0.1, 0.3)])  # a short line in a corner
    assert page.evaluate("state.index") is None
    ink = page.evaluate("Array.from(state.x)")
    rows = np.flatnonzero(np.reshape(ink, (28, 28)).max(axis=1) > 0.5)
    assert np.ptp(rows) + 1 == pytest.approx(20 if centered else 7, abs=1)
    assert spoken(page).startswith("Your drawing")
    page.click("#clear")
    draw(page, [(0.5, 0.2), (0.5, 0.8)])
    assert page.evaluate("Array.from(state.x)") != ink


def test_drawing_with_the_keyboard(visit):
    page = visit()
    page.focus("#pad")
    for key in (" ", "ArrowDown", "ArrowDown", "Shift+ArrowRight", " ", "ArrowUp"):
        page.keyboard.press(key)
    ready(page)
    assert page.evaluate("state.index") is None
    assert page.evaluate("Math.max(...state.x)") > 0.5


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
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
