# %% [markdown]
# # 03 · From layers to a network
#
# **The one idea: the forward pass is a chain of functions, and the backward pass follows the same chain in reverse.**
#
# Here we add four parts to the dense layer: relu, sigmoid, a loss for pixels, and an optimizer. Together they make an *autoencoder*, which learns to compress an image of 784 pixels into ten numbers and to reconstruct the image from them. It works rather well. Then we ask it to *invent* an image, and often it fails. That failure is the reason why variational autoencoders exist.
#
# The notebook has two halves: the four parts, and the autoencoder. There is a good place for a break in between.
#
# *You need:* notebooks 01 and 02. *Time:* 130 minutes. *Runs in:* 35 seconds.

# %%
import timeit

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.course import check, functions
from numpyvae.gradcheck import check_gradients
from numpyvae.pictures import COLOURS, STYLE, tile

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)
mine = functions("01_dense_layer")
dense, dense_backward = mine.dense, mine.dense_backward
print("dense, dense_backward:", mine.origin)

one = np.ones((100, 784), np.float32), np.ones((784, 256), np.float32), np.ones(256, np.float32)
times = [timeit.timeit(lambda f=f: f(*one), number=20) for f in (dense, lambda x, W, b: x @ W + b)]
if times[0] > 5 * times[1]:
    print("Your dense is right but slow. Use x @ W: the training below would take many minutes.")
if dense(*one).dtype != np.float32:
    print("Your dense makes float64 of float32. The training below will take twice as long.")

# %% [markdown]
# # First half: four parts
#
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
# The result is in fact right, but NumPy warns of an *overflow* on the way, and a formula that produces infinities is an accident waiting to happen. There is an equivalent form without them. It uses the hyperbolic tangent. NumPy's `np.tanh` never overflows (its formula, typed as it stands, would):
#
# $$\tanh(a) = \frac{e^{a} - e^{-a}}{e^{a} + e^{-a}} .$$
#
# **On paper:** multiply numerator and denominator of $\sigma(l)$ by $e^{l/2}$, and find the hyperbolic tangent in the result. Then write it down in NumPy.
#
# <details><summary>A hint</summary>
#
# $\sigma(l) = \dfrac{e^{l/2}}{e^{l/2} + e^{-l/2}}$. Write the numerator as half the sum of $e^{l/2}$ and $e^{-l/2}$ plus half their difference.
#
# </details>
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
# At $l = -1000$ the computer rounds $p$ to 0, and $\log 0 = -\infty$. So never take the logarithm of a rounded sigmoid. Substitute $p = \sigma(l)$ into the formula first.
#
# **On paper**, with $\operatorname{softplus}(l) = \log(1 + e^l)$:
#
# 1. Write $\log p$ and $\log(1 - p)$ with softplus, and show that the cost of one pixel is $\operatorname{softplus}(l) - x\,l$.
# 2. For large $l$, $e^l$ overflows. Factor $e^l$ out of the logarithm, and find *one* formula for softplus in which only $e^{-|l|}$ occurs.
# 3. Differentiate $\operatorname{softplus}(l) - x\,l$ with respect to $l$.
#
# <details><summary>The answers</summary>
#
# 1. $\log(1-p) = \log \frac{1}{1 + e^{l}} = -\operatorname{softplus}(l)$ and $\log p = \log \frac{e^l}{1 + e^l} = l - \operatorname{softplus}(l)$. So the cost is $-x\,(l - \operatorname{softplus}(l)) + (1-x) \operatorname{softplus}(l) = \operatorname{softplus}(l) - x\, l$.
# 2. For $l > 0$, $\log(1 + e^l) = l + \log(1 + e^{-l})$. Both cases together: $\operatorname{softplus}(l) = \max(l, 0) + \log(1 + e^{-|l|})$.
# 3. The derivative of $\log(1 + e^l)$ is $e^l/(1 + e^l) = \sigma(l)$. So $\partial\,\text{CE}/\partial l = \sigma(l) - x$: prediction minus truth.
#
# </details>
#
# A pixel that is completely wrong gets the full gradient. (With the squared error $(\sigma(l) - x)^2$ there would be an extra factor $2 \sigma'(l) = 2 \sigma(l) (1 - \sigma(l))$. Then a pixel with a confident but wrong prediction would hardly change at all.)
#
# ### Exercise 3: `cross_entropy` and `cross_entropy_backward`
#
# Sum over the pixels of each image, so that a batch gives $B$ numbers. `np.log1p(a)` is $\log(1 + a)$. The backward function treats each image separately: do not divide by $B$.


# %%
def cross_entropy(logits, x):
    """−log p(x) of each image, in nats, with p = σ(logits): (B, X) → (B,), always finite."""
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
# The gradient points uphill. Plain gradient descent takes a step downhill, $\theta \leftarrow \theta - \eta\, d\theta$, with the same *learning rate* $\eta$ for all weights. But a pixel near the border is nearly always paper. Its weights have gradients more than a hundred times smaller than those of a pixel in the middle (we measure this below). RMSprop gives every weight its own scale: it keeps a running mean $s$ of the squared gradient and divides the gradient by the square root of $s$.
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
# # Second half: an autoencoder
#
# Now we put the chain together. The *encoder* turns an image into ten numbers, the *code*. The *decoder* turns a code into 784 logits:
#
# `x` → dense, relu → `h` → dense → `code` → dense, relu → `g` → dense → `logits` → cross-entropy with `x` itself.
#
# The weights are in a dictionary `theta`, named after the output of their layer: `W_h`, `b_h`, `W_code`, …


# %%
def autoencoder(theta, x):
    """Return all arrays of a forward pass, by name; the backward pass needs them."""
    h = relu(dense(x, theta["W_h"], theta["b_h"]))
    code = dense(h, theta["W_code"], theta["b_code"])
    g = relu(dense(code, theta["W_g"], theta["b_g"]))
    logits = dense(g, theta["W_out"], theta["b_out"])
    return {"h": h, "code": code, "g": g, "logits": logits}


# %% [markdown]
# ### Exercise 5: `autoencoder_backward`
#
# The backward pass is the same chain, read from right to left. Begin with `dlogits`. The loss is the *mean* over the $B$ images, so this is the one place where you divide by $B$. Every dense layer turns the gradient of its output into three: that of its input, which you pass on, that of its `W`, and that of its `b`.


# %%
def autoencoder_backward(theta, x, t):
    """The gradient of the mean loss over the batch x, a dictionary with the names of theta;
    t is what autoencoder(theta, x) returned."""
    # BEGIN SOLUTION
    d = {}
    dlogits = cross_entropy_backward(t["logits"], x) / len(x)
    dg, d["W_out"], d["b_out"] = dense_backward(t["g"], theta["W_out"], dlogits)
    dcode, d["W_g"], d["b_g"] = dense_backward(t["code"], theta["W_g"], relu_backward(dg, t["g"]))
    dh, d["W_code"], d["b_code"] = dense_backward(t["h"], theta["W_code"], dcode)
    _, d["W_h"], d["b_h"] = dense_backward(x, theta["W_h"], relu_backward(dh, t["h"]))
    return d
    # END SOLUTION


# %% [markdown]
# **The check** compares every gradient for random weights and all sizes, from the last layer to the first. Below it, the gradient checker measures the same without knowing our answer.

# %%
check("autoencoder_backward", autoencoder_backward)


# %%
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
# (The weights are random, and not zero. Why? You will see in a moment.)
#
# Before any training, we ask two questions that need no training. Is the gradient right? And if all weights are zero, does the loss have the value that it must have?

# %%
rng = np.random.default_rng(0)
tiny = initialize(pixels=7, hidden=5, code=3, rng=rng, dtype=np.float64)
x = rng.random((4, 7))
report = check_gradients(
    lambda theta: cross_entropy(autoencoder(theta, x)["logits"], x).mean(),
    tiny,
    lambda theta: autoencoder_backward(theta, x, autoencoder(theta, x)),
)
print(report)
report.raise_if_failed()

# %% [markdown]
# (The checker first tries the complex step, a method even more accurate than differences. If your `cross_entropy` uses `np.abs`, it detects that the complex step fails there. See the exercises of notebook 02.)

# %%
(x_train, _), (x_test, y_test) = numpyvae.load_mnist()
x_test = (x_test[:2000] / 255).astype(np.float32)
nothing = {name: 0 * W for name, W in initialize(784, 256, 10, rng).items()}
zero_loss = cross_entropy(autoencoder(nothing, x_test)["logits"], x_test).mean()
print(f"all weights zero: {zero_loss:.2f} nats per image; 784 ln 2 = {784 * np.log(2):.2f}")
assert np.isclose(zero_loss, 784 * np.log(2), rtol=1e-5)

# %% [markdown]
# **Predict:** with all weights and biases zero, which of the eight gradients are zero?

# %%
flat = autoencoder_backward(nothing, x_test, autoencoder(nothing, x_test))
print("not zero:", [name for name, gradient in flat.items() if gradient.any()])
assert [name for name, gradient in flat.items() if gradient.any()] == ["b_out"]

# %% [markdown]
# Only that of the last bias. Every other gradient is a product with an array that is zero: with `g` = 0 for `W_out`, with `W_out` = 0 for everything before. Gradient descent from there would learn one picture for all images. That is why weights start at random. Their size is chosen so that neither the arrays nor the gradients grow or shrink from layer to layer (Glorot & Bengio 2010).

# %% [markdown]
# ## Which optimizer?
#
# First a race, with 10,000 digits and six epochs: RMSprop with its usual learning rate, plain gradient descent with two rates, and gradient descent with *momentum*, which steps along a running sum of past gradients that fades by a tenth in each step. (An *epoch* is one pass over all images, in random order and in batches of 100.)
#
# **Predict:** will RMSprop win?


# %%
def train(step, count, epochs, code=10):
    """The weights, and the loss of the test images after each epoch."""
    theta = initialize(784, 256, code, np.random.default_rng(1))
    s = {name: np.zeros_like(W) for name, W in theta.items()}
    images, rng, losses = (x_train[:count] / 255).astype(np.float32), np.random.default_rng(2), []
    for _ in range(epochs):
        for rows in rng.permutation(count).reshape(-1, 100):
            grad = autoencoder_backward(theta, images[rows], autoencoder(theta, images[rows]))
            for name in theta:
                theta[name], s[name] = step(theta[name], grad[name], s[name])
        losses.append(cross_entropy(autoencoder(theta, x_test)["logits"], x_test).mean())
    return theta, losses


def descent(lr, momentum=0.0):
    """A step of plain gradient descent, or with momentum; s is the running sum of gradients."""

    def step(theta, grad, s):
        s = momentum * s + grad
        return theta - lr * s, s

    return step


race = {
    "RMSprop, 0.001": rmsprop_step,
    "descent, 0.01": descent(0.01),
    "descent, 0.03": descent(0.03),
    "momentum, 0.003": descent(0.003, 0.9),
}
figure, axes = plt.subplots(figsize=(7, 3.4))
last = {}
for (name, step), marker in zip(race.items(), "os^D"):
    _, losses = train(step, 10_000, 6)
    last[name] = losses[-1]
    axes.plot(range(1, 7), losses, marker + "-", markersize=5, label=name)
    print(f"{name:16} {losses[-1]:6.1f} nats per test image")
axes.set(xlabel="epoch", ylabel="nats per test image", ylim=(90, 260))
axes.legend(fontsize=9)
plt.show()
assert last["momentum, 0.003"] < last["RMSprop, 0.001"] - 2
assert last["RMSprop, 0.001"] < last["descent, 0.01"] - 4
assert last["descent, 0.03"] > 200

# %% [markdown]
# RMSprop does not win: momentum with a well chosen rate is better here. But look at plain descent. With the rate 0.01 it is slow, and with three times as much it ruins the network, whose loss stays above 200. RMSprop works with its usual rate because a step has the same size however large the gradient is. That is what it is for: *no tuning*. Adam, the most common optimizer today, combines both ideas.
#
# So we use RMSprop, for twenty epochs on 20,000 digits:

# %%
theta, losses = train(rmsprop_step, 20_000, 20)
for epoch in (1, 4, 8, 12, 16, 20):
    print(f"epoch {epoch:2}: {losses[epoch - 1]:6.2f} nats per test image")
assert losses[-1] < 95

x = (x_train[:1000] / 255).astype(np.float32)
grad = autoencoder_backward(theta, x, autoencoder(theta, x))["W_out"]
sizes = np.sqrt((grad**2).mean(axis=0)).reshape(28, 28)
middle, border = sizes[10:18, 10:18].mean(), sizes[:2].mean()
print(f"typical gradient of an output weight: middle {middle:.0e}, top two rows {border:.0e}")
assert middle > 100 * border

# %% [markdown]
# ## The picture to remember
#
# Top: eight test images. Middle: the same images, each encoded into ten numbers and decoded again. Bottom: *random* codes, decoded. They are drawn from the normal distribution that has the same mean and covariance as the codes of real images.
#
# **Predict before you look:** what will the bottom row show?

# %%
t = autoencoder(theta, x_test)
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
# Most of the middle row is legible. In the bottom row, some could pass for digits; others are blots that no hand would write. Where do the random codes lie? We measure the distance from a code to the nearest code of a real image, in units of the standard deviation of the codes. If the real codes were themselves normally distributed, it would be the same for random codes and for real ones.

# %%
scale = codes.std(axis=0)


def distance_to_nearest(points, others):
    """The distance from each point to the nearest one among the others, in standard deviations."""
    a, b = points / scale, others / scale
    squares = (a**2).sum(axis=1)[:, None] - 2 * a @ b.T + (b**2).sum(axis=1)
    return np.sqrt(np.maximum(squares, 0).min(axis=1))


half = codes[:1000], codes[1000:]
of_real = distance_to_nearest(half[0], half[1])
of_random = distance_to_nearest(random_codes[:1000], half[1])
real, random = np.median(of_real), np.median(of_random)
lonely = (of_random > np.quantile(of_real, 0.95)).mean()
print(f"farther from a real code than 95% of the real ones: {lonely:.0%} of the random codes")
assert lonely > 0.15
print(f"median distance to the nearest real code: real {real:.2f}, random {random:.2f}")
assert random > 1.25 * real

# Encode the decoded images again: how close is the new code to the old one?
real_back = autoencoder(theta, sigmoid(t["logits"]))["code"]
random_back = autoencoder(theta, invented)["code"]
real_change = np.sqrt((((real_back - codes) / scale) ** 2).mean())
random_change = np.sqrt((((random_back - random_codes) / scale) ** 2).mean())
print(
    f"change of a code decoded and re-encoded: real {real_change:.2f}, random {random_change:.2f}"
)
assert random_change > 1.5 * real_change

# %% [markdown]
# To *see* the holes, train once more with a code of two numbers, for a few epochs. Each dot is the code of a test image.

# %%
small, _ = train(rmsprop_step, 20_000, 6, code=2)
plane = autoencoder(small, x_test)["code"]
figure, axes = plt.subplots(figsize=(6, 4.6))
for digit in range(10):
    axes.scatter(*plane[y_test[:2000] == digit].T, s=6, color=COLOURS[digit], linewidths=0)
    middle = np.median(plane[y_test[:2000] == digit], axis=0)
    axes.text(*middle, digit, weight="bold", ha="center", va="center",
              bbox={"boxstyle": "circle,pad=0.15", "fc": "w"})  # fmt: skip
axes.set(xlabel="first number of the code", ylabel="second number",
         title="Codes of 2,000 test images, by digit")  # fmt: skip
plt.show()
scale = plane.std(axis=0)
print(f"standard deviations {scale[0]:.1f} and {scale[1]:.1f}; "
      f"farthest code at a distance of {np.linalg.norm(plane, axis=1).max():.0f}")  # fmt: skip

# %% [markdown]
# The codes are crowded near the middle and thin far out, the ones have land of their own, and there is empty land in between. Nobody told the network to fill the plane evenly. Which code would you draw at random here, and from which distribution?
#
# Why? Nothing in the loss says *where* the codes should lie. The network is free to place each digit anywhere. The regions in between are **holes**, on which the decoder has never been trained. A random code falls into a hole several times as often as a real one.
#
# This gives us two goals, which are the subject of the next notebooks:
#
# * the codes of all images together should fill a distribution that we know and can sample from, and
# * every code should stand for a small *region*, not a point, so that there are no holes.
#
# To reach them, we will stop thinking about compression and start thinking about probability.

# %% [markdown]
# ## In five lines
#
# 1. relu passes the gradient through where its output is positive; the sigmoid turns logits into probabilities.
# 2. The cross-entropy, computed from logits, is $\sum (\operatorname{softplus}(l) - x\,l)$. Its gradient is $\sigma(l) - x$.
# 3. RMSprop divides each gradient by its own typical size, so it needs little tuning.
# 4. The backward pass of a network is its forward pass in reverse order.
# 5. An autoencoder reconstructs well but invents badly, because there are holes between its codes.
#
# ## Further exercises
#
# 1. *(easy)* Replace the ten numbers of the code by two, and then by forty. What happens to the reconstructions and to the invented images?
# 2. *(medium)* Walk on a straight line from the code of a 1 to the code of a 7, decode nine points along the way, and look for the hole.
# 3. *(open)* A single normal distribution is a poor description of the codes. Fit one to the codes of each digit, and sample from these. Are the images better? How many distributions would you need before the holes are gone? What are you building there, and what does it cost?
#
# ## Read on
#
# * G. Hinton and R. Salakhutdinov, *Reducing the dimensionality of data with neural networks*, Science 313, 2006: autoencoders.
# * X. Glorot and Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks*, AISTATS 2010.
# * T. Tieleman and G. Hinton, *Lecture 6.5: RMSprop*, Neural networks for machine learning, Coursera 2012. D. Kingma and J. Ba, *Adam: a method for stochastic optimization*, ICLR 2015.
#
# Next: [04 · Latent variables and the evidence](04_latent_variables.ipynb).
