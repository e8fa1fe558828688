# %% [markdown]
# # 07 · The whole VAE in 120 lines
#
# **The one idea: every path through the graph carries a gradient back, and where paths meet, their gradients add up.**
#
# You have written all the parts. Here you put them together: an encoder that guesses the posterior of each image, one draw from the guess, a decoder that explains the image, the
# negative ELBO as the loss, and the whole backward pass. It takes fewer than 120 lines, and nothing is hidden. Then eight tests decide whether it is right. None of them needs a reference solution, so you can use them for any VAE that you
# write elsewhere. At the end, you compare yours, array by array, with `numpyvae.VAE`.
#
# *You need:* notebooks 01 to 06. *Time:* 140 minutes.

# %%
import inspect

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.course import check
from numpyvae.evaluation import evidence
from numpyvae.gradcheck import check_gradients
from numpyvae.pictures import COLOURS, STYLE

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)

# %% [markdown]
# ## The parts
#
# These are the functions of notebooks 01, 03, 05 and 06, all in one place, so that this notebook stands on its own. Read them once more; each backward pass is next to its forward pass. (They return new arrays, so you may modify their results in place.)


# %%
def dense(x, W, b):
    return x @ W + b


def dense_backward(x, W, dy):
    return dy @ W.T, x.T @ dy, dy.sum(axis=0)


def relu(a):
    return np.maximum(a, 0)


def relu_backward(dy, y):
    return dy * (y > 0)


def sigmoid(l):
    return 0.5 + 0.5 * np.tanh(l / 2)


def reparameterize(mu, logvar, eps):
    return mu + np.exp(logvar / 2) * eps


def reparameterize_backward(dz, logvar, eps):
    return dz.copy(), dz * 0.5 * np.exp(logvar / 2) * eps


def kl_divergence(mu, logvar):
    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)


def kl_backward(mu, logvar):
    return mu.copy(), 0.5 * (np.exp(logvar) - 1)


def cross_entropy(logits, x):
    softplus = np.maximum(logits, 0) - np.log(0.5 + 0.5 * np.tanh(np.maximum(logits, -logits) / 2))
    return (softplus - x * logits).sum(axis=1)


def cross_entropy_backward(logits, x):
    return sigmoid(logits) - x


def rmsprop_step(theta, grad, s, lr=1e-3, rho=0.9, eps=1e-7):
    s = rho * s + (1 - rho) * grad**2
    return theta - lr * grad / (np.sqrt(s) + eps), s


def initialize(pixels, hidden, latent, rng, dtype=np.float32):
    """Weights by name: W_h1, b_h1, …; each layer is named after its output."""
    sizes = {
        "h1": (pixels, hidden),
        "mu": (hidden, latent),
        "logvar": (hidden, latent),
        "g1": (latent, hidden),
        "out": (hidden, pixels),
    }
    theta = {}
    for name, (n, m) in sizes.items():
        limit = (6 / (n + m)) ** 0.5
        theta[f"W_{name}"] = rng.uniform(-limit, limit, (n, m)).astype(dtype)
        theta[f"b_{name}"] = np.zeros(m, dtype)
    return theta


# %% [markdown]
# (Here softplus is $\max(l, 0) - \log \sigma(|l|)$, and $|l|$ is written $\max(l, -l)$. This is the same as in notebook 03, because $\log(1 + e^{-|l|}) = -\log\sigma(|l|)$. In this form, the gradient checker can use its most precise
# method, the complex step.)

# %%
l_test = np.linspace(-30, 30, 61)
size = np.maximum(l_test, -l_test)
assert np.allclose(
    np.log1p(np.exp(-size)), -np.log(0.5 + 0.5 * np.tanh(size / 2)), rtol=0, atol=1e-15
)

# %% [markdown]
# ## Forward
#
# ```text
# x ─► h = relu(x W + b) ─► mu, logvar ─► z = mu + exp(logvar/2)·eps ─► g = relu(z W + b) ─► logits
#                                 │                                                            │
#                          KL(mu, logvar)                              cross-entropy(logits, target)
# ```
#
# | name | shape | meaning |
# |---|---|---|
# | `x` | $(B, X)$ | images: $B$ of them, $X$ pixels each |
# | `h` | $(B, H)$ | hidden layer of the encoder, $H$ units |
# | `mu`, `logvar` | $(B, Z)$ | the encoder's guess at the posterior: $q(z \mid x) = \mathcal N(\mu, e^{\texttt{logvar}})$ |
# | `eps` | $(B, Z)$ | noise from $\mathcal N(0, 1)$, passed as an argument |
# | `z` | $(B, Z)$ | one draw from $q$ |
# | `g` | $(B, H)$ | hidden layer of the decoder |
# | `logits` | $(B, X)$ | the decoder's output |
#
# Each layer has its own weights and biases, named after the layer's output. The weights have these shapes: `W_h1` $(X, H)$, `W_mu` and `W_logvar` $(H, Z)$, `W_g1` $(Z, H)$, `W_out` $(H, X)$. Each weight matrix has a
# bias (`b_h1`, …) with one entry for each column. They are passed as a dictionary, with entries `theta["W_h1"]` and so on. (Inside `rmsprop_step`, `theta` is one of these arrays, and `eps` is a small number, not the noise.)
#
# ### Exercise 1: `forward`
#
# Return a dictionary with all arrays of the forward pass under these names. Include `"x"` itself, and also `"target"`, the images that the decoder should produce. Here the target
# *is* `x`; in notebook 10 it will be different. The layers `mu` and `logvar` have no relu after them, because both must be able to be negative.


# %%
def forward(theta, x, eps):
    """Arrays of a forward pass, by name: x, target, h, mu, logvar, eps, z, g, logits."""
    # BEGIN SOLUTION
    t = {"x": x, "target": x, "eps": eps}
    t["h"] = relu(dense(t["x"], theta["W_h1"], theta["b_h1"]))
    t["mu"] = dense(t["h"], theta["W_mu"], theta["b_mu"])
    t["logvar"] = dense(t["h"], theta["W_logvar"], theta["b_logvar"])
    t["z"] = reparameterize(t["mu"], t["logvar"], t["eps"])
    t["g"] = relu(dense(t["z"], theta["W_g1"], theta["b_g1"]))
    t["logits"] = dense(t["g"], theta["W_out"], theta["b_out"])
    return t
    # END SOLUTION


# %% [markdown]
# ### Exercise 2: `loss`
#
# Compare the logits with the target. Return the two parts of the loss separately. Each is the **mean over the images** of the cost of one image, which is a sum over pixels for the reconstruction and a sum over latents for the KL. Minimizing the sum of the two parts maximizes the
# ELBO.


# %%
def loss(t):
    """(reconstruction, KL), two numbers in nats per image; the loss is their sum, −ELBO."""
    # BEGIN SOLUTION
    reconstruction = cross_entropy(t["logits"], t["target"]).mean()
    kl = kl_divergence(t["mu"], t["logvar"]).mean()
    return reconstruction, kl
    # END SOLUTION


# %% [markdown]
# ### The first five tests
#
# A gradient check compares `backward` with `forward`. If `forward` is wrong and `backward` matches it, the check passes. So we first test properties that the forward pass *must* have, either for all weights
# or for weights so simple that we know the answer:
#
# | test | what must hold |
# |---|---|
# | 1. zero net | with all weights zero, every pixel has $p = \tfrac12$: the reconstruction is $X \ln 2$, and the KL is 0 |
# | 2. KL values | with only `b_mu` = [2, 0], the KL is ½·2²; with `b_mu` = [−3, 0], ½·3²; with `b_logvar` = [2, 0], $(e^2 - 3)/2$; with `b_mu` = [2, 2], the sum, 4 |
# | 3. sampling | with only `b_logvar` = [2, −2], a noise of 1 moves $z$ by $e$ and by $1/e$ |
# | 4. batch twice | the loss is a mean over the images, so a batch stacked on itself has the same loss |
# | 5. ±1000 | with logits of ±1000, the loss is finite and right |
#
# The checks contain these tests. They also compare every array with the one that the layers give, one by one, for random weights and all sizes from 1 to 5. So they can tell you *where* a pass goes wrong.

# %%
check("forward", forward)
check("loss", loss)

# %% [markdown]
# ## Backward, on one page
#
# The loss is $L = \frac1B \sum (\text{CE} + \text{KL})$. Go through the forward pass from the last line to the first. Each line has a backward function. The gradient of each variable has the name of the variable
# with a $d$ in front.
#
# **On paper:** write the backward pass down, line by line, before you write code. At two places gradients *add up*, because a variable is used twice. Which variables are these, and which parts are added?
#
# <details><summary>The answer</summary>
#
# | forward | backward |
# |---|---|
# | $L = \frac1B \sum \text{CE}(\texttt{logits}, \texttt{target}) + \dots$ | $d\texttt{logits} = (\operatorname{sigmoid}(\texttt{logits}) - \texttt{target}) / B$ |
# | `logits` = dense(`g`) | $dg$, $dW_{out}$, $db_{out}$ |
# | `g` = relu(dense(`z`)) | first the relu mask, then $dz$, $dW_{g1}$, $db_{g1}$ |
# | `z` = `mu` + $\sigma$ `eps` | $d\mu$ and $d\texttt{logvar}$, **plus** their part from the KL, `kl_backward(mu, logvar)` divided by $B$ |
# | `mu` = dense(`h`), `logvar` = dense(`h`) | $dW_{mu}$, $db_{mu}$, $dW_{logvar}$, $db_{logvar}$, and **two** $dh$ |
# | `h` = relu(dense(`x`)) | first the relu mask, then $dW_{h1}$, $db_{h1}$ |
#
# First, `mu` and `logvar` affect the loss along two paths, through $z$ and through the KL. Second, `h` affects the loss through two layers, `mu` and `logvar`:
#
# $$dh = d\mu\, W_\mu^\mathsf{T} + d\texttt{logvar}\, W_{\texttt{logvar}}^\mathsf{T} .$$
#
# </details>
#
# The chain rule sums over *all* paths, and it is easy to forget one.
#
# **Predict:** suppose that you forget the path from `logvar` through $z$ and keep only the one through the KL. Will the loss still go down during training?
#
# ### Exercise 3: `backward`


# %%
def backward(theta, t):
    """Gradient of the loss for every weight, a dictionary with the names and shapes of theta."""
    # BEGIN SOLUTION
    d = {}
    share = 1 / len(t["x"])  # of one image in the mean
    dlogits = share * cross_entropy_backward(t["logits"], t["target"])
    dg, d["W_out"], d["b_out"] = dense_backward(t["g"], theta["W_out"], dlogits)
    da = relu_backward(dg, t["g"])
    dz, d["W_g1"], d["b_g1"] = dense_backward(t["z"], theta["W_g1"], da)
    dmu, dlogvar = reparameterize_backward(dz, t["logvar"], t["eps"])
    dmu_kl, dlogvar_kl = kl_backward(t["mu"], t["logvar"])
    dmu, dlogvar = dmu + share * dmu_kl, dlogvar + share * dlogvar_kl
    dh_logvar, d["W_logvar"], d["b_logvar"] = dense_backward(t["h"], theta["W_logvar"], dlogvar)
    dh_mu, d["W_mu"], d["b_mu"] = dense_backward(t["h"], theta["W_mu"], dmu)
    da = relu_backward(dh_mu + dh_logvar, t["h"])
    _, d["W_h1"], d["b_h1"] = dense_backward(t["x"], theta["W_h1"], da)
    return d
    # END SOLUTION


# %% [markdown]
# ### Exercise 4: `train_step`
#
# Write one training step: forward pass, backward pass, and an RMSprop step for every weight. (`theta` and `s` are dictionaries with the same keys.)


# %%
def train_step(theta, s, x, eps, lr=1e-3):
    """Take one RMSprop step on the batch x; return the new theta and s, as new dictionaries."""
    # BEGIN SOLUTION
    grad = backward(theta, forward(theta, x, eps))
    stepped = {name: rmsprop_step(theta[name], grad[name], s[name], lr) for name in theta}
    new_theta = {name: new for name, (new, _) in stepped.items()}
    new_s = {name: new for name, (_, new) in stepped.items()}
    return new_theta, new_s
    # END SOLUTION


# %% [markdown]
# ### The other tests
#
# The sixth test is the **gradient check**, with this project's checker. (If it fails, look at `backward` first; but an error in `forward` alone looks the same.) The seventh, **step by hand**, computes a step of RMSprop from the gradient, for some $s$ that is not zero. The checks go through your gradient from the
# last layer to the first, so they show the first one that is wrong. Last comes the strongest test of all, the **evidence gap**.

# %%
check("backward", backward)
check("train_step", train_step)

# %%
X, H, Z, B = 6, 5, 2, 4
rng = np.random.default_rng(0)
x, eps = rng.random((B, X)), rng.standard_normal((B, Z))
theta = initialize(X, H, Z, rng, np.float64)
t = forward(theta, x, eps)
parts, once = loss(t), backward(theta, t)
report = check_gradients(
    lambda p: sum(loss(forward(p, x, eps))), theta, lambda p: backward(p, forward(p, x, eps))
)
print(report)
report.raise_if_failed()

# %% [markdown]
# **Predict:** set `W_g1` to zero. Then the decoder does not see $z$, and only the KL is left for `mu`. What is the gradient of `b_mu`, exactly?

# %%
blind = {**theta, "W_g1": 0 * theta["W_g1"]}
t_blind = forward(blind, x, eps)
print("gradient of b_mu:", backward(blind, t_blind)["b_mu"].round(6))
print("mean of mu:      ", t_blind["mu"].mean(axis=0).round(6))
assert np.allclose(backward(blind, t_blind)["b_mu"], t_blind["mu"].mean(axis=0), rtol=0, atol=1e-15)

# %% [markdown]
# It is the mean of `mu` over the images, for the derivative of $\frac1B \sum \frac12 \mu^2$ with respect to a bias that is added to every $\mu$ is $\frac1B \sum \mu$. If yours is $B$ times as large, or half of it, you know where to look.
#
# ### The eighth test: the evidence gap
#
# Notebook 05 shows that $\log p(x) - \text{ELBO} = \text{KL}(q \,\|\, \text{posterior})$. With a single latent we can compute all three. The ELBO comes from *your* `forward` and `loss`, averaged over a grid
# of `eps`. The evidence and the KL come from separate code that uses none of your functions, only the weights. Suppose that your loss had a wrong sign, a wrong factor, a missing term or a hidden weight on the
# KL. Then the two sides would not agree, even if your backward pass had the same error. (Not every factor shows: with one image and one latent, a mean over images or latents is no different from a sum. Tests 2 and 4 find those.)

# %%
Z1 = initialize(X, H, 1, np.random.default_rng(3), np.float64)
Z1 = {name: W + 0.3 * np.random.default_rng(4).standard_normal(W.shape) for name, W in Z1.items()}
binary = (x > 0.5).astype(float)[:1]

nodes = np.linspace(-9, 9, 6001)
weights = np.exp(-(nodes**2) / 2) / np.sqrt(2 * np.pi) * (nodes[1] - nodes[0])
your_elbo = -sum(
    w * sum(loss(forward(Z1, binary, np.array([[e]])))) for e, w in zip(nodes, weights)
)


def independent_log_likelihood(z):
    """log p(x|z) at z (M, 1), straight from the definition of the Bernoulli distribution."""
    hidden = z @ Z1["W_g1"] + Z1["b_g1"]
    hidden[hidden < 0] = 0
    p = 1 / (1 + np.exp(-(hidden @ Z1["W_out"] + Z1["b_out"])))
    return np.log(np.where(binary == 1, p, 1 - p)).sum(axis=1, keepdims=True)


encoder = binary @ Z1["W_h1"] + Z1["b_h1"]
encoder[encoder < 0] = 0
q = encoder @ Z1["W_mu"] + Z1["b_mu"], encoder @ Z1["W_logvar"] + Z1["b_logvar"]
exact = evidence(independent_log_likelihood, 1, q=q, nodes=20_001, half_width=12.0)
print(
    f"log p(x) {exact.value[0]:.6f}  −  ELBO {your_elbo:.6f}  =  {exact.value[0] - your_elbo:.6f}"
)
print(f"KL(q, posterior), computed separately  =  {exact.gap[0]:.6f}")
assert abs(exact.value[0] - your_elbo - exact.gap[0]) < 1e-6

# %% [markdown]
# All eight tests have passed. How good are they? We made 24 mistakes that are found in hand-written VAEs, one at a time, in our own solution of this notebook. The
# checks above catch and name every one, and the gradient check alone
# finds eleven of them. (This experiment is part of the project's test suite.) Can you write tests that are as good? Put them in a file, as functions `check_...(vae)` that use `vae.forward`, `vae.loss` and so on, and run
# `numpyvae course mistakes my_checks.py`: it tries them on the right VAE and on the 24 wrong ones.
#
# ## Does it match the library?
#
# `numpyvae.VAE` is the same model, for any number of hidden layers and for other likelihoods. Read it beside yours: the lines of its `forward` and `backward` in `numpyvae/core/vae.py` are the ones that you wrote, and `numpyvae/plain.py` is
# this whole notebook in one file. Copy your weights into the library's model, and compare every array and every gradient:

# %%
vae = numpyvae.VAE(hidden=H, latent=Z, image_shape=(2, 3)).astype(np.float64)
for name, W in theta.items():
    vae.parameters[name][:] = W
trace = vae.forward(x, eps)
vae.backward(trace)
for name, theirs in (
    ("h", trace.h[0]),
    ("mu", trace.mu),
    ("logvar", trace.logvar),
    ("z", trace.z),
    ("g", trace.g[0]),
    ("logits", trace.logits),
):
    assert np.allclose(t[name], theirs, rtol=0, atol=1e-14), name
theirs = vae.loss(trace)
assert np.allclose(parts, (theirs.reconstruction, theirs.kl), rtol=1e-14, atol=0), "loss differs"
largest = max(np.abs(once[name] - vae.parameters.gradient(name)).max() for name in theta)
print(f"largest difference in any gradient: {largest:.0e}")
assert largest < 1e-14, "a gradient differs from the library's"

parts_of_the_vae = (
    dense, dense_backward, relu, relu_backward, sigmoid, reparameterize, reparameterize_backward,
    kl_divergence, kl_backward, cross_entropy, cross_entropy_backward, rmsprop_step,
    initialize, forward, loss, backward, train_step,
)  # fmt: skip
lines = sum(len(inspect.getsource(part).strip().splitlines()) + 1 for part in parts_of_the_vae)
print(f"the whole VAE: {lines} lines")

# %% [markdown]
# ## The picture to remember
#
# The graph shows one pass over 100 digits, before any training and after eight epochs on 10,000 digits. Each arrow of the backward pass is labeled with the size of the gradient (its Euclidean norm). Look at the two arrows into `h`.
#
# **Predict:** which gradients will be *larger* after training?

# %%
(x_train, _), _ = numpyvae.load_mnist()
images = (x_train[:10_000] / 255).astype(np.float32)


def train(gradient, epochs=8):
    """The loss in each epoch, and the weights at the end, for a given backward pass."""
    theta = initialize(784, 64, 2, np.random.default_rng(5))
    s = {name: np.zeros_like(W) for name, W in theta.items()}
    rng, losses = np.random.default_rng(7), []
    for _ in range(epochs):
        total = 0.0
        for rows in rng.permutation(len(images)).reshape(-1, 100):
            t = forward(theta, images[rows], rng.standard_normal((100, 2)).astype(np.float32))
            total += sum(loss(t)) / 100
            grad = gradient(theta, t)
            for name in theta:
                theta[name], s[name] = rmsprop_step(theta[name], grad[name], s[name])
        losses.append(total)
    return losses, theta


def sizes_of_gradients(theta):
    """The norm of the gradient on each arrow of the graph, for 100 digits; and that into h."""
    noise = np.random.default_rng(6).standard_normal((100, 2)).astype(np.float32)
    t = forward(theta, images[:100], noise)
    dlogits = cross_entropy_backward(t["logits"], t["target"]) / 100
    dg = dense_backward(t["g"], theta["W_out"], dlogits)[0]
    dz = dense_backward(t["z"], theta["W_g1"], relu_backward(dg, t["g"]))[0]
    through_z = reparameterize_backward(dz, t["logvar"], t["eps"])
    through_kl = [part / 100 for part in kl_backward(t["mu"], t["logvar"])]
    dmu, dlogvar = (a + b for a, b in zip(through_z, through_kl))
    dh_mu = dense_backward(t["h"], theta["W_mu"], dmu)[0]
    dh_logvar = dense_backward(t["h"], theta["W_logvar"], dlogvar)[0]
    da = relu_backward(dh_mu + dh_logvar, t["h"])
    assert np.allclose(t["x"].T @ da, backward(theta, t)["W_h1"], rtol=0, atol=1e-5)
    arrows = {
        ("CE", "logits"): dlogits, ("logits", "g"): dg, ("g", "z"): dz,
        ("z", "mu"): through_z[0], ("z", "logvar"): through_z[1],
        ("KL ", "mu"): through_kl[0], ("KL", "logvar"): through_kl[1],
        ("mu", "h"): dh_mu, ("logvar", "h"): dh_logvar, ("h", "x"): da @ theta["W_h1"].T,
    }  # fmt: skip
    norms = {arrow: float(np.linalg.norm(gradient)) for arrow, gradient in arrows.items()}
    return norms, float(np.linalg.norm(dh_mu + dh_logvar))


places = {"x": (0, 1), "h": (2, 1), "mu": (4, 2), "logvar": (4, 0), "z": (6, 1), "g": (8, 1)}
places |= {"logits": (10.2, 1), "CE": (12.6, 1), "KL ": (4, 4), "KL": (4, -2)}  # KL twice


def draw(axes, norms, title):
    """Draw the graph, with the norm of the gradient on each arrow of the backward pass."""
    for name, place in places.items():
        axes.text(*place, name, ha="center", va="center", fontsize=12,
                  bbox={"boxstyle": "round", "fc": "w"})  # fmt: skip
    style = {"arrowstyle": "->", "color": COLOURS[0], "shrinkA": 24, "shrinkB": 24}
    for (start, end), norm in norms.items():
        (x0, y0), (x1, y1) = places[start], places[end]
        axes.annotate("", (x1, y1), (x0, y0), arrowprops=style)
        middle = ((x0 + x1) / 2, (y0 + y1) / 2)
        beside = (8, 0) if x0 == x1 else (0, 8 if y0 <= y1 else -14)  # in points
        align = "left" if x0 == x1 else "center"
        axes.annotate(f"{norm:.3f}", middle, beside, textcoords="offset points", ha=align,
                      color=COLOURS[0])  # fmt: skip
    axes.set(xlim=(-0.8, 13.2), ylim=(-2.5, 4.5), title=title)
    axes.axis("off")


right_losses, trained = train(backward)
before, into_h = sizes_of_gradients(initialize(784, 64, 2, np.random.default_rng(5)))
after, into_h_after = sizes_of_gradients(trained)
figure, panels = plt.subplots(2, 1, figsize=(10, 8.4))
draw(panels[0], before, "before training: norm of the gradient along each arrow")
draw(panels[1], after, "after eight epochs")
plt.show()
for when, norms, total in (("before", before, into_h), ("after", after, into_h_after)):
    print(f"{when:6} training, into h: {norms['mu', 'h']:.3f} through mu, "
          f"{norms['logvar', 'h']:.3f} through logvar, {total:.3f} in total")  # fmt: skip
assert before["mu", "h"] < 0.9 * into_h
assert after["CE", "logits"] < before["CE", "logits"]
assert after["z", "mu"] > 3 * before["z", "mu"]

# %% [markdown]
# Before training, two gradients of about the same size arrive at `h`. A backward pass that forgets one of them would give the encoder only one of two about equally large parts. After training the gradient at the logits is smaller, but the one that arrives at `mu` is many times larger: the decoder has learned to use $z$, so moving $z$ makes a difference.
#
# ## "The loss goes down" proves nothing
#
# Here is the answer to the question above. We train once more on the 10,000 digits, with a backward pass that forgets the path from
# `logvar` through `z`. (It is your own `backward`, called with the noise set to zero.)

# %%


def backward_that_forgets(theta, t):
    """Your gradient without the part of dlogvar that comes through z."""
    return backward(theta, {**t, "eps": 0 * t["eps"]})


wrong_losses, _ = train(backward_that_forgets)
print("epoch        ", "".join(f"{epoch:8}" for epoch in range(1, 9)))
print("right        ", "".join(f"{value:8.1f}" for value in right_losses))
print("path missing ", "".join(f"{value:8.1f}" for value in wrong_losses))
assert (np.diff(wrong_losses) < 0).all()
assert 4 < wrong_losses[-1] - right_losses[-1] < 10

# %% [markdown]
# Both losses go down, epoch after epoch. The second ends several nats higher. But if you see only that curve, you will think that this is as well as the model can do. That is why there are
# eight tests.

# %% [markdown]
# ## In five lines
#
# 1. Encoder → guess → one draw → decoder → logits; the loss is cross-entropy plus KL, averaged over the images.
# 2. The backward pass is the forward pass read from the end. Where a variable is used twice, its gradients add up.
# 3. `h` feeds `mu` and `logvar`: $dh = d\mu\, W_\mu^\mathsf{T} + d\texttt{logvar}\, W_{\texttt{logvar}}^\mathsf{T}$.
# 4. A gradient check compares backward with forward; known values and the evidence gap test forward itself.
# 5. A falling loss proves nothing.
#
# ## Further exercises
#
# 1. *(easy)* In a copy of this notebook, put each of these mistakes into your code, one at a time, and write down which of the eight tests catch it: σ = exp(`logvar`) everywhere; the KL averaged over latents; new `eps` in backward; β = 0.1 hidden in `loss` *and* `backward`.
# 2. *(medium)* Give the encoder a second hidden layer. Which lines change? Which tests need no change at all?
# 3. *(open)* Replace the Bernoulli distribution by a normal distribution with one learned standard deviation for all pixels. Derive the loss and its gradient, and run the eight tests (two of them need new values; which ones?). Then compare it with `numpyvae.GaussianVAE`.
#
# ## Read on
#
# * D. Kingma and M. Welling, *Auto-encoding variational Bayes*, ICLR 2014: the model of this notebook.
# * D. Kingma and M. Welling, *An introduction to variational autoencoders*, Foundations and Trends in Machine Learning 12, 2019.
#
# Next: [08 · MNIST](08_mnist.ipynb).
