"""What does a trained model know? One HTML file to play with, which needs no network.

    page = numpyvae.explorer.explore(vae, x_test, y_test)
    pathlib.Path("explore.html").write_text(page, encoding="utf-8")

Read packing (weights and images as text), contents (all that the page is told about a model),
tasks (what to find in it, with thresholds that fit it), then page (the HTML, put together). The
scripts in `web` do the rest in the browser. Of these, read mathematics.js, evidence.js and ink.js
first, which compute; then checks.js, which judges the tasks. The others draw.
"""

from numpyvae.explorer.page import Page, explore

__all__ = ["Page", "explore"]
