"""Wrong backward passes of the VAE that are not in the museum, and the truth about each.

`first` is the first wrong gradient of the backward pass at depth 1; {d} in it is the last layer.
`named` lists phrases that a hint may use for the cause, because they are true.
"""

from typing import NamedTuple

from numpyvae import VAE
from numpyvae.core import bernoulli, latent, layers, vae
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


P_X = "np.subtract(sigmoid(logits) if p is None else p, x, out=out)"
MU, LOGVAR = "mu.copy()", "0.5 * (np.exp(logvar) - 1.0)"
DW, DB = "np.matmul(x.T, dy, out=self.dW)", "np.sum(dy, axis=0, out=self.db)"
DX = "np.matmul(dy, self.W.T, out=out)"
MASK = "np.greater(y, 0.0, out=np.empty_like(dy) if out is None else out)"
ADD_MU = "t.dmu += self.beta * share * dmu_kl"
ADD_LOGVAR = "t.dlogvar += self.beta * share * dlogvar_kl"
REPARAMETERIZE = "reparameterize_backward(t.dz, t.logvar, t.eps,"

WRONG = (
    Wrong(bernoulli, P_X, "np.clip(sigmoid(logits), 1e-3, 1 - 1e-3) - x", "dlogits"),
    Wrong(bernoulli, P_X, "np.clip(sigmoid(logits), 0.05, 0.95) - x", "dlogits"),
    Wrong(bernoulli, P_X, "2.0 * (sigmoid(logits) - x)", "dlogits"),
    Wrong(bernoulli, P_X, "(sigmoid(logits) - x) * (x > 0.5)", "dlogits"),
    Wrong(bernoulli, P_X, "sigmoid(logits) - (0.9 * x + 0.05)", "dlogits"),
    Wrong(bernoulli, P_X, "abs(sigmoid(logits) - x)", "dlogits"),
    Wrong(bernoulli, P_X, "sigmoid(logits) - x**2", "dlogits"),
    Wrong(bernoulli, P_X, "(p - x) / (p * (1.0 - p))", "dlogits", ("p (1 - p) is missing",)),
    Wrong(bernoulli, P_X, "np.tanh(logits) - x", "dlogits"),
    Wrong(bernoulli, P_X, "sigmoid(2.0 * logits) - x", "dlogits"),
    Wrong(
        bernoulli,
        P_X,
        "(sigmoid(logits) - x) * (np.arange(x.shape[1]) > 0)",
        "dlogits",
        ("look at slicing or indexing",),
    ),
    Wrong(bernoulli, P_X, "np.roll(sigmoid(logits) - x, 1, axis=1)", "dlogits"),
    Wrong(bernoulli, P_X, "np.roll(sigmoid(logits) - x, 1, axis=0)", "dlogits"),
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
        "t.dlogits *= share",
        "t.dlogits *= -share",
        "dlogits",
        ("known mistake: cross_entropy_sign",),
    ),
    Wrong(vae, "t.g[-1], t.dlogits", "2.0 * t.g[-1], t.dlogits", "W_out"),
    Wrong(vae, "t.g[-1], t.dlogits", "t.g[-1][::-1], t.dlogits", "W_out"),
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
    Wrong(vae, ADD_MU, "t.dmu -= self.beta * share * dmu_kl", "dmu"),
    Wrong(vae, ADD_MU, "t.dmu = self.beta * share * dmu_kl", "dmu", ("reconstruction is missing",)),
    Wrong(vae, ADD_MU, "t.dmu += self.beta * dmu_kl", "dmu", ("that is the batch size",)),
    Wrong(vae, ADD_MU, "t.dmu += share * dmu_kl", "dmu", ("that is 1 / beta",)),
    Wrong(
        vae,
        ADD_LOGVAR,
        "t.dlogvar += self.beta**2 * share * dlogvar_kl",
        "dlogvar",
        ("that is beta",),
    ),
    Wrong(vae, ADD_LOGVAR, "t.dlogvar += self.beta * share * dmu_kl", "dlogvar"),
    Wrong(
        vae, ADD_LOGVAR, "t.dlogvar += self.beta * share * np.maximum(dlogvar_kl, 0.0)", "dlogvar"
    ),
    Wrong(vae, ADD_LOGVAR, "pass", "dlogvar", ("beta x KL is missing",)),
    Wrong(
        vae,
        ADD_LOGVAR,
        "t.dlogvar += self.beta * dlogvar_kl",
        "dlogvar",
        ("that is the batch size",),
    ),
    Wrong(vae, "t.dh[-1] += t.dh_logvar", "t.dh[-1] -= t.dh_logvar", "dh[{d}]"),
    Wrong(vae, "t.dh[-1] += t.dh_logvar", "t.dh[-1] += 0.5 * t.dh_logvar", "dh[{d}]"),
    Wrong(vae, "t.dh[-1] += t.dh_logvar", "t.dh[-1] *= t.dh_logvar", "dh[{d}]"),
    Wrong(vae, "(t.h[-1], t.dmu, out", "(t.h[-1], t.dz, out", "b_mu", ("beta x KL is missing",)),
    Wrong(vae, "(t.h[-1], t.dmu, out", "(t.h[-1], 2.0 * t.dmu, out", "b_mu"),
    Wrong(vae, "(t.h[-1], t.dlogvar, out", "(np.tanh(t.h[-1]), t.dlogvar, out", "W_logvar"),
    Wrong(
        vae, "(t.h[-1], t.dlogvar, out", "(t.h[-1], np.clip(t.dlogvar, -0.1, 0.1), out", "b_logvar"
    ),
    Wrong(vae, "hidden.backward(t.x,", "hidden.backward(t.x - t.x.mean(axis=0),", "W_h1"),
    Wrong(vae, "hidden.backward(t.x,", "hidden.backward(t.x > 0.5,", "W_h1"),
    Wrong(latent, "np.positive(dz, out=out[0])", "np.multiply(dz, 0.5, out=out[0])", "dmu"),
    Wrong(latent, "    dlogvar *= 0.5\n", "    dlogvar *= 0.25\n", "dlogvar"),
    Wrong(
        latent,
        "np.exp(dlogvar, out=dlogvar)",
        "np.exp(-dlogvar, out=dlogvar)",
        "dlogvar",
        ("sigma^2 is missing in grad(reconstruction)",),
    ),
    Wrong(latent, "    dlogvar *= dz\n", "    dlogvar *= np.sign(dz)\n", "dlogvar"),
    Wrong(
        latent,
        "    dlogvar *= eps\n",
        "    dlogvar *= eps**2\n",
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
    Wrong(layers, MASK, MASK.replace("0.0", "0.05"), "da_g[{d}]"),
    Wrong(layers, MASK, MASK.replace("0.0", "1.0"), "da_g[{d}]"),
    Wrong(layers, MASK, "np.where(y > 0.0, 1.0, 0.01)", "da_g[{d}]", ("or is not 0 there",)),
    Wrong(layers, MASK, "np.where(y > 0.0, 0.5, 0.0)", "da_g[{d}]"),
    Wrong(
        layers,
        MASK,
        "np.less_equal(y, 0.0, out=np.empty_like(dy) if out is None else out)",
        "da_g[{d}]",
    ),
    Wrong(layers, MASK, "1.0 - np.exp(-y)", "da_g[{d}]"),
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
    Wrong(
        layers,
        "da[i] = self.activation_backward(dy[i], y[i], out=da[i])",
        "da[i] = dy[i].copy()",
        "da_g[{d}]",
        ("ReLU is missing",),
        (2, 3),
    ),
    Wrong(layers, "backward(y[i - 1], da[i]", "backward(y[i - 1], dy[i]", "b_g{n}", (), (2, 3)),
    Wrong(layers, "self.layers[0].backward(x, da[0]", "self.layers[0].backward(x, dy[0]", "b_g1"),
    Wrong(
        layers,
        DX,
        "np.matmul(dy, self.__dict__.setdefault('kept', self.W.copy()).T, out=out)",
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
    """The model with the mistake, which is not left in the museum."""
    MISTAKES["not in the museum"] = Mistake("", "", "", wrong.module, wrong.old, wrong.new)
    try:
        return break_backward(model, "not in the museum")
    finally:
        del MISTAKES["not in the museum"]
        break_backward.__globals__["_altered_methods"].cache_clear()
