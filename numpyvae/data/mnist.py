"""MNIST, from the files beside this one."""

from pathlib import Path

from numpyvae.data.image_files import load_images
from numpyvae.support.types import Array

MNIST_FOLDER = Path(__file__).parent


def load_mnist() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """(x_train, y_train), (x_test, y_test): MNIST, images uint8 (60000, 784) and (10000, 784).

    Labels are uint8 (60000,) and (10000,). The files are part of the package, so nothing is
    downloaded. (LeCun, Cortes, Burges; CC BY-SA 3.0, see numpyvae/data/README.md.)
    """
    mnist = load_images(MNIST_FOLDER)
    assert mnist.y_train is not None
    assert mnist.y_test is not None
    return (mnist.x_train, mnist.y_train), (mnist.x_test, mnist.y_test)
