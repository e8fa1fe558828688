"""Experiments with known results: the comparison, quickly, and the real thing, slowly."""

import json
from dataclasses import replace

import numpy as np
import pytest

from numpyvae import Epoch, Loss, load
from numpyvae.cli import main
from numpyvae.evaluation import evidence, vae_log_likelihood
from numpyvae.runs import EXPERIMENTS, Failure, Known, Processes, Reproduction, Run, Settings

CLASSIC = EXPERIMENTS["classic"]


@pytest.fixture
def compared(tmp_path, monkeypatch):
    """The classic with test losses as given: a list for each seed, and None before its epoch."""

    def make(losses, experiment=CLASSIC):
        found = Reproduction(experiment, tmp_path / "none", seeds=len(losses))
        by_run = dict(zip(found.runs.values(), losses))
        epochs = experiment.settings.epochs
        monkeypatch.setattr(
            "numpyvae.runs.run_folder.RunFolder.epochs_of",
            lambda folder, run: [
                Epoch(n + 1, epochs, Loss(loss, 0.0), Loss(loss, 0.0), 0.0)
                for n, loss in enumerate(by_run[run])
            ],
        )
        return found

    return make


def fifty(first, tenth, last):
    return [first, *[0.0] * 8, tenth, *[0.0] * 39, last]


def test_agreement_is_that_of_the_mean_over_the_seeds(compared):
    near = compared([fifty(172.0, 158.0, 151.0), fifty(173.0, 157.0, 150.5)])
    assert near.agrees()
    lines = str(near).splitlines()
    assert lines[0] == "classic: 784-256-2-256-784, relu, rmsprop, batch 100; nats per test image"
    assert lines[1] == "published: log of Keras 2.1, Scalable Data Science, notebook SDS-2.2"
    assert lines[3].split()[:5] == ["1", "loss", "171.57", "published", "172.50"]
    assert lines[3].endswith("2, 172.00 to 173.00 agrees (+0.93; within 3)")
    one_seed_alone = compared([fifty(172.0, 153.0, 151.0), fifty(173.0, 162.0, 150.5)])
    assert one_seed_alone.agrees()
    far = compared([fifty(172.0, 158.0, 157.0), fifty(173.0, 157.0, 156.5)])
    assert not far.agrees()
    assert "DISAGREES (+3.71; within 3)" in str(far)


def test_what_is_not_reached_yet_is_said_and_does_not_count(compared):
    found = compared([[171.0] * 10, [171.0]])
    assert [len(ours) for _, ours in found.results()] == [2, 1, 0]
    assert str(found).splitlines()[5].endswith("-   not yet")
    assert not found.agrees()  # 171 after ten epochs


def test_the_rows_of_burda_are_those_of_the_publication():
    """Section 5 and table 1: one stochastic layer of 50 units, MNIST binarized anew each time."""
    for name, objective, k, published in (
        ("vae", "elbo", 1, 86.76), ("iwae-5", "iwae", 5, 85.54), ("iwae-50", "iwae", 50, 84.78),
    ):  # fmt: skip
        experiment = EXPERIMENTS[f"burda-{name}"]
        settings = experiment.settings
        assert (settings.objective, settings.k) == (objective, k)
        assert experiment.known[-1] == Known(3280, published, 0.5, "NLL", "published")
        assert {known.epochs for known in experiment.known[:-1]} <= {10, 50, 200}
        assert (settings.hidden, settings.latent, settings.activation) == ((200, 200), 50, "tanh")
        assert (settings.pixels, settings.batch_size, settings.decay) == ("dynamic", 20, "burda")
        assert (settings.optimizer, settings.learning_rate) == ("adam", 1e-3)
        assert (settings.epsilon, settings.epochs, settings.data) == (1e-4, 3280, None)
        assert (experiment.draws, experiment.seeds) == (5000, 1)


@pytest.fixture
def quick(rng, monkeypatch, tmp_path):
    """Small experiments under the names of the real ones, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    images = rng.integers(0, 256, (64, 3, 4), dtype=np.uint8)
    np.savez("few.npz", x_train=images[:60], x_test=images[60:])
    own = {"data": "few.npz", "hidden": (6, 5), "latent": 2, "epochs": 3}
    for name in ("classic", "burda-iwae-5"):
        known = (Known(1, 8.4, 5.0), Known(3, 8.4, 5.0))
        if EXPERIMENTS[name].draws:
            known = (Known(1, 8.4, 0.5), Known(3, 8.2, 0.5, "NLL"))
        settings = replace(EXPERIMENTS[name].settings, **own)
        monkeypatch.setitem(
            EXPERIMENTS, name, replace(EXPERIMENTS[name], settings=settings, known=known)
        )
    return tmp_path


@pytest.mark.once
def test_each_run_is_an_ordinary_one_and_nothing_is_computed_twice(quick, capsys):
    assert main(["reproduce", "classic", "--seeds", "2", "--epochs", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sorted(line[:13] for line in lines[:2]) == ["seed-0: epoch", "seed-1: epoch"]
    assert "numpyvae-classic holds a folder for each run" in lines
    settings = replace(EXPERIMENTS["classic"].settings, seed=1, epochs=1)
    with Run.start(settings, "alone") as run:
        list(run)
        run.complete()
    ours = quick / "numpyvae-classic" / "seed-1"
    assert (ours / "model.npz").read_bytes() == (run.folder.model).read_bytes()
    assert (ours / "loss.png").exists()
    assert main(["reproduce", "classic", "--seeds", "2"]) == 0  # all three epochs
    assert "seed-1: epoch 1/" not in capsys.readouterr().out
    before = (ours / "model.npz").read_bytes()
    assert main(["reproduce", "classic", "--seeds", "2", "--epochs", "1"]) == 0  # fewer: all count
    assert "epoch 3/3" not in capsys.readouterr().out
    assert (ours / "model.npz").read_bytes() == before


@pytest.mark.once
def test_the_nll_is_that_of_an_ordinary_evaluation(quick, capsys):
    """Of a run that is complete; before all epochs it is said, and not compared."""
    assert main(["reproduce", "burda-iwae-5", "--epochs", "1"]) == 0
    text = capsys.readouterr().out
    assert "seed-0: after 1 epochs NLL " in text
    assert "NLL          8.20 published             -   not yet" in text
    assert main(["reproduce", "burda-iwae-5"]) == 0
    text = capsys.readouterr().out
    run = quick / "numpyvae-burda-iwae-5" / "seed-0"
    before = (run / "nll.npz").read_bytes()
    assert main(["evaluate", str(run), "--images", "all", "--draws", "5000", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["NLL"]
    assert (run / "nll.npz").read_bytes() == before
    assert f"after 3 epochs NLL {found['mean']:.2f} ± {found['standard error']:.2f}" in text
    assert f"agrees ({found['mean'] - 8.2:+.2f}; within 0.5)" in text
    x = (np.load(quick / "few.npz")["x_test"].reshape(4, 12) / 255).astype(np.float32)
    drawn = (np.random.default_rng(0).random(x.shape, np.float32) < x).astype(np.float32)
    exact = evidence(vae_log_likelihood(load(run / "model.npz"), drawn), 2).value
    assert found["mean"] == pytest.approx(-exact.mean(), abs=0.02)


@pytest.mark.once
def test_a_run_that_fails_is_named_and_the_others_count(quick, monkeypatch, capsys):
    def losing(self, executor, finish):
        yield "seed-1", Failure("no memory")

    monkeypatch.setattr(Reproduction, "train", losing)
    assert main(["reproduce", "classic", "--seeds", "2"]) == 1
    assert capsys.readouterr().err == "numpyvae: seed-1: no memory\n"


def test_the_exit_status_tells_whether_they_agree(quick, capsys, monkeypatch):
    far = replace(EXPERIMENTS["classic"], known=(Known(1, 1.0, 0.5),))
    monkeypatch.setitem(EXPERIMENTS, "classic", far)
    found = Reproduction(far, "here", seeds=1, epochs=1)
    with Processes(1) as executor:
        list(found.train(executor))
    assert not found.agrees()
    assert main(["reproduce", "classic", "--seeds", "1", "--epochs", "1", "--out", "here"]) == 1
    assert "DISAGREES" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["burda-vae", "--epochs", "4000"], "epochs: expected 3280 at most, as in the experiment"),
        (["burda-vae", "--epochs", "0"], "epochs: expected a whole number of at least 1, got 0"),
        (["classic", "--seeds", "0"], "seeds: expected a whole number of at least 1, got 0"),
        (["classic", "--out", __file__], "out: expected the name of a folder, got"),
        (["classic", "--jobs", "0"], "jobs: expected a whole number of at least 1, got 0"),
    ],
)
def test_bad_options_are_refused(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_settings_of_all_experiments_differ():
    assert len({each.settings for each in EXPERIMENTS.values()}) == len(EXPERIMENTS)
    assert isinstance(CLASSIC.settings, Settings)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "seeds"), [("classic", 2), ("pytorch-400-20", 2)])
def test_the_published_losses_are_reproduced(name, seeds, capsys, tmp_path):
    out = str(tmp_path / name)
    assert main(["reproduce", name, "--seeds", str(seeds), "--out", out]) == 0
    assert "DISAGREES" not in capsys.readouterr().out
