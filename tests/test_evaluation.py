"""The table of `numpyvae evaluate`, its JSON, its pictures, and what it may be called."""

import dataclasses
import json
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from numpyvae import VAE, save, train
from numpyvae.bounds import mean_and_error
from numpyvae.cli import main
from numpyvae.evaluation import evaluate
from numpyvae.pictures import animation, interpolation, ladder, latent_kl, posteriors, walk


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A folder as `numpyvae train` writes it, of a small model on few images."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    ink = rng.random((400, 1)) < 0.5
    shapes = np.where(ink, np.arange(16) < 8, np.arange(16) >= 8) * 0.8
    np.save("images.npy", (shapes + 0.1 * rng.random((400, 16))).reshape(-1, 4, 4))

    def make(*arguments):
        options = ["--hidden", "8", "--epochs", "20", "--batch-size", "20", "--out", "model"]
        assert main(["train", "--data", "images.npy", *options, *arguments]) == 0
        return tmp_path / "model"

    return make


def test_the_ladder_rises_and_the_gap_is_the_kl(trained, capsys):
    folder = trained()
    capsys.readouterr()
    assert main(["evaluate", "model", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    ladder = [found[name]["mean"] for name in ("ELBO", "bound, k = 5", "bound, k = 50")]
    ladder.append(found["evidence"]["mean"])
    assert all(low < high + 0.02 for low, high in pairwise(ladder))
    assert found["images"] == 40
    assert found["kind"] == "grey cross-entropy"
    assert "bits per pixel" not in found
    assert -found["ELBO"]["mean"] == pytest.approx(found["reconstruction"] + found["kl"])
    assert sum(found["KL per latent"]) == pytest.approx(found["kl"])
    gap = found["evidence"]["mean"] - found["ELBO"]["mean"]
    assert found["KL(q, posterior)"] == pytest.approx(gap, abs=0.05)
    for name in ("bounds.png", "kl.png", "posteriors.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_grey_pixels_have_no_likelihood_and_binary_ones_do(trained, capsys):
    trained()
    capsys.readouterr()
    assert main(["evaluate", "model"]) == 0
    text = capsys.readouterr().out
    assert "grey cross-entropy, nats per image" in text
    assert "has no bits per pixel" in text
    assert "log p(x)" not in text
    assert "NLL of binary ones" in text
    trained("--pixels", "thresholded")
    capsys.readouterr()
    assert main(["evaluate", "model", "--images", "all"]) == 0
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
    assert main(["evaluate", "model"]) == 0
    text = capsys.readouterr().out
    assert "below the bound, k = 500" in text
    assert "evidence" not in text
    assert not (folder / "posteriors.png").exists()


def test_one_latent(trained, capsys):
    trained("--latent", "1")
    capsys.readouterr()
    assert main(["evaluate", "model"]) == 0
    assert "true posterior" in capsys.readouterr().out


def test_the_same_seed_gives_the_same_table(trained, capsys):
    trained("--pixels", "dynamic")
    tables = []
    for seed in ("0", "0", "1"):
        capsys.readouterr()
        assert main(["evaluate", "model", "--seed", seed]) == 0
        tables.append(capsys.readouterr().out)
    assert tables[0] == tables[1] != tables[2]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["nowhere"], "nowhere/model.npz: no such file; `numpyvae train` writes one"),
        (["model", "--images", "some"], "--images: expected a number or all, got 'some'"),
        (["model", "--images", "1"], "images: expected a whole number of at least 2"),
        (["model", "--data", "nothing.npy"], "nothing.npy"),
        (["model", "--seed", "-1"], "seed: expected a whole number"),
    ],
)
def test_bad_input_gets_one_line(tmp_path, monkeypatch, capsys, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model").mkdir()
    save("model/model.npz", VAE(8, 2))
    assert main(["evaluate", *arguments]) == 2
    error = capsys.readouterr().err.replace("\\", "/")
    assert complaint in error
    assert len(error.splitlines()) == 1
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["model.npz"]


def test_few_images_and_a_file_for_a_folder(trained, capsys):
    folder = trained()
    assert main(["evaluate", "model", "--images", "2"]) == 0
    np.save("ten.npy", np.load("images.npy")[:10])
    capsys.readouterr()
    assert main(["evaluate", "model", "--data", "ten.npy"]) == 2
    assert "expected at least two, for a standard error, got one" in capsys.readouterr().err
    assert main(["draw", "model", "--data", "ten.npy"]) == 2
    assert "expected two test images to draw the way between" in capsys.readouterr().err
    assert main(["evaluate", str(folder / "model.npz")]) == 2
    assert "expected the folder that numpyvae train wrote, got a file" in capsys.readouterr().err


def test_latents_far_out_widen_the_grid_and_what_is_beyond_is_told(rng):
    x = rng.random((20, 9))
    vae = VAE(8, 2, image_shape=(3, 3), rng=1)
    vae.parameters["b_mu"][:] = 3.0
    result = evaluate(vae, x)
    assert result.cut_off == 0
    gap = result.evidence.value - result.elbo
    np.testing.assert_allclose(result.evidence.gap, gap, atol=0.5)
    vae.parameters["b_mu"][:] = 30.0
    result = evaluate(vae, x)
    assert np.isnan(result.evidence.gap).all()
    assert result.as_dict()["KL(q, posterior)"] is None
    assert "by integration" not in str(result)


def test_an_evidence_that_is_cut_off_is_called_so(rng):
    vae, x = VAE(8, 2, image_shape=(3, 3), rng=1), rng.random((20, 9))
    right = evaluate(vae, x)
    cut = dataclasses.replace(right.evidence, outside=np.full(20, 0.5))
    assert "TOO LOW for 20 images" in str(dataclasses.replace(right, evidence=cut))
    assert "TOO LOW" not in str(right)


def test_settings_that_are_damaged_are_named(tmp_path, capsys):
    save(tmp_path / "model.npz", VAE(8, 2))
    (tmp_path / "settings.json").write_text("{")
    assert main(["evaluate", str(tmp_path)]) == 2
    assert "settings.json: damaged, not JSON; delete it" in capsys.readouterr().err


def test_the_pictures_show_what_the_numbers_say(rng):
    vae, x = VAE(8, 2, image_shape=(3, 3), rng=1), rng.random((30, 9))
    result = evaluate(vae, x)
    (bars,) = ladder(result).axes[0].containers
    means = [values.mean() for values in result.ladder.values()]
    np.testing.assert_allclose(np.array(bars.lines[0].get_ydata(), float), means)
    titles = [axes.get_title() for axes in posteriors(vae, x, result).axes if axes.get_title()]
    worst = int(np.argmax(result.evidence.gap))
    assert f"image {worst}: KL(q ‖ p) = {result.evidence.gap[worst]:.2f}" in titles
    bars = latent_kl(result).axes[0].patches
    np.testing.assert_allclose(
        [bar.get_height() for bar in bars], np.sort(result.kl_per_latent)[::-1]
    )
    three = VAE(8, 3, image_shape=(3, 3), rng=1)
    with pytest.raises(ValueError, match="needs 2 latents, this model has 3"):
        posteriors(three, x, evaluate(three, x))


def test_draw_makes_its_pictures_and_an_animation_of_the_kept_epochs(trained, capsys):
    folder = trained("--keep-epochs")
    assert len(list((folder / "epochs").glob("*.npz"))) == 20
    capsys.readouterr()
    assert main(["draw", "model"]) == 0
    assert "model holds interpolation.png, walk.png, animation.gif" in capsys.readouterr().out
    image = pytest.importorskip("PIL.Image").open(folder / "animation.gif")
    assert image.n_frames == 20
    image.close()
    assert not list(folder.glob(".*"))
    # a second training moves all of it out of the way, and has no epochs to animate
    trained()
    assert (folder / "earlier-1" / "epochs").is_dir()
    assert (folder / "earlier-1" / "animation.gif").exists()
    capsys.readouterr()
    assert main(["draw", "model"]) == 0
    assert "animation" not in capsys.readouterr().out


def test_draw_with_many_latents_and_bad_input(trained, capsys):
    trained("--latent", "23")
    assert main(["draw", "model"]) == 0
    assert main(["draw", "nowhere"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_walk_moves_one_latent_and_an_interpolation_ends_at_the_means(rng):
    vae, x = VAE(8, 3, image_shape=(4, 2), rng=1), rng.random((4, 8))
    axes = walk(vae, steps=5).axes[0]
    picture = axes.get_images()[0].get_array()
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == ["$z_{1}$", "$z_{2}$", "$z_{3}$"]
    middle = vae.decode(np.zeros((1, 3))).reshape(4, 2)
    np.testing.assert_allclose(picture[1:5, 9:11], middle, atol=1e-6)  # row 1, column 3 of 5
    axes = interpolation(vae, x[:2], x[2:], steps=3).axes[0]
    picture = axes.get_images()[0].get_array()
    np.testing.assert_allclose(picture[1:5, 5:7], vae.reconstruct(x[:1]).reshape(4, 2), atol=1e-6)
    np.testing.assert_allclose(picture[1:5, 17:19], x[2].reshape(4, 2), atol=1e-6)
    with pytest.raises(ValueError, match="second: expected 2 images as in first, got 1"):
        interpolation(vae, x[:2], x[:1])
    with pytest.raises(ValueError, match="train with --keep-epochs"):
        animation("a.gif", [], x, np.zeros(4))


@pytest.mark.slow
def test_fifty_epochs_give_the_table_of_the_readme(mnist):
    (x_train, _), (x_test, _) = mnist
    vae = VAE(rng=0)
    for _ in train(vae, x_train, epochs=50, rng=0):
        pass
    result = evaluate(vae, x_test[:1000])
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    for name, values in result.ladder.items():
        (printed,) = re.findall(rf"^    {re.escape(name)} +(-[\d.]+) ±", readme, re.MULTILINE)
        assert values.mean() == pytest.approx(float(printed), abs=1.0)
    means = [values.mean() for values in result.ladder.values()]
    assert np.all(np.diff(means) > 0.2)
    for name in list(result.ladder)[:-1]:
        gap, error = mean_and_error(result.evidence.value - result.ladder[name])
        assert gap > 3.0 * error
    gap = np.sort(result.evidence.value - result.elbo)
    assert result.evidence.gap.mean() == pytest.approx(gap.mean(), abs=0.05)
    assert gap[-100:].sum() / gap.sum() == pytest.approx(0.59, abs=0.06)
    assert "accounts for 59 % of it" in " ".join(readme.split())
