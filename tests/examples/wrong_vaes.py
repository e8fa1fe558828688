"""Wrong backward passes of the VAE that are no known mistakes, and the truth about each.

`first` is the first wrong gradient of the backward pass at depth 1; {d} in it is the last layer.
`named` lists phrases that a hint may use for the cause, because they are true.
"""

from typing import NamedTuple

from numpyvae import VAE
from numpyvae.core import bernoulli, latent, layers, networks, vae
from numpyvae.debugging import break_backward
from numpyvae.debugging.mistakes import MISTAKES, Mistake


class Wrong(NamedTuple):
    """A mistake: in the source of `module`, `old` is replaced by `new`."""

    module: object
    old: str
    new: str
    first: str
    named: tuple[str, ...] = ()
    depths: tuple[int, ...] = (1, 2, 3)


P_X = "(p - x) * dcost"
COST = "self.likelihood.cost_backward(t.logits, t.target, t.p, share)"
MU, LOGVAR = "mu.copy()", "0.5 * (np.exp(logvar) - 1.0)"
DW, DB = "np.matmul(x.T, dy, out=self.dW)", "np.sum(dy, axis=0, out=self.db)"
DX = "dy @ self.W.T"
MASK = "dy * (y > 0.0)"
ADD_MU = "dmu + self.beta * share * dmu_kl"
ADD_LOGVAR = "dlogvar + self.beta * share * dlogvar_kl"
DLOGVAR = "dz * 0.5 * np.exp(0.5 * logvar) * eps"
REPARAMETERIZE = "reparameterize_backward(t.dz, t.logvar, t.eps)"
MU_HEAD, LOG_HEAD = "self.mu.backward(h[-1], dmu)", "self.logvar.backward(h[-1], dlogvar)"
HEADS = "through_mu + through_logvar"
DA = "da = self.activation_backward(dh[0], h[i])"
FIRST = "return dh, self.activation_backward(dh[0], h[0])"

WRONG = (
    Wrong(bernoulli, P_X, "(np.clip(p, 1e-3, 1 - 1e-3) - x) * dcost", "dlogits"),
    Wrong(bernoulli, P_X, "(np.clip(p, 0.05, 0.95) - x) * dcost", "dlogits"),
    Wrong(bernoulli, P_X, "(2.0 * (p - x)) * dcost", "dlogits"),
    Wrong(bernoulli, P_X, "((p - x) * (x > 0.5)) * dcost", "dlogits"),
    Wrong(bernoulli, P_X, "(p - (0.9 * x + 0.05)) * dcost", "dlogits"),
    Wrong(bernoulli, P_X, "(abs(p - x)) * dcost", "dlogits"),
    Wrong(bernoulli, P_X, "(p - x**2) * dcost", "dlogits"),
    Wrong(bernoulli, P_X, "(p - x) / (p * (1 - p)) * dcost", "dlogits", ("p (1 - p) is missing",)),
    Wrong(bernoulli, P_X, "(np.tanh(logits) - x) * dcost", "dlogits"),
    Wrong(bernoulli, P_X, "(sigmoid(2.0 * logits) - x) * dcost", "dlogits"),
    Wrong(
        bernoulli,
        P_X,
        "(p - x) * dcost * (np.arange(x.shape[1]) > 0)",
        "dlogits",
        ("look at slicing or indexing",),
    ),
    Wrong(bernoulli, P_X, "(np.roll(p - x, 1, axis=1)) * dcost", "dlogits"),
    Wrong(bernoulli, P_X, "(np.roll(p - x, 1, axis=0)) * dcost", "dlogits"),
    Wrong(vae, "share = 1.0 / len(t.x)", "share = 1.0 / (len(t.x) - 1)", "dlogits"),
    Wrong(
        vae,
        "share = 1.0 / len(t.x)",
        "share = 1.0 / t.x.size",
        "dlogits",
        ("that is 1 / the number of pixels",),
    ),
    Wrong(vae, "share = 1.0 / len(t.x)", "share = 0.5 / len(t.x)", "dlogits"),
    Wrong(
        vae,
        COST,
        COST.replace("share", "-share"),
        "dlogits",
        ("known mistake: cross_entropy_sign",),
    ),
    Wrong(networks, "backward(g[-1], dlogits)", "backward(2.0 * g[-1], dlogits)", "W_out"),
    Wrong(networks, "backward(g[-1], dlogits)", "backward(g[-1][::-1], dlogits)", "W_out"),
    Wrong(vae, "backward(t.z, t.g", "backward(t.eps, t.g", "W_g1"),
    Wrong(vae, "backward(t.z, t.g", "backward(0.5 * t.z, t.g", "W_g1"),
    Wrong(vae, REPARAMETERIZE, REPARAMETERIZE.replace("t.eps", "-t.eps"), "dlogvar"),
    Wrong(vae, REPARAMETERIZE, REPARAMETERIZE.replace("t.logvar", "t.mu"), "dlogvar"),
    Wrong(vae, REPARAMETERIZE, REPARAMETERIZE.replace("t.eps", "abs(t.eps)"), "dlogvar"),
    Wrong(vae, REPARAMETERIZE, REPARAMETERIZE.replace("t.eps", "t.z"), "dlogvar"),
    Wrong(
        vae,
        REPARAMETERIZE,
        REPARAMETERIZE.replace("t.eps", "t.z - t.mu"),
        "dlogvar",
        ("known mistake: variance_for_sigma",),
    ),
    Wrong(
        vae,
        REPARAMETERIZE,
        REPARAMETERIZE.replace("t.dz", "t.dz.mean(axis=0) + 0 * t.dz"),
        "dlogvar",
    ),
    Wrong(vae, ADD_MU, "dmu - self.beta * share * dmu_kl", "dmu"),
    Wrong(vae, ADD_MU, "self.beta * share * dmu_kl", "dmu", ("reconstruction is missing",)),
    Wrong(vae, ADD_MU, "dmu + self.beta * dmu_kl", "dmu", ("that is the batch size",)),
    Wrong(vae, ADD_MU, "dmu + share * dmu_kl", "dmu", ("that is 1 / beta",)),
    Wrong(
        vae,
        ADD_LOGVAR,
        "dlogvar + self.beta**2 * share * dlogvar_kl",
        "dlogvar",
        ("that is beta",),
    ),
    Wrong(vae, ADD_LOGVAR, "dlogvar + self.beta * share * dmu_kl", "dlogvar"),
    Wrong(vae, ADD_LOGVAR, "dlogvar + self.beta * share * np.maximum(dlogvar_kl, 0.0)", "dlogvar"),
    Wrong(vae, ADD_LOGVAR, "dlogvar", "dlogvar", ("beta x KL is missing",)),
    Wrong(
        vae,
        ADD_LOGVAR,
        "dlogvar + self.beta * dlogvar_kl",
        "dlogvar",
        ("that is the batch size",),
    ),
    Wrong(networks, HEADS, "through_mu - through_logvar", "dh[{d}]"),
    Wrong(networks, HEADS, "through_mu + 0.5 * through_logvar", "dh[{d}]"),
    Wrong(networks, HEADS, "through_mu * through_logvar", "dh[{d}]"),
    Wrong(
        vae, "t.h, t.dmu, t.dlogvar)", "t.h, t.dz, t.dlogvar)", "b_mu", ("beta x KL is missing",)
    ),
    Wrong(networks, MU_HEAD, MU_HEAD.replace("dmu", "2.0 * dmu"), "b_mu"),
    Wrong(networks, LOG_HEAD, LOG_HEAD.replace("h[-1]", "(h[-1] / (1.0 + h[-1]))"), "W_logvar"),
    Wrong(
        networks,
        LOG_HEAD,
        LOG_HEAD.replace("dlogvar)", "dlogvar.clip(-0.1, 0.1))"),
        "b_logvar",
    ),
    Wrong(vae, "encoder.backward(t.x,", "encoder.backward(t.x - t.x.mean(axis=0),", "W_h1"),
    Wrong(vae, "encoder.backward(t.x,", "encoder.backward(t.x > 0.5,", "W_h1"),
    Wrong(latent, "return dz.copy(),", "return 0.5 * dz,", "dmu"),
    Wrong(latent, DLOGVAR, DLOGVAR.replace("0.5 * np", "0.25 * np"), "dlogvar"),
    Wrong(
        latent,
        DLOGVAR,
        DLOGVAR.replace("exp(", "exp(-"),
        "dlogvar",
        ("sigma^2 is missing in grad(reconstruction)",),
    ),
    Wrong(latent, DLOGVAR, DLOGVAR.replace("dz", "np.sign(dz)"), "dlogvar"),
    Wrong(
        latent,
        DLOGVAR,
        DLOGVAR.replace("eps", "eps**2"),
        "dlogvar",
        ("eps too many in grad(reconstruction)",),
    ),
    Wrong(latent, MU, "np.sign(mu)", "dmu"),
    Wrong(latent, MU, "mu**2", "dmu"),
    Wrong(latent, MU, "0.5 * mu", "dmu"),
    Wrong(latent, MU, "mu / np.exp(logvar)", "dmu", ("sigma^2 is missing in grad(beta x KL)",)),
    Wrong(latent, MU, "np.clip(mu, -0.5, 0.5)", "dmu"),
    Wrong(latent, MU, "mu / mu.shape[1]", "dmu", ("that is 1 / the number of latents",)),
    Wrong(latent, LOGVAR, "0.5 * (np.exp(-logvar) - 1.0)", "dlogvar"),
    Wrong(latent, LOGVAR, "0.5 * logvar", "dlogvar"),
    Wrong(
        latent,
        LOGVAR,
        "0.5 * (1.0 - np.exp(-logvar))",
        "dlogvar",
        ("sigma^2 is missing in grad(beta x KL)",),
    ),
    Wrong(latent, LOGVAR, "0.5 * np.expm1(np.clip(logvar, -0.5, 0.5))", "dlogvar"),
    Wrong(layers, MASK, MASK.replace("0.0", "0.05"), "b_g{n}"),
    Wrong(layers, MASK, MASK.replace("0.0", "1.0"), "b_g{n}"),
    Wrong(layers, MASK, "dy * np.where(y > 0.0, 1.0, 0.01)", "b_g{n}"),
    Wrong(layers, MASK, "dy * np.where(y > 0.0, 0.5, 0.0)", "b_g{n}"),
    Wrong(
        layers,
        MASK,
        "dy * (y <= 0.0)",
        "b_g{n}",
    ),
    Wrong(layers, MASK, "dy * (1.0 - np.exp(-y))", "b_g{n}"),
    Wrong(layers, DW, "self.dW[:] = x.T @ dy + 0.01 * self.W", "W_out", ("as if a penalty",)),
    Wrong(
        layers, DW, "self.dW[:] = x.T @ dy + 0.01 * np.sign(self.W)", "W_out", ("as if a penalty",)
    ),
    Wrong(
        layers, DW, "self.dW[:] = np.clip(x.T @ dy, -0.05, 0.05)", "W_out", ("are they clipped?",)
    ),
    Wrong(layers, DW, "np.matmul(abs(x).T, dy, out=self.dW)", "W_g1"),
    Wrong(
        layers,
        DW,
        "self.dW[:] = x.T @ dy; self.dW[0] = 0.0",
        "W_out",
        ("look at slicing or indexing",),
    ),
    Wrong(
        layers,
        DW,
        "self.dW[:] = x.T @ dy; self.dW[:, -1] *= 2.0",
        "W_out",
        ("look at slicing or indexing",),
    ),
    Wrong(layers, DW, "self.dW[:] = x.T @ dy; self.dW[1, 1] *= 1.1", "W_out"),
    Wrong(layers, DW, "self.dW[:] = x.T @ (dy - dy.mean(axis=0))", "W_out"),
    Wrong(layers, DW, "self.dW[:] = x.T @ dy; self.dW /= np.linalg.norm(self.dW)", "W_out"),
    Wrong(layers, DB, "self.db[:] = dy.max(axis=0)", "b_out"),
    Wrong(layers, DB, "self.db[:] = dy[1:].sum(axis=0)", "b_out"),
    Wrong(layers, DB, "self.db[:] = dy.sum()", "b_out"),
    Wrong(layers, DB, "self.db[:] = dy.sum(axis=0) / 2", "b_out"),
    Wrong(layers, DB, "self.db[:] = abs(dy).sum(axis=0)", "b_out"),
    Wrong(layers, DX, "1.1 * dy @ self.W.T", "dg[{d}]"),
    Wrong(layers, DX, "dy @ (self.W - self.W.mean()).T", "dg[{d}]"),
    Wrong(layers, DX, "dy @ self.W.T + 0.1 * x", "dg[{d}]"),
    Wrong(layers, DX, "dy @ np.where(abs(self.W) < 0.1, 0.0, self.W).T", "dg[{d}]"),
    Wrong(networks, DA, "da = dh[0]", "b_g{n}", ("slope_missing",), (2, 3)),
    Wrong(networks, "backward(h[i - 1], da)", "backward(h[i - 1], 2.0 * da)", "b_g{n}", (), (2, 3)),
    Wrong(networks, FIRST, "return dh, dh[0]", "b_g1", ("slope_missing",)),
    Wrong(
        layers,
        DX,
        "dy @ self.__dict__.setdefault('kept', self.W.copy()).T",
        "dg[{d}]",
    ),
    Wrong(
        layers,
        DW,
        "np.matmul(self.__dict__.setdefault('kept', x.copy()).T, dy, out=self.dW)",
        "W_out",
    ),
    Wrong(layers, DB, "self.db[:] = self.__dict__.setdefault('kept', dy.sum(axis=0))", "b_out"),
    Wrong(layers, DW, "self.dW[:] += x.T @ dy - 0.5 * self.dW", "W_out"),
)


def wrong_model(wrong: Wrong, model: VAE) -> VAE:
    """The model with the mistake, which is not left in the table."""
    MISTAKES["not in the table"] = Mistake("", "", "", wrong.module, wrong.old, wrong.new)
    try:
        return break_backward(model, "not in the table")
    finally:
        del MISTAKES["not in the table"]
        break_backward.__globals__["_altered"].cache_clear()
