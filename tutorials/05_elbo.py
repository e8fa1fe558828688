# %% [markdown]
# # 05 · The ELBO
#
# **The one idea: any guess at the posterior gives a lower bound on the evidence, and the gap is exactly how wrong the guess is.**
#
# In notebook 04 the evidence was the integral $p(x) = \int p(x \mid z)\, p(z)\, dz$. To compute it, we need to know where to look. Now suppose that we have a guess $q(z)$
# at the posterior. In this notebook you derive what such a guess is good for, one line of algebra at a time, and you check every line on a problem whose exact answer you know.
#
# *You need:* notebook 04, expectations. *Time:* 120 minutes.

# %%
import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

from numpyvae.course import check, functions
from numpyvae.pictures import COLOURS, STYLE

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)
mine = functions("04_latent_variables")
log_normal, log_evidence = mine.log_normal, mine.log_evidence
print("log_evidence:", mine.origin)

# %% [markdown]
# Here are two models like those of notebook 04. We observe $x = 2$. In both models the prior is $\mathcal N(0, 1)$ and the noise has standard deviation $s = 0.4$. The decoder is a straight line in one and a parabola in the other. In the code, each model is a function of $z$ that returns $\log p(x \mid z)$:

# %%
x, s = 2.0, 0.4
grid = np.linspace(-8, 8, 3201)
models = {
    "f(z) = 1.5 z + 0.5": lambda z: log_normal(x, 1.5 * z + 0.5, s),
    "f(z) = z²": lambda z: log_normal(x, z**2, s),
}
line, parabola = models.values()
for name, log_likelihood in models.items():
    print(f"{name:20} log p(x = 2) = {log_evidence(log_likelihood(grid), grid):.4f}")

# %% [markdown]
# ## A guess, and how wrong it is
#
# Our guess is a normal distribution $q(z) = \mathcal N(\mu, \sigma^2)$. How wrong is it? The usual measure is the **Kullback-Leibler divergence**,
#
# $$\text{KL}(q \,\|\, p) = \mathbb{E}_q \bigl[ \log q(z) - \log p(z) \bigr] = \int q(z)\, \bigl( \log q(z) - \log p(z) \bigr)\, dz,$$
#
# which is the mean, over draws from $q$, of how much higher their log density is under $q$ than under $p$. It is zero if the two distributions are the same and positive otherwise. It is *not symmetric*: $\text{KL}(q \,\|\, p)$ and $\text{KL}(p \,\|\, q)$ are means over draws from different distributions, and usually differ. (It is never negative
# because $\log t \le t - 1$, with equality only at $t = 1$: $\;-\text{KL} = \mathbb{E}_q[\log (p/q)] \le \mathbb{E}_q[p/q - 1] = \int p\, dz - 1 = 0$.)
#
# ## The identity
#
# By Bayes' rule $p(z \mid x)\, p(x) = p(x, z)$. Take logarithms:
#
# $$\log p(x) = \log p(x, z) - \log p(z \mid x) \qquad\text{for every } z .$$
#
# The left side does not depend on $z$. So the right side must be the same number at every $z$. The next cell tests this for the straight line, where notebook 04 gives the evidence and the posterior in closed form. The three densities come from three different formulas, so the test can fail:

# %%
a, c = 1.5, 0.5
z_some = np.array([-1.0, 0.2, 1.0, 2.0])
log_posterior = log_normal(z_some, a * (x - c) / (a**2 + s**2), s / (a**2 + s**2) ** 0.5)
right_side = line(z_some) + log_normal(z_some, 0, 1) - log_posterior
print("log p(x, z) − log p(z|x) at four z:", right_side.round(4))
print("log p(x):", log_normal(x, c, (a**2 + s**2) ** 0.5).round(4))
assert np.allclose(right_side, log_normal(x, c, (a**2 + s**2) ** 0.5), rtol=0, atol=1e-12)

# %% [markdown]
# Since the right side is the same for every $z$, its average over draws of $z$ from $q$ is that same number.
#
# **On paper:** write this average down, add and subtract $\log q(z)$, and regroup, so that one of two terms is a KL. Which KL is it?
#
# <details><summary>The answer</summary>
#
# $$\log p(x) = \mathbb{E}_q \bigl[ \log p(x, z) - \log q(z) \bigr] + \mathbb{E}_q \bigl[ \log q(z) - \log p(z \mid x) \bigr] .$$
#
# The second term is $\text{KL}(q \,\|\, p(z \mid x))$, the KL from the *posterior*, which measures how wrong the guess is.
#
# </details>
#
# The first term is called the **ELBO**, the *evidence lower bound*:
#
# $$\boxed{\ \log p(x) = \text{ELBO} + \text{KL}(q \,\|\, \text{posterior})\ } \qquad\Longrightarrow\qquad \text{ELBO} \le \log p(x) .$$
#
# This is exact, not an approximation. (Many texts prove the bound with *Jensen's inequality*: the logarithm of a mean is at least the mean of the logarithms, so $\log p(x) = \log \mathbb E_q[p(x, z)/q(z)] \ge \mathbb E_q[\log p(x, z)/q(z)]$. That is shorter, but it does not say how large the gap is.)
#
# It is also practical. The ELBO needs only the joint density, which we know. And instead of an integral over all $z$, it needs only a mean over
# draws from $q$.
#
# ## The two parts of the ELBO
#
# Split $\log p(x, z) = \log p(x \mid z) + \log p(z)$:
#
# $$\text{ELBO} = \underbrace{\mathbb{E}_q [\log p(x \mid z)]}_{\text{how well } z \text{ from } q \text{ explains } x} - \underbrace{\text{KL}(q \,\|\, p(z))}_{\text{how far } q \text{ is from the prior}} .$$
#
# There are two KLs here; do not mix them up. The one *inside* the ELBO compares $q$ with the **prior**, and we can compute it. The one that is *missing* from the ELBO compares $q$ with the
# **posterior**, and usually we cannot compute it.
#
# ### The KL from the prior, in closed form
#
# **On paper:** compute $\mathbb E_q[\log q(z) - \log p(z)]$ for $q = \mathcal N(\mu, \sigma^2)$ and $p = \mathcal N(0, 1)$. Write a draw as $z = \mu + \sigma \epsilon$ with $\epsilon$ from $\mathcal N(0, 1)$, and use $\mathbb E[\epsilon] = 0$ and $\mathbb E[\epsilon^2] = 1$.
#
# <details><summary>The answer</summary>
#
# $$\log q(z) = -\tfrac12 \log 2\pi - \tfrac12 \log \sigma^2 - \tfrac12 \epsilon^2, \qquad \log p(z) = -\tfrac12 \log 2\pi - \tfrac12 (\mu + \sigma\epsilon)^2 .$$
#
# Take the mean; $\mathbb E[(\mu + \sigma \epsilon)^2] = \mu^2 + \sigma^2$:
#
# $$\text{KL}(q \,\|\, p(z)) = \tfrac12 \bigl( \mu^2 + \sigma^2 - 1 - \log \sigma^2 \bigr) .$$
#
# </details>
#
# A standard deviation must be positive, but a network's output need not be. So the network will output $\texttt{logvar} = \log \sigma^2$, which can be any real number. Then $\sigma^2 = e^{\texttt{logvar}}$ and
# $\sigma = e^{\texttt{logvar}/2}$. With several latents, $q$ and the prior are products over the latents. So $\log q$ and $\log p$ are sums, and the KLs of the individual latents add up.
#
# **Predict:** what is the KL for $\mu = 2$, $\texttt{logvar} = 0$? For $\mu = 0$, $\texttt{logvar} = 2$? And where is it zero?
#
# ### Exercise 1: `kl_divergence`


# %%
def kl_divergence(mu, logvar):
    """KL(q ‖ prior) of each image, the sum over its latents, in nats: mu, logvar (B, Z) → (B,)."""
    # BEGIN SOLUTION
    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)
    # END SOLUTION


# %% [markdown]
# **The check:**
#
# | `mu` | `logvar` | exact value |
# |---|---|---|
# | [[3]] | [[0]] | ½·3², by hand |
# | [[0]] | [[2]] | (e² − 1 − 2)/2, by hand |
# | [[2, 0]] | [[0, 0]] | your first prediction |
# | [[2, 1, 0]] | [[0, 0, 2]] | the sum over the latents |
# | three images | | one number for each image |
# | random arrays of many sizes | | the formula |

# %%
check("kl_divergence", kl_divergence)
assert round((np.exp(2) - 3) / 2, 2) == 2.19

# %% [markdown]
# So the KL is 2 in the first case and $(e^2 - 3)/2 = 2.19$ in the second. It is zero where the guess is the prior itself, at $\mu = 0$, $\texttt{logvar} = 0$.
#
# ### Exercise 2: `kl_backward`
#
# We will need the gradient of the KL. Differentiate the closed form on paper, once with respect to $\mu$ and once with respect to $\texttt{logvar}$ (remember that
# $\frac{d}{dt} e^t = e^t$).


# %%
def kl_backward(mu, logvar):
    """Gradient of each image's own KL: dmu and dlogvar, (B, Z) each."""
    # BEGIN SOLUTION
    return mu, 0.5 * (np.exp(logvar) - 1)
    # END SOLUTION


# %% [markdown]
# **The check** compares with the derivative of the closed form, for random arrays of many sizes; each image by itself, without 1/B.

# %%
check("kl_backward", kl_backward)

# %% [markdown]
# ### The other term, and the whole ELBO
#
# The first term of the ELBO is a mean over draws from $q$. Here, with one latent, we can compute it *exactly*: $\mathbb{E}_q[g(z)] = \mathbb{E}_\epsilon[g(\mu + \sigma\epsilon)]$ is a sum over a
# grid of $\epsilon$, weighted with the density of $\mathcal N(0, 1)$. (In a VAE we will use a *single* draw, which gives an estimate that is right on average.)

# %%
EPS = np.linspace(-8, 8, 401)
WEIGHTS = np.exp(log_normal(EPS, 0, 1)) * (EPS[1] - EPS[0])  # they add up to 1
assert np.isclose(WEIGHTS.sum(), 1, rtol=0, atol=1e-12)
assert np.isclose((WEIGHTS * EPS**2).sum(), 1, rtol=0, atol=1e-12)  # E[ε²] = 1

# %% [markdown]
# ### Exercise 3: `elbo`
#
# Put the two terms together. `log_likelihood` is a function that takes an array of $z$ values and returns $\log p(x \mid z)$ for each entry. `EPS` and `WEIGHTS` are defined above. Use your `kl_divergence`. Here it needs
# arrays of shape (1, 1), such as `np.array([[mu]])`, and it returns an array of shape (1,), so take the entry `[0]`.


# %%
def elbo(log_likelihood, mu, logvar):
    """E_q[log p(x|z)] − KL(q ‖ prior) for q = N(mu, exp(logvar));
    mu, logvar and the result are numbers."""
    # BEGIN SOLUTION
    z = mu + np.exp(logvar / 2) * EPS
    reconstruction = (WEIGHTS * log_likelihood(z)).sum()
    kl = kl_divergence(np.array([[mu]]), np.array([[logvar]]))[0]
    return reconstruction - kl
    # END SOLUTION


# %% [markdown]
# **The check** uses two straight-line decoders, for which the ELBO is known in closed form, because $\mathbb E_q[(x - a z - c)^2] = (x - a\mu - c)^2 + a^2 \sigma^2$. It tries three guesses for each.

# %%
check("elbo", elbo)

# %% [markdown]
# ## Is the identity true?
#
# Take any guess. Compute three numbers separately: the evidence on a grid (notebook 04), the ELBO with your function, and the KL from the posterior on a grid. The identity must hold up to
# rounding:


# %%
def log_posterior_on_grid(log_likelihood):
    """log p(z|x) on the grid, from the joint density divided by the area under it."""
    log_joint = log_likelihood(grid) + log_normal(grid, 0, 1)
    joint = np.exp(log_joint - log_joint.max())
    return log_joint - log_joint.max() - np.log(joint.sum() * (grid[1] - grid[0]))


def kl_from_posterior(log_likelihood, mu, logvar):
    """E_q[log q(z) − log p(z|x)], as a sum over the grid."""
    log_q = log_normal(grid, mu, np.exp(logvar / 2))
    log_posterior = log_posterior_on_grid(log_likelihood)
    return (np.exp(log_q) * (log_q - log_posterior)).sum() * (grid[1] - grid[0])


print("model                   mu  logvar        ELBO +  KL(q, post.)  =     sum   log p(x)")
for name, log_likelihood in models.items():
    for mu, logvar in ((0.0, 0.0), (1.4, -1.0), (-1.4, -4.0)):
        bound, missing = (
            elbo(log_likelihood, mu, logvar),
            kl_from_posterior(log_likelihood, mu, logvar),
        )
        evidence = log_evidence(log_likelihood(grid), grid)
        print(
            f"{name:20} {mu:5.1f}  {logvar:5.1f}  {bound:10.4f}  {missing:12.4f}    "
            f"{bound + missing:8.4f}   {evidence:8.4f}"
        )
        assert abs(evidence - bound - missing) < 1e-6
        assert missing > 0

# the KL of two normal distributions has a closed form, too; for the straight line it must agree
mean, sd = a * (x - c) / (a**2 + s**2), s / (a**2 + s**2) ** 0.5
apart, ratio = (1.4 - mean) / sd, np.exp(-1.0) / sd**2
closed = 0.5 * (apart**2 + ratio - 1 - np.log(ratio))
assert abs(kl_from_posterior(line, 1.4, -1.0) - closed) < 1e-9

# %% [markdown]
# ## The picture to remember
#
# The plot shows how far the ELBO of each guess lies below $\log p(x)$, with $\mu$ on the horizontal axis and $\log \sigma$ (half of `logvar`) on the vertical axis. The contour lines are labeled, and lighter means higher. Crosses mark the best guesses.
#
# **Predict before you look.** For the straight line, the posterior is a normal distribution. Can the ELBO reach $\log p(x)$? For the parabola, the posterior has two humps.
# How many best guesses are there, and does their ELBO reach $\log p(x)$?

# %%
mus, log_sigmas = np.linspace(-2.5, 2.5, 81), np.linspace(-3.5, 0.5, 61)
figure, panels = plt.subplots(1, 2, figsize=(9.5, 4), sharey=True)
best = {}
for axes, (name, log_likelihood) in zip(panels, models.items()):
    evidence = log_evidence(log_likelihood(grid), grid)
    surface = np.array([[elbo(log_likelihood, m, 2 * ls) for m in mus] for ls in log_sigmas])
    row, column = np.unravel_index(surface.argmax(), surface.shape)
    best[name] = evidence - surface.max()
    levels = [-100, -30, -10, -3, -1, -0.3, 0]
    shades = ["0.5", "0.6", "0.7", "0.8", "0.9", "1.0"]
    axes.contourf(mus, log_sigmas, np.maximum(surface - evidence, -99), levels, colors=shades)
    lines = axes.contour(
        mus, log_sigmas, surface - evidence, levels[:-1], colors="black", linewidths=0.8
    )
    axes.clabel(lines, fontsize=9, fmt="%g")
    humps = [1, -1] if name == "f(z) = z²" else [1]  # the parabola has a second, mirrored maximum
    for side in humps:
        axes.plot(side * mus[column], log_sigmas[row], "X", color=COLOURS[4], markersize=9)
    axes.set(xlabel=r"$\mu$", title=f"{name}:  ELBO − log p(x), in nats")
panels[0].set_ylabel(r"$\log \sigma$")
plt.show()

for name, missing in best.items():
    print(f"{name:20} the best guess in the picture misses log p(x) by {missing:.4f} nats")

# %% [markdown]
# For the straight line, the surface touches $\log p(x)$ at one point, where the guess *is* the posterior. (The grid of the picture narrowly misses this point.) By the formula of notebook 04, with this notebook's $s$, the point lies at
# $\mu = a(x-c)/(a^2+s^2)$, $\sigma^2 = s^2/(a^2+s^2)$:

# %%
mu, sigma2 = a * (x - c) / (a**2 + s**2), s**2 / (a**2 + s**2)
assert np.isclose(elbo(line, mu, np.log(sigma2)), log_evidence(line(grid), grid), rtol=0, atol=1e-9)
assert best["f(z) = 1.5 z + 0.5"] < 0.01

# %% [markdown]
# For the parabola there are two best guesses, one on each hump. Each covers one half of the posterior and ignores the other half. So its ELBO falls short of $\log p(x)$ by
# $\log 2 = 0.69$ nats, plus a little more because each hump is not quite normal. A guess that spreads over both humps would do worse: it would put draws in the valley
# between them, where the posterior is nearly zero. Here are the posterior, one of the two best guesses, and the best one with $\mu = 0$, in $z$ itself:

# %%
assert 0.69 < best["f(z) = z²"] < 0.75
wide = np.linspace(-3, 1, 81)
over_both = wide[np.argmax([elbo(parabola, 0.0, 2 * log_sigma) for log_sigma in wide])]
short = log_evidence(parabola(grid), grid) - elbo(parabola, 0.0, 2 * over_both)
print(f"the best guess with mu = 0 misses log p(x) by {short:.2f} nats")
assert short > 3

figure, axes = plt.subplots(figsize=(8, 3))
axes.fill_between(grid, np.exp(log_posterior_on_grid(parabola)), color="0.8", label="posterior")
hump = mus[column], np.exp(log_sigmas[row])  # the best guess for the parabola, from above
axes.plot(grid, np.exp(log_normal(grid, *hump)), color=COLOURS[4], label="best guess")
axes.plot(grid, np.exp(log_normal(grid, 0, np.exp(over_both))), "--", color=COLOURS[0],
          label="best guess with mu = 0")  # fmt: skip
axes.set(xlabel="z", xlim=(-3, 3), ylabel="density", title="Parabola, x = 2")
axes.legend(fontsize=9)
plt.show()

# %% [markdown]
# $\text{KL}(q \,\|\, p)$ is a mean over draws from $q$. So it punishes $q$ for being where the posterior is not, and does not care where $q$ is not. The other one, $\text{KL}(p \,\|\, q)$, would punish $q$ for missing a hump, so its best $q$ spreads over both. The ELBO contains the first.
#
# Does the best Gaussian always choose one hump? No. For $x = 0.5$ the humps are close together, the valley is shallow, and the best guess covers both. **Predict:** for which $x$ does the best guess split?


# %%
def best_mean(seen):
    """The mean of the best Gaussian for the parabola and x = seen; 0 if it covers both humps."""

    def bent(z):
        return log_normal(seen, z**2, s)

    guesses = [(elbo(bent, m, 2 * ls), m) for m in np.linspace(0, 1.5, 31) for ls in log_sigmas]
    return max(guesses)[1]


found = {seen: best_mean(seen) for seen in (0.5, 0.8, 0.9, 1.0)}
for seen, mean in found.items():
    print(f"x = {seen}: the best guess has mu = ±{mean:.2f}")
assert found[0.5] == 0 == found[0.8]
assert found[0.9] > 0.7

# %% [markdown]
# Between $x = 0.8$ and $x = 0.9$ it jumps from the middle to one hump.

# %% [markdown]
# ## Why this makes learning possible
#
# There are two ways to raise the ELBO, and we want *both*. If we raise it by changing $q$, the evidence stays the same. So the KL from the posterior must shrink, and the guess gets
# better. If we raise it by changing the decoder $f$, we raise a lower bound on the evidence. So the model gets better (or the guess fits better). In a VAE both happen at
# once, with **loss = −ELBO** and one gradient for encoder and decoder.
#
# Here we looked for the best $q$ of *one* $x$. With 60,000 images that would mean 60,000 searches, and another one for every new image. The encoder of a VAE is a network that returns a guess for any $x$ at once. This is called **amortization**: the work is done once, in training. The price is that its guess for a particular $x$ is not the best one. Notebook 09 measures that price.

# %% [markdown]
# ## In five lines
#
# 1. $\log p(x) = \text{ELBO} + \text{KL}(q \,\|\, \text{posterior})$, exactly, for every $q$.
# 2. $\text{ELBO} = \mathbb E_q[\log p(x \mid z)] - \text{KL}(q \,\|\, \text{prior})$; both parts can be computed.
# 3. $\text{KL}(q \,\|\, \text{prior}) = \tfrac12 \sum (\mu^2 + \sigma^2 - 1 - \log\sigma^2)$, which is never negative and adds up over the latents.
# 4. The bound is tight only if the posterior is in the family of guesses. With two equal humps that are far apart, a single Gaussian loses $\log 2$; if they are close, it covers both.
# 5. There are two KLs. The KL from the prior is part of the ELBO; the KL from the posterior is the gap between the ELBO and $\log p(x)$.
#
# ## Further exercises
#
# 1. *(easy)* Which $q$ has $\text{KL}(q \,\|\, \text{prior}) = 0$? What is its ELBO here? When would training end up there? (This is called *posterior collapse*; notebook 08 makes it happen.)
# 2. *(medium)* Let $q$ be an equal mixture of two normal distributions with means $\pm\mu$. Its KL has no closed form, so compute it on the grid. For the parabola, how close does the ELBO come to $\log p(x)$?
# 3. *(open)* With the roles exchanged, $\text{KL}(\text{posterior} \,\|\, q)$ is another measure of how wrong the guess is. For the parabola, find the Gaussian that minimizes it, and compare it with ours. Why can a VAE not use this measure?
#
# ## Read on
#
# * D. Blei, A. Kucukelbir and J. McAuliffe, *Variational inference: a review for statisticians*, Journal of the American Statistical Association 112, 2017.
# * M. Jordan, Z. Ghahramani, T. Jaakkola and L. Saul, *An introduction to variational methods for graphical models*, Machine Learning 37, 1999.
#
# Next: [06 · Reparameterization](06_reparameterization.ipynb).
