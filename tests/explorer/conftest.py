"""Models for the page, and an engine that runs its scripts as they are."""

import json
import platform
from importlib.resources import files

import numpy as np
import pytest
from explorer.browsing import CHROMIUM, DESKTOP, OPTIONS, ready

from numpyvae import VAE, train
from numpyvae.core.optimizers import RMSprop
from numpyvae.explorer import explore
from numpyvae.explorer.contents import contents

PURE = ("mathematics", "evidence", "ink", "checks")  # scripts that need no browser


@pytest.fixture(scope="session")
def classic(mnist):
    """The classic model after two epochs."""
    vae = VAE(rng=0)
    for _ in train(vae, mnist[0][0], epochs=2, optimizer=RMSprop(vae.parameters), rng=0):
        pass
    return vae


@pytest.fixture(scope="session")
def table(classic, mnist):
    """All that the page is told about the classic model."""
    return contents(classic, *mnist[1], noise=0.0, name="MNIST", credit=None)


def other_model(hidden=(7, 6), latent=2, activation="relu", image_shape=(3, 5), spread=0.5):
    """A small model at a generic point, its images and labels."""
    rng = np.random.default_rng(4)
    vae = VAE(hidden, latent, activation=activation, image_shape=image_shape, rng=1)
    vae.parameters.value += spread * rng.standard_normal(vae.parameters.value.size).astype("f")
    vae.parameters["W_logvar"][:] *= 0.3
    vae.parameters["b_logvar"][:] = -2.0
    images = np.rint(255 * rng.random((90, image_shape[0] * image_shape[1]))) / 255
    return vae, images, rng.integers(0, 4, 90)


class Engine:
    """A JavaScript engine that has read the scripts and the data of a page."""

    def __init__(self, table):
        if platform.machine() not in ("x86_64", "AMD64", "aarch64", "arm64"):
            pytest.skip("mini-racer has no wheel for this kind of machine")
        import py_mini_racer

        self.context = py_mini_racer.MiniRacer()
        web = files("numpyvae.explorer").joinpath("web")
        scripts = [web.joinpath(f"{name}.js").read_text(encoding="utf-8") for name in PURE]
        start = """
            const data = JSON.parse(text);
            const model = readModel(data), pictures = imagesOf(data.pictures, model.pixels);
            const grid = data.grid ? new Grid(model, data.grid) : null;
            const means = Float64Array.from(integersOf(data.means.integers));
            for (let k = 0; k < means.length; k++) means[k] *= data.means.scale;
            const labels = data.labels ? bytesOf(data.labels) : null;
            const near = new Neighbors(means, labels, data.names, model.latent);
        """
        text = f"const text = {json.dumps(json.dumps(table))};"
        self.context.eval("\n".join([*scripts, text, start]))

    def __call__(self, expression):
        """The value of an expression, by way of JSON."""
        words = "JSON.stringify(value, (_, v) => ArrayBuffer.isView(v) ? Array.from(v) : v)"
        return json.loads(
            self.context.eval(f"(() => {{ const value = {expression}; return {words}; }})()")
        )


@pytest.fixture(scope="session")
def engine():
    """Engines by the table of their page; that of the same table is kept."""
    made = {}

    def make(table):
        if id(table) not in made:
            made[id(table)] = Engine(table), table
        return made[id(table)][0]

    return make


@pytest.fixture(scope="session")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield found
        found.close()


@pytest.fixture(scope="session")
def file(classic, mnist, tmp_path_factory):
    """The page of the classic model."""
    path = tmp_path_factory.mktemp("page") / "explore.html"
    path.write_text(explore(classic, *mnist[1], name="MNIST"), encoding="utf-8")
    return path


@pytest.fixture
def visit(browser, file):
    """Open a page, ready for use. At the end of the test nothing may have been complained of."""
    opened = []

    def make(path=file, **options):
        context = browser.new_context(**(DESKTOP | options))
        page = context.new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("request", lambda request: page.asked.append(request.url))
        page.goto(path.as_uri())
        ready(page)
        opened.append((context, page))
        return page

    yield make
    for context, page in opened:
        assert page.said == []
        assert len(page.asked) == 1
        context.close()
