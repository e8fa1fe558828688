import warnings

import numpy as np
import pytest
from helpers import blas_number

from numpyvae import VAE, Adam, GaussianVAE, RMSprop, fit, plain, train
from numpyvae.core.latent import kl_divergence


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (250, 12), dtype=np.uint8)


def small(**settings):
    return VAE(hidden=6, latent=2, image_shape=(3, 4), **settings)


def trained(images, **settings):
    vae = small()
    list(train(vae, images, **{"epochs": 2, "batch_size": 40, **settings}))
    return vae.parameters.value


def test_train_knows_its_length_and_yields_epochs_one_at_a_time(images, capsys):
    training = train(small(), images, test_images=images[:30], epochs=3)
    assert repr(training).endswith("on 250 images: 3 of 3 epochs left")
    assert len(training) == 3
    epochs = list(training)
    assert [epoch.number for epoch in epochs] == [1, 2, 3]
    assert all(epoch.seconds > 0 for epoch in epochs)
    assert all(epoch.test is not None for epoch in epochs)
    assert epochs[2].train.total < epochs[0].train.total
    assert list(training) == []
    assert capsys.readouterr() == ("", "")


def test_the_epoch_loss_is_the_mean_over_images_not_over_batches(images, rng):
    """Batches of 240 and 10, almost no learning rate, and a decoder that ignores z."""
    vae = small()
    vae.parameters["W_g1"][:] = 0.0  # the decoder ignores z, so the loss has no noise
    vae.parameters["b_out"][:] = rng.standard_normal(12)
    still = Adam(vae.parameters, learning_rate=1e-30)
    (epoch,) = train(vae, images, epochs=1, batch_size=240, optimizer=still, pixels="thresholded")
    t = vae.forward(images > 127, np.zeros((250, 2)))
    for ours, each in (
        (epoch.train.reconstruction, plain.cross_entropy(t.logits.astype(float), t.target)),
        (epoch.train.kl, kl_divergence(t.mu.astype(float), t.logvar.astype(float))),
    ):
        assert ours == pytest.approx(each.mean(), rel=1e-6)
        by_batch = (each[:240].mean() + each[240:].mean()) / 2
        assert by_batch != pytest.approx(each.mean(), rel=1e-4)  # the wrong mean would be seen


def test_same_seed_same_bits(images):
    assert np.array_equal(trained(images, rng=4), trained(images, rng=4))
    assert not np.array_equal(trained(images, rng=4), trained(images, rng=5))


def test_looking_changes_nothing(images, rng):
    """Validation, samples and pictures in between do not touch what is learned."""
    from numpyvae import pictures

    looked = small()
    for _ in train(looked, images, test_images=images[:99], epochs=2, batch_size=40, rng=4):
        looked.sample(5, rng)
        looked.encode(images)
        pictures.manifold(looked)
    assert np.array_equal(looked.parameters.value, trained(images, rng=4))


def test_the_callers_arrays_are_left_alone(images, rng):
    for mine in (images, rng.random((250, 12), dtype=np.float32), rng.random((250, 12))):
        kept = mine.copy()
        trained(mine, pixels="dynamic", noise=0.3, test_images=mine)
        assert np.array_equal(mine, kept)


def test_denoising_aims_at_the_clean_image(images, monkeypatch):
    seen = []
    vae = small()
    forward = vae.forward
    monkeypatch.setattr(
        vae,
        "forward",
        lambda x, eps, t: (seen.append((x, t)), forward(x, eps, t))[1],
    )
    list(train(vae, images, epochs=1, batch_size=250, noise=0.5))
    ((x, target),) = seen
    assert np.abs(x - target).mean() > 0.1
    clean = {row.tobytes() for row in (images / 255).astype(np.float32)}
    assert {row.tobytes() for row in target} == clean


def test_a_loss_that_is_not_finite_stops_training_and_keeps_the_last_epoch(images):
    vae = small()
    epochs = iter(train(vae, images, epochs=5, batch_size=100, rng=1))
    assert [next(epochs).number, next(epochs).number] == [1, 2]
    vae.parameters["b_logvar"][:] = 200.0  # exp(200) is infinite in float32
    kept = vae.parameters.value.copy()
    with pytest.raises(FloatingPointError) as stop:
        next(epochs)
    message = str(stop.value)
    assert message.startswith("epoch 3, step 1: the loss is not finite, ")
    assert "the weights from before this epoch are kept; lower the learning rate" in message
    assert "\n" not in message
    assert np.array_equal(vae.parameters.value, kept)


def test_divergence_within_an_epoch_restores_the_weights_from_before(images):
    vae = small()
    before = vae.parameters.value.copy()
    wild = Adam(vae.parameters, learning_rate=1e4)
    with pytest.raises(FloatingPointError, match=r"epoch 1, step [2-9]"):
        list(train(vae, images, optimizer=wild))
    assert np.array_equal(vae.parameters.value, before)


def test_ctrl_c_leaves_the_weights_of_the_last_complete_epoch(images):
    class Interrupted(Adam):
        def step(self):
            super().step()
            if self.t == 4:
                raise KeyboardInterrupt

    vae = small()
    epochs = iter(train(vae, images, optimizer=Interrupted(vae.parameters)))
    next(epochs)  # of three steps
    complete = vae.parameters.value.copy()
    with pytest.raises(KeyboardInterrupt):
        next(epochs)
    assert np.array_equal(vae.parameters.value, complete)


@pytest.mark.parametrize("make", [RMSprop, Adam])
@pytest.mark.parametrize("pixels", ["grey", "dynamic"])
@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_a_training_goes_on_from_its_state_bit_for_bit(images, make, pixels, noise):
    """In a new model, whose weights, optimizer and generators are others until then."""

    def training(epochs, seed, **more):
        vae = small(rng=seed)
        optimizer = make(vae.parameters)
        settings = {"pixels": pixels, "noise": noise, "test_images": images[:30]}
        made = train(vae, images, epochs=epochs, optimizer=optimizer, rng=seed, **settings, **more)
        made.if_unused = None  # some are looked at only
        return vae, made

    whole, unbroken = training(4, seed=1)
    expected = [(epoch.train, epoch.test) for epoch in unbroken]
    _, first = training(2, seed=1)
    list(first)
    other, rest = training(4, seed=2, resume_from=first.state())
    assert len(rest) == 2
    assert [(epoch.train, epoch.test) for epoch in rest] == expected[2:]
    assert np.array_equal(other.parameters.value, whole.parameters.value)
    for name in set(first.state()) - {"epoch", "weights"}:
        state = first.state()
        state[name] = training(4, seed=2)[1].state()[name]
        _, again = training(4, seed=3, resume_from=state)
        losses = [(epoch.train, epoch.test) for epoch in again]
        assert losses != expected[2:], name  # every part of the state is needed


class Watched(VAE):
    """A VAE that notes the number of BLAS threads, and may break."""

    def forward(self, *arguments, **others):
        self.seen.append(blas_number())
        if len(self.seen) > self.passes:
            raise KeyError("broken")
        return super().forward(*arguments, **others)


@pytest.mark.parametrize(("settings", "used"), [({}, 1), ({"threads": 2}, 2)])
def test_epochs_are_computed_in_one_thread_unless_asked(images, three_threads, settings, used):
    """Between epochs, after an error, and in a training that is abandoned: the number before."""
    vae = Watched(6, 2, image_shape=(3, 4))
    vae.seen, vae.passes = [], 8  # three steps and a test in each epoch
    epochs = iter(train(vae, images, test_images=images[:5], **settings))
    for _ in range(2):
        next(epochs)
        assert blas_number() == 3
    assert vae.seen == [used] * 8
    with pytest.raises(KeyError, match="broken"):
        next(epochs)
    assert blas_number() == 3
    vae.passes = 100
    abandoned = iter(train(vae, images, **settings))
    next(abandoned)
    del abandoned
    assert blas_number() == 3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threads": 0}, "threads: expected a whole number of at least 1, got 0"),
        ({"epochs": 0}, "epochs: expected a whole number of at least 1, got 0"),
        ({"epochs": True}, "epochs: expected a whole number of at least 1, got True"),
        ({"batch_size": -5}, "batch_size: expected a whole number of at least 1, got -5"),
        ({"batch_size": 2.5}, "batch_size: expected a whole number of at least 1, got 2.5"),
        ({"noise": -0.1}, "noise: expected a finite number of at least 0, got -0.1"),
        ({"pixels": "gray"}, "pixels: expected one of grey, thresholded, dynamic, got 'gray'"),
        ({"test_images": np.zeros((5, 11))}, r"test_images: expected shape \(N, 12\)"),
    ],
)
def test_bad_arguments_are_refused_before_anything_is_done(images, settings, message):
    with pytest.raises(ValueError, match=message):
        train(small(), images, **settings)


def test_an_optimizer_must_move_this_model(images):
    """An optimizer of another model would train nothing, without any error."""
    vae = small()
    for wrong in (Adam(vae.astype(np.float64).parameters), Adam, "adam"):
        with pytest.raises(ValueError, match=r"optimizer: expected one of this model, such as"):
            train(vae, images, optimizer=wrong)


def test_real_valued_pixels_are_not_clipped_or_thresholded(rng):
    """Noise leaves them where they are; 0 and 1 are drawn from values in [0, 1] alone."""
    x = 10.0 * rng.standard_normal((20, 12))
    vae, seen = GaussianVAE(4, 2, image_shape=(3, 4)), []
    forward = vae.forward
    vae.forward = lambda x, eps, target: (seen.append(x), forward(x, eps, target))[1]
    fit(vae, x, epochs=1, batch_size=20, noise=0.01)
    assert np.abs(np.sort(seen[0], axis=None) - np.sort(x, axis=None)).max() < 0.1
    for pixels in ("thresholded", "dynamic"):
        with pytest.raises(ValueError, match=r"images: expected values in \[0, 1\] or uint8, got"):
            fit(GaussianVAE(4, 2, image_shape=(3, 4)), x, pixels=pixels)
    (epoch,) = fit(
        GaussianVAE(4, 2, image_shape=(3, 4)), abs(np.sin(x)), epochs=1, pixels="dynamic"
    )
    assert np.isfinite(epoch.train.total)


def test_an_optimizer_with_negative_numbers_goes_on_and_hides_no_error(images):
    class Offset(RMSprop):
        def __post_init__(self):
            super().__post_init__()
            self.offset = -1.5

        def step(self):
            super().step()
            self.offset -= 1.0
            if self.t == 4:
                raise KeyboardInterrupt

    vae = small()
    training = train(vae, images, optimizer=Offset(vae.parameters))
    epochs = iter(training)
    next(epochs)  # of three steps
    with pytest.raises(KeyboardInterrupt):
        next(epochs)
    assert training.optimizer.offset == -4.5
    with pytest.raises(KeyboardInterrupt):  # one_epoch alone undoes as well
        training.one_epoch()
    assert training.optimizer.offset == -4.5


def test_fit_trains_at_once_and_returns_every_epoch(images):
    vae, seen = small(rng=3), []

    def progress(epochs):
        for epoch in epochs:
            seen.append(epoch.number)
            yield epoch

    history = fit(vae, images, test_images=images[:9], epochs=3, rng=4, progress=progress)
    assert seen == [epoch.number for epoch in history] == [1, 2, 3]
    other = small(rng=3)
    wanted = list(train(other, images, test_images=images[:9], epochs=3, rng=4))
    assert [(e.train, e.test) for e in history] == [(e.train, e.test) for e in wanted]
    assert np.array_equal(vae.parameters.value, other.parameters.value)
    with pytest.raises(TypeError, match="unexpected keyword argument 'epoch'"):
        fit(vae, images, epoch=3)


def test_a_training_that_nobody_iterates_warns(images):
    with pytest.warns(RuntimeWarning, match="train: nothing was trained; iterate, for epoch in"):
        train(small(), images)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        training = train(small(), images, epochs=2)
        next(iter(training))
        train(small(), images, epochs=2, resume_from={**training.state(), "epoch": 2})
        train(small(), images).one_epoch()


def test_one_image_and_a_batch_larger_than_the_data_will_do(images):
    (epoch,) = train(small(), images[:1], epochs=1, batch_size=10**9)
    assert np.isfinite(epoch.train.total)
