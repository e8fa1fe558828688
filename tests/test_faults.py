"""The faults that recur in hand-written VAEs, each with a test that would catch it here."""

import ast
import gc
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import numpyvae
from numpyvae import BERNOULLI, VAE, Adam, RMSprop, train
from numpyvae.core.latent import kl_divergence

SOURCES = sorted(Path(numpyvae.__file__).parent.rglob("*.py"))


def test_eps_is_drawn_once_outside_and_used_in_both_directions(tiny):
    vae, x, eps, _ = tiny()
    t = vae.forward(x, eps)
    vae.backward(t)
    first = vae.parameters.grad.copy()
    vae.backward(t)
    assert np.array_equal(vae.parameters.grad, first)
    assert np.array_equal(t.eps, eps)


def test_pixels_and_latents_are_both_summed(rng):
    """Twice the pixels cost twice as much; so do twice the latents."""
    for pixels, latents in ((10, 2), (20, 4)):
        vae = VAE(hidden=3, latent=latents, image_shape=(1, pixels)).astype(np.float64)
        vae.parameters.value[:] = 0.0
        vae.parameters["b_mu"][:] = 1.0
        loss = vae.loss(vae.forward(np.ones((3, pixels)), np.zeros((3, latents))))
        assert loss.reconstruction == pytest.approx(pixels * np.log(2))
        assert loss.kl == latents / 2


def test_no_derivative_of_the_sigmoid_is_left_at_the_output():
    """dlogits = σ(l) − x, without a factor σ′ or 1 − tanh²."""
    logits, x = np.array([[3.0]]), np.zeros((1, 1))
    dlogits = BERNOULLI.cost_backward(logits, x, BERNOULLI.mean(logits), 1.0)
    assert dlogits == pytest.approx(1 / (1 + np.exp(-3)))


def test_the_activation_is_there_in_both_directions(tiny):
    vae, x, eps, _ = tiny()
    t = vae.backward(vae.forward(x, eps))
    for y, dy, before, name in ((t.h[0], t.dh[0], x, "W_h1"), (t.g[0], t.dg[0], t.z, "W_g1")):
        assert (y == 0).any()
        assert (y > 0).any()
        da = np.where(y > 0, dy, 0.0)
        np.testing.assert_allclose(vae.parameters.gradient(name), before.T @ da, atol=1e-15)


def test_the_kl_has_the_right_sign(rng):
    assert (kl_divergence(*rng.standard_normal((2, 100, 3))) >= 0).all()


def test_backward_moves_no_weight(tiny):
    vae, x, eps, _ = tiny()
    before = vae.parameters.value.copy()
    vae.backward(vae.forward(x, eps))
    assert np.array_equal(vae.parameters.value, before)


def test_saturation_gives_no_nan(rng):
    vae = VAE(hidden=4, image_shape=(2, 3), rng=0)
    vae.parameters["W_out"][:] = rng.choice([-1e4, 1e4], (4, 6))
    t = vae.backward(vae.forward(rng.random((5, 6)), rng.standard_normal((5, 2))))
    assert np.abs(t.logits).max() > 1000
    assert np.isfinite(vae.loss(t).total)
    assert np.isfinite(vae.parameters.grad).all()


def test_there_is_no_loop_over_images(rng):
    """As many Python calls for 500 images as for 5."""
    vae = VAE(hidden=4, image_shape=(2, 3), rng=0)
    calls = []
    for count in (5, 500):
        x, eps = rng.random((count, 6)), rng.standard_normal((count, 2))
        calls.append(0)

        def counted(frame, event, argument):
            calls[-1] += event in ("call", "c_call")

        gc.disable()  # objects of other tests may have methods that are called when they go
        sys.setprofile(counted)
        try:
            t = vae.forward(x, eps)
            vae.loss(t)
            vae.backward(t)
        finally:
            sys.setprofile(None)
            gc.enable()
    assert calls[0] == calls[1]


def test_adam_counts_steps(rng):
    vae = VAE(hidden=4, image_shape=(2, 3), rng=0)
    optimizer = Adam(vae.parameters)
    list(train(vae, rng.random((70, 6)), epochs=2, batch_size=20, optimizer=optimizer))
    assert optimizer.t == 8


def test_the_reported_loss_is_one_with_noise_not_at_mu(rng):
    vae = VAE(hidden=4, image_shape=(2, 3), rng=0)
    vae.parameters["b_logvar"][:] = 4.0
    vae.parameters["W_g1"][:] *= 20
    x = rng.random((400, 6), dtype=np.float32)
    still = RMSprop(vae.parameters, learning_rate=1e-30)
    (epoch,) = train(vae, x, test_images=x, epochs=1, optimizer=still)
    at_mu = vae.loss(vae.forward(x, np.zeros((400, 2)))).reconstruction
    assert epoch.test.reconstruction > at_mu + 0.5


def test_the_test_set_teaches_nothing(rng):
    images = rng.random((50, 6))
    weights = []
    for test in (None, rng.random((30, 6)), np.ones((10, 6))):
        vae = VAE(hidden=4, image_shape=(2, 3), rng=0)
        list(train(vae, images, test_images=test, epochs=2, batch_size=20))
        weights.append(vae.parameters.value)
    assert np.array_equal(weights[0], weights[1])
    assert np.array_equal(weights[0], weights[2])


def test_the_last_batch_is_trained_on(rng):
    vae = VAE(hidden=4, image_shape=(2, 3), rng=0)
    optimizer = Adam(vae.parameters)
    list(train(vae, rng.random((41, 6)), epochs=1, batch_size=20, optimizer=optimizer))
    assert optimizer.t == 3


def test_importing_the_command_reads_no_arguments_and_runs_nothing():
    import subprocess

    code = "import sys; sys.argv = ['x', '--nonsense']; import numpyvae.cli"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_global_random_state_is_neither_used_nor_changed(rng):
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    vae = VAE(hidden=4, image_shape=(2, 3))
    list(train(vae, rng.random((41, 6)), epochs=1, pixels="dynamic", noise=0.1))
    vae.sample(3, rng)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    allowed = {"default_rng", "Generator"}
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "np.random":
                assert node.attr in allowed, f"{path}:{node.lineno}"


def test_no_pickle_and_no_download_address_in_the_source():
    for path in SOURCES:
        text = path.read_text(encoding="utf-8")
        assert "import pickle" not in text
        assert not re.search("https?:", text), path
    for path in (Path(numpyvae.__file__).parent / "explorer" / "web").iterdir():
        assert not re.search("https?:", path.read_text(encoding="utf-8")), path


@pytest.mark.parametrize("image_shape", [(1, 1), (5, 6), (32, 31)])
def test_no_image_size_is_built_in(rng, image_shape):
    from numpyvae import pictures

    pixels = image_shape[0] * image_shape[1]
    vae = VAE(hidden=4, image_shape=image_shape)
    images = rng.random((20, pixels))
    list(train(vae, images, epochs=1, batch_size=7))
    for figure in (
        pictures.manifold(vae, 3), pictures.reconstructions(vae, images[:3]),
        pictures.samples(vae, rng, 2, 2), pictures.latent(vae, images),
    ):  # fmt: skip
        figure.canvas.draw()
    assert vae.reconstruct(images).shape == (20, pixels)


def test_totals_are_the_sum_of_their_parts(rng):
    vae = VAE(hidden=4, image_shape=(2, 3), beta=0.5)
    for epoch in train(vae, rng.random((41, 6)), test_images=rng.random((9, 6)), epochs=3):
        for loss in (epoch.train, epoch.test):
            assert loss.total == loss.reconstruction + 0.5 * loss.kl
            total, reconstruction, kl = (
                float(part) for part in str(loss).replace("=", " ").replace("+ 0.5 x", " ").split()
            )
            assert total == pytest.approx(reconstruction + 0.5 * kl, abs=0.0051)
