"""Drawings become pictures as MNIST's were made."""

import json

import numpy as np
import pytest

SIDE = 280  # of the pad
PICTURE = "Array.from(pictureOf(new Float64Array(%s), %d, %d, %s, %s))"


def pictured(run, ink, centered=True, shape=(28, 28)):
    height, width = ink.shape
    numbers = json.dumps(np.round(ink, 4).ravel().tolist())
    return np.array(run(PICTURE % (numbers, width, height, list(shape), json.dumps(centered))))


def enlarged(image, rng):
    """A test image eight times as large, somewhere on the pad."""
    ink = np.zeros((SIDE, SIDE))
    top, left = rng.integers(0, SIDE - 224, 2)
    ink[top : top + 224, left : left + 224] = np.kron(image.reshape(28, 28), np.ones((8, 8)))
    return ink


def test_mnist_enlarged_and_displaced_is_drawn_back(classic, table, engine, mnist, rng):
    run, x = engine(table), mnist[1][0][:60] / 255
    inks = [enlarged(image, rng) for image in x]
    mu, _ = classic.encode(x)
    away = {}
    for centered in (True, False):
        back = np.array([pictured(run, ink, centered) for ink in inks])
        away[centered] = np.median(np.abs(classic.encode(np.clip(back, 0, 1))[0] - mu))
        if centered:
            assert np.abs(back - x).max() < 0.001  # the pad has round numbers
    assert away[True] <= 0.3
    assert away[True] <= away[False] / 3


def test_the_box_is_twenty_pixels_and_the_center_of_mass_in_the_middle(engine, table):
    ink = np.zeros((SIDE, SIDE))
    ink[40:240, 20:60] = 1.0  # tall and thin, at the left
    ink[40:60, 20:120] = 1.0
    picture = pictured(engine(table), ink).reshape(28, 28)
    rows, columns = np.nonzero(picture > 0.5)
    assert np.ptp(rows) + 1 == 20
    weights = picture / picture.sum()
    middle = np.array([(np.arange(28) + 0.5) @ weights.sum(axis=a) for a in (1, 0)])
    assert middle.min() >= 14  # moved by whole pixels
    assert middle.max() <= 15
    assert 9 <= np.ptp(columns) + 1 <= 11


def test_the_center_of_mass_of_mnist_lies_in_the_pixel_after_the_middle(mnist):
    x = mnist[1][0].reshape(-1, 28, 28) / mnist[1][0].sum(axis=1, dtype=float)[:, None, None]
    for side in (x.sum(axis=1), x.sum(axis=2)):
        middle = side @ (np.arange(28) + 0.5)
        assert np.mean((middle >= 14) & (middle < 15)) > 0.99


def test_edges_are_grey(engine, table):
    axis = np.arange(SIDE) - SIDE / 2
    disc = (axis**2 + axis[:, None] ** 2 < 70**2).astype(float)
    picture = pictured(engine(table), disc)
    assert ((picture > 0.05) & (picture < 0.95)).sum() > 20
    assert picture.max() == 1.0
    assert picture.min() == 0.0


def test_an_empty_pad_is_a_black_picture(engine, table):
    assert (pictured(engine(table), np.zeros((50, 50))) == 0).all()


@pytest.mark.parametrize("shape", [(10, 20), (20, 10)])
def test_other_shapes(engine, table, shape):
    ink = np.zeros((10 * shape[0], 10 * shape[1]))
    ink[2:-2, 2:-2] = 1.0
    picture = pictured(engine(table), ink, shape=shape).reshape(shape)
    scale = 20 / 28 * min(shape) / max(ink.shape)
    assert picture.sum() == pytest.approx(ink.sum() * scale**2, rel=0.15)
    assert picture[0].max() < 0.5
    plain = pictured(engine(table), ink, centered=False, shape=shape).reshape(shape)
    np.testing.assert_allclose(plain[1:-1, 1:-1], 1.0)
