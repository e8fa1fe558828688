"""Where many runs are computed: on the cores of this machine, or on the workers of a cluster."""

from __future__ import annotations

import argparse
import socket
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any
from urllib.parse import urlsplit

from numpyvae.cli.console import complain
from numpyvae.runs.processes import Processes, cores
from numpyvae.runs.run_folder import VERSIONS
from numpyvae.support.inputs import check_count, shown


def add_executor(command: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add --jobs and --dask."""
    one = command.add_mutually_exclusive_group()
    jobs = f"runs at the same time, each in a process of its own ({cores()}, all cores)"
    one.add_argument("--jobs", type=int, default=cores(), metavar="N", help=jobs)
    dask = "compute on the workers of the dask scheduler at this address, such as tcp://node1:8786"
    one.add_argument("--dask", metavar="ADDRESS", help=dask)


@contextmanager
def executor(
    options: argparse.Namespace, local: Callable[[int], Executor] = Processes
) -> Iterator[Executor]:
    """The executor that was asked for. Raises ValueError if there is no such scheduler."""
    if options.dask is None:
        with local(check_count("jobs", options.jobs)) as own:
            yield own
        return
    try:
        from distributed import Client
    except ModuleNotFoundError:
        problem = "--dask needs dask.distributed; pip install 'numpyvae[cluster]'"
        raise ValueError(problem) from None
    _check_address(options.dask)
    make: Any = Client
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other versions: see `_compare`
        client = make(options.dask, timeout=10, set_as_default=False)
    with client:
        _compare(client)
        yield client.get_executor()


def _compare(client: Any) -> None:
    """Say if there are no workers yet, or some have other versions; ValueError if one has none."""
    try:
        found = {name: client.run(version, name) for name in ("numpyvae", "numpy")}
    except PackageNotFoundError as error:
        raise ValueError(f"--dask: a worker has no {error.name}; install numpyvae there") from None
    if not found["numpy"]:
        complain("--dask: the scheduler has no workers yet; dask worker starts one", 0)
    for name, workers in found.items():
        for worker, theirs in workers.items():
            if theirs != VERSIONS[name]:
                problem = f"has {name} {theirs}, this is {VERSIONS[name]}"
                complain(f"{worker} {problem}; the last digits of its runs may differ", 0)


def _check_address(address: str) -> None:
    """Raise ValueError unless something answers there: a Client prints a traceback of its own."""
    url = urlsplit(address if "://" in address else f"tcp://{address}")
    try:
        if url.scheme not in ("tcp", "tls", "ws", "wss") or not url.hostname or not url.port:
            raise ValueError
    except ValueError:
        problem = f"expected an address such as tcp://node1:8786, got {shown.repr(address)}"
        raise ValueError(f"--dask: {problem}") from None
    try:
        socket.create_connection((url.hostname, url.port), timeout=10).close()
    except OSError:
        problem = f"no scheduler answers at {address}; dask scheduler starts one"
        raise ValueError(f"--dask: {problem}") from None


def how_to_go_on(options: argparse.Namespace) -> str:
    """What is said after a stop."""
    workers = "the workers end the runs that they have begun, and then " if options.dask else ""
    return f"{workers}the same command goes on"
