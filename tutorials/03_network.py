# %% [markdown]
# # 03 · From layers to a network
#
# **The one idea: the forward pass is a chain of functions, and the backward pass follows the same chain in reverse.**
#
# Here we add four parts to the dense layer: relu, sigmoid, a loss for pixels, and an optimizer. Together they make an *autoencoder*, which learns to compress an image of 784 pixels into ten numbers and to reconstruct the image from them. It works rather well. Then we ask it to *invent* an image, and too often it fails. That failure is the reason why variational autoencoders exist.
#
# *You need:* notebooks 01 and 02. *Time:* 75 minutes. *Runs in:* 15 seconds.

# %%
import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.course import check, functions
from numpyvae.gradcheck import check_gradients
from numpyvae.pictures import STYLE, tile

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)
mine = functions("01_dense_layer")
dense, dense_backward = mine.dense, mine.dense_backward
print("dense, dense_backward:", mine.origin)

# %% [markdown]
# (Each function of notebook 01 is taken from your own notebook, if that is saved in this folder and the function passes its check, and from our solutions otherwise.)
#
# ## relu: a bend between layers
#
# Two dense layers in a row are equivalent to one dense layer. A nonlinear function between them, a bend, makes depth worthwhile. The simplest bend is
#
# $$y = \operatorname{relu}(a) = \max(a, 0), \qquad \frac{dy}{da} = \begin{cases} 1 & a > 0 \\ 0 & a < 0 \end{cases}.$$
#
# (At 0 itself there is a corner and no derivative; by convention we take 0.) By the chain rule, the gradient that comes back from the next layer passes through where $a > 0$, and becomes zero elsewhere. We do not even need $a$, because $y > 0$ exactly where $a > 0$. So the backward pass takes `y`, which we have anyway.
#
# ### Exercise 1: `relu_backward`


# %%
def relu(a):
    """max(a, 0), entry by entry."""
    return np.maximum(a, 0)


def relu_backward(dy, y):
    """Return da = ∂L/∂a, given dy = ∂L/∂y and the output y = relu(a); all have the same shape."""
    # BEGIN SOLUTION
    return dy * (y > 0)
    # END SOLUTION


# %% [markdown]
# **The check:** `dy` where `y` > 0, and 0 elsewhere, by hand and for random arrays.

# %%
check("relu_backward", relu_backward)

# %% [markdown]
# ## sigmoid: from any number to a probability
#
# A pixel is a number between 0 (paper) and 1 (ink). But the output of the last dense layer can be any number $l$, called a *logit*. The sigmoid
#
# $$\sigma(l) = \frac{1}{1 + e^{-l}}$$
#
# turns a logit into a probability: $l = 0$ gives $\tfrac12$, a large $l$ gives nearly 1, and a very negative $l$ gives nearly 0.
#
# **Predict:** what happens when a computer evaluates this formula at $l = -1000$?

# %%
with np.errstate(over="ignore"):
    print(
        "np.exp(1000.0) =", np.exp(1000.0), "   so 1 / (1 + exp(1000)) =", 1 / (1 + np.exp(1000.0))
    )
assert np.exp(709.0) < np.inf
assert 1 / (1 + np.exp(709.0)) > 0

# %% [markdown]
# The result is in fact right, but NumPy warns of an *overflow* on the way, and a formula that produces infinities is an accident waiting to happen. There is an equivalent form without them. Multiply numerator and denominator by $e^{l/2}$, and write the numerator as $e^{l/2} = \tfrac12 (e^{l/2} + e^{-l/2}) + \tfrac12 (e^{l/2} - e^{-l/2})$:
#
# $$\sigma(l) = \frac{e^{l/2}}{e^{l/2} + e^{-l/2}} = \frac12 + \frac12 \cdot \frac{e^{l/2} - e^{-l/2}}{e^{l/2} + e^{-l/2}} = \tfrac12 + \tfrac12 \tanh(l/2) .$$
#
# The last fraction is the definition of the hyperbolic tangent, and `np.tanh` never overflows.
#
# ### Exercise 2: `sigmoid`


# %%
def sigmoid(l):
    """1 / (1 + e⁻ˡ), entry by entry, without overflow for any l."""
    # BEGIN SOLUTION
    return 0.5 + 0.5 * np.tanh(l / 2)
    # END SOLUTION


# %% [markdown]
# **The check:** σ(log 1) = 1/2, σ(log 3) = 3/4 and σ(−log 4) = 1/5 by hand, then random logits, then logits from ±30 to ±1000, where any overflow is an error.

# %%
check("sigmoid", sigmoid)

# %% [markdown]
# ## A loss for pixels
#
# Think of a pixel as a coin that shows ink with probability $p = \sigma(l)$. The probability of the value that we observe, $x = 1$ or $x = 0$, is $p^x (1-p)^{1-x}$. This is the *Bernoulli* distribution. The probability of all pixels together is the product of these, which may be too small a number for a computer. So we take the logarithm. And since a loss is minimized, we take its negative:
#
# $$\text{CE}(l, x) = -\sum_{\text{pixels}} \bigl[ x \log p + (1-x) \log (1-p) \bigr] .$$
#
# This is the *cross-entropy*. With the natural logarithm its unit is the *nat*. (MNIST's pixels are grey: they lie between 0 and 1. The formula works for them too, and it is standard to use it. But then it is a measure of mismatch, and no longer the negative logarithm of a probability. Notebook 09 comes back to that.)
#
# ### Why it must be computed from logits
#
# At $l = -1000$ the computer rounds $p$ to 0, and $\log 0 = -\infty$. So never take the logarithm of a rounded sigmoid. Substitute $p = \sigma(l)$ into the formula first, on paper:
#
# $$\log(1-p) = \log \frac{1}{1 + e^{l}} = -\log(1 + e^l), \qquad \log p = \log \frac{e^l}{1 + e^l} = l - \log(1 + e^l) .$$
#
# The function $\log(1 + e^l)$ is called $\operatorname{softplus}(l)$. With it
#
# $$-x \log p - (1-x) \log(1-p) = -x\,(l - \operatorname{softplus}(l)) + (1-x) \operatorname{softplus}(l) = \operatorname{softplus}(l) - x\, l .$$
#
# Now only $e^l$ can still overflow. For $l > 0$, factor $e^l$ out of the logarithm: $\log(1 + e^l) = l + \log(1 + e^{-l})$. One formula covers both cases:
#
# $$\operatorname{softplus}(l) = \max(l, 0) + \log(1 + e^{-|l|}) .$$

# %%
l, x = np.array([-3.0, 0.2, 2.0]), np.array([0.0, 1.0, 0.3])
p = 1 / (1 + np.exp(-l))
softplus = np.maximum(l, 0) + np.log1p(np.exp(-np.abs(l)))
assert np.allclose(softplus, np.log(1 + np.exp(l)))
assert np.allclose(softplus - x * l, -x * np.log(p) - (1 - x) * np.log(1 - p))

# %% [markdown]
# ### Its gradient is the nicest in all of machine learning
#
# The derivative of $\log(1 + e^l)$ is $e^l / (1 + e^l) = \sigma(l)$, and that of $x\,l$ is $x$:
#
# $$\frac{\partial\, \text{CE}}{\partial l} = \sigma(l) - x .$$
#
# This is prediction minus truth. A pixel that is completely wrong gets the full gradient. (With the squared error $(\sigma(l) - x)^2$ there would be an extra factor $2 \sigma'(l) = 2 \sigma(l) (1 - \sigma(l))$. Then a pixel with a confident but wrong prediction would hardly change at all.)
#
# ### Exercise 3: `cross_entropy` and `cross_entropy_backward`
#
# Sum over the pixels of each image, so that a batch gives $B$ numbers. `np.log1p(a)` is $\log(1 + a)$. The backward function treats each image separately: do not divide by $B$.


# %%
def cross_entropy(logits, x):
    """Σ (softplus(l) − x l) over the pixels, in nats; logits, x (B, X) → (B,), always finite."""
    # BEGIN SOLUTION
    softplus = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))
    return (softplus - x * logits).sum(axis=1)
    # END SOLUTION


def cross_entropy_backward(logits, x):
    """The gradient of each image's own cross-entropy with respect to its logits, (B, X)."""
    # BEGIN SOLUTION
    return sigmoid(logits) - x
    # END SOLUTION


# %% [markdown]
# **The check:**
#
# | input | exact value |
# |---|---|
# | logits of 0, any pixels | $\ln 2$ for each pixel, because $p = \tfrac12$ |
# | logits of ±1000 | right costs 0, wrong costs $|l|$; nothing may become infinite |
# | random logits and pixels | $-x \log p - (1 - x) \log (1 - p)$, summed; for the gradient, $\sigma(l) - x$ |

# %%
check("cross_entropy", cross_entropy)
check("cross_entropy_backward", cross_entropy_backward)

# %% [markdown]
# ## An optimizer: RMSprop
#
# The gradient points uphill. Plain gradient descent takes a step downhill, $\theta \leftarrow \theta - \eta\, d\theta$, with the same *learning rate* $\eta$ for all weights. But a pixel near the border is nearly always paper. Its weights have gradients more than a hundred times smaller than those of a pixel in the middle (we will measure this below). RMSprop gives every weight its own scale: it keeps a running mean $s$ of the squared gradient and divides the gradient by the square root of $s$.
#
# $$s \leftarrow \rho\, s + (1 - \rho)\, d\theta^2, \qquad \theta \leftarrow \theta - \eta\, \frac{d\theta}{\sqrt{s} + \epsilon}$$
#
# With $\rho = 0.9$ the mean covers about the last ten steps; $\epsilon = 10^{-7}$ only prevents a division by zero.
#
# **Predict:** $s = 0$ at the beginning. By how much does the first step move a weight whose gradient is 100? And one whose gradient is 0.01?
#
# ### Exercise 4: `rmsprop_step`
#
# Return *new* arrays, first $\theta$, then $s$; `grad` is $d\theta$, `lr` is $\eta$.


# %%
def rmsprop_step(theta, grad, s, lr=1e-3, rho=0.9, eps=1e-7):
    """One step of RMSprop for an array theta of any shape: returns the new theta and the new s."""
    # BEGIN SOLUTION
    s = rho * s + (1 - rho) * grad**2
    theta = theta - lr * grad / (np.sqrt(s) + eps)
    return theta, s
    # END SOLUTION


# %% [markdown]
# **The check** takes a step by hand: with $\theta = 1$, $d\theta = 3$, $s = 4$ and $\rho = \tfrac34$, $s$ becomes $\tfrac34 \cdot 4 + \tfrac14 \cdot 9 = 5.25$, and $\theta$ becomes $1 - 0.1 \cdot 3 / \sqrt{5.25}$. A second one has a large $\epsilon$, and then come random arrays.

# %%
check("rmsprop_step", rmsprop_step)

# %%
for gradient in (100.0, 0.01):
    moved, _ = rmsprop_step(np.zeros(1), np.array([gradient]), np.zeros(1), lr=1e-3)
    print(f"gradient {gradient:6}: the first step moves the weight by {moved[0]:.5f}")
    assert np.isclose(moved[0], -1e-3 / 0.1**0.5, rtol=1e-3)

# %% [markdown]
# Both weights move by the same amount: $\eta / \sqrt{0.1}$, about $3\,\eta$. The step of RMSprop depends on the sign of the gradient and on how steady it is, not on its size.
#
# ## An autoencoder
#
# Now we put the chain together. The *encoder* turns an image into ten numbers, the *code*. The *decoder* turns a code into 784 logits:
#
# `x` → dense, relu → `h` → dense → `code` → dense, relu → `g` → dense → `logits` → cross-entropy with `x` itself.
#
# The backward pass is the same line, read from right to left. Read the two functions side by side:


# %%
def forward(theta, x):
    """Return all arrays of a forward pass, by name; backward needs them."""
    h = relu(dense(x, theta["W_h"], theta["b_h"]))
    code = dense(h, theta["W_code"], theta["b_code"])
    g = relu(dense(code, theta["W_g"], theta["b_g"]))
    logits = dense(g, theta["W_out"], theta["b_out"])
    return {"h": h, "code": code, "g": g, "logits": logits}


def backward(theta, x, t):
    """Return the gradient of the mean loss over the batch, by weight name; t is from forward."""
    d = {}
    dlogits = cross_entropy_backward(t["logits"], x) / len(x)  # the factor 1/B, only here
    dg, d["W_out"], d["b_out"] = dense_backward(t["g"], theta["W_out"], dlogits)
    dcode, d["W_g"], d["b_g"] = dense_backward(t["code"], theta["W_g"], relu_backward(dg, t["g"]))
    dh, d["W_code"], d["b_code"] = dense_backward(t["h"], theta["W_code"], dcode)
    _, d["W_h"], d["b_h"] = dense_backward(x, theta["W_h"], relu_backward(dh, t["h"]))
    return d


def initialize(pixels, hidden, code, rng, dtype=np.float32):
    """Random weights from Uniform(±√(6/(n + m))), as in Glorot & Bengio (2010); zero biases."""
    theta = {}
    for name, n, m in (
        ("h", pixels, hidden),
        ("code", hidden, code),
        ("g", code, hidden),
        ("out", hidden, pixels),
    ):
        limit = (6 / (n + m)) ** 0.5
        theta[f"W_{name}"] = rng.uniform(-limit, limit, (n, m)).astype(dtype)
        theta[f"b_{name}"] = np.zeros(m, dtype)
    return theta


# %% [markdown]
# Before any training, we ask two questions that need no training. Is the gradient right? And if all weights are zero, does the loss have the value that it must have?

# %%
rng = np.random.default_rng(0)
tiny = initialize(pixels=7, hidden=5, code=3, rng=rng, dtype=np.float64)
x = rng.random((4, 7))
report = check_gradients(
    lambda theta: cross_entropy(forward(theta, x)["logits"], x).mean(),
    tiny,
    lambda theta: backward(theta, x, forward(theta, x)),
)
print(report)
report.raise_if_failed()

# %% [markdown]
# (The checker first tries the complex step, a method even more accurate than differences. It detects that `np.abs` makes the complex step fail here. See the exercises of notebook 02.)

# %%
(x_train, _), (x_test, y_test) = numpyvae.load_mnist()
x_test = (x_test[:2000] / 255).astype(np.float32)
nothing = {name: 0 * W for name, W in initialize(784, 256, 10, rng).items()}
zero_loss = cross_entropy(forward(nothing, x_test)["logits"], x_test).mean()
print(f"all weights zero: {zero_loss:.2f} nats per image; 784 ln 2 = {784 * np.log(2):.2f}")
assert np.isclose(zero_loss, 784 * np.log(2), rtol=1e-5)

# %% [markdown]
# Now train it on 20,000 digits for twenty epochs. (An *epoch* is one pass over all images, in random order and in batches of 100.)

# %%
theta = initialize(784, 256, 10, np.random.default_rng(1))
s = {name: np.zeros_like(W) for name, W in theta.items()}
images = (x_train[:20_000] / 255).astype(np.float32)
rng = np.random.default_rng(2)
for epoch in range(1, 21):
    order = rng.permutation(len(images))
    for start in range(0, len(order), 100):
        batch = images[order[start : start + 100]]
        grad = backward(theta, batch, forward(theta, batch))
        for name in theta:
            theta[name], s[name] = rmsprop_step(theta[name], grad[name], s[name])
    loss = cross_entropy(forward(theta, x_test)["logits"], x_test).mean()
    if epoch % 4 == 0:
        print(f"epoch {epoch:2}: {loss:6.2f} nats per test image")
assert loss < 95

# %% [markdown]
# This is why we use RMSprop. Compare, after this training, the gradients of the output weights of two groups of pixels: those in the top two rows, and those in the middle:

# %%
x = images[:1000]
sizes = np.sqrt((backward(theta, x, forward(theta, x))["W_out"] ** 2).mean(axis=0)).reshape(28, 28)
middle, border = sizes[10:18, 10:18].mean(), sizes[:2].mean()
print(f"typical gradient: middle {middle:.0e}, top two rows {border:.0e}")
assert middle > 100 * border

# %% [markdown]
# ## The picture to remember
#
# Top: eight test images. Middle: the same images, each encoded into ten numbers and decoded again. Bottom: *random* codes, decoded. They are drawn from the normal distribution that has the same mean and covariance as the codes of real images.
#
# **Predict before you look:** what will the bottom row show?

# %%
t = forward(theta, x_test)
codes = t["code"]
rng = np.random.default_rng(3)
random_codes = rng.multivariate_normal(codes.mean(axis=0), np.cov(codes.T), 2000).astype(np.float32)
g = relu(dense(random_codes, theta["W_g"], theta["b_g"]))
invented = sigmoid(dense(g, theta["W_out"], theta["b_out"]))
first = [int(np.flatnonzero(y_test[:2000] == digit)[0]) for digit in range(8)]
rows = (x_test[first], sigmoid(t["logits"][first]), invented[:8])

figure, panels = plt.subplots(3, 1, figsize=(8, 3))
for axes, pictures, title in zip(
    panels, rows, ("images", "encoded and decoded", "random codes, decoded")
):
    axes.imshow(tile(pictures, (28, 28), columns=8), cmap="gray_r", vmin=0, vmax=1)
    axes.set_ylabel(title, rotation=0, ha="right", va="center")
    axes.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Most of the middle row is legible. In the bottom row, some could pass for digits; others are blots that no hand would write. Where do the random codes lie? We measure the distance from a code to the nearest code of a real image, in units of the standard deviation of the codes. If there were no holes, it would be the same for random codes and for real ones.

# %%
scale = codes.std(axis=0)


def distance_to_nearest(points, others):
    """The distance from each point to the nearest one among the others, in standard deviations."""
    a, b = points / scale, others / scale
    squares = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    return np.sqrt(np.maximum(squares, 0).min(axis=1))


half = codes[:1000], codes[1000:]
real = np.median(distance_to_nearest(half[0], half[1]))
random = np.median(distance_to_nearest(random_codes[:1000], half[1]))
print(f"median distance to the nearest real code: real {real:.2f}, random {random:.2f}")
assert random > 1.25 * real

# Encode the decoded images again: how close is the new code to the old one?
real_back = forward(theta, sigmoid(t["logits"]))["code"]
random_back = forward(theta, invented)["code"]
real_change = np.sqrt((((real_back - codes) / scale) ** 2).mean())
random_change = np.sqrt((((random_back - random_codes) / scale) ** 2).mean())
print(
    f"change of a code decoded and re-encoded: real {real_change:.2f}, random {random_change:.2f}"
)
assert random_change > 1.5 * real_change

# %% [markdown]
# Why? Nothing in the loss says *where* the codes should lie. The network is free to place each digit anywhere. The regions in between are **holes**, on which the decoder has never been trained. Many random codes fall into a hole.
#
# This gives us two goals, which are the subject of the next notebooks:
#
# * the codes of all images together should fill a distribution that we know and can sample from, and
# * every code should stand for a small *region*, not a point, so that there are no holes.
#
# To reach them, we will stop thinking about compression and start thinking about probability.
#
# ## In five lines
#
# 1. relu passes the gradient through where its output is positive; the sigmoid turns logits into probabilities.
# 2. The cross-entropy, computed from logits, is $\sum (\operatorname{softplus}(l) - x\,l)$. Its gradient is $\sigma(l) - x$.
# 3. RMSprop divides each gradient by its own typical size.
# 4. The backward pass of a network is its forward pass in reverse order.
# 5. An autoencoder reconstructs well but invents badly, because there are holes between its codes.
#
# ## Further exercises
#
# 1. *(easy)* Replace the ten numbers of the code by two, and then by forty. What happens to the reconstructions and to the invented images?
# 2. *(medium)* Walk on a straight line from the code of a 1 to the code of a 7, decode nine points along the way, and look for the hole.
# 3. *(open)* A single normal distribution is a poor description of the codes. Fit one to the codes of each digit, and sample from these. Are the images better? How many distributions would you need before the holes are gone? What are you building there, and what does it cost?
#
# Next: [04 · Latent variables and the evidence](04_latent_variables.ipynb).
