"""numpyvae evaluate: its table, its JSON and its errors."""

import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from numpyvae import VAE, load, save
from numpyvae.cli import main
from numpyvae.evaluation.many_draws import NegativeLogLikelihoods
from numpyvae.runs import Settings


def test_the_ladder_rises_and_the_gap_is_the_kl(trained, capsys):
    folder = trained()
    capsys.readouterr()
    assert main(["evaluate", "model", "--json", "--gap-images", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    ladder = [found[name]["mean"] for name in ("ELBO", "bound, k = 5", "bound, k = 50")]
    ladder.append(found["evidence"]["mean"])
    assert all(low < high + 0.02 for low, high in pairwise(ladder))
    assert found["images"] == 40
    assert found["aggregate posterior"]["images"] == 360  # those that the decoder has seen
    assert found["kind"] == "grey cross-entropy"
    assert "bits per pixel" not in found
    assert -found["ELBO"]["mean"] == pytest.approx(found["reconstruction"] + found["kl"])
    assert sum(found["KL per latent"]) == pytest.approx(found["kl"])
    gap = found["evidence"]["mean"] - found["ELBO"]["mean"]
    assert found["KL(q, posterior)"] == pytest.approx(gap, abs=0.05)
    for name in ("bounds.png", "kl.png", "posteriors.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.once
def test_grey_pixels_have_no_likelihood_and_binary_ones_do(trained, capsys):
    trained()
    capsys.readouterr()
    assert main(["evaluate", "model", "--gap-images", "2"]) == 0
    text = capsys.readouterr().out
    assert "grey cross-entropy, nats per image" in text
    assert "has no bits per pixel" in text
    assert "log p(x)" not in text
    assert "NLL of binary ones" in text
    trained("--pixels", "thresholded")
    capsys.readouterr()
    assert main(["evaluate", "model", "--gap-images", "2", "--images", "all"]) == 0
    text = capsys.readouterr().out
    assert "log p(x), nats per image" in text
    assert "bits per pixel" in text
    assert "cross-entropy" not in text
    nll, bits = (float(w) for w in (text.split("NLL ")[1].split()[0],
                                    text.split(" = ")[-1].split()[0]))  # fmt: skip
    assert bits == pytest.approx(nll / (16 * np.log(2.0)), abs=1e-3)


def test_more_latents_have_bounds_but_no_evidence(trained, capsys):
    folder = trained("--latent", "3")
    capsys.readouterr()
    assert main(["evaluate", "model", "--gap-images", "2"]) == 0
    text = capsys.readouterr().out
    assert "below the bound, k = 500" in text
    assert "evidence" not in text
    assert not (folder / "posteriors.png").exists()


def test_one_latent(trained, capsys):
    trained("--latent", "1")
    capsys.readouterr()
    assert main(["evaluate", "model", "--gap-images", "2"]) == 0
    assert "true posterior" in capsys.readouterr().out


@pytest.mark.once
def test_the_same_seed_gives_the_same_table(trained, capsys):
    trained("--pixels", "dynamic")
    tables = []
    for seed in ("0", "0", "1"):
        capsys.readouterr()
        few = ["--gap-images", "2", "--images", "20"]
        assert main(["evaluate", "model", *few, "--gap-images", "2", "--seed", seed]) == 0
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1] != tables[2]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere"], "nowhere: no such folder; name the folder of a run"),
        (["model", "--images", "some"], "--images: expected a number or all, got 'some'"),
        (["model", "--images", "1"], "images: expected a whole number of at least 2"),
        (["model", "--data", "nothing.npy"], "nothing.npy"),
        (["model", "--seed", "-1"], "seed: expected a whole number"),
        (["model", "--draws", "0"], "draws: expected a whole number of at least 1, got 0"),
        (["model", "--out", ""], "--out: expected the name of a folder, got ''"),
        (["model", "--out", "model/model.npz"], "--out: expected the name of a folder, got 'model"),
    ],
)
def test_bad_input_gets_one_line(tmp_path, monkeypatch, capsys, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    save("model/model.npz", VAE(8, 2))
    Path("model/settings.json").write_text(json.dumps(asdict(Settings())))
    assert main(["evaluate", *arguments]) == 2
    error = capsys.readouterr().err.replace("\\", "/")
    assert complaint in error
    assert len(error.splitlines()) == 1
    files = sorted(path.name for path in (tmp_path / "model").iterdir())
    assert files == ["model.npz", "settings.json"]


@pytest.mark.once
def test_posteriors_outside_the_grid_are_not_drawn(trained):
    vae = load(trained() / "model.npz")
    vae.parameters["b_mu"][:] = 30.0
    save("model/model.npz", vae)
    assert main(["evaluate", "model", "--out", "far", "--gap-images", "0"]) == 0
    assert sorted(path.name for path in Path("far").iterdir()) == ["bounds.png", "kl.png"]


@pytest.mark.once
def test_few_images_and_a_file_for_a_folder(trained, capsys):
    folder = trained()
    assert main(["evaluate", "model", "--images", "2", "--gap-images", "2"]) == 0
    np.save("ten.npy", np.load("images.npy")[:10])
    capsys.readouterr()
    assert main(["evaluate", "model", "--data", "ten.npy"]) == 2
    assert "expected at least two, for a standard error, got one" in capsys.readouterr().err
    assert main(["draw", "model", "--data", "ten.npy"]) == 2
    assert "expected two test images to interpolate between" in capsys.readouterr().err
    assert main(["evaluate", str(folder / "model.npz")]) == 2
    assert "expected the folder that numpyvae train wrote, got a file" in capsys.readouterr().err


def test_a_folder_without_a_model_says_what_to_do(trained, capsys):
    Path("runs").mkdir()
    assert main(["evaluate", "runs"]) == 2
    assert "runs: it holds no complete epoch; train one first" in capsys.readouterr().err
    trained()
    Path("model").rename("runs/first")
    capsys.readouterr()
    assert main(["evaluate", "runs"]) == 2
    inside = Path("runs", "first")
    assert (
        f"it holds no complete epoch; name a run in it, such as {inside}" in capsys.readouterr().err
    )


def test_settings_that_are_damaged_are_named(tmp_path, capsys):
    save(tmp_path / "model.npz", VAE(8, 2))
    (tmp_path / "settings.json").write_text("{")
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "settings.json: damaged, not JSON; copy it" in capsys.readouterr().err


@pytest.mark.once
def test_the_nll_by_many_draws_can_be_stopped_and_goes_on(trained, capsys, monkeypatch):
    """To the same numbers, and close to the exact ones."""
    trained("--pixels", "dynamic")
    capsys.readouterr()
    arguments = ["evaluate", "model", "--images", "30", "--draws", "1500"]
    assert main([*arguments, "--out", "whole", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    measured = NegativeLogLikelihoods._measure

    def stops(self, *image):
        if len(self.values) == 12:
            raise KeyboardInterrupt
        return measured(self, *image)

    with monkeypatch.context() as patched:
        patched.setattr(NegativeLogLikelihoods, "_measure", stops)
        assert main(arguments) == 130
    problem = "stopped; model/nll.npz holds 12 of 30 images; the same command goes on"
    assert capsys.readouterr().err == f"numpyvae: {problem}\n"
    counted = []
    monkeypatch.setattr(
        NegativeLogLikelihoods, "_measure", lambda *image: counted.append(0) or measured(*image)
    )
    assert main(arguments) == 0
    assert len(counted) == 18
    text = capsys.readouterr().out
    assert Path("model/nll.npz").read_bytes() == Path("whole/nll.npz").read_bytes()
    mean = found["NLL"]["mean"]
    assert f"model: NLL {mean:.2f} ± {found['NLL']['standard error']:.2f} nats per image" in text
    assert main([*arguments, "--seed", "1"]) == 0  # another seed draws other pixels
    assert len(counted) == 18 + 30
    assert main(["evaluate", "model", "--images", "30", "--json", "--gap-images", "2"]) == 0
    printed = capsys.readouterr().out
    exact = json.loads(printed[printed.index("{") :])["evidence"]["mean"]
    assert mean == pytest.approx(-exact, abs=0.02)


@pytest.mark.once
def test_a_file_of_another_model_or_damaged_is_replaced(trained, capsys):
    trained()
    arguments = ["evaluate", "model", "--images", "3", "--draws", "10"]
    assert main(arguments) == 0
    whole = Path("model/nll.npz").read_bytes()
    for content in (b"", whole[:-30], whole.replace(b"nll.npy", b"mll.npy")):
        Path("model/nll.npz").write_bytes(content)
        assert main(arguments) == 0
        assert Path("model/nll.npz").read_bytes() == whole


def test_the_nll_of_an_image_is_its_own_and_that_of_something_else_is_not_taken_for_it(
    tmp_path, rng
):
    vae, x = VAE(8, 2, image_shape=(4, 4)), rng.random((5, 16))

    def left(vae=vae, x=x, draws=10, seed=0, folder=tmp_path):
        return NegativeLogLikelihoods(folder, vae, x, "grey", draws, seed)

    list(left())
    known = left().values
    assert len(known) == 5
    whole = (tmp_path / "nll.npz").read_bytes()
    assert list(left(x=x[:3])) == []
    assert left(x=x[:3]).values.tolist() == known[:3].tolist()
    assert (tmp_path / "nll.npz").read_bytes() == whole  # fewer images take nothing away
    assert left(x=np.vstack([x[:4], x[:3]])).values.tolist() == known[:4].tolist()
    (tmp_path / "few").mkdir()
    assert list(left(x=x[:3], folder=tmp_path / "few")) == known[:3].tolist()
    assert len(left(vae=VAE(8, 2, image_shape=(4, 4), rng=1))) == 5
    assert len(left(x=x[::-1])) == len(left(draws=11)) == len(left(seed=1)) == 5
