"""Drawing a picture, with mouse, fingers and keys, in a real browser."""

import numpy as np
import pytest
from explorer.browsing import (
    IN_BROWSER,
    PHONE,
    draw,
    middle,
    ready,
    spoken,
    touch,
    until,
)  # fmt: skip

pytestmark = IN_BROWSER


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

    page.click("#clear")
    ink = page.evaluate("Array.from(state.x)")
    page.locator("#centered").click()  # there is nothing to read
    assert page.evaluate("Array.from(state.x)") == ink


def test_the_costs_are_counted_when_the_pen_is_lifted(visit):
    page = visit()
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 50, box["y"] + 90, steps=5)
    page.wait_for_timeout(300)
    assert page.evaluate("state.draws.length === 0 && state.index === null")
    assert page.locator("#costs.old").count() == 1
    page.mouse.up()
    ready(page)
    assert page.evaluate("state.draws.length") == 30
    assert page.locator("#costs.old").count() == 0


def test_drawing_with_the_keyboard(visit):
    page = visit()
    mark = page.locator("#pen")
    page.mouse.click(*middle(page))
    assert not mark.is_visible()
    page.keyboard.press("Tab")  # the focus is one that keys have set
    page.focus("#pad")
    assert mark.is_visible()
    places = []
    for key in (" ", "ArrowDown", "ArrowDown", "Shift+ArrowRight", " "):
        page.keyboard.press(key)
        box = mark.bounding_box()
        places.append((round(box["x"]), round(box["y"])))
        assert page.evaluate("find('pen').classList.contains('down')") == (len(places) < 5)
    assert places[0][1] < places[1][1] < places[2][1]
    assert places[2][0] < places[3][0] == places[4][0]
    ready(page)
    assert page.evaluate("state.index") is None
    assert page.evaluate("Math.max(...state.x)") > 0.5
    assert spoken(page).startswith("Your drawing")
    page.evaluate("kept = state.q")
    page.keyboard.press("ArrowUp")  # the pen is up
    assert page.evaluate("state.q === kept")
    page.evaluate("clearPad()")
    box = mark.bounding_box()
    assert (round(box["x"]), round(box["y"])) == places[0]  # in the middle


def test_a_second_finger_does_not_draw(visit):
    page = visit(**PHONE)
    page.touch_session = page.context.new_cdp_session(page)
    page.uncheck("#centered")
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    left, top, bottom = box["x"] + 20, box["y"] + 20, box["y"] + 130
    touch(page, "touchStart", (left, top))
    for k in range(1, 6):
        kind = "touchStart" if k == 1 else "touchMove"
        touch(page, kind, (left + 15 * k, top), (left + 15 * k, bottom))
    touch(page, "touchEnd")
    ready(page)
    ink = np.reshape(page.evaluate("Array.from(state.x)"), (28, 28))
    assert ink[:8].max() > 0.5
    assert ink[8:].max() == 0
    assert page.evaluate("finger === null && tip === null")


def interrupt(page, x, y, away):
    """Press the left button at (x, y), then also the right one, and lift the left one elsewhere."""
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.down(button="right")
    page.mouse.up(button="right")
    page.mouse.move(x + away, y)
    page.mouse.up()


def test_another_button_or_key_in_the_middle_of_a_stroke(visit):
    """Nothing is stuck afterwards: no pen that draws by itself, no finger that shifts the view."""
    page = visit()
    box = page.locator("#pad").bounding_box()
    left, top = box["x"] + 30, box["y"] + 30
    interrupt(page, left, top, 300)
    page.mouse.move(left, top + 60)
    page.mouse.move(left + 60, top + 60)
    assert page.evaluate("finger === null && tip === null")
    page.mouse.down()
    page.mouse.move(left, top + 90)
    page.focus("#pad")
    page.keyboard.press(" ")
    page.evaluate("pickTest(3)")
    page.mouse.move(left + 60, top + 90)
    page.mouse.up()
    ready(page)
    assert page.evaluate("state.index") == 3
    x, y = middle(page)
    interrupt(page, x, y, 900)
    where = page.evaluate("[view.a, view.b]")
    page.mouse.move(x, y)
    page.mouse.move(x + 60, y)
    assert page.evaluate("[view.a, view.b]") == where
    assert page.evaluate("fingers.size") == 0
    until(page, "state.hover !== null")


def test_costs_are_counted_also_after_a_stroke_or_a_noise_without_an_end(visit):
    page = visit()
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 50, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 50, box["y"] + 90, steps=5)
    until(page, "state.draws.length === 0")
    page.evaluate("find('clear').click()")
    page.mouse.up()
    assert page.evaluate("state.draws.length") == 30
    box = page.locator("#noise").bounding_box()
    x, y = box["x"] + 8, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=4)
    until(page, "state.noise > 0 && state.draws.length === 0")
    page.mouse.move(x, y, steps=4)
    page.mouse.up()
    assert page.evaluate("state.noise") == 0
    until(page, "state.draws.length === 30")


def test_selected_text_does_not_hinder_drawing(visit):
    page = visit()
    page.keyboard.press("Control+a")
    draw(page, [(0.2, 0.2), (0.8, 0.2)])
    ink = np.reshape(page.evaluate("Array.from(state.x)"), (28, 28)).max(axis=1)
    assert (ink > 0.5).sum() < 8  # a flat line, and not the dot where it began
    x, y = middle(page)
    before = page.evaluate("view.a")
    page.keyboard.press("Control+a")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=8)
    page.mouse.up()
    assert page.evaluate(f"({before} - view.a) * scale()") == pytest.approx(100, abs=8)
