"""Runs on the workers of a real dask scheduler, on loopback."""

import json
import os
import re
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError

import numpy as np
import pytest
from helpers import blas_number
from tasks import finish

from numpyvae.cli import main
from numpyvae.cli.executors import _compare as compare
from numpyvae.runs import Busy, Run, RunFolder, Sweep
from numpyvae.runs.run_folder import VERSIONS

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no signal that kills"),
]
ENVIRONMENT = os.environ | {"OPENBLAS_NUM_THREADS": "1"}


class Cluster:
    """A scheduler and two workers of one thread each, all on 127.0.0.1, without nannies."""

    def __init__(self, folder):
        self._folder = folder
        folder.mkdir()
        file, self.processes = folder / "scheduler.json", []
        self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", file)
        self.address = json.loads(self._text_of(file))["address"]
        for _ in range(2):
            self._start("worker", self.address, "--nthreads", "1", "--no-nanny")
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)

    def _start(self, kind, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", *map(str, arguments)]
        with (self._folder / f"{kind}-{len(self.processes)}.txt").open("w") as log:
            started = subprocess.Popen(
                [*command, "--no-dashboard"],
                cwd=self._folder, stdout=log, stderr=log, env=ENVIRONMENT,
            )  # fmt: skip
        self.processes.append(started)

    def _text_of(self, file):
        end = time.monotonic() + 60
        while not file.exists() or not file.read_text().endswith("}"):
            assert time.monotonic() < end
            time.sleep(0.05)
        return file.read_text()

    def close(self):
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def cluster(tmp_path):
    made = Cluster(tmp_path / "cluster")
    yield made
    made.close()


@pytest.fixture
def images(tmp_path, rng, monkeypatch):
    """Enough of them for epochs that take about a tenth of a second."""
    monkeypatch.chdir(tmp_path)
    few = rng.integers(0, 256, (6000, 10, 10), dtype=np.uint8)
    np.savez("few.npz", x_train=few[:5000], x_test=few[5000:])
    return ["--data", "few.npz", "--hidden", "64", "--epochs", "20"]


def begun(sweep):
    """The number of runs that have an epoch, and are not complete."""
    folders = [sweep.folder(name) for name in sweep.runs]
    return sum(folder.model.exists() and not folder.record().completed for folder in folders)


def check_that_all_are_as_if_alone(sweep, tmp_path):
    """Each run is what `train` makes, bit for bit."""
    for name, settings in sweep.runs.items():
        with Run.start(settings, tmp_path / "alone" / name) as run:
            list(run)
            run.complete()
        assert sweep.folder(name).model.read_bytes() == run.folder.model.read_bytes()


def test_a_worker_that_is_killed_loses_nothing(cluster, images, tmp_path):
    """Its run is done by the other one, and every run is what `train` makes, bit for bit."""
    values = {"data": ["few.npz"], "hidden": [(64,)], "beta": [0.5, 2.0], "epochs": [20]}
    sweep = Sweep(values, 2, tmp_path / "out")
    command = ["sweep", *images, "--beta", "0.5", "2", "--seeds", "2", "--out", "out"]
    with subprocess.Popen(
        [sys.executable, "-m", "numpyvae", *command, "--dask", cluster.address],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT,
    ) as process:  # fmt: skip
        end = time.monotonic() + 60
        while begun(sweep) < 2:
            assert time.monotonic() < end
            time.sleep(0.01)
        cluster.processes[1].kill()
        text, _ = process.communicate(timeout=200)
    assert process.returncode == 0, text
    assert "failed" not in text
    assert sweep.missing() == []
    assert len(re.findall(r"seed=\d: test ELBO -\d", text)) == 4
    check_that_all_are_as_if_alone(sweep, tmp_path)
    for name in sweep.runs:
        assert (sweep.folder(name).path / "loss.png").exists()
        assert not list(sweep.folder(name).path.glob("earlier-*"))
    assert "sweep.csv" in text


def test_two_sweeps_on_one_folder_share_the_work(images, tmp_path):
    """One on a cluster would be the same: the lock of a run folder tells them apart."""
    command = [sys.executable, "-m", "numpyvae", "sweep", *images, "--seeds", "3", "--out", "out"]
    both = [
        subprocess.Popen(
            [*command, "--jobs", "1"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT,
        )
        for _ in range(2)
    ]  # fmt: skip
    texts = [process.communicate(timeout=200)[0] for process in both]
    sweep = Sweep({"data": ["few.npz"], "hidden": [(64,)], "epochs": [20]}, 3, "out")
    assert sweep.missing() == []
    for name in sweep.runs:
        assert not list(sweep.folder(name).path.glob("earlier-*"))
        assert len(sweep.folder(name).load_history()) == 20
    assert "left to another process" in "".join(texts), texts
    assert "failed" not in "".join(texts)


def test_a_run_that_another_process_has_is_left_to_it(images, tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    sweep = Sweep({"data": ["few.npz"], "hidden": [(9,)], "epochs": [2]}, 2, tmp_path / "out")
    first, second = sweep.runs
    with (
        Run.start(sweep.runs[first], sweep.folder(first).path),
        ThreadPoolExecutor(2) as threads,
    ):
        found = list(sweep.train(threads, finish))
    (busy,) = [result for name, result in found if name == first]
    assert isinstance(busy, Busy)
    assert "another run is writing there" in busy.problem
    assert sweep.missing() == [first]
    assert [result.number for name, result in found if name == second] == [1, 2]


@pytest.mark.parametrize("kind", ["threads", "processes"])
def test_executors_of_the_standard_library_give_the_same_runs(
    images, tmp_path, kind, three_threads
):
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
    from multiprocessing import get_context

    sweep = Sweep({"data": ["few.npz"], "hidden": [(64,)], "epochs": [3]}, 3, tmp_path / "out")
    make = {
        "threads": lambda: ThreadPoolExecutor(2),
        "processes": lambda: ProcessPoolExecutor(2, mp_context=get_context("spawn")),
    }[kind]
    with make() as executor:
        found = list(sweep.train(executor, finish))
    assert len(found) == 9
    check_that_all_are_as_if_alone(sweep, tmp_path)
    for name in sweep.runs:
        assert (sweep.folder(name).path / "finished.txt").read_text() == "3"


def test_tasks_that_are_threads_compute_with_the_threads_of_the_settings(
    images, tmp_path, three_threads, monkeypatch
):
    """For the whole time, or a run that ends would change the number for the others."""
    from concurrent.futures import ThreadPoolExecutor

    seen = []
    monkeypatch.setattr("numpyvae.runs.many.train_one", lambda *_: seen.append(blas_number()))
    sweep = Sweep({"data": ["few.npz"], "epochs": [1]}, 2, tmp_path / "out")
    with ThreadPoolExecutor(2) as executor:
        list(sweep.train(executor))
    assert seen == [1, 1]
    assert blas_number() == 3


def test_a_class_is_marked_and_an_experiment_run_on_the_workers(cluster, tmp_path, monkeypatch):
    from course.classroom import submit

    monkeypatch.chdir(tmp_path)
    for name in ("ada", "bob"):
        submit(tmp_path / "class", name)
    assert main(["course", "mark", "class", "--dask", cluster.address]) == 0
    marks = json.loads((tmp_path / "class-marks" / "marks.json").read_text())
    assert [(mark["submission"], len(mark["verdicts"])) for mark in marks] == [
        ("ada", 36),
        ("bob", 36),
    ]
    assert [sum(v["status"] == "ok" for v in mark["verdicts"]) for mark in marks] == [2, 2]
    assert not list((tmp_path / "class-marks").glob(".copies/*"))


def test_no_scheduler_and_no_distributed_are_said_in_one_line(images, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert main(["sweep", *images, "--dask", "tcp://127.0.0.1:1"]) == 2
    needs = "--dask needs dask.distributed; pip install 'numpyvae[cluster]'"
    assert capsys.readouterr().err == f"numpyvae: {needs}\n"


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("127.0.0.1:1", "no scheduler answers at 127.0.0.1:1; dask scheduler starts one"),
        ("node1", "expected an address such as tcp://node1:8786, got 'node1'"),
        ("foo://127.0.0.1:1", "expected an address such as tcp://node1:8786, got 'foo://127"),
        ("tcp://127.0.0.1:many", "expected an address such as tcp://node1:8786, got 'tcp://127"),
        ("", "expected an address such as tcp://node1:8786, got ''"),
    ],
)
def test_an_address_where_nothing_answers_is_refused(images, capfd, address, problem):
    assert main(["sweep", *images, "--dask", address]) == 2
    error = capfd.readouterr().err
    assert error.startswith(f"numpyvae: --dask: {problem}")
    assert error.count("\n") == 1


def test_a_folder_that_the_workers_do_not_share_is_said(images, tmp_path):
    """As if every task were done on a machine with a disk of its own."""
    from concurrent.futures import Executor, Future

    class Elsewhere(Executor):
        def submit(self, task, /, *arguments):
            done = Future()
            done.set_result(None)
            return done

    sweep = Sweep({"data": ["few.npz"], "epochs": [2]}, 1, tmp_path / "out")
    (((name, failure),)) = list(sweep.train(Elsewhere()))
    assert name in sweep.runs
    assert failure.problem.endswith("do all machines share this folder?")
    assert not RunFolder(tmp_path / "out" / name).path.exists()


class Workers:
    """A client of workers with these packages."""

    def __init__(self, **packages):
        self.packages = packages

    def run(self, function, name):
        if self.packages.get(name) is None:
            raise PackageNotFoundError(name)
        return self.packages[name]


def test_workers_without_numpyvae_with_other_versions_and_none_at_all(capsys):
    with pytest.raises(
        ValueError, match="--dask: a worker has no numpyvae; install numpyvae there"
    ):
        compare(Workers(numpy={"w1": "2.0"}))
    compare(Workers(numpyvae={"w1": VERSIONS["numpyvae"]}, numpy={"w1": VERSIONS["numpy"]}))
    assert capsys.readouterr().err == ""
    compare(Workers(numpyvae={"w1": "0.1"}, numpy={"w1": VERSIONS["numpy"]}))
    assert capsys.readouterr().err == (
        f"numpyvae: w1 has numpyvae 0.1, this is {VERSIONS['numpyvae']}; "
        "the last digits of its runs may differ\n"
    )
    compare(Workers(numpyvae={}, numpy={}))
    assert "no workers yet; dask worker starts one" in capsys.readouterr().err
