import io
import os

# Of every process that a test starts: idle BLAS threads spin, which is slow beside other tests.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from helpers import blas_number
from hypothesis import HealthCheck, settings
from threadpoolctl import threadpool_limits

from numpyvae import VAE, load_mnist
from numpyvae.core.parameters import Parameters

# No test depends on how fast the machine is: without this, an example that takes 0.2 s fails.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(autouse=True, scope="session")
def _one_blas_thread():
    """The code of the tests themselves computes in one thread too, as beside busy programs."""
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture
def three_threads():
    """Three BLAS threads before the test, so that any change is seen."""
    if blas_number() == 0:
        pytest.skip("the threads of this BLAS cannot be set")
    with threadpool_limits(3, "blas"):
        yield


@pytest.fixture(scope="session")
def mnist():
    return load_mnist()


@pytest.fixture
def rng():
    return np.random.default_rng(20261122)


@pytest.fixture
def tiny(rng):
    """A float64 VAE at a generic point, and a batch for it; B, X, H, Z and β all differ."""

    def make(hidden=7, latent=3, beta=0.7, image_shape=(3, 4), images=5, activation="relu"):
        vae = VAE(
            hidden, latent, activation=activation, beta=beta, image_shape=image_shape, rng=1
        ).astype(np.float64)
        vae.parameters.value += 0.3 * rng.standard_normal(vae.parameters.value.size)
        pixels = image_shape[0] * image_shape[1]
        x, target = rng.random((images, pixels)), rng.random((images, pixels))
        return vae, x, rng.standard_normal((images, latent)), target

    return make


@pytest.fixture
def complex_step():
    """∂f/∂θ for f(vae) → number, by complex step: 15 digits, no step size, no subtraction."""

    def derivative(vae, f):
        twin = vae.astype(np.complex128)
        theta = twin.parameters.value
        gradient = np.empty(theta.size)
        for i in range(theta.size):
            theta[i] += 1e-20j
            gradient[i] = f(twin).imag / 1e-20
            theta[i] -= 1e-20j
        return gradient

    return derivative


@pytest.fixture
def five_steps(rng):
    """Five steps of an optimizer, on gradients that span twelve orders of magnitude.

    Returns the parameters before, the gradients (both in float64), and the parameters after.
    """

    def descend(make, dtype=np.float64, size=40):
        parameters = Parameters({"theta": (size,)}, dtype)
        parameters.value[:] = rng.standard_normal(size)
        before = parameters.value.astype(float)
        scale = 10.0 ** rng.uniform(-10, 2, size)
        gradients = [(scale * rng.standard_normal(size)).astype(dtype) for _ in range(5)]
        optimizer = make(parameters)
        for gradient in gradients:
            parameters.grad[:] = gradient
            optimizer.step()
        return before, [gradient.astype(float) for gradient in gradients], parameters.value

    return descend


@pytest.fixture(autouse=True)
def rough_pictures(request, monkeypatch):
    """Commands in this process draw coarsely, without the layout, which takes most of their time.

    The tests of `pictures`, of `draw` and all that start a process have the pictures as they are.
    """
    if not {"pictures", "test_draw.py"} & set(request.path.parts):
        monkeypatch.setattr("numpyvae.pictures.canvas.as_png", _coarse_png)


def _coarse_png(figure):
    figure.set_layout_engine("none")
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=20)
    return file.getvalue()
