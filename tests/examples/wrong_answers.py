"""Wrong answers to the exercises of the course, as students write them, none of them registered.

A check must refuse each of them, and must not name a mistake that it does not make.
"""

import numpy as np
from scipy.special import ndtri, softmax, xlogy

from numpyvae.course import EXERCISES
from numpyvae.course.exercises.vae_pass import (
    backward,
    cross_entropy,
    forward,
    kl_divergence,
    loss,
    relu_backward,
    reparameterize_backward,
    sigmoid,
    stepped,
)

EPS = np.linspace(-8, 8, 401)
WEIGHTS = np.exp(-(EPS**2) / 2) / np.sqrt(2 * np.pi) * (EPS[1] - EPS[0])


def log_normal(z):
    return -0.5 * np.log(2 * np.pi) - 0.5 * z**2


def log_sum_exp(a, axis=0):
    largest = a.max(axis=axis)
    return largest + np.log(np.exp(a - np.expand_dims(largest, axis)).sum(axis=axis))


# 01 dense layer


def dense_transposes_a_square_w(x, W, b):
    """It tries x Wᵀ first, which has the right shape too if W is square."""
    try:
        return x @ W.T + b
    except ValueError:
        return x @ W + b


def dense_lacks_the_last_input(x, W, b):
    """The loop over the inputs ends one too early."""
    y = np.zeros((len(x), len(b))) + b
    for i in range(x.shape[1] - 1):
        y += x[:, i : i + 1] * W[i]
    return y


def dense_adds_b_for_every_input(x, W, b):
    """b is inside the sum over the inputs, so it is added n times."""
    y = np.zeros((len(x), len(b)))
    for i in range(x.shape[1]):
        y += x[:, i : i + 1] * W[i] + b
    return y


def dense_drops_the_batch_axis_of_one_row(x, W, b):
    """A batch of one row gives (m,), not (1, m)."""
    return np.squeeze(x @ W + b, axis=0) if len(x) == 1 else x @ W + b


def dense_has_a_relu(x, W, b):
    """It sets negative entries to zero."""
    return np.maximum(x @ W + b, 0)


def dense_rounds_to_four_decimals(x, W, b):
    """The result is rounded, so that it prints nicely."""
    return np.round(x @ W + b, 4)


def dense_in_float16(x, W, b):
    """It computes with three digits."""
    return (x @ W + b).astype(np.float16)


def dense_backward_in_the_wrong_order(x, W, dy):
    """The values are right, but the order is dW, dx, db."""
    return x.T @ dy, dy @ W.T, dy.sum(axis=0)


def dense_backward_reshapes_where_it_should_transpose(x, W, dy):
    """dW is dyᵀ x in the shape of W, but with its entries in the wrong places."""
    return dy @ W.T, (dy.T @ x).reshape(W.shape), dy.sum(axis=0)


def dense_backward_transposes_a_square_dw(x, W, dy):
    """dW is dyᵀ x if that has the shape of W, which it has for a square W."""
    dW = dy.T @ x
    return dy @ W.T, dW if dW.shape == W.shape else dW.T, dy.sum(axis=0)


def dense_backward_averages_both(x, W, dy):
    """dW and db are divided by the number of examples; two mistakes at once."""
    return dy @ W.T, x.T @ dy / len(x), dy.mean(axis=0)


def dense_backward_has_a_row_for_db(x, W, dy):
    """db is (1, m), not (m,)."""
    return dy @ W.T, x.T @ dy, dy.sum(axis=0, keepdims=True)


# 02 gradient checker


def numerical_gradient_of_fourth_order(f, x, h=1e-5):
    """It combines two step sizes; that is more precise, but not the central difference of h."""

    def central(h):
        gradient, x_float = np.zeros(np.shape(x)), np.array(x, dtype=np.float64)
        for index in np.ndindex(gradient.shape):
            up, down = x_float.copy(), x_float.copy()
            up[index] += h
            down[index] -= h
            gradient[index] = (f(up) - f(down)) / (2 * h)
        return gradient

    return (4 * central(h) - central(2 * h)) / 3


def numerical_gradient_of_at_most_two_axes(f, x, h=1e-5):
    """The loops are for one axis or two; an x with three axes gives an error."""
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    if x.ndim == 1:
        places = list(range(len(x)))
    else:
        places = [(i, j) for i in range(x.shape[0]) for j in range(x.shape[1])]
    for place in places:
        up, down = x.copy(), x.copy()
        up[place] += h
        down[place] -= h
        gradient[place] = (f(up) - f(down)) / (2 * h)
    return gradient


def numerical_gradient_of_whole_rows(f, x, h=1e-5):
    """It loops over len(x), so in an x with two axes it moves whole rows."""
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    for i in range(len(x)):
        up, down = x.copy(), x.copy()
        up[i] += h
        down[i] -= h
        gradient[i] = (f(up) - f(down)) / (2 * h)
    return gradient


def numerical_gradient_flat(f, x, h=1e-5):
    """The gradient has one axis, whatever the shape of x."""
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.size)
    for i in range(x.size):
        up, down = x.copy(), x.copy()
        up.flat[i] += h
        down.flat[i] -= h
        gradient[i] = (f(up) - f(down)) / (2 * h)
    return gradient


def numerical_gradient_with_a_relative_step(f, x, h=1e-5):
    """The step is h times |xᵢ| where that is more than h."""
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros(x.shape)
    for index in np.ndindex(x.shape):
        step = h * max(1.0, abs(x[index]))
        up, down = x.copy(), x.copy()
        up[index] += step
        down[index] -= step
        gradient[index] = (f(up) - f(down)) / (2 * step)
    return gradient


def relative_error_with_a_small_number(a, b):
    """1e-8 is added to the denominator, in place of the case 0/0."""
    return float(np.abs(a - b).max() / (max(np.abs(a).max(), np.abs(b).max()) + 1e-8))


def relative_error_by_the_mean_size(a, b):
    """It divides by the mean of the two sizes, not by the larger one."""
    size = (np.abs(a).max() + np.abs(b).max()) / 2
    return float(np.abs(a - b).max() / size) if size else 0.0


def relative_error_at_the_worst_entry(a, b):
    """It divides by the sizes of the entry that differs most, not of the whole arrays."""
    worst = np.unravel_index(np.abs(a - b).argmax(), a.shape)
    size = max(abs(a[worst]), abs(b[worst]))
    return float(abs(a[worst] - b[worst]) / size) if size else 0.0


def relative_error_of_close_arrays_is_zero(a, b):
    """Arrays that np.allclose takes for equal get 0, also if they are tiny or only nearly equal."""
    if np.allclose(a, b):
        return 0.0
    return float(np.abs(a - b).max() / max(np.abs(a).max(), np.abs(b).max()))


# 03 network


def relu_backward_from_one_on(dy, y):
    """y is rounded down before it is compared with 0, so dy passes where y ≥ 1."""
    return dy * (y.astype(int) > 0)


def relu_backward_drops_negative_gradients(dy, y):
    """It passes dy only where both y and dy are positive."""
    return np.maximum(dy, 0) * (y > 0)


def relu_backward_leaks(dy, y):
    """A hundredth of dy passes where y is 0, as in a leaky relu."""
    return np.where(y > 0, dy, 0.01 * dy)


def sigmoid_clipped_at_ten(a):
    """The argument is clipped to ±10 against overflow, so the tails are wrong."""
    return 1 / (1 + np.exp(-np.clip(a, -10, 10)))


def sigmoid_of_the_absolute_value(a):
    """It takes the formula for positive arguments everywhere, with |a|."""
    return 1 / (1 + np.exp(-np.abs(a)))


def sigmoid_of_twice_the_argument(a):
    """The exponent is −2a; there is no tanh in it."""
    return 1 / (1 + np.exp(np.clip(-2 * a, -700, 700)))


def sigmoid_of_infinity_by_infinity(a):
    """eᵃ/(1 + eᵃ) is ∞/∞ for a large a."""
    return np.exp(a) / (1 + np.exp(a))


def cross_entropy_of_binary_pixels(logits, x):
    """x is rounded to 0 or 1 first; grey pixels get the wrong loss."""
    return cross_entropy(logits, np.where(x > 0.5, 1.0, 0.0))


def cross_entropy_clipped_at_1e_12(logits, x):
    """p is clipped to 1e-12, so the loss of a confident mistake ends at 27.6 nats."""
    p = np.clip(sigmoid(logits), 1e-12, 1 - 1e-12)
    return -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)


def cross_entropy_in_bits(logits, x):
    """The logarithms have base 2: bits, not nats."""
    return cross_entropy(logits, x) / np.log(2)


def cross_entropy_minus_the_entropy(logits, x):
    """This is the KL of the pixels: it lacks their entropy, which is not 0 for grey pixels."""
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where((x > 0) & (x < 1), -x * np.log(x) - (1 - x) * np.log(1 - x), 0)
    return cross_entropy(logits, x) - inside.sum(axis=1)


def cross_entropy_squeezed(logits, x):
    """A batch of one image gives a number, not (1,)."""
    return np.squeeze(cross_entropy(logits, x))


def cross_entropy_backward_of_binary_pixels(logits, x):
    """x is rounded to 0 or 1 first."""
    return sigmoid(logits) - np.round(x)


def cross_entropy_backward_of_tanh(logits, x):
    """It takes tanh(l) for the sigmoid."""
    return np.tanh(logits) - x


def cross_entropy_backward_with_both_signs(logits, x):
    """The sign is flipped and the mean over the pixels is taken; two mistakes at once."""
    return (x - sigmoid(logits)) / x.shape[1]


def rmsprop_step_with_other_defaults(theta, grad, s, lr=1e-2, rho=0.99, eps=1e-8):
    """The defaults are those of another library; they are 1e-3, 0.9 and 1e-7 in the exercise."""
    s = rho * s + (1 - rho) * grad**2
    return theta - lr * grad / (np.sqrt(s) + eps), s


def rmsprop_step_with_its_own_eps(theta, grad, s, lr=1e-3, rho=0.9, eps=1e-7):
    """The argument eps is replaced by 1e-10."""
    s = rho * s + (1 - rho) * grad**2
    return theta - lr * grad / (np.sqrt(s) + 1e-10), s


def rmsprop_step_with_s_of_grad_only(theta, grad, s, lr=1e-3, rho=0.9, eps=1e-7):
    """s is right, but theta is divided by the root of the new part of s alone."""
    new = rho * s + (1 - rho) * grad**2
    return theta - lr * grad / (np.sqrt((1 - rho) * grad**2) + eps), new


def rmsprop_step_with_a_corrected_mean(theta, grad, s, lr=1e-3, rho=0.9, eps=1e-7):
    """s is divided by 1 − ρ in the step, as Adam does in its first one."""
    s = rho * s + (1 - rho) * grad**2
    return theta - lr * grad / (np.sqrt(s / (1 - rho)) + eps), s


# 03 second half


autoencoder_grad = EXERCISES["autoencoder_backward"].right


def autoencoder_backward_forgets_a_layer(theta, x, t):
    """The gradient of W_code is zero."""
    grad = autoencoder_grad(theta, x, t)
    return {**grad, "W_code": 0 * grad["W_code"]}


def autoencoder_backward_with_the_input_in_place_of_h(theta, x, t):
    """b_h has the sum over the rows of the gradient before the mask, halved."""
    grad = autoencoder_grad(theta, x, t)
    return {**grad, "b_h": grad["b_h"] / 2}


def autoencoder_backward_with_bce_of_both(theta, x, t):
    """All gradients of the decoder are doubled."""
    grad = autoencoder_grad(theta, x, t)
    return {n: g * (2 if n[2:] in ("g", "out") else 1) for n, g in grad.items()}


# 04 latent variables


def log_evidence_by_trapezoids(log_likelihood, z):
    """The first and the last point count half: the trapezoidal rule, not the sum."""
    terms = log_likelihood + log_normal(z)
    weights = np.ones(len(z))
    weights[[0, -1]] = 0.5
    largest = terms.max()
    return largest + np.log((weights * np.exp(terms - largest)).sum()) + np.log(z[1] - z[0])


def log_evidence_with_one_spacing_too_many(log_likelihood, z):
    """The spacing is the length of the grid divided by the number of points, not of gaps."""
    return log_sum_exp(log_likelihood + log_normal(z)) + np.log((z[-1] - z[0]) / len(z))


def log_evidence_with_a_floor(log_likelihood, z):
    """1e-300 is added inside the logarithm, so it never falls below −691."""
    terms = np.exp(log_likelihood + log_normal(z))
    return np.log(terms.sum() * (z[1] - z[0]) + 1e-300)


def log_evidence_without_prior_and_spacing(log_likelihood, z):
    """The prior and the spacing are both missing."""
    return log_sum_exp(log_likelihood)


def posterior_grid_by_trapezoids(log_likelihood, z):
    """It is normalized by the trapezoidal rule, so the plain sum is not 1."""
    terms = np.exp(log_likelihood + log_normal(z) - (log_likelihood + log_normal(z)).max())
    return terms / (((terms[1:] + terms[:-1]) / 2).sum() * (z[1] - z[0]))


def posterior_grid_that_sums_to_the_length(log_likelihood, z):
    """It is divided by its mean, so it is 1 on average."""
    terms = np.exp(log_likelihood + log_normal(z) - (log_likelihood + log_normal(z)).max())
    return terms / terms.mean()


def posterior_grid_with_the_prior_squared(log_likelihood, z):
    """The prior counts twice in the numerator, and it is normalized then."""
    terms = log_likelihood + 2 * log_normal(z)
    return np.exp(terms - log_sum_exp(terms)) / (z[1] - z[0])


# 05 ELBO


def kl_divergence_with_clipped_logvar(mu, logvar):
    """logvar is clipped to ±5 for safety."""
    return kl_divergence(mu, np.clip(logvar, -5, 5))


def kl_divergence_over_the_images_if_square(mu, logvar):
    """The axis is guessed from the shape; if there are as many images as latents, it is wrong."""
    axis = 0 if mu.shape[0] == mu.shape[1] else 1
    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=axis)


def kl_divergence_squeezed(mu, logvar):
    """A batch of one image gives a number, not (1,)."""
    return np.squeeze(kl_divergence(mu, logvar))


def kl_divergence_of_the_batch_without_a_half(mu, logvar):
    """It is one number, the sum over everything, and its ½ is missing."""
    return (mu**2 + np.exp(logvar) - 1 - logvar).sum()


def kl_divergence_twice_wrong(mu, logvar):
    """The ½ is missing and logvar has the wrong sign; two mistakes at once."""
    return (mu**2 + np.exp(logvar) - 1 + logvar).sum(axis=1)


def kl_divergence_from_the_other_side(mu, logvar):
    """This is KL(prior ‖ q), not KL(q ‖ prior)."""
    return 0.5 * ((1 + mu**2) / np.exp(logvar) - 1 + logvar).sum(axis=1)


def kl_divergence_halves_mu_only(mu, logvar):
    """The ½ belongs to all terms; here it is before μ² only."""
    return (0.5 * mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)


def kl_backward_with_a_list_for_each_image(mu, logvar):
    """The two results are stacked on the last axis, so there are not two of them."""
    return np.stack([mu, 0.5 * (np.exp(logvar) - 1)], axis=-1)


def kl_backward_summed_over_the_latents(mu, logvar):
    """Both are summed over the latents."""
    return mu.sum(axis=1, keepdims=True), 0.5 * (np.exp(logvar) - 1).sum(axis=1, keepdims=True)


def kl_backward_twice_wrong(mu, logvar):
    """dmu is 2 mu and dlogvar lacks its ½: the gradient of twice the KL."""
    return 2 * mu, np.exp(logvar) - 1


def kl_backward_with_the_sign_of_logvar(mu, logvar):
    """The 1 is added in dlogvar, not subtracted."""
    return mu, 0.5 * (np.exp(logvar) + 1)


def elbo_with_the_mean_inside(log_likelihood, mu, logvar):
    """The mean over eps is taken of z, not of log p(x|z)."""
    z = (WEIGHTS * (mu + np.exp(logvar / 2) * EPS)).sum()
    return log_likelihood(z) - kl_divergence(np.array([[mu]]), np.array([[logvar]]))[0]


def elbo_from_two_draws(log_likelihood, mu, logvar):
    """The mean over q is taken from z = mu ± σ; that is exact for quadratic functions only."""
    sigma = np.exp(logvar / 2)
    mean = 0.5 * (log_likelihood(mu + sigma) + log_likelihood(mu - sigma))
    return mean - kl_divergence(np.array([[mu]]), np.array([[logvar]]))[0]


def elbo_with_the_root_of_logvar(log_likelihood, mu, logvar):
    """σ is the root of logvar, which is a complex number for a negative one."""
    mean = (WEIGHTS * log_likelihood(mu + logvar**0.5 * EPS)).sum()
    return mean - kl_divergence(np.array([[mu]]), np.array([[logvar]]))[0]


def elbo_with_random_draws(log_likelihood, mu, logvar):
    """It averages 1,000 random draws, in place of the grid."""
    eps = np.random.default_rng(0).standard_normal(1000)
    mean = log_likelihood(mu + np.exp(logvar / 2) * eps).mean()
    return mean - kl_divergence(np.array([[mu]]), np.array([[logvar]]))[0]


def elbo_of_a_positive_mu(log_likelihood, mu, logvar):
    """It uses |mu|, so it is wrong for a negative mu."""
    mean = (WEIGHTS * log_likelihood(abs(mu) + np.exp(logvar / 2) * EPS)).sum()
    return mean - kl_divergence(np.array([[mu]]), np.array([[logvar]]))[0]


# 06 reparameterization


def score_gradient_with_a_baseline(f_values, z, mu, logvar):
    """The mean of f is subtracted first; that is another estimator."""
    f = f_values - f_values.mean()
    variance = np.exp(logvar)
    return f * (z - mu) / variance, f * 0.5 * ((z - mu) ** 2 / variance - 1)


def score_gradient_with_sigma_in_both(f_values, z, mu, logvar):
    """Both divide by σ, not by σ²."""
    sigma = np.exp(logvar / 2)
    return f_values * (z - mu) / sigma, f_values * 0.5 * ((z - mu) ** 2 / sigma - 1)


def score_gradient_halved_outside(f_values, z, mu, logvar):
    """The ½ is before the square only, not before the −1."""
    variance = np.exp(logvar)
    return f_values * (z - mu) / variance, f_values * (0.5 * (z - mu) ** 2 / variance - 1)


def score_gradient_with_the_root_of_logvar(f_values, z, mu, logvar):
    """σ² is taken to be √logvar, which is complex for a negative logvar."""
    dmu = f_values * (z - mu) / logvar**0.5
    return dmu, f_values * 0.5 * ((z - mu) ** 2 / logvar**0.5 - 1)


def reparameterize_with_clipped_logvar(mu, logvar, eps):
    """logvar is clipped to ±10 for safety."""
    return mu + np.exp(np.clip(logvar, -10, 10) / 2) * eps


def reparameterize_with_one_noise_for_all(mu, logvar, eps):
    """All images and all latents get the first number of the noise."""
    return mu + np.exp(logvar / 2) * eps[0, 0]


def reparameterize_with_mu_scaled(mu, logvar, eps):
    """σ multiplies mu as well."""
    return (mu + eps) * np.exp(logvar / 2)


def reparameterize_subtracts_with_the_variance(mu, logvar, eps):
    """The noise is subtracted and multiplied by the variance; two mistakes at once."""
    return mu - np.exp(logvar) * eps


def reparameterize_backward_summed(dz, logvar, eps):
    """Both gradients are summed over the images."""
    return dz.sum(axis=0), (dz * 0.5 * np.exp(logvar / 2) * eps).sum(axis=0)


def reparameterize_backward_divides(dz, logvar, eps):
    """dlogvar is divided by σ, not multiplied."""
    return dz.copy(), dz * 0.5 * eps / np.exp(logvar / 2)


def reparameterize_backward_of_the_size_of_eps(dz, logvar, eps):
    """dlogvar has |eps| in place of eps."""
    return dz.copy(), dz * 0.5 * np.exp(logvar / 2) * np.abs(eps)


def reparameterize_backward_with_all_factors_twice(dz, logvar, eps):
    """dmu has a factor σ and dlogvar lacks its ½; two mistakes at once."""
    sigma = np.exp(logvar / 2)
    return dz * sigma, dz * sigma * eps


# 07 the whole VAE


def forward_with_a_target_of_zeros_and_ones(theta, x, eps):
    """The target is x rounded to 0 or 1."""
    return {**forward(theta, x, eps), "target": np.round(x)}


def forward_with_noise_of_its_own(theta, x, eps):
    """z is drawn with new noise, not with the argument eps."""
    t = forward(theta, x, np.random.default_rng().standard_normal(eps.shape))
    return {**t, "eps": eps}


def forward_decodes_mu(theta, x, eps):
    """z is right, but the decoder gets mu."""
    return {**forward(theta, x, 0 * eps), "eps": eps, "z": forward(theta, x, eps)["z"]}


def forward_with_a_leaky_relu(theta, x, eps):
    """h and g let a hundredth of negative values pass."""

    def leaky(a):
        return np.maximum(a, 0.01 * a)

    return forward(theta, x, eps, h=leaky, g=leaky)


def forward_in_float32(theta, x, eps):
    """All arrays are float32, although the arguments are float64."""
    return {name: array.astype(np.float32) for name, array in forward(theta, x, eps).items()}


def forward_with_two_mistakes(theta, x, eps):
    """The bias b_mu is forgotten and the logits have gone through the sigmoid."""
    return forward({**theta, "b_mu": 0 * theta["b_mu"]}, x, eps, logits=sigmoid)


def loss_of_all_pixels(t):
    """The reconstruction is the mean over images and pixels, and the KL over all latents."""
    reconstruction = cross_entropy(t["logits"], t["target"]) / t["target"].shape[1]
    return reconstruction.mean(), kl_divergence(t["mu"], t["logvar"]).mean() / t["mu"].shape[1]


def loss_of_the_first_image(t):
    """It is that of the first image, not the mean."""
    reconstruction = cross_entropy(t["logits"], t["target"])
    return reconstruction[0], kl_divergence(t["mu"], t["logvar"])[0]


def loss_with_the_sum_as_its_first_part(t):
    """The first result is reconstruction + KL."""
    reconstruction, kl = loss(t)
    return reconstruction + kl, kl


def loss_in_one_array_without_axes(t):
    """The two parts are added up to one number, in an array without axes."""
    return np.array(sum(loss(t)))


def loss_in_float32(t):
    """Both parts are rounded to float32."""
    return tuple(map(np.float32, loss(t)))


def loss_of_a_batch_of_100(t):
    """It divides by 100, the size of the batches in the notebook."""
    reconstruction = cross_entropy(t["logits"], t["target"]).sum() / 100
    return reconstruction, kl_divergence(t["mu"], t["logvar"]).sum() / 100


def backward_with_the_mask_of_g_for_h(theta, t):
    """The relu mask of h is taken from g, which has the same shape."""
    return backward(theta, t, relu_h=lambda dy, y: relu_backward(dy, t["g"]))


def backward_of_a_batch_of_100(theta, t):
    """The gradient is divided by 100, whatever the number of images."""
    return backward(theta, t, share=0.01)


def backward_with_twice_the_kl(theta, t):
    """The part of the KL counts twice."""
    return backward(theta, t, beta=2.0)


def backward_with_kl_of_dmu_only(theta, t):
    """The part of the KL is missing in dlogvar, not in dmu."""
    return backward(theta, t, latents=lambda mu, logvar: (mu, 0 * logvar))


def backward_uses_z_in_place_of_eps(theta, t):
    """The sampling path takes z for the noise."""
    return backward(theta, {**t, "eps": t["z"]})


def backward_with_a_mask_of_at_least_zero(theta, t):
    """The relu mask of g is g ≥ 0, which holds everywhere; it must be g > 0."""
    return backward(theta, t, relu_g=lambda dy, y: dy * (y >= 0))


def backward_exchanges_two_biases(theta, t):
    """b_mu and b_logvar are exchanged in the dictionary; the other entries are right."""
    d = backward(theta, t)
    return {**d, "b_mu": d["b_logvar"], "b_logvar": d["b_mu"]}


def train_step_with_another_default(theta, s, x, eps, lr=1e-2):
    """The default of lr is 1e-2; it is 1e-3 in the exercise."""
    return stepped(theta, s, backward(theta, forward(theta, x, eps)), lr)


def train_step_forgets_the_biases(theta, s, x, eps, lr=1e-3):
    """Only the weights W are changed; the biases stay as they were."""
    new_theta, new_s = stepped(theta, s, backward(theta, forward(theta, x, eps)), lr)
    return {n: new_theta[n] if n[0] == "W" else theta[n] for n in theta}, new_s


def train_step_with_noise_zero(theta, s, x, eps, lr=1e-3):
    """The gradient is that at z = mu; eps is not used."""
    return stepped(theta, s, backward(theta, forward(theta, x, 0 * eps)), lr)


def train_step_with_the_mean_square_of_an_array(theta, s, x, eps, lr=1e-3):
    """The squared gradient is averaged over each array; every entry needs its own."""
    grad = backward(theta, forward(theta, x, eps))
    new_s = {n: 0.9 * s[n] + 0.1 * np.mean(grad[n] ** 2) for n in theta}
    return {n: theta[n] - lr * grad[n] / (np.sqrt(new_s[n]) + 1e-7) for n in theta}, new_s


def train_step_twice(theta, s, x, eps, lr=1e-3):
    """It takes two steps on the batch."""
    for _ in range(2):
        theta, s = stepped(theta, s, backward(theta, forward(theta, x, eps)), lr)
    return theta, s


# 08 MNIST


def epoch(theta, s, images, rng, step, batch_size, *, order=None, noise=None, batches=None):
    """An epoch, with places for mistakes."""
    order = rng.permutation(len(images)) if order is None else order
    for k in range(-(-len(images) // batch_size) if batches is None else batches):
        x = images[order[k * batch_size : (k + 1) * batch_size]]
        shape = len(x), len(theta["b_mu"])
        eps = rng.standard_normal(shape, np.float32) if noise is None else noise(*shape)
        theta, s = step(theta, s, x, eps)
    return theta, s


def train_epoch_with_an_empty_last_batch(theta, s, images, rng, step=None, batch_size=100):
    """There is one batch too many, with no image, if batch_size divides the number of images."""
    batches = len(images) // batch_size + 1
    return epoch(theta, s, images, rng, step, batch_size, batches=batches)


def train_epoch_divides_by_255(theta, s, images, rng, step=None, batch_size=100):
    """The images are divided by 255, although they are between 0 and 1 already."""
    return epoch(theta, s, images / np.float32(255), rng, step, batch_size)


def train_epoch_divides_by_255_in_order(theta, s, images, rng, step=None, batch_size=100):
    """The images are divided by 255, and they come in their own order."""
    order = np.arange(len(images))
    return epoch(theta, s, images / np.float32(255), rng, step, batch_size, order=order)


def train_epoch_shuffles_within_batches(theta, s, images, rng, step=None, batch_size=100):
    """Every batch has the same images in every epoch; only their order within it is random."""
    rows = np.arange(len(images))
    parts = [rng.permutation(rows[k : k + batch_size]) for k in range(0, len(rows), batch_size)]
    return epoch(theta, s, images, rng, step, batch_size, order=np.concatenate(parts))


def train_epoch_backwards(theta, s, images, rng, step=None, batch_size=100):
    """The images come from the last to the first, not in random order."""
    order = np.arange(len(images))[::-1]
    return epoch(theta, s, images, rng, step, batch_size, order=order)


def train_epoch_even_then_odd(theta, s, images, rng, step=None, batch_size=100):
    """First come the images with even numbers, then those with odd ones; nothing is drawn."""
    order = np.argsort(np.arange(len(images)) % 2, kind="stable")
    return epoch(theta, s, images, rng, step, batch_size, order=order)


def train_epoch_with_small_noise(theta, s, images, rng, step=None, batch_size=100):
    """The noise is normal, but its standard deviation is 0.1."""

    def noise(*shape):
        return rng.normal(0, 0.1, shape).astype(np.float32)

    return epoch(theta, s, images, rng, step, batch_size, noise=noise)


def train_epoch_with_noise_of_one(theta, s, images, rng, step=None, batch_size=100):
    """eps is 1 everywhere."""

    def noise(*shape):
        return np.ones(shape, np.float32)

    return epoch(theta, s, images, rng, step, batch_size, noise=noise)


def train_epoch_with_one_noise_for_all_latents(theta, s, images, rng, step=None, batch_size=100):
    """All latents of an image get the same noise."""

    def noise(images, latents):
        return np.repeat(rng.standard_normal((images, 1), np.float32), latents, axis=1)

    return epoch(theta, s, images, rng, step, batch_size, noise=noise)


def train_epoch_returns_s_first(theta, s, images, rng, step=None, batch_size=100):
    """The results are in the wrong order: s, theta."""
    return epoch(theta, s, images, rng, step, batch_size)[::-1]


def train_epoch_returns_too_early_ones(theta, s, images, rng, step=None, batch_size=100):
    """It returns the theta and s that the last step was given, not those that it returned."""
    given = []

    def noted(*arguments):
        given[:] = arguments[:2]
        return step(*arguments)

    epoch(theta, s, images, rng, noted, batch_size)
    return tuple(given)


def train_epoch_without_a_default(theta, s, images, rng, step, batch_size):
    """step and batch_size have no defaults."""
    return epoch(theta, s, images, rng, step, batch_size)


def manifold_codes_on_a_grid(n):
    """It is (n, n, 2), not (n·n, 2)."""
    z = ndtri((np.arange(n) + 0.5) / n)
    return np.stack(np.meshgrid(z, z[::-1]), axis=-1)


def manifold_codes_in_two_rows(n):
    """It is (2, n·n): a row for each latent, not for each code."""
    z = ndtri((np.arange(n) + 0.5) / n)
    right, up = np.meshgrid(z, z[::-1])
    return np.stack([right.ravel(), up.ravel()])


def manifold_codes_evenly_spaced(n):
    """z is evenly spaced from −2 to 2; the quantiles are not used."""
    z = np.linspace(-2, 2, n) if n > 1 else np.zeros(1)
    right, up = np.meshgrid(z, z[::-1])
    return np.column_stack([right.ravel(), up.ravel()])


def manifold_codes_turned_around(n):
    """It is upside down and mirrored."""
    z = ndtri((np.arange(n) + 0.5) / n)
    right, up = np.meshgrid(z[::-1], z)
    return np.column_stack([right.ravel(), up.ravel()])


def manifold_codes_with_two_decimals(n):
    """The codes are rounded to two decimals."""
    z = np.round(ndtri((np.arange(n) + 0.5) / n), 2)
    right, up = np.meshgrid(z, z[::-1])
    return np.column_stack([right.ravel(), up.ravel()])


def active_units_by_the_range(mu, least=0.01):
    """It compares the largest minus the smallest mu, not the variance."""
    return mu.max(axis=0) - mu.min(axis=0) > least


def active_units_by_the_root_mean_square(mu, least=0.01):
    """It compares the root of the mean square; the mean is not subtracted."""
    return np.sqrt((mu**2).mean(axis=0)) > least


def active_units_above_half(mu, least=0.01):
    """It compares the variance with half of `least`."""
    return mu.var(axis=0) > least / 2


def active_units_above_the_square(mu, least=0.01):
    """It compares the variance with the square of `least`."""
    return mu.var(axis=0) > least**2


def active_units_in_proportion(mu, least=0.01):
    """`least` is multiplied by the variance of all entries."""
    return mu.var(axis=0) > least * mu.var()


def active_units_as_numbers(mu, least=0.01):
    """These are the numbers of the active units, not a mask."""
    return np.flatnonzero(mu.var(axis=0) > least)


def active_units_unbiased(mu, least=0.01):
    """The variance is divided by N − 1, not by N."""
    return mu.var(axis=0, ddof=1) > least


# 09 how good


def grid(log_likelihood, nodes, half_width, log_prior):
    """log Σ over a grid of two latents, with any log prior."""
    axis = np.linspace(-half_width, half_width, nodes)
    z = np.stack(np.meshgrid(axis, axis, indexing="ij"), axis=-1).reshape(-1, 2)
    return log_sum_exp(log_likelihood(z) + log_prior(z)[:, None]) + 2 * np.log(axis[1] - axis[0])


def log_px_with_other_defaults(log_likelihood, nodes=41, half_width=3.0):
    """The defaults are 41 and 3.0; they are 401 and 6.0 in the exercise."""
    return grid(log_likelihood, nodes, half_width, lambda z: log_normal(z).sum(axis=1))


def log_px_with_the_prior_of_one_latent(log_likelihood, nodes=401, half_width=6.0):
    """The prior of z₂ is missing."""
    return grid(log_likelihood, nodes, half_width, lambda z: log_normal(z[:, 0]))


def log_px_with_a_width_of_one_side(log_likelihood, nodes=401, half_width=6.0):
    """The grid goes from 0 to half_width only: a quarter of the square."""
    axis = np.linspace(0, half_width, nodes)
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    terms = log_likelihood(z) + log_normal(z).sum(axis=1)[:, None]
    return log_sum_exp(terms) + 2 * np.log(axis[1] - axis[0])


def log_px_averaged_over_the_images(log_likelihood, nodes=401, half_width=6.0):
    """It is one number: the mean over the images."""
    return log_px_with_other_defaults(log_likelihood, nodes, half_width).mean()


def log_px_with_nodes_ignored(log_likelihood, nodes=401, half_width=6.0):
    """The argument nodes is not used, half_width is."""
    return grid(log_likelihood, 101, half_width, lambda z: log_normal(z).sum(axis=1))


def importance_bound_without_the_last_group(log_w, k):
    """The last group is left out, if there are several."""
    groups = log_w.reshape(len(log_w), -1, k)
    groups = groups[:, :-1] if groups.shape[1] > 1 else groups
    return (log_sum_exp(groups, axis=2) - np.log(k)).mean(axis=1)


def importance_bound_divides_by_k_minus_one(log_w, k):
    """The sum is divided by k − 1, except for k = 1."""
    groups = log_w.reshape(len(log_w), -1, k)
    return (log_sum_exp(groups, axis=2) - np.log(max(k - 1, 1))).mean(axis=1)


def importance_bound_with_clipped_weights(log_w, k):
    """The logarithms are clipped to ±300 against underflow."""
    groups = np.clip(log_w, -300, 300).reshape(len(log_w), -1, k)
    return (log_sum_exp(groups, axis=2) - np.log(k)).mean(axis=1)


def importance_bound_changes_the_shape_of_its_argument(log_w, k):
    """The result is right, but log_w itself gets another shape."""
    log_w.shape = (len(log_w), -1, k)
    return (log_sum_exp(log_w, axis=2) - np.log(k)).mean(axis=1)


def importance_bound_of_all_images_together(log_w, k):
    """The groups are made of all images in one row."""
    groups = log_w.reshape(-1, k)
    return np.full(len(log_w), (log_sum_exp(groups, axis=1) - np.log(k)).mean())


# 10 denoising


def normal(x, noise, rng):
    return noise * rng.standard_normal(x.shape, x.dtype)


def corrupt_keeps_pixels_that_leave(x, noise, rng):
    """A pixel that would leave the range from 0 to 1 keeps its old value; nothing is clipped."""
    spoiled = x + normal(x, noise, rng)
    return np.where((spoiled < 0) | (spoiled > 1), x, spoiled)


def corrupt_in_float32(x, noise, rng):
    """The result is always float32, whatever the dtype of x."""
    return np.clip(x + normal(x, noise, rng), 0, 1).astype(np.float32)


def corrupt_in_256_levels(x, noise, rng):
    """The pixels are rounded to 256 levels, as in a file."""
    spoiled = np.clip(x + normal(x, noise, rng), 0, 1)
    return (np.round(spoiled * 255) / 255).astype(x.dtype)


def corrupt_uniformly_around_zero(x, noise, rng):
    """The noise is uniform from −noise to noise."""
    return np.clip(x + rng.uniform(-noise, noise, x.shape).astype(x.dtype), 0, 1)


def corrupt_brighter(x, noise, rng):
    """It adds |noise|, so pixels only get darker."""
    return np.clip(x + np.abs(normal(x, noise, rng)), 0, 1)


def corrupt_in_pairs(x, noise, rng):
    """Two neighbors get the same noise."""
    half = rng.standard_normal((x.shape[0], -(-x.shape[1] // 2)), x.dtype)
    return np.clip(x + noise * np.repeat(half, 2, axis=1)[:, : x.shape[1]], 0, 1)


def corrupt_without_return(x, noise, rng):
    """The return is missing."""
    np.clip(x + normal(x, noise, rng), 0, 1)


def corrupt_by_a_fraction(x, noise, rng):
    """The noise is a fraction of the pixel, so black ones stay as they are."""
    return np.clip(x * (1 + 2 * normal(x, noise, rng)), 0, 1)


def denoised(theta, s, seen, target, x, eps, lr):
    """A step with any pictures in the three places."""
    t = {**forward(theta, seen, eps), "target": target}
    return stepped(theta, s, backward(theta, {**t, "x": x}), lr)


def denoising_step_with_another_default(theta, s, spoiled, clean, eps, lr=1e-2):
    """The default of lr is 1e-2; it is 1e-3 in the exercise."""
    return denoised(theta, s, spoiled, clean, spoiled, eps, lr)


def denoising_step_toward_the_mean(theta, s, spoiled, clean, eps, lr=1e-3):
    """The target is the mean of both pictures."""
    return denoised(theta, s, spoiled, (spoiled + clean) / 2, spoiled, eps, lr)


def denoising_step_toward_the_noise(theta, s, spoiled, clean, eps, lr=1e-3):
    """The target is the difference of the pictures."""
    return denoised(theta, s, spoiled, spoiled - clean, spoiled, eps, lr)


def denoising_step_with_the_old_s(theta, s, spoiled, clean, eps, lr=1e-3):
    """theta is right, but s is returned as it was."""
    return denoised(theta, s, spoiled, clean, spoiled, eps, lr)[0], dict(s)


def denoising_step_of_half_the_length(theta, s, spoiled, clean, eps, lr=1e-3):
    """theta goes only half of the way; s is right."""
    new_theta, new_s = denoised(theta, s, spoiled, clean, spoiled, eps, lr)
    return {name: (theta[name] + new_theta[name]) / 2 for name in theta}, new_s


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


def aggregate_grid_with_the_variance_as_sigma(mu, logvar, axis):
    """sigma is exp(logvar), without the half."""
    first, second = densities(mu, 2 * logvar, axis)
    return first @ second.T / len(mu)


def aggregate_grid_with_sigma_as_the_variance(mu, logvar, axis):
    """It divides by sigma where it should divide by sigma², in the exponent and in front."""
    first, second = densities(mu, logvar / 2, axis)
    return first @ second.T / len(mu)


def aggregate_grid_with_the_root_only_once(mu, logvar, axis):
    """It divides by √(2π), as in one dimension, not by 2π."""
    first, second = densities(mu, logvar, axis)
    return first @ second.T / len(mu) * np.sqrt(2 * np.pi)


def aggregate_grid_as_probabilities(mu, logvar, axis):
    """It is divided by its sum, so its entries add up to 1; a density was asked for."""
    first, second = densities(mu, logvar, axis)
    return first @ second.T / (first @ second.T).sum()


def aggregate_grid_from_the_marginals(mu, logvar, axis):
    """It is the product of the means over the images, not the mean of the products."""
    first, second = densities(mu, logvar, axis)
    return np.outer(first.mean(axis=1), second.mean(axis=1))


def aggregate_grid_of_one_normal(mu, logvar, axis):
    """It is one normal distribution with the mean mu and the mean variance of all images."""
    mean, variance = mu.mean(axis=0, keepdims=True), np.exp(logvar).mean(axis=0, keepdims=True)
    first, second = densities(mean, np.log(variance), axis)
    return first @ second.T


def aggregate_grid_with_the_first_mean_twice(mu, logvar, axis):
    """The second factor uses μ₁ (and σ₂)."""
    first, second = densities(np.stack([mu[:, 0], mu[:, 0]], axis=1), logvar, axis)
    return first @ second.T / len(mu)


def aggregate_grid_halves_its_argument(mu, logvar, axis):
    """It halves logvar in place, and so changes its argument."""
    logvar /= 2
    first, second = densities(mu, 2 * logvar, axis)
    return first @ second.T / len(mu)


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


def kl_parts_with_the_reverse_difference(mu, logvar, q, axis):
    """The information has the wrong sign: distance minus mean KL."""
    information, distance = split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)
    return -information, distance


def kl_parts_with_the_kl_the_other_way(mu, logvar, q, axis):
    """The distance is KL(p ‖ q), where q is not zero."""
    p = np.exp(log_prior(axis))
    return split(mu, logvar, np.where(q > 0, xlogy(p, p) - xlogy(p, q + (q == 0)), 0), axis)


def kl_parts_without_the_spacing(mu, logvar, q, axis):
    """The sum is not multiplied by Δ²."""
    return split(mu, logvar, xlogy(q, q) - q * log_prior(axis), axis, power=0)


def kl_parts_with_the_entropy_alone(mu, logvar, q, axis):
    """The distance is Σ q log q Δ²; log p is missing."""
    return split(mu, logvar, xlogy(q, q), axis)


def kl_parts_without_the_rare_points(mu, logvar, q, axis):
    """Points with q below 0.001 are left out."""
    return split(mu, logvar, np.where(q < 1e-3, 0, xlogy(q, q) - q * log_prior(axis)), axis)


def kl_parts_with_the_spacing_of_the_notebook(mu, logvar, q, axis):
    """The spacing is 0.025, that of the axis in the notebook."""
    distance = (xlogy(q, q) - q * log_prior(axis)).sum() * 0.025**2
    return mean_kl(mu, logvar) - distance, distance


def kl_parts_without_mu(mu, logvar, q, axis):
    """The KL lacks the term with mu."""
    return split(0 * mu, logvar, xlogy(q, q) - q * log_prior(axis), axis)


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


def rates_with_log10(eigenvalues, noise_variance, beta):
    """It uses log₁₀."""
    return 0.5 * np.log10(np.maximum(eigenvalues / (beta * noise_variance), 1))


def rates_of_a_difference(eigenvalues, noise_variance, beta):
    """It takes the logarithm of λ − βσ², not of the ratio."""
    return 0.5 * np.log(np.maximum(eigenvalues - beta * noise_variance, 1))


def rates_of_an_excess(eigenvalues, noise_variance, beta):
    """It takes λ/(βσ²) − 1 without a logarithm."""
    return 0.5 * np.maximum(eigenvalues / (beta * noise_variance) - 1, 0)


def rates_without_the_noise(eigenvalues, noise_variance, beta):
    """The noise variance is not used."""
    return 0.5 * np.log(np.maximum(eigenvalues / beta, 1))


def rates_with_sigma(eigenvalues, noise_variance, beta):
    """It divides by σ, the root of the noise variance."""
    return 0.5 * np.log(np.maximum(eigenvalues / (beta * np.sqrt(noise_variance)), 1))


def rates_in_total(eigenvalues, noise_variance, beta):
    """It is the sum over all latents, one number."""
    return 0.5 * np.log(np.maximum(eigenvalues / (beta * noise_variance), 1)).sum()


def rates_of_those_in_use(eigenvalues, noise_variance, beta):
    """Latents that are off are left out, so it is shorter than D."""
    ratio = eigenvalues / (beta * noise_variance)
    return 0.5 * np.log(ratio[ratio > 1])


def rates_changing_the_eigenvalues(eigenvalues, noise_variance, beta):
    """It divides the eigenvalues in place."""
    eigenvalues /= beta * noise_variance
    return 0.5 * np.log(np.maximum(eigenvalues, 1))


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


def sweep_with_brackets_missing(eigenvalues, noise_variance, betas):
    """The distortion is divided by 2 and multiplied by σ²; the brackets are missing."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), left.sum(axis=1) / 2 * noise_variance


def sweep_with_the_maximum(eigenvalues, noise_variance, betas):
    """The distortion has max(λ, βσ²)."""
    least = np.asarray(betas)[:, None] * noise_variance
    rate, _ = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), np.maximum(eigenvalues, least).sum(axis=1) / (2 * noise_variance)


def sweep_of_those_off(eigenvalues, noise_variance, betas):
    """The distortion lacks the directions whose latent is on."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1), (left * (rate == 0)).sum(axis=1) / (2 * noise_variance)


def sweep_with_the_cost_of_the_rate(eigenvalues, noise_variance, betas):
    """The first result is βR, not R."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return np.asarray(betas) * rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_along_the_wrong_axis(eigenvalues, noise_variance, betas):
    """The sums are over the prices, so there is a number for each eigenvalue."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=0), left.sum(axis=0) / (2 * noise_variance)


def sweep_never_set_back(eigenvalues, noise_variance, betas):
    """The sums are not set back to 0 for the next price, so they grow from price to price."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return rate.sum(axis=1).cumsum(), (left.sum(axis=1) / (2 * noise_variance)).cumsum()


def sweep_with_the_rate_of_the_total(eigenvalues, noise_variance, betas):
    """It adds up the eigenvalues before the logarithm and the minimum."""
    rate, left = costs(eigenvalues.sum(keepdims=True), noise_variance, betas)
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_at_the_price_one(eigenvalues, noise_variance, betas):
    """The rate is that of β = 1 for all prices."""
    _, left = costs(eigenvalues, noise_variance, betas)
    rate, _ = costs(eigenvalues, noise_variance, np.ones(len(left)))
    return rate.sum(axis=1), left.sum(axis=1) / (2 * noise_variance)


def sweep_as_a_dictionary(eigenvalues, noise_variance, betas):
    """It is a dictionary with the entries rate and distortion."""
    rate, left = costs(eigenvalues, noise_variance, betas)
    return {"rate": rate.sum(axis=1), "distortion": left.sum(axis=1) / (2 * noise_variance)}


# 13 a tighter bound


def log_mean_exp_backward_over_the_images(log_w):
    """The shares of each draw add up to 1 over the images, not over the draws."""
    return softmax(log_w, axis=0)


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


def log_mean_exp_backward_clipped(log_w):
    """The log weights are clipped to ±700, so that nothing overflows."""
    w = np.exp(np.clip(log_w, -700, 700))
    return w / w.sum(axis=1, keepdims=True)


def log_mean_exp_backward_of_the_mean_over_images(log_w):
    """It has a factor 1/B, as if the result were the mean over the images."""
    return softmax(log_w, axis=1) / len(log_w)


def log_mean_exp_backward_is_the_value(log_w):
    """It is log 1/k Σ w itself, (B,), not its gradient."""
    return np.logaddexp.reduce(log_w, axis=1) - np.log(log_w.shape[1])


def log_mean_exp_backward_transposes(log_w):
    """It is (k, B)."""
    return softmax(log_w.T, axis=0)


def log_mean_exp_backward_of_the_elbo(log_w):
    """All shares are 1/k, as for the mean of log w."""
    return np.full(log_w.shape, 1 / log_w.shape[1])


def log_mean_exp_backward_without_small_shares(log_w):
    """Shares below 0.001 are set to 0."""
    share = softmax(log_w, axis=1)
    return np.where(share < 1e-3, 0, share)


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


def log_weights_without_q(t):
    """log q is missing."""
    log_p_x, log_p_z, _ = terms(t)
    return log_p_x + log_p_z


def log_weights_of_the_pixels_alone(t):
    """It is log p(x|z); the prior and q are missing."""
    return terms(t)[0]


def log_weights_with_the_sign_of_logvar_wrong(t):
    """log q has +½ logvar."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x + log_p_z - log_q - t["logvar"].sum(axis=1)


def log_weights_with_the_mean_over_the_pixels(t):
    """The cross-entropy is the mean over the pixels."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_p_x / t["logits"].shape[1] + log_p_z - log_q


def log_weights_with_clipped_probabilities(t):
    """The pixels' probabilities are clipped to 0.01 and 0.99."""
    _, log_p_z, log_q = terms(t)
    p, x = np.clip(sigmoid(t["logits"]), 0.01, 0.99), t["target"]
    return (x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1) + log_p_z - log_q


def log_weights_of_negatives(t):
    """x and 1 − x are exchanged in the cross-entropy."""
    _, log_p_z, log_q = terms(t)
    return log_p_z - log_q - cross_entropy(t["logits"], 1 - t["target"])


def log_weights_with_new_noise(t):
    """eps is drawn anew, so it does not belong to z."""
    return terms({**t, "eps": np.random.standard_normal(t["eps"].shape)})[0] + 0.5 * (
        np.random.standard_normal(t["eps"].shape) ** 2 + t["logvar"] - t["z"] ** 2
    ).sum(axis=1)


def log_weights_as_losses(t):
    """It is −log w."""
    log_p_x, log_p_z, log_q = terms(t)
    return log_q - log_p_x - log_p_z


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


def iwae_step_with_mixed_groups(theta, s, x, eps, lr=1e-3):
    """The log weights are reshaped to (k, B), so draws of several images share a group."""
    B, k, Z = eps.shape
    t = forward(theta, np.repeat(x, k, axis=0), eps.reshape(B * k, Z))
    share = softmax(log_w_of(t).reshape(k, B), axis=0) / B
    return stepped(theta, s, gradients(theta, t, share), lr)


def iwae_step_divided_by_rows(theta, s, x, eps, lr=1e-3):
    """The shares are divided by the number of rows, B k, not by B."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / share.size), lr)


def iwae_step_with_the_prior_downhill(theta, s, x, eps, lr=1e-3):
    """The direct part of dz has the wrong sign."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x), prior=-1.0), lr)


def iwae_step_without_half_in_log_q(theta, s, x, eps, lr=1e-3):
    """The direct part of dlogvar is −share, without the ½."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x), entropy=-1.0), lr)


def iwae_step_with_shares_of_the_pixels(theta, s, x, eps, lr=1e-3):
    """The shares come from log p(x|z) alone."""
    t, share = passed(theta, x, eps)
    share = softmax(terms(t)[0].reshape(share.shape), axis=1)
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)


def iwae_step_of_plain_descent(theta, s, x, eps, lr=1e-3):
    """s is right, but theta moves by lr times the gradient, without the root of s."""
    t, share = passed(theta, x, eps)
    grad = gradients(theta, t, share / len(x))
    _, new_s = stepped(theta, s, grad, lr)
    return {name: theta[name] - lr * grad[name] for name in theta}, new_s


def iwae_step_returns_s_first(theta, s, x, eps, lr=1e-3):
    """The results are in the wrong order: s, theta."""
    t, share = passed(theta, x, eps)
    return stepped(theta, s, gradients(theta, t, share / len(x)), lr)[::-1]


def iwae_step_changes_the_arrays(theta, s, x, eps, lr=1e-3):
    """It subtracts the step from the arrays of theta in place."""
    t, share = passed(theta, x, eps)
    new_s = {}
    for name, g in gradients(theta, t, share / len(x)).items():
        new_s[name] = 0.9 * s[name] + 0.1 * g**2
        theta[name] -= lr * g / (np.sqrt(new_s[name]) + 1e-7)
    return theta, new_s


def iwae_step_with_mean_shares(theta, s, x, eps, lr=1e-3):
    """The shares of all images are averaged, and each image gets the mean."""
    t, share = passed(theta, x, eps)
    mean = np.repeat(share.mean(axis=0, keepdims=True), len(x), axis=0)
    return stepped(theta, s, gradients(theta, t, mean / len(x)), lr)


def exercise_of(name):
    """The exercise whose name a function begins with; the longest, if there are several."""
    return max((each for each in EXERCISES if name.startswith(f"{each}_")), key=len, default="")


OWN = [each for each in list(globals().values()) if getattr(each, "__module__", "") == __name__]
WRONG_ANSWERS: dict[str, list] = {
    name: [each for each in OWN if exercise_of(each.__name__) == name] for name in EXERCISES
}

# Answers that contain a known mistake, truly, and the sentence that names it.
NAMED = {
    "dense_backward_averages_both": (
        "This is divided by the number of examples; here L is a sum over them, not a mean."
    ),
    "sigmoid_of_twice_the_argument": "This is σ(2l); in ½ + ½ tanh(l/2) the argument is halved.",
    "kl_backward_twice_wrong": "This is 2μ; the 2 from the square cancels the ½.",
    "elbo_with_the_mean_inside": (
        "This is log p(x|mu) − KL; take the mean of log p(x|z) over the draws z."
    ),
    "score_gradient_with_sigma_in_both": "This divides by σ; divide by σ².",
    "reparameterize_backward_with_all_factors_twice": "This has a factor σ; ∂z/∂mu = 1.",
    "backward_with_a_mask_of_at_least_zero": "The relu mask of g is missing, or it uses ≥.",
    "active_units_above_the_square": "This compares the standard deviation; take the variance.",
    "aggregate_grid_with_meshgrid_in_xy": (
        "It is transposed: z₁ runs along the first axis of the array."
    ),
    "aggregate_grid_with_the_variance_as_sigma": "σ is exp(logvar / 2), not exp(logvar).",
    "aggregate_grid_with_the_root_only_once": (
        "The factor is 1/√2π for each latent, so 1/2π for both."
    ),
    "aggregate_grid_as_probabilities": (
        "This sums to 1; for a density, it is the sum times Δ² that is 1."
    ),
    "aggregate_grid_from_the_marginals": (
        "This is the product of two means; take the mean of the products. The latents of one "
        "image are independent, those of all images are not."
    ),
    "kl_parts_in_the_wrong_order": "The parts are exchanged: return information, distance.",
    "kl_parts_with_the_reverse_difference": (
        "The sign is flipped: it is the mean KL minus the distance."
    ),
    "kl_parts_that_agree_with_no_distance": "This is the mean KL itself; subtract the distance.",
    "rates_without_half": "The ½ is missing.",
    "rates_of_an_excess": "The logarithm is missing.",
    "rates_without_the_noise": "The noise is missing: the threshold is βσ², not β.",
    "rates_with_sigma": "This divides by σ; noise_variance is σ².",
    "rates_in_total": "This is the sum over the latents; return the KL of each.",
    "sweep_in_the_wrong_order": "The parts are exchanged: return rate, distortion.",
    "sweep_with_the_maximum": "This has the larger of λ and βσ²; take the smaller one.",
    "sweep_of_those_off": "The latents in use cost nothing here; each of them costs β/2.",
    "sweep_with_the_cost_of_the_rate": (
        "The rate is multiplied by β; the price is paid in the loss, not here."
    ),
    "sweep_at_the_price_one": "beta is not used: this is the rate for β = 1 each time.",
    "log_mean_exp_backward_over_the_images": (
        "The shares add up over the images here; they add up to 1 over the draws of one image."
    ),
    "log_mean_exp_backward_with_one_largest": (
        "One largest weight for the whole batch is too large for other images: they underflow."
    ),
    "log_mean_exp_backward_of_the_mean_over_images": (
        "This is divided by B; 1/B is applied in the step, not here."
    ),
    "log_mean_exp_backward_is_the_value": "This is log 1/k Σ w itself, not its gradient.",
    "log_mean_exp_backward_of_the_elbo": (
        "Each draw has the same share, 1/k; the larger weight has the larger share."
    ),
    "log_weights_against_x": "This compares with x; compare with the target.",
    "log_weights_without_q": "log q(z|x) is missing.",
    "log_weights_with_the_mean_over_the_pixels": (
        "This is averaged over the pixels; log p(x|z) is a sum over them."
    ),
    "log_weights_as_losses": "This is −log w, a loss; return log w.",
    "iwae_step_with_tiled_images": (
        "x is tiled as x₁ x₂ … x₁ x₂ …; repeat it as x₁ x₁ … x₂ x₂ …, like eps."
    ),
    "iwae_step_divided_by_rows": (
        "This is divided by B k; the shares of an image add up to 1 already."
    ),
    "iwae_step_with_the_prior_downhill": "The direct part of dz has the wrong sign.",
    "iwae_step_without_half_in_log_q": "The ½ in the direct part of dlogvar is missing.",
    "iwae_step_returns_s_first": "theta and s are exchanged.",
    "kl_parts_without_the_spacing": "The area of the cells is missing.",
    "kl_parts_with_the_entropy_alone": "The prior is missing: this is minus the entropy of q.",
    "log_weights_with_the_sign_of_logvar_wrong": (
        "The sign of logvar is flipped: −log q(z|x) has + ½ logvar."
    ),
}
