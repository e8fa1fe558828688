import base64
import hashlib
import json
import re

import numpy as np
import pytest
from explorer.conftest import other_model

from numpyvae import VAE, pictures
from numpyvae.explorer import Page, explore
from numpyvae.explorer.page import SCRIPTS, SUSPECT, _json


@pytest.fixture(scope="module")
def page(classic, mnist):
    return explore(classic, *mnist[1], name="MNIST")


def part(page, start, end):
    return re.search(f"{re.escape(start)}(.*?){re.escape(end)}", page, re.DOTALL)[1]


def test_the_file_is_small_enough(page, mnist):
    assert isinstance(page, str)
    assert len(page.encode()) <= 1.6e6
    large = explore(VAE(400, 20), *mnist[1])
    assert len(large.encode()) <= 2.6e6


def test_nothing_in_it_asks_for_anything(page):
    rest = page.replace("http-equiv", "")
    for word in (
        "http",
        "fetch",
        "eval",
        "import(",
        "XMLHttp",
        "WebSocket",
        "src=",
        "@import",
        "url(",
    ):
        assert word not in rest, word
    assert page.count("href=") == 1
    assert '<link rel="icon" href="data:,">' in page


def test_its_policy_admits_its_own_script_and_style_alone(page):
    policy = part(page, 'http-equiv="Content-Security-Policy" content="', '"')
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for name, content in {
        "script-src": part(page, "<script>", "</script>"),
        "style-src": part(page, "<style>", "</style>"),
    }.items():
        found = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[name] == f"'sha256-{found}'"
    assert set(rules) == {"default-src", "script-src", "style-src", "img-src"}
    assert rules["img-src"] == "data:"


def test_the_data_can_be_read_back_and_cannot_leave_its_element():
    table = {"name": "</script><script>alert(1)</script>", "data": "AAhttpBBevalCCfetchDD"}
    text = _json(table)
    assert "<" not in text
    assert not any(word in text for word in SUSPECT)
    assert json.loads(text) == table


def test_a_hostile_name_and_label_stay_text():
    vae, x, labels = other_model()
    names = np.array(["</script>", "<b>", "&amp;", "'"])[labels]
    page = explore(vae, x, names, name="</script><img src=x>")
    table = json.loads(part(page, '<script type="application/json" id="data">', "</script>"))
    assert table["names"] == sorted(set(names))
    assert page.count("</script>") == 2


def test_every_script_is_in_the_page_and_listed():
    from importlib.resources import files

    web = files("numpyvae.explorer").joinpath("web")
    assert {path.name for path in web.iterdir() if path.name.endswith(".js")} == {
        f"{name}.js" for name in SCRIPTS
    }


def test_a_notebook_displays_it_in_a_frame_that_can_do_nothing_else():
    vae, x, _ = other_model()
    page = explore(vae, x)
    assert isinstance(page, Page)
    frame = page._repr_html_()
    assert frame.startswith("<iframe srcdoc=")
    assert 'sandbox="allow-scripts"' in frame
    inner = part(frame, 'srcdoc="', '"')
    assert "<" not in inner


def test_the_colors_are_those_of_the_pictures(page):
    listed = json.loads(part(page, "const COLORS = ", ";"))
    assert tuple(listed) == pictures.COLOURS


def contrast(one, other):
    """WCAG 2.2: the ratio of the relative luminances of two colors such as "#ff0000", 1 to 21."""

    def luminance(color):
        c = np.array([int(color[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [
            0.2126, 0.7152, 0.0722
        ]  # fmt: skip

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_can_be_read(page, theme):
    """WCAG 2.2, AA: a contrast of 4.5 for text, and of 3 for curves and marks."""
    start = ":root {" if theme == "light" else ':root[data-theme="dark"] {'
    color = dict(re.findall(r"--([\w-]+): (#\w{6});", part(page, start, "}")))
    for text, behind in (
        ("ink", "paper"), ("ink", "page"), ("ink", "soft"), ("quiet", "paper"), ("quiet", "page"),
        ("on-accent", "accent"), ("on-evidence", "evidence"),
    ):  # fmt: skip
        assert contrast(color[text], color[behind]) >= 4.5, (text, behind)
    for name in ("reconstruction", "floor"):
        assert contrast("#ffffff", color[name]) >= 4.5, name
    for name in ("kl", "gap", "gap-light"):
        assert contrast("#1a1a1a", color[name]) >= 4.5, name
    for mark in ("q", "posterior", "accent", "done"):
        assert contrast(color[mark], color["paper"]) >= 3, mark
    labels = "const TEXT_COLORS = " if theme == "light" else "const DARK_COLORS = "
    for each in json.loads(part(page, labels, ";")):
        assert contrast(each, color["paper"]) >= 4.5, each


def test_no_place_holder_is_left(page):
    for mark in ("STYLE-HASH", "SCRIPT-HASH", "/* style */", "/* script */", "/* data */"):
        assert mark not in page
