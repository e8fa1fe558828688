"""Small models, integrals by brute force, and figures as PNG."""

import io

import numpy as np
from scipy.integrate import trapezoid
from threadpoolctl import threadpool_info

from numpyvae import VAE


def tiny(latent, seed=1):
    vae = VAE((5, 4), latent, image_shape=(2, 3), beta=0.3, rng=seed).astype(np.float64)
    vae.parameters.value += 0.5 * np.random.default_rng(seed).standard_normal(
        vae.parameters.value.size
    )
    return vae


def integral(f, low, high):
    """By brute force: a ReLU's kinks do not disturb it, as they do an adaptive rule."""
    z = np.linspace(low, high, 20_001)
    return trapezoid(f(z), z)


def log_p(vae, x, z):
    """log p(x|z) of one image, as in a book: z (Z,) → a number, or z (M, Z) → (M,)."""
    p = 1.0 / (1.0 + np.exp(-vae.decode_logits(np.atleast_2d(z))))
    found = (x * np.log(p) + (1.0 - x) * np.log(1.0 - p)).sum(axis=1)
    return found if z.ndim == 2 else float(found[0])


def small(seed=0):
    """A model that is cheap to check; most tests look at its small copy."""
    return VAE(8, 2, image_shape=(3, 3), rng=seed)


def as_png(figure):
    """The bytes of a figure as PNG."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def blas_number():
    """The number of threads of NumPy's BLAS; 0 if it cannot be set, as with Apple's."""
    numbers = {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}
    assert len(numbers) <= 1, numbers
    return max(numbers, default=0)
