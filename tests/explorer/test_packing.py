import base64

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numpyvae import VAE
from numpyvae.explorer.packing import pack_images, pack_integers, pack_surface, pack_weights


def unpacked(text, kind):
    return np.frombuffer(base64.b64decode(text), kind)


def test_a_weight_is_stored_to_half_of_the_scale_of_its_column_and_a_bias_exactly(rng):
    vae = VAE((5, 4), 3, image_shape=(2, 3), rng=1)
    vae.parameters.value += rng.standard_normal(vae.parameters.value.size).astype(np.float32)
    stored, table = pack_weights(vae)
    integers, scales = unpacked(table["integers"], "<i2"), unpacked(table["scales"], "<f4")
    biases = unpacked(table["biases"], "<f4")
    for name, shape in table["shapes"]:
        own, kept = vae.parameters[name], stored.parameters[name]
        assert own.shape == kept.shape == tuple(shape)
        if len(shape) == 1:
            np.testing.assert_array_equal(kept, own)
            np.testing.assert_array_equal(biases[: shape[0]], own)
            biases = biases[shape[0] :]
            continue
        scale, scales = scales[: shape[1]], scales[shape[1] :]
        integer, integers = integers[: own.size].reshape(shape), integers[own.size :]
        assert (np.abs(kept - own) <= 0.5001 * scale).all()
        np.testing.assert_array_equal(kept, integer * scale)
        np.testing.assert_array_equal(np.abs(integer).max(axis=0), 32767)
    assert integers.size == scales.size == biases.size == 0


def test_a_column_of_zeros_stays_zero_and_the_model_itself_is_not_changed():
    vae = VAE(3, 2, image_shape=(2, 2))
    vae.parameters["W_mu"][:, 0] = 0.0
    before = vae.parameters.value.copy()
    stored, _ = pack_weights(vae)
    assert (stored.parameters["W_mu"][:, 0] == 0.0).all()
    np.testing.assert_array_equal(vae.parameters.value, before)


def test_weights_that_are_not_finite_are_refused():
    vae = VAE(3, 2, image_shape=(2, 2))
    vae.parameters.value[5] = np.nan
    with pytest.raises(ValueError, match="not finite; train it with a lower learning rate"):
        pack_weights(vae)


def runs(packed):
    """The pixels of packed images, read as slowly as one can."""
    pixels, data = [], list(base64.b64decode(packed))
    while data:
        value = data.pop(0)
        pixels += [0] * data.pop(0) if value == 0 else [value]
    return pixels


@given(arrays(np.uint8, st.integers(1, 700), elements=st.sampled_from([0, 0, 0, 0, 1, 255])))
def test_packed_images_are_the_images(pixels):
    assert runs(pack_images(pixels[None] / 255)) == pixels.tolist()


@pytest.mark.parametrize("zeros", [1, 254, 255, 256, 510, 511])
def test_long_runs_of_zeros(zeros):
    pixels = [7] + [0] * zeros + [9]
    assert runs(pack_images(np.array([pixels]) / 255)) == pixels


def read_surface(table, columns):
    steps = unpacked(table["integers"], "<i2").astype(float).reshape(-1, columns)
    steps[0, 0] += table["first"]
    first = np.cumsum(steps[:, 0])
    units = first[:, None] + np.cumsum(np.c_[0 * first, steps[:, 1:]], axis=1)
    return units * table["scale"]


@given(
    arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-1e4, 1e4))
)
def test_a_packed_surface_is_right_to_half_of_its_scale(values):
    table = pack_surface(values)
    assert table["scale"] >= 1 / 256
    read = read_surface(table, values.shape[1])
    assert np.abs(read - values).max() <= 0.5001 * table["scale"]


def test_a_smooth_surface_has_the_finest_scale():
    axis = np.linspace(-5, 5, 201)
    assert pack_surface(100 + 20 * axis[:, None] * np.sin(axis))["scale"] == 1 / 256


@pytest.mark.parametrize("array", [np.array([3.0, -0.25, 1e-9]), np.zeros(3)])
def test_integers_with_a_scale(array):
    table = pack_integers(array)
    read = table["scale"] * unpacked(table["integers"], "<i2")
    assert np.abs(read - array).max() <= 0.5001 * table["scale"]
