"""A linear VAE, p(x|z) = N(W z + b, σ² I): which latents collapse is known exactly.

For fixed σ², its β-ELBO is, up to a constant, β times the ELBO of a model with noise βσ². At its
maximum, latent j stands for the eigenvector j of the covariance of x if its eigenvalue λ_j exceeds
βσ², and then its mean KL is ½ log (λ_j / βσ²); otherwise it is switched off. (Lucas et al. 2019,
Don't Blame the ELBO!, section 4; Tipping & Bishop 1999 for the maximum.) The layers and gradients
here are those of core.
"""

import numpy as np
import pytest
from scipy.optimize import minimize

from numpyvae.core.latent import kl_backward, kl_per_latent, reparameterize, reparameterize_backward
from numpyvae.core.layers import Dense
from numpyvae.core.parameters import Parameters

EIGENVALUES = np.array([4.0, 1.0, 0.25])
D, Z = 3, 3


class LinearVAE:
    """x → μ, logvar → z → x̂, without hidden layers; the noise has exactly mean 0, covariance I."""

    def __init__(self, noise_variance, beta):
        shapes = {"W_mu": (D, Z), "b_mu": (Z,), "W_logvar": (D, Z), "b_logvar": (Z,)}
        self.parameters = Parameters(shapes | {"W_out": (Z, D), "b_out": (D,)}, np.float64)
        self.mu, self.logvar, self.out = (
            Dense(self.parameters, name) for name in ("mu", "logvar", "out")
        )
        self.noise_variance, self.beta = noise_variance, beta
        points = np.sqrt(Z) * np.vstack([np.eye(Z), -np.eye(Z)])
        self.eps = points

    def kl(self, x):
        return kl_per_latent(self.mu.forward(x), self.logvar.forward(x)).mean(axis=0)

    def loss_and_gradient(self, theta, x):
        self.parameters.value[:] = theta
        n, draws = len(x), len(self.eps)
        mu, logvar = self.mu.forward(x), self.logvar.forward(x)
        rows = [np.repeat(mu, draws, axis=0), np.repeat(logvar, draws, axis=0)]
        eps, target = np.tile(self.eps, (n, 1)), np.repeat(x, draws, axis=0)
        z = reparameterize(*rows, eps)
        error = self.out.forward(z) - target
        loss = 0.5 * np.mean(np.sum(error**2, axis=1)) / self.noise_variance
        loss += self.beta * kl_per_latent(mu, logvar).sum(axis=1).mean()

        dz = self.out.backward(z, error / (len(z) * self.noise_variance))
        dmu, dlogvar = (
            d.reshape(n, draws, Z).sum(axis=1) for d in reparameterize_backward(dz, rows[1], eps)
        )
        dmu_kl, dlogvar_kl = kl_backward(mu, logvar)
        self.mu.backward(x, dmu + self.beta / n * dmu_kl)
        self.logvar.backward(x, dlogvar + self.beta / n * dlogvar_kl)
        return loss, self.parameters.grad.copy()


@pytest.fixture
def x(rng):
    """Data whose covariance has these eigenvalues exactly, in directions of no special kind."""
    raw = rng.standard_normal((40, D))
    raw -= raw.mean(axis=0)
    white = np.linalg.svd(raw, full_matrices=False)[0] * np.sqrt(len(raw))
    rotation = np.linalg.qr(rng.standard_normal((D, D)))[0]
    return white * np.sqrt(EIGENVALUES) @ rotation


@pytest.mark.parametrize("beta", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("ratio", [0.98, 1.02])
def test_a_latent_collapses_exactly_where_its_eigenvalue_falls_below_beta_times_the_noise(
    x, rng, beta, ratio
):
    """The eigenvalue 1 is just above βσ², or just below."""
    model = LinearVAE(noise_variance=ratio / beta, beta=beta)
    start = 0.3 * rng.standard_normal(model.parameters.value.size)
    options = {"maxiter": 20_000, "maxfun": 40_000, "ftol": 0.0, "gtol": 1e-11, "maxcor": 30}
    found = minimize(
        model.loss_and_gradient, start, (x,), method="L-BFGS-B", jac=True, options=options
    )
    model.parameters.value[:] = found.x
    wanted = np.maximum(0.5 * np.log(EIGENVALUES / ratio), 0.0)
    np.testing.assert_allclose(np.sort(model.kl(x))[::-1], wanted, atol=1e-6)
    assert (wanted > 0.0).sum() == (2 if ratio < 1.0 else 1)
