# %% [markdown]
# # 09 · How good is it really?
#
# **The one idea: the likelihood, its bound and a pretty picture are three different things, and with two latents we can compute the first two exactly.**
#
# The loss of notebook 08 is a bound: minus the loss, the ELBO, lies below the evidence. How far: a tenth of a nat, or ten? For most VAEs this is unknown. Ours has only two latents, so the integral, otherwise intractable,
# can be computed on a grid, for real digits. You compute it, approach it with better and better bounds, and see where the gap comes from: you compare the true posterior of a digit with the encoder's guess.
#
# *You need:* notebooks 05 and 08. *Time:* 115 minutes. *Runs in:* less than a minute.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.course import check
from numpyvae.evaluation import (
    elbo,
    evaluate,
    evidence,
    gap_split,
    log_weights,
    posterior,
    reference_losses,
    vae_log_likelihood,
)
from numpyvae.evaluation.gaussians import LatentGaussian, around, best_gaussian
from numpyvae.pictures import COLOURS, STYLE, tile

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)
(x_train, _), (x_test, y_test) = numpyvae.load_mnist()
x = (x_test[:1000] / 255).astype(np.float32)

if Path("08_mnist.npz").exists():
    vae = numpyvae.load("08_mnist.npz")
    print("the model of notebook 08, from 08_mnist.npz")
else:
    vae = numpyvae.VAE(hidden=256, latent=2, rng=0)
    *_, epoch = numpyvae.train(vae, x_train, epochs=5, rng=0)
    print(f"no 08_mnist.npz in this folder; quick model of five epochs, loss {epoch.train}")

# %% [markdown]
# **The quantity measured here.** The pixels are grey, so $\log p(x \mid z)$ stands for minus the cross-entropy. Everything below holds for it: Bayes' rule, the bounds, the gap. But
# $\int e^{-\text{cross-entropy}}\, p(z)\, dz$ is not the probability of a grey picture. So we call its logarithm the *evidence*, and never "the log-likelihood of MNIST". For black-and-white
# pixels it would literally be $\log p(x)$.
#
# ## The integral, to a hundredth of a nat
#
# $$\log p(x) = \log \int p(x \mid z)\, p(z)\, dz \approx \log \sum_{m} p(x \mid z_m)\, p(z_m)\, \Delta^2$$
#
# over a square grid of $401 \times 401$ points $z_m$ from $-6$ to $6$, with spacing $\Delta = 0.03$. This is your `log_evidence` of notebook 04 with two changes. First, the area of a cell is $\Delta^2$. Second,
# 160,801 points times 1,000 images give 160 million numbers, too many to keep in memory. So go **row by row**: take the log-sum-exp over each row of the grid, and at the end the
# log-sum-exp over the rows. (The logarithm of a sum of sums is a log-sum-exp of log-sum-exps.)


# %%
def log_sum_exp(a):
    """log Σ eᵃ over the first axis, with the largest entry taken out."""
    largest = a.max(axis=0)
    return largest + np.log(np.exp(a - largest).sum(axis=0))


pieces = np.random.default_rng(0).standard_normal((4, 3, 2)) - 1000
by_rows = log_sum_exp(np.stack([log_sum_exp(row) for row in pieces]))
assert np.allclose(by_rows, log_sum_exp(pieces.reshape(12, 2)))
assert 401 * 401 * 1000 == 160_801_000
assert np.isclose(12 / 400, 0.03)

# %% [markdown]
# ### Exercise 1: `log_px`
#
# `log_likelihood(z)` takes points `z` of shape $(M, 2)$ and returns $\log p(x_n \mid z_m)$ of shape $(M, N)$, for all images at once. Add the log prior of the points to each column. For two
# latents it is $\log p(z) = -\log 2\pi - \tfrac12 (z_1^2 + z_2^2)$. Mind the spacing: `nodes` points have `nodes − 1` gaps between them.


# %%
def log_px(log_likelihood, nodes=401, half_width=6.0):
    """log Σ p(x|z) p(z) Δ² of each image, (N,), over a grid of nodes x nodes points."""
    # BEGIN SOLUTION
    axis = np.linspace(-half_width, half_width, nodes)
    rows = []
    for z1 in axis:
        z = np.column_stack([np.full(nodes, z1), axis])
        log_prior = -np.log(2 * np.pi) - 0.5 * (z**2).sum(axis=1)
        log_joint = log_likelihood(z).astype(np.float64) + log_prior[:, None]
        rows.append(log_sum_exp(log_joint))
    return log_sum_exp(np.stack(rows)) + 2 * np.log(axis[1] - axis[0])
    # END SOLUTION


# %% [markdown]
# **The check** uses models whose evidence is known: if $x = w_1 z_1 + w_2 z_2 +$ noise of variance 1, $x$ is normal with variance $w_1^2 + w_2^2 + 1$. It tries several grids and several $w$, log-likelihoods that are 800 nats lower, and a grid of nine points that can be added up by hand.

# %%
check("log_px", log_px)
few = vae_log_likelihood(vae, x[:20])
distance = np.abs(log_px(few) - evidence(few, 2, nodes=401, half_width=6.0).value).max()
print(f"20 digits agree with the library within {distance:.0e} nats")
assert distance < 1e-3

# %%
exact = log_px(vae_log_likelihood(vae, x))
half = log_px(vae_log_likelihood(vae, x[:50]), nodes=201)
print(f"mean evidence of 1,000 digits: {exact.mean():.2f} nats")
change = abs(half.mean() - exact[:50].mean())
print(f"a grid half as fine changes the mean of 50 digits by {change:.5f}")
assert change < 0.01

# %% [markdown]
# ## Importance weights
#
# Now suppose that we could not compute the integral. What can we learn from draws from the encoder's $q$? The evidence is a mean over draws from *any* $q$, if each draw gets the right weight $w$.
#
# **On paper:** find $w$, so that $p(x) = \int p(x \mid z)\, p(z)\, dz$ becomes $\mathbb E_q[w]$. What is the mean of $\log w$?
#
# <details><summary>The answer</summary>
#
# Multiply and divide by $q(z \mid x)$ inside the integral:
#
# $$p(x) = \int \frac{p(x \mid z)\, p(z)}{q(z \mid x)}\, q(z \mid x)\, dz = \mathbb E_q[w], \qquad w = \frac{p(x \mid z)\, p(z)}{q(z \mid x)} .$$
#
# The mean of the logarithm is $\mathbb E_q[\log p(x, z) - \log q(z \mid x)]$, the ELBO.
#
# </details>
#
# So $w$ is an *unbiased* estimate of $p(x)$: it is right on average. The mean of its logarithm is the ELBO
# of notebook 05. The logarithm is a curve that bends downward, so the logarithm of a mean is at least the mean of the logarithms. (This is *Jensen's inequality*; try it with 1 and 3.) That gives the bound once more.
#
# The **importance-weighted bound** of Burda, Grosse and Salakhutdinov (2016) takes the mean of $k$ weights before the logarithm:
#
# $$\mathcal L_k = \mathbb E \Bigl[ \log \frac1k \sum_{i=1}^k w_i \Bigr], \qquad \text{ELBO} = \mathcal L_1 \le \mathcal L_2 \le \dots \le \log p(x) .$$
#
# More draws make the mean less random, so the gap in Jensen's inequality gets smaller. (The bounds rise with $k$ by theorem 1 of the paper. As $k \to \infty$ they reach the evidence, if the weights are not too wild.)
#
# **Predict:** the ELBO of our model is two to four nats below the evidence, on average. How much of this gap do $k = 50$ draws close? And $k = 500$?
#
# ### Exercise 2: `importance_bound`
#
# You are given the logarithms of $K$ weights for each image. Use them all. Divide them into $K/k$ groups of $k$ neighbors: the first $k$, the next $k$, and so on. Compute $\log \frac1k \sum w$ in each group. (Work with the logarithms, and take the
# largest out!) Then take the mean over the groups.


# %%
def importance_bound(log_w, k):
    """Mean over groups of log (1/k Σ w), (N,), from log weights (N, K); K is a multiple of k."""
    # BEGIN SOLUTION
    groups = log_w.reshape(len(log_w), -1, k)  # (N, K/k, k)
    largest = groups.max(axis=2, keepdims=True)
    log_mean = largest[..., 0] + np.log(np.exp(groups - largest).mean(axis=2))
    return log_mean.mean(axis=1)
    # END SOLUTION


# %% [markdown]
# **The check:** the weights [1, 3, 2, 6] with $k = 2$ give $(\log 2 + \log 4)/2$, the mean of the logarithms of two means; $k = 1$ gives the mean of the logs, and $k = 4$ gives $\log 3$. Then a second image has weights $e^{-800}$ times as large, then a second *group*. Random weights follow.

# %%
check("importance_bound", importance_bound)

# %% [markdown]
# ## The ladder

# %%
log_w = log_weights(vae, x, 500, np.random.default_rng(0))
rungs = {k: importance_bound(log_w, k) for k in (1, 5, 50, 500)}
print("                    mean      below the evidence (± its standard error over the images)")
for k, bound in rungs.items():
    below = exact - bound
    error = below.std(ddof=1) / len(below) ** 0.5
    print(f"bound, k = {k:3}     {bound.mean():8.2f}   {below.mean():5.2f} ± {error:.2f}")
    assert below.mean() > 3 * error, "the bound should be below the evidence, by more than chance"
print(f"evidence           {exact.mean():8.2f}")
print(f"standard deviation of the evidence over the images: {exact.std():.0f} nats")
assert exact.std() > 20
means = [bound.mean() for bound in rungs.values()]
assert (np.diff(means) > 0).all()
assert 2 < exact.mean() - means[0] < 4
left = (exact.mean() - means) / (exact.mean() - means[0])  # the share of the gap that is left
assert left[2] < 0.5
assert left[2] - left[3] < 0.2

# %% [markdown]
# Fifty draws close more than half of the gap. After that progress is slow: ten times as many draws close less than another fifth of the gap. The standard error is that of the *difference*, computed image by image. The evidence of different digits differs by tens of nats (the last line), but this variation is the same in both numbers and cancels.
#
# All this is true of means. For a single image the estimate with $k = 500$ may well lie above the evidence, because it is random:

# %%
above = (rungs[500] > exact).mean()
print(f"above the evidence: {above:.0%} of the images")
assert 0.1 < above < 0.6

ratio = np.exp(log_w - exact[:, None])  # w / p(x): on average 1
steady = log_w.std(axis=1).argmin()  # the image whose weights scatter least
mean, error = ratio[steady].mean(), ratio[steady].std() / 500**0.5
print(f"test image {steady}: the mean of 500 weights is {mean:.4f} ± {error:.4f} times p(x)")
assert abs(mean - 1) < 4 * error

# %% [markdown]
# ## The gap
#
# Notebook 05 showed that evidence − ELBO = KL($q$ ‖ posterior): the gap measures how wrong the encoder's guess is. The library computes this KL separately, on the same grid. (For a few images the encoder's $\sigma$ may be smaller than the
# spacing of the grid. The grid is then too coarse, and the result is NaN.)

# %%
q = vae.encode(x)
library = evidence(vae_log_likelihood(vae, x), 2, q=q, half_width=6.0)
reconstruction, kl = elbo(vae, x, np.random.default_rng(1), samples=200)
gap = exact + reconstruction + kl
held = ~np.isnan(library.gap)
print(
    f"evidence − ELBO {gap[held].mean():.2f}    KL(q, posterior) {library.gap[held].mean():.2f}    "
    f"({held.sum()} of 1,000 images)"
)
assert np.abs(exact - library.value).max() < 1e-3
assert abs(gap[held].mean() - library.gap[held].mean()) < 0.2

worst = np.argsort(library.gap)[::-1]
worst = worst[np.isin(worst, np.flatnonzero(held))]
share = library.gap[worst[: held.sum() // 10]].sum() / library.gap[held].sum()
print(
    f"the worst tenth of the images accounts for {share:.0%} of the gap; "
    f"the median gap is {np.median(library.gap[held]):.1f} nats"
)
assert share > 0.35

# %% [markdown]
# A few images account for much of the gap. Is the encoder overfitted, and bad at new digits? Then the gap would be much smaller for digits that it was trained on:

# %%
seen = (x_train[:500] / 255).astype(np.float32)
trained = evidence(vae_log_likelihood(vae, seen), 2, q=vae.encode(seen), half_width=6.0)
print(f"mean gap: test digits {np.nanmean(library.gap):.2f}, training digits "
      f"{np.nanmean(trained.gap):.2f}")  # fmt: skip
assert np.nanmean(trained.gap) > 0.6 * np.nanmean(library.gap)

# %% [markdown]
# It is about the same. So which images are they, and what is wrong with their guesses?
#
# ## The picture to remember
#
# The figure shows six digits. The grey areas are the *true* posterior $p(z \mid x)$, computed on the grid: the darkest area contains half of its mass, the two darker ones together 90%, all three together 99%. The solid ellipse is the encoder's guess $q(z \mid x)$, drawn at two standard deviations. It contains 86% of the mass of $q$. The dashed one is the *best* Gaussian whose axes are parallel to the latents: of all such ellipses, the one with the highest ELBO for this digit. Its KL from the posterior stands in the title as "best". Top: three digits
# whose gap is typical. Bottom: three of the worst.
#
# **Predict before you look:** two things could cause the gap. The posterior may not *have* the shape of an ellipse. Or it has, and the encoder has not found it. Which one is it?

# %%
typical = np.argsort(np.abs(library.gap - np.nanmedian(library.gap)))[:3]
chosen = [*typical, *worst[:3]]
axis, densities = posterior(vae_log_likelihood(vae, x[chosen]), half_width=6.0)
angle = np.linspace(0, 2 * np.pi, 100)
figure, panels = plt.subplots(2, 3, figsize=(9, 6.2))
for axes, n, density in zip(panels.flat, chosen, densities):
    mass = np.sort(density.ravel())[::-1]
    levels = [mass[np.searchsorted(mass.cumsum() / mass.sum(), part)] for part in (0.99, 0.9, 0.5)]
    axes.contourf(axis, axis, density.T, [*levels, density.max()], colors=["0.85", "0.65", "0.4"])
    mu, sigma = q[0][n], np.exp(q[1][n] / 2)
    ellipse = mu[0] + 2 * sigma[0] * np.cos(angle), mu[1] + 2 * sigma[1] * np.sin(angle)
    axes.plot(*ellipse, color=COLOURS[4], linewidth=2)
    guess = LatentGaussian(mu.astype(float), np.diag(sigma.astype(float)), np.nan)
    fitted = best_gaussian(*around(axis, np.log(density + 1e-300), guess), [guess])
    m, s = fitted.mean, np.diag(fitted.scale)
    axes.plot(m[0] + 2 * s[0] * np.cos(angle), m[1] + 2 * s[1] * np.sin(angle), "k--")
    where = np.argwhere(density > levels[0])  # the grey areas and the ellipse, with a margin
    low = np.minimum(axis[where.min(axis=0)], mu - 2.5 * sigma) - 0.1
    high = np.maximum(axis[where.max(axis=0)], mu + 2.5 * sigma) + 0.1
    side = (high - low).max()
    centre = (low + high) / 2
    axes.set(
        xlim=(centre[0] - side / 2, centre[0] + side / 2),
        ylim=(centre[1] - side / 2, centre[1] + side / 2),
        aspect="equal",
    )
    axes.set_title(
        f"digit {y_test[n]}: gap {library.gap[n]:.1f}, best {fitted.kl:.2f}", fontsize=10
    )
    inset = axes.inset_axes([0.76, 0.76, 0.23, 0.23])
    inset.imshow(x[n].reshape(28, 28), cmap="gray_r")
    inset.set(xticks=[], yticks=[])
for axes in panels[1]:
    axes.set_xlabel("$z_1$")
for axes in panels[:, 0]:
    axes.set_ylabel("$z_2$")
plt.show()

# %% [markdown]
# Even for the worst digits the best ellipse fits the posterior well. The shape is not the problem. The encoder's guess is in the wrong place, and draws from it hardly ever reach the region that could explain the digit.

# %% [markdown]
# This page shows such a picture, live, for every digit, also for one that you draw. Press "badly fitted", then "zoom to q". The evidence, the gap and the ELBO are computed for each picture in about a tenth of a second.
#
# **Find:** a digit whose gap is above ten nats, and one where the areas and the ellipse are almost the same.

# %%
page = numpyvae.explorer.explore(vae, x_test, y_test, name="MNIST")
with open("explore.html", "w", encoding="utf-8") as file:
    file.write(page)
print("written: explore.html; open it in a browser")

# %% [markdown]
# ## The parts of the gap
#
# For each of 100 digits, we find the best axis-parallel Gaussian and the best tilted one, by maximizing the ELBO on the grid. That splits the gap into three parts:
#
# | part | what it is |
# |---|---|
# | **amortization** | encoder's guess → best axis-parallel Gaussian: the price of one network that guesses for all images |
# | independence | axis-parallel → tilted: the price of independent latents in $q$ |
# | shape | what the best tilted Gaussian still misses: the price of a Gaussian |
#
# **Predict:** what are the shares?

# %%
split = gap_split(vae_log_likelihood(vae, x[:100]), vae.encode(x[:100]), half_width=6.0)
ok = split.held
order = np.argsort(split.encoder[ok])
print("mean gap             encoder   best axis-parallel   best tilted")
for name, some in (("all 100 digits", order), ("the middle third", order[33:66]),
                   ("the worst tenth", order[-10:])):  # fmt: skip
    parts = [part[ok][some].mean() for part in (split.encoder, split.parallel, split.tilted)]
    print(f"{name:18} {parts[0]:9.2f} {parts[1]:16.2f} {parts[2]:15.2f}")
share = split.amortization[ok].sum() / split.encoder[ok].sum()
print(f"amortization: {share:.0%} of the gap ({ok.sum()} of 100 digits)")
assert share > 0.9
assert split.tilted[ok].mean() < split.parallel[ok].mean() < 0.3

# %% [markdown]
# Nearly all of the gap is **amortization** (Cremer, Li & Duvenaud 2018). For most images a much better ellipse exists; the encoder, which must guess for all images with the same weights, does not find it. For the typical digits, too, it is not the shape. So a more flexible $q$ would help little here: the tilted Gaussian gains a tenth of a nat. What helps is a better encoder, or a few steps of gradient ascent on $\mu$ and $\texttt{logvar}$ for each image (further exercise 2; for a few images, it takes a second starting point).
#
# Larger models could only *estimate* this split. With two latents it is exact, up to the grid and the optimizer.
#
# ## Same numbers as `numpyvae evaluate`?
#
# The command line prints the same results in one table. In Python, use `numpyvae.evaluation.evaluate`, here for 200 digits:

# %%
table = evaluate(vae, x[:200], 0, gap_images=0)
print(table)
theirs, of_200 = table.as_dict(), held[:200]
assert abs(theirs["evidence"]["mean"] - exact[:200].mean()) < 1e-3
assert abs(theirs["KL(q, posterior)"] - library.gap[:200][of_200].mean()) < 0.02
for k, name in ((5, "bound, k = 5"), (50, "bound, k = 50"), (500, "bound, k = 500")):
    error = (exact - rungs[k])[:200].std(ddof=1) / 200**0.5  # two estimates, different draws
    assert abs(theirs[name]["mean"] - rungs[k][:200].mean()) < 3 * error

# %% [markdown]
# ## A pretty picture is something else
#
# Which of two models is better: the one with sharper pictures, or the one with higher evidence? They need not be the same model. Take a model that only *memorizes*. It picks one of its training images and clips its
# pixels to the range from 0.02 to 0.98, so that no picture is impossible. Its pictures are perfect digits. What is its evidence on test images?
#
# **Predict:** with 1,000 memorized images, is it better or worse than the VAE? And with 20,000?


# %%
def memorizing(count, floor=0.02):
    """Evidence of each test image under a model that picks one of `count` training images."""
    memory = np.clip(x_train[:count].astype(np.float32) / 255, floor, 1 - floor)
    log_p = np.log(memory) @ x.T + np.log(1 - memory) @ (1 - x).T
    return log_sum_exp(log_p.astype(np.float64)) - np.log(count)


memorized = {count: memorizing(count).mean() for count in (1_000, 5_000, 20_000)}
one_picture = -reference_losses(x)["best constant picture"]
print(f"evidence of test images: VAE {exact.mean():.1f}, best single picture {one_picture:.1f}")
for count, value in memorized.items():
    print(f"memorizing {count:6,} training images {value:.1f}")
figure, axes = plt.subplots(figsize=(8, 1.1))
samples = np.vstack([x_train[:10] / 255, vae.sample(10, np.random.default_rng(0))])
axes.imshow(tile(samples, (28, 28), columns=20), cmap="gray_r", vmin=0, vmax=1)
axes.set(xticks=[], yticks=[], xlabel="pixel means of ten draws: memorizing (left), VAE (right)")
plt.show()
assert exact.mean() > memorized[1_000] + 20
assert 7 < memorized[1_000] - one_picture < 9
assert memorized[20_000] > exact.mean()
assert (memorizing(20_000) > exact).mean() > 0.5
assert memorizing(1_000, 0.2).mean() < memorized[1_000] - 50  # the floor matters, too

# %% [markdown]
# With 1,000 images: beautiful pictures, miserable evidence. It is only about 8 nats better than one fixed picture, the best one for just these 1,000 digits (which are easier than the 10,000 of notebook 08). With 20,000 images the same model has a *higher* evidence than the VAE, although it has learned nothing: for more than half of the test digits, some memorized one is close enough. (The floor matters as well: with 0.2 in place of 0.02
# it loses more than 50 nats.) So neither pretty pictures nor a high evidence show that a model has understood digits, and both may come from memory alone (Theis, van den Oord & Bethge 2016). Likelihood, bound and picture are three different things; say which one you mean.

# %% [markdown]
# ## In five lines
#
# 1. With two latents the evidence is a sum over a grid and practically exact. With twenty latents no such grid is possible.
# 2. $\mathbb E_q[w] = p(x)$, and the $\log$ of a mean of $k$ weights is a bound that rises with $k$.
# 3. Bounds hold for *means*; compare them image by image, with the standard error of the difference.
# 4. The gap between evidence and ELBO is KL($q$ ‖ true posterior). Here nearly all of it is amortization: for most images a better ellipse exists, and the encoder does not find it.
# 5. For grey pixels say *evidence* or *cross-entropy*, not "log-likelihood of MNIST".
#
# ## Further exercises
#
# 1. *(easy)* Continue the ladder to $k = 5000$ for 100 images. How much of the gap is left, and which images account for it?
# 2. *(medium)* Improve the worst guesses. For one badly encoded digit, maximize the ELBO directly over $\mu$ and $\texttt{logvar}$, by gradient ascent from several starting points. Compare with the best axis-parallel Gaussian above: do you get there from every starting point?
# 3. *(open)* Train a model on binary pixels (`numpyvae train --pixels dynamic`) and evaluate it. Find out why its $\log p(x)$ must not be compared with the evidence here.
#
# ## Read on
#
# * Y. Burda, R. Grosse and R. Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016.
# * C. Cremer, X. Li and D. Duvenaud, *Inference suboptimality in variational autoencoders*, ICML 2018.
# * L. Theis, A. van den Oord and M. Bethge, *A note on the evaluation of generative models*, ICLR 2016.
# * G. Loaiza-Ganem and J. Cunningham, *The continuous Bernoulli: fixing a pervasive error in variational autoencoders*, NeurIPS 2019: what grey pixels would need.
#
# Next: [10 · Denoising](10_denoising.ipynb).
