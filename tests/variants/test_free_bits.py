"""Free bits: the loss, its gradient on both sides of λ, and what they are for."""

import numpy as np
import pytest

from numpyvae import VAE, train
from numpyvae.core.latent import kl_per_latent
from numpyvae.debugging import check_vae
from numpyvae.debugging.small_copies import small_copy
from numpyvae.variants import FreeBits


@pytest.fixture
def small(rng):
    """A float64 model, a batch, and the KL of each latent, which all differ."""
    model = FreeBits(7, 3, beta=0.7, free_bits=0.0, image_shape=(3, 4), rng=1).astype(np.float64)
    model.parameters.value += 0.3 * rng.standard_normal(model.parameters.value.size)
    batch = rng.random((5, 12)), rng.standard_normal((5, 3))
    t = model.forward(*batch)
    kl = kl_per_latent(t.mu, t.logvar).mean(axis=0)
    assert np.diff(np.sort(kl)).min() > 0.01
    return model, batch, kl


def test_loss_is_the_definition(small):
    model, batch, kl = small
    model.free_bits = float(np.sort(kl)[:2].mean())  # one latent below, two above
    loss = model.loss(model.forward(*batch))
    charged = np.sort(kl)[1:].sum() + model.free_bits
    assert loss.total == pytest.approx(loss.reconstruction + 0.7 * charged, rel=1e-15)
    assert loss.kl == pytest.approx(kl.sum(), rel=1e-15)  # the true one
    assert str(loss).startswith(f"{loss.total:.2f}"[:-1])
    assert str(loss).endswith(f" + 0.7 x {charged:.2f}, KL {kl.sum():.2f}")


@pytest.mark.parametrize("above", [0, 1, 2, 3])
def test_backward_agrees_with_complex_step_to_12_digits(small, complex_step, above):
    """With every number of latents above λ."""
    model, batch, kl = small
    limits = [kl.min() / 2, *(np.sort(kl)[:-1] + np.diff(np.sort(kl)) / 2), 2 * kl.max()]
    model.free_bits = float(limits[3 - above])
    assert (kl > model.free_bits).sum() == above
    model.backward(model.forward(*batch))
    exact = complex_step(model, lambda model: model.loss(model.forward(*batch)).total)
    scale = np.abs(exact).max()
    np.testing.assert_allclose(model.parameters.grad, exact, rtol=0, atol=1e-12 * scale)
    assert model.beta == 0.7


def test_without_free_bits_it_is_the_vae_to_the_last_bit(small):
    model, batch, _ = small
    vae = VAE(7, 3, beta=0.7, image_shape=(3, 4)).astype(np.float64)
    vae.parameters.value[:] = model.parameters.value
    model.backward(model.forward(*batch))
    t = vae.backward(vae.forward(*batch))
    assert np.array_equal(model.parameters.grad, vae.parameters.grad)
    assert model.loss(model.forward(*batch)).total == pytest.approx(vae.loss(t).total, rel=1e-15)


def test_in_float32_too(rng):
    x, eps = rng.random((5, 12)), rng.standard_normal((5, 3))
    gradients = []
    for model in (VAE(7, 3, image_shape=(3, 4)), FreeBits(7, 3, free_bits=0.0, image_shape=(3, 4))):
        t = model.backward(model.forward(x, eps))
        assert t.dmu.dtype == t.dlogvar.dtype == np.float32
        gradients.append(model.parameters.grad.copy())
    assert np.array_equal(*gradients)


def test_a_check_of_it_passes_with_latents_on_both_sides():
    charged = set()
    for seed in range(4):
        vae = FreeBits(8, 2, free_bits=5.0, image_shape=(3, 4))
        report = check_vae(vae, rng=seed)
        report.raise_if_failed()
        assert report.small_copy.ok
        model = small_copy(vae, np.random.default_rng(seed))  # with 0.3 free bits
        kl = kl_per_latent(*model.encode(np.random.default_rng(1).random((5, 7)))).mean(axis=0)
        charged |= set((kl > model.free_bits).tolist())
    assert charged == {True, False}


def test_each_latent_takes_about_its_free_bits_where_a_vae_would_use_none(rng):
    """Images of pure noise are not worth a nat, so a VAE collapses; free nats are used anyway."""
    x = (rng.random((2000, 16)) < 0.5).astype(np.float32)

    def kl_after(vae):
        for _ in train(vae, x, epochs=60, batch_size=50):
            pass
        return kl_per_latent(*vae.encode(x)).mean(axis=0)

    shape = {"image_shape": (4, 4), "rng": 0}
    assert kl_after(VAE(16, 2, **shape)).max() < 0.02
    free = kl_after(FreeBits(16, 2, free_bits=0.3, **shape))
    assert free.min() > 0.2
    assert free.max() < 0.4


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="free_bits: expected a finite number of at least 0, got"):
        FreeBits(free_bits=-1.0)
