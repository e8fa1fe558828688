"""The reference losses."""

import numpy as np
import pytest

from numpyvae import pictures


def test_reference_losses_of_mnist(mnist):
    references = pictures.reference_losses(mnist[1][0])
    rounded = {name: round(value, 2) for name, value in references.items()}
    assert rounded == {
        "all parameters zero": 543.43,
        "best constant picture": 205.65,
        "perfect reconstruction": 45.53,
    }


def test_reference_losses_by_hand():
    # two images of two pixels: (1, ½) and (0, ½); the mean image is (½, ½)
    references = pictures.reference_losses(np.array([[1.0, 0.5], [0.0, 0.5]]))
    assert list(references.values()) == pytest.approx([2 * np.log(2), 2 * np.log(2), np.log(2)])
