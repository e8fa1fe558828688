# %% [markdown]
# # 04 · Latent variables and the evidence
#
# **The one idea: to find out how probable an image is, average over everything that could have caused it.**
#
# The autoencoder of notebook 03 had holes because nothing in its loss said where the codes should lie. So we start again from the other end. First we describe how the data is generated, using probabilities. Then we ask what the data tells us about its cause. Everything here happens with *one* hidden number. So we can compute every integral, look at every curve, and know the exact answer.
#
# *You need:* the density of a normal distribution, integrals as sums. *Time:* 90 minutes.

# %%
import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

from numpyvae.course import check
from numpyvae.pictures import COLOURS, STYLE

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)


def log_normal(x, mean, s):
    """−½ log(2π s²) − (x − mean)² / 2s², the log of a normal density with standard deviation s."""
    return -0.5 * np.log(2 * np.pi * s**2) - (x - mean) ** 2 / (2 * s**2)


# %% [markdown]
# ## A model in two steps
#
# 1. A number $z$ is drawn from the **prior** $p(z) = \mathcal{N}(0, 1)$. We do not observe it. It is called a *latent* variable, which means hidden.
# 2. The observed value is generated from $z$: $x = f(z) + s \cdot \text{noise}$, with noise from $\mathcal N(0, 1)$. So if we knew $z$, the probability density of $x$ would be $p(x \mid z) = \mathcal{N}(x;\, f(z), s^2)$. This is the **likelihood**, and $f$ is the **decoder**.
#
# In a VAE $z$ will be a few numbers, $f$ a neural network, and $x$ an image. Its pixels are then independent *given $z$*: $p(x \mid z)$ is a product over the pixels. Without knowing $z$ they are not independent at all. What they have in common is $z$. Here $x$ is one number, and we begin with a straight line as the decoder,
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
# How probable is a certain $x$, regardless of $z$? The joint density of $x$ *and* $z$ is
#
# $$p(x, z) = p(x \mid z)\, p(z),$$
#
# and since any $z$ may have been the cause, we integrate over all of them:
#
# $$p(x) = \int p(x \mid z)\, p(z)\, dz .$$
#
# This number has many names: *marginal likelihood*, *model evidence*, or just the **evidence**. It says how well the model explains $x$.
#
# For the straight line we can find the value of the integral without integrating. $x$ is the sum of a constant and two independent normal variables: $a z$ with variance $a^2$, and the noise with variance $s^2$. So $x$ is normal with mean $c$ and variance $a^2 + s^2$:
#
# $$p(x) = \mathcal{N}(x;\ c,\ a^2 + s^2) \qquad\text{here}\qquad \mathcal{N}(x;\ 0.5,\ 2.89) .$$

# %%
assert np.isclose(a**2 + s**2, 2.89)
assert abs(x_drawn.mean() - c) < 4 * (2.89 / 100_000) ** 0.5  # four standard errors
assert abs(x_drawn.var() - 2.89) < 4 * 2.89 * (2 / 100_000) ** 0.5

# %% [markdown]
# ## The evidence on a grid, using logarithms
#
# For other decoders there is no such trick. But with a single latent variable, we can approximate the integral by a sum over a fine grid of points $z_m$ with spacing $\Delta$:
#
# $$p(x) \approx \sum_m p(x \mid z_m)\, p(z_m)\, \Delta .$$
#
# There is one obstacle. An image has 784 pixels, and most $z$ explain it badly. For these, the product of 784 probabilities is a number like $e^{-800}$. A computer cannot represent it.

# %%
print("np.exp(-800.0) =", np.exp(-800.0))
assert np.exp(-800.0) == 0

# %% [markdown]
# So we only ever store logarithms. But we have to *add* probabilities, not multiply them. Given the logarithms $\ell_m$ of the terms, we need $\log \sum_m e^{\ell_m}$, and each $e^{\ell_m}$ may be 0 on the computer.
#
# **On paper:** factor the largest term, $e^L$ with $L = \max_m \ell_m$, out of the sum. Which number is now the largest that `np.exp` has to compute? Use it to find $\log(e^{-800} + e^{-801})$ with a pocket calculator.
#
# <details><summary>The answer</summary>
#
# $$\log \sum_m e^{\ell_m} = \log \Bigl( e^{L} \sum_m e^{\ell_m - L} \Bigr) = L + \log \sum_m e^{\ell_m - L} .$$
#
# The largest term is now $e^0 = 1$, and those that still underflow do not matter. In the example it is $-800 + \log(1 + e^{-1}) = -799.687$. This is the **log-sum-exp** trick.
#
# </details>
#
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


# %% [markdown]
# **The check** uses the straight line, whose evidence is known: $\log \mathcal N(x;\, c,\, a^2 + s^2)$, at three values of $x$ and on two grids with different spacings. Then all log-likelihoods are lowered by 2000 nats, which must lower the result by 2000. A grid of two points can be done by hand, and other grids are random.

# %%
grid = np.linspace(-8, 8, 1601)
check("log_evidence", log_evidence)

# %% [markdown]
# ## The posterior: what does $x$ tell us about $z$?
#
# (From here on, "probable" also means "of high density".) Before we observe $x$, the density of $z$ is the prior $p(z)$. After we have observed $x$, $z$ has another density, $p(z \mid x)$, called the **posterior**. Write the joint density in two ways, $p(x, z) = p(x \mid z)\, p(z) = p(z \mid x)\, p(x)$, and solve for the posterior. This is **Bayes' rule**:
#
# $$p(z \mid x) = \frac{p(x \mid z)\, p(z)}{p(x)} .$$
#
# Dividing by the evidence makes the posterior integrate to one. In a VAE the encoder will have to guess this posterior, and we will want to know how good the guess is.
#
# ### Exercise 2: `posterior_grid`
#
# Return the posterior density on the grid. Your `log_evidence` does half the work.


# %%
def posterior_grid(log_likelihood, z):
    """p(zₘ|x) (M,), a density: its sum times the spacing is 1. Arguments as in log_evidence."""
    # BEGIN SOLUTION
    log_joint = log_likelihood + log_normal(z, 0, 1)
    return np.exp(log_joint - log_evidence(log_likelihood, z))
    # END SOLUTION


# %% [markdown]
# For the straight line the posterior is known too.
#
# **On paper:** show that it is a normal distribution. Write down $\log p(x \mid z) + \log p(z)$ as a function of $z$, drop what does not depend on $z$, and read mean and variance from the parabola that is left.
#
# <details><summary>The answer</summary>
#
# $$\log p(x \mid z) + \log p(z) = -\frac{(x - c - a z)^2}{2 s^2} - \frac{z^2}{2} + \dots = -\frac12 \Bigl( 1 + \frac{a^2}{s^2} \Bigr) z^2 + \frac{a (x - c)}{s^2} z + \dots$$
#
# This is a parabola in $z$, so the posterior is normal. One over its variance is $1 + a^2/s^2 = (a^2 + s^2)/s^2$. Its mean is where the parabola is highest, that is, where the derivative is zero: $(1 + a^2/s^2)\, z = a(x - c)/s^2$. Multiply by $s^2$:
#
# $$p(z \mid x) = \mathcal{N}\Bigl(z;\ \frac{a (x - c)}{a^2 + s^2},\ \frac{s^2}{a^2 + s^2} \Bigr) .$$
#
# </details>
#
# It is narrower than the prior, because $x$ told us something about $z$. The less noise there is, the narrower it is.

# %% [markdown]
# **The check** compares with the normal density that you have derived, at two values of $x$ and on two grids, once more with log-likelihoods that are 2000 nats lower (a constant cancels), and on small random grids with Bayes' rule, term by term.

# %%
check("posterior_grid", posterior_grid)

# %% [markdown]
# ## Learning: make the data probable
#
# Where do $a$, $c$ and $s$ come from, if nobody tells us? From data. If $x_1, \dots, x_N$ are independent, their joint density is the product of the $p(x_n)$. Its logarithm is a sum:
#
# $$\log p(x_1, \dots, x_N) = \sum_n \log p(x_n) .$$
#
# So the log evidence of the data adds up, and every model gets a score: its mean over the data. To **learn** is to look for the parameters with the highest score. This is the *maximum likelihood* principle. A VAE does the same, with a lower bound in place of $\log p(x)$ (notebook 05).
#
# **Predict:** we forget that the 100,000 draws above came from $a = 1.5$, and try $a$ = 1, 1.5 and 2. Which has the highest score? Could another $a$ win by chance?

# %%
scores = {}
for slope in (1.0, 1.5, 2.0):
    variance = slope**2 + s**2
    scores[slope] = log_normal(x_drawn, c, variance**0.5).mean()
    some = [log_evidence(log_normal(x, slope * grid + c, s), grid) for x in x_drawn[:5]]
    assert np.allclose(some, log_normal(x_drawn[:5], c, variance**0.5), rtol=0, atol=1e-9)
    print(f"a = {slope}: mean log evidence {scores[slope]:.3f} nats")
assert max(scores, key=scores.get) == 1.5
many = np.linspace(1, 2, 101)
best_slope = many[np.argmax([log_normal(x_drawn, c, (m**2 + s**2) ** 0.5).mean() for m in many])]
print(f"the best of 101 slopes from 1 to 2: {best_slope:.2f}")
assert abs(best_slope - 1.5) < 0.02

# %% [markdown]
# The true slope wins, and $a = -1.5$ is just as good: the evidence depends on $a^2$ alone. With 100,000 draws the best slope is within 0.02 of the true one. With ten draws it could be far off.
#
# ## The joint density, and a slice through it
#
# Evidence and posterior can be *seen* in one picture. Left: the joint density $p(x, z)$ for the straight line, over the plane of $x$ and $z$. A vertical line is one observed $x$. Right: the density along this line. The **area** under it is the evidence. Divided by this area, so that it becomes 1, the curve is the posterior.

# %%
x_plane = np.linspace(-5, 6, 221)
joint = np.exp(log_normal(x_plane[:, None], a * grid + c, s) + log_normal(grid, 0, 1))
figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.6), width_ratios=[1.2, 1])
panels[0].pcolormesh(x_plane, grid, joint.T, cmap="Greys", shading="auto", rasterized=True)
panels[0].set(xlabel="observed value x", ylabel="latent variable z", ylim=(-3, 3),
              title="joint density p(x, z)")  # fmt: skip
for x, style, colour in ((0.5, "--", COLOURS[4]), (3.0, "-", COLOURS[0])):
    slice_at_x = np.exp(log_normal(x, a * grid + c, s) + log_normal(grid, 0, 1))
    area = slice_at_x.sum() * (grid[1] - grid[0])
    panels[0].axvline(x, linestyle=style, color=colour)
    panels[1].fill_between(grid, slice_at_x, color=colour, alpha=0.25)
    panels[1].plot(grid, slice_at_x, style, color=colour, label=f"x = {x}: area {area:.3f}")
    assert np.isclose(area, np.exp(log_normal(x, c, (a**2 + s**2) ** 0.5)))
    posterior = posterior_grid(log_normal(x, a * grid + c, s), grid)
    assert np.allclose(slice_at_x / area, posterior)
panels[1].set(xlabel="z", xlim=(-3, 3), title="slices: p(x, z) for two values of x")
panels[1].legend(loc="upper left")
plt.show()

# %% [markdown]
# ## The picture to remember
#
# Now take a curved decoder, $f(z) = z^2$, with noise $s = 0.4$. **Predict before you look:** you observe $x = 2$. What was $z$? And what was $z$ if you observe $x = -0.5$?

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
    xlabel="observed value x",
    ylabel="latent variable z",
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
panels[1].set(xlabel="z", xlim=(-3, 3), ylim=(0, 1.7), title="p(z | x) for three values of x")
panels[1].legend(ncols=3, loc="upper center", fontsize=9)
plt.show()

at_two = posterior_grid(log_normal(2.0, grid**2, s_bent), grid)
assert np.allclose(at_two, at_two[::-1])  # symmetric: both signs are equally probable
assert at_two[800] < 1e-4 * at_two.max()  # almost no density at z = 0
assert abs(abs(grid[at_two.argmax()]) - 2**0.5) < 0.1
at_minus, at_half = (posterior_grid(log_normal(x, grid**2, s_bent), grid) for x in (-0.5, 0.5))
assert grid[at_minus.argmax()] == 0
assert (at_minus * grid**2).sum() < (at_half * grid**2).sum()  # the variance, times 100

# %% [markdown]
# And at $x = -0.5$, which $z^2$ alone can never reach? The noise must have been negative. The posterior has one hump, at $z = 0$: there, $z^2$ is nearest to $x$. It is narrower than the one for $x = 0.5$, because any $z$ away from 0 makes the miss larger.
#
# From $x = 2$ it is impossible to tell whether $z$ was near $+\sqrt 2$ or near $-\sqrt 2$, so the posterior has two humps. It is *not* a normal distribution, although the prior and the noise are normal. Keep this picture in mind: the encoder of a VAE returns one normal distribution, whatever the true posterior looks like.
#
# ## Why this does not scale
#
# Even a coarse grid of 401 points is fine for one latent variable. For two it has 160,801 points, and we will use such a grid in notebook 09. For twenty it has $401^{20}$ points, a number with 53 digits. No computer will ever visit them all.

# %%
assert 401**2 == 160_801
assert len(str(401**20)) == 53

# %% [markdown]
# Could we draw $z$ from the prior, and average $p(x \mid z)$ over the draws? With enough draws, this gives the right answer. But when the noise is small, hardly any draw explains $x$, and the average depends on a few lucky ones. The next cell estimates the evidence twenty times, from 1,000 draws each, with less and less noise.

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
# And this is with only one latent variable! With twenty, a draw would have to be lucky twenty times at once. We need something that tells us *where to look*: a guess $q(z)$ of the posterior. Notebook 05 shows what can be done with such a guess, even a bad one.

# %% [markdown]
# ## In five lines
#
# 1. A latent-variable model first draws $z$ from the prior, and then $x$ from the likelihood given $z$.
# 2. The evidence $p(x) = \int p(x \mid z)\, p(z)\, dz$ says how well the model explains $x$. Learning raises the mean log evidence of the data.
# 3. The posterior, $p(x \mid z)\, p(z) / p(x)$, says what $x$ tells us about $z$. It can have two humps.
# 4. To add probabilities that are given as logarithms, factor out the largest one first.
# 5. A grid is practically exact for one or two latent variables and hopeless for twenty; draws from the prior fail when $x$ says a lot about $z$.
#
# ## Further exercises
#
# 1. *(easy)* Let the prior be $\mathcal N(0, 2^2)$. What changes in the closed forms for the straight line?
# 2. *(medium)* Take two observations of the same $z$: $x_1 = 2$ and $x_2 = 2.3$, with independent noise and the decoder $z^2$. What is the posterior? Does the second observation choose a hump?
# 3. *(open)* With the decoder $z^2$, what would an observer need to see, or to know beforehand, to tell $+\sqrt 2$ from $-\sqrt 2$? Build a decoder with *two* outputs
#    $x = (z^2, \ldots)$ for which the posterior always has one hump.
#
# ## Read on
#
# * C. Bishop, *Pattern recognition and machine learning*, Springer 2006, chapter 12: continuous latent variables.
# * D. MacKay, *Information theory, inference, and learning algorithms*, Cambridge University Press 2003.
#
# Next: [05 · The ELBO](05_elbo.ipynb).
