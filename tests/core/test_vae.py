import numpy as np
import pytest

from numpyvae import VAE, Gaussian, plain
from numpyvae.debugging.small_copies import small_copy

ARCHITECTURES = [(hidden, latent) for hidden in (7, (9, 6)) for latent in (1, 2, 3)]


@pytest.mark.parametrize(("hidden", "latent"), ARCHITECTURES)
@pytest.mark.parametrize("denoising", [False, True])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_backward_agrees_with_complex_step_to_12_digits(
    tiny, complex_step, rng, hidden, latent, denoising, activation
):
    vae, x, eps, target = tiny(hidden, latent, activation=activation)
    target = target if denoising else None
    vae.backward(vae.forward(rng.random(x.shape), eps))  # what it leaves in grad must not count
    vae.backward(vae.forward(x, eps, target))
    exact = complex_step(vae, lambda twin: twin.loss(twin.forward(x, eps, target)).total)
    start = 0
    for name in vae.parameters:
        gradient = vae.parameters.gradient(name)
        numerical = exact[start : start + gradient.size].reshape(gradient.shape)
        start += gradient.size
        scale = np.abs(numerical).max()
        assert scale > 0, f"{name} is dead at this point: nothing was checked"
        assert np.abs(gradient - numerical).max() <= 1e-12 * scale, name


def loss_by_formulas(vae, x, eps, target):
    """The whole model, from the weights alone: (reconstruction, kl), means over the images."""
    weights, h = vae.parameters, x
    for i in range(len(vae.hidden)):
        h = np.maximum(plain.dense(h, weights[f"W_h{i + 1}"], weights[f"b_h{i + 1}"]), 0)
    mu = plain.dense(h, weights["W_mu"], weights["b_mu"])
    logvar = plain.dense(h, weights["W_logvar"], weights["b_logvar"])
    g = mu + np.sqrt(np.exp(logvar)) * eps
    for i in range(len(vae.hidden)):
        g = np.maximum(plain.dense(g, weights[f"W_g{i + 1}"], weights[f"b_g{i + 1}"]), 0)
    logits = plain.dense(g, weights["W_out"], weights["b_out"])
    return plain.cross_entropy(logits, target).mean(), plain.kl_divergence(mu, logvar).mean()


@pytest.mark.parametrize(("hidden", "latent"), ARCHITECTURES)
def test_loss_equals_the_formulas(tiny, hidden, latent):
    vae, x, eps, target = tiny(hidden, latent)
    loss = vae.loss(vae.forward(x, eps, target))
    reconstruction, kl = loss_by_formulas(vae, x, eps, target)
    assert loss.reconstruction == pytest.approx(reconstruction, rel=1e-14)
    assert loss.kl == pytest.approx(kl, rel=1e-14)
    assert loss.total == loss.reconstruction + 0.7 * loss.kl
    assert loss.elbo == -(loss.reconstruction + loss.kl)


def test_backward_agrees_with_finite_differences_on_the_classic(rng):
    """All 404,244 parameters at once: along random directions, with a step of 1e-5."""
    vae = VAE().astype(np.float64)
    vae.parameters.value += 0.01 * rng.standard_normal(vae.parameters.value.size)
    x, eps = rng.random((16, 784)), rng.standard_normal((16, 2))
    vae.backward(vae.forward(x, eps))
    gradient, theta = vae.parameters.grad.copy(), vae.parameters.value.copy()
    for name in vae.parameters:
        direction = np.zeros_like(theta)
        twin = vae.astype(np.float64)
        twin.parameters.value[:] = 0.0
        twin.parameters[name][:] = rng.standard_normal(vae.parameters.shapes[name])
        direction = twin.parameters.value / np.linalg.norm(twin.parameters.value)
        values = []
        for step in (1e-5, -1e-5):
            vae.parameters.value[:] = theta + step * direction
            values.append(vae.loss(vae.forward(x, eps)).total)
        slope = (values[0] - values[1]) / 2e-5
        # rounding of a loss near 600 over the step: 600 · 1e-16 / 1e-5 ≈ 1e-8
        assert gradient @ direction == pytest.approx(slope, rel=1e-6, abs=1e-7), name


def test_gradients_in_the_trace_are_those_of_what_they_are_named_after(tiny):
    """dmu and dlogvar include the KL's share; dlogits is of the mean over images."""
    vae, x, eps, target = tiny()
    t = vae.backward(vae.forward(x, eps, target))
    np.testing.assert_allclose(t.dlogits, (t.p - target) / 5, atol=1e-16)
    np.testing.assert_allclose(t.dmu, t.dz + 0.7 * t.mu / 5, atol=1e-16)
    sigma = np.exp(t.logvar / 2)
    wanted = t.dz * eps * sigma / 2 + 0.7 * (sigma**2 - 1) / 2 / 5
    np.testing.assert_allclose(t.dlogvar, wanted, atol=1e-15)
    dW_h1 = vae.parameters.gradient("W_h1")
    np.testing.assert_allclose(dW_h1, x.T @ (t.dh[0] * (t.h[0] > 0)), atol=1e-15)
    heads = t.dmu @ vae.encoder.mu.W.T + t.dlogvar @ vae.encoder.logvar.W.T
    np.testing.assert_allclose(t.dh[0], heads, atol=1e-15)


def test_results_survive_later_passes(rng):
    vae = VAE(hidden=20, rng=0)
    x = rng.random((6, 784), dtype=np.float32)
    results = [*vae.encode(x), vae.decode(vae.encode(x)[0]), vae.reconstruct(x), vae.sample(6, rng)]
    kept = [array.copy() for array in results]
    t = vae.forward(x, np.zeros((6, 2), np.float32))
    results += [t.mu, t.z, t.logits, t.p, *t.h]
    kept += [array.copy() for array in results[len(kept) :]]
    for _ in range(2):
        vae.backward(vae.forward(rng.random((6, 784), dtype=np.float32), np.ones((6, 2))))
        vae.encode(rng.random((6, 784), dtype=np.float32))
        vae.sample(6, rng)
    for array, copy in zip(results, kept):
        assert np.array_equal(array, copy)


def test_encode_decode_reconstruct_sample(tiny, rng):
    vae, x, eps, _ = tiny()
    t = vae.forward(x, eps)
    mu, logvar = vae.encode(x)
    assert np.array_equal(mu, t.mu)
    assert np.array_equal(logvar, t.logvar)
    assert np.array_equal(vae.decode_logits(t.z), t.logits)
    assert np.array_equal(vae.decode(t.z), t.p)
    assert np.array_equal(vae.reconstruct(x), vae.decode(mu))
    assert np.array_equal(vae.sample(4, 7), vae.sample(4, np.random.default_rng(7)))
    pixels = vae.sample(4, rng)
    assert pixels.shape == (4, 12)
    assert ((pixels >= 0) & (pixels <= 1)).all()


def test_images_may_be_uint8_or_have_height_and_width(rng):
    vae = VAE(hidden=5, rng=0)
    images = rng.integers(0, 256, (4, 28, 28), dtype=np.uint8)
    mu, _ = vae.encode(images)
    same, _ = vae.encode((images.reshape(4, 784) / 255).astype(np.float32))
    assert mu.dtype == np.float32
    np.testing.assert_allclose(mu, same, rtol=1e-6)


def test_float64_noise_does_not_promote_a_float32_model(rng):
    vae = VAE(hidden=5)
    t = vae.forward(rng.random((4, 784)), rng.standard_normal((4, 2)))
    vae.backward(t)
    for name in ("x", "eps", "mu", "z", "logits", "p", "dlogits", "dmu", "dlogvar"):
        assert getattr(t, name).dtype == np.float32, name


def test_weights_are_named_after_what_they_make_and_mirrored():
    shapes = VAE(hidden=(9, 6), latent=3, image_shape=(2, 4)).parameters.shapes
    assert shapes == {
        "W_h1": (8, 9), "b_h1": (9,), "W_h2": (9, 6), "b_h2": (6,),
        "W_mu": (6, 3), "b_mu": (3,), "W_logvar": (6, 3), "b_logvar": (3,),
        "W_g1": (3, 6), "b_g1": (6,), "W_g2": (6, 9), "b_g2": (9,),
        "W_out": (9, 8), "b_out": (8,),
    }  # fmt: skip


def test_the_activation_is_that_of_every_hidden_layer_and_of_every_copy(tiny, rng):
    vae, x, eps, _ = tiny(hidden=(9, 6), activation="tanh")
    t = vae.forward(x, eps)
    np.testing.assert_allclose(t.h[0], np.tanh(x @ vae.parameters["W_h1"] + vae.parameters["b_h1"]))
    np.testing.assert_allclose(
        t.g[1], np.tanh(t.g[0] @ vae.parameters["W_g2"] + vae.parameters["b_g2"])
    )
    for twin in (vae.astype(np.float32), small_copy(vae, rng)):
        assert twin.encoder.activation is np.tanh
        assert twin.decoder.activation is np.tanh
    with pytest.raises(ValueError, match="activation: expected one of relu, tanh, got 'sigmoid'"):
        VAE(activation="sigmoid")


def test_the_classic_has_404244_parameters_and_says_so():
    vae = VAE()
    assert vae.parameters.value.size == 404_244
    lines = str(vae.parameters).splitlines()
    assert lines[0].split() == ["W_h1", "784", "x", "256", "200,704"]
    assert lines[-1].split() == ["total", "404,244"]
    assert len(lines) == 11


def test_same_seed_same_weights_and_a_generator_will_do():
    weights = VAE(rng=5).parameters.value
    assert np.array_equal(weights, VAE(rng=5).parameters.value)
    assert np.array_equal(weights, VAE(rng=np.random.default_rng(5)).parameters.value)
    assert not np.array_equal(weights, VAE(rng=6).parameters.value)


def test_a_complex_copy_decodes_what_the_real_model_does(tiny, rng):
    vae = tiny()[0]
    z = rng.standard_normal((4, 3))
    np.testing.assert_allclose(vae.astype(np.complex128).decode(z), vae.decode(z), atol=1e-15)


def test_astype_copies():
    vae = VAE(hidden=5)
    twin = vae.astype(np.float64)
    twin.parameters.value[:] = 0
    assert vae.parameters.value.any()
    assert not twin.decoder.out.W.any()


def test_a_trace_prints_its_shapes(tiny):
    vae, x, eps, _ = tiny(hidden=(9, 6))
    t = vae.forward(x, eps)
    assert "h[1]              5 x 6         30" in repr(t)
    assert "logits           5 x 12         60" in str(t)
    assert "dlogits" not in repr(t)
    vae.backward(t)
    assert "dlogits          5 x 12         60" in repr(t)
    assert len(repr(t).splitlines()) == 20  # a row for each array, no numbers


def test_a_model_shows_how_it_was_made_and_can_be_made_again():
    vae = VAE((9, 6), 3, beta=0.5, image_shape=(2, 3))
    shown = "VAE(hidden=(9, 6), latent=3, activation='relu', beta=0.5, image_shape=(2, 3), "
    assert repr(vae) == f"{shown}likelihood=Bernoulli())"
    again = type(vae)(**vae.config)
    assert again.config.keys() == vae.config.keys()
    assert again.parameters.shapes == vae.parameters.shapes


def test_a_loss_prints_parts_that_add_up():
    from numpyvae import Loss

    # rounded one by one these would read 10.01 = 5.00 + 5.00
    assert str(Loss(5.004, 5.004)) == "10.00 = 5.00 + 5.00"
    assert str(Loss(100.0, 8.0, beta=0.5)) == "104.00 = 100.00 + 0.5 x 8.00"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden": 0}, "hidden: expected a whole number of at least 1, got 0"),
        ({"hidden": ()}, "hidden: expected some whole numbers, got "),
        ({"hidden": (5, -1)}, "hidden: expected a whole number of at least 1, got -1"),
        ({"hidden": 2.5}, "hidden: expected a whole number of at least 1, got 2.5"),
        ({"latent": 0}, "latent: expected a whole number of at least 1, got 0"),
        ({"beta": -1.0}, "beta: expected a finite number of at least 0, got -1.0"),
        ({"beta": float("nan")}, "beta: expected a finite number of at least 0, got nan"),
        ({"likelihood": "gaussian"}, r"likelihood: expected one such as Gaussian\(\), got 'gauss"),
        ({"likelihood": Gaussian}, "likelihood: expected one such as .*, got the class Gaussian"),
        ({"image_shape": (28,)}, "image_shape: expected 2 whole numbers, got"),
        ({"image_shape": (28, 0)}, "image_shape: expected a whole number of at least 1, got 0"),
    ],
)
def test_bad_settings_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message) as refusal:
        VAE(**arguments)
    assert "\n" not in str(refusal.value)


GOOD = np.full((3, 784), 0.5)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            GOOD * 510,
            r"expected values in \[0, 1\] or uint8, got float64 from 255 .* divide by 255",
        ),
        (GOOD - 1, "got float64 from -0.5 to -0.5; rescale"),
        (GOOD * np.nan, "got 2,352 NaN; remove or replace them"),
        (GOOD * np.inf, "got float64 from inf to inf"),
        (GOOD[:, :100], r"expected shape \(N, 784\) for images of 28 x 28 pixels, got \(3, 100\)"),
        (GOOD[0], r"expected shape \(N, 784\)"),
        (GOOD[:0], "expected at least one image, got none"),
        (GOOD.astype(np.int64), "expected uint8, bool, or floats in .*, got int64; rescale them"),
        (GOOD.astype(object), "got object"),
        (
            (GOOD > 0).astype(np.uint8),
            "the largest value is 1; pass floats .* such as images / 1",
        ),
    ],
)
def test_bad_images_are_refused_everywhere(images, message):
    from numpyvae import train

    vae = VAE(hidden=3)
    noise = np.zeros((len(images), 2))
    for use in (
        vae.encode,
        vae.reconstruct,
        lambda images: vae.forward(images, noise),
        lambda images: vae.forward(GOOD[: len(images)], noise[:3], target=images),
        lambda images: train(vae, images),
        lambda images: train(vae, GOOD, test_images=images),
    ):
        if len(images) == 0 and use is not vae.encode:
            continue
        with pytest.raises(ValueError, match=message) as refusal:
            use(images)
        assert "\n" not in str(refusal.value)


def test_bad_noise_and_latents_are_refused():
    vae = VAE(hidden=3)
    with pytest.raises(ValueError, match=r"target: expected shape \(3, 784\) as x, got \(2, 784\)"):
        vae.forward(GOOD, np.zeros((3, 2)), GOOD[:2])
    with pytest.raises(ValueError, match="z: expected finite numbers, got NaN or infinity"):
        vae.decode([[1e300, 0.0]])  # finite, but not as a float32
    with pytest.raises(ValueError, match=r"eps: expected shape \(3, 2\), got \(2,\)"):
        vae.forward(GOOD, np.zeros(2))  # would be the same noise for every image
    with pytest.raises(ValueError, match=r"z: expected shape \(N, 2\), got \(2,\)"):
        vae.decode(np.zeros(2))
    with pytest.raises(ValueError, match=r"z: expected shape \(N, 2\), got \(4, 3\)"):
        vae.decode(np.zeros((4, 3)))
