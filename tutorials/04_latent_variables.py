# %% [markdown]
# # 04 · Latent variables and the evidence
#
# **The one idea: to know how probable a picture is, average over everything that could have caused it.**
#
# The autoencoder of notebook 03 had holes because nothing said where its codes should lie. So we start again from the other end: first say how data
# comes about, with probabilities, and then ask what it tells us about its cause. Everything here happens with *one* hidden number, where we can compute
# every integral, look at every curve, and know the exact answer.
#
# *You need:* the density of a normal distribution, integrals as sums. *Time:* 60 minutes.

# %%
import matplotlib.pyplot as plt
import numpy as np

from numpyvae.course import call, expect
from numpyvae.pictures import COLOURS, STYLE

plt.style.use(STYLE)


def log_normal(x, mean, s):
    """−½ log(2π s²) − (x − mean)² / 2s², the log of a normal density with standard deviation s."""
    return -0.5 * np.log(2 * np.pi * s**2) - (x - mean) ** 2 / (2 * s**2)


# %% [markdown]
# ## A story in two steps
#
# 1. Nature draws a number $z$ that nobody sees, from the **prior** $p(z) = \mathcal{N}(0, 1)$. It is called a *latent* variable: hidden.
# 2. From $z$ comes what we see: $x = f(z) + s \cdot \text{noise}$, noise from $\mathcal N(0, 1)$. So if we knew $z$, the probability density
#    of $x$ would be $p(x \mid z) = \mathcal{N}(x;\, f(z), s^2)$. This is the **likelihood**, and $f$ is the **decoder**.
#
# In a VAE $z$ will be a few numbers, $f$ a neural network, and $x$ a picture. Here $x$ is one number, and we begin with a decoder that is a straight line,
#
# $$f(z) = a z + c, \qquad a = 1.5,\ c = 0.5,\ s = 0.8 .$$

# %%
a, c, s = 1.5, 0.5, 0.8
rng = np.random.default_rng(0)
z_drawn = rng.standard_normal(100_000)
x_drawn = a * z_drawn + c + s * rng.standard_normal(100_000)
print(f"100,000 draws: mean {x_drawn.mean():.3f}, variance {x_drawn.var():.3f}")

# %% [markdown]
# ## The evidence
#
# How probable is a certain $x$, whatever the $z$ was? Seeing $x$ *together with* $z$ has the density
#
# $$p(x, z) = p(x \mid z)\, p(z),$$
#
# and since any $z$ may have been its cause, we add up over all of them:
#
# $$p(x) = \int p(x \mid z)\, p(z)\, dz .$$
#
# This number has many names: *marginal likelihood*, *model evidence*, or just the **evidence**. It says how well the model explains $x$, so a model can be judged by it: the
# higher the (logarithm of the) evidence of the data, the better.
#
# For the straight line we can do the integral without integrating. $x$ is the sum of a constant and two independent normal numbers, $a z$ with
# variance $a^2$ and the noise with variance $s^2$. So $x$ is normal with mean $c$ and variance $a^2 + s^2$: that is
#
# $$p(x) = \mathcal{N}(x;\ c,\ a^2 + s^2) \qquad\text{here}\qquad \mathcal{N}(x;\ 0.5,\ 2.89) .$$

# %%
assert np.isclose(a**2 + s**2, 2.89)
assert abs(x_drawn.mean() - c) < 4 * (2.89 / 100_000) ** 0.5  # four standard errors
assert abs(x_drawn.var() - 2.89) < 4 * 2.89 * (2 / 100_000) ** 0.5

# %% [markdown]
# ## On a grid, and in logarithms
#
# For other decoders there is no such trick. But with a single latent, the integral is a sum over a fine grid of places $z_m$ with spacing $\Delta$:
#
# $$p(x) \approx \sum_m p(x \mid z_m)\, p(z_m)\, \Delta .$$
#
# One obstacle: a picture has 784 pixels, and for most $z$, which explain it badly, the product of 784 probabilities is a number like $e^{-800}$. A computer cannot hold it.

# %%
print("np.exp(-800.0) =", np.exp(-800.0))
assert np.exp(-800.0) == 0

# %% [markdown]
# So we only ever keep logarithms. But we have to *add* probabilities, not multiply them: given the logarithms $\ell_m$ of the terms, we need $\log \sum_m e^{\ell_m}$, and each $e^{\ell_m}$ may be 0 on the
# computer. The remedy is to take out the largest, $L = \max_m \ell_m$:
#
# $$\log \sum_m e^{\ell_m} = \log \Bigl( e^{L} \sum_m e^{\ell_m - L} \Bigr) = L + \log \sum_m e^{\ell_m - L} .$$
#
# Now the largest term is $e^0 = 1$, and those that still underflow do not matter. This is the **log-sum-exp** trick.

# %%
terms = np.array([-800.0, -801.0])
largest = terms.max()
by_trick = largest + np.log(np.exp(terms - largest).sum())
print(f"log(e^-800 + e^-801) = {by_trick:.4f}")
assert np.isclose(by_trick, -800 + np.log(1 + np.exp(-1)))

# %% [markdown]
# ### Exercise 1: `log_evidence`
#
# You are given the values $\log p(x \mid z_m)$ on an evenly spaced grid $z$. Return $\log p(x)$. Do not forget the prior and the spacing. (`log_normal(z, 0, 1)` is $\log p(z)$.)


# %%
def log_evidence(log_likelihood, z):
    """log Σ p(x|zₘ) p(zₘ) Δ, a number, from log p(x|zₘ) (M,) on an evenly spaced grid z (M,)."""
    # BEGIN SOLUTION
    log_terms = log_likelihood + log_normal(z, 0, 1) + np.log(z[1] - z[0])
    largest = log_terms.max()
    return largest + np.log(np.exp(log_terms - largest).sum())
    # END SOLUTION


# %%
# Check of exercise 1: the straight line, whose evidence is known
grid, other_grid = np.linspace(-8, 8, 1601), np.linspace(-9, 8, 851)
for x, z in ((0.5, grid), (3.0, grid), (-2.0, other_grid)):
    given, exact = log_normal(x, a * z + c, s), log_normal(x, c, (a**2 + s**2) ** 0.5)
    joint, spacing = given + log_normal(z, 0, 1), z[1] - z[0]
    expect(
        "log_evidence",
        call(log_evidence, given, z),
        exact,
        "log N(x; c, a² + s²), in closed form",
        given=f"the straight line, x = {x} and a grid with spacing {spacing:.2f}",
        mistakes={
            "The prior is missing.": np.log(np.exp(given).sum() * spacing),
            "The spacing is missing.": exact - np.log(spacing),
            "The spacing is that of another grid: it is z[1] − z[0].": exact
            + np.log(0.01 / spacing),
            "This is the largest term, not the sum.": joint.max() + np.log(spacing),
            "The largest logarithm was taken out, and not added again.": exact - joint.max(),
            "This is the mean over the grid, not the sum times the spacing.": np.log(
                np.exp(joint).mean()
            ),
            "The logarithm is missing: this is p(x) itself.": np.exp(exact),
        },
    )
    with np.errstate(divide="ignore"):
        far = call(log_evidence, given - 2000, z)
    expect(
        "log_evidence",
        far,
        exact - 2000,
        "2000 nats less everywhere is 2000 nats less",
        given="log-likelihoods lower by 2000",
        mistakes={"Everything underflowed: take out the largest logarithm first.": -np.inf},
    )
print("log_evidence: right")

# %% [markdown]
# ## The posterior: what does $x$ say about $z$?
#
# (From here on "probable" also means: of high density.) Before we look, $z$ has the density $p(z)$. After we have seen $x$, it has another one, $p(z \mid x)$, called the **posterior**. Write the joint density in both ways,
# $p(x, z) = p(x \mid z)\, p(z) = p(z \mid x)\, p(x)$, and solve for it. This is **Bayes' rule**:
#
# $$p(z \mid x) = \frac{p(x \mid z)\, p(z)}{p(x)} .$$
#
# The evidence is what makes it integrate to one. In a VAE the encoder will have to guess this posterior, and we shall want to know how well it does.
#
# ### Exercise 2: `posterior_grid`
#
# Return the posterior density on the grid. Your `log_evidence` does half of the work.


# %%
def posterior_grid(log_likelihood, z):
    """p(zₘ|x), (M,), a density: its sum times the spacing is 1. Arguments as in log_evidence."""
    # BEGIN SOLUTION
    log_joint = log_likelihood + log_normal(z, 0, 1)
    return np.exp(log_joint - log_evidence(log_likelihood, z))
    # END SOLUTION


# %% [markdown]
# For the straight line the posterior is known too. Up to what does not depend on $z$,
#
# $$\log p(x \mid z) + \log p(z) = -\frac{(x - c - a z)^2}{2 s^2} - \frac{z^2}{2} = -\frac12 \Bigl( 1 + \frac{a^2}{s^2} \Bigr) z^2 + \frac{a (x - c)}{s^2} z ,$$
#
# a parabola in $z$. So the posterior is normal: one over its variance is $1 + a^2/s^2 = (a^2 + s^2)/s^2$, and its mean is where the parabola is highest, where its derivative is zero:
# $(1 + a^2/s^2)\, z = a(x - c)/s^2$; multiply by $s^2$:
#
# $$p(z \mid x) = \mathcal{N}\Bigl(z;\ \frac{a (x - c)}{a^2 + s^2},\ \frac{s^2}{a^2 + s^2} \Bigr) .$$
#
# It is narrower than the prior, because $x$ told us something. The less noise, the narrower.

# %%
# Check of exercise 2
x = 3.0
given = log_normal(x, a * grid + c, s)
exact = np.exp(log_normal(grid, a * (x - c) / (a**2 + s**2), (s**2 / (a**2 + s**2)) ** 0.5))
with np.errstate(invalid="ignore", divide="ignore"):
    found, far = call(posterior_grid, given, grid), call(posterior_grid, given - 2000, grid)
expect(
    "posterior_grid",
    found,
    exact,
    "the normal density above",
    given="the straight line and x = 3",
    mistakes={
        "This sums to 1 without the spacing; a density needs it.": exact * 0.01,
        "This is the likelihood, without the prior.": np.exp(given),
        "The prior is missing, in the numerator.": np.exp(given - log_evidence(given, grid)),
        "This is the joint density; divide by the evidence.": exact
        * np.exp(log_evidence(given, grid)),
        "This is the log of the density.": np.log(exact),
    },
)
expect(
    "posterior_grid",
    far,
    exact,
    "a constant cancels; take it out in logarithms, before exp",
    given="log-likelihoods lower by 2000",
)
print("posterior_grid: right")

# %% [markdown]
# ## The picture to remember
#
# Now bend the decoder: $f(z) = z^2$, with noise $s = 0.4$. **Predict before you look:** you see $x = 2$. What was $z$? And if you see $x = -0.5$?

# %%
s_bent = 0.4
x_axis = np.linspace(-1, 4, 251)
posteriors = np.stack([posterior_grid(log_normal(x, grid**2, s_bent), grid) for x in x_axis])
figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.8), width_ratios=[1.2, 1])
shades = panels[0].pcolormesh(
    x_axis, grid, posteriors.T, cmap="Greys", shading="auto", rasterized=True
)
figure.colorbar(shades, ax=panels[0], label="density p(z | x)")
panels[0].set(
    xlabel="x, what we see",
    ylabel="z, the hidden cause",
    ylim=(-3, 3),
    title="The posterior splits in two",
)
for x, style, colour in ((-0.5, ":", COLOURS[3]), (0.5, "--", COLOURS[4]), (2.0, "-", COLOURS[0])):
    panels[0].axvline(x, linestyle=style, color=colour)
    panels[1].plot(
        grid,
        posterior_grid(log_normal(x, grid**2, s_bent), grid),
        style,
        color=colour,
        label=f"x = {x}",
    )
panels[1].set(xlabel="z", xlim=(-3, 3), ylim=(0, 1.7), title="Three slices: p(z | x)")
panels[1].legend(ncols=3, loc="upper center", fontsize=9)
plt.show()

at_two = posterior_grid(log_normal(2.0, grid**2, s_bent), grid)
assert np.allclose(at_two, at_two[::-1])  # symmetric: both signs are equally good
assert at_two[800] < 1e-4 * at_two.max()  # hardly anything at z = 0
assert abs(abs(grid[at_two.argmax()]) - 2**0.5) < 0.1

# %% [markdown]
# From $x = 2$ nobody can tell whether $z$ was near $+\sqrt 2$ or near $-\sqrt 2$, so the posterior has two humps. It is *not* a normal distribution, although prior and noise are.
# Keep this picture in mind: a VAE's encoder answers with one normal distribution, whatever the true posterior looks like.
#
# ## Why we cannot go on like this
#
# A grid of 401 places is fine for one latent. For two it has 160,801 nodes, and we shall use one in notebook 09. For twenty latents it has $401^{20}$, a number with 53 digits. No
# computer will ever visit them.

# %%
assert 401**2 == 160_801
assert len(str(401**20)) == 53

# %% [markdown]
# Could we draw $z$ from the prior, and average $p(x \mid z)$ over the draws? In the long run that is right. But when the noise is small, hardly any draw
# explains $x$, and the average hangs on a few lucky ones. Look at the same evidence, estimated twenty times from 1,000 draws each, as the noise gets smaller.

# %%
rng = np.random.default_rng(1)
wide_grid = np.linspace(-8, 8, 400_001)
for noise in (0.4, 0.04, 0.004, 0.0004):
    exact = log_evidence(log_normal(2.0, wide_grid**2, noise), wide_grid)
    log_terms = log_normal(2.0, rng.standard_normal((20, 1000)) ** 2, noise)
    largest = log_terms.max(axis=1, keepdims=True)
    estimates = largest[:, 0] + np.log(np.exp(log_terms - largest).mean(axis=1))
    spread = estimates.max() - estimates.min()
    print(
        f"noise {noise:6}: log p(x) = {exact:.3f}, "
        f"twenty estimates from {estimates.min():8.3f} to {estimates.max():7.3f}"
    )
assert spread > 1

# %% [markdown]
# With one latent! With twenty, a draw would have to be lucky twenty times at once. We need somebody who says *where to look*: a guess $q(z)$ of the
# posterior. What can be done with a guess, even a bad one, is the subject of notebook 05.
#
# ## In five lines
#
# 1. A latent-variable model says: $z$ from the prior, then $x$ from the likelihood given $z$.
# 2. The evidence $p(x) = \int p(x \mid z)\, p(z)\, dz$ says how well the model explains $x$.
# 3. The posterior is $p(x \mid z)\, p(z) / p(x)$: what $x$ tells about $z$. It can have two humps.
# 4. Add probabilities in logarithms, the largest taken out first.
# 5. A grid is as good as exact for one or two latents and hopeless for twenty; draws from the prior fail when $x$ says much about $z$.
#
# ## Further exercises
#
# 1. *(easy)* Let the prior be $\mathcal N(0, 2^2)$. What changes in the closed forms of the straight line?
# 2. *(medium)* Two observations of the same $z$: $x_1 = 2$, $x_2 = 2.3$, with independent noise, decoder $z^2$. What is the posterior? Does the second observation choose a hump?
# 3. *(open)* With the decoder $z^2$, what would an observer need to see, or to know beforehand, to tell $+\sqrt 2$ from $-\sqrt 2$? Build a decoder with *two* outputs
#    $x = (z^2, \ldots)$ for which the posterior always has one hump.
#
# Next: [05 · The ELBO](05_elbo.ipynb).
