# %% [markdown]
# # 06 · Reparameterization
#
# **The one idea: move the randomness out of the way, and a gradient passes through a random draw.**
#
# The ELBO of notebook 05 is a mean over draws $z$ from $q = \mathcal N(\mu, \sigma^2)$, and we want to change $\mu$ and $\sigma$ so that it
# increases. But how do we differentiate with respect to the parameters of a *random draw*? There are two answers. You will write both, show by experiment that both are right,
# and see why the second is the standard one.
#
# *You need:* notebook 05, the standard error of a mean. *Time:* 60 minutes.

# %%
import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

from numpyvae.course import check
from numpyvae.pictures import COLOURS, STYLE

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)

# %% [markdown]
# ## A problem with a known answer
#
# Let $f(z) = z^2 + \sin z$, and let $z$ be drawn from $\mathcal N(\mu, \sigma^2)$. We want the gradient of the mean $\mathbb E[f(z)]$ with respect to $\mu$ and
# $\texttt{logvar} = \log \sigma^2$. Here the mean can be computed by hand. First, $\mathbb E[z^2] = \mu^2 + \sigma^2$. Second, $\mathbb E[\sin z] = e^{-\sigma^2/2} \sin\mu$, which you may take on trust: the next cell tests it with a million draws. (It is the imaginary part of $\mathbb E[e^{iz}] = e^{i\mu - \sigma^2/2}$.) So
#
# $$\mathbb E[f] = \mu^2 + \sigma^2 + e^{-\sigma^2/2} \sin \mu .$$
#
# Since $\sigma^2 = e^{\texttt{logvar}}$, we have $\partial \sigma^2 / \partial\, \texttt{logvar} = \sigma^2$. So the derivatives are
#
# $$\frac{\partial}{\partial \mu} = 2 \mu + e^{-\sigma^2/2} \cos\mu, \qquad
#   \frac{\partial}{\partial\, \texttt{logvar}} = \sigma^2 \Bigl( 1 - \tfrac12 e^{-\sigma^2/2} \sin\mu \Bigr) .$$


# %%
def f(z):
    return z**2 + np.sin(z)


def f_slope(z):
    return 2 * z + np.cos(z)


def mean_f(mu, logvar):
    return mu**2 + np.exp(logvar) + np.exp(-np.exp(logvar) / 2) * np.sin(mu)


MU, LOGVAR = 0.7, 0.4
variance = np.exp(LOGVAR)
exact = np.array(
    [
        2 * MU + np.exp(-variance / 2) * np.cos(MU),
        variance * (1 - 0.5 * np.exp(-variance / 2) * np.sin(MU)),
    ]
)
h = 1e-5
assert np.isclose(
    exact[0], (mean_f(MU + h, LOGVAR) - mean_f(MU - h, LOGVAR)) / (2 * h), rtol=0, atol=1e-9
)
assert np.isclose(
    exact[1], (mean_f(MU, LOGVAR + h) - mean_f(MU, LOGVAR - h)) / (2 * h), rtol=0, atol=1e-9
)
draws = MU + np.exp(LOGVAR / 2) * np.random.default_rng(0).standard_normal(1_000_000)
assert abs(f(draws).mean() - mean_f(MU, LOGVAR)) < 4 * f(draws).std() / 1000
print("exact gradient:", exact.round(4))

# %% [markdown]
# ## The first answer: weight the draws
#
# The parameters appear in the *density*: $\mathbb E[f] = \int f(z)\, q(z)\, dz$. Differentiate under the integral sign and use $\partial q = q\, \partial \log q$. The result is again a
# mean over draws:
#
# $$\frac{\partial}{\partial\mu} \int f\, q\, dz = \int f\, \frac{\partial \log q}{\partial \mu}\, q\, dz = \mathbb E \Bigl[ f(z)\, \frac{\partial \log q(z)}{\partial \mu} \Bigr] .$$
#
# This is called the **score-function estimator** (or REINFORCE).
#
# **On paper:** for $\log q = -\tfrac12 \log 2\pi - \tfrac12 \texttt{logvar} - (z - \mu)^2 / 2\sigma^2$ with $\sigma^2 = e^{\texttt{logvar}}$, find the derivatives with respect to $\mu$ and $\texttt{logvar}$.
#
# <details><summary>The answer</summary>
#
# $$\frac{\partial \log q}{\partial \mu} = \frac{z - \mu}{\sigma^2}, \qquad \frac{\partial \log q}{\partial\, \texttt{logvar}} = \frac12 \Bigl( \frac{(z - \mu)^2}{\sigma^2} - 1 \Bigr) .$$
#
# </details>
#
# It uses only *values* of $f$, never its slope. In words: "draws above the mean had a high $f$, so move the mean up".
#
# ### Exercise 1: `score_gradient`
#
# Return one estimate for each draw, not the mean over the draws. We want to see how the estimates scatter.


# %%
def score_gradient(f_values, z, mu, logvar):
    """f ∂log q/∂mu and f ∂log q/∂logvar at each draw, (N,) each; f_values and z are (N,),
    mu and logvar are numbers."""
    # BEGIN SOLUTION
    variance = np.exp(logvar)
    dmu = f_values * (z - mu) / variance
    dlogvar = f_values * 0.5 * ((z - mu) ** 2 / variance - 1)
    return dmu, dlogvar
    # END SOLUTION


# %% [markdown]
# **The check:** two draws by hand, with $\mu = 1$, $\sigma^2 = 9$, $z$ = [4, 1] and $f$ = [18, 10]. Then random draws.

# %%
check("score_gradient", score_gradient)

# %% [markdown]
# ## The second answer: push the draws
#
# Write the draw as $z = \mu + \sigma\epsilon$ with $\epsilon$ from $\mathcal N(0, 1)$. All the randomness is now in $\epsilon$, which does not depend on the parameters.
# Once $\epsilon$ is drawn, $z$ is an ordinary function of $\mu$ and $\texttt{logvar}$, and the chain rule applies.
#
# **On paper:** find $\partial z / \partial \mu$ and $\partial z / \partial\, \texttt{logvar}$; remember that $\sigma = e^{\texttt{logvar}/2}$.
#
# <details><summary>The answer</summary>
#
# $$\frac{\partial z}{\partial \mu} = 1, \qquad \frac{\partial z}{\partial\, \texttt{logvar}} = \frac{\partial \sigma}{\partial\, \texttt{logvar}}\, \epsilon = \tfrac12 \sigma\, \epsilon .$$
#
# </details>
#
# The density of $\epsilon$ does not depend on $\mu$ or $\sigma$, so we may differentiate inside the mean:
# $\dfrac{\partial}{\partial\mu} \mathbb E[f(\mu + \sigma\epsilon)] = \mathbb E[f'(z)]$, and with respect to $\texttt{logvar}$ there is the factor that you have just found. This
# is the **reparameterization** of Kingma & Welling (2014), and the reason why a VAE can be trained by backpropagation. In the network, $f'(z)$ is the `dz` that comes back from the decoder.
#
# ### Exercise 2: `reparameterize` and `reparameterize_backward`
#
# Return new arrays. Note that the noise is an *argument*. The backward pass must use exactly the same `eps` as the forward pass. With a new one, it would compute the gradient for a different draw.


# %%
def reparameterize(mu, logvar, eps):
    """z = mu + σ eps with σ = exp(logvar / 2); all (B, Z)."""
    # BEGIN SOLUTION
    return mu + np.exp(logvar / 2) * eps
    # END SOLUTION


def reparameterize_backward(dz, logvar, eps):
    """Gradients dmu and dlogvar, (B, Z) each, from dz = ∂L/∂z and the eps of the forward pass."""
    # BEGIN SOLUTION
    dmu = dz
    dlogvar = dz * 0.5 * np.exp(logvar / 2) * eps
    return dmu, dlogvar
    # END SOLUTION


# %% [markdown]
# **The check:** with `logvar` = ±2, σ is e and 1/e, so all values can be computed by hand. Then come random arrays of many sizes.

# %%
check("reparameterize", reparameterize)
check("reparameterize_backward", reparameterize_backward)

# %% [markdown]
# ## Are they right? A test that can fail
#
# Both estimates are random, so neither will *equal* the exact gradient. But the mean of $N$ independent estimates scatters with a known width, the standard error
# $\text{s.d.}/\sqrt N$. If the mean is more than four standard errors away from the exact gradient, something is wrong (by chance, this happens once in 16,000 times).

# %%
rng = np.random.default_rng(1)
N = 100_000
eps = rng.standard_normal(N)
z = MU + np.exp(LOGVAR / 2) * eps
score = np.stack(score_gradient(f(z), z, MU, LOGVAR))
dmu, dlogvar = reparameterize_backward(f_slope(z)[:, None], np.full((N, 1), LOGVAR), eps[:, None])
push = np.stack([dmu[:, 0], dlogvar[:, 0]])

for name, estimates in (("score function", score), ("reparameterized", push)):
    for k, parameter in enumerate(("mu", "logvar")):
        mean, error = estimates[k].mean(), estimates[k].std() / N**0.5
        sigmas = abs(mean - exact[k]) / error
        print(
            f"{name:16} d/d{parameter:7} exact {exact[k]:.4f}   mean of the draws {mean:.4f} "
            f"± {error:.4f}   ({sigmas:.1f} standard errors away)"
        )
        assert sigmas < 4, f"{name}: the mean is too far from the exact gradient"

# %% [markdown]
# Can the test really fail? Leave out the factor ½ in `dlogvar`:

# %%
wrong = 2 * push[1]
sigmas = abs(wrong.mean() - exact[1]) / (wrong.std() / N**0.5)
print(f"without the ½: {sigmas:.0f} standard errors away")
assert sigmas > 50

# %% [markdown]
# ## The picture to remember
#
# Both estimators are right on average. But a VAE uses *one* draw for each image and step, so the important question is how far off a single estimate may be.
#
# **Predict before you look:** suppose that we add the constant 10 to $f$. The exact gradient does not change, and neither does the mean of the score-function estimates, because $\mathbb E[\partial \log q] = \partial \int q\, dz = \partial\, 1 = 0$. What happens to the spread of each estimator?

# %%
constants = np.array([0.0, 10.0, 30.0, 100.0, 150.0])
assert abs(score_gradient(1.0, z, MU, LOGVAR)[0].mean()) < 4 / N**0.5 / np.exp(LOGVAR / 2)  # 0
spread_score = [score_gradient(f(z) + constant, z, MU, LOGVAR)[0].std() for constant in constants]
spread_push = [push[0].std() for constant in constants]  # f' does not depend on a constant
figure, panels = plt.subplots(1, 2, figsize=(9.5, 3.6))
bins = np.linspace(0, 3.5, 50)
hundreds = [estimates[0].reshape(-1, 100).mean(axis=1) for estimates in (score, push)]
panels[0].hist(
    hundreds[0], bins, density=True, histtype="step", color=COLOURS[4], label="score function"
)
panels[0].hist(
    hundreds[1], bins, density=True, color=COLOURS[0], alpha=0.6, label="reparameterized"
)
panels[0].axvline(exact[0], color="black", linestyle="--", label="exact gradient")
panels[0].set(
    xlabel=r"estimate of $\partial/\partial\mu$ from 100 draws",
    ylabel="density",
    title="1,000 estimates, 100 draws each",
)
panels[0].legend()
panels[1].plot(constants, spread_score, "s-", color=COLOURS[4], label="score function")
panels[1].plot(constants, spread_push, "o--", color=COLOURS[0], label="reparameterized")
panels[1].set(
    xlabel="constant added to f",
    ylabel="standard deviation of one estimate",
    title="Same exact gradient, larger spread",
)
panels[1].legend()
plt.show()
print(
    f"standard deviation of one estimate: score function {spread_score[0]:.2f}, "
    f"reparameterized {spread_push[0]:.2f}; "
    f"with 150 added: {spread_score[-1]:.1f} and {spread_push[-1]:.2f}"
)
assert spread_score[0] > 2 * spread_push[0]
assert hundreds[0].std() > 1.5 * hundreds[1].std()
assert 50 < spread_score[-1] / spread_push[-1] < 65

# %% [markdown]
# In a VAE, $f$ is the log-likelihood of an image, which is about $-150$, with differences between draws of a few nats. Here, a constant of 150 makes the spread of the score function more than fifty times as large as that of the reparameterized estimate. The spread of a mean falls as one over the
# square root of the number of draws. So to make up for a factor of 50, we need 2,500 times as many draws. (If a constant is all that is wrong, there is a cheaper remedy: subtract a *baseline* from $f$ first. That is the first of the further exercises. Even without the constant, the spread is more than twice as large here.)
#
# What is the score function good for, then? It does not need the slope of $f$. Where $z$ is a discrete *choice* (which word comes next, which door to open), $f'$ does not exist, and the score function is the only option.

# %% [markdown]
# ## In five lines
#
# 1. A mean over draws can be differentiated in two ways: weight the draws, or push them.
# 2. Weight: $\mathbb E[f\, \partial \log q]$, the score function. It is always applicable but very noisy.
# 3. Push: $z = \mu + \sigma\epsilon$, and $d\mu = dz$, $d\texttt{logvar} = dz \cdot \tfrac12 \sigma\epsilon$. This needs an $f$ that is continuous and has a slope almost everywhere, as networks with relus have; here it has far less noise.
# 4. Use the same $\epsilon$ in the forward pass and the backward pass.
# 5. Test a random estimate against its own standard error, and make sure that the test is able to fail.
#
# ## Further exercises
#
# 1. *(easy)* In the score function, subtract from $f$ a number $b$ that does not depend on the draw (a *baseline*). Show that the mean does not change. Which $b$ makes the spread smallest?
# 2. *(medium)* Draw $\epsilon$ and $-\epsilon$ together (*antithetic* draws) and average the two estimates. By how much does the spread of either estimator fall? For which $f$ does it fall to zero?
# 3. *(open)* Find a smooth $f$ for which the score function has the *smaller* spread. (Hint: let $f$ wiggle fast.)
#
# ## Read on
#
# * D. Kingma and M. Welling, *Auto-encoding variational Bayes*, ICLR 2014. D. Rezende, S. Mohamed and D. Wierstra, *Stochastic backpropagation and approximate inference in deep generative models*, ICML 2014.
# * R. Williams, *Simple statistical gradient-following algorithms for connectionist reinforcement learning*, Machine Learning 8, 1992: REINFORCE.
# * S. Mohamed, M. Rosca, M. Figurnov and A. Mnih, *Monte Carlo gradient estimation in machine learning*, Journal of Machine Learning Research 21, 2020.
#
# Next: [07 · The whole VAE](07_whole_vae.ipynb).
