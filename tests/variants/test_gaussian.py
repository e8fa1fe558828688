"""The Gaussian likelihood: its cost, its gradients, and that the whole project works with it."""

import warnings

import numpy as np
import pytest
from helpers import integral
from scipy.stats import norm

from numpyvae import (
    IWAE,
    VAE,
    FreeBits,
    Gaussian,
    GaussianVAE,
    evaluation,
    explorer,
    fit,
    pictures,
)
from numpyvae.cli import main
from numpyvae.core.bernoulli import Bernoulli
from numpyvae.debugging import MISTAKES, break_backward, check_vae


@pytest.fixture
def small(rng):
    """A float64 model at a generic point, and a batch of real-valued pixels."""

    def make(sigma=None, kind=VAE, latent=2, activation="relu", **options):
        shape = {"image_shape": (2, 3), "activation": activation, "rng": 1}
        model = kind((5, 4), latent, likelihood=Gaussian(sigma), **shape, **options)
        model = model.astype(np.float64)
        model.parameters.value += 0.3 * rng.standard_normal(model.parameters.value.size)
        return model, 2.0 * rng.standard_normal((7, 6)), rng.standard_normal((7, *model.eps_shape))

    return make


def test_by_hand():
    # u = (3 − 1) / 2 = 1: ½ + log 2 + ½ log 2π; a second pixel at the mean costs no ½
    likelihood = Gaussian(2.0)
    mean = np.array([[1.0, 5.0]])
    cost = likelihood.cost(mean, np.array([[3.0, 5.0]]), mean)
    assert cost == pytest.approx(0.5 + 2 * np.log(2.0) + np.log(2 * np.pi), rel=1e-15)
    gradient = likelihood.cost_backward(mean, np.array([[3.0, 5.0]]), mean, 1.0)
    np.testing.assert_allclose(gradient, [[-0.5, 0.0]], rtol=1e-15)  # −u/σ


@pytest.mark.parametrize("sigma", [0.3, None])
def test_the_cost_is_minus_the_log_density(small, sigma):
    model, x, eps = small(sigma)
    t = model.forward(x, eps)
    scale = sigma or float(np.exp(model.parameters["log_sigma"][0]))
    wanted = -norm.logpdf(x, t.p, scale).sum(axis=1)
    np.testing.assert_allclose(model.likelihood.cost(t.logits, x, t.p), wanted, rtol=1e-14)
    found = model.likelihood.all_costs(t.logits[:3], x)
    wanted = [-norm.logpdf(x, mean, scale).sum(axis=1) for mean in t.p[:3]]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("sigma", [0.3, None])
@pytest.mark.parametrize(
    ("kind", "options"), [(VAE, {"beta": 0.7}), (IWAE, {"k": 4}), (FreeBits, {"free_bits": 0.3})]
)
def test_backward_agrees_with_complex_step_to_12_digits(small, complex_step, kind, options, sigma):
    model, x, eps = small(sigma, kind, **options)
    model.backward(model.forward(x, eps))
    exact = complex_step(model, lambda model: model.loss(model.forward(x, eps)).total)
    scale = np.abs(exact).max()
    np.testing.assert_allclose(model.parameters.grad, exact, rtol=0, atol=1e-12 * scale)
    if sigma is None:
        assert abs(model.parameters.gradient("log_sigma")[0]) > 1e-3


@pytest.mark.parametrize("sigma", [0.3, None])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_the_check_passes_and_finds_mistakes(sigma, activation):
    model = GaussianVAE(8, 2, sigma=sigma, image_shape=(3, 3), activation=activation)
    check_vae(model).raise_if_failed(complete=True)
    plain = VAE(8, 2, likelihood=Gaussian(sigma), image_shape=(3, 3), activation=activation)
    for name in ("missing_half_kl", "bias_averaged", "not_averaged"):
        report = check_vae(break_backward(plain, name))
        known = [hint for hint in report.small_copy.hints if hint.startswith("known mistake")]
        assert known == [f"known mistake: {MISTAKES[name]}"]
    with pytest.raises(ValueError, match="cross_entropy_sign is in the Bernoulli likelihood, and"):
        break_backward(plain, "cross_entropy_sign")


def test_a_wrong_gradient_of_sigma_is_found():
    class Wrong(Gaussian):
        def cost_backward(self, output, x, mean, dcost):
            doutput = super().cost_backward(output, x, mean, dcost)
            self.dlog_sigma *= 2.0
            return doutput

    report = check_vae(VAE(8, 2, likelihood=Wrong(), image_shape=(3, 3)))
    assert report.small_copy.failed == ["log_sigma"]


def test_one_latent_the_evidence_is_that_of_brute_force(small):
    """With its own ELBO below it, by exactly KL(q ‖ posterior)."""
    model, x, _ = small(None, latent=1)
    mu, logvar = model.encode(x)
    found = evaluation.evidence(
        evaluation.vae_log_likelihood(model, x), 1, q=(mu, logvar), nodes=20_001, half_width=30.0
    )
    sigma = np.exp(model.parameters["log_sigma"][0])

    def log_joint(z, image):
        return norm.logpdf(image, model.decode(z[:, None]), sigma).sum(axis=1) + norm.logpdf(z)

    for n in range(3):
        brute = np.log(integral(lambda z, n=n: np.exp(log_joint(z, x[n])), -30.0, 30.0))
        assert found.value[n] == pytest.approx(brute, rel=1e-9)
        q = norm(mu[n, 0], np.exp(logvar[n, 0] / 2))
        elbo = integral(
            lambda z, n=n, q=q: q.pdf(z) * (log_joint(z, x[n]) - q.logpdf(z)), -30.0, 30.0
        )
        assert found.value[n] - elbo == pytest.approx(found.gap[n], rel=1e-6)


def test_the_elbo_of_the_loss_and_that_of_evaluation_agree(small):
    """The same number by both ways: the loss that training minimizes, and `evaluate`."""
    model, x, _ = small(None)
    x = np.tile(x, (6, 1))
    rng = np.random.default_rng(0)
    draws = [model.loss(model.forward(x, rng.standard_normal((42, 2)))).elbo for _ in range(800)]
    reconstruction, kl = evaluation.elbo(model, x, 1, samples=800)
    error = np.std(draws) / len(draws) ** 0.5
    assert -(reconstruction + kl).mean() == pytest.approx(np.mean(draws), abs=5 * error)
    result = evaluation.evaluate(model, x[:7], gap_images=0)
    assert result.kind == "density"
    assert "log p(x), a density" in str(result)
    assert "has no bits per pixel" in " ".join(str(result).split())
    assert "bits per pixel" not in result.as_dict()
    assert result.elbo.mean() < result.evidence.value.mean()


def test_sigma_is_learned(rng):
    """Pixels that depend on nothing: the mean is a bias, and σ is their standard deviation."""
    x = 3.0 + 0.5 * rng.standard_normal((3000, 4))
    vae = GaussianVAE(4, 1, image_shape=(2, 2), rng=0)
    history = fit(vae, x, epochs=60, rng=0)
    assert np.exp(vae.parameters["log_sigma"][0]) == pytest.approx(0.5, abs=0.02)
    best = 4 * (0.5 + np.log(0.5) + 0.5 * np.log(2 * np.pi))  # of a Gaussian of s.d. ½, per image
    assert history[-1].train.total == pytest.approx(best, abs=0.1)
    samples = vae.likelihood.sample(vae.decode_logits(rng.standard_normal((2000, 1))), rng)
    assert samples.std() == pytest.approx(0.5, abs=0.03)


def test_real_pixels_are_accepted_and_infinite_ones_are_refused(small):
    model, x, eps = small(0.3)
    x[0, 0] = np.inf
    with pytest.raises(ValueError, match=r"x: expected values or uint8, got .* to inf; see"):
        model.forward(x, eps)
    x[0, 0] = np.nan
    with pytest.raises(ValueError, match="x: expected values or uint8, got 1 NaN; remove"):
        model.forward(x, eps)
    with pytest.raises(ValueError, match="sigma: expected a finite number above 0, got 0"):
        Gaussian(0)


def test_in_float32_it_stays_float32(rng):
    for sigma in (0.3, None):
        vae = GaussianVAE(4, 2, sigma=sigma, image_shape=(2, 2))
        t = vae.backward(vae.forward(rng.standard_normal((5, 4)), rng.standard_normal((5, 2))))
        assert t.p.dtype == t.dlogits.dtype == t.dmu.dtype == np.float32
        assert vae.likelihood.cost(t.logits, t.x, t.p).dtype == np.float32


def test_two_models_do_not_share_the_sigma_of_one_likelihood(rng):
    likelihood = Gaussian()
    first, second = (VAE(4, 2, likelihood=likelihood, image_shape=(2, 2)) for _ in range(2))
    first.parameters["log_sigma"][:] = 7.0
    assert second.likelihood.log_sigma[0] == 0.0
    assert first.astype(np.float64).likelihood.log_sigma[0] == 7.0


def test_the_explorer_refuses_it_by_name(rng):
    with pytest.raises(ValueError, match="vae: its likelihood is Gaussian, and the page computes"):
        explorer.explore(GaussianVAE(4, 2, image_shape=(2, 2)), rng.random((50, 4)))


def test_a_class_with_another_loss_than_its_likelihood_is_refused_not_evaluated(rng):
    """A subclass that overrides `loss` and `backward`, as one would before there was a socket."""
    from numpyvae import Loss

    class SquaredError(VAE):
        def loss(self, t):
            loss = super().loss(t)
            return Loss(0.5 * ((t.p - t.target) ** 2).sum(axis=1).mean(), loss.kl)

    class OtherPrior(VAE):
        def loss(self, t):
            loss = super().loss(t)
            return Loss(loss.reconstruction, 0.5 * loss.kl)

    class OtherPosterior(VAE):
        def forward(self, x, eps, target=None):
            return super().forward(x, np.sign(eps) * eps**2, target)  # as before at ε = 0 and ±1

    class OneNoise(VAE):
        def forward(self, x, eps, target=None):
            return super().forward(x, np.broadcast_to(eps[:, :1], eps.shape), target)

    x = rng.random((30, 4))
    words_of = {
        OtherPosterior: "the reconstruction of OtherPosterior.loss is not the cost",
        OneNoise: "the reconstruction of OneNoise.loss is not the cost",
        SquaredError: "the reconstruction of SquaredError.loss is not the cost of its likelihood",
        OtherPrior: "the KL of OtherPrior.loss is not that of",
    }
    for kind, words in words_of.items():
        vae = kind(5, 2, image_shape=(2, 2))
        vae.parameters.value += 0.3 * rng.standard_normal(vae.parameters.value.size)
        for use in (
            lambda vae: evaluation.evaluate(vae, x, gap_images=0),
            lambda vae: evaluation.elbo(vae, x),
            lambda vae: evaluation.log_weights(vae, x, 5),
            lambda vae: evaluation.vae_log_likelihood(vae, x),
            lambda vae: explorer.explore(vae, x),
        ):
            with warnings.catch_warnings(), pytest.raises(ValueError, match=words):
                use(vae)


class Cold(Bernoulli):
    """p = sigmoid(2 l): a subclass that forgets `all_costs`, and inherits the name."""

    def mean(self, output):
        return super().mean(2.0 * output)

    def cost(self, output, x, mean):
        return super().cost(2.0 * output, x, mean)

    def cost_backward(self, output, x, mean, dcost):
        return 2.0 * super().cost_backward(output, x, mean, dcost)


def test_a_likelihood_whose_all_costs_are_not_its_costs_is_refused(rng):
    vae, x = VAE(5, 2, image_shape=(2, 2), likelihood=Cold()), rng.random((20, 4))
    check_vae(vae).raise_if_failed()
    with pytest.raises(ValueError, match=r"all_costs of its likelihood, .*, is not what its cost"):
        evaluation.evaluate(vae, x, gap_images=0)


def test_a_subclass_of_bernoulli_is_not_taken_for_it(rng):
    """Neither by the explorer, nor by the references, nor by the known mistakes."""

    class Right(Cold):
        def all_costs(self, output, x):
            return super().all_costs(2.0 * output, x)

    vae, x = VAE(5, 2, image_shape=(2, 2), likelihood=Right()), rng.random((20, 4))
    assert list(evaluation.evaluate(vae, x, gap_images=0).references) == [
        "output of the decoder zero"
    ]
    with pytest.raises(ValueError, match="vae: its likelihood is Right, and the page computes"):
        explorer.explore(vae, x)
    with pytest.raises(ValueError, match="and this model has Right"):
        break_backward(vae, "cross_entropy_sign")


def test_pictures_of_real_pixels_show_their_range(rng):
    vae, x = GaussianVAE(4, 2, image_shape=(3, 4)), 5.0 * rng.standard_normal((6, 12))
    (image,) = pictures.reconstructions(vae, x).axes[0].get_images()
    low, high = image.get_clim()
    assert low == pytest.approx(x.min(), rel=1e-6)
    assert high == pytest.approx(x.max(), rel=1e-6)
    (image,) = pictures.reconstructions(VAE(4, 2, image_shape=(3, 4)), x > 0).axes[0].get_images()
    assert image.get_clim() == (0.0, 1.0)


@pytest.mark.once
def test_the_whole_command_line_with_real_pixels(tmp_path, monkeypatch, rng, capsys):
    monkeypatch.chdir(tmp_path)
    x = 3.0 * rng.standard_normal((60, 4, 4)) + 1.0
    np.savez("real.npz", x_train=x[:40], x_test=x[40:])
    train = ["train", "--data", "real.npz", "--epochs", "2", "--hidden", "5", "--out", "run"]
    assert main(train) == 2
    assert "training images: expected values in [0, 1] or uint8, got" in capsys.readouterr().err
    assert main([*train, "--likelihood", "gaussian", "--noise", "0.1"]) == 0
    printed = capsys.readouterr().out
    assert "gaussian pixels" in printed
    assert "numpyvae explore" not in printed  # which cannot show it
    assert main(["train", "--resume", "run", "--epochs", "3"]) == 0
    assert main(["evaluate", "run", "--images", "20", "--gap-images", "2"]) == 0
    assert "log p(x), a density" in capsys.readouterr().out
    assert main(["draw", "run"]) == 0
    assert main(["explore", "run"]) == 2
    sweep = ["sweep", "--data", "real.npz", "--epochs", "1", "--hidden", "5", "--out", "sweep"]
    assert main([*sweep, "--likelihood", "gaussian", "--seeds", "1", "--jobs", "1"]) == 0
