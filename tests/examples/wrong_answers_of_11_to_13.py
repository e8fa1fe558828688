"""Wrong answers to the exercises of notebooks 11, 12 and 13, as students write them."""

import math

import numpy as np
from scipy.special import log_expit, softmax, xlogy
from scipy.stats import norm

from numpyvae.course.exercises.vae_pass import (
    backward,
    cross_entropy,
    forward,
    kl_backward,
    kl_divergence,
    relu_backward,
    reparameterize_backward,
    sigmoid,
    stepped,
)

# 11 samples


def densities(mu, logvar, axis):
    """N(z; mu, sigma²) of each latent: two arrays (M, N)."""
    sigma = np.exp(logvar / 2)
    squares = ((axis[:, None, None] - mu) / sigma) ** 2
    both = np.exp(-0.5 * squares) / (np.sqrt(2 * np.pi) * sigma)
    return both[:, :, 0], both[:, :, 1]


def aggregate_grid_with_meshgrid_in_xy(mu, logvar, axis):
    """np.meshgrid puts z₁ along the second axis, so the result is transposed."""
    z1, z2 = np.meshgrid(axis, axis)
    q = np.zeros_like(z1)
    for (m1, m2), (v1, v2) in zip(mu, np.exp(logvar)):
        q += np.exp(-((z1 - m1) ** 2) / v1 / 2 - (z2 - m2) ** 2 / v2 / 2) / np.sqrt(v1 * v2)
    return q / (2 * np.pi * len(mu))


def aggregate_grid_without_the_mean(mu, logvar, axis):
    """It is the sum over the images, not their mean."""
    first, second = densities(mu, logvar, axis)
    return first @ second.T


def aggregate_grid_with_the_variance_as_sigma(mu, logvar, axis):
    """sigma is exp(logvar), without the half."""
    first, second = densities(mu, 2 * logvar, axis)
    return first @ second.T / len(mu)


def aggregate_grid_with_sigma_as_the_variance(mu, logvar, axis):
    """It divides by sigma where it should divide by sigma², in the exponent and in front."""
    first, second = densities(mu, logvar / 2, axis)
    return first @ second.T / len(mu)


def aggregate_grid_without_exp(mu, logvar, axis):
    """It takes logvar for the variance itself, without its sign."""
    variance = np.abs(logvar)
    first, second = densities(mu, np.log(np.where(variance == 0, 1, variance)), axis)
    return first @ second.T / len(mu)


def aggregate_grid_without_the_constant(mu, logvar, axis):
    """The factor 1 / (2π σ₁ σ₂) in front of the exponential is missing."""
    e = np.exp(-0.5 * (axis[:, None, None] - mu) ** 2 / np.exp(logvar))
    return e[:, :, 0] @ e[:, :, 1].T / len(mu)


def aggregate_grid_without_two_pi(mu, logvar, axis):
    """Both densities are divided by σ, but not by √(2π)."""
    first, second = densities(mu, logvar, axis)
    return first @ second.T / len(mu) * 2 * np.pi


def aggregate_grid_with_the_root_only_once(mu, logvar, axis):
    """It divides by √(2π), as in one dimension, not by 2π."""
    first, second = densities(mu, logvar, axis)
    return first @ second.T / len(mu) * np.sqrt(2 * np.pi)


def aggregate_grid_with_the_constant_of_one_sigma(mu, logvar, axis):
    """Only σ₁ is in the factor in front; σ₂ is missing."""
    first, second = densities(mu, logvar, axis)
    return first @ (second * np.exp(logvar[:, 1] / 2)).T / len(mu)


def aggregate_grid_without_half_in_the_exponent(mu, logvar, axis):
    """The exponent is −(z − μ)²/σ², without the ½."""
    sigma = np.exp(logvar / 2)
    e = np.exp(-(((axis[:, None, None] - mu) / sigma) ** 2)) / np.sqrt(2 * np.pi) / sigma
    return e[:, :, 0] @ e[:, :, 1].T / len(mu)


def aggregate_grid_with_distances_in_units_of_one(mu, logvar, axis):
    """σ is in the factor in front, but not in the exponent."""
    sigma = np.exp(logvar / 2)
    e = np.exp(-0.5 * (axis[:, None, None] - mu) ** 2) / np.sqrt(2 * np.pi) / sigma
    return e[:, :, 0] @ e[:, :, 1].T / len(mu)


def aggregate_grid_normalized_on_the_grid(mu, logvar, axis):
    """It is divided by its own sum times Δ², so that the mass on the grid is always 1."""
    first, second = densities(mu, logvar, axis)
    q = first @ second.T
    return q / (q.sum() * (axis[1] - axis[0]) ** 2) if len(axis) > 1 else q / len(mu)


def aggregate_grid_as_probabilities(mu, logvar, axis):
    """It is divided by its sum, so its entries add up to 1; a density was asked for."""
    first, second = densities(mu, logvar, axis)
    return first @ second.T / (first @ second.T).sum()


def aggregate_grid_as_masses(mu, logvar, axis):
    """It is multiplied by Δ²: the mass of each cell, not the density."""
    first, second = densities(mu, logvar, axis)
    return first @ second.T / len(mu) * (axis[-1] - axis[-2]) ** 2


def aggregate_grid_from_the_marginals(mu, logvar, axis):
    """It is the product of the means over the images, not the mean of the products."""
    first, second = densities(mu, logvar, axis)
    return np.outer(first.mean(axis=1), second.mean(axis=1))


def aggregate_grid_divided_twice(mu, logvar, axis):
    """It divides by N in each of the two factors, so by N² in total."""
    first, second = densities(mu, logvar, axis)
    return (first / len(mu)) @ (second / len(mu)).T


def aggregate_grid_divided_by_points(mu, logvar, axis):
    """It divides by the number of grid points M, not by the number of images."""
    first, second = densities(mu, logvar, axis)
    return first @ second.T / len(axis)


def aggregate_grid_of_one_normal(mu, logvar, axis):
    """It is one normal distribution with the mean mu and the mean variance of all images."""
    mean, variance = mu.mean(axis=0, keepdims=True), np.exp(logvar).mean(axis=0, keepdims=True)
    first, second = densities(mean, np.log(variance), axis)
    return first @ second.T


def aggregate_grid_of_one_normal_with_moments(mu, logvar, axis):
    """It is the normal distribution with the mean and the variance of the mixture."""
    variance = np.exp(logvar).mean(axis=0, keepdims=True) + mu.var(axis=0, keepdims=True)
    first, second = densities(mu.mean(axis=0, keepdims=True), np.log(variance), axis)
    return first @ second.T


def aggregate_grid_in_logarithms(mu, logvar, axis):
    """It is log q(z), not q(z)."""
    first, second = densities(mu, logvar, axis)
    return np.log(np.maximum(first @ second.T / len(mu), 1e-300))


def aggregate_grid_of_mean_logarithms(mu, logvar, axis):
    """It averages log q(z|x) over the images before the exponential."""
    first, second = (np.log(np.maximum(d, 1e-300)) for d in densities(mu, logvar, axis))
    return np.exp(first.mean(axis=1)[:, None] + second.mean(axis=1))


def aggregate_grid_on_the_diagonal(mu, logvar, axis):
    """It multiplies entry by entry, so only points with z₁ = z₂ are computed: (M,)."""
    first, second = densities(mu, logvar, axis)
    return (first * second).mean(axis=1)


def aggregate_grid_of_all_pairs_in_a_row(mu, logvar, axis):
    """It is flattened to (M·M,)."""
    first, second = densities(mu, logvar, axis)
    return (first @ second.T / len(mu)).ravel()


def aggregate_grid_of_each_image(mu, logvar, axis):
    """It is (N, M, M): the mean over the images is not taken."""
    first, second = densities(mu, logvar, axis)
    return np.einsum("in,jn->nij", first, second)


def aggregate_grid_upside_down(mu, logvar, axis):
    """z₁ goes down along the first axis, as in a picture."""
    first, second = densities(mu, logvar, axis)
    return (first @ second.T / len(mu))[::-1]


def aggregate_grid_with_the_first_mean_twice(mu, logvar, axis):
    """The second factor uses μ₁ (and σ₂)."""
    first, second = densities(np.stack([mu[:, 0], mu[:, 0]], axis=1), logvar, axis)
    return first @ second.T / len(mu)


def aggregate_grid_with_the_first_sigma_twice(mu, logvar, axis):
    """The second factor uses σ₁ (and μ₂)."""
    first, second = densities(mu, logvar[:, [0, 0]], axis)
    return first @ second.T / len(mu)


def aggregate_grid_with_exchanged_sigmas(mu, logvar, axis):
    """σ₁ and σ₂ are exchanged, μ₁ and μ₂ are not."""
    first, second = densities(mu, logvar[:, ::-1], axis)
    return first @ second.T / len(mu)


def aggregate_grid_of_the_last_image(mu, logvar, axis):
    """The loop writes q = instead of q +=, so only the last image is left, divided by N."""
    first, second = densities(mu, logvar, axis)
    return np.outer(first[:, -1], second[:, -1]) / len(mu)


def aggregate_grid_without_the_first_image(mu, logvar, axis):
    """The loop over the images begins at 1."""
    first, second = densities(mu, logvar, axis)
    return first[:, 1:] @ second[:, 1:].T / len(mu)


def aggregate_grid_of_the_prior(mu, logvar, axis):
    """It is p(z) and uses neither mu nor logvar."""
    return np.exp(-0.5 * (axis[:, None] ** 2 + axis**2)) / (2 * np.pi)


def aggregate_grid_as_a_histogram(mu, logvar, axis):
    """It counts random draws from the q(z|x) in the cells of the grid."""
    step = axis[1] - axis[0]
    z = mu + np.exp(logvar / 2) * np.random.standard_normal((5000, *mu.shape))
    edges = np.append(axis - step / 2, axis[-1] + step / 2)
    counts, *_ = np.histogram2d(*z.reshape(-1, 2).T, bins=(edges, edges))
    return counts / counts.sum() / step**2


def aggregate_grid_on_a_grid_of_its_own(mu, logvar, axis):
    """It computes on a grid from −5 to 5, with as many points as axis."""
    first, second = densities(mu, logvar, np.linspace(-5, 5, len(axis)))
    return first @ second.T / len(mu)


def aggregate_grid_halves_its_argument(mu, logvar, axis):
    """It halves logvar in place, and so changes its argument."""
    logvar /= 2
    first, second = densities(mu, 2 * logvar, axis)
    return first @ second.T / len(mu)


def aggregate_grid_at_most_one(mu, logvar, axis):
    """It cuts the density at 1, but a density may be larger."""
    first, second = densities(mu, logvar, axis)
    return np.minimum(first @ second.T / len(mu), 1)


def aggregate_grid_with_narrow_ones_widened(mu, logvar, axis):
    """logvar is clipped to −1 and 1."""
    first, second = densities(mu, np.clip(logvar, -1, 1), axis)
    return first @ second.T / len(mu)


def aggregate_grid_with_clipped_logvar(mu, logvar, axis):
    """logvar is clipped to −4 and 4, so a narrower q(z|x) is made wider."""
    first, second = densities(mu, np.clip(logvar, -4, 4), axis)
    return first @ second.T / len(mu)


def aggregate_grid_with_a_bit_of_sigma(mu, logvar, axis):
    """0.001 is added to σ."""
    first, second = densities(mu, 2 * np.log(np.exp(logvar / 2) + 1e-3), axis)
    return first @ second.T / len(mu)


def aggregate_grid_with_a_floor(mu, logvar, axis):
    """0.00001 is added, so that its logarithm is never −∞."""
    first, second = densities(mu, logvar, axis)
    return first @ second.T / len(mu) + 1e-5


def aggregate_grid_within_three_sigma(mu, logvar, axis):
    """The densities are set to 0 beyond three standard deviations."""
    near = np.abs(axis[:, None, None] - mu) < 3 * np.exp(logvar / 2)
    first, second = densities(mu, logvar, axis)
    return (first * near[..., 0]) @ (second * near[..., 1]).T / len(mu)


def aggregate_grid_for_as_many_points_as_images(mu, logvar, axis):
    """It subtracts mu from axis without a new axis, which needs M = N."""
    sigma = np.exp(logvar / 2)
    e = np.exp(-0.5 * ((axis[:, None] - mu) / sigma) ** 2) / np.sqrt(2 * np.pi) / sigma
    return e[:, :1] * e[:, 1:].T


def aggregate_grid_symmetrized(mu, logvar, axis):
    """It is the mean of q and its transpose."""
    first, second = densities(mu, logvar, axis)
    q = first @ second.T / len(mu)
    return (q + q.T) / 2


def mean_kl(mu, logvar):
    """The mean over the images of the KL in closed form."""
    return kl_divergence(mu, logvar).mean()


def log_prior(axis):
    """log p(z) at the points of the grid: (M, M)."""
    return -0.5 * (axis[:, None] ** 2 + axis**2) - np.log(2 * np.pi)


def split(mu, logvar, terms, axis, power=2):
    """Information and distance, given the terms of the sum."""
    distance = terms.sum() * (axis[1] - axis[0]) ** power
    return mean_kl(mu, logvar) - distance, distance


def kl_parts_in_the_wrong_order(mu, logvar, q, axis):
    """The results are distance, information."""
    return split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)[::-1]


def kl_parts_with_the_whole_kl(mu, logvar, q, axis):
    """The first result is the mean KL; the distance is not subtracted."""
    return mean_kl(mu, logvar), split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)[1]


def kl_parts_with_a_sum_of_both(mu, logvar, q, axis):
    """The distance is added to the mean KL, not subtracted."""
    _, distance = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return mean_kl(mu, logvar) + distance, distance


def kl_parts_with_the_reverse_difference(mu, logvar, q, axis):
    """The information has the wrong sign: distance minus mean KL."""
    information, distance = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return -information, distance


def kl_parts_with_the_kl_the_other_way(mu, logvar, q, axis):
    """The distance is KL(p ‖ q), where q is not zero."""
    p = np.exp(log_prior(axis))
    return split(mu, logvar, np.where(q > 0, xlogy(p, p) - xlogy(p, q + (q == 0)), 0), axis)


def kl_parts_with_a_negative_distance(mu, logvar, q, axis):
    """The distance is Σ q (log p − log q) Δ², which is minus the KL."""
    return split(mu, logvar, q * log_prior(axis) - xlogy(q, q), axis)


def kl_parts_with_the_spacing_once(mu, logvar, q, axis):
    """The sum is multiplied by Δ, not by Δ²."""
    return split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis, power=1)


def kl_parts_without_the_spacing(mu, logvar, q, axis):
    """The sum is not multiplied by Δ²."""
    return split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis, power=0)


def kl_parts_with_the_mean_over_the_grid(mu, logvar, q, axis):
    """The distance is the mean over the grid, without Δ²."""
    distance = (xlogy(q, q) - q * log_prior(axis)).mean()
    return mean_kl(mu, logvar) - distance, distance


def kl_parts_without_two_pi(mu, logvar, q, axis):
    """log 2π is missing in log p."""
    return split(mu, logvar, xlogy(q, q) - q * (log_prior(axis) + np.log(2 * np.pi)), axis)


def kl_parts_with_the_constant_of_one_latent(mu, logvar, q, axis):
    """log p has ½ log 2π, as in one dimension, not log 2π."""
    return split(mu, logvar, xlogy(q, q) - q * (log_prior(axis) + np.log(2 * np.pi) / 2), axis)


def kl_parts_with_the_prior_of_one_latent(mu, logvar, q, axis):
    """log p(z) is that of z₂ alone; z₁ is missing."""
    return split(mu, logvar, xlogy(q, q) + q * (axis**2 / 2 + np.log(2 * np.pi) / 2), axis)


def kl_parts_with_the_second_latent_twice(mu, logvar, q, axis):
    """log p is −z₂² − log 2π, because the column of z₁ was not made."""
    return split(mu, logvar, xlogy(q, q) - q * (-(axis**2) - np.log(2 * np.pi)), axis)


def kl_parts_without_half_in_the_prior(mu, logvar, q, axis):
    """log p has −z², without the ½."""
    r2 = axis[:, None] ** 2 + axis**2
    return split(mu, logvar, xlogy(q, q) + q * (r2 + np.log(2 * np.pi)), axis)


def kl_parts_with_the_entropy_alone(mu, logvar, q, axis):
    """The distance is Σ q log q Δ²; log p is missing."""
    return split(mu, logvar, xlogy(q, q), axis)


def kl_parts_without_q_in_front(mu, logvar, q, axis):
    """The difference of the logarithms is added up without the factor q."""
    return split(mu, logvar, np.where(q > 0, np.log(q + (q == 0)) - log_prior(axis), 0), axis)


def kl_parts_with_zeros_in_the_logarithm(mu, logvar, q, axis):
    """0 · log 0 is not treated, so a zero of q gives nan."""
    with np.errstate(all="ignore"):
        return split(mu, logvar, q * (np.log(q) - log_prior(axis)), axis)


def kl_parts_with_a_small_number_in_the_logarithm(mu, logvar, q, axis):
    """0.000001 is added to q in its logarithm."""
    return split(mu, logvar, q * (np.log(q + 1e-6) - log_prior(axis)), axis)


def kl_parts_with_a_floor_in_the_logarithm(mu, logvar, q, axis):
    """In its logarithm, q is at least 0.01."""
    return split(mu, logvar, q * (np.log(np.maximum(q, 0.01)) - log_prior(axis)), axis)


def kl_parts_without_the_rare_points(mu, logvar, q, axis):
    """Points with q below 0.001 are left out."""
    return split(mu, logvar, np.where(q < 1e-3, 0, xlogy(q, q) - q * log_prior(axis)), axis)


def kl_parts_in_bits(mu, logvar, q, axis):
    """Both results are in bits: they use log₂."""
    information, distance = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return information / np.log(2), distance / np.log(2)


def kl_parts_with_absolute_terms(mu, logvar, q, axis):
    """The terms of the distance are made positive before they are added."""
    return split(mu, logvar, np.abs(xlogy(q, q) - q * log_prior(axis)), axis)


def kl_parts_with_a_normalized_q(mu, logvar, q, axis):
    """q is first divided by its mass on the grid."""
    q = q / (q.sum() * (axis[1] - axis[0]) ** 2)
    return split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)


def kl_parts_with_a_normalized_prior(mu, logvar, q, axis):
    """p is divided by its mass on the grid."""
    p = np.exp(log_prior(axis))
    p /= p.sum() * (axis[1] - axis[0]) ** 2
    return split(mu, logvar, xlogy(q, q) - xlogy(q, p), axis)


def kl_parts_with_one_point_too_many(mu, logvar, q, axis):
    """The spacing is the length of the axis divided by M, not by M − 1."""
    distance = (xlogy(q, q) - q * log_prior(axis)).sum() * (np.ptp(axis) / len(axis)) ** 2
    return mean_kl(mu, logvar) - distance, distance


def kl_parts_with_a_symmetric_axis(mu, logvar, q, axis):
    """The spacing is twice the last point divided by M − 1, which needs a symmetric axis."""
    spacing = 2 * axis[-1] / (len(axis) - 1)
    distance = (xlogy(q, q) - q * log_prior(axis)).sum() * spacing**2
    return mean_kl(mu, logvar) - distance, distance


def kl_parts_with_the_spacing_of_the_notebook(mu, logvar, q, axis):
    """The spacing is 0.025, that of the axis in the notebook."""
    distance = (xlogy(q, q) - q * log_prior(axis)).sum() * 0.025**2
    return mean_kl(mu, logvar) - distance, distance


def kl_parts_by_the_trapezoidal_rule(mu, logvar, q, axis):
    """The points at the border of the grid count half, those in the corners a quarter."""
    weights = np.ones(len(axis))
    weights[[0, -1]] = 0.5
    terms = xlogy(q, q) - q * log_prior(axis)
    return split(mu, logvar, terms * np.outer(weights, weights), axis)


def kl_parts_without_the_last_row(mu, logvar, q, axis):
    """The loops end one point too early."""
    return split(mu, logvar, (xlogy(q, q) - q * log_prior(axis))[:-1, :-1], axis)


def kl_parts_with_the_sum_over_the_images(mu, logvar, q, axis):
    """The KL is added up over the images; the mean was asked for."""
    _, distance = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return kl_divergence(mu, logvar).sum() - distance, distance


def kl_parts_with_the_mean_over_the_latents(mu, logvar, q, axis):
    """The KL is the mean over images and latents, so half of it."""
    _, distance = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return mean_kl(mu, logvar) / 2 - distance, distance


def kl_parts_without_half_in_the_kl(mu, logvar, q, axis):
    """The closed form of the KL lacks the ½."""
    _, distance = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return 2 * mean_kl(mu, logvar) - distance, distance


def kl_parts_with_logvar_as_log_sigma(mu, logvar, q, axis):
    """The KL takes logvar for log σ."""
    _, distance = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return mean_kl(mu, 2 * logvar) - distance, distance


def kl_parts_with_the_wrong_sign_of_logvar(mu, logvar, q, axis):
    """The KL has + log σ²."""
    _, distance = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return mean_kl(mu, logvar) + logvar.sum(axis=1).mean() - distance, distance


def kl_parts_without_mu(mu, logvar, q, axis):
    """The KL lacks the term with mu."""
    return split(0 * mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)


def kl_parts_of_the_first_image(mu, logvar, q, axis):
    """The KL is that of the first image."""
    return split(mu[:1], logvar[:1], xlogy(q, q) - q * log_prior(axis), axis)


def kl_parts_of_each_image(mu, logvar, q, axis):
    """The information is an array with a number for each image."""
    _, distance = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return kl_divergence(mu, logvar) - distance, distance


def kl_parts_as_their_sum(mu, logvar, q, axis):
    """It returns one number, the mean KL."""
    return mean_kl(mu, logvar)


def kl_parts_with_three_results(mu, logvar, q, axis):
    """It returns the mean KL too, in front of the two parts."""
    parts = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return sum(parts), *parts


def kl_parts_fills_the_zeros(mu, logvar, q, axis):
    """It writes 1e-300 into the zeros of q, which is its argument."""
    q[q == 0] = 1e-300
    return split(mu, logvar, q * (np.log(q) - log_prior(axis)), axis)


def kl_parts_of_a_normal_with_the_same_moments(mu, logvar, q, axis):
    """The distance is that of a normal distribution with the mean and variance of the codes."""
    variance = np.exp(logvar).mean(axis=0) + mu.var(axis=0)
    distance = mean_kl(mu.mean(axis=0)[None], np.log(variance)[None])
    return mean_kl(mu, logvar) - distance, distance


def kl_parts_at_random_points(mu, logvar, q, axis):
    """The distance is estimated from half of the grid points, drawn at random."""
    some = np.random.rand(*q.shape) < 0.5
    return split(mu, logvar, 2 * some * (xlogy(q, q) - q * log_prior(axis)), axis)


def kl_parts_of_the_squared_difference(mu, logvar, q, axis):
    """The distance is Σ (q − p)² Δ², not a KL."""
    return split(mu, logvar, (q - np.exp(log_prior(axis))) ** 2, axis)


def kl_parts_that_agree_with_no_distance(mu, logvar, q, axis):
    """The distance is always 0, so all is information."""
    return mean_kl(mu, logvar), 0.0


# 12 rate and distortion


def rates_without_half(eigenvalues, noise_variance, beta):
    """The ½ is missing."""
    return np.log(np.maximum(eigenvalues / (beta * noise_variance), 1))


def rates_in_bits(eigenvalues, noise_variance, beta):
    """It uses log₂."""
    return 0.5 * np.log2(np.maximum(eigenvalues / (beta * noise_variance), 1))


def rates_with_log10(eigenvalues, noise_variance, beta):
    """It uses log₁₀."""
    return 0.5 * np.log10(np.maximum(eigenvalues / (beta * noise_variance), 1))


def rates_below_zero(eigenvalues, noise_variance, beta):
    """The maximum with 0 is missing, except that λ = 0 gives 0."""
    ratio = eigenvalues / (beta * noise_variance)
    return np.where(ratio > 0, 0.5 * np.log(np.where(ratio > 0, ratio, 1)), 0)


def rates_minus_infinity(eigenvalues, noise_variance, beta):
    """The maximum with 0 is missing, so λ = 0 gives −∞."""
    with np.errstate(divide="ignore"):
        return 0.5 * np.log(eigenvalues / (beta * noise_variance))


def rates_at_most_zero(eigenvalues, noise_variance, beta):
    """It takes the minimum with 0 where the maximum is right."""
    with np.errstate(divide="ignore"):
        return np.minimum(0, 0.5 * np.log(eigenvalues / (beta * noise_variance)))


def rates_with_an_absolute_value(eigenvalues, noise_variance, beta):
    """Negative values lose their sign and do not become 0."""
    ratio = np.maximum(eigenvalues / (beta * noise_variance), 1e-12)
    return np.abs(0.5 * np.log(ratio))


def rates_with_the_wrong_maximum(eigenvalues, noise_variance, beta):
    """np.max(…, 0) takes the largest along axis 0, so it is one number."""
    with np.errstate(divide="ignore"):
        return np.max(0.5 * np.log(eigenvalues / (beta * noise_variance)), 0)


def rates_clipped_inside(eigenvalues, noise_variance, beta):
    """The maximum is taken of λ and 1, not of the ratio and 1."""
    return 0.5 * np.log(np.maximum(eigenvalues, 1) / (beta * noise_variance))


def rates_of_a_difference(eigenvalues, noise_variance, beta):
    """It takes the logarithm of λ − βσ², not of the ratio."""
    return 0.5 * np.log(np.maximum(eigenvalues - beta * noise_variance, 1))


def rates_of_an_excess(eigenvalues, noise_variance, beta):
    """It takes λ/(βσ²) − 1 without a logarithm."""
    return 0.5 * np.maximum(eigenvalues / (beta * noise_variance) - 1, 0)


def rates_of_a_noisy_channel(eigenvalues, noise_variance, beta):
    """It is ½ log(1 + λ/(βσ²)), the capacity of a channel with noise."""
    return 0.5 * np.log1p(eigenvalues / (beta * noise_variance))


def rates_without_beta(eigenvalues, noise_variance, beta):
    """beta is not used."""
    return 0.5 * np.log(np.maximum(eigenvalues / noise_variance, 1))


def rates_without_the_noise(eigenvalues, noise_variance, beta):
    """The noise variance is not used."""
    return 0.5 * np.log(np.maximum(eigenvalues / beta, 1))


def rates_with_brackets_missing(eigenvalues, noise_variance, beta):
    """λ / β · σ² multiplies by σ²; the brackets are missing."""
    return 0.5 * np.log(np.maximum(eigenvalues / beta * noise_variance, 1))


def rates_with_beta_upstairs(eigenvalues, noise_variance, beta):
    """It multiplies by beta."""
    return 0.5 * np.log(np.maximum(beta * eigenvalues / noise_variance, 1))


def rates_upside_down(eigenvalues, noise_variance, beta):
    """The ratio is upside down: βσ²/λ; for λ = 0 it gives 0."""
    ratio = np.divide(beta * noise_variance, eigenvalues, out=np.ones_like(eigenvalues),
                      where=eigenvalues > 0)  # fmt: skip
    return 0.5 * np.log(np.maximum(ratio, 1))


def rates_with_sigma(eigenvalues, noise_variance, beta):
    """It divides by σ, the root of the noise variance."""
    return 0.5 * np.log(np.maximum(eigenvalues / (beta * np.sqrt(noise_variance)), 1))


def rates_with_the_noise_squared(eigenvalues, noise_variance, beta):
    """It squares the noise variance, which is a variance already."""
    return 0.5 * np.log(np.maximum(eigenvalues / (beta * noise_variance**2), 1))


def rates_with_squared_eigenvalues(eigenvalues, noise_variance, beta):
    """It squares λ, as if it were a standard deviation."""
    return 0.5 * np.log(np.maximum(eigenvalues**2 / (beta * noise_variance), 1))


def rates_with_the_root_of_beta(eigenvalues, noise_variance, beta):
    """It divides by √β."""
    return 0.5 * np.log(np.maximum(eigenvalues / (beta**0.5 * noise_variance), 1))


def rates_with_the_threshold_of_beta_one(eigenvalues, noise_variance, beta):
    """A latent is on if λ > σ²; the threshold lacks β, the logarithm has it."""
    ratio = np.where(eigenvalues > noise_variance, eigenvalues / (beta * noise_variance), 1)
    return 0.5 * np.log(ratio)


def rates_with_the_threshold_of_one(eigenvalues, noise_variance, beta):
    """A latent is on if λ > 1."""
    ratio = np.where(eigenvalues > 1, eigenvalues / (beta * noise_variance), 1)
    return 0.5 * np.log(ratio)


def rates_with_the_ratio_of_those_off(eigenvalues, noise_variance, beta):
    """Where a latent is off, it gives λ/(βσ²), not 0."""
    ratio = eigenvalues / (beta * noise_variance)
    return np.where(ratio > 1, 0.5 * np.log(np.maximum(ratio, 1)), ratio)


def rates_in_total(eigenvalues, noise_variance, beta):
    """It is the sum over all latents, one number."""
    return 0.5 * np.log(np.maximum(eigenvalues / (beta * noise_variance), 1)).sum()


def rates_of_those_in_use(eigenvalues, noise_variance, beta):
    """Latents that are off are left out, so it is shorter than D."""
    ratio = eigenvalues / (beta * noise_variance)
    return 0.5 * np.log(ratio[ratio > 1])


def rates_until_the_first_off(eigenvalues, noise_variance, beta):
    """The loop stops at the first latent that is off; those behind it get 0."""
    result = np.zeros(len(eigenvalues))
    for j, value in enumerate(eigenvalues):
        if value <= beta * noise_variance:
            break
        result[j] = 0.5 * np.log(value / (beta * noise_variance))
    return result


def rates_all_or_nothing(eigenvalues, noise_variance, beta):
    """If any latent is off, all are 0."""
    ratio = eigenvalues / (beta * noise_variance)
    return 0.5 * np.log(ratio) if (ratio > 1).all() else np.zeros(len(ratio))


def rates_in_descending_order(eigenvalues, noise_variance, beta):
    """The rates are sorted, the largest first."""
    return np.sort(0.5 * np.log(np.maximum(eigenvalues / (beta * noise_variance), 1)))[::-1]


def rates_in_integers(eigenvalues, noise_variance, beta):
    """The rates are written into an array of integers."""
    result = np.zeros(len(eigenvalues), dtype=int)
    result[:] = 0.5 * np.log(np.maximum(eigenvalues / (beta * noise_variance), 1))
    return result


def rates_with_a_small_number(eigenvalues, noise_variance, beta):
    """0.00001 is added to λ."""
    return 0.5 * np.log(np.maximum((eigenvalues + 1e-5) / (beta * noise_variance), 1))


def rates_that_crash_at_zero(eigenvalues, noise_variance, beta):
    """math.log(0) is an error, so λ = 0 gives no result."""
    return np.array([max(0.0, 0.5 * math.log(v / (beta * noise_variance))) for v in eigenvalues])


def rates_changing_the_eigenvalues(eigenvalues, noise_variance, beta):
    """It divides the eigenvalues in place."""
    eigenvalues /= beta * noise_variance
    return 0.5 * np.log(np.maximum(eigenvalues, 1))


def rates_as_a_column(eigenvalues, noise_variance, beta):
    """It is (D, 1)."""
    return 0.5 * np.log(np.maximum(eigenvalues / (beta * noise_variance), 1))[:, None]


def rates_as_shares(eigenvalues, noise_variance, beta):
    """λ is divided by the sum of all eigenvalues first."""
    share = eigenvalues / max(eigenvalues.sum(), 1e-12)
    return 0.5 * np.log(np.maximum(share / (beta * noise_variance), 1))


def rates_times_the_price(eigenvalues, noise_variance, beta):
    """It is β times the rate: what the latent costs in the loss."""
    return 0.5 * beta * np.log(np.maximum(eigenvalues / (beta * noise_variance), 1))


def rates_by_the_kl_without_mu(eigenvalues, noise_variance, beta):
    """It is ½ (s² − 1 − log s²) with the best s²; the part of mu is missing."""
    s2 = 1 / np.maximum(eigenvalues / (beta * noise_variance), 1)
    return 0.5 * (s2 - 1 - np.log(s2))


def rates_of_the_sigmas(eigenvalues, noise_variance, beta):
    """It is the best s², not the rate."""
    return 1 / np.maximum(eigenvalues / (beta * noise_variance), 1)


def rates_of_the_largest_only(eigenvalues, noise_variance, beta):
    """All latents but the largest are 0."""
    rate = 0.5 * np.log(np.maximum(eigenvalues / (beta * noise_variance), 1))
    return np.where(rate == rate.max(), rate, 0)


def costs(eigenvalues, noise_variance, betas):
    """The rates (n, D) and the squared errors (n, D)."""
    least = np.asarray(betas)[:, None] * noise_variance
    rate = 0.5 * np.log(np.maximum(eigenvalues / least, 1))
    return rate, np.minimum(eigenvalues, least)


def sweep_in_the_wrong_order(eigenvalues, noise_variance, betas):
    """The results are distortion, rate."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return left.sum(axis=1) / (2 * noise_variance), rate.sum(axis=1)


def sweep_without_half(eigenvalues, noise_variance, betas):
    """The distortion is divided by σ², not by 2σ²."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), left.sum(axis=1) / noise_variance


def sweep_without_the_noise(eigenvalues, noise_variance, betas):
    """The distortion is half of the squared error; it is not divided by σ²."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), left.sum(axis=1) / 2


def sweep_with_brackets_missing(eigenvalues, noise_variance, betas):
    """The distortion is divided by 2 and multiplied by σ²; the brackets are missing."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), left.sum(axis=1) / 2 * noise_variance


def sweep_of_the_squared_error(eigenvalues, noise_variance, betas):
    """The distortion is the squared error, not divided by 2σ²."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), left.sum(axis=1)


def sweep_with_the_maximum(eigenvalues, noise_variance, betas):
    """The distortion has max(λ, βσ²)."""
    least = np.asarray(betas)[:, None] * noise_variance
    rate, _ = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), np.maximum(eigenvalues, least).sum(axis=1) / (2 * noise_variance)


def sweep_with_all_variance_lost(eigenvalues, noise_variance, betas):
    """The distortion is that of no latents, Σ λ/(2σ²), whatever β is."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), np.full(len(left), eigenvalues.sum() / (2 * noise_variance))


def sweep_with_all_in_use(eigenvalues, noise_variance, betas):
    """The distortion is D β/2, as if all latents were on."""
    rate, _ = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), len(eigenvalues) * np.asarray(betas) / 2


def sweep_of_those_in_use(eigenvalues, noise_variance, betas):
    """The distortion lacks the directions whose latent is off."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), (left * (rate > 0)).sum(axis=1) / (2 * noise_variance)


def sweep_of_those_off(eigenvalues, noise_variance, betas):
    """The distortion lacks the directions whose latent is on."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), (left * (rate == 0)).sum(axis=1) / (2 * noise_variance)


def sweep_with_the_noise_as_threshold(eigenvalues, noise_variance, betas):
    """The distortion has min(λ, σ²), without β."""
    rate, _ = costs(eigenvalues, noise_variance, betas)
    left = np.minimum(eigenvalues, noise_variance).sum() / (2 * noise_variance)
    return rate.sum(axis=1), np.full(len(rate), left)


def sweep_with_beta_as_threshold(eigenvalues, noise_variance, betas):
    """The distortion has min(λ, β), without σ²."""
    rate, _ = costs(eigenvalues, noise_variance, betas)
    left = np.minimum(eigenvalues, np.asarray(betas)[:, None]).sum(axis=1)
    return rate.sum(axis=1), left / (2 * noise_variance)


def sweep_divided_by_beta(eigenvalues, noise_variance, betas):
    """The distortion is divided by 2βσ²."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance * np.asarray(betas))


def sweep_of_the_captured_variance(eigenvalues, noise_variance, betas):
    """The distortion is what the latents describe, not what is left."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), (eigenvalues - left).sum(axis=1) / (2 * noise_variance)


def sweep_with_the_constant(eigenvalues, noise_variance, betas):
    """The distortion contains the constant D/2 · log(2πσ²)."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    constant = len(eigenvalues) / 2 * np.log(2 * np.pi * noise_variance)
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance) + constant


def sweep_of_the_loss(eigenvalues, noise_variance, betas):
    """The second result is the loss D + βR."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    rate, distortion = rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)
    return rate, distortion + np.asarray(betas) * rate


def sweep_with_the_cost_of_the_rate(eigenvalues, noise_variance, betas):
    """The first result is βR, not R."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return np.asarray(betas) * rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_with_mean_rates(eigenvalues, noise_variance, betas):
    """The rate is the mean over the latents, the distortion is a sum."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.mean(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_with_mean_distortions(eigenvalues, noise_variance, betas):
    """The distortion is the mean over the directions, the rate is a sum."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), left.mean(axis=1) / (2 * noise_variance)


def sweep_with_two_means(eigenvalues, noise_variance, betas):
    """Both are means over the directions, not sums."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.mean(axis=1), left.mean(axis=1) / (2 * noise_variance)


def sweep_of_each_direction(eigenvalues, noise_variance, betas):
    """Both are (n, D): the sums over the eigenvalues are missing."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate, left / (2 * noise_variance)


def sweep_along_the_wrong_axis(eigenvalues, noise_variance, betas):
    """The sums are over the prices, so there is a number for each eigenvalue."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=0), left.sum(axis=0) / (2 * noise_variance)


def sweep_over_everything(eigenvalues, noise_variance, betas):
    """The sums are over eigenvalues and prices: two numbers."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(), left.sum() / (2 * noise_variance)


def sweep_of_the_first_price(eigenvalues, noise_variance, betas):
    """The return is inside the loop, so only the first price is done."""
    rate, left = costs(eigenvalues, noise_variance, betas[:1])
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_of_the_last_price_everywhere(eigenvalues, noise_variance, betas):
    """All entries are those of the last price."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    n = len(rate)
    return np.full(n, rate[-1].sum()), np.full(n, left[-1].sum() / (2 * noise_variance))


def sweep_without_the_last_price(eigenvalues, noise_variance, betas):
    """The last entry stays 0: the loop ends one too early."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    rate[-1:], left[-1:] = 0, 0
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_divided_by_the_number_of_prices(eigenvalues, noise_variance, betas):
    """Both results are divided by n, as if they were means over the prices."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    n = len(betas)
    return rate.sum(axis=1) / n, left.sum(axis=1) / (2 * noise_variance) / n


def sweep_with_distortions_divided_by_prices(eigenvalues, noise_variance, betas):
    """The distortion is divided by n, the rate is right."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance * len(betas))


def sweep_never_set_back(eigenvalues, noise_variance, betas):
    """The sums are not set back to 0 for the next price, so they grow from price to price."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1).cumsum(), (left.sum(axis=1) / (2 * noise_variance)).cumsum()


def sweep_in_pairs(eigenvalues, noise_variance, betas):
    """It is an array (n, 2) of pairs, not two results."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return np.stack([rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)], axis=1)


def sweep_of_sorted_prices(eigenvalues, noise_variance, betas):
    """The prices are sorted first, so the results are in another order."""
    rate, left = costs(eigenvalues, noise_variance, np.sort(betas))
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_of_prices_turned_around(eigenvalues, noise_variance, betas):
    """The results begin with the last price."""
    rate, left = costs(eigenvalues, noise_variance, betas[::-1])
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_until_the_first_off(eigenvalues, noise_variance, betas):
    """The loop over the eigenvalues stops at the first one whose latent is off."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    on = np.cumprod(rate > 0, axis=1)
    return (on * rate).sum(axis=1), (on * left).sum(axis=1) / (2 * noise_variance)


def sweep_with_the_maximum_outside(eigenvalues, noise_variance, betas):
    """The maximum with 0 is taken after the sum over the eigenvalues, not before."""
    _, left = costs(eigenvalues, noise_variance, betas)
    ratio = eigenvalues / (np.asarray(betas)[:, None] * noise_variance)
    with np.errstate(divide="ignore"):
        rate = np.maximum(0.5 * np.log(ratio).sum(axis=1), 0)
    return rate, left.sum(axis=1) / (2 * noise_variance)


def sweep_with_the_rate_of_the_total(eigenvalues, noise_variance, betas):
    """It adds up the eigenvalues before the logarithm and the minimum."""
    rate, left = costs(eigenvalues.sum(keepdims=True), noise_variance, betas)
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_of_the_largest_eigenvalue(eigenvalues, noise_variance, betas):
    """Only the largest eigenvalue is used."""
    rate, left = costs(eigenvalues.max(keepdims=True), noise_variance, betas)
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_scales_the_prices(eigenvalues, noise_variance, betas):
    """It multiplies the prices by σ² in place."""
    betas *= noise_variance
    left = np.minimum(eigenvalues, betas[:, None])
    rate = 0.5 * np.log(np.maximum(eigenvalues / betas[:, None], 1)).sum(axis=1)
    return rate, left.sum(axis=1) / (2 * noise_variance)


def sweep_in_integers(eigenvalues, noise_variance, betas):
    """The results are written into arrays of integers."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1).astype(int), (left.sum(axis=1) / (2 * noise_variance)).astype(int)


def sweep_with_rates_in_bits(eigenvalues, noise_variance, betas):
    """The rate is in bits."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1) / np.log(2), left.sum(axis=1) / (2 * noise_variance)


def sweep_with_twice_the_rate(eigenvalues, noise_variance, betas):
    """The rate lacks its ½."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return 2 * rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_at_the_price_one(eigenvalues, noise_variance, betas):
    """The rate is that of β = 1 for all prices."""
    _, left = costs(eigenvalues, noise_variance, betas)
    rate, _ = costs(eigenvalues, noise_variance, np.ones(len(left)))
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_of_the_root_error(eigenvalues, noise_variance, betas):
    """The distortion is made from the root of the squared error."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), np.sqrt(left).sum(axis=1) / (2 * noise_variance)


def sweep_as_a_dictionary(eigenvalues, noise_variance, betas):
    """It is a dictionary with the entries rate and distortion."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return {"rate": rate.sum(axis=1), "distortion": left.sum(axis=1) / (2 * noise_variance)}


# 13 a tighter bound


def log_mean_exp_backward_over_the_images(log_w):
    """The shares of each draw add up to 1 over the images, not over the draws."""
    return softmax(log_w, axis=0)


def log_mean_exp_backward_over_everything(log_w):
    """It divides by the sum of all weights, so the whole array adds up to 1."""
    return softmax(log_w)


def log_mean_exp_backward_with_overflow(log_w):
    """The largest is not subtracted, so e^800 is inf."""
    with np.errstate(all="ignore"):
        return np.exp(log_w) / np.exp(log_w).sum(axis=1, keepdims=True)


def log_mean_exp_backward_with_one_largest(log_w):
    """The largest of the whole array is subtracted, so images far below it give 0/0."""
    with np.errstate(all="ignore"):
        w = np.exp(log_w - log_w.max())
        return w / w.sum(axis=1, keepdims=True)


def log_mean_exp_backward_with_the_mean_subtracted(log_w):
    """The mean of each row is subtracted, not the largest: far apart weights overflow."""
    with np.errstate(all="ignore"):
        w = np.exp(log_w - log_w.mean(axis=1, keepdims=True))
        return w / w.sum(axis=1, keepdims=True)


def log_mean_exp_backward_with_the_smallest_subtracted(log_w):
    """The smallest of each row is subtracted, so weights that are far apart overflow."""
    with np.errstate(all="ignore"):
        w = np.exp(log_w - log_w.min(axis=1, keepdims=True))
        return w / w.sum(axis=1, keepdims=True)


def log_mean_exp_backward_with_the_largest_of_the_column(log_w):
    """The largest of each column is subtracted, which does not cancel in a row."""
    w = np.exp(log_w - log_w.max(axis=0))
    return w / np.maximum(w.sum(axis=1, keepdims=True), 1e-300)


def log_mean_exp_backward_with_a_fixed_shift(log_w):
    """800 is subtracted from everything, so small weights vanish."""
    with np.errstate(all="ignore"):
        w = np.exp(log_w - 800)
        return w / w.sum(axis=1, keepdims=True)


def log_mean_exp_backward_clipped(log_w):
    """The log weights are clipped to ±700, so that nothing overflows."""
    w = np.exp(np.clip(log_w, -700, 700))
    return w / w.sum(axis=1, keepdims=True)


def log_mean_exp_backward_with_a_small_number(log_w):
    """0.000001 is added to the sum of the weights, whose largest is 1."""
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    return w / (w.sum(axis=1, keepdims=True) + 1e-6)


def log_mean_exp_backward_divided_by_k(log_w):
    """It has a factor 1/k, which should cancel."""
    return softmax(log_w, axis=1) / log_w.shape[1]


def log_mean_exp_backward_by_the_mean(log_w):
    """It divides by the mean of the weights, not by their sum."""
    return softmax(log_w, axis=1) * log_w.shape[1]


def log_mean_exp_backward_of_the_mean_over_images(log_w):
    """It has a factor 1/B, as if the result were the mean over the images."""
    return softmax(log_w, axis=1) / len(log_w)


def log_mean_exp_backward_of_the_loss(log_w):
    """It has a minus sign, as in the loss."""
    return -softmax(log_w, axis=1)


def log_mean_exp_backward_is_the_value(log_w):
    """It is log 1/k Σ w itself, (B,), not its gradient."""
    return np.logaddexp.reduce(log_w, axis=1) - np.log(log_w.shape[1])


def log_mean_exp_backward_in_logarithms(log_w):
    """It is the logarithm of the shares."""
    return log_w - np.logaddexp.reduce(log_w, axis=1)[:, None]


def log_mean_exp_backward_not_normalized(log_w):
    """It is w divided by the largest of the row, not by the sum."""
    return np.exp(log_w - log_w.max(axis=1, keepdims=True))


def log_mean_exp_backward_by_w(log_w):
    """It is the gradient by w, 1/Σ w, divided by the largest weight; the factor w is missing."""
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    return np.ones(w.shape) / w.sum(axis=1, keepdims=True)


def log_mean_exp_backward_without_keepdims(log_w):
    """The sums of the rows are not a column, so a square array is divided along columns."""
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    return w / w.sum(axis=1)


def log_mean_exp_backward_transposes(log_w):
    """It is (k, B)."""
    return softmax(log_w.T, axis=0)


def log_mean_exp_backward_of_squared_weights(log_w):
    """It has the shares of w²."""
    return softmax(2 * log_w, axis=1)


def log_mean_exp_backward_of_the_softmax(log_w):
    """It is share (1 − share), the slope of the softmax."""
    share = softmax(log_w, axis=1)
    return share * (1 - share)


def log_mean_exp_backward_of_the_largest(log_w):
    """The largest weight has the share 1, the others 0."""
    return 1.0 * (log_w == log_w.max(axis=1, keepdims=True))


def log_mean_exp_backward_of_the_elbo(log_w):
    """All shares are 1/k, as for the mean of log w."""
    return np.full(log_w.shape, 1 / log_w.shape[1])


def log_mean_exp_backward_of_plain_ratios(log_w):
    """It divides log w by the sum of the log w, without exp."""
    total = log_w.sum(axis=1, keepdims=True)
    return log_w / np.where(total == 0, 1, total)


def log_mean_exp_backward_subtracts_in_place(log_w):
    """It subtracts the largest from its argument itself."""
    log_w -= log_w.max(axis=1, keepdims=True)
    return np.exp(log_w) / np.exp(log_w).sum(axis=1, keepdims=True)


def log_mean_exp_backward_without_small_shares(log_w):
    """Shares below 0.001 are set to 0."""
    share = softmax(log_w, axis=1)
    return np.where(share < 1e-3, 0, share)


def log_mean_exp_backward_drops_the_axis_of_one_image(log_w):
    """One image gives (k,), not (1, k)."""
    return softmax(log_w, axis=1).squeeze()


def log_mean_exp_backward_of_the_first_image(log_w):
    """All rows are that of the first image."""
    return np.tile(softmax(log_w[0]), (len(log_w), 1))


def log_mean_exp_backward_without_the_last_draw(log_w):
    """The sum of the weights lacks the last draw, if there are several."""
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    total = w[:, :-1].sum(axis=1, keepdims=True) if w.shape[1] > 1 else w
    return w / np.maximum(total, 1e-300)


def log_mean_exp_backward_with_powers_of_two(log_w):
    """It takes powers of two, not of e."""
    w = np.exp2(log_w - log_w.max(axis=1, keepdims=True))
    return w / w.sum(axis=1, keepdims=True)


def terms(t):
    """log p(x|z), log p(z) and log q(z|x) of each row, without log 2π."""
    log_p_z = -0.5 * (t["z"] ** 2).sum(axis=1)
    log_q = -0.5 * (t["logvar"] + t["eps"] ** 2).sum(axis=1)
    return -cross_entropy(t["logits"], t["target"]), log_p_z, log_q


def log_weights_against_x(t):
    """The cross-entropy is against x, not against the target."""
    _, log_p_z, log_q = terms(t)
    return log_p_z - log_q - cross_entropy(t["logits"], t["x"])


def log_weights_with_the_closed_form(t):
    """It subtracts the KL in closed form: the ELBO of each row."""
    return terms(t)[0] - kl_divergence(t["mu"], t["logvar"])


def log_weights_with_q_added(t):
    """log q is added, not subtracted."""
    return sum(terms(t))


def log_weights_with_the_prior_subtracted(t):
    """log p(z) is subtracted and log q is added."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x - log_p_z + log_q


def log_weights_without_the_prior(t):
    """log p(z) is missing."""
    log_p_x, _, log_q = terms(t)
    return log_p_x - log_q


def log_weights_without_q(t):
    """log q is missing."""
    log_p_x, log_p_z, _ = terms(t)
    return log_p_x + log_p_z


def log_weights_without_the_pixels(t):
    """log p(x|z) is missing."""
    _, log_p_z, log_q = terms(t)
    return log_p_z - log_q


def log_weights_of_the_pixels_alone(t):
    """It is log p(x|z); the prior and q are missing."""
    return terms(t)[0]


def log_weights_without_logvar(t):
    """log q lacks −½ logvar."""
    log_p_x, log_p_z, _ = terms(t)
    return log_p_x + log_p_z + 0.5 * (t["eps"] ** 2).sum(axis=1)


def log_weights_without_eps(t):
    """log q lacks −½ eps²."""
    log_p_x, log_p_z, _ = terms(t)
    return log_p_x + log_p_z + 0.5 * t["logvar"].sum(axis=1)


def log_weights_with_logvar_as_log_sigma(t):
    """log q has −logvar, as if it were log σ."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x + log_p_z - log_q + 0.5 * t["logvar"].sum(axis=1)


def log_weights_with_the_sign_of_logvar_wrong(t):
    """log q has +½ logvar."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x + log_p_z - log_q - t["logvar"].sum(axis=1)


def log_weights_with_the_variance_in_place_of_its_log(t):
    """log q has −½ exp(logvar) where it should have −½ logvar."""
    log_p_x, log_p_z, _ = terms(t)
    return log_p_x + log_p_z + 0.5 * (np.exp(t["logvar"]) + t["eps"] ** 2).sum(axis=1)


def log_weights_with_sigma_in_place_of_the_variance(t):
    """(z − mu)² is divided by σ, not by σ²."""
    log_p_x, log_p_z, _ = terms(t)
    squares = (t["z"] - t["mu"]) ** 2 / np.exp(t["logvar"] / 2)
    return log_p_x + log_p_z + 0.5 * (t["logvar"] + squares).sum(axis=1)


def log_weights_with_q_at_zero(t):
    """log q has z²/σ²; mu is not subtracted."""
    log_p_x, log_p_z, _ = terms(t)
    return log_p_x + log_p_z + 0.5 * (t["logvar"] + t["z"] ** 2 / np.exp(t["logvar"])).sum(axis=1)


def log_weights_with_the_constant_once(t):
    """log p(z) has −½ log 2π for each latent, log q has not."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x + log_p_z - log_q - 0.5 * np.log(2 * np.pi) * t["z"].shape[1]


def log_weights_without_halves(t):
    """The three terms of the latents lack their ½."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x + 2 * (log_p_z - log_q)


def log_weights_without_half_in_the_prior(t):
    """log p(z) is −Σ z², without the ½."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x + 2 * log_p_z - log_q


def log_weights_with_the_mean_over_the_pixels(t):
    """The cross-entropy is the mean over the pixels."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x / t["logits"].shape[1] + log_p_z - log_q


def log_weights_with_the_mean_over_the_latents(t):
    """The terms of the latents are means, not sums."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x + (log_p_z - log_q) / t["z"].shape[1]


def log_weights_of_the_first_latent(t):
    """Only the first latent is used."""
    return (
        terms({**t, **{n: t[n][:, :1] for n in ("z", "eps", "logvar")}})[0]
        + 0.5 * (t["eps"] ** 2 + t["logvar"] - t["z"] ** 2)[:, 0]
    )


def log_weights_with_squared_errors(t):
    """log p(x|z) is −½ Σ (x − σ(l))², as for normal pixels."""
    _, log_p_z, log_q = terms(t)
    return log_p_z - log_q - 0.5 * ((t["target"] - sigmoid(t["logits"])) ** 2).sum(axis=1)


def log_weights_with_clipped_probabilities(t):
    """The pixels' probabilities are clipped to 0.01 and 0.99."""
    _, log_p_z, log_q = terms(t)
    p, x = np.clip(sigmoid(t["logits"]), 0.01, 0.99), t["target"]
    return (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1) + log_p_z - log_q


def log_weights_with_probabilities_clipped_as_usual(t):
    """The pixels' probabilities are clipped to 1e-7 and 1 − 1e-7."""
    _, log_p_z, log_q = terms(t)
    p, x = np.clip(sigmoid(t["logits"]), 1e-7, 1 - 1e-7), t["target"]
    return (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1) + log_p_z - log_q


def log_weights_with_the_log_of_sigmoid(t):
    """It takes log(1 − σ(l)), which is −∞ for a logit of 40."""
    _, log_p_z, log_q = terms(t)
    p, x = sigmoid(t["logits"]), t["target"]
    with np.errstate(all="ignore"):
        return (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1) + log_p_z - log_q


def log_weights_with_softplus_overflow(t):
    """softplus is log(1 + eˡ), which is infinite for a logit of 800."""
    _, log_p_z, log_q = terms(t)
    l = t["logits"]
    with np.errstate(all="ignore"):
        return (t["target"] * l - np.log(1 + np.exp(l))).sum(axis=1) + log_p_z - log_q


def log_weights_of_ones_only(t):
    """log p(x|z) is Σ x log σ(l); the term with 1 − x is missing."""
    _, log_p_z, log_q = terms(t)
    return (t["target"] * log_expit(t["logits"])).sum(axis=1) + log_p_z - log_q


def log_weights_of_negatives(t):
    """x and 1 − x are exchanged in the cross-entropy."""
    _, log_p_z, log_q = terms(t)
    return log_p_z - log_q - cross_entropy(t["logits"], 1 - t["target"])


def log_weights_of_negatives_with_normal_densities(t):
    """x and 1 − x are exchanged; log q is right, and computed from z and mu."""
    log_q = norm.logpdf(t["z"], t["mu"], np.exp(t["logvar"] / 2)).sum(axis=1)
    log_p_x = -cross_entropy(t["logits"], 1 - t["target"])
    return log_p_x + norm.logpdf(t["z"]).sum(axis=1) - log_q


def log_weights_with_the_prior_twice(t):
    """log p(z) is added twice."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x + log_p_z + log_p_z - log_q


def log_weights_with_softplus_alone(t):
    """log p(x|z) lacks the term x l."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x - (t["target"] * t["logits"]).sum(axis=1) + log_p_z - log_q


def log_weights_with_cross_entropy_added(t):
    """The cross-entropy is added, not subtracted."""
    log_p_x, log_p_z, log_q = terms(t)
    return -log_p_x + log_p_z - log_q


def log_weights_at_the_mean(t):
    """log p(z) is taken at mu, not at z."""
    log_p_x, _, log_q = terms(t)
    return log_p_x - 0.5 * (t["mu"] ** 2).sum(axis=1) - log_q


def log_weights_of_the_noise(t):
    """log p(z) is taken at eps, so it cancels with a part of log q."""
    log_p_x, _, _ = terms(t)
    return log_p_x + 0.5 * t["logvar"].sum(axis=1)


def log_weights_with_its_own_z(t):
    """z is mu + exp(logvar) eps, made anew with the variance as σ."""
    log_p_x, _, log_q = terms(t)
    z = t["mu"] + np.exp(t["logvar"]) * t["eps"]
    return log_p_x - 0.5 * (z**2).sum(axis=1) - log_q


def log_weights_with_new_noise(t):
    """eps is drawn anew, so it does not belong to z."""
    return terms({**t, "eps": np.random.standard_normal(t["eps"].shape)})[0] + 0.5 * (
        np.random.standard_normal(t["eps"].shape) ** 2 + t["logvar"] - t["z"] ** 2
    ).sum(axis=1)


def log_weights_without_logarithm(t):
    """It is w, not log w."""
    log_p_x, log_p_z, log_q = terms(t)
    return np.exp(log_p_x + log_p_z - log_q)


def log_weights_as_losses(t):
    """It is −log w."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_q - log_p_x - log_p_z


def log_weights_in_total(t):
    """It is the sum over the rows, one number."""
    log_p_x, log_p_z, log_q = terms(t)
    return (log_p_x + log_p_z - log_q).sum()


def log_weights_less_the_largest(t):
    """The largest of the log weights is subtracted already."""
    log_p_x, log_p_z, log_q = terms(t)
    log_w = log_p_x + log_p_z - log_q
    return log_w - log_w.max()


def log_weights_as_a_column(t):
    """It is (rows, 1)."""
    log_p_x, log_p_z, log_q = terms(t)
    return (log_p_x + log_p_z - log_q)[:, None]


def log_weights_along_the_rows(t):
    """The sums over the latents are over all rows too, the same number for each row."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x + (log_p_z - log_q).sum()


def log_weights_kept_in_the_pass(t):
    """The result is right, but it is also written into t."""
    log_p_x, log_p_z, log_q = terms(t)
    t["log_w"] = log_p_x + log_p_z - log_q
    return t["log_w"]


def passed(theta, x, eps):
    """The forward pass of all rows, and the shares (B, k) of each image, which add up to 1."""
    B, k, Z = eps.shape
    t = forward(theta, np.repeat(x, k, axis=0), eps.reshape(B * k, Z))
    return t, softmax(log_w_of(t).reshape(B, k), axis=1)


def log_w_of(t):
    """The right log weights."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x + log_p_z - log_q


def gradients(theta, t, share, prior=1.0, entropy=-0.5, **keywords):
    """The gradient of Σ share · (−log w), with factors for the two direct parts."""
    column = np.reshape(share, (-1, 1))

    def sample(dz, logvar, eps):
        return reparameterize_backward(dz + prior * column * t["z"], logvar, eps)

    def latents(mu, logvar):
        return np.zeros_like(mu), np.full_like(logvar, entropy)

    return backward(theta, t, **{"share": column, "sample": sample, "latents": latents, **keywords})


def iwae_step_with_tiled_images(theta, s, x, eps, lr=1e-3):
    """The images are tiled x₁, x₂, …, x₁, x₂, …, so they do not match the rows of eps."""
    B, k, Z = eps.shape
    t = forward(theta, np.tile(x, (k, 1)), eps.reshape(B * k, Z))
    share = softmax(log_w_of(t).reshape(B, k), axis=1) / B
    return stepped(theta, s, gradients(theta, t, share), lr)


def iwae_step_with_noise_of_other_images(theta, s, x, eps, lr=1e-3):
    """The axes of eps are exchanged before it is reshaped, those of x are not."""
    B, k, Z = eps.shape
    t = forward(theta, np.repeat(x, k, axis=0), eps.swapaxes(0, 1).reshape(B * k, Z))
    share = softmax(log_w_of(t).reshape(B, k), axis=1) / B
    return stepped(theta, s, gradients(theta, t, share), lr)


def iwae_step_with_mixed_groups(theta, s, x, eps, lr=1e-3):
    """The log weights are reshaped to (k, B), so draws of several images share a group."""
    B, k, Z = eps.shape
    t = forward(theta, np.repeat(x, k, axis=0), eps.reshape(B * k, Z))
    share = softmax(log_w_of(t).reshape(k, B), axis=0) / B
    return stepped(theta, s, gradients(theta, t, share), lr)


def iwae_step_with_shares_over_the_images(theta, s, x, eps, lr=1e-3):
    """The shares add up to 1 over the images, not over the draws."""
    B, k, _Z = eps.shape
    t, _ = passed(theta, x, eps)
    share = softmax(log_w_of(t).reshape(B, k), axis=0) / B
    return stepped(theta, s, gradients(theta, t, share), lr)


def iwae_step_with_shares_of_the_whole_batch(theta, s, x, eps, lr=1e-3):
    """The shares add up to 1 over the whole batch, without 1/B."""
    t, _ = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, softmax(log_w_of(t))), lr)


def iwae_step_on_the_sum(theta, s, x, eps, lr=1e-3):
    """The factor 1/B is missing."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share), lr)


def iwae_step_divided_by_rows(theta, s, x, eps, lr=1e-3):
    """The shares are divided by the number of rows, B k, not by B."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / share.size), lr)


def iwae_step_on_the_elbo(theta, s, x, eps, lr=1e-3):
    """All shares are 1/k: it is a step on the ELBO with k draws."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, np.full(share.size, 1 / share.size)), lr)


def iwae_step_on_the_elbo_with_the_closed_form(theta, s, x, eps, lr=1e-3):
    """It is a step of the usual VAE with k draws and the KL in closed form."""
    t, _ = passed(theta, x, eps)
    return stepped(theta, s, backward(theta, t), lr)


def iwae_step_with_weighted_closed_form(theta, s, x, eps, lr=1e-3):
    """The shares are right, but the direct parts are those of the KL in closed form."""
    t, share = passed(theta, x, eps)
    grad = backward(theta, t, share=share.reshape(-1, 1) / len(x), latents=kl_backward)
    return stepped(theta, s, grad, lr)


def iwae_step_without_the_prior(theta, s, x, eps, lr=1e-3):
    """The direct part of dz is missing."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x), prior=0.0), lr)


def iwae_step_with_the_prior_downhill(theta, s, x, eps, lr=1e-3):
    """The direct part of dz has the wrong sign."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x), prior=-1.0), lr)


def iwae_step_without_log_q(theta, s, x, eps, lr=1e-3):
    """The direct part of dlogvar is missing."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x), entropy=0.0), lr)


def iwae_step_with_log_q_upside_down(theta, s, x, eps, lr=1e-3):
    """The direct part of dlogvar is +½ share."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x), entropy=0.5), lr)


def iwae_step_without_half_in_log_q(theta, s, x, eps, lr=1e-3):
    """The direct part of dlogvar is −share, without the ½."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x), entropy=-1.0), lr)


def iwae_step_with_direct_parts_not_shared(theta, s, x, eps, lr=1e-3):
    """The direct parts of z and logvar have 1/(B k), not the share."""
    t, share = passed(theta, x, eps)
    even = np.full((share.size, 1), 1 / share.size)

    def sample(dz, logvar, eps):
        return reparameterize_backward(dz + even * t["z"], logvar, eps)

    column = share.reshape(-1, 1) / len(x)
    return stepped(theta, s, backward(
        theta, t, share=column, sample=sample,
        latents=lambda mu, logvar: (0 * mu, -0.5 * even / column + 0 * logvar)), lr)  # fmt: skip


def iwae_step_with_pixels_not_shared(theta, s, x, eps, lr=1e-3):
    """dlogits has 1/(B k), not the share."""
    t, share = passed(theta, x, eps)
    column = share.reshape(-1, 1)

    def pixels(logits, target):
        return (sigmoid(logits) - target) / column / column.size * len(x)

    return stepped(theta, s, gradients(theta, t, share / len(x), pixels=pixels), lr)


def iwae_step_with_logits_twice_shared(theta, s, x, eps, lr=1e-3):
    """dlogits is multiplied by the share twice."""
    t, share = passed(theta, x, eps)
    column = share.reshape(-1, 1)

    def pixels(logits, target):
        return column * (sigmoid(logits) - target)

    return stepped(theta, s, gradients(theta, t, share / len(x), pixels=pixels), lr)


def iwae_step_with_squared_shares(theta, s, x, eps, lr=1e-3):
    """It has the squares of the shares everywhere."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share**2 / len(x)), lr)


def iwae_step_with_squared_shares_in_the_encoder(theta, s, x, eps, lr=1e-3):
    """The encoder has squared shares and no direct dlogvar: another estimator of its gradient."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x))
    encoder = gradients(theta, t, share**2 / len(x), entropy=0.0)
    for name in ("W_h1", "b_h1", "W_mu", "b_mu", "W_logvar", "b_logvar"):
        grad[name] = encoder[name]
    return stepped(theta, s, grad, lr)


def iwae_step_with_the_largest_draw(theta, s, x, eps, lr=1e-3):
    """The draw with the largest weight has the share 1, the others 0."""
    t, share = passed(theta, x, eps)
    best = 1.0 * (share == share.max(axis=1, keepdims=True))
    return stepped(theta, s, gradients(theta, t, best / len(x)), lr)


def iwae_step_with_shares_of_the_pixels(theta, s, x, eps, lr=1e-3):
    """The shares come from log p(x|z) alone."""
    t, share = passed(theta, x, eps)
    share = softmax(terms(t)[0].reshape(share.shape), axis=1)
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)


def iwae_step_with_shares_upside_down(theta, s, x, eps, lr=1e-3):
    """The shares are those of 1/w: the sign of log w is wrong."""
    t, share = passed(theta, x, eps)
    share = softmax(-log_w_of(t).reshape(share.shape), axis=1)
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)


def iwae_step_with_weights_not_normalized(theta, s, x, eps, lr=1e-3):
    """The weights are divided by the largest, not by their sum."""
    t, share = passed(theta, x, eps)
    w = share / share.max(axis=1, keepdims=True)
    return stepped(theta, s, gradients(theta, t, w / len(x)), lr)


def iwae_step_with_underflow(theta, s, x, eps, lr=1e-3):
    """The weights are exp(log w) and 0.00000001 is added to their sum, so small ones vanish."""
    B, k, _ = eps.shape
    t, _ = passed(theta, x, eps)
    w = np.exp(log_w_of(t)).reshape(B, k)
    return stepped(theta, s, gradients(theta, t, w / (w.sum(1, keepdims=True) + 1e-8) / B), lr)


def iwae_step_without_the_largest_subtracted(theta, s, x, eps, lr=1e-3):
    """The shares are exp(log w) divided by their sum, which is 0/0 if there are many pixels."""
    B, k, _ = eps.shape
    t, _ = passed(theta, x, eps)
    with np.errstate(all="ignore"):
        w = np.exp(log_w_of(t)).reshape(B, k)
        return stepped(theta, s, gradients(theta, t, w / w.sum(axis=1, keepdims=True) / B), lr)


def iwae_step_of_the_first_draw(theta, s, x, eps, lr=1e-3):
    """Only the first draw of each image is used."""
    t, share = passed(theta, x, eps[:, :1])
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)


def iwae_step_of_the_mean_noise(theta, s, x, eps, lr=1e-3):
    """The draws are averaged first, so k is 1."""
    t, share = passed(theta, x, eps.mean(axis=1, keepdims=True))
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)


def iwae_step_of_the_first_noise_for_all_images(theta, s, x, eps, lr=1e-3):
    """All images get the noise of the first one."""
    t, share = passed(theta, x, np.repeat(eps[:1], len(x), axis=0))
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)


def iwae_step_with_new_noise(theta, s, x, eps, lr=1e-3):
    """It draws noise of its own."""
    t, share = passed(theta, x, np.random.standard_normal(eps.shape))
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)


def iwae_step_uphill(theta, s, x, eps, lr=1e-3):
    """The loss gets larger: theta is moved along the gradient, not against it."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x)), -lr)


def iwae_step_with_another_default(theta, s, x, eps, lr=1e-2):
    """The default of lr is 1e-2; it is 1e-3 in the exercise."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)


def iwae_step_with_lr_ignored(theta, s, x, eps, lr=1e-3):
    """The argument lr is not used; it is always 0.001."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x)), 1e-3)


def iwae_step_of_plain_descent(theta, s, x, eps, lr=1e-3):
    """s is right, but theta moves by lr times the gradient, without the root of s."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x))
    _, new_s = stepped(theta, s, grad, lr)
    return {name: theta[name] - lr * grad[name] for name in theta}, new_s


def iwae_step_with_the_old_s_in_theta(theta, s, x, eps, lr=1e-3):
    """theta is moved with the old s; the new one is only returned."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x))
    _, new_s = stepped(theta, s, grad, lr)
    return {n: theta[n] - lr * grad[n] / (np.sqrt(s[n]) + 1e-7) for n in theta}, new_s


def iwae_step_with_another_epsilon(theta, s, x, eps, lr=1e-3):
    """It divides by √s + 1e-8, not by √s + 1e-7."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x))
    s = {n: 0.9 * s[n] + 0.1 * grad[n] ** 2 for n in theta}
    return {n: theta[n] - lr * grad[n] / (np.sqrt(s[n]) + 1e-8) for n in theta}, s


def iwae_step_with_epsilon_in_the_root(theta, s, x, eps, lr=1e-3):
    """1e-7 is added to s, not to its root."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x))
    s = {n: 0.9 * s[n] + 0.1 * grad[n] ** 2 for n in theta}
    return {n: theta[n] - lr * grad[n] / np.sqrt(s[n] + 1e-7) for n in theta}, s


def iwae_step_with_weights_of_s_exchanged(theta, s, x, eps, lr=1e-3):
    """The running mean is 0.1 s + 0.9 g²."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x))
    s = {n: 0.1 * s[n] + 0.9 * grad[n] ** 2 for n in theta}
    return {n: theta[n] - lr * grad[n] / (np.sqrt(s[n]) + 1e-7) for n in theta}, s


def iwae_step_returns_the_old_s(theta, s, x, eps, lr=1e-3):
    """theta is right, but s is returned as it was."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)[0], dict(s)


def iwae_step_returns_the_gradient(theta, s, x, eps, lr=1e-3):
    """The second result is the gradient, not s."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x))
    return stepped(theta, s, grad, lr)[0], grad


def iwae_step_returns_s_first(theta, s, x, eps, lr=1e-3):
    """The results are in the wrong order: s, theta."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)[::-1]


def iwae_step_writes_into_theta(theta, s, x, eps, lr=1e-3):
    """It puts the new arrays into the dictionaries that it was given."""
    t, share = passed(theta, x, eps)
    new_theta, new_s = stepped(theta, s, gradients(theta, t, share / len(x)), lr)
    theta.update(new_theta)
    s.update(new_s)
    return theta, s


def iwae_step_changes_the_arrays(theta, s, x, eps, lr=1e-3):
    """It subtracts the step from the arrays of theta in place."""
    t, share = passed(theta, x, eps)
    new_s = {}
    for name, g in gradients(theta, t, share / len(x)).items():
        new_s[name] = 0.9 * s[name] + 0.1 * g**2
        theta[name] -= lr * g / (np.sqrt(new_s[name]) + 1e-7)
    return theta, new_s


def iwae_step_without_biases(theta, s, x, eps, lr=1e-3):
    """The biases and their s stay as they were."""
    t, share = passed(theta, x, eps)
    new = stepped(theta, s, gradients(theta, t, share / len(x)), lr)
    return tuple({n: (after if n[0] == "W" else before)[n] for n in theta}
                 for before, after in zip((theta, s), new))  # fmt: skip


def iwae_step_image_after_image(theta, s, x, eps, lr=1e-3):
    """It makes a step for each image, one after the other."""
    for image, noise in zip(x, eps):
        t, share = passed(theta, image[None], noise[None])
        theta, s = stepped(theta, s, gradients(theta, t, share), lr)
    return theta, s


def iwae_step_draw_after_draw(theta, s, x, eps, lr=1e-3):
    """It makes a step for each draw, one after the other, with the shares of the beginning."""
    _, share = passed(theta, x, eps)
    for i in range(eps.shape[1]):
        t = forward(theta, x, eps[:, i])
        theta, s = stepped(theta, s, gradients(theta, t, share[:, i] / len(x)), lr)
    return theta, s


def iwae_step_with_binary_targets(theta, s, x, eps, lr=1e-3):
    """The target is x rounded to 0 and 1."""
    B, k, _ = eps.shape
    t, _ = passed(theta, x, eps)
    t["target"] = 1.0 * (t["x"] > 0.5)
    share = softmax(log_w_of(t).reshape(B, k), axis=1)
    return stepped(theta, s, gradients(theta, t, share / B), lr)


def iwae_step_without_a_relu_mask(theta, s, x, eps, lr=1e-3):
    """The gradient passes the relu of g without a mask."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x), relu_g=lambda dy, y: dy)
    return stepped(theta, s, grad, lr)


def iwae_step_with_the_relu_mask_of_the_other_layer(theta, s, x, eps, lr=1e-3):
    """The mask of h is used for g."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x), relu_g=lambda dy, y: relu_backward(dy, t["h"]))
    return stepped(theta, s, grad, lr)


def iwae_step_without_the_path_of_mu(theta, s, x, eps, lr=1e-3):
    """The gradient of h comes from logvar alone; that from mu is missing."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x), into_h=lambda dh_mu, dh_logvar: dh_logvar)
    return stepped(theta, s, grad, lr)


def iwae_step_of_the_first_image(theta, s, x, eps, lr=1e-3):
    """Only the first image is used."""
    t, share = passed(theta, x[:1], eps[:1])
    return stepped(theta, s, gradients(theta, t, share), lr)


def iwae_step_with_mean_shares(theta, s, x, eps, lr=1e-3):
    """The shares of all images are averaged, and each image gets the mean."""
    t, share = passed(theta, x, eps)
    mean = np.repeat(share.mean(axis=0, keepdims=True), len(x), axis=0)
    return stepped(theta, s, gradients(theta, t, mean / len(x)), lr)


NAMED: dict[str, str] = {
    "aggregate_grid_with_meshgrid_in_xy": (
        "It is transposed: z₁ runs along the first axis of the array."
    ),
    "aggregate_grid_without_the_mean": "This is the sum over the images; divide by N.",
    "aggregate_grid_with_the_variance_as_sigma": "σ is exp(logvar / 2), not exp(logvar).",
    "aggregate_grid_without_two_pi": "The factor 1/2π is missing.",
    "aggregate_grid_with_the_root_only_once": (
        "The factor is 1/√2π for each latent, so 1/2π for both."
    ),
    "aggregate_grid_without_half_in_the_exponent": "The ½ in the exponent is missing.",
    "aggregate_grid_as_probabilities": (
        "This sums to 1; for a density, it is the sum times Δ² that is 1."
    ),
    "aggregate_grid_as_masses": "This is multiplied by Δ²; a density is not.",
    "aggregate_grid_from_the_marginals": (
        "This is the product of two means; take the mean of the products. The latents of "
        "one image are independent, those of all images are not."
    ),
    "kl_parts_in_the_wrong_order": "The parts are exchanged: return information, distance.",
    "kl_parts_with_the_whole_kl": "This is the mean KL itself; subtract the distance.",
    "kl_parts_with_a_sum_of_both": "The distance is added to the mean KL; subtract it.",
    "kl_parts_with_the_reverse_difference": (
        "The sign is flipped: it is the mean KL minus the distance."
    ),
    "kl_parts_with_the_sum_over_the_images": "This sums the KL over the images; take the mean.",
    "kl_parts_that_agree_with_no_distance": "This is the mean KL itself; subtract the distance.",
    "rates_without_half": "The ½ is missing.",
    "rates_in_bits": "The logarithm has base 2, so this is in bits; nats have the natural one.",
    "rates_minus_infinity": "Below the threshold this is negative; a KL is at least 0.",
    "rates_of_an_excess": "The logarithm is missing.",
    "rates_of_a_noisy_channel": (
        "This is ½ log(1 + λ/βσ²), the rate of another problem; here it is ½ log of the "
        "ratio itself."
    ),
    "rates_without_beta": "beta is missing: the threshold is βσ², not σ².",
    "rates_without_the_noise": "The noise is missing: the threshold is βσ², not β.",
    "rates_with_beta_upstairs": (
        "The threshold is βσ², not σ²/β: the higher the price, the fewer latents."
    ),
    "rates_with_sigma": "This divides by σ; noise_variance is σ².",
    "rates_with_the_noise_squared": "noise_variance is σ² already; this squares it.",
    "rates_with_the_threshold_of_beta_one": "The threshold is at λ = σ²; it is at λ = βσ².",
    "rates_in_total": "This is the sum over the latents; return the KL of each.",
    "sweep_in_the_wrong_order": "The parts are exchanged: return rate, distortion.",
    "sweep_without_half": "The ½ is missing: divide by 2σ².",
    "sweep_without_the_noise": "This is divided by 2, but not by σ².",
    "sweep_of_the_squared_error": "This is the squared error; divide it by 2σ² to get nats.",
    "sweep_with_the_maximum": "This has the larger of λ and βσ²; take the smaller one.",
    "sweep_with_all_in_use": "Every latent costs β/2 here; one that is off costs only λ/2σ².",
    "sweep_of_those_in_use": "The latents that are off are left out; each of them costs λ/2σ².",
    "sweep_of_those_off": "The latents in use cost nothing here; each of them costs β/2.",
    "sweep_with_the_noise_as_threshold": (
        "beta is not used: this is the distortion for β = 1 each time."
    ),
    "sweep_divided_by_beta": "This is divided by 2βσ²; the distortion does not contain the price.",
    "sweep_with_the_cost_of_the_rate": (
        "The rate is multiplied by β; the price is paid in the loss, not here."
    ),
    "sweep_with_mean_rates": "This is the mean over the latents; their KLs add up.",
    "sweep_with_mean_distortions": "This is the mean over the latents; take the sum.",
    "sweep_with_two_means": "This is the mean over the latents; their KLs add up.",
    "sweep_at_the_price_one": "beta is not used: this is the rate for β = 1 each time.",
    "log_mean_exp_backward_over_the_images": (
        "The shares add up over the images here; they add up to 1 over the draws of one image."
    ),
    "log_mean_exp_backward_over_everything": (
        "All entries together add up to 1; they do so for each image."
    ),
    "log_mean_exp_backward_with_overflow": (
        "It under- or overflows: subtract the largest logarithm of each image first."
    ),
    "log_mean_exp_backward_with_one_largest": (
        "One largest weight for the whole batch is too large for other images: they underflow."
    ),
    "log_mean_exp_backward_divided_by_k": "This has a factor 1/k too many: it cancels.",
    "log_mean_exp_backward_by_the_mean": (
        "This divides by the mean of the weights; the factor 1/k cancels, so divide by their sum."
    ),
    "log_mean_exp_backward_of_the_mean_over_images": (
        "This is divided by B; 1/B is applied in the step, not here."
    ),
    "log_mean_exp_backward_of_the_loss": "The sign is flipped: a larger weight raises the bound.",
    "log_mean_exp_backward_is_the_value": "This is log 1/k Σ w itself, not its gradient.",
    "log_mean_exp_backward_not_normalized": (
        "These are the weights divided by the largest; divide by their sum."
    ),
    "log_mean_exp_backward_of_the_largest": (
        "Only the largest weight counts here; every draw has a share."
    ),
    "log_mean_exp_backward_of_the_elbo": (
        "Each draw has the same share, 1/k; the larger weight has the larger share."
    ),
    "log_weights_against_x": "This compares with x; compare with the target.",
    "log_weights_with_the_closed_form": (
        "This has the KL in closed form, a mean over draws; the weight belongs to this draw."
    ),
    "log_weights_with_q_added": "log q(z|x) is added; subtract it.",
    "log_weights_without_the_prior": "log p(z) is missing.",
    "log_weights_without_q": "log q(z|x) is missing.",
    "log_weights_without_the_pixels": "log p(x|z) is missing.",
    "log_weights_without_logvar": "log q(z|x) lacks −½ logvar, the logarithm of 1/σ.",
    "log_weights_without_eps": "log q(z|x) lacks −½ ε².",
    "log_weights_with_logvar_as_log_sigma": "log q(z|x) has −logvar; log σ is ½ logvar.",
    "log_weights_with_the_constant_once": (
        "The constants ½ log 2π of log p(z) and log q(z|x) cancel; that of log q is missing."
    ),
    "log_weights_with_the_mean_over_the_pixels": (
        "This is averaged over the pixels; log p(x|z) is a sum over them."
    ),
    "log_weights_with_cross_entropy_added": (
        "The cross-entropy is −log p(x|z): its sign is flipped."
    ),
    "log_weights_at_the_mean": "The prior is taken at mu; take it at z.",
    "log_weights_as_losses": "This is −log w, a loss; return log w.",
    "iwae_step_with_tiled_images": (
        "x is tiled as x₁ x₂ … x₁ x₂ …; repeat it as x₁ x₁ … x₂ x₂ …, like eps."
    ),
    "iwae_step_with_noise_of_other_images": (
        "eps is reordered: reshape it to (B k, Z) without a transpose."
    ),
    "iwae_step_with_shares_over_the_images": (
        "The shares add up to 1 over the images; they must do so over the draws."
    ),
    "iwae_step_on_the_sum": "1/B is missing: the loss is a mean over the images.",
    "iwae_step_divided_by_rows": (
        "This is divided by B k; the shares of an image add up to 1 already."
    ),
    "iwae_step_on_the_elbo": "Every draw has the same share, 1/k: this trains the ELBO.",
    "iwae_step_with_weighted_closed_form": (
        "This has the gradient of the KL in closed form; the loss has log q − log p of each draw."
    ),
    "iwae_step_without_the_prior": "The direct part of dz is missing: log p(z) is −½ z².",
    "iwae_step_with_the_prior_downhill": "The direct part of dz has the wrong sign.",
    "iwae_step_without_log_q": "The direct part of dlogvar is missing: −log q contains ½ logvar.",
    "iwae_step_with_log_q_upside_down": "The direct part of dlogvar has the wrong sign.",
    "iwae_step_without_half_in_log_q": "The ½ in the direct part of dlogvar is missing.",
    "iwae_step_uphill": "This goes uphill.",
    "iwae_step_with_lr_ignored": "The argument lr is not used.",
    "iwae_step_returns_s_first": "theta and s are exchanged.",
    "kl_parts_with_a_negative_distance": "The sign is flipped.",
    "kl_parts_with_the_spacing_once": "The area of a cell is Δ², not Δ.",
    "kl_parts_without_the_spacing": "The area of the cells is missing.",
    "kl_parts_without_two_pi": "The prior lacks its constant, −log 2π.",
    "kl_parts_with_the_constant_of_one_latent": (
        "This is the constant of one latent; for two it is −log 2π."
    ),
    "kl_parts_with_the_entropy_alone": "The prior is missing: this is minus the entropy of q.",
    "kl_parts_with_zeros_in_the_logarithm": (
        "Where q is 0, q log q is 0 and not NaN: take the logarithm of the others."
    ),
    "log_weights_with_the_sign_of_logvar_wrong": (
        "The sign of logvar is flipped: −log q(z|x) has + ½ logvar."
    ),
    "log_weights_with_the_prior_subtracted": (
        "log p(z) and log q(z|x) are exchanged: it is log p(z) − log q(z|x)."
    ),
    "log_weights_without_halves": "All halves are missing: it is ½ Σ (ε² + logvar − z²).",
    "log_weights_with_the_mean_over_the_latents": (
        "This is averaged over the latents; log p(z) and log q(z|x) are sums."
    ),
    "iwae_step_without_the_largest_subtracted": (
        "It underflows: log w may be −1000, so take out the largest of each image."
    ),
    "log_weights_without_half_in_the_prior": "log p(z) is −½ z²; this has −z².",
    "log_weights_with_the_prior_twice": "log p(z) is −½ z²; this has −z².",
}
