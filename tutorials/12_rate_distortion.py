# %% [markdown]
# # 12 · Rate and distortion
#
# **The one idea: β is a price. It is the slope of a curve, and a latent that earns less than its price is switched off.**
#
# In notebook 08 the weight $\beta$ of the KL could make all latents useless. Where exactly does that begin? With hidden layers there is no formula. For a *linear* VAE there is: you derive the threshold on half a page, and then see training stop there, to five decimals. The same curve, without the formulas, appears for MNIST.
#
# *You need:* notebooks 01, 05, 06, 08 and 09, and the eigenvectors of a covariance matrix. *Time:* 105 minutes.

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import minimize
from threadpoolctl import threadpool_limits

import numpyvae
from numpyvae.course import check, functions
from numpyvae.evaluation import active_units, evidence, vae_log_likelihood
from numpyvae.pictures import COLOURS, STYLE

threadpool_limits(1)  # one BLAS thread; two are far slower beside other busy programs
plt.style.use(STYLE)
mine = functions("01_dense_layer"), functions("05_elbo"), functions("06_reparameterization")
dense, dense_backward = mine[0].dense, mine[0].dense_backward
kl_divergence, kl_backward = mine[1].kl_divergence, mine[1].kl_backward
reparameterize, reparameterize_backward = mine[2].reparameterize, mine[2].reparameterize_backward
print("dense:", mine[0].origin)
print("kl_divergence, kl_backward:", mine[1].origin)
print("reparameterize:", mine[2].origin)

# %% [markdown]
# ## Two costs
#
# The loss of a VAE with weight $\beta$ is $D + \beta R$:
#
# * The **distortion** $D = \mathbb E_q[-\log p(x \mid z)]$ says how badly the code describes the image.
# * The **rate** $R = \text{KL}(q \,\|\, \text{prior})$ says how many nats the code costs.
#
# Both are means over the images. (The names come from the theory of lossy compression. Alemi et al. 2018 made them popular for VAEs.) If $\beta$ is large, rate is expensive, and the VAE gets along with less of it. We call $\beta$ the **price** of a nat.
#
# ## A VAE that can be solved
#
# Take data $x$ with $n$ numbers each, whose covariance has the eigenvalues $\lambda_1, \dots, \lambda_n$: the variances along $n$ perpendicular directions, the eigenvectors (or principal components). Encoder and decoder are single dense layers, and the likelihood is normal with a *fixed* variance: $p(x \mid z) = \mathcal N(x;\, W z + b,\, \sigma^2 I)$. So the distortion is the squared error divided by $2\sigma^2$, apart from a constant that we leave out. (Mind the letters: in this notebook, $\sigma$ belongs to the pixels, and the standard deviation of $q$ is called $s$.)
#
# Turn the axes so that they point along the eigenvectors. Then each latent can take care of one direction $x_j$, with variance $\lambda$, by itself: $z = m x_j + s \epsilon$, decoded as $w z$. (That no other arrangement is better is shown by Lucas et al. 2019; below, training will find this one.) Three numbers $m$, $s$, $w$ are left.

# %% [markdown]
# **On paper:** find the best $m$, $s$ and $w$ for one direction. Its loss is
#
# $$\frac{1}{2\sigma^2}\,\mathbb E\bigl[(x_j - w z)^2\bigr] + \frac{\beta}{2} \bigl( m^2 \lambda + s^2 - 1 - \log s^2 \bigr) .$$
#
# Go in three steps. (1) Multiply $m$ and $s$ by $c$, and divide $w$ by $c$. What changes, and which $c$ is best? (2) Which $w$ is best for a $z$ of variance 1? (3) One number, $s^2$, is left.
#
# <details><summary>The answer</summary>
#
# (1) $wz$ stays the same. The KL becomes $\frac12 (c^2 v - 1 - \log c^2 - \log s^2)$ with $v = m^2\lambda + s^2$, which is smallest at $c^2 = 1/v$. So the best codes have variance $m^2 \lambda + s^2 = 1$, and the KL is $-\frac12 \log s^2$.
#
# (2) $\mathbb E[(x_j - wz)^2] = \lambda - 2 w m \lambda + w^2$ is smallest at $w = m\lambda$. What remains is $\lambda - m^2 \lambda^2 = \lambda (1 - m^2 \lambda) = \lambda s^2$.
#
# (3) The loss is $\frac{\lambda s^2}{2 \sigma^2} - \frac{\beta}{2} \log s^2$. Its derivative with respect to $s^2$ is zero at $s^2 = \beta\sigma^2 / \lambda$. But $s^2$ cannot be larger than 1, because of (1). If $\lambda < \beta \sigma^2$, the loss still falls when $s^2$ reaches 1, so the best choice is $s^2 = 1$, $m = 0$: the latent is off.
#
# The result is
#
# $$R_j = \max\Bigl( 0,\ \tfrac12 \log \frac{\lambda_j}{\beta \sigma^2} \Bigr), \qquad \text{squared error left in direction } j = \min(\lambda_j,\ \beta\sigma^2) .$$
#
# </details>
#
# A latent is used only if its direction has more variance than $\beta\sigma^2$. This is **posterior collapse** with an exact threshold (Lucas et al. 2019).
#
# ### Exercise 1: `rates`


# %%
def rates(eigenvalues, noise_variance, beta):
    """The rate of each latent at the optimum, in nats, for eigenvalues (n,); returns (n,)."""
    # BEGIN SOLUTION
    ratio = eigenvalues / (beta * noise_variance)
    return 0.5 * np.log(np.maximum(ratio, 1))
    # END SOLUTION


# %% [markdown]
# **The check:** λ = e² costs one nat, λ = βσ² is the threshold, λ = 0 costs nothing; then random numbers.

# %%
check("rates", rates)

# %% [markdown]
# ## Does training end there?
#
# We make data with eigenvalues 4, 1 and ¼ in some rotated directions, and train a linear VAE with three latents, using *your* functions of notebooks 01, 05 and 06. To see the exact optimum, two things differ from a usual training. Instead of random noise, six fixed draws are used: $\pm\sqrt3$ in one latent, 0 in the others. Their mean is 0 and their covariance 1, and for a linear decoder that is all that matters. And the optimizer is L-BFGS of SciPy, which uses your gradient, and goes on until it is zero.
#
# **Predict:** with $\sigma^2 = \frac12$, how many of the three latents are used for $\beta$ = 1? For $\beta$ = 4? And for $\beta$ = 10?

# %%
EIGENVALUES, NOISE = np.array([4.0, 1.0, 0.25]), 0.5
rng = np.random.default_rng(0)
raw = rng.standard_normal((40, 3))
white = np.linalg.svd(raw - raw.mean(axis=0), full_matrices=False)[0] * np.sqrt(40)
data = white * np.sqrt(EIGENVALUES) @ np.linalg.qr(rng.standard_normal((3, 3)))[0]
assert np.allclose(np.linalg.eigvalsh(data.T @ data / 40)[::-1], EIGENVALUES)

DRAWS = np.sqrt(3) * np.vstack([np.eye(3), -np.eye(3)])
SHAPES = ((3, 3), (3,)) * 3  # W and b of mu, logvar and the decoder
ENDS = np.cumsum([np.prod(shape) for shape in SHAPES])
x_rows, eps = np.repeat(data, 6, axis=0), np.tile(DRAWS, (40, 1))


def weights(flat):
    """The six arrays in a vector."""
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ENDS[:-1]), SHAPES)]


def encode(flat, x):
    W_mu, b_mu, W_logvar, b_logvar, *_ = weights(flat)
    return dense(x, W_mu, b_mu), dense(x, W_logvar, b_logvar)


def linear_loss(flat, beta):
    """D + βR and its gradient; the backward pass is that of notebook 07 without hidden layers."""
    W_mu, _, W_logvar, _, W, b = weights(flat)
    mu, logvar = encode(flat, x_rows)
    z = reparameterize(mu, logvar, eps)
    error, rows = dense(z, W, b) - x_rows, len(x_rows)
    total = (error**2).sum() / (2 * NOISE * rows) + beta * kl_divergence(mu, logvar).mean()

    dz, dW, db = dense_backward(z, W, error / (NOISE * rows))
    dmu, dlogvar = reparameterize_backward(dz, logvar, eps)
    dmu_kl, dlogvar_kl = kl_backward(mu, logvar)
    _, dW_mu, db_mu = dense_backward(x_rows, W_mu, dmu + beta / rows * dmu_kl)
    _, dW_logvar, db_logvar = dense_backward(x_rows, W_logvar, dlogvar + beta / rows * dlogvar_kl)
    d = (dW_mu, db_mu, dW_logvar, db_logvar, dW, db)
    return total, np.concatenate([part.ravel() for part in d])


def train_linear(beta):
    """Rate of each latent, sorted, and distortion, at the end of the training."""
    start = 0.3 * np.random.default_rng(1).standard_normal(ENDS[-1])
    precise = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 0.0, "gtol": 1e-10, "maxcor": 30}
    flat = minimize(linear_loss, start, beta, "L-BFGS-B", jac=True, options=precise).x
    mu, logvar = encode(flat, data)
    kl = [kl_divergence(mu[:, [j]], logvar[:, [j]]).mean() for j in range(3)]
    return np.sort(kl)[::-1], linear_loss(flat, beta)[0] - beta * sum(kl)


BETAS = np.array([0.2, 0.45, 1.0, 1.9, 2.1, 4.0, 10.0])
trained = [train_linear(beta) for beta in BETAS]
print("  β    βσ²   KL of the latents after training   by your formula")
for beta, (kl, _) in zip(BETAS, trained):
    exact = rates(EIGENVALUES, NOISE, beta)
    print(f"{beta:4}  {beta * NOISE:5.3f}   {kl.round(6)}   {exact.round(6)}")
    assert np.allclose(kl, exact, rtol=0, atol=1e-5)

# %% [markdown]
# Training ends at your formula, to five decimals. At $\beta = 1.9$ the second latent is still in use, for its eigenvalue 1 is just above $\beta\sigma^2 = 0.95$. At $\beta = 2.1$ it is off. No network is too small here and no optimizer too weak. To drop the latent *is* the best solution of this loss.
#
# ## The curve
#
# ### Exercise 2: `sweep`
#
# For each value of $\beta$, return the whole rate and the whole distortion. The distortion is the squared error that is left in all directions, divided by $2\sigma^2$.


# %%
def sweep(eigenvalues, noise_variance, betas):
    """Rate and distortion of the best linear VAE, in nats, for each of the prices: two arrays."""
    # BEGIN SOLUTION
    rate = np.array([rates(eigenvalues, noise_variance, beta).sum() for beta in betas])
    left = [np.minimum(eigenvalues, beta * noise_variance).sum() for beta in betas]
    return rate, np.array(left) / (2 * noise_variance)
    # END SOLUTION


# %% [markdown]
# **The check:** one eigenvalue, on and off; two and three eigenvalues by hand; then random numbers.

# %%
check("sweep", sweep)

# %%
fine = np.geomspace(0.05, 20, 20_001)
rate, distortion = sweep(EIGENVALUES, NOISE, fine)
slope = np.diff(distortion)[rate[1:] > 0] / np.diff(rate)[rate[1:] > 0]
error = np.abs(-slope / np.sqrt(fine[1:] * fine[:-1])[rate[1:] > 0] - 1).max()
print(f"minus the slope of the curve is β, with a relative error of at most {error:.0e}")
assert error < 1e-3
assert np.allclose([d for _, d in trained], sweep(EIGENVALUES, NOISE, BETAS)[1], rtol=0, atol=1e-4)

# %% [markdown]
# So this is what a price means. Where the curve has slope $-\beta$, one more nat of rate saves $\beta$ nats of distortion, which is just what it costs. (The curve is Shannon's rate-distortion function of a normal source, found long before VAEs. See Cover & Thomas, section 10.3.3: "reverse water-filling".)
#
# ## MNIST, with the exact evidence
#
# A real VAE has such a curve too, only without a formula. We train eight models with 64 hidden units and two latents on 20,000 digits, one for each $\beta$. The evidence of a model does not depend on $\beta$: its prior and its decoder alone determine it. Two latents let us compute it.
#
# **Predict:** is the evidence highest at $\beta = 1$, where the loss is −ELBO? How much does it change if $\beta$ is half or twice as large?

# %%
(x_train, _), (x_test, _) = numpyvae.load_mnist()
images = (x_train[:20_000] / 255).astype(np.float32)
test = (x_test[:300] / 255).astype(np.float32)


def measure(vae):
    """Rate and distortion of the test images."""
    eps = np.random.default_rng(1).standard_normal((len(test), vae.latent), np.float32)
    parts = vae.loss(vae.forward(test, eps))
    return float(parts.kl), float(parts.reconstruction)


prices = (0.25, 0.5, 1, 2, 4, 8, 16, 32)
points, evidences = [], []
print("    β    rate   distortion       ELBO   evidence   used")
for beta in prices:
    vae = numpyvae.VAE(hidden=64, latent=2, beta=beta, rng=0)
    list(numpyvae.train(vae, images, epochs=5, rng=0))
    points.append(measure(vae))
    log_likelihood = vae_log_likelihood(vae, test)
    evidences.append(evidence(log_likelihood, 2, nodes=301, half_width=9.0).value)
    used = active_units(vae.encode(test)[0]).sum()
    print(f"{beta:5} {points[-1][0]:7.2f} {points[-1][1]:12.2f} {-sum(points[-1]):10.2f} "
          f"{evidences[-1].mean():10.2f} {used:6}")  # fmt: skip
for k, beta in ((1, 0.5), (3, 2), (4, 4)):
    change = evidences[k] - evidences[2]
    print(f"evidence at β = {beta}, compared with β = 1: "
          f"{change.mean():+.2f} ± {change.std() / len(test) ** 0.5:.2f}")  # fmt: skip
evidences = np.mean(evidences, axis=1)
mnist = np.array(points)
assert (np.diff(mnist[:, 0]) < 0).all()  # the higher the price, the lower the rate
assert (np.diff(mnist[:, 1]) > 0).all()  # and the higher the distortion
assert np.ptp(evidences[:4]) < 1.2
assert evidences[2] > evidences[5] + 1.5
assert mnist[-1, 0] < 0.1

# %% [markdown]
# ## The picture to remember
#
# Left: the linear VAE. The line is your curve, the dots are trained models, and the dashed tangents have slope $-\beta$. Right: MNIST, a dot for each $\beta$, with the exact evidence as color and number.

# %%
figure, panels = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
panels[0].plot(rate, distortion, color="black", label="your sweep")
panels[0].plot([kl.sum() for kl, _ in trained], [d for _, d in trained], "o", color=COLOURS[0],
               label="trained by gradients")  # fmt: skip
for beta in (1.0, 4.0):
    r, d = (float(value[0]) for value in sweep(EIGENVALUES, NOISE, np.array([beta])))
    around = np.array([max(r - 0.6, 0), r + 0.6])
    panels[0].plot(around, d - beta * (around - r), "--", color=COLOURS[4])
    panels[0].annotate(f"slope −{beta:g}", (r, d), (8, 6), textcoords="offset points")
panels[0].set(xlabel="rate R, nats", ylabel="distortion D, nats", title="linear VAE", ylim=(0, 6),
              xlim=(0, 5))  # fmt: skip
panels[0].legend()
panels[1].plot(*mnist.T, color="0.7", zorder=0)
dots = panels[1].scatter(*mnist.T, c=evidences, cmap="viridis", s=60, vmin=-174, edgecolors="0.3")
for beta, (r, d), e in zip(prices, mnist, evidences):
    panels[1].annotate(f"β = {beta:g}: {e:.0f}", (r, d), (6, 5), textcoords="offset points",
                       fontsize=9)  # fmt: skip
figure.colorbar(dots, ax=panels[1], label="exact evidence, nats per image", extend="min")
panels[1].set(xlabel="rate R, nats", ylabel="distortion D, nats", title="MNIST, two latents",
              xlim=(-0.4, 10.5), ylim=(155, 206))  # fmt: skip
plt.show()

# %% [markdown]
# From $\beta = \frac14$ to $\beta = 2$ the rate more than halves, and the evidence changes by about half a nat, no more than with another seed. So models that are about equally good can have very different codes, and the evidence does not tell them apart (Alemi et al. 2018). Beyond that it falls, because the rate gets too small to describe the digits. At $\beta = 32$ the encoder has collapsed: its rate is 0.
#
# If you want high evidence, any $\beta$ from ¼ to 2 does about equally well here. If you want a code of few nats, or sharp reconstructions, you want another point of the curve, and you should say so.

# %%
assert mnist[0, 0] > 2 * mnist[3, 0]

# %% [markdown]
# ## Paths on the curve: annealing and free bits
#
# A model with many latents may drop some at the *beginning* of training, when the decoder cannot use them yet, and have trouble finding them again. There are two common remedies. **Annealing** starts with $\beta$ near 0 and raises it (Bowman et al. 2016). **Free bits** charge nothing for the first $\kappa$ nats of each latent, by using $\max(\kappa, \text{KL}_j)$ in the loss, where $\text{KL}_j$ is the mean over the minibatch (Kingma et al. 2016). We train three models with twenty latents at the high price $\beta = 4$, and plot their paths, a point for each epoch.
#
# **Predict:** from which corner of the plane does each path come?

# %%
models = {
    "β = 4": (numpyvae.VAE(hidden=64, latent=20, beta=4, rng=0), 0),
    "annealed over 6 epochs": (numpyvae.VAE(hidden=64, latent=20, beta=4, rng=0), 6),
    "free bits, κ = ½": (numpyvae.FreeBits(64, 20, free_bits=0.5, beta=4, rng=0), 0),
}
figure, axes = plt.subplots(figsize=(7, 4))
starts, ends = [], {}
for (name, (vae, anneal)), marker in zip(models.items(), "osD"):
    schedule = numpyvae.Schedule(beta=4, learning_rate=1e-3, anneal=anneal)
    training = numpyvae.train(vae, images, epochs=8, rng=0)
    path = np.array([measure(vae) for _ in schedule.epochs(training, vae)])  # it sets vae.beta
    axes.plot(*path.T, marker + "-", label=name, markersize=5)
    axes.annotate("1", path[0], (5, 4), textcoords="offset points", fontsize=9)
    axes.annotate("8", path[-1], (5, 4), textcoords="offset points", fontsize=9)
    starts.append(path[0])
    ends[name] = path[-1]
    print(f"{name:24} rate {path[-1, 0]:5.2f}  distortion {path[-1, 1]:6.2f}  "
          f"D + 4 R {path[-1, 1] + 4 * path[-1, 0]:6.1f}")  # fmt: skip
axes.set(xlabel="rate R, nats", ylabel="distortion D, nats", title="Twenty latents, eight epochs")
axes.legend()
plt.show()
plain, annealed, free = ends.values()
assert starts[0][0] < 4 < starts[2][0] < starts[1][0]  # where the three paths come from
assert 8 < free[0] < 11

# %% [markdown]
# The plain model comes from the upper left: first two nats of rate, then slowly more. The annealed one comes from the right, with plenty of rate that it gives up as the price rises. In this run its loss $D + 4R$ is lower after eight epochs; of five seeds, that was so for three, and for two they were about equal. The model with free bits starts at a rate of eight and stays near ten, which is $20 \cdot \frac12$: a latent below half a nat saves nothing by falling further. It minimizes another loss, so its $D + 4R$ must not be compared with the others.
#
# What would they do in the linear VAE, where the best loss has a latent *off*? Annealing would change nothing in the end, because it leaves the optimum where it is. Free bits would switch the latent on, because they move the optimum. Keep the two apart: one is another path, the other is another loss.

# %% [markdown]
# ## In five lines
#
# 1. Loss = distortion + β · rate, and β is the price of a nat of rate.
# 2. In a linear VAE latent $j$ has the rate $\max(0, \frac12 \log(\lambda_j / \beta\sigma^2))$. Below the threshold it is off.
# 3. The curve of rate and distortion has the slope $-\beta$.
# 4. Models with very different rates can have the same evidence.
# 5. Annealing is another path to the same optimum; free bits are another loss, with another optimum.
#
# ## Further exercises
#
# 1. *(easy)* Compute the eigenvalues of the covariance of 20,000 digits. How many latents does a linear VAE use with $\beta = 1$ and $\sigma = 0.1$, 0.2 and 0.5?
# 2. *(medium)* In `train_linear`, replace the fixed draws by random noise and L-BFGS by RMSprop. How close to the threshold can you still tell whether a latent is off?
# 3. *(open)* Let $\sigma^2$ be learned too. The distortion then needs the constant that we left out, $\frac n2 \log 2\pi\sigma^2$. What is the best $\sigma^2$ for $\beta = 1$, how many latents are used, and why can training get stuck with too large a $\sigma^2$?
#
# ## Read on
#
# * A. Alemi, B. Poole, I. Fischer, J. Dillon, R. Saurous and K. Murphy, *Fixing a broken ELBO*, ICML 2018.
# * J. Lucas, G. Tucker, R. Grosse and M. Norouzi, *Don't blame the ELBO! A linear VAE perspective on posterior collapse*, NeurIPS 2019.
# * M. Tipping and C. Bishop, *Probabilistic principal component analysis*, Journal of the Royal Statistical Society B 61, 1999.
# * I. Higgins et al., *β-VAE: learning basic visual concepts with a constrained variational framework*, ICLR 2017.
# * S. Bowman et al., *Generating sentences from a continuous space*, CoNLL 2016. D. Kingma et al., *Improved variational inference with inverse autoregressive flow*, NeurIPS 2016 (free bits: appendix C.8).
# * T. Cover and J. Thomas, *Elements of information theory*, second edition, Wiley 2006, section 10.3.
#
# Next: [13 · A tighter bound to train on](13_tighter_bound.ipynb)
