"""Models of other people: right ones are not accused, and wrong ones are found."""

import numpy as np
import pytest

from numpyvae import VAE, Loss
from numpyvae.core.layers import Dense, relu
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


class ResidualHidden:
    """y₁ = relu(x W₁ + b₁),  yᵢ = yᵢ₋₁ + relu(yᵢ₋₁ Wᵢ + bᵢ): all widths are equal."""

    def __init__(self, parameters, names):
        self.layers = [Dense(parameters, name) for name in names]

    def forward(self, x, out=None):
        y = [relu(self.layers[0].forward(x))]
        for layer in self.layers[1:]:
            y.append(y[-1] + relu(layer.forward(y[-1])))
        return y

    def backward(self, x, y, dy, da, out, need_dx=True):
        for i in range(len(self.layers) - 1, 0, -1):
            da[i] = dy[i] * (y[i] > y[i - 1])
            dy[i - 1] = dy[i] + self.layers[i].backward(y[i - 1], da[i])
        da[0] = dy[0] * (y[0] > 0.0)
        return self.layers[0].backward(x, da[0], need_dx=need_dx)


class Residual(VAE):
    """Residual networks on both sides, for hidden layers of equal width."""

    def _connect(self, parameters):
        super()._connect(parameters)
        depth = range(1, len(self.hidden) + 1)
        self.encoder.hidden = ResidualHidden(parameters, [f"h{i}" for i in depth])
        self.decoder.hidden = ResidualHidden(parameters, [f"g{i}" for i in depth])


class ResidualWithTwin(Residual):
    """The same, with a small twin of equal widths."""

    def small_twin(self, rng):
        twin = type(self)((11,) * len(self.hidden), 3, beta=0.7, image_shape=(1, 7), rng=rng)
        twin.parameters.value += 0.3 * rng.standard_normal(twin.parameters.value.size)
        return twin.astype(np.float64)


class Named(VAE):
    """A constructor with a name in the first place."""

    def __init__(self, name, hidden, latent, **more):
        super().__init__(hidden, latent, **more)
        self.name = name


class Dropout(VAE):
    """Units of the last hidden layer are dropped with a mask that is given, scaled by 1 / keep."""

    def forward(self, x, eps, target=None, out=None):
        t = super().forward(x, eps, target)
        t.mask = (np.arange(t.g[-1].size).reshape(t.g[-1].shape) % 3 > 0) * 1.5
        t.logits = self.decoder.output.forward(t.g[-1] * t.mask)
        t.p = 0.5 + 0.5 * np.tanh(0.5 * t.logits)
        return t

    def backward(self, t):
        share = 1.0 / len(t.x)
        dropped = t.g[-1] * t.mask
        whole = super().backward(t)
        t.dlogits = share * (t.p - t.target)
        t.dg[-1] = self.decoder.output.backward(dropped, t.dlogits) * t.mask
        t.dz = self.decoder.hidden.backward(t.z, t.g, t.dg, t.da_g, out=t.dz)
        return _encoder_backward(self, whole)


def _encoder_backward(vae, t):
    """From dz down, as in VAE.backward."""
    sigma, share = np.exp(0.5 * t.logvar), vae.beta / len(t.x)
    t.dmu = t.dz + share * t.mu
    t.dlogvar = 0.5 * t.dz * t.eps * sigma + 0.5 * share * (sigma**2 - 1.0)
    t.dh_logvar = vae.encoder.logvar.backward(t.h[-1], t.dlogvar)
    t.dh[-1] = vae.encoder.mu.backward(t.h[-1], t.dmu) + t.dh_logvar
    vae.encoder.hidden.backward(t.x, t.h, t.dh, t.da_h, out=None, need_dx=False)
    return t


@pytest.mark.parametrize("kind", [VAE, Annealed, Penalized, ResidualWithTwin, Dropout])
@pytest.mark.parametrize("hidden", [(9,), (9, 9), (9, 9, 9)])
@pytest.mark.parametrize("seed", range(2))
def test_right_models_of_ones_own_are_not_accused(kind, hidden, seed):
    report = check_vae(kind(hidden, 2, beta=0.9, image_shape=(3, 4), rng=seed), seed=seed)
    report.raise_if_failed()
    assert report.twin.ok


def test_in_a_residual_network_only_what_is_wrong_is_called_wrong():
    """g and h are read by the next layer and added to its output; dg and dh are right."""

    class Doubled(ResidualWithTwin):
        def backward(self, t):
            super().backward(t)
            self.parameters.gradient("b_h1")[:] *= 2.0
            return t

    report = check_vae(Doubled((9, 9), 2, image_shape=(3, 4)))
    assert report.failed == report.twin.failed == ["b_h1"]
    assert "dg[0] is left out: this model uses g[0] in a way of its own" in report.twin.notes


def test_the_weight_of_the_kl_is_that_of_the_loss():
    class NotAnnealed(Annealed):
        def backward(self, t):
            return VAE.backward(self, t)

    report = check_vae(NotAnnealed(9, 2, image_shape=(3, 4)))
    assert report.twin.failed[0] == "dlogvar"
    assert "beta x KL counts 3.33333 times" in report.twin.hints[-1]


def test_what_total_has_beyond_its_terms_is_checked_and_named():
    report = check_vae(PenaltyForgotten(9, 2, image_shape=(3, 4)))
    assert report.twin.failed == ["W_out"]
    assert "the rest of total is missing" in report.twin.hints[-1]


def test_a_twin_that_fails_is_a_sentence_and_the_model_is_checked_all_the_same():
    report = check_vae(Residual((9, 9), 2, image_shape=(3, 4)))
    report.raise_if_failed()
    assert report.twin is None
    note = report.notes[0]
    assert note.startswith("no small twin was checked: Residual.small_twin(rng), or a pass of the")
    assert note.endswith("write a small_twin(rng) for Residual")
    report = check_vae(Named("mine", (9, 9), 2, image_shape=(3, 4)))
    report.raise_if_failed()
    assert report.twin is None
    assert "raises TypeError" in report.notes[0]


class KeepsWeights(VAE):
    """dz is computed with the W_g1 of the first call."""

    kept = None

    def backward(self, t):
        super().backward(t)
        if self.kept is None:
            self.kept = self.parameters["W_g1"].copy()
        t.dz = t.da_g[0] @ self.kept.T
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
    assert text.count("b_out: backprop is 2 times") == 1  # the twin says the same


def test_a_limit_of_p_is_found_where_logits_are_large():
    class Clipped(VAE):
        def backward(self, t):
            t.p = np.clip(t.p, 1e-3, 1.0 - 1e-3)
            return super().backward(t)

    report = check_vae(Clipped(9, 2, image_shape=(3, 4)))
    assert not report.failed  # at its own weights all is right
    assert report.twin.failed[0] == "dlogits"
    assert "with logits of ±10" in report.twin.title
    assert "is p, or a logit, limited?" in report.twin.hints[-1]


def test_a_mask_missing_from_the_weights_alone_is_not_called_a_known_mistake():
    class Unmasked(VAE):
        """dW and db of the decoder's first layer come from dg, though da_g is right."""

        def backward(self, t):
            super().backward(t)
            self.parameters.gradient("W_g1")[:] = t.z.T @ t.dg[0]
            self.parameters.gradient("b_g1")[:] = t.dg[0].sum(axis=0)
            return t

    report = check_vae(Unmasked(9, 2, image_shape=(3, 4)))
    assert report.twin.failed == ["b_g1", "W_g1"]
    assert "known mistake" not in str(report)
    assert "resembles" not in str(report)


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


def test_another_loss_is_not_compared_with_the_museum():
    class Squares(VAE):
        """Σ (p − x)²; the factor 2 of its gradient is missing."""

        def loss(self, t):
            loss = super().loss(t)
            return Loss(((t.p - t.target) ** 2).sum(axis=1).mean(), loss.kl, self.beta)

        def backward(self, t):
            p = t.p
            t.p = t.target + (p - t.target) * p * (1.0 - p)
            return super().backward(t)

    twin = check_vae(Squares(9, 2, image_shape=(3, 4))).twin
    assert "dlogits: backprop is 0.5 times" in str(twin)
    assert "known mistake" not in str(twin)


def test_an_array_of_another_meaning_is_left_out_beside_a_weight_without_a_slope():
    class Centred(VAE):
        """mu is centred over the batch, so b_mu has no slope; t.dmu belongs to the centred one."""

        def forward(self, x, eps, target=None, out=None):
            t = super().forward(x, eps, target)
            t.mu = t.mu - t.mu.mean(axis=0)
            t.z = t.mu + np.exp(0.5 * t.logvar) * t.eps
            t.g = self.decoder.hidden.forward(t.z)
            t.logits = self.decoder.output.forward(t.g[-1])
            t.p = 0.5 + 0.5 * np.tanh(0.5 * t.logits)
            return t

        def backward(self, t):
            super().backward(t)
            whole = t.dmu.copy()
            t.dh[-1] = self.encoder.mu.backward(t.h[-1], whole - whole.mean(axis=0)) + t.dh_logvar
            self.encoder.hidden.backward(t.x, t.h, t.dh, t.da_h, out=None, need_dx=False)
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
    """Also that of the twin where logits are large, and that of the model itself."""
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
