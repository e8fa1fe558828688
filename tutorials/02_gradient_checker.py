# %% [markdown]
# # 02 · A gradient checker
#
# **The one idea: a difference quotient has two errors. A smaller step reduces one and increases the other.**
#
# In notebook 01 you measured a gradient by adding 1 to each weight. For a straight line that is exact, but real losses are curved. Here you build a checker that works for them, find the step it needs, and learn when not to trust it. At the end *your checker is graded*: it must accept ten correct gradients and reject ten wrong ones.
#
# *You need:* notebook 01, Taylor series. *Time:* 75 minutes.

# %%
import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

from numpyvae.course import check
from numpyvae.pictures import COLOURS, STYLE

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)

# %% [markdown]
# ## Two ways to measure a slope
#
# By definition $f'(x) = \lim_{h \to 0} \bigl(f(x+h) - f(x)\bigr)/h$. On a computer $h$ cannot go to zero, so we take a small one. How large is the error then? The Taylor series tells us:
#
# $$f(x + h) = f(x) + h f'(x) + \tfrac{h^2}{2} f''(x) + \tfrac{h^3}{6} f'''(x) + \dots$$
# $$f(x - h) = f(x) - h f'(x) + \tfrac{h^2}{2} f''(x) - \tfrac{h^3}{6} f'''(x) + \dots$$
#
# * The **forward difference** uses the first line: $\dfrac{f(x+h) - f(x)}{h} = f'(x) + \tfrac{h}{2} f''(x) + \dots$
# * The **central difference** subtracts the second from the first. The terms with $f(x)$ and $f''(x)$ cancel:
#
# $$\frac{f(x+h) - f(x-h)}{2h} = f'(x) + \tfrac{h^2}{6} f'''(x) + \dots$$
#
# The error that remains is called the *truncation error*, because the series was cut off. Try both on $f(x) = e^x$ at $x = 1$, where all derivatives are $e$.

# %%
h = 1e-3
forward = (np.exp(1 + h) - np.exp(1)) / h
central = (np.exp(1 + h) - np.exp(1 - h)) / (2 * h)
print(f"forward: error {forward - np.e:.3e}, Taylor predicts {h / 2 * np.e:.3e}")
print(f"central: error {central - np.e:.3e}, Taylor predicts {h**2 / 6 * np.e:.3e}")
assert np.isclose(forward - np.e, h / 2 * np.e, rtol=1e-3)
assert np.isclose(central - np.e, h**2 / 6 * np.e, rtol=1e-3)

# %% [markdown]
# The central difference is three thousand times better, for the same two evaluations. From here on we use it.

# %%
assert 2900 < (forward - np.e) / (central - np.e) < 3100

# %% [markdown]
# ## The other error: rounding
#
# Then why not take $h = 10^{-15}$? Because a computer rounds. A float64 number carries about 16 digits. A value $f$ is stored as $f \cdot (1 + \delta)$ with $|\delta| \le \varepsilon = 1.1 \cdot 10^{-16}$. So each of the two values is off by up to $\varepsilon |f|$. Their difference, although it is tiny, is off by up to $2 \varepsilon |f|$. Then it is *divided* by $2h$. Together the two errors give
#
# $$\text{error} \;\lesssim\; \underbrace{\frac{h^2}{6} |f'''|}_{\text{truncation, shrinks}} \;+\; \underbrace{\frac{\varepsilon |f|}{h}}_{\text{rounding, grows}} .$$
#
# (A third error is left out here: the points $x \pm h$ are rounded too, by up to $\varepsilon |x|$ each. That adds up to $\varepsilon |x f'| / h$. For $e^x$ at 1 it is as large as the rounding error of $f$, and at $x = 10$ it is ten times as large. It disappears if you divide by the distance of the two *rounded* points instead of $2h$.)
#
# **Predict:** for $f = e^x$ at 1, is the best step nearer to $10^{-2}$, $10^{-5}$ or $10^{-10}$? And in float32, where $\varepsilon = 6 \cdot 10^{-8}$?
#
# **On paper:** for which $h$ is the sum of the two errors smallest? Insert $e^x$ at 1.
#
# <details><summary>The answer</summary>
#
# Set the derivative with respect to $h$ to zero: $\frac{h}{3}|f'''| = \varepsilon |f| / h^2$, so $h^3 = 3 \varepsilon |f| / |f'''|$. For $e^x$ both $|f|$ and $|f'''|$ are $e$, so $h = (3\varepsilon)^{1/3}$. That is $7 \cdot 10^{-6}$ in float64 and $6 \cdot 10^{-3}$ in float32.
#
# </details>

# %%
for name, dtype in (("float64", np.float64), ("float32", np.float32)):
    eps = np.finfo(dtype).eps / 2
    tried = np.logspace(-9, 0, 1000)
    bound = tried**2 / 6 * np.e + eps * np.e / tried
    best = tried[bound.argmin()]
    print(f"{name}: eps = {eps:.1e}, best step {best:.1e}, error there about {bound.min():.0e}")
    assert np.isclose(best, {"float64": 6.9e-6, "float32": 5.6e-3}[name], rtol=0.03)

# the third error: at x = 10, with small steps, and with the distance of the rounded points
small = np.logspace(-8, -7, 200)
up, down = 10 + small, 10 - small
off = [np.abs((np.exp(up) - np.exp(down)) / d / np.exp(10) - 1) for d in (2 * small, up - down)]
assert (off[0] * small / 1.1e-16).max() > 3 > (off[1] * small / 1.1e-16).max()

# %% [markdown]
# In float64, a step near $10^{-5}$ gives ten correct digits. In float32, even the best step gives no more than four or five.
#
# > **Always check gradients in float64,** even if you train in float32.
#
# ### Exercise 1: `numerical_gradient`
#
# Write the central difference for a function of a whole array of any shape. For each entry in turn, evaluate the function with the entry increased by $h$ and decreased by $h$. Watch for two things. First, work on a float64 *copy*: an integer array cannot hold a change of $10^{-5}$, and your function must not change the caller's array. Second, restore every entry before you go on to the next.


# %%
def numerical_gradient(f, x, h=1e-5):
    """(f(x + h eᵢ) − f(x − h eᵢ)) / (2h) for every entry i of x, in an array of the shape of x.
    f returns a number; eᵢ is 1 at entry i and 0 elsewhere."""
    # BEGIN SOLUTION
    x = np.array(x, dtype=np.float64)
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        here = x[index]
        x[index] = here + h
        up = f(x)
        x[index] = here - h
        down = f(x)
        x[index] = here
        gradient[index] = (up - down) / (2 * h)
    return gradient
    # END SOLUTION


# %% [markdown]
# **The check** uses functions whose central difference is known exactly, so that even the step can be seen in the result:
#
# | function | point | exact value |
# |---|---|---|
# | $\sum_k k\, x_k^3$, with a large step | a (2, 3) array | $3 k x_k^2 + k h^2$, by the Taylor series, which ends after the third term |
# | $x_1 x_2 x_3$, with $h = 0.01$ | [2, 3, 5] | 3·5, 2·5, 2·3; an entry that is not restored would show |
# | $0.1 \sum x^3$ | an *integer* array, [2, 1] | $0.1 \cdot 3 \cdot 2^2$ and $0.1 \cdot 3 \cdot 1^2$ |

# %%
check("numerical_gradient", numerical_gradient)

# %% [markdown]
# ## The picture to remember
#
# The plot shows the error against the step, with both axes logarithmic. On the right is the truncation error. It falls with slope 2 toward smaller steps. On the left is the rounding error. It falls with slope −1 toward larger steps, and it fluctuates, as rounding errors do, mostly below its bound (which leaves out the rounding of $x \pm h$). Together they form a V. Its tip is where we computed it: near $10^{-5}$ in float64 and $6 \cdot 10^{-3}$ in float32.

# %%
steps = np.logspace(-12, 0, 97)
x = 1.0
figure, axes = plt.subplots(figsize=(8, 4))
for dtype, marker, colour in ((np.float64, "o", COLOURS[0]), (np.float32, "s", COLOURS[1])):

    def f(x, dtype=dtype):
        return float(np.exp(dtype(x)))

    usable = steps[steps > 20 * np.finfo(dtype).eps]
    errors = np.array([abs((f(x + h) - f(x - h)) / (2 * h) - np.e) for h in usable])
    eps = np.finfo(dtype).eps / 2
    axes.loglog(
        usable,
        np.maximum(errors, 1e-13),
        marker,
        color=colour,
        markersize=3,
        label=f"measured in {dtype.__name__}",
    )
    style = "--" if dtype is np.float64 else ":"
    axes.loglog(
        usable,
        usable**2 / 6 * np.e + eps * np.e / usable,
        style,
        color="black",
        label=r"$h^2 f'''/6 + \varepsilon |f|/h$, " + dtype.__name__,
    )
axes.set(
    xlabel="step h",
    ylabel="error of the derivative of $e^x$ at 1",
    title="Large step: truncation error; small step: rounding error",
)
axes.set_ylim(1e-13, 10)
axes.legend()
plt.show()
errors64 = [abs((np.exp(1 + h) - np.exp(1 - h)) / (2 * h) - np.e) for h in steps]
assert 1e-7 < steps[np.argmin(errors64)] < 1e-4

# %% [markdown]
# ## When are two gradients the same?
#
# The numerical gradient has ten correct digits, not sixteen, so it will never be *equal* to yours. How far apart may they be? A difference of 0.001 is enormous if the gradient is 0.002, and negligible if it is a million. So compare the difference with the size of the gradients:
#
# $$\text{relative error} = \frac{\max_i |a_i - b_i|}{\max\bigl(\max_i |a_i|,\ \max_i |b_i|\bigr)} .$$
#
# The largest entry is the yardstick for *all* entries. Why not divide entry by entry? Because many entries of a gradient are exactly zero, while the numerical gradient gives $10^{-12}$ there. That would be a relative error of 100%, and a false alarm. The price of this choice: a wrong entry that is a million times smaller than the largest one is not noticed. So compare each *array* of a network by itself, not all of them in one. (Two gradients that are zero everywhere agree. The formula would give 0/0, so you must handle this case separately.)
#
# ### Exercise 2: `relative_error`


# %%
def relative_error(a, b):
    """max|a − b| / max(max|a|, max|b|), a float; 0.0 if both are zero everywhere."""
    # BEGIN SOLUTION
    size = max(np.abs(a).max(), np.abs(b).max())
    if size == 0:
        return 0.0
    return float(np.abs(a - b).max() / size)
    # END SOLUTION


# %% [markdown]
# **The check** uses pairs of arrays that you can compare in your head: [2, 0, −4] with [2, 1e-9, −4.004], in both orders; two arrays of zeros; zeros with [2, −4]; a matrix with its transpose; a tiny gradient with its negative; then random ones.

# %%
check("relative_error", relative_error)

# %% [markdown]
# ## Your checker is graded
#
# A checker consists of these two functions and a threshold. We take $10^{-6}$. This is well above the error of the numerical gradient, which has ten digits. It is far below the error that any likely mistake would cause.


# %%
def agree(f, gradient, x):
    """Return whether gradient(x) passes the check."""
    return relative_error(numerical_gradient(f, x), gradient(x)) < 1e-6


rng = np.random.default_rng(0)
x43, M, C = rng.standard_normal((4, 3)), rng.standard_normal((3, 2)), rng.standard_normal((4, 2))
A = rng.standard_normal((5, 5))
v, w = rng.standard_normal(5), rng.uniform(1, 2, 7)


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


# name, point, f, its gradient, and the same gradient with a mistake
layers = [
    ("dense, W", M, lambda W: (C * (x43 @ W)).sum(), lambda W: x43.T @ C, lambda W: x43.T @ C / 4),
    ("dense, x", x43, lambda x: (C * (x @ M)).sum(), lambda x: C @ M.T, lambda x: -C @ M.T),
    ("squares", v, lambda x: (x**2).sum(), lambda x: 2 * x, lambda x: x),
    ("quadratic form", v, lambda x: x @ A @ x, lambda x: (A + A.T) @ x, lambda x: 2 * A @ x),
    (
        "tanh",
        v,
        lambda x: np.tanh(x).sum(),
        lambda x: 1 - np.tanh(x) ** 2,
        lambda x: 1 - np.tanh(x),
    ),
    (
        "sigmoid",
        v,
        lambda x: (1 / (1 + np.exp(-x))).sum(),
        lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2,
        lambda x: np.exp(-x) / (1 + np.exp(-x)),
    ),
    ("log of a sum", v, lambda x: np.log(np.exp(x).sum()), softmax, lambda x: np.exp(x)),
    (
        "logarithms",
        w,
        lambda x: np.log(x).sum(),
        lambda x: 1 / x,
        lambda x: np.append(1 / x[:-1], 1.01 / x[-1]),
    ),
    (
        "tiny gradient",
        v,
        lambda x: 1e-6 * np.sin(x).sum(),
        lambda x: 1e-6 * np.cos(x),
        lambda x: 2e-6 * np.cos(x),
    ),
    (
        "huge gradient",
        v,
        lambda x: 1e6 * (x**3).sum(),
        lambda x: 3e6 * x**2,
        lambda x: 3e6 * x**2 + 100 * (x > 0),
    ),
]
accepted = [agree(f, right, x) for _, x, f, right, _ in layers]
rejected = [not agree(f, wrong, x) for _, x, f, _, wrong in layers]
for (name, *_), took, refused in zip(layers, accepted, rejected):
    print(
        f"{name:15} correct one {'accepted' if took else 'REJECTED'}   "
        f"wrong one {'rejected' if refused else 'ACCEPTED'}"
    )
print(
    f"your checker accepted {sum(accepted)} of 10 correct gradients "
    f"and rejected {sum(rejected)} of 10 wrong ones"
)
names = [name for name, *_ in layers]
for name, took, refused in zip(names, accepted, rejected):
    assert took, f"a correct gradient was rejected: {name}; is the comparison too strict?"
    assert refused, (
        f"a wrong gradient was accepted: {name}; is the comparison relative to its size?"
    )

# %% [markdown]
# Find the mistake in each wrong one! In the eighth, one entry of seven is off by one percent. In the last, some entries are off by 100, while the gradient as a whole is on the order of a million.
#
# ## When not to trust the check: a large constant
#
# The rounding error is $\varepsilon |f| / h$. It grows with the *value* of $f$, although the gradient does not change if a constant is added to $f$.
#
# **Predict:** $f(x) = \sum \sin x_i$ plus one million, with its right gradient $\cos x_i$. Does your checker accept it?

# %%
offsets = [0.0, 1e3, 1e6]
wrongly = []
for offset in offsets:
    error = relative_error(
        numerical_gradient(lambda x, c=offset: np.sin(x).sum() + c, v), np.cos(v)
    )
    wrongly.append(error > 1e-6)
    print(f"constant {offset:9,.0f}: relative error {error:.0e}, "
          f"{'REJECTED, although it is right' if error > 1e-6 else 'accepted'}")  # fmt: skip
assert wrongly == [False, False, True]

# %% [markdown]
# A right gradient is rejected. So ten digits are what you get if $|f|$ is not much larger than $|f'|$. If your loss has a large constant in it, leave it out for the check.
#
# ## When not to trust the check: a kink
#
# The most popular function in neural networks, $\operatorname{relu}(x) = \max(x, 0)$, has a corner at 0. Away from the corner its slope is 0 or 1. But if the corner lies *between* $x - h$ and $x + h$, the difference quotient straddles it and gives a mixture of the two slopes.
#
# **Predict:** what does the central difference give exactly at $x = 0$? And at $x = h/2$?

# %%
h = 0.1
places = np.linspace(-0.3, 0.3, 601)
quotient = (np.maximum(places + h, 0) - np.maximum(places - h, 0)) / (2 * h)
figure, axes = plt.subplots(figsize=(8, 3))
axes.plot(places, places > 0, "--", color="black", label="slope of relu")
axes.plot(places, quotient, color=COLOURS[0], label="central difference, h = 0.1")
axes.axvspan(-h, h, color="0.9", label="within h of the corner")
axes.set(
    xlabel="x",
    ylabel="slope",
    title="Within one step of a kink, a difference quotient is meaningless",
)
axes.legend()
plt.show()
assert np.isclose(np.interp(0, places, quotient), 0.5)
assert np.isclose(np.interp(h / 2, places, quotient), 0.75)

# %% [markdown]
# The central difference gives one half and three quarters. The function relu has neither of these slopes anywhere. If a gradient check of a network with relu fails in a few entries, first check whether an input of a relu lies within one step of zero. A smaller step makes this less likely, but never impossible.
#
# This project has a checker too, `numpyvae.gradcheck`. It is a more complete version of yours. Its short function, `numerical_gradient`, is the same as yours:

# %%
from numpyvae import gradcheck


def bent(W):
    return (C * np.tanh(x43 @ W)).sum()


theirs = gradcheck.numerical_gradient(bent, M)
assert np.allclose(theirs, numerical_gradient(bent, M), rtol=0, atol=1e-7)

# %% [markdown]
# Its long function, `check_gradients`, tries many steps, estimates its own error, detects kinks, and describes what a wrong gradient looks like. Here it is given a gradient of $\sum x_i^2$ that is wrong *on purpose*: $x$ instead of $2x$.
# It compares slopes along a random direction $v$. In its report, `backprop . v` is the slope computed from the gradient, and `numerical . v` is the measured slope. `digits` is the number of digits in which both agree. `limit` is the number of digits required: as many as the checker trusts in its own measurement.

# %%
report = gradcheck.check_gradients(lambda p: (p["x"] ** 2).sum(), {"x": v}, lambda p: {"x": p["x"]})
print(report)
assert not report.ok

# %% [markdown]
# ## In five lines
#
# 1. The error of the central difference is $h^2 f'''/6$ (truncation) plus about $\varepsilon |f| / h$ (rounding).
# 2. In float64 the best step is near $10^{-5}$ and gives ten digits if $|f|$ is not much larger than $|f'|$; float32 is not good enough for checking.
# 3. Measure the difference relative to the largest entry, not entry by entry, and not in absolute terms.
# 4. Within one step of a kink, the difference quotient is meaningless; with a large constant in $f$, it has few digits.
# 5. A checker is itself a program: test that it accepts what is right *and* rejects what is wrong.
#
# ## Further exercises
#
# 1. *(easy)* In the picture of the V, why does the float32 curve end on the left at about $3 \cdot 10^{-6}$? What happens to $x + h$ for smaller steps?
# 2. *(medium)* Apply your checker to $f(x) = \sum x_i^2$ at $x = 0$ with the wrong gradient $g(x) = 5x$. It passes. Why? What does this say about checking at special points?
# 3. *(open)* The *complex step* $f'(x) \approx \operatorname{Im} f(x + ih) / h$ has no subtraction, so no digits cancel. You can take $h = 10^{-30}$. Derive it from Taylor's series, try it with `np.exp`, and find a function in this notebook for which it fails silently.
#
# ## Read on
#
# * A. Griewank and A. Walther, *Evaluating derivatives*, second edition, SIAM 2008.
# * W. Squire and G. Trapp, *Using complex variables to estimate derivatives of real functions*, SIAM Review 40, 1998: the complex step.
#
# Next: [03 · From layers to a network](03_network.ipynb).
