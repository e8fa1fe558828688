"""The check of a VAE: right models, wrong ones, and foreign classes."""

import copy

import numpy as np
import pytest
from helpers import small

from numpyvae import VAE, Loss
from numpyvae.debugging import check_vae


@pytest.mark.parametrize("hidden", [256, (9, 6), (9, 8, 7)])
def test_a_right_vae_passes_and_is_left_as_it_is(hidden):
    vae = VAE(hidden, 2, rng=3)
    value = vae.parameters.value.copy()
    report = check_vae(vae)
    report.raise_if_failed(complete=True)
    assert report.parameters == vae.parameters.value.size
    assert sum(np.prod(row.shape) for row in report.rows) == report.parameters
    names = [row.name for row in report.small_copy.rows]
    assert {"dlogits", "dz", "dmu", "dlogvar", "dh[0]", "dg[0]"} < set(names)
    assert min(row.digits for row in report.small_copy.rows) > 12
    assert "A mistake in both is not seen" in " ".join(report.notes)
    np.testing.assert_array_equal(vae.parameters.value, value)
    assert not vae.parameters.grad.any()


class OneOff(VAE):
    """The entry `place` of the classic's dW_out is one percent off."""

    place = (0, 0)

    def backward(self, t):
        super().backward(t)
        dW = self.parameters.gradient("W_out")
        if dW.size == 200_704:
            dW[self.place] *= 1.01
        return t


@pytest.mark.once
def test_one_entry_of_200704_that_is_one_percent_off_is_found():
    rng, seed = np.random.default_rng(0), 0
    place = (int(rng.integers(256)), int(rng.integers(784)))
    vae = OneOff(rng=seed)
    vae.place = place
    report = check_vae(vae, rng=seed)
    assert report.small_copy.ok
    assert report.failed[0] == "W_out"
    row = next(row for row in report.rows if row.name == "W_out")
    assert row.worst[0].index == place
    assert row.worst[0].backprop / row.worst[0].numerical == pytest.approx(1.01, rel=1e-6)
    assert f"most entries are right, but not [{place[0]}, {place[1]}]" in report.hints[-1]


@pytest.mark.once
def test_a_small_entry_that_is_one_percent_off_is_found_too():
    vae = OneOff(rng=0)
    x, eps = np.random.default_rng(0).random((16, 784)), np.zeros((16, 2))
    vae.backward(vae.forward(x, eps))
    dW = np.abs(vae.parameters.gradient("W_out"))
    alive = np.argsort(np.where(dW > 0.0, dW, np.inf), axis=None)[2000]  # the hundredth part
    vae.place = tuple(int(i) for i in np.unravel_index(alive, dW.shape))
    report = check_vae(vae)
    assert report.failed[0] == "W_out"
    assert next(r for r in report.rows if r.name == "W_out").worst[0].index == vae.place


def test_a_backward_pass_in_float32_is_named():
    class Single(VAE):
        def backward(self, t):
            super().backward(t)
            self.parameters.grad[:] = self.parameters.grad.astype(np.float32)
            return t

    report = check_vae(Single(8, 2, image_shape=(3, 3)))
    assert (
        "b_out: nearly right, and every entry is exactly a float32" in report.small_copy.hints[-1]
    )


def test_a_class_with_a_constructor_of_its_own_and_a_pass_of_its_own():
    class Own(VAE):
        def __init__(self):
            super().__init__(8, 2, image_shape=(3, 3))

    report = check_vae(Own())
    report.raise_if_failed()
    assert report.small_copy is None
    assert "no small copy" in report.notes[-2] + report.notes[-1]

    class OwnWrong(Own):
        def backward(self, t):
            super().backward(t)
            self.parameters.gradient("W_mu")[:] *= 2.0
            return t

    assert check_vae(OwnWrong()).failed == ["W_mu"]


def test_for_a_class_with_a_constructor_of_its_own_a_small_model_can_be_passed():
    class Own(VAE):
        def __init__(self, shape=(3, 3)):
            super().__init__(8, 2, image_shape=shape)

    report = check_vae(Own(), small=Own((2, 2)))
    report.raise_if_failed()
    assert report.small_copy.ok
    assert report.small_copy.parameters == Own((2, 2)).parameters.value.size


def test_a_backward_of_ones_own_with_local_variables_is_checked_all_the_same():
    class Local(VAE):
        def backward(self, t):
            super().backward(copy.copy(t))

    report = check_vae(Local(8, 2, image_shape=(3, 3)))
    report.raise_if_failed()
    assert "dz is left out: backward does not write it into the Trace" in report.small_copy.notes


def test_a_rebound_gradient_vector_is_named():
    class Rebinds(VAE):
        def backward(self, t):
            super().backward(t)
            self.parameters.grad = np.clip(self.parameters.grad, -1.0, 1.0)
            return t

    report = check_vae(Rebinds(8, 2, image_shape=(3, 3)))
    assert not report.ok
    assert any("parameters.grad was rebound" in stop for stop in report.small_copy.problems)


def test_a_forgotten_penalty_is_not_taken_for_a_known_mistake():
    class Penalized(VAE):
        def loss(self, t):
            loss = super().loss(t)
            penalty = 0.1 * (self.parameters["W_out"] ** 2).sum()
            return Loss(loss.reconstruction + penalty, loss.kl, self.beta)

    small = check_vae(Penalized(8, 2, image_shape=(3, 3))).small_copy
    assert small.failed == ["W_out"]
    assert "off by -0.2 x the parameter, as if a penalty on the parameters were" in small.hints[-1]
    assert "known mistake" not in str(small)


def test_a_pass_that_changes_the_images_is_named():
    class Changes(VAE):
        def backward(self, t):
            super().backward(t)
            t.x *= 0.5
            return t

    report = check_vae(Changes(8, 2, image_shape=(3, 3)), np.ones((4, 9)))
    assert not report.ok
    assert any("changes x in place" in stop for stop in report.small_copy.problems)


def test_a_model_whose_numbers_overflow_is_checked_without_warnings():
    vae = small()
    vae.parameters["b_logvar"][:] = 800.0  # σ is 1e173, and σ² infinite
    report = check_vae(vae)
    assert not report.failed
    assert report.problems


def test_bad_images_are_refused():
    with pytest.raises(ValueError, match="images: expected shape"):
        check_vae(small(), np.ones((4, 8)))
