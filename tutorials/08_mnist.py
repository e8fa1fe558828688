# %% [markdown]
# # 08 · MNIST
#
# **The one idea: the loss has landmarks, values whose meaning you know. Compare your loss with them to see what went wrong.**
#
# In this notebook you train the VAE that you wrote on handwritten digits: all 60,000 of them, on your own processor. Then we look at what it has learned. Finally
# we make it fail in three ways on purpose, because the next time it will fail by accident.
#
# *You need:* notebook 07. *Time:* 80 minutes. *Runs in:* less than a minute.

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy.special import ndtr, ndtri
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.course import check, functions
from numpyvae.pictures import COLOURS, STYLE, tile

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)
mine = functions("07_whole_vae")
forward, loss, train_step, initialize = mine.forward, mine.loss, mine.train_step, mine.initialize
dense, relu, sigmoid, cross_entropy = mine.dense, mine.relu, mine.sigmoid, mine.cross_entropy
print("forward, loss, backward, train_step:", mine.origin)

(x_train, y_train), (x_test, y_test) = numpyvae.load_mnist()  # from the package: no download
x_train, x_test = (x_train / 255).astype(np.float32), (x_test / 255).astype(np.float32)
print("training images", x_train.shape, "  test images", x_test.shape)

# %% [markdown]
# ## The loop
#
# An epoch is one pass over all training images, in a new random order and in batches of 100. Fresh noise is drawn for each batch. That is all.
#
# ### Exercise 1: `train_epoch`
#
# Call the argument `step`, not `train_step` directly. `step(theta, s, x, eps)` returns the new `theta` and `s`; pass both to the next step. Draw a new order and new noise from `rng`. For the noise use
# `rng.standard_normal(shape, np.float32)`, with one row for each image of the batch. If the number of images is not a multiple of the batch size, the last batch is smaller; do not drop it. Do not modify `images`.


# %%
def train_epoch(theta, s, images, rng, step=train_step, batch_size=100):
    """One pass over all images in random order; returns the new theta and s. The number of
    latents is len(theta["b_mu"])."""
    # BEGIN SOLUTION
    order = rng.permutation(len(images))
    for start in range(0, len(images), batch_size):
        x = images[order[start : start + batch_size]]
        eps = rng.standard_normal((len(x), len(theta["b_mu"])), np.float32)
        theta, s = step(theta, s, x, eps)
    return theta, s
    # END SOLUTION


# %% [markdown]
# **The check** calls it with a `step` that only notes its arguments, for numbered images, batch sizes that do not divide their number, and three or four latents. Is every image used once, and in random order? Is the last batch there? Has every image noise of its own, normal, float32, and new in the next epoch? Do the new `theta` and `s` reach the next step, and come back at the end? Does the same `rng` give the same epoch?

# %%
check("train_epoch", train_epoch)

# %% [markdown]
# ## Landmarks
#
# Before training, ask which values the loss *can* take. All values are in nats per test image:
#
# * **All weights zero.** The network predicts ½ for every pixel. Its loss is $784 \ln 2$.
# * **The best single picture.** Suppose that the decoder ignores $z$ and always outputs the same picture. If the loss
#   *stays* near the loss of this picture, with a KL near 0, the latents are not used.
# * **The floor.** Even for a perfect reconstruction, $p = x$, the loss is not zero, because the pixels are grey. It is the entropy of the pixels, $-x \log x - (1-x) \log(1-x)$.
#
# **On paper:** which picture is the best one? Let $\bar x$ be the mean of one pixel over all images. Its mean cost is $-\bar x \log p - (1 - \bar x) \log(1-p)$. Which $p$ makes it smallest?
#
# <details><summary>The answer</summary>
#
# The derivative is $-\frac{\bar x}{p} + \frac{1 - \bar x}{1 - p}$. It is zero at $p = \bar x$: the best single picture is the mean of all images.
#
# </details>
#
# **Predict:** where between the second landmark and the third will a VAE with only *two* latents end up?


# %%
def entropy_of(x, p):
    """−Σ (x log p + (1−x) log(1−p)) over the pixels, with 0 log 0 = 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(x > 0, x * np.log(p), 0) + np.where(x < 1, (1 - x) * np.log(1 - p), 0)
    return -terms.sum(axis=1)


x64 = x_test.astype(np.float64)
landmarks = {
    "all weights zero": 784 * np.log(2),
    "the best single picture": entropy_of(x64, np.clip(x64.mean(axis=0), 1e-12, 1 - 1e-12)).mean(),
    "perfect reconstruction": entropy_of(x64, x64).mean(),
}
for name, value in landmarks.items():
    print(f"{name:24} {value:7.2f}")
assert np.allclose(list(landmarks.values()), [543.43, 205.65, 45.53], rtol=0, atol=0.006)

# %% [markdown]
# ## Training
#
# We train for ten epochs, with *your* gradient. For the test loss $z$ is drawn at random, as in training, so it is an estimate of −ELBO. (At $z = \mu$ the number would be lower, and it would not be a bound on anything.)


# %%
def test_loss(theta, rng):
    """Reconstruction and KL of the test images, in nats per image."""
    parts = []
    for x in np.split(x_test, 10):
        t = forward(theta, x, rng.standard_normal((len(x), len(theta["b_mu"])), np.float32))
        parts.append(loss(t))
    return np.mean(parts, axis=0)


theta = initialize(784, 256, 2, np.random.default_rng(1))
s = {name: np.zeros_like(W) for name, W in theta.items()}
learning, looking = np.random.default_rng(2), np.random.default_rng(3)
history = []
for epoch in range(1, 11):
    theta, s = train_epoch(theta, s, x_train, learning)
    reconstruction, kl = test_loss(theta, looking)
    history.append((reconstruction, kl))
    print(f"epoch {epoch:2}: test {reconstruction + kl:.2f} = {reconstruction:.2f} + {kl:.2f}")

x = x_test[:2000]
at_mu = sum(loss(forward(theta, x, np.zeros((2000, 2), np.float32))))
drawn = sum(loss(forward(theta, x, looking.standard_normal((2000, 2), np.float32))))
print(f"2,000 test images at z = mu: {at_mu:.2f}, with z drawn: {drawn:.2f}")
assert at_mu < drawn

# %% [markdown]
# Are you on the right track? A published training run of this very model (the log of a Keras 2.1 notebook; `numpyvae reproduce classic` shows it beside ours) has a loss of 171.6 after the first epoch and of 159.7 after the tenth. Our losses, with five seeds, lie between 171.9 and 173.0 after the first epoch and between
# 156.1 and 158.0 after the tenth. Yours should be between 170.8 and 174.5, and then between 155 and 161.5. If it is not, something is very probably wrong, whatever the gradient check says. Is `s` passed on to the next step? Is the noise normal, and new for each batch?

# %%
totals = np.sum(history, axis=1)
assert 170.8 < totals[0] < 174.5, f"after one epoch: {totals[0]:.1f} is outside the band"
assert 155.0 < totals[9] < 161.5, f"after ten epochs: {totals[9]:.1f} is outside the band"

# %% [markdown]
# ## Reconstructions
#
# Top: test images. Bottom: the same images, encoded into **two numbers** and decoded at $z = \mu$. (For a picture, use $\mu$; for a bound, use a random draw.)


# %%
def decode(theta, z):
    """The probability of ink in each pixel at codes z (n, 2)."""
    g = relu(dense(z.astype(np.float32), theta["W_g1"], theta["b_g1"]))
    return sigmoid(dense(g, theta["W_out"], theta["b_out"]))


one_of_each = [int(np.flatnonzero(y_test == digit)[0]) for digit in range(10)]
mu = forward(theta, x_test, np.zeros((10_000, 2), np.float32))["mu"]
figure, panels = plt.subplots(2, 1, figsize=(8, 2))
for axes, pictures, name in zip(
    panels, (x_test[one_of_each], decode(theta, mu[one_of_each])), ("images", "reconstructed")
):
    axes.imshow(tile(pictures, (28, 28), columns=10), cmap="gray_r", vmin=0, vmax=1)
    axes.set_ylabel(name, rotation=0, ha="right", va="center")
    axes.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Some digits come back as other digits. Two numbers are not much. This is the price of a latent space that we can look at. Let us look at it.
#
# ## The picture to remember: the latent space, seen twice
#
# We decode a grid of codes. Which grid? The codes should be distributed like the prior $\mathcal N(0, 1)$: dense in the middle, sparse outside. Take numbers $u$ that are evenly spaced
# between 0 and 1. For each $u$, find the $z$ with $\Phi(z) = u$, where $\Phi(z) = P(Z \le z)$ is the distribution function (CDF) of the prior. This is $z = \Phi^{-1}(u)$, the **inverse CDF**. If $u$ is uniform,
# then $z$ is normal, because $P(\Phi^{-1}(u) \le z) = P(u \le \Phi(z)) = \Phi(z)$. In SciPy: `ndtr` is $\Phi$, `ndtri` is $\Phi^{-1}$.

# %%
u = (np.arange(100_000) + 0.5) / 100_000
assert abs(ndtri(u).mean()) < 1e-9
assert abs(ndtri(u).std() - 1) < 1e-3
assert np.allclose(ndtr(ndtri(u)), u)

# %% [markdown]
# ### Exercise 2: `manifold_codes`
#
# Return the $n \times n$ codes of the grid, row by row, in the order in which pictures are laid out: the first is at the top left. $z_1$ grows to the right, and $z_2$ grows **upward**,
# so the first row has the largest $z_2$. (Drawn upside down, the picture contradicts the scatter plot beside it. This mistake is common.)


# %%
def manifold_codes(n):
    """Codes (n·n, 2) from the top left: on each axis the quantiles (k + ½)/n of N(0, 1)."""
    # BEGIN SOLUTION
    z = ndtri((np.arange(n) + 0.5) / n)
    right, up = np.meshgrid(z, z[::-1])
    return np.column_stack([right.ravel(), up.ravel()])
    # END SOLUTION


# %% [markdown]
# **The check:** for $n = 2$ all codes are $\pm\Phi^{-1}(\tfrac34)$, for $n = 3$ they are 0 and $\pm\Phi^{-1}(\tfrac56)$, from the top left.

# %%
check("manifold_codes", manifold_codes)

# %%
n = 12
edge = manifold_codes(n).max()  # the outermost code
even = np.linspace(-3.4, 3.4, 18)
right, up = np.meshgrid(even, even[::-1])
figure, panels = plt.subplots(1, 3, figsize=(12, 4.4), layout="constrained")
picture = tile(decode(theta, manifold_codes(n)), (28, 28), columns=n, gap=0)
panels[0].imshow(picture, cmap="gray_r", vmin=0, vmax=1, extent=(0, 1, 0, 1))
panels[0].set_title("decoded, by quantiles of the prior")
ticks = np.array([-1.5, -0.5, 0, 0.5, 1.5])
panels[0].set_xticks(ndtr(ticks), ticks)
panels[0].set_yticks(ndtr(ticks), ticks)
picture = tile(decode(theta, np.column_stack([right.ravel(), up.ravel()])), (28, 28), 18, gap=0)
panels[1].imshow(picture, cmap="gray_r", vmin=0, vmax=1, extent=(-3.6, 3.6, -3.6, 3.6))
panels[1].set_title("decoded, evenly spaced")
for digit in range(10):
    place = mu[:3000][y_test[:3000] == digit]
    panels[2].scatter(*place.T, s=5, color=COLOURS[digit], linewidths=0)
    panels[2].text(*np.median(place, axis=0), digit, weight="bold", ha="center", va="center",
                   bbox={"boxstyle": "circle,pad=0.15", "fc": "w"})  # fmt: skip
panels[2].set_title("encoder means μ of 3,000 test digits")
for axes in panels[1:]:
    axes.plot(edge * np.array([-1, 1, 1, -1, -1]), edge * np.array([-1, -1, 1, 1, -1]), "k--")
    axes.set(xlim=(-3.6, 3.6), ylim=(-3.6, 3.6), aspect="equal")
for axes in panels:
    axes.set(xlabel="$z_1$", ylabel="$z_2$")
plt.show()
outside = (np.abs(mu) > edge).any(axis=1).mean()
print(f"outermost code of the left picture: ±{edge:.2f}; "
      f"{outside:.0%} of the test digits lie outside (dashed square)")  # fmt: skip
assert 0.2 < outside < 0.45

# %% [markdown]
# Left: equal areas stand for equal probability under the prior. Middle and right have the same axes: where the right plot has a cluster of sevens, the middle one shows sevens. Between most clusters one digit turns into another, without the blots of the autoencoder in notebook 03.
#
# But look at the dashed square. It is all that the left picture shows, and about a third of the digits have their codes outside of it. The prior says that only 16% should. So the codes do not fill the prior exactly, and there are thin places too. Notebook 11 makes a map of them.
#
# ## A VAE generates
#
# Now *invent* digits. Draw $z$ from the prior, decode it, done. That is the model of notebook 04: first $z$, then $x$.
#
# The decoder gives a probability of ink for each pixel. A real draw from $p(x \mid z)$ tosses a coin for each. We show both.
#
# **Predict:** what do the coins do to the picture?

# %%
assert round(1 - (2 * ndtr(edge) - 1) ** 2, 2) == 0.16
inventing = np.random.default_rng(4)
means = decode(theta, inventing.standard_normal((14, 2)))
coins = inventing.random(means.shape) < means
figure, panels = plt.subplots(2, 1, figsize=(9, 1.7))
for axes, pictures, name in zip(panels, (means, coins), ("means p", "coins")):
    axes.imshow(tile(pictures, (28, 28), columns=14), cmap="gray_r", vmin=0, vmax=1)
    axes.set_ylabel(name, rotation=0, ha="right", va="center")
    axes.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Most are digits, some are in between. The coins add noise, because given $z$ the pixels are independent: the model knows that the edge of a stroke is uncertain, but not that its pixels go together. Many pictures of "samples" show the means instead.
#
# ## The loss curve, with its landmarks

# %%
figure, panels = plt.subplots(1, 2, figsize=(10, 3.6))
epochs = range(1, 11)
for axes in panels:
    axes.plot(epochs, totals, "o-", color=COLOURS[0], label="test loss = reconstruction + KL")
    axes.set(xlabel="epoch", ylabel="nats per image")
for (name, value), style in zip(landmarks.items(), (":", "--", "-.")):
    panels[0].axhline(value, linestyle=style, color="black", label=f"{name}: {value:.1f}")
panels[0].set(ylim=(0, 580), title="full scale")
panels[0].legend(fontsize=8, loc="center right")
panels[1].set_title("zoomed in")
plt.show()

# %% [markdown]
# ## Which latents are used?
#
# With more than two latents we can no longer look at the whole latent space. A latent is *used* if its $\mu$ differs from image to image. Burda, Grosse and Salakhutdinov (2016) call it **active** if the variance of $\mu$
# over the images is larger than 0.01.
#
# ### Exercise 3: `active_units`


# %%
def active_units(mu, least=0.01):
    """Mask (Z,): True where the variance of mu (N, Z) over the images is above `least`."""
    # BEGIN SOLUTION
    return mu.var(axis=0) > least
    # END SOLUTION


# %% [markdown]
# **The check** uses latents whose variance you can compute in your head: ±1, a constant, ±0.08 and ±0.12, with several values of `least`.

# %%
check("active_units", active_units)

# %% [markdown]
# Our two latents are both active. Let us ask twenty, in two models that were trained for five epochs on 20,000 digits. In the second, the KL in the loss is multiplied by $\beta = 8$, so a latent is expensive.
#
# **Predict:** how many of twenty latents are active in each?

# %%
print("our two latents:", active_units(mu))
assert active_units(mu).all()
figure, axes = plt.subplots(figsize=(8, 3))
counts = {}
for beta, colour, shift in ((1, COLOURS[0], -0.2), (8, COLOURS[4], 0.2)):
    vae = numpyvae.VAE(hidden=256, latent=20, beta=beta, rng=0)
    list(numpyvae.train(vae, x_train[:20_000], epochs=5, rng=0))
    means = vae.encode(x_test)[0]
    variance = np.sort(means.var(axis=0))[::-1]
    axes.bar(np.arange(1, 21) + shift, variance, 0.4, color=colour, label=f"β = {beta}")
    counts[beta] = active_units(means).sum(), (variance > 0.5).sum()
    print(f"β = {beta}: {counts[beta][0]} of 20 active, {counts[beta][1]} with a variance above ½")
axes.axhline(0.01, linestyle="--", color="black", label="0.01")
axes.set(yscale="log", xlabel="latent, sorted", ylabel="variance of μ", xticks=range(1, 21))
axes.legend(loc="lower left")
plt.show()
assert counts[1][0] == 20
assert 10 <= counts[8][0] <= 20
assert counts[8][1] <= 6 < counts[1][1]

# %% [markdown]
# At the usual price all twenty are used. With $\beta = 8$ most are "active" by the rule, but only a few carry anything: the limit of 0.01 is a convention, so look at the bars as well. Notebook 12 finds the exact price at which a latent is switched off.

# %% [markdown]
# ## Three collapses, on purpose
#
# **One knob.** The loss is a sum over pixels plus the KL. Many programs take the *mean* over the 784 pixels instead. That looks harmless, but it divides only the first term:
# $\frac{1}{784}\,\text{reconstruction} + \text{KL} = \frac{1}{784} (\text{reconstruction} + 784 \cdot \text{KL})$. The factor in front has almost no effect, because RMSprop divides by the size of the gradient. What remains is a KL that weighs 784
# times too much. So the choice between sum and mean is one knob, called $\beta$: loss = reconstruction + $\beta\,$KL.
#
# Now we try three faults. Each one happens in practice:
#
# 1. the mean over pixels, which is $\beta = 784$;
# 2. a decoder whose relus are all dead: its bias starts at −10, so that $g = 0$ for every $z$ that occurs, and no gradient passes through a dead relu (in the decoder only the
#    784 output biases can still learn, and we use a larger learning rate so that three epochs are enough for them);
# 3. a data loader that shuffles the images and the targets *separately*, so that the decoder has to produce a different picture from the one that the encoder saw.
#
# **Predict:** which landmark will each of them end at, and how large will the KL be?


# %%
def collapse(beta=1.0, bias=0.0, wrong_pairs=False, learning_rate=1e-3, epochs=3):
    """−ELBO and KL of the test images after each epoch of training on 20,000 images with a fault;
    the mask of active latents; the largest difference between reconstructions in any pixel."""
    vae = numpyvae.VAE(hidden=256, latent=2, beta=beta, rng=0)
    vae.parameters["b_g1"][:] = bias
    optimizer = numpyvae.RMSprop(vae.parameters, learning_rate)
    rng, losses = np.random.default_rng(0), []
    for _ in range(epochs):
        for rows in rng.permutation(20_000).reshape(-1, 100):
            target = x_train[rng.permutation(rows) if wrong_pairs else rows]
            vae.backward(vae.forward(x_train[rows], rng.standard_normal((100, 2)), target))
            optimizer.step()
        test = vae.loss(vae.forward(x_test, rng.standard_normal((10_000, 2))))
        losses.append((-test.elbo, test.kl))
    differ = np.ptp(vae.reconstruct(x_test[:1000]), axis=0).max()
    return np.array(losses), active_units(vae.encode(x_test)[0]), differ


runs = {
    "no fault": collapse(),
    "1  mean over pixels": collapse(beta=784),
    "2  dead relus": collapse(bias=-10, learning_rate=0.01),
    "3  wrong pairs": collapse(wrong_pairs=True),
}
figure, axes = plt.subplots(figsize=(8, 3.6))
for (name, (losses, active, _)), marker in zip(runs.items(), "osD^"):
    axes.plot([1, 2, 3], losses[:, 0], marker + "-", markersize=5, label=name)
    print(f"{name:20} −ELBO {losses[-1, 0]:6.1f}   KL {losses[-1, 1]:5.2f}   active {active.sum()}")
axes.axhline(
    landmarks["the best single picture"],
    linestyle="--",
    color="black",
    label="the best single picture",
)
axes.set(
    xlabel="epoch",
    ylabel="−ELBO of test images, nats per image",
    xticks=[1, 2, 3],
    title="Three faults, one landmark",
)
axes.legend(fontsize=8)
plt.show()
for name, (losses, active, differ) in list(runs.items())[1:]:
    assert abs(losses[-1, 0] - landmarks["the best single picture"]) < 4, name
    assert losses[-1, 1] < 0.1, name
    assert not active.any(), name
    assert differ < 0.02, name
assert runs["no fault"][0][-1, 0] < 175

# %% [markdown]
# Three faults in three different places have the same symptoms: a loss of about 206 nats, a KL of nearly zero, no active latent, and one blurred picture for everything. Between the reconstructions of any two digits no pixel differs by more than 0.02. This is **posterior collapse**. It
# means only that $z$ is useless to the decoder, or too expensive. You have to find out *why*. The tests of notebook 07 find the first fault, a look at `(g > 0).mean()` finds the second, and a look at ten pairs of images and targets finds the third. The remedy is to remove the fault. (If there is none, and a latent is simply worth less than its price, notebook 12 shows what can be done.)
#
# ## Keep the model
#
# Notebooks 09, 10 and 11 use this model. The next cell saves it as a model of the library, which uses the same names for the weights. It is saved only if it has learned something.

# %%
final = sum(test_loss(theta, looking))
assert final < 165, f"not saved: its test loss is {final:.1f}; run the training above"
vae = numpyvae.VAE(hidden=256, latent=2, rng=0)
for name, W in theta.items():
    vae.parameters[name][:] = W
assert np.allclose(vae.encode(x_test[:100])[0], mu[:100], rtol=0, atol=1e-4)
numpyvae.save("08_mnist.npz", vae)
print("saved: 08_mnist.npz")

# %% [markdown]
# ## Look inside
#
# The library also writes the model into one page for a browser. It needs no server and no network: everything is computed in the page. Move in the latent space and see what is decoded there, draw a digit of your own, or go in a straight line from one digit to another.
#
# **Predict:** draw a digit in a corner, much too small, and clear the box "center a drawing as MNIST does". Where does the encoder put it? And what does it do with something that is no digit at all?

# %%
page = numpyvae.explorer.explore(vae, x_test, y_test, name="MNIST")
with open("explore.html", "w", encoding="utf-8") as file:
    file.write(page)
print("written: explore.html; open it in a browser")

# %% [markdown]
# ## In five lines
#
# 1. Landmarks for MNIST: 543.4 with all weights zero, 205.7 with one picture for everything, 45.5 with a perfect reconstruction. Two latents end near 157 after ten epochs.
# 2. For a test loss draw $z$ at random; otherwise it is not a bound.
# 3. To generate, draw $z$ from the prior and decode it. A grid of codes from the inverse CDF shows what the prior draws; many codes lie outside of it.
# 4. The choice between sum and mean over pixels is the weight $\beta$ of the KL in disguise.
# 5. A loss of 206 and a KL of 0 mean that the latents are not used. Many faults lead there.
#
# ## Further exercises
#
# 1. *(easy)* Train with 20 latents (`initialize(784, 256, 20, …)`) and your own `train_epoch`. What happens to reconstruction and KL?
# 2. *(medium)* Plot the loss after three epochs against $\beta$ from 0.1 to 100, with reconstruction and KL as separate curves. Where does the collapse begin?
# 3. *(open)* Which *test image* has the largest loss, and which the smallest? Look at twenty of each. Is the model bad at them, or are they bad digits?
#
# ## Read on
#
# * Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, *Gradient-based learning applied to document recognition*, Proceedings of the IEEE 86, 1998: MNIST.
# * Y. Burda, R. Grosse and R. Salakhutdinov, *Importance weighted autoencoders*, ICLR 2016: active units, and what a VAE reaches with more latents.
#
# Next: [09 · How good is it really?](09_how_good.ipynb)
