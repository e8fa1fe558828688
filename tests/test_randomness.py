"""One convention for randomness: `rng`, a seed or a Generator, and the seed 0 if none is given."""

import inspect

import numpy as np
import pytest

import numpyvae
from numpyvae import VAE, GaussianVAE, evaluation, gradcheck, pictures
from numpyvae.debugging import check_vae

X = np.random.default_rng(5).random((12, 6), dtype=np.float32)


def small():
    return VAE(5, 2, image_shape=(2, 3), rng=3)


def trained(rng):
    vae = small()
    numpyvae.fit(vae, X, epochs=1, rng=rng)
    return vae.parameters.value


def report(found):
    """What depends on the draws in the report of a check."""
    return [row.backprop for row in found.rows]


def layer():
    from numpyvae.core.layers import Dense
    from numpyvae.core.parameters import Parameters

    parameters = Parameters({"W_y": (6, 2), "b_y": (2,)})
    parameters.initialize(np.random.default_rng(0))
    return Dense(parameters, "y")


def cubes(p):
    return (p["w"] ** 3).sum()


W = {"w": np.arange(3.0)}
DRAWING = {
    "VAE": lambda rng: VAE(5, 2, image_shape=(2, 3), rng=rng).parameters.value,
    "GaussianVAE": lambda rng: GaussianVAE(5, 2, image_shape=(2, 3), rng=rng).parameters.value,
    "fit": trained,
    "sample": lambda rng: small().sample(3, rng=rng),
    "elbo": lambda rng: evaluation.elbo(small(), X, rng=rng)[0],
    "log_weights": lambda rng: evaluation.log_weights(small(), X, 3, rng=rng),
    "evaluate": lambda rng: evaluation.evaluate(small(), X, rng=rng, gap_images=0).elbo,
    "check_vae": lambda rng: report(check_vae(small(), rng=rng)),
    "check_gradients": lambda rng: report(
        gradcheck.check_gradients(cubes, W, lambda p: {"w": 3.0 * p["w"] ** 2}, rng=rng)
    ),
    "check_layer": lambda rng: report(gradcheck.check_layer(layer(), X, rng=rng)),
    "samples": lambda rng: pictures.samples(small(), rng=rng, rows=2).axes[0].images[0].get_array(),
}


@pytest.mark.parametrize("name", DRAWING)
def test_a_seed_a_generator_and_the_default(name):
    draw = DRAWING[name]
    first, second = np.array(draw(7)), np.array(draw(7))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, np.array(draw(8)))
    np.testing.assert_array_equal(draw(np.random.default_rng(9)), draw(np.random.default_rng(9)))
    generator = np.random.default_rng(9)  # goes on, and does not begin again
    assert not np.array_equal(draw(generator), draw(generator))
    for wrong in ("seven", None, True, 1.5, -1, []):
        with pytest.raises(ValueError, match="rng: expected a seed or a Generator, got "):
            draw(wrong)


def test_no_public_function_has_another_name_for_it():
    rooms = (numpyvae, evaluation, gradcheck, numpyvae.debugging, pictures)
    functions = {
        f"{room.__name__}.{name}": getattr(room, name)
        for room in rooms
        for name in room.__all__
        if callable(getattr(room, name))
    }
    for name, function in functions.items():
        parameters = inspect.signature(function).parameters
        assert "seed" not in parameters, name
        if "rng" in parameters:
            assert parameters["rng"].default == 0, name
