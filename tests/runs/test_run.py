"""A training that writes its folder."""

import csv
import json
import os
import shutil
import tracemalloc
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from numpyvae import VAE, load
from numpyvae.runs import Run, RunFolder, Settings
from numpyvae.variants import IWAE, FreeBits


@pytest.fixture
def settings(tmp_path, rng):
    np.save(tmp_path / "images.npy", rng.integers(0, 256, (60, 3, 4), dtype=np.uint8))
    return Settings(str(tmp_path / "images.npy"), hidden=(5,), epochs=3, keep_epochs=True)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_each_epoch_is_on_disk_when_it_is_yielded(settings, tmp_path):
    with Run.start(settings, tmp_path / "out") as run:
        assert len(run) == 3
        folder = RunFolder(tmp_path / "out")
        assert names(folder.path) == [".lock"]
        for number, epoch in enumerate(run, start=1):
            assert epoch.number == number == len(run.epochs)
            saved = load(folder.path / "model.npz").parameters.value
            assert np.array_equal(saved, run.vae.parameters.value)
            assert len((folder.path / "history.csv").read_text().splitlines()) == 1 + number
            assert folder.load_settings() == settings
            assert [e.train for e in folder.load_history()] == [e.train for e in run.epochs]
            assert len(folder.epoch_models()) == number
    assert names(folder.path) == ["epochs", "history.csv", "model.npz", "settings.json"]


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"objective": "iwae", "k": 3, "activation": "tanh", "hidden": (5, 4)}, IWAE),
        ({"anneal": 4, "beta": 0.5, "optimizer": "adam", "epsilon": 1e-4}, VAE),
        ({"free_bits": 0.3, "anneal": 3, "pixels": "dynamic"}, FreeBits),
        ({"decay": "burda", "noise": 0.1}, VAE),
    ],
)
def test_a_run_that_goes_on_is_the_unbroken_one_to_the_last_bit(settings, tmp_path, changes, kind):
    """Whatever its loss and its schedule: five epochs, and two epochs and then three."""
    settings = replace(settings, epochs=5, **changes)
    with Run.start(settings, tmp_path / "unbroken") as run:
        whole = list(run)
        assert type(run.vae) is kind
    with Run.start(replace(settings, epochs=2), tmp_path / "out") as run:
        list(run)
    with Run.start_or_resume(settings, tmp_path / "out") as run:
        assert [epoch.number for epoch in run] == [3, 4, 5]
    files = [load(tmp_path / name / "model.npz") for name in ("unbroken", "out")]
    assert np.array_equal(*(vae.parameters.value for vae in files))
    kept = [RunFolder(tmp_path / name).epoch_models() for name in ("unbroken", "out")]
    assert [path.read_bytes() for path in kept[0]] == [path.read_bytes() for path in kept[1]]
    assert files[0].beta == files[1].beta == whole[-1].train.beta
    losses = [(epoch.train, epoch.test) for epoch in whole]
    for name in ("unbroken", "out"):
        folder = RunFolder(tmp_path / name)
        assert [(epoch.train, epoch.test) for epoch in folder.load_history()] == losses
        with (folder.path / "history.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [float(row["train_total"]) for row in rows] == [e.train.total for e in whole]
    assert run.training.optimizer.epsilon == (settings.epsilon or 1e-7)


def test_what_an_objective_has_no_use_for_is_refused():
    for changes, message in (
        ({"k": 5}, "k: expected 1 with objective elbo, got 5; use objective iwae"),
        ({"objective": "iwae", "beta": 2.0}, "beta: expected 1 with objective iwae, got 2.0; use"),
        ({"objective": "iwae", "anneal": 3}, "anneal: expected 0 with objective iwae, got 3; use"),
        ({"objective": "iwae", "free_bits": 0.5}, "free_bits: expected 0 with objective iwae"),
        ({"objective": "vae"}, "objective: expected one of elbo, iwae, got 'vae'"),
        ({"activation": "gelu"}, "activation: expected one of relu, tanh, got 'gelu'"),
        ({"decay": "cosine"}, "decay: expected one of none, burda, got 'cosine'"),
        ({"epsilon": 0.0}, r"epsilon: expected a finite number above 0, got 0\.0"),
    ):
        with pytest.raises(ValueError, match=message):
            Settings(**changes)


def test_bad_settings_write_nothing(settings, tmp_path):
    with (
        pytest.raises(ValueError, match="latent: expected a whole number"),
        Run.start(Settings(settings.data, latent=0), tmp_path / "out"),
    ):
        pass
    assert not (tmp_path / "out").exists()


def test_one_run_at_a_time_in_a_folder(settings, tmp_path):
    with Run.start(settings, tmp_path / "out") as run:
        next(iter(run))
        for other in (Run.start(settings, tmp_path / "out"), Run.resume(tmp_path / "out")):
            with pytest.raises(BlockingIOError, match="another run is writing there"), other:
                pass
    with Run.resume(tmp_path / "out") as run:
        assert len(run) == 2


def test_a_run_that_was_killed_in_its_first_epoch_leaves_nothing_in_the_way(settings, tmp_path):
    with Run.start(settings, tmp_path / "out"):
        pass
    (tmp_path / "out" / f".{'0' * 16}.unfinished").touch()
    with Run.start(settings, tmp_path / "out") as run:
        list(run)
    assert run.folder.earlier is None
    assert names(tmp_path / "out") == ["epochs", "history.csv", "model.npz", "settings.json"]


def test_an_earlier_run_stays_until_the_first_epoch_is_complete(settings, tmp_path):
    with Run.start(settings, tmp_path / "out") as run:
        list(run)
    before = (tmp_path / "out" / "settings.json").read_bytes()
    other = Settings(settings.data, hidden=(4,), epochs=1)
    with Run.start(other, tmp_path / "out") as run:
        assert (tmp_path / "out" / "settings.json").read_bytes() == before
    with Run.start(other, tmp_path / "out") as run:
        list(run)
    assert run.folder.earlier == tmp_path / "out" / "earlier-1"
    assert (run.folder.earlier / "settings.json").read_bytes() == before
    assert RunFolder(tmp_path / "out").load_settings() == other


def test_the_images_of_the_settings_or_others_instead(settings, tmp_path, rng):
    np.save(tmp_path / "other.npy", rng.integers(0, 256, (40, 2, 2), dtype=np.uint8))
    assert settings.images().image_shape == (3, 4)
    assert settings.images(tmp_path / "other.npy").image_shape == (2, 2)
    assert Settings().images().image_shape == (28, 28)


@pytest.fixture
def stopped(settings, tmp_path):
    """A run that was stopped after its second epoch of three."""
    with Run.start(settings, tmp_path / "out") as run:
        epochs = iter(run)
        next(epochs), next(epochs)
    return RunFolder(tmp_path / "out")


def rewrite(path, change):
    """Change the record in a model file, or one of its arrays."""
    with zipfile.ZipFile(path) as archive, np.load(path) as file:
        arrays = {name: file[name] for name in file}
        assert len(arrays) == len(archive.namelist())
    record = json.loads(arrays["training"].item())
    change(record, arrays)
    arrays["training"] = np.array(json.dumps(record).encode())
    np.savez(path, **arrays)


def poison(name, value):
    return lambda record, arrays: arrays.__setitem__(name, value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record, arrays: record.pop("state"), "state: missing in the record"),
        (lambda record, arrays: record["state"].pop("testing"), "state.testing: the record of its"),
        (lambda record, arrays: record["state"].update(epoch=-1), "epoch: expected a whole number"),
        (lambda record, arrays: record["state"].update(epoch=10**6), "expected shape"),
        (
            lambda record, arrays: record["state"].update(drawing={}),
            "state.drawing.state: the record of its",
        ),
        (lambda record, arrays: record["state"]["optimizer"].update(t="x"), "t: expected a whole"),
        (lambda record, arrays: record["settings"].update(pixels="x"), "pixels: expected one of"),
        (lambda record, arrays: record["settings"].pop("beta"), "beta: missing"),
        (lambda record, arrays: record.pop("versions"), "versions: missing in the record"),
        (poison("training.state.optimizer.s", np.zeros(3, np.float32)), "s: expected shape"),
        (poison("training.history", np.zeros((2, 3))), "history: expected shape"),
        (poison("training.history", np.full((2, 4), np.nan)), "history: expected finite numbers"),
        (poison("training.history", np.zeros((10**6, 4))), "history: expected shape"),
        (lambda record, arrays: record["state"]["optimizer"].update(rho=1e30), "rho: expected"),
        (lambda record, arrays: record["state"]["optimizer"].update(rho=True), "rho: expected"),
        (lambda record, arrays: record.update(images=1), "the images in .* have changed"),
        (lambda record, arrays: arrays.pop("training.state.optimizer.s"), "there is no"),
    ],
)
def test_a_record_that_was_changed_is_refused_by_name(stopped, change, message):
    rewrite(stopped.path / "model.npz", change)
    before = (stopped.path / "model.npz").read_bytes()
    with (
        pytest.raises(ValueError, match=rf"model\.npz: [^\n]*{message}"),
        Run.resume(stopped.path),
    ):
        pass
    assert (stopped.path / "model.npz").read_bytes() == before


def test_a_model_of_other_sizes_than_its_settings_is_refused_before_one_is_made(stopped):
    """The settings name a model of 64 million weights."""
    path = stopped.path / "model.npz"
    rewrite(path, lambda record, arrays: record["settings"].update(hidden=[8000, 8000]))
    tracemalloc.start()
    problem = r"model\.npz: hidden of its weights is not that of its settings"
    with pytest.raises(ValueError, match=problem), Run.resume(stopped.path):
        pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6


def test_a_long_history_of_zeros_costs_nothing(stopped):
    """128 MB in 130 kB: arrays of the record are not compressed, so they fit into the file."""
    path = stopped.path / "model.npz"
    long = np.zeros((4_000_000, 4))
    rewrite(path, lambda record, arrays: record["state"].update(epoch=len(long)))
    with np.load(path) as file:
        arrays = {name: file[name] for name in file} | {"training.history": long}
    np.savez_compressed(path, **arrays)
    tracemalloc.start()
    problem = r"model\.npz: training\.history: expected [\d,]+ bytes at most"
    with pytest.raises(ValueError, match=problem):
        RunFolder(stopped.path).load_history()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6


@pytest.mark.skipif(os.name == "nt", reason="Windows moves no folder with an open file")
def test_a_run_whose_folder_was_moved_stops_and_makes_no_other(settings, tmp_path):
    with Run.start(settings, tmp_path / "here") as run:
        epochs = iter(run)
        next(epochs)
        (tmp_path / "here").rename(tmp_path / "there")
        with pytest.raises(OSError, match=r"here: it was moved, or its \.lock deleted"):
            next(epochs)
    assert not (tmp_path / "here").exists()
    assert len(RunFolder(tmp_path / "there").load_history()) == 1


def test_what_cannot_go_on_says_why(stopped, settings, tmp_path, rng):
    def refusal(folder, **more):
        with pytest.raises((ValueError, OSError)) as error, Run.resume(folder, **more):
            pass
        return str(error.value)

    assert "epochs: expected the new total, at least 2, which are done; got 1" in refusal(
        stopped.path, epochs=1
    )
    assert "nowhere: no such folder" in refusal(tmp_path / "nowhere")
    np.save(settings.data, rng.integers(0, 256, (60, 3, 4), dtype=np.uint8))
    assert "images.npy have changed" in refusal(stopped.path)
    shutil.copytree(stopped.path, tmp_path / "old")
    from numpyvae import save

    save(tmp_path / "old" / "model.npz", load(stopped.path / "model.npz"))
    assert "saved without its training, so it cannot go on" in refusal(tmp_path / "old")
    (stopped.path / "model.npz").unlink()
    assert "it holds no complete epoch; train one first" in refusal(stopped.path)


def test_nothing_beside_the_model_is_ever_read(stopped, settings, tmp_path):
    """Whatever the copies for people say, the run is the same; and a run that ends renews them."""
    whole = tmp_path / "whole"
    with Run.start(settings, whole) as run:
        list(run)
        run.complete()
    (stopped.path / "history.csv").write_text("epoch,seconds\n-1,nan\n")
    (stopped.path / "settings.json").write_text('{"beta": 99.0, "completed": true}')
    with Run.resume(stopped.path) as run:
        assert run.settings == settings
        assert len(run.epochs) == 2
        assert not run.completed
        (stopped.path / "epochs" / "0001.npz").unlink()
        assert [epoch.number for epoch in run] == [3]
        run.complete()
    for name in ("model.npz", "settings.json", "epochs/0003.npz"):
        assert (stopped.path / name).read_bytes() == (whole / name).read_bytes()
    rows = [(folder / "history.csv").read_text().splitlines() for folder in (whole, stopped.path)]
    ours, theirs = ([line.split(",") for line in lines] for lines in rows)
    for own, other in zip(ours, theirs, strict=True):
        assert own[0] == other[0]
        assert own[2:] == other[2:]
    assert [line[1] for line in theirs[1:3]] == ["nan", "nan"]  # nobody knows how long they took


def test_the_model_says_whether_the_run_is_complete(settings, tmp_path):
    with Run.start(settings, tmp_path / "out") as run:
        list(run)
    folder = run.folder
    assert not folder.completed(settings)
    with Run.resume(folder.path) as run:
        assert len(run) == 0
        run.complete()
    assert folder.completed(settings)
    assert not folder.completed(replace(settings, epochs=4))
    assert len(folder.epoch_models()) == 3
    with Run.resume(folder.path, epochs=4) as run:
        assert not run.completed
        list(run)
    assert not folder.completed(replace(settings, epochs=4))


def test_the_epochs_that_a_run_begins_with(stopped, settings):
    """Those of the same settings, for any number of epochs; none of other settings."""
    done = len(stopped.load_history())
    assert done > 0
    for epochs in (1, 100):
        assert stopped.epochs_done(replace(settings, epochs=epochs)) == done
    assert stopped.epochs_done(replace(settings, beta=2.0)) == 0
    assert RunFolder(stopped.path / "nowhere").epochs_done(settings) == 0
    with Run.start_or_resume(replace(settings, beta=2.0), stopped.path) as run:
        assert len(list(run)) == settings.epochs
        assert run.folder.earlier is not None


def test_an_optimizer_without_epsilon_is_named_and_its_constants_are_no_state(monkeypatch):
    from dataclasses import dataclass, field

    from numpyvae import VAE
    from numpyvae.core.optimizers import Optimizer
    from numpyvae.core.parameters import Parameters
    from numpyvae.runs import settings

    @dataclass(eq=False)
    class SGD(Optimizer):
        parameters: Parameters = field(repr=False)
        learning_rate: float = 0.1
        nesterov: bool = False
        kind: str = "plain"

        def step(self):
            self.parameters.value -= self.learning_rate * self.parameters.grad

    monkeypatch.setitem(settings.OPTIMIZERS, "sgd", SGD)
    vae = VAE(4, 2, image_shape=(2, 2))
    chosen = settings.Settings(optimizer="sgd", learning_rate=0.2)
    optimizer = chosen.make_optimizer(vae)
    assert optimizer.state() == {"learning_rate": 0.2, "nesterov": False}
    optimizer.restore({"learning_rate": 0.3, "nesterov": True})
    assert optimizer.nesterov is True
    with pytest.raises(ValueError, match="epsilon: the optimizer sgd has none; leave it out"):
        settings.Settings(optimizer="sgd", epsilon=1e-3).make_optimizer(vae)
    optimizer.buffers = [vae.parameters.value]
    with pytest.raises(ValueError, match=r"SGD\.buffers: expected an array, a number, .* got list"):
        optimizer.state()


def test_every_option_is_described_where_it_is_declared():
    """The docstring follows, as the command line does."""
    for name, known in Settings.options().items():
        assert f"\n    {name:13} {known.help}" in Settings.__doc__


def test_a_number_that_is_refused_is_refused_by_the_object_that_uses_it():
    for name in ("beta", "learning_rate", "anneal"):
        with pytest.raises(ValueError, match=rf"{name}: expected a .* got -1"):
            Settings(**{name: -1})
    assert type(Settings(beta=np.float32(0.5)).beta) is float
