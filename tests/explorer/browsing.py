"""A browser for the tests of the page, and what a hand does in it."""

import os
import re
import shutil
import time
from importlib.util import find_spec
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
MISSING = CHROMIUM is None or find_spec("playwright") is None
REQUIRED = os.environ.get("NUMPYVAE_BROWSER") == "required"
OPTIONS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
SOLUTIONS = (Path(__file__).parent / "solutions.js").read_text(encoding="utf-8") + "null;"
DESKTOP = {"viewport": {"width": 1366, "height": 900}}
PHONE = {
    "viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True,
    "device_scale_factor": 2,
}  # fmt: skip
# Without a browser these tests are skipped; with NUMPYVAE_BROWSER=required, as in .ci/run, they
# fail.
IN_BROWSER = [
    pytest.mark.once,
    pytest.mark.skipif(MISSING and not REQUIRED, reason="no Chromium on PATH, or no playwright"),
]
KEYS = (  # key, what it does, and what is said
    ("ArrowRight", "state.z[0] > 0 && state.z[1] === 0", "z = ("),
    ("ArrowUp", "state.z[1] > 0", "z = ("),
    ("Shift+ArrowDown", "state.z[1] > 0 && state.z[1] < 0.05 * view.half", "z = ("),
    ("+", "view.half < 3", "view: z₁ from −"),
    ("0", "view.half > 3", "view: z₁ from −"),
    ("q", "view.half < 2", "view: z₁ from −"),
    ("m", "state.z.every((v, i) => v === state.q.mu[i])", "z = ("),
    ("a", "state.pins.A.every((v, i) => v === state.z[i])", "A is at z = ("),
    ("b", "state.path.length === 13 && new Set(state.path).size === 1", "B is at z = ("),
    ("Escape", "document.activeElement === document.body", ""),
)


def until(page, holds):
    """Wait for a condition. (Playwright's own way needs eval, which the page forbids.)"""
    end = time.monotonic() + 30
    while not page.evaluate(f"Boolean({holds})"):
        assert time.monotonic() < end, holds
        page.wait_for_timeout(20)


def ready(page):
    """Wait until the costs of the present picture are shown, and what was asked for is drawn."""
    until(page, "document.querySelector('#sums tr') && (state.evidence || state.bound)")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def number(text):
    return float(text.replace("−", "-").replace(" ", "").split("±")[0])


def sums(page):
    rows = page.locator("#sums tr").all()
    return {
        row.locator("th").inner_text().strip(): row.locator("td").first.inner_text() for row in rows
    }


def spoken(page):
    return page.locator("#spoken").inner_text()


def middle(page):
    box = page.locator("#plane").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def draw(page, *strokes):
    """Strokes of places from 0 to 1 on the pad."""
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    for stroke in strokes:
        places = [(box["x"] + a * box["width"], box["y"] + b * box["height"]) for a, b in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=6)
        page.mouse.up()
    page.wait_for_timeout(60)
    ready(page)


def touch(page, kind, *points):
    session = page.touch_session
    touches = [{"x": x, "y": y, "id": k} for k, (x, y) in enumerate(points)]
    session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})


def check(page, kind):
    at = page.evaluate("data.tasks.map((task) => task.kind)").index(kind)
    item = page.locator("#task-list li").nth(at)
    item.get_by_role("button", name=re.compile("^check")).click()
    return item.locator(".answer").inner_text()
