"""IWAE: its gradient, its bound, and that its parts are those of the VAE."""

import tracemalloc

import numpy as np
import pytest

from numpyvae import VAE, plain, train
from numpyvae.debugging import check_vae
from numpyvae.evaluation import log_mean_exp, log_weights
from numpyvae.variants import IWAE, iwae

K = 4


@pytest.fixture
def small(rng):
    """A float64 IWAE at a generic point, and a batch; B, k, X, H and Z all differ."""

    def make(activation="relu", k=K):
        model = IWAE((9, 6), 3, k=k, activation=activation, image_shape=(3, 4), rng=1)
        model = model.astype(np.float64)
        model.parameters.value += 0.3 * rng.standard_normal(model.parameters.value.size)
        x, target = rng.random((5, 12)), rng.random((5, 12))
        return model, x, rng.standard_normal((5, k, 3)), target

    return make


@pytest.mark.parametrize("activation", ["relu", "tanh"])
@pytest.mark.parametrize("rows", [1000, 10, 7])  # one slice; two equal ones; slices of 7 and 6
def test_backward_agrees_with_complex_step_to_12_digits(
    small, complex_step, rng, monkeypatch, activation, rows
):
    monkeypatch.setattr(iwae, "ROWS", rows)
    model, x, eps, target = small(activation)
    model.backward(model.forward(rng.random(x.shape), eps))  # what it leaves in grad must not count
    model.backward(model.forward(x, eps, target))
    exact = complex_step(model, lambda model: model.loss(model.forward(x, eps, target)).total)
    start = 0
    for name in model.parameters:
        gradient = model.parameters.gradient(name)
        numerical = exact[start : start + gradient.size].reshape(gradient.shape)
        start += gradient.size
        scale = np.abs(numerical).max()
        assert scale > 0, f"{name} is dead at this point: nothing was checked"
        assert np.abs(gradient - numerical).max() <= 1e-12 * scale, name


def test_loss_is_the_definition(small):
    """−log 1/k Σ w with the densities written out, constants and all."""
    model, x, eps, target = small()
    t = model.forward(x, eps, target)
    sigma = np.exp(t.logvar / 2)[:, None]
    z = t.mu[:, None] + sigma * eps
    p = model.decode(z.reshape(-1, 3)).reshape(5, K, 12)
    xs = target[:, None]
    density = np.exp((xs * np.log(p) + (1 - xs) * np.log(1 - p)).sum(axis=2))
    prior = np.prod(np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi), axis=2)
    q = np.prod(np.exp(-(eps**2) / 2) / np.sqrt(2 * np.pi) / sigma, axis=2)
    w = density * prior / q
    np.testing.assert_allclose(t.log_w, np.log(w), rtol=1e-13)
    np.testing.assert_allclose(t.weights, w / w.sum(axis=1, keepdims=True), rtol=1e-12)
    loss = model.loss(t)
    assert loss.total == pytest.approx(-np.log(w.mean(axis=1)).mean(), rel=1e-14)
    share = w / w.sum(axis=1, keepdims=True)
    assert loss.reconstruction == pytest.approx(-(share * np.log(density)).sum(axis=1).mean())


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_with_one_draw_it_is_the_elbo_of_the_vae(small, rng, activation):
    """Each image stands there twice, with ε and −ε, |ε| = 1.

    For such noise Σ (ε² + log σ² − z²) / 2 is minus the KL on the mean over the pair, exactly, for
    the mean of z² is μ² + σ². So loss and gradient are those of a VAE, which has the KL itself.
    """
    model, x, _, _ = small(activation, k=1)
    vae = VAE((9, 6), 3, activation=activation, image_shape=(3, 4)).astype(np.float64)
    vae.parameters.value[:] = model.parameters.value
    signs = np.where(rng.random((5, 3)) < 0.5, -1.0, 1.0)
    twice, eps = np.repeat(x, 2, axis=0), np.stack([signs, -signs], axis=1).reshape(-1, 3)
    t, wanted = model.forward(twice, eps[:, None]), vae.forward(twice, eps)
    ours, theirs = model.loss(t), vae.loss(wanted)
    assert ours.total == pytest.approx(theirs.total, rel=1e-15)
    assert ours.reconstruction == pytest.approx(theirs.reconstruction, rel=1e-15)
    assert ours.kl == pytest.approx(theirs.kl, rel=1e-13)  # a difference of two larger numbers
    model.backward(t)
    vae.backward(wanted)
    scale = np.abs(vae.parameters.grad).max()
    np.testing.assert_allclose(model.parameters.grad, vae.parameters.grad, atol=1e-15 * scale)


def test_slices_change_nothing_but_the_last_digit(small, monkeypatch):
    model, x, eps, target = small()
    gradients, losses = [], []
    for rows in (1000, 10, 7, 1):
        monkeypatch.setattr(iwae, "ROWS", rows)
        t = model.backward(model.forward(x, eps, target))
        gradients.append(model.parameters.grad.copy())
        losses.append(model.loss(t).total)
        assert hasattr(t, "dlogits") == hasattr(t, "dg") == (rows >= 20)  # else of one slice alone
    np.testing.assert_allclose(losses, losses[0], rtol=1e-15)
    for gradient in gradients[1:]:
        np.testing.assert_allclose(gradient, gradients[0], atol=1e-15 * abs(gradients[0]).max())


def test_the_memory_of_a_step_does_not_grow_with_the_draws(rng):
    """100 images with 50 draws are 5,000 rows of 784 pixels: 16 MB for each array of that size."""
    peaks = []
    for k in (10, 50):  # 1,000 rows, and five times as many
        model = IWAE(k=k)
        x = rng.random((100, 784), dtype=np.float32)
        eps = rng.standard_normal((100, k, 2), dtype=np.float32)
        tracemalloc.start()
        model.backward(model.forward(x, eps))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 4e6


def test_the_bound_rises_with_k_and_is_the_one_that_evaluation_computes(rng, mnist):
    """The same weights from `evaluation.log_weights`; and bound_k on the mean over 500 images."""
    (x, _), _ = mnist
    x = np.where(x[:500] > 127, np.float32(1), np.float32(0))
    vae = VAE(rng=3)
    for _ in train(vae, x, epochs=3):
        pass
    found = {}
    for k in (1, 5, 50):
        model = IWAE(k=k)
        model.parameters.value[:] = vae.parameters.value
        eps = rng.standard_normal((500, k, 2), dtype=np.float32)
        found[k] = -model.loss(model.forward(x, eps)).total
    assert found[1] + 0.1 < found[5]
    assert found[5] + 0.1 < found[50]
    other = log_mean_exp(log_weights(vae, x, 50, rng)).mean()
    assert found[50] == pytest.approx(other, abs=0.5)  # other draws


def test_it_is_trained_like_a_vae_and_its_check_passes(rng):
    model = IWAE(8, 2, k=3, image_shape=(3, 4))
    before = model.parameters.value.copy()
    first, *_, last = train(model, rng.random((200, 12)), epochs=20, batch_size=64)
    assert last.train.total < first.train.total - 0.1
    assert not np.array_equal(model.parameters.value, before)
    report = check_vae(model)
    report.raise_if_failed()
    assert report.small_copy.ok
    assert report.small_copy.title.startswith("the small copy, 5 images, beta = 1")
    assert (
        "on the small copy, dz is left out: backward does not write it into the Trace"
        in report.notes
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("t.p, -dlog_w[rows]", "t.p, share / self.k"),
        ("dz -= dlog_w * t.z", "dz += dlog_w * t.z"),
        ("t.dlogvar -= 0.5 * share", "t.dlogvar -= share"),
        ("summed += grad", "summed = grad.copy()"),
    ],
)
def test_a_wrong_line_is_found(old, new, monkeypatch):
    """`check_vae` on this class with one line of it changed, and slices of 20 rows."""
    from pathlib import Path

    source = Path(iwae.__file__).read_text(encoding="utf-8")
    assert source.count(old) == 1
    names = {"__name__": "wrong_iwae"}
    monkeypatch.setitem(__import__("sys").modules, "wrong_iwae", iwae)  # dataclass looks there
    exec(
        compile(source.replace(old, new).replace("ROWS = 1_000", "ROWS = 20"), "wrong", "exec"),
        names,
    )
    assert not check_vae(names["IWAE"](8, 2, k=5, image_shape=(3, 4))).ok


def test_bad_arguments_are_refused(small):
    with pytest.raises(ValueError, match="k: expected a whole number of at least 1, got 0"):
        IWAE(k=0)
    with pytest.raises(ValueError, match=r"beta: expected 1 for IWAE, got 0\.5; train a VAE"):
        IWAE(beta=0.5)
    model, x, eps, target = small()
    model.beta = 0.5  # as a schedule would
    with pytest.raises(ValueError, match=r"beta: expected 1 for IWAE, got 0\.5; train a VAE"):
        model.forward(x, eps)
    model.beta = 1.0
    with pytest.raises(ValueError, match=r"eps: expected shape \(5, 4, 3\), got \(5, 3\)"):
        model.forward(x, eps[:, 0])
    with pytest.raises(ValueError, match=r"target: expected shape \(5, 12\) as x, got \(4, 12\)"):
        model.forward(x, eps, target[:4])


def test_the_cost_is_that_of_each_row(small):
    model, x, eps, target = small()
    t = model.forward(x, eps, target)
    rows = np.repeat(target, K, axis=0)
    wanted = plain.cross_entropy(model.decode_logits(t.z), rows)
    np.testing.assert_allclose(t.cost.ravel(), wanted, rtol=1e-14)
