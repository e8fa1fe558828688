# %% [markdown]
# # 13 · A tighter bound to train on
#
# **The one idea: average the weights of k draws before the logarithm, and each draw gets its own share of the gradient.**
#
# In notebook 09 the importance-weighted bound was a way to *measure* a model. It is also a loss that you can *train* on (Burda, Grosse & Salakhutdinov 2016). You derive its gradient, write the training step, and train the same model with one draw and with fifty. Then comes what nobody can see in a larger model: the exact evidence of both, and what happened to the encoder.
#
# *You need:* notebooks 07 and 09. *Time:* 85 minutes.

# %%
import time

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.course import check, functions
from numpyvae.evaluation import evidence, posterior, vae_log_likelihood
from numpyvae.gradcheck import check_gradients
from numpyvae.pictures import COLOURS, STYLE

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)
mine = functions("07_whole_vae")
forward, rmsprop_step, initialize = mine.forward, mine.rmsprop_step, mine.initialize
dense_backward, relu_backward = mine.dense_backward, mine.relu_backward
reparameterize_backward = mine.reparameterize_backward
cross_entropy, cross_entropy_backward = mine.cross_entropy, mine.cross_entropy_backward
print("forward:", mine.origin)

# %% [markdown]
# ## The loss
#
# Draw $k$ codes of an image, $z_i = \mu + \sigma \epsilon_i$. Each has a weight
#
# $$w_i = \frac{p(x \mid z_i)\, p(z_i)}{q(z_i \mid x)}, \qquad \text{and} \qquad \mathcal L_k = \mathbb E \Bigl[ \log \frac1k \sum_{i=1}^k w_i \Bigr] \le \log p(x) .$$
#
# For $k = 1$ this is the ELBO. The bound rises with $k$ toward $\log p(x)$, because the mean of more weights is less random, and Jensen's inequality then loses less. A VAE that is trained on $-\mathcal L_k$ is called an IWAE, an *importance-weighted autoencoder*.
#
# Its gradient needs only one new thing.
#
# **On paper:** what is the derivative of $\log \frac1k \sum_i w_i$ with respect to $\log w_i$? What do these derivatives add up to, over the draws?
#
# <details><summary>The answer</summary>
#
# With $w_i = e^{\log w_i}$ we have $\partial w_i / \partial \log w_i = w_i$. So
#
# $$\frac{\partial}{\partial \log w_i} \log \frac1k \sum_j w_j = \frac{\frac1k w_i}{\frac1k \sum_j w_j} = \frac{w_i}{\sum_j w_j} .$$
#
# The factor $\frac1k$ cancels. The derivatives are positive and add up to 1: they are the *share* of each draw in the sum. (This function is known as softmax.)
#
# </details>
#
# ### Exercise 1: `log_mean_exp_backward`
#
# Given are log weights, $k$ for each image. They may be around −800 or 800, so take out the largest in each row. It cancels.


# %%
def log_mean_exp_backward(log_w):
    """The gradient of log 1/k Σ w with respect to log w, for each image: (B, k) → (B, k)."""
    # BEGIN SOLUTION
    w = np.exp(log_w - log_w.max(axis=1, keepdims=True))
    return w / w.sum(axis=1, keepdims=True)
    # END SOLUTION


# %% [markdown]
# **The check:** the weights 1 and 3 have the shares ¼ and ¾, also if all are $e^{800}$ or $e^{-800}$ times as large, or only those of one image.

# %%
check("log_mean_exp_backward", log_mean_exp_backward)

# %% [markdown]
# ## The weights
#
# A forward pass has a row for each draw. In each row
#
# $$\log w = \log p(x \mid z) + \log p(z) - \log q(z \mid x) .$$
#
# The first term is minus the cross-entropy. For the other two, remember that $(z - \mu)/\sigma = \epsilon$. With several latents they are sums:
#
# $$\log p(z) = -\tfrac12 \sum_j \bigl( \log 2\pi + z_j^2 \bigr), \qquad \log q(z \mid x) = -\tfrac12 \sum_j \bigl( \log 2\pi + \texttt{logvar}_j + \epsilon_j^2 \bigr) .$$
#
# The KL in closed form is of no use here. It is the mean of $\log q - \log p$ over all draws, and we need the value at *this* draw.
#
# ### Exercise 2: `log_weights`
#
# `t` is what your `forward` of notebook 07 returns. Return a number for each row.


# %%
def log_weights(t):
    """log p(x|z) + log p(z) − log q(z|x) of every row of a forward pass, in nats: (rows,)."""
    # BEGIN SOLUTION
    log_ratio = 0.5 * (t["eps"] ** 2 + t["logvar"] - t["z"] ** 2).sum(axis=1)  # log p(z)/q(z|x)
    return log_ratio - cross_entropy(t["logits"], t["target"])
    # END SOLUTION


# %% [markdown]
# **The check** compares with the three logarithms, term by term, for random passes of all sizes.

# %%
check("log_weights", log_weights)

# %% [markdown]
# ## The step
#
# The loss is $L = -\frac1B \sum_b \log \frac1k \sum_i w_{bi}$. By your first exercise $\partial L / \partial \log w_{bi} = -\frac1B \cdot \text{share}_{bi}$. From there on it is the backward pass of notebook 07, with one row for each draw. Three arrays of the pass enter $-\log w$ directly:
#
# | array | occurs in $-\log w$ as | direct part of its gradient |
# |---|---|---|
# | `logits` | cross-entropy | share/B · (σ(logits) − target) |
# | `z` | $+\frac12 z^2$ | share/B · z |
# | `logvar` | $-\frac12 \texttt{logvar}$ | −½ share/B |
#
# ($\epsilon$ is a constant, and $\mu$ enters only through $z$. There is no KL in closed form, so even for $k = 1$ this is another estimate of the gradient than that of notebook 07.) The next function takes these three and goes the rest of the way. Compare it with your `backward`: only the places where the KL entered are different.


# %%
def backpropagate(theta, t, dlogits, dz, dlogvar):
    """The gradient for every weight, given the direct parts of three gradients. dlogits is
    (rows, X) and dz is (rows, Z); dlogvar is (rows, 1) or (rows, Z)."""
    d = {}
    dg, d["W_out"], d["b_out"] = dense_backward(t["g"], theta["W_out"], dlogits)
    da = relu_backward(dg, t["g"])
    dz_decoder, d["W_g1"], d["b_g1"] = dense_backward(t["z"], theta["W_g1"], da)
    dmu, dlogvar_z = reparameterize_backward(dz + dz_decoder, t["logvar"], t["eps"])
    dh_mu, d["W_mu"], d["b_mu"] = dense_backward(t["h"], theta["W_mu"], dmu)
    dlogvar = dlogvar + dlogvar_z
    dh_logvar, d["W_logvar"], d["b_logvar"] = dense_backward(t["h"], theta["W_logvar"], dlogvar)
    da = relu_backward(dh_mu + dh_logvar, t["h"])
    _, d["W_h1"], d["b_h1"] = dense_backward(t["x"], theta["W_h1"], da)
    return d


# %% [markdown]
# ### Exercise 3: `iwae_step`
#
# `x` is a batch $(B, X)$ and `eps` is noise $(B, k, Z)$. Repeat each image $k$ times, so that the rows are $x_1, x_1, \dots, x_2, x_2, \dots$ (`np.repeat` with `axis=0`), and reshape `eps` to match. Then: forward, log weights, shares, `backpropagate`, and a step of RMSprop for every weight, as in `train_step`. The share of each row must be a column, $(B k, 1)$, and contain the factor $1/B$.


# %%
def iwae_step(theta, s, x, eps, lr=1e-3):
    """One RMSprop step on −mean log 1/k Σ w; returns theta and s as new dictionaries."""
    # BEGIN SOLUTION
    B, k, Z = eps.shape
    t = forward(theta, np.repeat(x, k, axis=0), eps.reshape(B * k, Z))
    share = log_mean_exp_backward(log_weights(t).reshape(B, k)).reshape(-1, 1) / B
    dlogits = share * cross_entropy_backward(t["logits"], t["target"])
    grad = backpropagate(theta, t, dlogits, share * t["z"], -0.5 * share)
    stepped = {name: rmsprop_step(theta[name], grad[name], s[name], lr) for name in theta}
    new_theta = {name: new for name, (new, _) in stepped.items()}
    new_s = {name: new for name, (_, new) in stepped.items()}
    return new_theta, new_s
    # END SOLUTION


# %% [markdown]
# **The check** compares with such a step for random weights and all sizes. No two images or draws are equal, so a wrong order of the rows does not go unnoticed.

# %%
check("iwae_step", iwae_step)

# %% [markdown]
# Is the gradient the derivative of the loss? Measure it, with the checker of notebook 02. And is the step the same as that of the library's class `IWAE`? That one encodes each image once instead of $k$ times, and decodes in slices, so we use it for the training below.

# %%
rng = np.random.default_rng(0)
B, k, X, H, Z = 4, 5, 6, 3, 2
theta = initialize(X, H, Z, rng, np.float64)
x, eps = rng.random((B, X)), rng.standard_normal((B, k, Z))


def iwae_loss(theta):
    log_w = log_weights(forward(theta, np.repeat(x, k, axis=0), eps.reshape(-1, Z)))
    return -np.log(np.exp(log_w.reshape(B, k)).mean(axis=1)).mean()


def one_gradient(theta):
    """The gradient in the first step, read from s = 0.1 · gradient² and the sign of the move."""
    zero = {name: np.zeros_like(W) for name, W in theta.items()}
    moved, s = iwae_step(theta, zero, x, eps)
    return {name: np.sqrt(s[name] / 0.1) * np.sign(theta[name] - moved[name]) for name in theta}


report = check_gradients(iwae_loss, theta, one_gradient)
print(report)
report.raise_if_failed()

library = numpyvae.IWAE(hidden=H, latent=Z, k=k, image_shape=(2, 3)).astype(np.float64)
for name, W in theta.items():
    library.parameters[name][:] = W
library.backward(library.forward(x, eps))
difference = max(np.abs(one_gradient(theta)[name] - library.parameters.gradient(name)).max()
                 for name in theta)  # fmt: skip
print(f"largest difference from the library's gradient: {difference:.0e}")
assert difference < 1e-12

# %% [markdown]
# ## One draw against fifty
#
# We train a VAE with 64 hidden units for six epochs on 15,000 digits. Then we go on from the same weights in three ways: two epochs with $k = 1$, two epochs with $k = 50$, and ten epochs with $k = 1$. The second and the third are there for a fair comparison, because a step with 50 draws takes far more time.
#
# **Predict:** which of the first two will have the higher evidence? Which the higher *ELBO*? And where will the third one be?

# %%
(x_train, _), (x_test, y_test) = numpyvae.load_mnist()
images = (x_train[:15_000] / 255).astype(np.float32)
test = (x_test[:300] / 255).astype(np.float32)
start = numpyvae.VAE(hidden=64, latent=2, rng=0)
list(numpyvae.train(start, images, epochs=6, rng=0))

models, exact = {}, {}
print("                    seconds   evidence      ELBO   KL(q, posterior)   mean σ of q")
for name, k, epochs in (("k = 1", 1, 2), ("k = 50", 50, 2), ("k = 1, ten epochs", 1, 10)):
    model = numpyvae.IWAE(hidden=64, latent=2, k=k)
    model.parameters.value[:] = start.parameters.value
    began = time.perf_counter()
    list(numpyvae.train(model, images, epochs=epochs, rng=1))
    seconds = time.perf_counter() - began
    q = model.encode(test)
    found = evidence(vae_log_likelihood(model, test), 2, q=q, nodes=501, half_width=10.0)
    models[name], exact[name] = model, found
    print(f"{name:18} {seconds:8.0f} {found.value.mean():10.2f} "
          f"{(found.value - found.gap).mean():9.2f} {found.gap.mean():14.2f} "
          f"{np.exp(q[1] / 2).mean():18.2f}")  # fmt: skip
one, fifty, longer = exact.values()
gain = fifty.value - one.value
error = gain.std() / len(gain) ** 0.5
print(f"k = 50 − k = 1, two epochs each: evidence {gain.mean():+.2f} ± {error:.2f} nats")
assert gain.mean() > 0
assert (fifty.value - fifty.gap).mean() < (one.value - one.gap).mean() - 4  # the ELBO
assert fifty.gap.mean() > 4 * one.gap.mean()
assert longer.value.mean() > fifty.value.mean() + 1

# %% [markdown]
# For the same number of steps $k = 50$ gives the better model: its evidence is higher, by half a nat in this run (the error is that over the images; with other starting weights we saw 0.4 and 2 nats). Its ELBO is *lower*, by several nats: KL($q$ ‖ posterior) is several times as large. So it is a better model with a worse guess. Why?
#
# For the same *time*, $k = 1$ is far ahead here. Ten epochs of it take a fraction of the time, and win by more than a nat. What a large $k$ does for a model that plain training no longer improves is not shown here (further exercise 2).
#
# ## The picture to remember
#
# Four digits, and for each its true posterior (grey: 50%, 90% and 99% of the mass) with the encoder's ellipse at two standard deviations, after two epochs with $k = 1$ and with $k = 50$. The first digit is a typical one. The other three are among the worst tenth for $k = 1$.
#
# **Predict:** with fifty draws only the best few count. What does the encoder gain if $q$ gets wider?

# %%
order = np.argsort(one.gap)
chosen = [order[len(order) // 2], *order[-30::8][:3]]
angle = np.linspace(0, 2 * np.pi, 100)
figure, panels = plt.subplots(2, 4, figsize=(10, 5.2), sharex="col", sharey="col")
for row, (name, model) in zip(panels, list(models.items())[:2]):
    axis, densities = posterior(vae_log_likelihood(model, test[chosen]), half_width=5.0)
    mu, logvar = model.encode(test[chosen])
    for axes, n, density, m, sigma in zip(row, chosen, densities, mu, np.exp(logvar / 2)):
        mass = np.sort(density.ravel())[::-1]
        levels = [mass[np.searchsorted(mass.cumsum() / mass.sum(), part)]
                  for part in (0.99, 0.9, 0.5)]  # fmt: skip
        levels = [*levels, density.max()]
        axes.contourf(axis, axis, density.T, levels, colors=["0.85", "0.65", "0.4"])
        axes.plot(m[0] + 2 * sigma[0] * np.cos(angle), m[1] + 2 * sigma[1] * np.sin(angle),
                  color=COLOURS[4], linewidth=2)  # fmt: skip
        axes.set_title(f"{name}: KL {exact[name].gap[n]:.1f}", fontsize=10)
        inset = axes.inset_axes([0.74, 0.74, 0.25, 0.25])
        inset.imshow(test[n].reshape(28, 28), cmap="gray_r")
        inset.set(xticks=[], yticks=[])
for column, n in enumerate(chosen):
    both = [model.encode(test[[n]]) for model in list(models.values())[:2]]
    centres = np.stack([mu[0] for mu, _ in both])
    widths = np.stack([np.exp(logvar[0] / 2) for _, logvar in both])
    low, high = (centres - 2.5 * widths).min(axis=0), (centres + 2.5 * widths).max(axis=0)
    middle, half = (low + high) / 2, (high - low).max() / 2
    panels[0, column].set(xlim=(middle[0] - half, middle[0] + half),
                          ylim=(middle[1] - half, middle[1] + half))  # fmt: skip
    panels[1, column].set_xlabel("$z_1$")
for axes in panels[:, 0]:
    axes.set_ylabel("$z_2$")
plt.show()

# %% [markdown]
# After $k = 1$ the ellipse is about as small as the posterior. For a typical digit it also lies about right. A draw that misses the posterior costs the full price, so $q$ does not spread. After $k = 50$ the ellipse is much wider. A draw that misses has a share of almost zero, so it costs next to nothing. What counts is that *some* of the fifty draws hit. So $q$ has become a wide net: a bad guess at the posterior, but a good place to look for it.
#
# Does the net pay? We compare the bound $\mathcal L_{50}$ of the first two models with their exact evidence, image by image. The bound is averaged over twenty noises.
#
# **Predict:** for which digits is the wide net better, for the typical ones or for those that the encoder guesses badly?

# %%
print("evidence − bound with 50 draws:  mean   median   mean of the worst tenth")
missing = {}
for name, model in list(models.items())[:2]:
    fifty = numpyvae.IWAE(hidden=64, latent=2, k=50)
    fifty.parameters.value[:] = model.parameters.value
    bounds, effective = [], []
    for seed in range(20):
        noise = np.random.default_rng(seed).standard_normal((len(test), 50, 2)).astype(np.float32)
        t = fifty.forward(test, noise)
        largest = t.log_w.max(axis=1)
        bounds.append(largest + np.log(np.exp(t.log_w - largest[:, None]).mean(axis=1)))
        effective.append(1 / (log_mean_exp_backward(t.log_w) ** 2).sum(axis=1))
    gap = np.sort(exact[name].value - np.mean(bounds, axis=0))
    missing[name] = np.median(gap), gap[-len(gap) // 10 :].mean(), np.median(effective)
    print(
        f"  trained with {name:6} {gap.mean():15.2f} {missing[name][0]:8.2f}"
        f"{missing[name][1]:13.2f}"
    )
for name, (_, _, count) in missing.items():
    print(f"trained with {name:6}: of 50 draws, {count:.0f} count (median)")
(typical, worst, count), (typical_50, worst_50, count_50) = missing.values()
assert abs(typical_50 - typical) < 0.1
assert worst_50 < 0.7 * worst
assert count_50 < 0.6 * count

# %% [markdown]
# For a typical digit the two bounds are about equally tight: fifty draws are enough for either $q$. For the badly guessed ones the wide net is better. There, the narrow ellipse is in the wrong place, and hardly any of its fifty draws hits. (How many draws *count* is measured by $1 / \sum \text{share}^2$, the effective sample size. It is 50 if all shares are equal, and 1 if one draw has everything.)
#
# This is a trade. *Tighter variational bounds are not necessarily better* (Rainforth et al. 2018). If you want the encoder, its codes, or a tight ELBO, do not train with a large $k$. And never compare the ELBO of an IWAE with that of a VAE.

# %% [markdown]
# ## In five lines
#
# 1. $\mathcal L_k = \mathbb E[\log \frac1k \sum w]$ is a bound on $\log p(x)$ that rises with $k$. You can train on it.
# 2. The gradient of $\log \frac1k \sum w$ with respect to $\log w_i$ is the share $w_i / \sum w$.
# 3. $-\log w$ contains $z$ and `logvar` directly; there is no KL in closed form.
# 4. For the same number of steps a larger $k$ gave a model with higher evidence, and an encoder whose $q$ is far wider than the posterior; it took far more time.
# 5. A tighter bound is not better for everything: say whether you want the model or the guess.
#
# ## Further exercises
#
# 1. *(easy)* Show that for $k = 1$ your step follows an unbiased estimate of the gradient of the ELBO, but not the same one as in notebook 07. Which one has the smaller variance?
# 2. *(medium)* Train with $k = 1$ until the evidence of test digits no longer rises. Does $k = 50$, started from there, still improve it?
# 3. *(open)* For the weights of the encoder, compute mean and standard deviation of the gradient over many noises, for $k$ = 1, 10, 100 and 1000. Their ratio falls with $k$ (Rainforth et al. 2018). Does it for the decoder, too?
#
# ## Read on
#
# * Y. Burda, R. Grosse and R. Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016.
# * T. Rainforth, A. Kosiorek, T. A. Le, C. Maddison, M. Igl, F. Wood and Y. W. Teh, *Tighter variational bounds are not necessarily better*, ICML 2018.
# * C. Cremer, Q. Morris and D. Duvenaud, *Reinterpreting importance-weighted autoencoders*, ICLR workshop 2017: what the wide $q$ stands for.
#
# This was the last notebook. If you would now like to read the library itself, begin with `vae.py`: you have written all of it yourself.
