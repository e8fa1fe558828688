"""evaluate, and the table it prints."""

import dataclasses
import re

import numpy as np
import pytest
from documents import TEXTS, number

from numpyvae import VAE, train
from numpyvae.data.images import as_pixels
from numpyvae.evaluation import aggregate_posterior, evaluate, evidence, vae_log_likelihood
from numpyvae.evaluation.bounds import mean_and_error
from numpyvae.pictures import posteriors


@pytest.mark.once
def test_latents_far_out_widen_the_grid_and_what_is_beyond_is_told(rng):
    x = rng.random((20, 9))
    vae = VAE(8, 2, image_shape=(3, 3), rng=1)
    vae.parameters["b_mu"][:] = 3.0
    result = evaluate(vae, x, gap_images=0)
    assert result.cut_off == 0
    gap = result.evidence.value - result.elbo
    np.testing.assert_allclose(result.evidence.gap, gap, atol=0.5)
    vae.parameters["b_mu"][:] = 30.0
    result = evaluate(vae, x, gap_images=0)
    gap = result.evidence.value - result.elbo
    np.testing.assert_allclose(result.evidence.gap, gap, atol=0.5)
    assert gap.min() > 800.0
    with pytest.raises(ValueError, match="codes inside the largest grid, and all are outside"):
        posteriors(vae, x, result)


@pytest.mark.once
def test_posteriors_too_sharp_for_one_grid_are_integrated_around_q(mnist):
    """A trained model whose latents are 1000 times smaller; the prior stays as it is."""
    (x_train, _), (x_test, _) = mnist
    vae = VAE(32, 2, rng=0)
    list(train(vae, x_train[:5000], epochs=3, rng=0))
    x = as_pixels(x_test[:6], np.float32)
    size = 1000.0
    log_likelihood = vae_log_likelihood(vae, x)

    def wide(z):
        """log p(x|z), with a factor that turns the prior N(0, 1) into N(0, size²)."""
        factor = 0.5 * (1.0 - size**-2) * (z**2).sum(axis=1) - 2.0 * np.log(size)
        return log_likelihood(z) + factor[:, None]

    truth = evidence(wide, 2, nodes=801, half_width=30.0)
    vae.parameters["W_mu"][:] /= size
    vae.parameters["b_mu"][:] /= size
    vae.parameters["b_logvar"][:] -= 2.0 * np.log(size)
    vae.parameters["W_g1"][:] *= size
    result = evaluate(vae, x, gap_images=0)
    inside = (truth.outside < 1e-6) & (result.evidence.outside < 1e-3)
    assert inside.sum() >= 4
    np.testing.assert_allclose(result.evidence.value[inside], truth.value[inside], atol=0.05)
    bound = result.bounds[500]
    assert (result.evidence.value > bound - 2.0)[inside].all()
    gap = result.evidence.value - result.elbo  # of 100 draws, with some noise
    np.testing.assert_allclose(result.evidence.gap[inside], gap[inside], rtol=0.2)


def test_an_evidence_below_a_bound_is_called_too_low(rng):
    vae, x = VAE(8, 2, image_shape=(3, 3), rng=1), rng.random((20, 9))
    right = evaluate(vae, x, gap_images=0)
    low = dataclasses.replace(right.evidence, value=right.evidence.value - 30.0)
    text = str(dataclasses.replace(right, evidence=low))
    assert "above the evidence, which is TOO LOW; do not compare it" in text
    assert "TOO LOW for 20 images" in text
    assert not re.search(r"-\d+\.\d+ ± \S+ below", text)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["W_h1", "b_logvar", "W_out"])
def test_weights_that_have_diverged_are_refused(rng, name):
    vae = VAE(8, 2, image_shape=(3, 3), rng=1)
    vae.parameters[name][:] = 3e38
    with pytest.raises(ValueError, match="its loss is not finite; train it again with a lower"):
        evaluate(vae, rng.random((20, 9)))


def test_an_evidence_that_is_cut_off_is_called_so(rng):
    vae, x = VAE(8, 2, image_shape=(3, 3), rng=1), rng.random((20, 9))
    right = evaluate(vae, x, gap_images=0)
    cut = dataclasses.replace(right.evidence, outside=np.full(20, 0.5))
    assert "TOO LOW for 20 images" in str(dataclasses.replace(right, evidence=cut))
    assert "TOO LOW" not in str(right)


@pytest.mark.slow
def test_fifty_epochs_give_the_table_of_the_guide(mnist):
    (x_train, _), (x_test, _) = mnist
    vae = VAE(rng=0)
    list(train(vae, x_train, epochs=50, rng=0))
    result = evaluate(vae, x_test[:1000], train_images=x_train)
    guide = TEXTS["how_good"]
    for name, values in result.ladder.items():
        (printed,) = re.findall(rf"^    {re.escape(name)} +(-[\d.]+) ±", guide, re.MULTILINE)
        assert values.mean() == pytest.approx(float(printed), abs=1.0)
    assert np.all(np.diff([values.mean() for values in result.ladder.values()]) > 0.2)
    for name in list(result.ladder)[:-1]:
        gap, error = mean_and_error(result.evidence.value - result.ladder[name])
        assert gap > 3.0 * error
    gap = np.sort(result.evidence.value - result.elbo)
    assert result.evidence.gap.mean() == pytest.approx(gap.mean(), abs=0.05)
    integrated = number("how_good", "Integrated separately, it is")
    assert result.evidence.gap.mean() == pytest.approx(integrated, abs=0.5)
    share = number("how_good", "a tenth of the images accounts for")
    assert 100.0 * gap[-100:].sum() / gap.sum() == pytest.approx(share, abs=6.0)
    for line in str(result).splitlines():  # the same numbers, up to a few tenths of a nat
        if " amortization +" in line or "mutual" in line:
            shape = re.escape(re.sub(r"\d+\.\d+", "@", line.strip())).replace("@", r"(\d+\.\d+)")
            (printed,) = re.findall(shape, guide)
            found = re.findall(r"\d+\.\d+", line)
            np.testing.assert_allclose(np.array(printed, float), np.array(found, float), atol=0.6)
        elif " is amortization" in line or "holes:" in line:
            shape = re.escape(re.sub(r"\d+", "@", line.strip())).replace("@", r"(\d+)")
            (printed,) = re.findall(shape, guide)
            found = [float(number) for number in re.findall(r"\d+", line)]
            np.testing.assert_allclose(np.array(np.atleast_1d(printed), float), found, atol=4.0)
    for head, images in (
        ("1,000 test images", x_test[:1000]), ("10,000 test images", x_test),
        ("60,000 training images", x_train),
    ):  # fmt: skip
        codes = aggregate_posterior(*vae.encode(images))
        [cells] = re.findall(rf"\| {head} \| (\d+) % \| (\d+) % \| ([\d.]+) \|", guide)
        half, fifth, kl = (float(cell) for cell in cells)
        assert [100.0 * codes.half, 100.0 * codes.fifth] == pytest.approx([half, fifth], abs=4.0)
        assert codes.kl == pytest.approx(kl, abs=0.1)


@pytest.mark.slow
def test_the_gap_of_the_classic_is_amortization(mnist):
    (x_train, _), (x_test, _) = mnist
    vae = VAE(rng=0)
    list(train(vae, x_train, epochs=10, rng=0))
    result = evaluate(vae, x_test)
    assert result.split.held.sum() >= 145
    parts = [part[result.split.held].mean() for part in vars(result.split).values()]
    assert (parts[0] - parts[1]) / parts[0] >= 0.9
    assert parts[1] < 0.2
    assert parts[2] < 0.06
    codes = result.codes
    assert codes.mutual_information == pytest.approx(5.0, abs=0.4)
    assert codes.kl == pytest.approx(0.5, abs=0.15)
    assert codes.half == pytest.approx(0.37, abs=0.06)
