"""A sweep: its runs, what is missing, and its table."""

import csv
import dataclasses

import numpy as np
import pytest
from tasks import finish, refuse_to_finish

from numpyvae import Loss, load
from numpyvae.cli.sweep import save_table, table
from numpyvae.runs import Failure, Processes, Run, RunFolder, Settings, Sweep
from numpyvae.runs.many import train_one
from numpyvae.runs.sweep import Point, words


@pytest.fixture
def images(tmp_path, rng):
    path = tmp_path / "images.npz"
    few = rng.integers(0, 256, (90, 3, 4), dtype=np.uint8)
    np.savez(path, x_train=few[:60], x_test=few[60:])
    return str(path)


def small(images, out, seeds=2, **values):
    always = {"data": [images], "hidden": [(5,)], "epochs": [2]}
    return Sweep(always | values, seeds, out)


def trained(sweep, jobs=2, finish=finish):
    with Processes(jobs) as executor:
        return list(sweep.train(executor, finish))


def test_one_run_for_every_combination_and_seed():
    sweep = Sweep({"beta": [0.5, 2.0], "hidden": [(8,), (9, 7)]}, 2, "out")
    assert list(sweep.runs) == [
        f"beta={beta},hidden={hidden},seed={seed}"
        for beta in ("0.5", "2")
        for hidden in ("8", "9-7")
        for seed in (0, 1)
    ]
    assert sweep.runs["beta=2,hidden=9-7,seed=1"] == Settings(beta=2.0, hidden=(9, 7), seed=1)
    assert sweep.varied == ["beta", "hidden"]


def test_a_name_is_the_name_of_a_folder():
    values = {"data": "/some where/fashion/", "learning_rate": 1e-05, "beta": 1.0, "noise": 0.25}
    assert words(values) == "data=some-where-fashion,learning_rate=1e-05,beta=1,noise=0.25"


def test_every_run_is_what_train_would_have_made(images, tmp_path):
    sweep = small(images, tmp_path / "sweep", beta=[1.0, 4.0])
    assert len(sweep.train(None)) == 4 * 2
    ticks = trained(sweep)
    assert len(ticks) == 4 * 2
    assert len(sweep.train(None)) == 0
    assert sweep.missing() == []
    for name, settings in sweep.runs.items():
        with Run.start(settings, tmp_path / "alone" / name) as alone:
            epochs = list(alone)
        folder = sweep.folder(name)
        swept = load(folder.path / "model.npz").parameters.value
        assert np.array_equal(swept, alone.vae.parameters.value)
        history = folder.load_history()
        assert [epoch.test for epoch in history] == [epoch.test for epoch in epochs]
        assert [epoch.train for epoch in history] == [epoch.train for epoch in epochs]
        sent = [epoch for each, epoch in ticks if each == name]
        assert [epoch.test for epoch in sent] == [epoch.test for epoch in epochs]
        assert (folder.path / "finished.txt").read_text() == "2"


@pytest.mark.once
def test_a_second_call_does_only_what_is_missing(images, tmp_path):
    first = small(images, tmp_path, seeds=1, beta=[1.0, 4.0])
    trained(first)
    whole = first.folder("data=" + words({"": images})[1:] + ",hidden=5,epochs=2,beta=1,seed=0")
    assert whole.completed(first.runs[whole.path.name])
    model = (whole.path / "model.npz").read_bytes()
    more = small(images, tmp_path, seeds=2, beta=[1.0, 4.0, 2.0])
    assert len(more.missing()) == 4
    # an unfinished run goes on; one with other settings, or a damaged model, is done again
    (whole.path / "model.npz").write_bytes(model)
    other = first.folder(next(name for name in first.runs if "beta=4" in name))
    (other.path / "model.npz").write_bytes(model[:-100])
    assert len(more.missing()) == 5
    trained(more)
    assert more.missing() == []
    assert (whole.path / "model.npz").read_bytes() == model
    assert (other.path / "earlier-1" / "model.npz").exists()


def test_a_run_whose_finish_fails_is_missing(images, tmp_path):
    sweep = small(images, tmp_path, seeds=1)
    ticks = trained(sweep, 1, refuse_to_finish)
    assert ticks[-1] == (*sweep.runs, Failure("No space left on device"))
    assert sweep.missing() == list(sweep.runs)
    assert sweep.results() == []


@pytest.fixture
def run(images, tmp_path):
    """A complete run."""
    with Run.start(Settings(images, hidden=(5,), epochs=1), tmp_path / "run") as made:
        list(made)
        assert not made.folder.completed(made.settings)
        made.complete()
    assert made.folder.completed(made.settings)
    return made


def test_a_run_with_other_settings_is_not_completed(run):
    assert not run.folder.completed(dataclasses.replace(run.settings, seed=1))


@pytest.mark.parametrize("place", [b"PK\x05\x06", b"W_out.npy"])  # the directory, a weight
def test_a_run_with_a_damaged_model_is_not_completed(run, place):
    content = bytearray(run.folder.model.read_bytes())
    content[content.index(place) + (0 if place[:2] == b"PK" else 300)] ^= 1
    run.folder.model.write_bytes(content)
    assert not run.folder.completed(run.settings)


def test_a_run_without_its_model_is_missing(run):
    (run.folder.path / "model.npz").unlink()
    assert not run.folder.completed(run.settings)


def test_an_unfinished_run_goes_on(images, tmp_path):
    """To the same weights as one that was not interrupted."""
    sweep = small(images, tmp_path / "sweep", seeds=1)
    ((name, settings),) = sweep.runs.items()
    with Run.start(settings, sweep.out / name) as part:
        next(iter(part))
    assert sweep.missing() == [name]
    (tick,) = trained(sweep)
    assert tick[1].number == 2
    with Run.start(settings, tmp_path / "alone") as alone:
        list(alone)
        alone.complete()
    whole, swept = tmp_path / "alone" / "model.npz", sweep.out / name / "model.npz"
    assert whole.read_bytes() == swept.read_bytes()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"latent": [2, 0]}, "latent: expected a whole number of at least 1, got 0"),
        ({"beta": [1.0, 1.0]}, "beta=1: given twice; leave one out"),
        ({"beta": []}, "beta: expected at least one value, got none"),
        ({"data": ["a/b", "a-b"]}, "data=a-b,seed=0: two runs would have this name"),
        ({"optimizer": ["sgd"]}, "optimizer: expected one of rmsprop, adam, got 'sgd'"),
    ],
)
def test_bad_values_are_refused_before_anything_is_done(values, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        Sweep(values, 1, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_missing_images_are_refused_before_anything_is_done(tmp_path):
    sweep = Sweep({"data": ["nowhere"]}, 1, tmp_path / "out")
    with pytest.raises(OSError, match="nowhere: no such file or folder"):
        sweep.train(None, finish)
    assert not (tmp_path / "out").exists()


def test_out_must_be_a_folder(tmp_path):
    (tmp_path / "file").touch()
    for out in ("", tmp_path / "file"):
        with pytest.raises(ValueError, match="out: expected the name of a folder"):
            Sweep({}, 1, out)


POINTS = [
    Point({"beta": 0.5}, [Loss(150.0, 8.0, 0.5), Loss(152.0, 9.0, 0.5)]),
    Point({"beta": 1.0}, [Loss(155.0, 5.0)]),
]


def test_the_table_has_the_mean_and_its_standard_error():
    """Of 150 and 152: mean 151, s.d. √2, standard error 1."""
    lines = table(POINTS).splitlines()
    assert lines[0].split() == ["beta", "seeds", "ELBO", "reconstruction", "KL"]
    assert " ".join(lines[1].split()) == "0.5 2 -159.50 ± 1.50 151.00 ± 1.00 8.50 ± 0.50"
    assert lines[2].split() == ["1", "1", "-160.00", "155.00", "5.00"]


def test_the_table_as_csv(tmp_path):
    save_table(tmp_path / "sweep.csv", POINTS)
    with (tmp_path / "sweep.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert first["beta"] == "0.5"
    assert first["seeds"] == "2"
    assert float(first["elbo"]) == -159.5
    assert float(first["reconstruction_error"]) == pytest.approx(1.0, rel=1e-15)
    assert second["kl"] == "5.0"
    assert second["kl_error"] == ""


def test_results_are_the_last_test_losses_of_completed_runs(images, tmp_path):
    sweep = small(images, tmp_path, beta=[1.0, 4.0])
    assert sweep.results() == []
    names = [name for name in sweep.runs if "seed=0" in name]
    for name in set(sweep.runs) - set(names):
        with Run.start(sweep.runs[name], sweep.out / name) as unfinished:
            next(iter(unfinished))
    for name in names:
        train_one(sweep.runs[name], sweep.out / name, None, finish)
    one, four = sweep.results()
    assert (one.values, four.values) == ({"beta": 1.0}, {"beta": 4.0})
    assert list(one.losses) == [RunFolder(tmp_path / names[0]).load_history()[-1].test]
    assert four.losses[0].beta == 4.0
