"""MNIST, from the files in the package."""

import gzip
import hashlib

import numpy as np
import pytest

from numpyvae import load_mnist
from numpyvae.data.image_files import USUAL_NAMES
from numpyvae.data.mnist import MNIST_FOLDER

# as published with the data set
SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


@pytest.mark.parametrize("name", USUAL_NAMES)
def test_the_files_in_the_package_are_the_published_ones(name):
    data = gzip.decompress((MNIST_FOLDER / f"{name}.gz").read_bytes())
    assert hashlib.sha256(data).hexdigest() == SHA256[name]
    assert SHA256[name] in (MNIST_FOLDER / "README.md").read_text()


def test_load_mnist(mnist):
    (x_train, y_train), (x_test, y_test) = mnist
    assert (x_train.shape, x_train.dtype) == ((60_000, 784), np.uint8)
    assert (x_test.shape, x_test.dtype) == ((10_000, 784), np.uint8)
    assert np.bincount(y_train).tolist() == [
        5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949
    ]  # fmt: skip
    assert y_test[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert (x_test == 0).mean() == pytest.approx(0.807, abs=0.002)
    first = x_test[0].reshape(28, 28)
    assert first[7, 5:13].tolist() == [0, 84, 185, 159, 151, 60, 36, 0]  # the bar of a seven
    assert x_train.flags.writeable


def test_load_mnist_needs_no_network(monkeypatch):
    import socket

    def refuse(*_):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert len(load_mnist()[0][0]) == 60_000
