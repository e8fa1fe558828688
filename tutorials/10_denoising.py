# %% [markdown]
# # 10 · Denoising
#
# **The one idea: show the encoder a corrupted picture, ask the decoder for the clean one, and the same code learns to restore pictures.**
#
# Nothing new has to be derived. You add *one line* to the VAE that you wrote in notebook 07, and find out why it is still a VAE.
#
# *You need:* notebooks 07 and 08. *Time:* 30 minutes. *Runs in:* 20 seconds.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.course import check, functions
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
# **The check** corrupts pixels of ½, of 0 and of 1. Has every pixel noise of its own, normal, with the right standard deviation? Does half of the black pixels stay at 0, and half of the white ones at 1? Does the same `rng` give the same noise, and a second call new noise? Do the shape and the `dtype` stay?

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
# The loss is now $\mathbb E_{q(z \mid \tilde x)}[-\log p(x \mid z)] + \text{KL}(q(z \mid \tilde x) \,\|\, p(z))$, where $\tilde x$ is corrupted and $x$ is clean. Is the negative of this loss still a lower bound on the
# evidence of $x$? Yes. In notebook 05 the guess $q$ could be *any* distribution; it did not matter where it came from. A guess made from a corrupted picture is a worse guess, so the bound is usually looser,
# but it is still a bound. (For grey pixels, "evidence" is meant in the sense of notebook 09.) This model is studied by Im, Ahn, Memisevic and Bengio (2017).
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
# ## The picture to remember
#
# The first three rows are the clean, the corrupted and the restored pictures. The last row shows the output of the VAE of notebook 08 for the corrupted pictures. It was trained on clean ones only. (It has only two latents; further exercise 1
# asks whether twenty would do better.)

# %%


def restore(theta, seen):
    """Pixel means at z = μ."""
    t = forward(theta, seen, np.zeros((len(seen), len(theta["b_mu"])), np.float32))
    return sigmoid(t["logits"])


if Path("08_mnist.npz").exists():
    never_spoiled = numpyvae.load("08_mnist.npz")
    print("the last row shows the model of notebook 08")
else:
    never_spoiled = numpyvae.VAE(hidden=256, latent=2, rng=0)
    list(numpyvae.train(never_spoiled, x_train, epochs=3, rng=0))
    print("no 08_mnist.npz in this folder; the last row shows a quick model of three epochs")

restored, unprepared = restore(theta, spoiled_test), never_spoiled.reconstruct(spoiled_test)
first = [int(np.flatnonzero(y_test == digit)[0]) for digit in range(10)]
rows = {
    "clean": clean_test,
    "corrupted": spoiled_test,
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
# How good are the restored pictures? We compute the mean squared difference from the clean picture, over all pixels of 2,000 test images. **Predict:** how many times smaller is it than that of the corrupted picture?

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
mean_error = float(((x_train.mean(axis=0) - clean_test) ** 2).mean())
print(f"{'mean of all digits':20} mean squared error {mean_error:.4f}")
assert errors["not trained for it"] > 0.95 * mean_error
assert errors["corrupted"] > 4.5 * errors["restored"]
assert blur_error > 2 * errors["restored"]
assert errors["not trained for it"] > 2 * errors["restored"]

# %% [markdown]
# It is about five times smaller. A blur averages noise away without any knowledge of digits, and its error is more than twice as large. The VAE that has never seen noise is no better than one fixed picture, the mean
# of all digits, because its encoder has never been taught to ignore noise. The restored picture is not the clean one, though. It is *a digit that could have been behind the noise*. Look at the 5: where
# the noise has hidden a stroke, the network settles on one possibility, and the picture at $z = \mu$ shows no doubt.
#
# ## In five lines
#
# 1. The input of a denoising VAE is $\tilde x$, and its target is $x$; one line is added.
# 2. Minus its loss is still a bound on the evidence of $x$, because any guess $q$ gives one.
# 3. Draw fresh noise for every batch.
# 4. It restores pictures far better than a blur, because it has learned what digits look like.
# 5. The restored picture is plausible, not certain.
#
# ## Further exercises
#
# 1. *(easy)* Train a VAE with twenty latents on clean pictures, for as many epochs, and use it to restore the corrupted ones. Then train with noise 0.5 and test with noise 0.2 and 0.8. Which direction hurts more?
# 2. *(medium)* Instead of noise, black out a square of $10 \times 10$ pixels at a random place. Restore the same corrupted digit with ten different draws of $z$. Do the results differ where they should?
# 3. *(open)* For a denoising model with two latents, compute the evidence of clean digits (notebook 09), the ELBO with $q(z \mid x)$, and the ELBO with $q(z \mid \tilde x)$. How much does the guess from the corrupted picture cost?
#
# This was the last notebook. If you would now like to read the library itself, begin with `vae.py`: you know every line of it.
