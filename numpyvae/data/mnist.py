"""MNIST, from the files beside this one."""

from pathlib import Path

import numpy as np

from numpyvae.data.image_files import load_idx, load_images
from numpyvae.support.types import Array

MNIST_FOLDER = Path(__file__).parent
MNIST_CREDIT = (
    "MNIST, by Y. LeCun, C. Cortes and C. J. C. Burges, "
    "derived from NIST Special Databases 3 and 7; license CC BY-SA 3.0."
)


def load_mnist() -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """(x_train, y_train), (x_test, y_test): MNIST, from the files of the package.

    Nothing is downloaded. (LeCun, Cortes, Burges; CC BY-SA 3.0, see numpyvae/data/README.md.)

    Returns
    -------
    tuple of tuples of numpy.ndarray
        Images, uint8 (60000, 784) and (10000, 784), and labels, uint8 (60000,) and (10000,).

    Examples
    --------
    >>> from numpyvae import load_mnist
    >>> (x_train, y_train), (x_test, y_test) = load_mnist()
    >>> x_train.shape, y_test[:5].tolist()
    ((60000, 784), [7, 2, 1, 0, 4])
    """
    mnist = load_images(MNIST_FOLDER)
    assert mnist.y_train is not None
    assert mnist.y_test is not None
    return (mnist.x_train, mnist.y_train), (mnist.x_test, mnist.y_test)


def holds_mnist(images: Array) -> bool:
    """True if one of the first hundred images is a test image of MNIST, grey or thresholded."""
    x = images[:100] if images.dtype == np.uint8 else np.rint(255.0 * images[:100])
    grey = load_idx(MNIST_FOLDER / "t10k-images-idx3-ubyte.gz")
    grey = grey.reshape(len(grey), -1)
    black_and_white = np.where(grey > 127, np.uint8(255), np.uint8(0))
    known = {image.tobytes() for image in (*grey, *black_and_white)}
    return any(image.tobytes() in known for image in x.astype(np.uint8))
