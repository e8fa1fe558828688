import json
import re

import pytest

from numpyvae import VAE, save
from numpyvae.cli import main
from numpyvae.data import MNIST_CREDIT
from numpyvae.runs import Run, Settings


def table(path):
    """What the page is told."""
    text = path.read_text(encoding="utf-8")
    return json.loads(re.search('id="data">(.*?)</script>', text, re.DOTALL)[1])


@pytest.fixture
def trained(data, tmp_path, monkeypatch):
    """A folder as `numpyvae train` writes it, but without pictures."""
    monkeypatch.chdir(tmp_path)

    def make(**settings):
        kept = {"data": str(data), "hidden": (8,), "epochs": 1} | settings
        with Run.start(Settings(**kept), "model") as training:
            list(training)
            training.complete()
        return tmp_path / "model"

    return make


def test_it_writes_a_page_and_says_where(run, capsys):
    assert run() == 0
    trained = capsys.readouterr().out
    assert trained.splitlines()[-1] == (
        "to look into the model in a browser: numpyvae explore numpyvae-out"
    )
    assert main(["explore", "numpyvae-out"]) == 0
    out = capsys.readouterr().out
    assert re.fullmatch(
        r"numpyvae-out/explore.html holds the model, \d\.\d MB; open it in a browser\n", out
    )


def test_the_page_holds_the_test_images_their_labels_and_the_settings(trained, data):
    folder = trained(noise=0.25, hidden=(7, 6))
    assert main(["explore", "model"]) == 0
    page = table(folder / "explore.html")
    assert page["hidden"] == [7, 6]
    assert page["noise"] == 0.25
    assert page["names"] == ["0", "1", "2", "3"]
    assert page["pictures"]["count"] == 50
    assert page["name"] == str(data)
    assert page["credit"] == ""
    assert page["binary"] is False


@pytest.mark.parametrize("pixels", ["thresholded", "dynamic"])
def test_a_model_of_binary_pixels_gets_binary_images(trained, pixels):
    folder = trained(pixels=pixels)
    assert main(["explore", "model"]) == 0
    assert table(folder / "explore.html")["binary"] is True


def test_other_images_and_another_folder(trained, data, tmp_path):
    folder = trained()
    assert main(["explore", "model", "--data", str(data), "--out", "pages"]) == 0
    assert (tmp_path / "pages" / "explore.html").exists()
    assert not (folder / "explore.html").exists()


def test_mnist_is_credited(trained):
    folder = trained(data=None, hidden=(4,), batch_size=10_000)
    assert main(["explore", "model"]) == 0
    page = table(folder / "explore.html")
    assert page["credit"] == MNIST_CREDIT
    assert page["name"] == "MNIST"


def test_a_new_run_sets_the_page_aside(trained):
    folder = trained()
    assert main(["explore", "model"]) == 0
    trained(seed=1)
    assert not (folder / "explore.html").exists()
    assert (folder / "earlier-1" / "explore.html").exists()


def test_without_a_model_there_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["explore", "nothing"]) == 2
    assert capsys.readouterr().err == (
        "numpyvae: nothing: no such folder; name the folder of a run\n"
    )


def test_images_of_another_size_are_refused(trained, capsys):
    folder = trained()
    save(folder / "model.npz", VAE(4, 2, image_shape=(2, 2)))
    assert main(["explore", "model"]) == 2
    assert "reshape them, or build the VAE with their image_shape" in capsys.readouterr().err
    assert not (folder / "explore.html").exists()
