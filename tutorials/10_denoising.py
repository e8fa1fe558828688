# %% [markdown]
# # 10 · Denoising
#
# **The one idea: show the encoder a corrupted picture, ask the decoder for the clean one, and the same code learns to restore pictures.**
#
# You add *one line* to the VAE that you wrote in notebook 07, and find out why it is still a VAE. Then it meets simple competitors, and one of them wins. So what is a model with latent variables good for? It can give *several* answers.
#
# *You need:* notebooks 04, 07 and 08. *Time:* 55 minutes. *Runs in:* 35 seconds.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import gaussian_filter, label, uniform_filter
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.course import check, functions
from numpyvae.evaluation import posterior
from numpyvae.pictures import STYLE, tile

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)
mine = functions("07_whole_vae")
forward, loss, backward, rmsprop_step = mine.forward, mine.loss, mine.backward, mine.rmsprop_step
initialize, dense, relu, sigmoid = mine.initialize, mine.dense, mine.relu, mine.sigmoid
print("forward, loss, backward:", mine.origin)
(x_train, _), (x_test, y_test) = numpyvae.load_mnist()
x_train, x_test = (x_train / 255).astype(np.float32), (x_test / 255).astype(np.float32)

# %% [markdown]
# ## Corrupt the picture
#
# Add noise to every pixel. Draw it from $\mathcal N(0, s^2)$, where the standard deviation $s$ is the argument `noise`. A pixel must stay between 0 (paper) and 1 (ink), so clip the result.
#
# ### Exercise 1: `corrupt`


# %%
def corrupt(x, noise, rng):
    """clip(x + noise · N(0, 1), 0, 1): a new array with shape and dtype of x; x is unchanged."""
    # BEGIN SOLUTION
    spoiled = x + noise * rng.standard_normal(x.shape, x.dtype)
    return np.clip(spoiled, 0, 1)
    # END SOLUTION


# %% [markdown]
# **The check** corrupts pixels of ½, of 0 and of 1. Has every pixel noise of its own, normal, with the right standard deviation? Do half of the pixels of 0 (paper) stay at 0, and half of the pixels of 1 (ink) at 1? Does the same `rng` give the same noise, and a second call new noise? Do the shape and the `dtype` stay?

# %%
check("corrupt", corrupt)

# %% [markdown]
# ## Ask for the clean picture
#
# In notebook 07 the cross-entropy compared the logits with `t["target"]`, and the target was `x`. That is the only place where a picture enters the loss. (The encoder's gradient
# needs `t["x"]`, the picture that it has *seen*. That one stays corrupted.)
#
# **Predict:** which of `forward`, `loss`, `backward` must change?
#
# <details><summary>The answer</summary>
#
# None of them. Only what `t["target"]` holds is different.
#
# </details>
#
# ### Exercise 2: `denoising_step`
#
# Start from your `train_step` of notebook 07, here line by line:
#
# ```python
# t = forward(theta, x, eps)
# grad = backward(theta, t)
# stepped = {name: rmsprop_step(theta[name], grad[name], s[name], lr) for name in theta}
# new_theta = {name: new for name, (new, _) in stepped.items()}
# new_s = {name: new for name, (_, new) in stepped.items()}
# return new_theta, new_s
# ```
#
# Write it with the one additional line that it needs. In the code the corrupted picture is called `spoiled`. Return new dictionaries.


# %%
def denoising_step(theta, s, spoiled, clean, eps, lr=1e-3):
    """One step: the encoder sees `spoiled`, the target is `clean`; returns theta, s."""
    # BEGIN SOLUTION
    t = forward(theta, spoiled, eps)
    t["target"] = clean
    grad = backward(theta, t)
    stepped = {name: rmsprop_step(theta[name], grad[name], s[name], lr) for name in theta}
    new_theta = {name: new for name, (new, _) in stepped.items()}
    new_s = {name: new for name, (_, new) in stepped.items()}
    return new_theta, new_s
    # END SOLUTION


# %% [markdown]
# **The check** compares with a step whose encoder sees `spoiled` and whose loss compares with `clean`, for random weights and all sizes from 1 to 5.

# %%
check("denoising_step", denoising_step)

# %% [markdown]
# ## Is it still a VAE?
#
# The loss is now $\mathbb E_{q(z \mid \tilde x)}[-\log p(x \mid z)] + \text{KL}(q(z \mid \tilde x) \,\|\, p(z))$, where $\tilde x$ is corrupted and $x$ is clean.
#
# **On paper:** is the negative of this loss still a lower bound on the evidence of $x$? Look at the derivation of notebook 05. What did it assume about $q$?
#
# <details><summary>The answer</summary>
#
# Yes. The identity $\log p(x) = \text{ELBO} + \text{KL}(q \,\|\, \text{posterior})$ holds for *any* distribution $q$. It does not matter where $q$ came from. A guess from a corrupted picture is usually a worse guess, so the gap is larger, but the bound is a bound.
#
# </details>
#
# (For grey pixels, "evidence" is meant in the sense of notebook 09.) This model is studied by Im, Ahn, Memisevic and Bengio (2017), who report that noise at the input can even improve the likelihood.
#
# ## Train it
#
# This time we use twenty latents, for sharper pictures. The noise has $s = 0.5$ and is drawn anew for each batch, so the network never sees the same corrupted picture twice.

# %%
NOISE = 0.5
theta = initialize(784, 256, 20, np.random.default_rng(1))
s = {name: np.zeros_like(W) for name, W in theta.items()}
rng, looking = np.random.default_rng(2), np.random.default_rng(3)
spoiled_test = corrupt(x_test[:2000], NOISE, looking)
clean_test = x_test[:2000]
for epoch in range(1, 6):
    for rows in rng.permutation(60_000).reshape(-1, 100):
        clean = x_train[rows]
        eps = rng.standard_normal((100, 20), np.float32)
        theta, s = denoising_step(theta, s, corrupt(clean, NOISE, rng), clean, eps)
    t = forward(theta, spoiled_test, looking.standard_normal((2000, 20), np.float32))
    t["target"] = clean_test
    reconstruction, kl = loss(t)
    print(f"epoch {epoch}: test {reconstruction + kl:.2f} = {reconstruction:.2f} + {kl:.2f}")

# %% [markdown]
# ## Against simple competitors
#
# How good are the restored pictures? We compute the mean squared difference from the clean picture, over all pixels of 2,000 test images. The competitors are
#
# * a blur over $3 \times 3$ pixels, which averages noise away without any knowledge of digits,
# * a Gaussian blur, followed by the straight line $a + b \cdot \text{pixel}$ that is best for these very images, and a clip,
# * **linear regression**: each clean pixel is a weighted sum of all 784 corrupted ones, with weights learned from 20,000 digits,
# * the mean of all digits, whatever the picture is,
# * a VAE with twenty latents that was trained on 20,000 clean pictures only.
#
# **Predict:** put them in order.


# %%
def restore(theta, seen):
    """Pixel means at z = μ."""
    t = forward(theta, seen, np.zeros((len(seen), len(theta["b_mu"])), np.float32))
    return sigmoid(t["logits"])


def straight_line(blurred):
    """clip(a + b · pixel), with the best a and b."""
    b, a = np.polyfit(blurred.ravel(), clean_test.ravel(), 1)
    return np.clip(a + b * blurred, 0, 1)


def regression(seen):
    """Each clean pixel as a weighted sum of all corrupted ones and a constant."""
    learn = corrupt(x_train[:20_000], NOISE, np.random.default_rng(4))
    learn, seen = (np.hstack([a, np.ones((len(a), 1), np.float32)]) for a in (learn, seen))
    weights = np.linalg.solve(learn.T @ learn + 10 * np.eye(785), learn.T @ x_train[:20_000])
    return np.clip(seen @ weights, 0, 1)


squares = spoiled_test.reshape(-1, 28, 28)
blur = uniform_filter(squares, (0, 3, 3), mode="constant").reshape(-1, 784)
soft = gaussian_filter(squares, (0, 1, 1), mode="constant").reshape(-1, 784)
unprepared = numpyvae.VAE(hidden=256, latent=20, rng=0)
list(numpyvae.train(unprepared, x_train[:20_000], epochs=5, rng=0))
answers = {
    "blur, 3 x 3": blur,
    "corrupted": spoiled_test,
    "denoising VAE": restore(theta, spoiled_test),
    "Gaussian blur, line, clip": straight_line(soft),
    "linear regression": regression(spoiled_test),
    "mean of all digits": np.tile(x_train.mean(axis=0), (2000, 1)),
    "VAE, trained on clean digits": unprepared.reconstruct(spoiled_test),
}
errors = {name: float(((a - clean_test) ** 2).mean()) for name, a in answers.items()}
best_first = sorted(errors, key=errors.get)
for name in best_first:
    print(f"{name:29} mean squared error {errors[name]:.4f}")
assert errors["corrupted"] > 4.5 * errors["denoising VAE"]

first = [int(np.flatnonzero(y_test == digit)[0]) for digit in range(10)]
figure, panels = plt.subplots(5, 1, figsize=(8, 4.4))
for axes, name in zip(panels, ("clean", "corrupted", "blur, 3 x 3", "linear regression",
                               "denoising VAE")):  # fmt: skip
    pictures = {"clean": clean_test, **answers}[name]
    axes.imshow(tile(pictures[first], (28, 28), columns=10), cmap="gray_r", vmin=0, vmax=1)
    axes.set_ylabel(name, rotation=0, ha="right", va="center")
    axes.set(xticks=[], yticks=[])
plt.show()

# %%
assert best_first[:4] == [
    "linear regression", "denoising VAE", "Gaussian blur, line, clip", "blur, 3 x 3"
]  # fmt: skip
assert errors["VAE, trained on clean digits"] > errors["mean of all digits"]

# %% [markdown]
# One matrix beats the network after five epochs. (After forty the two are about equal.) If you want a small squared error, minimize the squared error: regression does just that, and it may use all 784 numbers, while the VAE squeezes every picture through twenty. Its answers have no specks beside the stroke, and most are whole digits, but some are the wrong digit, or a blur. A VAE that has never seen noise is worse than one fixed picture.
#
# ## Several answers
#
# Regression and the denoising VAE give *one* answer each. But look at the four upper halves below. What was the lower half? There may be several answers, and a mixture of them is not one of them.
#
# Would ten draws from the denoiser's $q(z \mid \tilde x)$ give ten answers? Hardly. In the loss *each* draw has to explain *each* picture that could be behind $\tilde x$, on average. So every draw decodes to about the same compromise.
#
# But a model with latents has a better way: **Bayes' rule**, as in notebook 04. Given $z$, the pixels are independent. So the hidden ones simply drop out of the likelihood:
#
# $$p(z \mid x_{\text{seen}}) \propto p(z) \prod_{i\ \text{seen}} p(x_i \mid z) .$$
#
# With two latents we can compute this on a grid, exactly, for a model that was trained on clean digits and has never seen half a digit. Then we draw $z$ from it, and decode.
#
# ## The picture to remember
#
# Four digits, of which only the upper half is seen. First the whole digit, the part that is seen, and the answer of linear regression, trained for this task. Then the true posterior given the upper half, over the plane of both latents, and ten draws from it, decoded.
#
# **Predict:** for which of the four will there be more than one answer? Here are their upper halves.

# %%
chosen = [61, 30, 55, 0]
seen = np.arange(784) < 14 * 28  # the upper half
halves = np.where(seen, x_test[chosen], 0)
figure, axes = plt.subplots(figsize=(4, 1))
axes.imshow(tile(halves, (28, 28), 4), cmap="gray_r", vmin=0, vmax=1)
axes.set(xticks=[], yticks=[])
plt.show()

# %%
if Path("08_mnist.npz").exists():
    vae = numpyvae.load("08_mnist.npz")
    print("the model of notebook 08, from 08_mnist.npz")
else:
    vae = numpyvae.VAE(hidden=256, latent=2, rng=0)
    list(numpyvae.train(vae, x_train, epochs=3, rng=0))
    print("no 08_mnist.npz in this folder; quick model of three epochs")


def seen_only(pictures):
    """log p(x|z) of the pixels that are seen, a function of z, for each of the pictures."""

    def log_likelihood(z):
        logits = vae.decode_logits(z)[:, seen]  # minus the cross-entropy of notebook 03:
        return logits @ pictures[:, seen].T - np.logaddexp(0, logits).sum(axis=1)[:, None]

    return log_likelihood


axis, densities = posterior(seen_only(x_test[chosen]), nodes=201, half_width=5)
rng = np.random.default_rng(0)
learn = np.hstack([x_train[:20_000][:, seen], np.ones((20_000, 1), np.float32)])
weights = np.linalg.solve(learn.T @ learn + 10 * np.eye(393), learn.T @ x_train[:20_000])
blended = np.hstack([x_test[chosen][:, seen], np.ones((4, 1))]) @ weights

figure, panels = plt.subplots(
    4, 3, figsize=(11, 6.4), width_ratios=[2.6, 1.6, 7], layout="constrained"
)
ten, humps = [], []
for row, n, density, half, blend in zip(panels, chosen, densities, halves, blended):
    place = rng.choice(density.size, 10, p=density.ravel() / density.sum())
    z = np.column_stack([axis[place // 201], axis[place % 201]])
    ten.append(vae.decode(z))
    row[0].imshow(tile(np.stack([x_test[n], half, blend]), (28, 28), 3), cmap="gray_r", vmin=0,
                  vmax=1)  # fmt: skip
    row[1].contourf(axis, axis, density.T / density.max(), [0.001, 0.03, 0.3, 1],
                    colors=["0.8", "0.5", "0.1"])  # fmt: skip
    row[1].set(xlim=(-2.5, 2.5), ylim=(-2.5, 2.5), aspect="equal")
    pieces, count = label(density > 0.001 * density.max())
    shares = np.sort([density[pieces == k].sum() for k in range(1, count + 1)])[::-1]
    humps.append(shares[shares > 0.05 * shares.sum()] / shares.sum())
    row[2].imshow(tile(ten[-1], (28, 28), 10), cmap="gray_r", vmin=0, vmax=1)
    for axes in row:
        axes.set(xticks=[], yticks=[])
for axes, title in zip(panels[0], ("digit, seen, regression", "posterior", "ten draws")):
    axes.set_title(title, fontsize=10)
plt.show()
spread = np.stack(ten).std(axis=1)  # (4, 784)
for n, masses in zip(chosen, humps):
    print(f"test image {n:2}: humps with", ", ".join(f"{mass:.0%}" for mass in masses))
for n, apart in zip(chosen, spread):
    print(f"test image {n:2}, digit {y_test[n]}: the draws differ by {apart[seen].mean():.3f} "
          f"where it is seen, and by {apart[~seen].mean():.3f} where it is hidden")  # fmt: skip

hundred = x_test[:100]
_, densities = posterior(seen_only(hundred), nodes=101, half_width=5)
several = 0
for density in densities:
    pieces, count = label(density > 0.001 * density.max())
    shares = [density[pieces == k].sum() for k in range(1, count + 1)]
    several += sum(share > 0.05 * sum(shares) for share in shares) > 1
print(f"of the first 100 test digits, {several} have more than one hump")
assert several < 30

# %% [markdown]
# For our model (yours may differ a little), the upper half of the 8 could belong to an 8, a 9 or a 0; that of the 3 to a 3, a 7 or a 1; that of the 0 to a 0 or an 8. The posterior has several humps, and the draws show what the model thinks possible, and how probable. For the 7 there is one hump, and all draws agree. (The first three were chosen for their humps: most upper halves leave the model with only one.) Regression has one answer for each.
#
# That is what the latent variable is for. With two latents the pictures are soft, and the model's idea of a digit is crude. But given the model, the answer is exact.

# %% [markdown]
# ## In five lines
#
# 1. The input of a denoising VAE is $\tilde x$, and its target is $x$; one line is added.
# 2. Minus its loss is still a bound on the evidence of $x$, because any guess $q$ gives one.
# 3. Draw fresh noise for every batch.
# 4. In squared error linear regression is hard to beat: it minimizes just that, and gives one blurred compromise.
# 5. A model with latents can say what is *possible*: the posterior given the pixels that are seen may have several humps.
#
# ## Further exercises
#
# 1. *(easy)* Train with noise 0.5 and test with noise 0.2 and 0.8. Which direction hurts more?
# 2. *(medium)* Train a `denoising_step` on digits whose lower half is hidden, and decode ten draws from $q(z \mid \tilde x)$ for the four digits above. Do they differ? Explain with the ELBO why they do not need to.
# 3. *(open)* For a denoising model with two latents, compute the evidence of clean digits (notebook 09), the ELBO with $q(z \mid x)$, and the ELBO with $q(z \mid \tilde x)$. How much does the guess from the corrupted picture cost?
#
# ## Read on
#
# * D. Im, S. Ahn, R. Memisevic and Y. Bengio, *Denoising criterion for variational auto-encoding framework*, AAAI 2017.
# * P. Vincent, H. Larochelle, Y. Bengio and P.-A. Manzagol, *Extracting and composing robust features with denoising autoencoders*, ICML 2008.
# * P.-A. Mattei and J. Frellsen, *MIWAE: deep generative modelling and imputation of incomplete data sets*, ICML 2019, for hidden pixels in larger models.
#
# Next: [11 · Where do samples come from?](11_samples.ipynb)
