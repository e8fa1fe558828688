# %% [markdown]
# # 11 · Where do samples come from?
#
# **The one idea: a VAE draws codes from the prior, but its decoder has only ever seen codes from the encoder. The two distributions should be the same, and they are not.**
#
# In notebook 03 random codes of an autoencoder decoded to blots, because its codes had holes between them. A VAE was meant to be the remedy. Did it help? With two latents you need not guess. You compute the distribution of all codes on a grid, lay it over the prior, and find out which part of the KL in the loss belongs to the difference.
#
# *You need:* notebooks 05, 08 and 09. *Time:* 65 minutes.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.course import check, functions
from numpyvae.evaluation import aggregate_posterior, evidence, vae_log_likelihood
from numpyvae.pictures import STYLE, tile

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)
mine = functions("05_elbo")
kl_divergence = mine.kl_divergence
print("kl_divergence:", mine.origin)
(x_train, y_train), (x_test, _) = numpyvae.load_mnist()
x_train, x_test = (x_train / 255).astype(np.float32), (x_test / 255).astype(np.float32)

if Path("08_mnist.npz").exists():
    vae = numpyvae.load("08_mnist.npz")
    print("the model of notebook 08, from 08_mnist.npz")
else:
    vae = numpyvae.VAE(hidden=256, latent=2, rng=0)
    *_, epoch = numpyvae.train(vae, x_train, epochs=5, rng=0)
    print(f"no 08_mnist.npz in this folder; quick model of five epochs, loss {epoch.train}")

# %% [markdown]
# ## Two ways to invent a digit
#
# A VAE *generates*. Draw a code from the prior, $z \sim \mathcal N(0, 1)$ in each latent, and decode it. That is the model of notebook 04: first $z$, then $x$.
#
# Here is a second way, which is a kind of cheating. Pick a training image at random, and draw a code from its $q(z \mid x)$. Such a code comes from the **aggregate posterior**, the mean of the guesses for all $N$ images:
#
# $$q(z) = \frac1N \sum_{n=1}^N q(z \mid x_n) .$$
#
# The decoder was trained on codes like these, and has never been shown a draw from the prior. We take the first 10,000 training images, and later all 60,000.
#
# **Predict:** which row of the next picture looks better, or can you not tell?

# %%
mu, logvar = (array.astype(np.float64) for array in vae.encode(x_train[:10_000]))
rng = np.random.default_rng(0)
from_prior = rng.standard_normal((2000, 2))
some = rng.integers(0, len(mu), 2000)
from_codes = mu[some] + np.exp(logvar[some] / 2) * rng.standard_normal((2000, 2))

figure, panels = plt.subplots(2, 1, figsize=(9, 1.6))
for axes, z, name in zip(panels, (from_prior, from_codes), ("z from p(z)", "z from q(z)")):
    axes.imshow(tile(vae.decode(z[:16]), (28, 28), columns=16), cmap="gray_r", vmin=0, vmax=1)
    axes.set_ylabel(name, rotation=0, ha="right", va="center")
    axes.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Both rows have good digits and smudges. Sixteen pictures do not decide anything. So we compare the two *distributions*, on a grid, where nothing depends on luck.
#
# ### Exercise 1: `aggregate_grid`
#
# Given are the encoder's `mu` and `logvar` for $N$ images, $(N, 2)$ each, and the points `axis` $(M,)$ of one axis of a square grid. Return $q(z)$ at all $M \times M$ points, with $z_1$ along the first axis of the array and $z_2$ along the second. In each $q(z \mid x_n)$ the two latents are independent, so it is a product:
#
# $$q(z_1, z_2) = \frac1N \sum_n \mathcal N(z_1;\, \mu_{n1}, \sigma_{n1}^2)\; \mathcal N(z_2;\, \mu_{n2}, \sigma_{n2}^2) .$$
#
# A loop over 10,000 images and 160,801 points would take minutes. Look for the sum over $n$: which matrix product does it?


# %%
def aggregate_grid(mu, logvar, axis):
    """1/N Σ N(z₁; μ₁, σ₁²) N(z₂; μ₂, σ₂²) at the points of the grid axis × axis: (M, M)."""
    # BEGIN SOLUTION
    sigma = np.exp(logvar / 2)
    distance = (axis[:, None, None] - mu) / sigma  # (M, N, 2)
    density = np.exp(-0.5 * distance**2) / (np.sqrt(2 * np.pi) * sigma)
    return density[:, :, 0] @ density[:, :, 1].T / len(mu)
    # END SOLUTION


# %% [markdown]
# **The check:** one image with $q = p$; two images with $\mu = \pm 1$; $\sigma = 2$; then random ones. Their two latents are never alike, so a transposed result does not go unnoticed.

# %%
check("aggregate_grid", aggregate_grid)

# %%
axis = np.linspace(-5, 5, 401)
cell = (axis[1] - axis[0]) ** 2
q = aggregate_grid(mu, logvar, axis)
p = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2)) / (2 * np.pi)
print(f"mass on the grid: q {q.sum() * cell:.4f}, p {p.sum() * cell:.4f}")
assert np.isclose(q.sum() * cell, 1, rtol=0, atol=1e-3)
spread = [np.sqrt((q * z**2).sum() * cell - ((q * z).sum() * cell) ** 2)
          for z in (axis[:, None], axis)]  # fmt: skip
print(f"standard deviation of q(z): {spread[0]:.2f} and {spread[1]:.2f}; that of p(z) is 1")
assert min(spread) > 1.1

# %% [markdown]
# The codes spread wider than the prior. The grid of pictures in notebook 08 is made for the prior: 16% of the prior lies outside of it, but about a third of the codes.
#
# ## What the loss pays for
#
# The loss contains the mean over the images of $\text{KL}(q(z \mid x_n) \,\|\, p(z))$. It charges for two different things.
#
# **On paper:** insert $q(z)$ into the logarithm,
#
# $$\log \frac{q(z \mid x_n)}{p(z)} = \log \frac{q(z \mid x_n)}{q(z)} + \log \frac{q(z)}{p(z)},$$
#
# and take the mean over $z$ from $q(z \mid x_n)$ and over $n$. What does the mean over $n$ make of the second term?
#
# <details><summary>The answer</summary>
#
# The second term, $\log q(z)/p(z)$, does not depend on $n$. Its mean is
# $\frac1N \sum_n \int q(z \mid x_n) \log \frac{q(z)}{p(z)}\, dz = \int q(z) \log \frac{q(z)}{p(z)}\, dz = \text{KL}(q(z) \,\|\, p(z))$. So
#
# $$\frac1N \sum_n \text{KL}(q(z \mid x_n) \,\|\, p(z)) = \underbrace{\frac1N \sum_n \text{KL}(q(z \mid x_n) \,\|\, q(z))}_{\text{mutual information of } n \text{ and } z} + \underbrace{\text{KL}(q(z) \,\|\, p(z))}_{\text{distance from the prior}} .$$
#
# </details>
#
# So
#
# $$\text{mean KL} = \text{mutual information} + \text{KL}(q(z) \,\|\, p(z)) .$$
#
# The first part is the **mutual information** of image and code: how many nats a code tells about *which* image it belongs to. The decoder needs it. The second part is the distance of all codes together from the prior. It buys nothing (Hoffman & Johnson 2016).
#
# **Predict:** the mean KL of our model is about 5.5 nats. How many are the price of the distance?
#
# ### Exercise 2: `kl_parts`
#
# Return both parts, first the information, then the distance. The distance is a sum over the grid, $\sum q\, (\log q - \log p)\, \Delta^2$. Where $q = 0$, its term is 0. The information is the rest of the mean KL.


# %%
def kl_parts(mu, logvar, q, axis):
    """(information, distance) in nats: their sum is the mean KL; q (M, M) on axis × axis."""
    # BEGIN SOLUTION
    log_prior = -0.5 * (axis[:, None] ** 2 + axis**2) - np.log(2 * np.pi)
    log_ratio = np.log(np.maximum(q, 1e-300)) - log_prior
    distance = (q * log_ratio).sum() * (axis[1] - axis[0]) ** 2
    information = kl_divergence(mu, logvar).mean() - distance
    return information, distance
    # END SOLUTION


# %% [markdown]
# **The check:** a $q$ that is ½ at one point and 0 elsewhere; $q = p$, whose distance is 0; then random ones.

# %%
check("kl_parts", kl_parts)

# %%
information, distance = kl_parts(mu, logvar, q, axis)
print(f"mean KL {information + distance:.2f} = information {information:.2f} "
      f"+ distance from the prior {distance:.2f}")  # fmt: skip
print(f"at most: log 10,000 = {np.log(10_000):.2f}; the digit alone: log 10 = {np.log(10):.2f}")
library = aggregate_posterior(mu, logvar)
assert np.allclose(q, library.q, rtol=0, atol=1e-12)
assert np.isclose(information, library.mutual_information, rtol=0, atol=1e-9)
assert 0.3 < distance < 0.8
assert 4 < information < 6

# %% [markdown]
# About half a nat is the distance. The other five are information. A code that told only which of ten digits it stands for would carry at most $\log 10 = 2.3$ nats. So ours also tell the style. They cannot tell more than $\log 10{,}000 = 9.2$ nats, which would single out the image.
#
# ## The picture to remember
#
# The map shows $\log_2 q(z)/p(z)$. Red: codes are denser than the prior. Blue: the prior is denser. The circles contain 50% and 90% of the draws from the prior, so look at the blue *inside* them: there, a VAE draws codes that hardly any of these images has. Where $q < p/5$ (inside the dashed black lines) we speak of a **hole**. Beside the map are decoded draws from the prior, from places with $q > 2p$ and from holes.
#
# **Predict:** what will the draws from the holes look like?

# %%
log_ratio = np.log2(np.maximum(q, 1e-300) / p)
nearest = np.rint((from_prior - axis[0]) / (axis[1] - axis[0])).astype(int).clip(0, 400)
at_draws = log_ratio[nearest[:, 0], nearest[:, 1]]  # at the nearest point of the grid
dense, hole = at_draws > 1, at_draws < -np.log2(5)

figure, panels = plt.subplots(
    1, 3, figsize=(10.5, 4), width_ratios=[1.25, 1, 1], layout="constrained"
)
colours = panels[0].pcolormesh(
    axis, axis, log_ratio.T.clip(-4, 4), cmap="RdBu_r", vmin=-4, vmax=4, rasterized=True
)
panels[0].contour(axis, axis, log_ratio.T, [-np.log2(5)], colors="black", linewidths=0.7)
figure.colorbar(colours, ax=panels[0], label="log₂ q(z)/p(z)", shrink=0.8)
angle = np.linspace(0, 2 * np.pi, 100)
for share in (0.5, 0.9):
    radius = np.sqrt(-2 * np.log(1 - share))
    panels[0].plot(radius * np.cos(angle), radius * np.sin(angle), color="black", linewidth=1)
    panels[0].text(0, radius + 0.06, f"{share:.0%}", ha="center")
panels[0].set(xlim=(-3.6, 3.6), ylim=(-3.6, 3.6), aspect="equal", xlabel="$z_1$", ylabel="$z_2$")
for axes, chosen, name in zip(panels[1:], (dense, hole), ("where q > 2p", "holes, q < p/5")):
    pictures = vae.decode(from_prior[chosen][:36])
    axes.imshow(tile(pictures, (28, 28), columns=6), cmap="gray_r", vmin=0, vmax=1)
    axes.set(xticks=[], yticks=[], title=name)
plt.show()
hole_mass, low_mass = p[log_ratio < -np.log2(5)].sum() * cell, p[log_ratio < -1].sum() * cell
print(f"mass of the prior where q < p/2: {low_mass:.0%}; where q < p/5: {hole_mass:.0%}")
assert 0.3 < low_mass < 0.45
assert 0.04 < hole_mass < 0.12

# %% [markdown]
# About a third of the prior's draws fall where the codes are at most half as dense as they should be, and about one in fifteen falls into a hole.
#
# Is that so of all codes, or only of these 10,000? The mean of few Gaussians is uneven, and leaves gaps that more images fill:

# %%
found = {}
for count in (1_000, 10_000, 60_000):
    found[count] = each = aggregate_posterior(*vae.encode(x_train[:count]))
    print(f"{count:6,} images: q < p/2 in {each.half:.0%}, q < p/5 in {each.fifth:.0%}; "
          f"distance {each.kl:.2f}, information {each.mutual_information:.2f}")  # fmt: skip
few, some, every = found.values()
assert few.fifth > 1.5 * some.fifth
assert abs(every.fifth - some.fifth) < 0.03
assert few.kl > some.kl > every.kl > 0.3

# %% [markdown]
# With 1,000 images, the holes seem twice as large as they are. From 10,000 on, little changes: the holes are those of all the codes that the decoder has seen. (After more epochs, each $q(z \mid x)$ is narrower, and it takes more images to fill the gaps.) So always say how many images a $q(z)$ is of. The mean KL is nearly the same for all three. What the distance loses, the information gains.
#
# Now look at the pictures again. The draws from the holes are no random blots like those of notebook 03, but many are smudges between two digits. The decoder is smooth, so it fills a narrow hole with a mixture of what lies on its two sides.
#
# Can we measure that, instead of looking? Take the ten nearest training images of each decoded draw. If all ten show the same digit, the draw is a clear case. There is a trap: a smudge has little ink, and so have the ones, so the nearest images of a smudge are often ten ones. Therefore a draw counts only if its digit is *not* a one.

# %%
memory, labels = x_train[:20_000], y_train[:20_000]


def clear(z):
    """Whether the ten nearest training images of each decoded code show the same digit, no one."""
    pictures = vae.decode(z)
    squares = (memory**2).sum(axis=1) - 2 * pictures @ memory.T  # up to a constant per picture
    ten = labels[np.argpartition(squares, 10, axis=1)[:, :10]]
    return (ten == ten[:, :1]).all(axis=1) & (ten[:, 0] != 1)


clear_prior, clear_codes = clear(from_prior), clear(from_codes)
thin = (at_draws < -1) & ~hole
shares = {}
for name, value in (
    ("z from q(z)", clear_codes),
    ("z from p(z)", clear_prior),
    ("   where q ≥ p/2", clear_prior[at_draws >= -1]),
    ("   p/5 ≤ q < p/2", clear_prior[thin]),
    ("   holes, q < p/5", clear_prior[hole]),
):
    shares[name.strip()] = value.mean()
    error = value.std() / len(value) ** 0.5
    print(f"{name:18} {value.mean():4.0%} ± {error:.0%} are clear cases")
assert clear_codes.mean() > clear_prior.mean()
assert shares["holes, q < p/5"] < shares["p/5 ≤ q < p/2"] < shares["where q ≥ p/2"]
assert shares["holes, q < p/5"] < 0.3 * shares["where q ≥ p/2"]

# %% [markdown]
# Hardly any draw from a hole is a clear digit. That is one reason why samples from a VAE are worse than its reconstructions: some codes come from places where no image has been.
#
# ## What if the prior were $q(z)$?
#
# Nobody forces us to keep $\mathcal N(0, 1)$. Train as before, and then replace the prior by $q(z)$, computed from *training* images. The encoder and the decoder stay the same. On the images that define $q(z)$, the mean KL falls by exactly the distance, so the ELBO rises by it. And the exact evidence of *test* images? With two latents we can compute it. The new prior only adds $\log q(z)/p(z)$ to the log-likelihood:
#
# $$\int p(x \mid z)\, q(z)\, dz = \int p(x \mid z)\, \frac{q(z)}{p(z)}\, p(z)\, dz .$$
#
# **Predict:** by how much does the mean evidence rise or fall?

# %%
codes = [array.astype(np.float64) for array in vae.encode(x_train[:20_000])]
grid = np.linspace(-6, 6, 361)
learned = aggregate_grid(*codes, grid)
learned_distance = kl_parts(*codes, learned, grid)[1]
normal = np.exp(-0.5 * (grid[:, None] ** 2 + grid**2)) / (2 * np.pi)
to_add = np.log(np.maximum(learned, 1e-300) / normal)
images = x_test[:300]
log_likelihood = vae_log_likelihood(vae, images)


def with_new_prior(z):
    """log p(x|z) + log q(z)/p(z), at points of `grid`, which is the grid of `evidence` below."""
    place = np.rint((z - grid[0]) / (grid[1] - grid[0])).astype(int)
    return log_likelihood(z) + to_add[place[:, 0], place[:, 1]][:, None]


old = evidence(log_likelihood, 2, nodes=361, half_width=6.0).value
new = evidence(with_new_prior, 2, nodes=361, half_width=6.0).value
gain, error = (new - old).mean(), (new - old).std() / len(images) ** 0.5
print(f"mean evidence of 300 test images: {old.mean():.2f} with p(z), {new.mean():.2f} with q(z)")
print(f"gain {gain:.2f} ± {error:.2f} nats; "
      f"distance of the training codes from p(z): {learned_distance:.2f}")  # fmt: skip
assert abs(gain - learned_distance) < 3 * error
assert gain > 3 * error

# %% [markdown]
# It rises by about the distance, on images that the new prior has not seen. A better prior is worth half a nat here. That is the idea of the VampPrior (Tomczak & Welling 2018), which *learns* a mixture like $q(z)$ along with the model.

# %% [markdown]
# ## In five lines
#
# 1. A VAE generates by drawing $z$ from the prior. Its decoder was trained on draws from the aggregate posterior $q(z) = \frac1N \sum q(z \mid x_n)$.
# 2. Mean KL = mutual information of image and code + $\text{KL}(q(z) \,\|\, p(z))$.
# 3. Here, five nats are information, and half a nat is the distance from the prior.
# 4. Where $q(z)$ is far below $p(z)$ there is a hole: hardly any draw from there is a clear digit.
# 5. With $q(z)$ as the prior, the evidence of new images rises by about the distance.
#
# ## Further exercises
#
# 1. *(easy)* Compute both parts for the first 100, 1,000 and 10,000 *test* images. Are the codes of new images farther from the prior than those of as many training images?
# 2. *(medium)* The ones lie far outside. For each digit, compute $q(z \mid \text{digit})$ on the grid and the share of the prior's draws for which it is the largest. Which digits would a VAE draw too rarely?
# 3. *(open)* Train with $\beta$ = 0.5, 1 and 4. How do information and distance change? Is there a $\beta$ for which the holes are gone, and what does it cost?
#
# ## Read on
#
# * M. Hoffman and M. Johnson, *ELBO surgery: yet another way to carve up the variational evidence lower bound*, NIPS workshop on advances in approximate Bayesian inference, 2016.
# * J. Tomczak and M. Welling, *VAE with a VampPrior*, AISTATS 2018.
# * A. Makhzani, J. Shlens, N. Jaitly, I. Goodfellow and B. Frey, *Adversarial autoencoders*, 2015, which matches $q(z)$ to the prior directly.
#
# Next: [12 · Rate and distortion](12_rate_distortion.ipynb)
