"""Models of other people: right ones are not accused, and wrong ones are found."""

import numpy as np
import pytest

from numpyvae import VAE, Loss
from numpyvae.core.layers import Dense, relu
from numpyvae.core.networks import Decoder, Encoder
from numpyvae.debugging import check_vae


class Annealed(VAE):
    """The weight of the KL grows during training; `loss` and `backward` use the present one."""

    share = 0.3

    def loss(self, t):
        loss = super().loss(t)
        return Loss(loss.reconstruction, loss.kl, self.share * self.beta)

    def backward(self, t):
        beta = self.beta
        self.beta = self.share * beta
        super().backward(t)
        self.beta = beta
        return t


class PenalizedLoss(Loss):
    """A Loss with a penalty in `total`."""

    penalty = 0.0

    @property
    def total(self):
        return super().total + self.penalty


class Penalized(VAE):
    """A penalty on W_out, in the total and in the gradient."""

    def loss(self, t):
        loss = super().loss(t)
        found = PenalizedLoss(loss.reconstruction, loss.kl, self.beta)
        object.__setattr__(found, "penalty", 0.1 * (self.parameters["W_out"] ** 2).sum())
        return found

    def backward(self, t):
        super().backward(t)
        self.parameters.gradient("W_out")[:] += 0.2 * self.parameters["W_out"]
        return t


class PenaltyForgotten(Penalized):
    """The penalty is in the total only."""

    def backward(self, t):
        return VAE.backward(self, t)


class ResidualLayers:
    """h₁ = relu(x W₁ + b₁),  hᵢ = hᵢ₋₁ + relu(hᵢ₋₁ Wᵢ + bᵢ): all widths are equal."""

    def hidden_forward(self, x):
        h = [relu(self.layers[0].forward(x))]
        for layer in self.layers[1:]:
            h.append(h[-1] + relu(layer.forward(h[-1])))
        return h

    def hidden_backward(self, h, dh_last):
        dh = [dh_last]
        for i in range(len(h) - 1, 0, -1):
            da = dh[0] * (h[i] > h[i - 1])
            dh.insert(0, dh[0] + self.layers[i].backward(h[i - 1], da))
        return dh, dh[0] * (h[0] > 0.0)


class ResidualEncoder(ResidualLayers, Encoder):
    """The encoder with residual connections."""


class ResidualDecoder(ResidualLayers, Decoder):
    """The decoder with residual connections."""


class Residual(VAE):
    """Residual networks on both sides, for hidden layers of equal width."""

    encoder_class, decoder_class = ResidualEncoder, ResidualDecoder


def small_residual(depth, rng, kind=Residual):
    """A small one, of equal widths."""
    small = kind((11,) * depth, 3, beta=0.7, image_shape=(1, 7), rng=rng)
    small.parameters.value += 0.3 * rng.standard_normal(small.parameters.value.size)
    return small


class Linear:
    """A network of another kind, with one layer and other names: of x, μ and log σ²."""

    @staticmethod
    def shapes(inputs, hidden, outputs):
        return {"W_both": (inputs, 2 * outputs), "b_both": (2 * outputs,)}

    def __init__(self, parameters, hidden, activation):
        self.both = Dense(parameters, "both")

    def forward(self, x):
        mu, logvar = np.split(self.both.forward(x), 2, axis=1)
        return [], mu, logvar

    def backward(self, x, h, dmu, dlogvar):
        self.both.weights_backward(x, np.hstack([dmu, dlogvar]))
        return []


class LinearEncoder(VAE):
    """An encoder without hidden layers."""

    encoder_class = Linear


class Named(VAE):
    """A constructor with a name in the first place."""

    def __init__(self, name, hidden, latent, **more):
        super().__init__(hidden, latent, **more)
        self.name = name


class Dropout(VAE):
    """Units of the last hidden layer are dropped with a mask that is given, scaled by 1 / keep."""

    def forward(self, x, eps, target=None):
        t = super().forward(x, eps, target)
        t.mask = (np.arange(t.g[-1].size).reshape(t.g[-1].shape) % 3 > 0) * 1.5
        t.logits = self.decoder.out.forward(t.g[-1] * t.mask)
        t.p = self.likelihood.mean(t.logits)
        return t

    def backward(self, t):
        dropped = t.g[-1] * t.mask
        super().backward(t)
        t.dlogits = (t.p - t.target) / len(t.x)
        dg_last = self.decoder.out.backward(dropped, t.dlogits) * t.mask
        t.dg, da = self.decoder.hidden_backward(t.g, dg_last)
        t.dz = self.decoder.layers[0].backward(t.z, da)
        return _encoder_backward(self, t)


def _encoder_backward(vae, t):
    """From dz down, as in VAE.backward."""
    sigma, share = np.exp(0.5 * t.logvar), vae.beta / len(t.x)
    t.dmu = t.dz + share * t.mu
    t.dlogvar = 0.5 * t.dz * t.eps * sigma + 0.5 * share * (sigma**2 - 1.0)
    t.dh = vae.encoder.backward(t.x, t.h, t.dmu, t.dlogvar)
    return t


@pytest.mark.parametrize("kind", [VAE, Annealed, Penalized, Residual, Dropout, LinearEncoder])
@pytest.mark.parametrize(("hidden", "seed"), [((9,), 0), ((9, 9, 9), 1)])
def test_right_models_of_ones_own_are_not_accused(kind, hidden, seed):
    vae = kind(hidden, 2, beta=0.9, image_shape=(3, 4), rng=seed)
    small = small_residual(len(hidden), np.random.default_rng(seed)) if kind is Residual else None
    report = check_vae(vae, small=small, rng=seed)
    report.raise_if_failed()
    assert report.small_copy.ok


def test_in_a_residual_network_only_what_is_wrong_is_called_wrong():
    """g and h are read by the next layer and added to its output; dg and dh are right."""

    class Doubled(Residual):
        def backward(self, t):
            super().backward(t)
            self.parameters.gradient("b_h1")[:] *= 2.0
            return t

    small = small_residual(2, np.random.default_rng(0), Doubled)
    report = check_vae(Doubled((9, 9), 2, image_shape=(3, 4)), small=small)
    assert report.failed == report.small_copy.failed == ["b_h1"]
    assert "dg[0] is left out: this model uses g[0] in a way of its own" in report.small_copy.notes


def test_the_weight_of_the_kl_is_that_of_the_loss():
    class NotAnnealed(Annealed):
        def backward(self, t):
            return VAE.backward(self, t)

    report = check_vae(NotAnnealed(9, 2, image_shape=(3, 4)))
    assert report.small_copy.failed[0] == "dlogvar"
    assert "beta x KL counts 3.33333 times" in report.small_copy.hints[-1]


def test_what_total_has_beyond_its_terms_is_checked_and_named():
    report = check_vae(PenaltyForgotten(9, 2, image_shape=(3, 4)))
    assert report.small_copy.failed == ["W_out"]
    assert "the rest of total is missing" in report.small_copy.hints[-1]


def test_a_twin_that_fails_is_a_sentence_and_the_model_is_checked_all_the_same():
    report = check_vae(Residual((9, 9), 2, image_shape=(3, 4)))
    report.raise_if_failed()
    assert report.small_copy is None
    note = report.notes[0]
    assert note.startswith("no small copy was checked: to make one from Residual.config, or a pass")
    assert note.endswith("pass one: check_vae(vae, small=Residual(…))")
    report = check_vae(Named("mine", (9, 9), 2, image_shape=(3, 4)))
    report.raise_if_failed()
    assert report.small_copy is None
    assert "raises TypeError" in report.notes[0]


class KeepsWeights(VAE):
    """dz is computed with the W_g1 of the first call."""

    kept = None

    def backward(self, t):
        super().backward(t)
        if self.kept is None:
            self.kept = self.parameters["W_g1"].copy()
        t.dz = (t.dg[0] * (t.g[0] > 0)) @ self.kept.T
        return _encoder_backward(self, t)


class KeepsGradients(VAE):
    """The gradients of the first call are returned for every other one."""

    kept = None

    def backward(self, t):
        super().backward(t)
        if self.kept is None:
            self.kept = self.parameters.grad.copy()
        self.parameters.grad[:] = self.kept
        return t


@pytest.mark.parametrize("kind", [KeepsWeights, KeepsGradients])
def test_what_backward_keeps_of_its_first_call_is_found(kind):
    assert not check_vae(kind(9, 2, image_shape=(3, 4))).ok


def test_a_mask_that_only_the_model_itself_shows_has_its_own_hint():
    class Clipped(VAE):
        """Where a pixel has a gradient above 0.05, W_out of the classic is wrong."""

        def backward(self, t):
            super().backward(t)
            if t.p.shape[1] == 12:
                self.parameters.gradient("W_out")[:, 3] = 0.0
            self.parameters.gradient("b_out")[:] *= 2.0
            return t

    text = str(check_vae(Clipped(9, 2, image_shape=(3, 4))))
    assert "b_out: backprop is 2 times what it should be" in text
    assert text.count("b_out: backprop is 2 times") == 1  # the small copy says the same


def test_a_limit_of_p_is_found_where_logits_are_large():
    class Clipped(VAE):
        def backward(self, t):
            t.p = np.clip(t.p, 1e-3, 1.0 - 1e-3)
            return super().backward(t)

    report = check_vae(Clipped(9, 2, image_shape=(3, 4)))
    assert not report.failed  # at its own weights all is right
    assert report.small_copy.failed[0] == "dlogits"
    assert "with logits of ±10" in report.small_copy.title
    assert "is p, or a logit, limited?" in report.small_copy.hints[-1]


def test_a_mask_missing_from_the_weights_alone_is_not_called_a_known_mistake():
    class Unmasked(VAE):
        """dW and db of the decoder's first layer come from dg, though da_g is right."""

        def backward(self, t):
            super().backward(t)
            self.parameters.gradient("W_g1")[:] = t.z.T @ t.dg[0]
            self.parameters.gradient("b_g1")[:] = t.dg[0].sum(axis=0)
            return t

    report = check_vae(Unmasked(9, 2, image_shape=(3, 4)))
    assert report.small_copy.failed == ["b_g1", "W_g1"]
    assert "known mistake" not in str(report)
    assert "it resembles slope_missing" in str(report)  # of the weights, that is what it is


def test_arrays_of_the_trace_that_mean_something_else_are_left_out():
    class Early(VAE):
        """t.dmu is noted before the KL is added; the weights get the right gradient."""

        def backward(self, t):
            super().backward(t)
            t.dmu = t.dz.copy()
            return t

    report = check_vae(Early(9, 2, image_shape=(3, 4)))
    report.raise_if_failed()
    assert "dmu is left out: it is not what this check expects, but no weight" in report.notes[-2]


def test_another_loss_is_not_compared_with_the_known_mistakes():
    class Squares(VAE):
        """Σ (p − x)²; the factor 2 of its gradient is missing."""

        def loss(self, t):
            loss = super().loss(t)
            return Loss(((t.p - t.target) ** 2).sum(axis=1).mean(), loss.kl, self.beta)

        def backward(self, t):
            p = t.p
            t.p = t.target + (p - t.target) * p * (1.0 - p)
            return super().backward(t)

    small = check_vae(Squares(9, 2, image_shape=(3, 4))).small_copy
    assert "dlogits: backprop is 0.5 times" in str(small)
    assert "known mistake" not in str(small)


def test_an_array_of_another_meaning_is_left_out_beside_a_weight_without_a_slope():
    class Centred(VAE):
        """mu is centred over the batch, so b_mu has no slope; t.dmu belongs to the centred one."""

        def forward(self, x, eps, target=None):
            t = super().forward(x, eps, target)
            t.mu = t.mu - t.mu.mean(axis=0)
            t.z = t.mu + np.exp(0.5 * t.logvar) * t.eps
            t.g, t.logits = self.decoder.forward(t.z)
            t.p = self.likelihood.mean(t.logits)
            return t

        def backward(self, t):
            super().backward(t)
            t.dh = self.encoder.backward(t.x, t.h, t.dmu - t.dmu.mean(axis=0), t.dlogvar)
            return t

    report = check_vae(Centred(9, 2, image_shape=(3, 4)))
    report.raise_if_failed()
    assert "dmu is left out" in " ".join(report.notes)


def test_dropout_drawn_anew_is_not_called_an_eps_of_its_own():
    class Drawn(VAE):
        def backward(self, t):
            super().backward(t)
            mask = np.random.default_rng().random(t.dz.shape) < 0.5
            t.dz *= mask
            return _encoder_backward(self, t)

    report = check_vae(Drawn(9, 2, image_shape=(3, 4)))
    assert "does backward draw new noise" in str(report)
    assert "known mistake" not in str(report)


@pytest.mark.parametrize("before", [1, 20, 30, 33])
def test_ctrl_c_ends_every_part_of_the_check(before):
    """Also that of the small where logits are large, and that of the model itself."""
    seen = []

    def progress(names):
        for name in names:
            seen.append(name)
            if len(seen) == before:
                raise KeyboardInterrupt
            yield name

    report = check_vae(VAE(9, 2, image_shape=(3, 4)), progress=progress)
    assert len(seen) == before  # nothing goes on
    assert report.stopped.startswith("Ctrl-C, after ")
    assert not report.ok
