# %% [markdown]
# # 10 · Denoising
#
# **The one idea: show the encoder a spoiled picture, ask the decoder for the clean one, and the same code learns to repair.**
#
# Nothing new has to be derived. You change *one line* of the VAE that you wrote in notebook 07, and find out why it still is a VAE.
#
# *You need:* notebooks 07 and 08. *Time:* 30 minutes. *Runs in:* half a minute.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import numpyvae
from numpyvae.course import expect, functions
from numpyvae.pictures import STYLE, tile

plt.style.use(STYLE)
mine = functions("07_whole_vae")
forward, loss, backward, rmsprop_step = mine.forward, mine.loss, mine.backward, mine.rmsprop_step
initialize, dense, relu, sigmoid = mine.initialize, mine.dense, mine.relu, mine.sigmoid
print("forward, loss, backward:", mine.origin)
(x_train, _), (x_test, y_test) = numpyvae.load_mnist()
x_train, x_test = (x_train / 255).astype(np.float32), (x_test / 255).astype(np.float32)

# %% [markdown]
# ## Spoil it
#
# Add noise from $\mathcal N(0, s^2)$ to every pixel. A pixel must stay between 0 (paper) and 1 (ink), so clip.
#
# ### Exercise 1: `corrupt`


# %%
def corrupt(x, noise, rng):
    """clip(x + noise · N(0, 1), 0, 1): a new array of the shape and dtype of x; x is left alone."""
    # BEGIN SOLUTION
    spoiled = x + noise * rng.standard_normal(x.shape, x.dtype)
    return np.clip(spoiled, 0, 1)
    # END SOLUTION


# %%
# Check of exercise 1
half = np.full((300, 200), 0.5, np.float32)
spoiled = corrupt(half, 0.1, np.random.default_rng(0))
assert isinstance(spoiled, np.ndarray), "corrupt: return the new array"
assert spoiled.shape == half.shape, f"corrupt: expected shape {half.shape}, got {spoiled.shape}"
assert spoiled.dtype == half.dtype, (
    f"corrupt: expected {half.dtype}, got {spoiled.dtype}; draw the noise in the dtype of x"
)
assert (half == 0.5).all(), "corrupt: the array x itself was changed; return a new one"
assert abs(spoiled.mean() - 0.5) < 4 * 0.1 / 60_000**0.5, (
    "corrupt: the noise should have mean 0 (is it uniform?)"
)
spread = spoiled.std()
assert abs(spread - 0.1) < 0.002, (
    f"corrupt: the standard deviation should be 0.1, yours is {spread:.4f} (is 0.1 the variance?)"
)
strong = corrupt(half, 5.0, np.random.default_rng(0))
assert strong.min() == 0, "corrupt: pixels must not be negative; clip"
assert strong.max() == 1, "corrupt: pixels must not exceed 1; clip"
assert len(np.unique(corrupt(half, 0.1, np.random.default_rng(1))[:, 0])) > 250, (
    "corrupt: every pixel needs its own noise"
)
print("corrupt: right")

# %% [markdown]
# ## Ask for the clean one
#
# In notebook 07 the cross-entropy compared the logits with `t["target"]`, and the target was `x`. That is the only place where the loss sees a picture. (The encoder's gradient
# needs `t["x"]`, what it has *seen*; that stays the spoiled one.)
#
# **Predict:** which of `forward`, `loss`, `backward` must change?
#
# ### Exercise 2: `denoising_step`
#
# Below is the step of notebook 07 in three pieces: forward, backward, RMSprop. Write it with the one line more that it needs, between forward and backward.


# %%
def denoising_step(theta, s, spoiled, clean, eps, lr=1e-3):
    """One step: the encoder sees `spoiled`, the decoder is to say `clean`; returns theta, s."""
    # BEGIN SOLUTION
    t = forward(theta, spoiled, eps)
    t["target"] = clean
    grad = backward(theta, t)
    stepped = {name: rmsprop_step(theta[name], grad[name], s[name], lr) for name in theta}
    return {name: new for name, (new, _) in stepped.items()}, {
        name: new for name, (_, new) in stepped.items()
    }
    # END SOLUTION


# %%
# Check of exercise 2: against the library, which has the target as an argument
rng = np.random.default_rng(0)
tiny = initialize(6, 5, 2, rng, np.float64)
spoiled, clean, eps = rng.random((4, 6)), rng.random((4, 6)), rng.standard_normal((4, 2))
zero = {name: np.zeros_like(W) for name, W in tiny.items()}
yours = denoising_step(tiny, zero, spoiled, clean, eps)
assert isinstance(yours, tuple), "denoising_step: return theta and s"


def library_gradient(seen, wanted):
    vae = numpyvae.VAE(hidden=5, latent=2, image_shape=(2, 3)).astype(np.float64)
    for name, W in tiny.items():
        vae.parameters[name][:] = W
    vae.backward(vae.forward(seen, eps, wanted))
    return {name: vae.parameters.gradient(name).copy() for name in tiny}


right, same, swapped = (
    library_gradient(spoiled, clean),
    library_gradient(spoiled, spoiled),
    library_gradient(clean, spoiled),
)
only_clean = library_gradient(clean, clean)
for name in tiny:
    expect(
        f"denoising_step: s of {name}",
        yours[1][name],
        0.1 * right[name] ** 2,
        "0.1 g², with the gradient of numpyvae.VAE",
        given="the first step",
        mistakes={
            "The target is still the spoiled picture.": 0.1 * same[name] ** 2,
            "The two are exchanged.": 0.1 * swapped[name] ** 2,
            "The encoder saw the clean picture; it should see the spoiled one.": 0.1
            * only_clean[name] ** 2,
        },
    )
    step = tiny[name] - 1e-3 * right[name] / (np.sqrt(0.1 * right[name] ** 2) + 1e-7)
    expect(
        f"denoising_step: {name}",
        yours[0][name],
        step,
        "θ − lr g/(√s + 1e-7)",
        given="the first step",
    )
print("denoising_step: right")

# %% [markdown]
# ## Is it still a VAE?
#
# The loss is now $\mathbb E_{q(z \mid \tilde x)}[-\log p(x \mid z)] + \text{KL}(q(z \mid \tilde x) \,\|\, p(z))$, where $\tilde x$ is spoiled and $x$ is clean. Is minus this still a bound of the
# evidence of $x$? Yes. In notebook 05 the guess $q$ was *any* distribution; nobody asked where it came from. A guess made from a spoiled picture is a worse guess, so the bound is looser,
# but a bound it is. (Im, Ahn, Memisevic and Bengio, 2017, study this model.)
#
# ## Train it
#
# Twenty latents this time, for sharper pictures; noise with $s = 0.5$, drawn anew for each batch, so that the network never sees the same spoiled picture twice.

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
# ## The picture to remember
#
# Clean, spoiled, restored; and, in the last row, what a VAE makes of spoiled pictures if it was trained on clean ones only.

# %%


def restore(theta, seen):
    """Pixel means at z = μ."""
    t = forward(theta, seen, np.zeros((len(seen), len(theta["b_mu"])), np.float32))
    return sigmoid(t["logits"])


if Path("08_mnist.npz").exists():
    never_spoiled = numpyvae.load("08_mnist.npz")
    print("the last row is the model of notebook 08")
else:
    never_spoiled = numpyvae.VAE(hidden=256, latent=2, rng=0)
    list(numpyvae.train(never_spoiled, x_train, epochs=3, rng=0))
    print("no 08_mnist.npz in this folder; the last row is a quick model of three epochs")

restored, unprepared = restore(theta, spoiled_test), never_spoiled.reconstruct(spoiled_test)
first = [int(np.flatnonzero(y_test == digit)[0]) for digit in range(10)]
rows = {
    "clean": clean_test,
    "spoiled": spoiled_test,
    "restored": restored,
    "not trained for it": unprepared,
}
figure, panels = plt.subplots(4, 1, figsize=(8, 3.6))
for axes, (name, pictures) in zip(panels, rows.items()):
    axes.imshow(tile(pictures[first], (28, 28), columns=10), cmap="gray_r", vmin=0, vmax=1)
    axes.set_ylabel(name, rotation=0, ha="right", va="center")
    axes.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# How good is "restored"? Take the mean squared difference from the clean picture, over all pixels of 2,000 test images. **Predict:** how many times smaller is it than that of the spoiled picture?

# %%
errors = {
    name: float(((pictures - clean_test) ** 2).mean())
    for name, pictures in rows.items()
    if name != "clean"
}
for name, error in errors.items():
    print(f"{name:20} mean squared error {error:.4f}")
blurred = spoiled_test.reshape(-1, 28, 28)
padded = np.pad(blurred, ((0, 0), (1, 1), (1, 1)))
blurred = sum(padded[:, i : i + 28, k : k + 28] for i in range(3) for k in range(3)) / 9
blur_error = float(((blurred.reshape(-1, 784) - clean_test) ** 2).mean())
print(f"{'blurred, 3 x 3':20} mean squared error {blur_error:.4f}")
assert errors["spoiled"] > 4.5 * errors["restored"]
assert blur_error > 2 * errors["restored"]
assert errors["not trained for it"] > 2 * errors["restored"]

# %% [markdown]
# About five times smaller. A blur, which averages noise away without knowing what a digit is, is left behind by a factor of two; and so is the VAE that has never seen noise, which takes the
# noise for a feature of the digit. The restored picture is not the clean one, though. It is *a digit that could have been behind it*. Where the noise has eaten the difference between a 4 and a 9, the network makes up its mind, and
# shows no doubt.
#
# ## In five lines
#
# 1. A denoising VAE sees $\tilde x$ and is asked for $x$; one line changes.
# 2. It is still a bound of the evidence of $x$, because any guess $q$ gives one.
# 3. Fresh noise for every batch.
# 4. It repairs far better than a blur, because it knows what digits look like.
# 5. What it shows is plausible, not certain.
#
# ## Further exercises
#
# 1. *(easy)* Train with noise 0.5 and test with noise 0.2 and 0.8. Which direction hurts more?
# 2. *(medium)* Instead of noise, black out a square of $10 \times 10$ pixels at a random place. Restore the same spoiled digit with ten different draws of $z$. Do the answers differ where they should?
# 3. *(open)* Compute the evidence of clean digits for a denoising model with two latents (notebook 09), its ELBO with $q(z \mid x)$ and with $q(z \mid \tilde x)$. How much does the spoiled guess cost?
#
# This was the last one. If you would now like to read the library itself, begin with `vae.py`: you know every line of it.
