"""The pictures of an evaluation."""

import numpy as np
import pytest

from numpyvae import VAE
from numpyvae.evaluation import evaluate, gap_split, vae_log_likelihood
from numpyvae.pictures import holes, ladder, latent_kl, posteriors


def test_the_pictures_show_what_the_numbers_say(rng):
    vae, x = VAE(8, 2, image_shape=(3, 3), rng=1), rng.random((30, 9))
    result = evaluate(vae, x)
    (bars,) = ladder(result).axes[0].containers
    means = [values.mean() for values in result.ladder.values()]
    np.testing.assert_allclose(np.array(bars.lines[0].get_ydata(), float), means)
    titles = [axes.get_title() for axes in posteriors(vae, x, result).axes if axes.get_title()]
    worst = int(np.argmax(result.evidence.gap))
    title = next(title for title in titles if title.startswith(f"image {worst}: "))
    kls = [float(kl) for kl in title.partition("KL ")[2].split(", ")]
    assert kls[0] == pytest.approx(result.evidence.gap[worst], abs=0.006)
    assert kls == sorted(kls, reverse=True)
    split = gap_split(vae_log_likelihood(vae, x[[worst]]), [a[[worst]] for a in vae.encode(x)])
    np.testing.assert_allclose(kls[1:], [split.parallel[0], split.tilted[0]], atol=0.02)
    draws, map_ = holes(vae, x, result).axes[1], holes(vae, x, result).axes[0]
    assert draws.images[0].get_array().shape == (21, 19)  # 2 x 7 x 3 images of 3 x 3, a gap of 1
    np.testing.assert_allclose(map_.lines[0].get_xydata(), vae.encode(x)[0])
    with pytest.raises(ValueError, match="needs 2 latents, this model has 3"):
        holes(VAE(8, 3, image_shape=(3, 3)), x, result)
    bars = latent_kl(result).axes[0].patches
    np.testing.assert_allclose(
        [bar.get_height() for bar in bars], np.sort(result.kl_per_latent)[::-1]
    )
    three = VAE(8, 3, image_shape=(3, 3), rng=1)
    with pytest.raises(ValueError, match="needs 2 latents, this model has 3"):
        posteriors(three, x, evaluate(three, x))
