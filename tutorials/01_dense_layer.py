# %% [markdown]
# # 01 · A dense layer and its gradient
#
# **The one idea: a gradient has the same shape as the array it belongs to.**
#
# A neural network is a chain of simple functions. The simplest one that learns something is the dense layer: multiply by a matrix, add a vector. Here you write one and derive its gradient by hand, index by index. Then you convince yourself that the gradient is right by measuring it. All networks of this course are built from these few lines.
#
# *You need:* matrix products, partial derivatives, a little NumPy. *Time:* 45 minutes.

# %%
import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

from numpyvae.course import check
from numpyvae.pictures import STYLE

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)

# %% [markdown]
# ## What the layer does
#
# The layer takes $n$ numbers and returns $m$ numbers. We always feed it a *batch* of $B$ examples at once, one in each row:
#
# | name | shape | what it is |
# |---|---|---|
# | `x` | $(B, n)$ | the inputs, one example in each row |
# | `W` | $(n, m)$ | the weights |
# | `b` | $(m,)$ | the bias |
# | `y` | $(B, m)$ | the outputs, one example in each row |
#
# Output number $j$ of example $r$ (for *row*) is a weighted sum of that example's inputs, plus a bias:
#
# $$y_{rj} = \sum_{i=1}^{n} x_{ri} W_{ij} + b_j \qquad\text{or, all at once,}\qquad y = x W + b .$$
#
# We choose sizes that are all different: $B = 4$, $n = 3$, $m = 2$. This is a habit worth keeping, because with equal sizes a forgotten transpose would go unnoticed.

# %%
rng = np.random.default_rng(0)
x = rng.standard_normal((4, 3))
W = rng.standard_normal((3, 2))
b = rng.standard_normal(2)

# the formula, term by term, for the first example and the second output
y_01 = x[0, 0] * W[0, 1] + x[0, 1] * W[1, 1] + x[0, 2] * W[2, 1] + b[1]
print(f"first example, second output: {y_01:.4f}")

# %% [markdown]
# ### Exercise 1: `dense`
#
# Write the layer. One line is enough. (NumPy adds `b` to every row automatically; this is called *broadcasting*.)


# %%
def dense(x, W, b):
    """y = x W + b for a batch x (B, n), weights W (n, m) and bias b (m,); returns y (B, m)."""
    # BEGIN SOLUTION
    return x @ W + b
    # END SOLUTION


# %% [markdown]
# **The check.** The next cell calls your function with small arrays and compares:
#
# | input | exact value |
# |---|---|
# | `x` = [[1, 2, 3]], `W` = [[1, 0], [0, 1], [2, −1]], `b` = [10, 20] | by hand: 1 + 2·3 + 10 and 2 − 3 + 20 |
# | `x` = 0 | `b` in every row |
# | random arrays with all sizes from 1 to 4 | the formula above, with the sum over $i$ |
#
# If it differs, you see the smallest input that shows it, your value and the exact one, and the name of the mistake if it is a common one. In a terminal, `numpyvae course check` does the same, and `numpyvae course hint dense` gives a hint.

# %%
check("dense", dense)

# %% [markdown]
# ## The gradient: which way to change each weight
#
# Every network ends in one number, the *loss* $L$, which says how bad the answer was. To lower it, we must know how it changes with every weight. This is what the partial derivatives $\partial L / \partial W_{ij}$ tell us. There is one for each weight, so it is natural to keep them in an array of the same shape as `W`. We call it `dW`:
#
# > **`dname` is $\partial L/\partial$`name`, and it has the shape of `name`.**
#
# The layer does not know what comes after it. But suppose that we are given `dy`, which says how $L$ changes with each output of the layer. (`dy` is one name, not a product; $dy_{rj}$ is one of its entries.) From it we will compute `dW`, `db` and `dx`. Then `dx` is passed to the preceding layer, where it serves as that layer's `dy`. This passing of gradients from layer to layer is all there is to *backpropagation*.
#
# ### By index
#
# If a weight changes a little, which outputs change? $W_{ij}$ occurs in $y_{rj}$ for every example $r$, multiplied by $x_{ri}$. It occurs in no other output. The *chain rule* adds up all the paths along which a change can reach $L$:
#
# $$\frac{\partial L}{\partial W_{ij}}
#   = \sum_{r} \frac{\partial L}{\partial y_{rj}} \frac{\partial y_{rj}}{\partial W_{ij}}
#   = \sum_{r} dy_{rj}\, x_{ri} .$$
#
# **On paper:** find the other two in the same way. In which outputs does the bias $b_j$ occur, and multiplied by what? In which does the input $x_{ri}$ occur? Write down $\partial L / \partial b_j$ and $\partial L / \partial x_{ri}$ as sums before you open the answer.
#
# <details><summary>The answer</summary>
#
# The bias $b_j$ occurs in $y_{rj}$ for every $r$, multiplied by 1. The input $x_{ri}$ occurs in $y_{rj}$ for every $j$, multiplied by $W_{ij}$:
#
# $$\frac{\partial L}{\partial b_j} = \sum_r dy_{rj}, \qquad\qquad \frac{\partial L}{\partial x_{ri}} = \sum_j dy_{rj}\, W_{ij} .$$
#
# </details>

# %% [markdown]
# ### As matrices
#
# The three sums need no loops. A matrix product is a sum, too: entry $(i, j)$ of a product is row $i$ of the first matrix times column $j$ of the second.
#
# **Predict:** with `x` of shape (4, 3), `dy` of shape (4, 2) and `W` of shape (3, 2), which of these four products exist at all, and which of those has the shape of `W`?
#
# `x @ dy` · `x.T @ dy` · `dy.T @ x` · `dy @ x.T`
#
# <details><summary>The answer</summary>
#
# `x @ dy` and `dy @ x.T` do not exist: (4, 3) times (4, 2), and (4, 2) times (3, 4). `dy.T @ x` has the shape (2, 3), that of `W` transposed. Only `x.T @ dy` has the shape (3, 2). So it is the only one that can be `dW`, and it is: its entry $(i, j)$ is $\sum_r x_{ri}\, dy_{rj}$.
#
# </details>
#
# When you have forgotten the formula, *look at the shapes*. (They cannot reveal a wrong factor or a wrong sign. To find those we measure, below.)

# %% [markdown]
# ### Exercise 2: `dense_backward`
#
# Write the three sums without loops: two matrix products and one sum over the rows. Return three arrays, in this order: `dx` of shape $(B, n)$, `dW` of shape
# $(n, m)$ and `db` of shape $(m,)$.


# %%
def dense_backward(x, W, dy):
    """Return dx (B, n), dW (n, m) and db (m,) of y = x W + b, given dy = ∂L/∂y (B, m)."""
    # BEGIN SOLUTION
    dW = x.T @ dy
    db = dy.sum(axis=0)
    dx = dy @ W.T
    return dx, dW, db
    # END SOLUTION


# %% [markdown]
# **The check** compares with the three sums, for random arrays of many sizes.

# %%
check("dense_backward", dense_backward)

# %% [markdown]
# But how could you know that it is right *without* somebody who knows the answer? **Measure.** Take the loss $L = \sum_{rj} dy_{rj}\, y_{rj}$. Its derivative with respect to $y$ is exactly the `dy` that we chose. Now increase one weight by 1, leave everything else as it is, and see how much $L$ changes. As a function of any single weight, bias or input, $y$ is a straight line. So this change *is* the partial derivative, and no step is too large. (This is different for curved functions, which are the subject of notebook 02.)


# %%
dy = rng.standard_normal((4, 2))
assert np.isclose(dense(x, W, b)[0, 1], y_01)


def measured(name):
    """∂L/∂name, the change in L = Σ dy · y when one entry of x, W or b at a time grows by 1."""
    arrays = {"x": x.copy(), "W": W.copy(), "b": b.copy()}
    before = (dy * dense(**arrays)).sum()
    change = np.zeros_like(arrays[name])
    for index in np.ndindex(change.shape):
        arrays[name][index] += 1.0
        change[index] = (dy * dense(**arrays)).sum() - before
        arrays[name][index] -= 1.0
    return change


for name, yours in zip(("x", "W", "b"), dense_backward(x, W, dy)):
    difference = np.abs(yours - measured(name)).max()
    print(f"d{name}: largest difference from the measurement {difference:.0e}")
    assert difference < 1e-12

# %% [markdown]
# ## The picture to remember
#
# For a single example, the two outputs have $2 \times 6$ derivatives $\partial y_j / \partial W_{ik}$ with respect to the six weights. The table of these derivatives is called the *Jacobian*. On the left it is measured. On the right it comes from your `dense_backward`: calling it with `dy` = [[1, 0]] gives the first row, and calling it with `dy` = [[0, 1]] gives the second. The darker a cell, the larger the derivative in absolute value.
#
# **Predict:** how many of the twelve derivatives are zero?

# %%
one = np.array([[0.5, -1.0, 2.0]])
true = np.empty((2, 6))
for column, (i, k) in enumerate(np.ndindex(3, 2)):
    pushed = W.copy()
    pushed[i, k] += 1.0
    true[:, column] = (dense(one, pushed, b) - dense(one, W, b))[0]
by_backward = np.stack([dense_backward(one, W, unit[None, :])[1].ravel() for unit in np.eye(2)])

figure, panels = plt.subplots(1, 2, figsize=(9, 2.6))
for axes, table, title in zip(panels, (true, by_backward), ("measured", "from dense_backward")):
    axes.imshow(np.abs(table), cmap="Greys", vmin=0, vmax=4)
    for (row, column), value in np.ndenumerate(table):
        axes.text(column, row, f"{value:.1f}" if value else "0", ha="center", va="center")
    axes.set_title(title)
    axes.set_xlabel("weight")
    axes.set_xticks(range(6), [f"$W_{{{i + 1}{k + 1}}}$" for i, k in np.ndindex(3, 2)])
    axes.set_yticks(range(2), ["$y_1$", "$y_2$"])
panels[0].set_ylabel("output")
plt.show()
assert np.allclose(true, by_backward)
assert (by_backward == 0).sum() == 6
assert np.allclose(by_backward[0, ::2], one) and np.allclose(by_backward[1, 1::2], one)

# %% [markdown]
# Half of them. Each output depends only on its own column of weights. Its derivatives with respect to these are the inputs $x_1, x_2, x_3$, which you see twice. For 4 examples, 784 inputs and 256 outputs this table would have $4 \cdot 256$ rows and $784 \cdot 256$ columns. It would hold 206 million numbers, all but 0.4% of them zero. It is never built. `x.T @ dy` is the sum over its rows, weighted by `dy`, without the zeros.

# %%
assert 4 * 256 * 784 * 256 == 205_520_896
assert round(100 * (4 * 256 * 784) / 205_520_896, 1) == 0.4  # y_rj depends on 784 weights
weighted = (by_backward * dy[0][:, None]).sum(axis=0).reshape(3, 2)
assert np.allclose(weighted, dense_backward(one, W, dy[:1])[1])

# %% [markdown]
# ## In five lines
#
# 1. A dense layer is $y = xW + b$, with one example in each row.
# 2. `dname` is $\partial L / \partial$`name` and has the shape of `name`.
# 3. `dW = x.T @ dy`, `db = dy.sum(axis=0)`, `dx = dy @ W.T`; the shapes leave almost no choice.
# 4. To go backward, a layer needs only its input, its weights and `dy`; its `dx` is the `dy` of the preceding layer.
# 5. Trust a gradient once you have measured it, entry by entry.
#
# ## Further exercises
#
# 1. *(easy)* Take two layers with nothing in between, $y = (xW_1 + b_1) W_2 + b_2$. Write their backward pass with two calls of `dense_backward`, and measure it. Which single layer does the same as these two?
# 2. *(medium)* A loss often has a penalty $\tfrac{\lambda}{2} \sum_{ij} W_{ij}^2$ that keeps weights small. What must be added to `dW`? Measure it. With a step of 1 the measurement is no longer exact. But take one step of $+1$ and one of $-1$: half the difference between the two losses is exact. Why?
# 3. *(open)* In numpyvae a layer never stores its input. Instead, `backward` *receives* `x` as an argument
#    (`Dense` in `layers.py`). Many implementations write `self.x = x` in the forward pass. Find a sequence of calls in which
#    the stored input gives a wrong gradient without any error message.
#
# ## Read on
#
# * I. Goodfellow, Y. Bengio and A. Courville, *Deep learning*, MIT Press 2016, section 6.5: back-propagation.
# * D. Rumelhart, G. Hinton and R. Williams, *Learning representations by back-propagating errors*, Nature 323, 1986.
#
# Next: [02 · A gradient checker](02_gradient_checker.ipynb), for curved functions.
