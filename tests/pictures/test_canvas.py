"""What holds for all pictures."""

import subprocess
import sys

import numpy as np
import pytest

from numpyvae import VAE, pictures


def test_bad_arguments_are_refused(rng):
    vae = VAE(hidden=5, image_shape=(3, 4))
    images = rng.random((30, 12))
    for draw, message in (
        (lambda: pictures.loss([]), "epochs: expected at least one, got none"),
        (lambda: pictures.latent(vae, images, np.zeros(5)), r"labels: expected shape \(30,\)"),
        (lambda: pictures.reconstructions(vae, images), "at most 20 to draw in a row, got 30"),
        (lambda: pictures.manifold(vae, n=0), "n: expected a whole number of at least 1, got 0"),
        (
            lambda: pictures.reconstructions(vae, images[:3], images[:2]),
            "corrupted: expected 3 images like the originals, got 2",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            draw()


def test_a_notebook_shows_a_figure_that_ends_a_cell(rng):
    figure = pictures.samples(VAE(hidden=5, image_shape=(3, 4)), rng)
    assert figure._repr_png_().startswith(b"\x89PNG")  # the method that IPython looks for


def test_no_global_state_of_matplotlib_is_touched(rng):
    import matplotlib.pyplot as plt

    pictures.samples(VAE(hidden=5, image_shape=(3, 4)), rng)
    assert plt.get_fignums() == []


def test_ctrl_c_waits_until_matplotlib_is_imported(tmp_path):
    """In the middle of an import, Python turns it into another exception, with a traceback."""
    code = (
        "import signal, sys\n"
        "from numpyvae.pictures.canvas import canvas\n"
        "seen = set()\n"
        "class Watch:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.startswith('matplotlib'):\n"
        "            seen.add(signal.getsignal(signal.SIGINT) is signal.default_int_handler)\n"
        "sys.meta_path.insert(0, Watch())\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "canvas(1.0, 1.0).savefig(sys.argv[1])\n"
        "sys.exit(seen != {False})\n"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "a.png"]).returncode == 0
