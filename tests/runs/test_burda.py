"""The experiment of Burda et al.: small, on few images, but through all its steps."""

from dataclasses import replace

import numpy as np
import pytest

from numpyvae import VAE, load
from numpyvae.cli import main
from numpyvae.cli.reproduce import duration
from numpyvae.evaluation import evidence, vae_log_likelihood
from numpyvae.runs import burda
from numpyvae.runs.burda import MODELS, NLL, Burda, nll
from numpyvae.runs.processes import Failure


@pytest.fixture
def few(tmp_path, rng, monkeypatch):
    """The same three models with small networks, on 60 + 4 small images."""
    images = rng.integers(0, 256, (64, 3, 4), dtype=np.uint8)
    np.savez(tmp_path / "few.npz", x_train=images[:60], x_test=images[60:])
    own = {"data": str(tmp_path / "few.npz"), "hidden": (6, 5), "latent": 3}
    for name, model in MODELS.items():
        settings = replace(model.settings, **own)
        monkeypatch.setitem(MODELS, name, replace(model, settings=settings, recorded={}))
    monkeypatch.setattr(burda, "SAMPLE", (60, 2))
    return tmp_path / "out"


def test_the_models_are_those_of_the_publication():
    """Section 5 and table 1: one stochastic layer of 50 units, MNIST binarized anew each time."""
    for name, objective, k, published in (
        ("vae", "elbo", 1, 86.76), ("iwae-5", "iwae", 5, 85.54), ("iwae-50", "iwae", 50, 84.78),
    ):  # fmt: skip
        settings = MODELS[name].settings
        assert (settings.objective, settings.k, MODELS[name].published) == (objective, k, published)
        assert (settings.hidden, settings.latent, settings.activation) == ((200, 200), 50, "tanh")
        assert (settings.pixels, settings.batch_size, settings.decay) == ("dynamic", 20, "burda")
        assert (settings.optimizer, settings.learning_rate, settings.epsilon) == (
            "adam",
            1e-3,
            1e-4,
        )
        assert settings.data is None
        assert set(MODELS[name].recorded) <= {10, 50, 200}
    assert burda.EPOCHS == 3280


@pytest.mark.once
def test_a_longer_one_goes_on_where_a_shorter_one_ended(few):
    short = Burda(few, 1)
    assert list(short.to_do().items()) == [("iwae-50", 1), ("iwae-5", 1), ("vae", 1)]
    results = list(short.run(2, {}))
    assert len(short.run(2, {})) == 0
    for number, name in enumerate(reversed(MODELS)):
        epoch, *steps, likelihood = (result for i, result in results if i == number)
        assert steps == [None] * burda.STEPS
        assert [epoch.train] == [epoch.train for epoch in short.history(name)]
        assert short.likelihoods()[name] == likelihood
        assert likelihood.epochs == 1
        assert load(few / name / "model.npz").activation == "tanh"
    longer = Burda(few, 3)
    assert longer.to_do() == {"vae": 2, "iwae-5": 2, "iwae-50": 2}
    assert longer.likelihoods() == short.likelihoods()
    assert set(longer.expected_seconds()) == set(MODELS)
    assert all(t > 0.0 and n > 0.0 for t, n in longer.expected_seconds().values())
    list(longer.run(2, {}))
    assert {x.epochs for x in longer.likelihoods().values()} == {3}
    again = Burda(few, 1)  # fewer than there are: all of them count, and nothing is done again
    assert again.to_do() == {}
    assert len(again.history("vae")) == 3
    table = few / "likelihoods.csv"
    table.write_text(table.read_text().replace("vae,3,", "vae,2,"))  # of an earlier epoch
    assert again.to_do() == {"vae": 0}
    table.unlink()
    assert again.to_do() == {"vae": 0, "iwae-5": 0, "iwae-50": 0}
    assert {t for t, _ in again.expected_seconds().values()} == {0.0}


def test_the_nll_is_close_to_the_exact_one(rng):
    """5,000 draws, two latents, and images on which q is not far from the posterior."""
    vae = VAE(8, 2, image_shape=(3, 4), rng=1)
    x = (rng.random((5, 12)) < 0.5).astype(np.float32)
    exact = evidence(vae_log_likelihood(vae, x), 2).value
    np.testing.assert_allclose(-nll(vae, x, rng), exact, atol=0.02)


def test_the_command_prints_all_of_it_and_draws(few, capsys, monkeypatch):
    arguments = ["reproduce", "burda", "--epochs", "2", "--jobs", "2", "--out", str(few)]
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "measuring how long this takes here ..."
    assert lines[1].split()[0] == "iwae-50:"
    assert "for 2 more epochs, " in lines[1]
    assert lines[4].startswith("in all about ")
    assert sum(line.startswith("iwae-5: epoch") for line in lines) == 2
    assert sum(": NLL " in line for line in lines) == 3
    assert "2 of 3,280 epochs: this is not yet a reproduction of the published NLL" in lines
    assert (few / "curves.png").exists()
    loss = Burda(few).history("vae")[1].test.total
    for recorded, status, word in ((loss + 0.4, 0, "agrees"), (loss - 0.6, 1, "DISAGREES")):
        monkeypatch.setitem(MODELS, "vae", replace(MODELS["vae"], recorded={2: recorded, 10: 1.0}))
        assert main(arguments) == status
        out = capsys.readouterr().out
        assert out.startswith(f"{few}: everything was computed before")
        assert f"{word} ({loss - recorded:+.2f}; within 0.5)" in out


def test_the_published_nll_counts_after_all_epochs_alone(few, monkeypatch):
    found = Burda(few)
    assert found.agrees()
    for nll_found, agrees in ((86.9, True), (88.0, False)):
        known = {"vae": NLL(3280, nll_found, 0.2)}
        monkeypatch.setattr(Burda, "likelihoods", lambda self, known=known: known)
        assert found.agrees() is agrees
        assert ("DISAGREES (+1.24; within 0.5)" in str(found)) is not agrees


def test_a_model_that_fails_is_named_and_the_others_count(few, capsys, monkeypatch):
    monkeypatch.setattr(burda, "in_processes", lambda *_: iter([(1, Failure("no memory"))]))
    assert main(["reproduce", "burda", "--epochs", "1", "--jobs", "1", "--out", str(few)]) == 1
    assert capsys.readouterr().err == "numpyvae: iwae-5: no memory\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["burda", "--seeds", "2"], "--seeds: not an option of burda; leave it out"),
        (["classic", "--out", "x", "--epochs", "3"], "--epochs, --out: not an option of classic"),
        (["burda", "--epochs", "4000"], "epochs: expected 3280 at most, as published, got 4000"),
        (["burda", "--epochs", "0"], "epochs: expected a whole number of at least 1, got 0"),
        (["burda", "--out", __file__], "out: expected the name of a folder, got"),
    ],
)
def test_bad_options_are_refused(arguments, message, capsys):
    assert main(["reproduce", *arguments]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("row", ["vae,x,1,1", "vae,1,nan,1", "vae,1,-5,1", "vae,1,5"])
def test_a_damaged_table_is_refused(few, row):
    few.mkdir()
    (few / "likelihoods.csv").write_text(f"model,epochs,nll,error\n{row}\n")
    with pytest.raises(ValueError, match=r"likelihoods\.csv: damaged, .*; delete it"):
        Burda(few, 1).to_do()


def test_durations_are_said_in_a_suitable_unit():
    assert [duration(s) for s in (5, 100, 5400, 200_000)] == ["5 s", "2 min", "1.5 h", "2.3 days"]
