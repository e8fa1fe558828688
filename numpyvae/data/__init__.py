"""Which images does a model see? Images from files, as pixels in [0, 1].

Read images (pixels: grey, binary, corrupted), minibatches (the input of each training step),
image_files (IDX, .npy and .npz), then mnist (its files lie in this folder).
"""

from numpyvae.data.image_files import Dataset, load_idx, load_images
from numpyvae.data.mnist import MNIST_CREDIT, MNIST_FOLDER, load_mnist

__all__ = ["MNIST_CREDIT", "MNIST_FOLDER", "Dataset", "load_idx", "load_images", "load_mnist"]
