"""Which functions does a learner write, and what is known about mistakes in each?

One file for each notebook, in their order: dense_layer, gradient_checker, network and autoencoder,
latent_variables, elbo, reparameterization, whole_vae (with vae_pass), mnist (with epoch), how_good,
denoising, samples, rate_distortion, tighter_bound (with iwae_pass).

Each file ends in EXERCISES. To add a mistake, add a Mistake to its exercise: a sentence, and a
function that makes it. The tests fail unless the check refuses that function with that sentence.
"""

from numpyvae.course.exercise import Exercise
from numpyvae.course.exercises import (
    autoencoder,
    denoising,
    dense_layer,
    elbo,
    gradient_checker,
    how_good,
    latent_variables,
    mnist,
    network,
    rate_distortion,
    reparameterization,
    samples,
    tighter_bound,
    whole_vae,
)

_FILES = (dense_layer, gradient_checker, network, autoencoder, latent_variables, elbo,
          reparameterization, whole_vae, mnist, how_good, denoising, samples, rate_distortion,
          tighter_bound)  # fmt: skip
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise for file in _FILES for exercise in file.EXERCISES
}
