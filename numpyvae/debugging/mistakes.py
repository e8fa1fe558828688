"""The table of known mistakes in backward passes, each an edit of a line or two of numpyvae.core.

To add one, add a Mistake to the table. The tests fail unless the gradient check finds it.
"""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

from numpyvae.core import bernoulli, latent, layers, networks, vae


class Edit(NamedTuple):
    """A replacement of `old`, which occurs once in the source of `module`, by `new`."""

    module: ModuleType
    old: str
    new: str


@dataclass(frozen=True)
class Mistake:
    """A mistake: in the source of `module`, `old` is replaced by `new`.

    sentence  the mistake in a sentence
    first  the first gradient of the backward pass that comes out wrong; None if forward contains
           the same mistake, so that no gradient check can see it
    also   further edits that belong to it
    """

    name: str
    sentence: str
    first: str | None
    module: ModuleType
    old: str
    new: str
    also: tuple[Edit, ...] = ()

    @property
    def edits(self) -> tuple[Edit, ...]:
        """All edits, in order."""
        return (Edit(self.module, self.old, self.new), *self.also)

    @property
    def invisible(self) -> bool:
        """True if forward and backward contain the same mistake."""
        return self.first is None

    def as_diff(self) -> str:
        """The sentence, and the lines of source without (-) and with the mistake (+)."""
        lines, last = [str(self)], None
        for edit in self.edits:
            if edit.module is not last:
                lines.append(f"  {edit.module.__name__.replace('.', '/')}.py")
            last = edit.module
            lines += _diff(edit)
        if self.invisible:
            lines.append(
                "  Forward contains the same mistake, so backward fits it: "
                "no gradient check can see it."
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self.name}: {self.sentence}"


def _diff(edit: Edit) -> list[str]:
    """The whole lines that an edit changes, before (-) and after (+)."""
    source = inspect.getsource(edit.module)
    start, end = source.index(edit.old), source.index(edit.old) + len(edit.old)
    start, end = source.rindex("\n", 0, start) + 1, source.index("\n", end - 1)
    before = source[start:end]
    after = source.replace(edit.old, edit.new)[start : end + len(edit.new) - len(edit.old)]
    lines = []
    for sign, text in (("-", before), ("+", after)):
        shown = textwrap.dedent(text).rstrip().splitlines() or ["(nothing)"]
        lines += [f"  {sign} {line}" for line in shown if line.strip()]
    return lines


# The lines that are changed, where more than one mistake changes them.
_P_X = "(p - x) * dcost"
_COST = "self.likelihood.cost_backward(t.logits, t.target, t.p, share)"
_DW = "np.matmul(x.T, dy, out=self.dW)"
_DB = "np.sum(dy, axis=0, out=self.db)"
_RELU = "dy * (y > 0.0)"
_TANH = "dy * (1.0 - y * y)"
_Z = "mu + np.exp(0.5 * logvar) * eps"
_DLOGVAR = "dz * 0.5 * np.exp(0.5 * logvar) * eps"
_KL = "kl_per_latent(mu, logvar).sum(axis=1)"
_DKL = "0.5 * (np.exp(logvar) - 1.0)"
_KL_BACK = "return mu.copy(), 0.5 * (np.exp(logvar) - 1.0)"
_ADD_MU = " + self.beta * share * dmu_kl"
_ADD_LOGVAR = " + self.beta * share * dlogvar_kl"
_LOGVAR_HEAD = "self.logvar.backward(h[-1], dlogvar)"

# In the order of the backward pass. Gradients are named as in a Trace and in `parameters`.
_TABLE = (
    Mistake(
        name="cross_entropy_sign",
        sentence="dlogits = x - p instead of p - x",
        first="dlogits",
        module=bernoulli,
        old=_P_X,
        new="(x - p) * dcost",
    ),
    Mistake(
        name="logits_for_probabilities",
        sentence="dlogits = logits - x; the sigmoid is missing",
        first="dlogits",
        module=bernoulli,
        old=_P_X,
        new="(logits - x) * dcost",
    ),
    Mistake(
        name="extra_sigmoid_slope",
        sentence="dlogits = (p - x) p (1 - p); p - x already contains the slope of the sigmoid",
        first="dlogits",
        module=bernoulli,
        old=_P_X,
        new="(p - x) * p * (1.0 - p) * dcost",
    ),
    Mistake(
        name="tanh_slope",
        sentence="the slope of tanh, 1 - p², instead of that of the sigmoid, p (1 - p)",
        first="dlogits",
        module=bernoulli,
        old=_P_X,
        new="(p - x) / (p * (1.0 - p)) * (1.0 - p * p) * dcost",
    ),
    Mistake(
        name="target_rounded",
        sentence="backward rounds the grey pixels to black and white; forward does not",
        first="dlogits",
        module=bernoulli,
        old=_P_X,
        new="(p - (x > 0.5)) * dcost",
    ),
    Mistake(
        name="input_for_target",
        sentence="backward compares with the corrupted input, forward with the clean target",
        first="dlogits",
        module=vae,
        old=_COST,
        new="self.likelihood.cost_backward(t.logits, t.x, t.p, share)",
    ),
    Mistake(
        name="not_averaged",
        sentence="the loss is a mean over the batch, the gradient a sum",
        first="dlogits",
        module=vae,
        old="share = 1.0 / len(t.x)",
        new="share = 1.0",
    ),
    Mistake(
        name="averaged_twice",
        sentence="the gradient is divided by the batch size twice",
        first="dlogits",
        module=vae,
        old="share = 1.0 / len(t.x)",
        new="share = 1.0 / len(t.x) ** 2",
    ),
    Mistake(
        name="averaged_over_pixels",
        sentence="the loss is a sum over the pixels, the gradient a mean",
        first="dlogits",
        module=vae,
        old=_COST,
        new="self.likelihood.cost_backward(t.logits, t.target, t.p, share / t.x.shape[1])",
    ),
    Mistake(
        name="rounded_to_float32",
        sentence="one array of the backward pass goes through float32",
        first="dlogits",
        module=vae,
        old=_COST,
        new=f"{_COST}.astype(np.float32).astype(t.p.dtype)",
    ),
    Mistake(
        name="bias_averaged",
        sentence="db is the mean of dy over the rows instead of the sum",
        first="b_out",
        module=layers,
        old=_DB,
        new="np.mean(dy, axis=0, out=self.db)",
    ),
    Mistake(
        name="bias_of_one_row",
        sentence="db is the dy of the first image instead of the sum over all images",
        first="b_out",
        module=layers,
        old=_DB,
        new="self.db[:] = dy[0]",
    ),
    Mistake(
        name="bias_forgotten",
        sentence="db is never written",
        first="b_out",
        module=layers,
        old=_DB,
        new="pass",
    ),
    Mistake(
        name="weights_averaged",
        sentence="dW is divided by the batch size, but dy already was",
        first="W_out",
        module=layers,
        old=_DW,
        new="np.matmul(x.T, dy / len(dy), out=self.dW)",
    ),
    Mistake(
        name="last_row_forgotten",
        sentence="dW leaves out the last image of the batch; a slice ends one too early",
        first="W_out",
        module=layers,
        old=_DW,
        new="np.matmul(x[:-1].T, dy[:-1], out=self.dW)",
    ),
    Mistake(
        name="last_unit_forgotten",
        sentence="the last column of dW is 0; a loop over the units ends one too early",
        first="W_out",
        module=layers,
        old=_DW,
        new="self.dW[:, :-1] = x.T @ dy[:, :-1]; self.dW[:, -1] = 0.0",
    ),
    Mistake(
        name="gradients_accumulated",
        sentence="dW is added up over the calls of backward and never reset",
        first="W_out",
        module=layers,
        old=_DW,
        new="self.dW += x.T @ dy",
    ),
    Mistake(
        name="updated_too_early",
        sentence="W is updated before backward computes dx from it",
        first="dg[0]",
        module=layers,
        old="dy @ self.W.T",
        new="dy @ (self.W - 1e-3 * self.dW).T",
    ),
    Mistake(
        name="weights_sign_lost",
        sentence="dx = dy |W|.T instead of dy W.T",
        first="dg[0]",
        module=layers,
        old="dy @ self.W.T",
        new="dy @ abs(self.W).T",
    ),
    Mistake(
        name="slope_missing",
        sentence="da = dy, without the slope of the activation; y >= 0 is always true of a ReLU",
        first="b_g1",
        module=layers,
        old=_RELU,
        new="dy * (y >= 0.0)",
        also=(Edit(layers, _TANH, "dy.copy()"),),
    ),
    Mistake(
        name="slope_of_the_gradient",
        sentence="the slope of the activation is computed from dy instead of y",
        first="b_g1",
        module=layers,
        old=_RELU,
        new="dy * (dy > 0.0)",
        also=(Edit(layers, _TANH, "dy * (1.0 - dy * dy)"),),
    ),
    Mistake(
        name="value_for_slope",
        sentence="dy is multiplied by the value of the activation instead of its slope",
        first="b_g1",
        module=layers,
        old=_RELU,
        new="dy * y",
        also=(Edit(layers, _TANH, "dy * y"),),
    ),
    Mistake(
        name="mean_for_sample",
        sentence="dW of the decoder is computed from mu instead of z",
        first="W_g1",
        module=vae,
        old="self.decoder.backward(t.z,",
        new="self.decoder.backward(t.mu,",
    ),
    Mistake(
        name="missing_half_sigma",
        sentence="d sigma / d logvar is sigma / 2; the 1/2 is missing",
        first="dlogvar",
        module=latent,
        old=_DLOGVAR,
        new="dz * np.exp(0.5 * logvar) * eps",
    ),
    Mistake(
        name="variance_for_sigma",
        sentence="sigma is exp(logvar / 2); backward has the variance, exp(logvar)",
        first="dlogvar",
        module=latent,
        old=_DLOGVAR,
        new="dz * 0.5 * np.exp(logvar) * eps",
    ),
    Mistake(
        name="sigma_missing",
        sentence="dlogvar = dz eps / 2; the factor sigma is missing",
        first="dlogvar",
        module=latent,
        old=_DLOGVAR,
        new="dz * 0.5 * eps",
    ),
    Mistake(
        name="noise_missing",
        sentence="dlogvar = dz sigma / 2; the factor eps is missing",
        first="dlogvar",
        module=latent,
        old=_DLOGVAR,
        new="dz * 0.5 * np.exp(0.5 * logvar)",
    ),
    Mistake(
        name="noise_drawn_again",
        sentence="backward draws its own eps; it must use that of forward",
        first="dlogvar",
        module=latent,
        old=_DLOGVAR,
        new="dz * 0.5 * np.exp(0.5 * logvar) * np.random.default_rng().standard_normal(eps.shape)",
    ),
    Mistake(
        name="sampling_path_missing",
        sentence="logvar gets the gradient of the KL alone, none through z",
        first="dlogvar",
        module=latent,
        old=_DLOGVAR,
        new="0.0 * dz",
    ),
    Mistake(
        name="missing_half_kl",
        sentence="d KL / d logvar is (exp(logvar) - 1) / 2; the 1/2 is missing",
        first="dlogvar",
        module=latent,
        old=_DKL,
        new="(np.exp(logvar) - 1.0)",
    ),
    Mistake(
        name="missing_one_kl",
        sentence="d KL / d logvar is (exp(logvar) - 1) / 2; the -1 is missing",
        first="dlogvar",
        module=latent,
        old=_DKL,
        new="0.5 * np.exp(logvar)",
    ),
    Mistake(
        name="sigma_for_variance_kl",
        sentence="d KL / d logvar is (exp(logvar) - 1) / 2; backward has exp(logvar / 2)",
        first="dlogvar",
        module=latent,
        old=_DKL,
        new="0.5 * (np.exp(0.5 * logvar) - 1.0)",
    ),
    Mistake(
        name="kl_sign_logvar",
        sentence="the gradient of the KL has the wrong sign in logvar",
        first="dlogvar",
        module=latent,
        old=_DKL,
        new="0.5 * (1.0 - np.exp(logvar))",
    ),
    Mistake(
        name="kl_sign",
        sentence="the gradient of the KL has the wrong sign, in mu and in logvar",
        first="dlogvar",
        module=latent,
        old=_KL_BACK,
        new="return -mu, 0.5 * (1.0 - np.exp(logvar))",
    ),
    Mistake(
        name="kl_not_averaged",
        sentence="the gradient of the KL is summed over the batch; the rest is averaged",
        first="dlogvar",
        module=vae,
        old=_ADD_MU,
        new=" + self.beta * dmu_kl",
        also=(Edit(vae, _ADD_LOGVAR, " + self.beta * dlogvar_kl"),),
    ),
    Mistake(
        name="beta_missing",
        sentence="the gradient of the KL is not multiplied by beta",
        first="dlogvar",
        module=vae,
        old=_ADD_MU,
        new=" + share * dmu_kl",
        also=(Edit(vae, _ADD_LOGVAR, " + share * dlogvar_kl"),),
    ),
    Mistake(
        name="kl_missing",
        sentence="the gradient of the KL is missing",
        first="dlogvar",
        module=vae,
        old=_ADD_MU,
        new="",
        also=(Edit(vae, _ADD_LOGVAR, ""),),
    ),
    Mistake(
        name="kl_missing_in_mu",
        sentence="mu gets the gradient through z alone, none from the KL",
        first="dmu",
        module=vae,
        old=_ADD_MU,
        new="",
    ),
    Mistake(
        name="kl_doubled_in_mu",
        sentence="d KL / d mu is mu, because the KL contains mu² / 2; backward has 2 mu",
        first="dmu",
        module=latent,
        old="return mu.copy(),",
        new="return 2.0 * mu,",
    ),
    Mistake(
        name="logvar_head_forgotten",
        sentence="the weights of the logvar layer never get a gradient",
        first="b_logvar",
        module=networks,
        old=_LOGVAR_HEAD,
        new="dlogvar @ self.logvar.W.T",
    ),
    Mistake(
        name="heads_mixed_up",
        sentence="the logvar layer gets dmu instead of dlogvar",
        first="b_logvar",
        module=networks,
        old=_LOGVAR_HEAD,
        new="self.logvar.backward(h[-1], dmu)",
    ),
    Mistake(
        name="logvar_path_missing",
        sentence="h feeds mu and logvar, but dh contains the gradient through mu only",
        first="dh[0]",
        module=networks,
        old="through_mu + through_logvar",
        new="through_mu",
    ),
    Mistake(
        name="mu_path_overwritten",
        sentence="in dh, the gradient through logvar overwrites that through mu: = instead of +=",
        first="dh[0]",
        module=networks,
        old="through_mu + through_logvar",
        new="through_logvar",
    ),
    Mistake(
        name="target_for_input",
        sentence="dW of the encoder is computed from the clean target instead of the input",
        first="W_h1",
        module=vae,
        old="self.encoder.backward(t.x,",
        new="self.encoder.backward(t.target,",
    ),
    Mistake(
        name="noise_never_added",
        sentence="z = mu in forward and in backward: an autoencoder, whose loss is not a bound",
        first=None,
        module=latent,
        old=_Z,
        new="mu + 0.0 * eps",
        also=(Edit(latent, _DLOGVAR, "0.0 * dz"),),
    ),
    Mistake(
        name="logvar_is_log_sigma",
        sentence="sigma = exp(logvar) in forward and backward; the KL reads logvar as log sigma²",
        first=None,
        module=latent,
        old=_Z,
        new="mu + np.exp(logvar) * eps",
        also=(Edit(latent, _DLOGVAR, "dz * np.exp(logvar) * eps"),),
    ),
    Mistake(
        name="kl_averaged_over_latents",
        sentence="the KL is a mean over the latents instead of a sum, and so is its gradient",
        first=None,
        module=latent,
        old=_KL,
        new="kl_per_latent(mu, logvar).mean(axis=1)",
        also=(
            Edit(
                latent,
                _KL_BACK,
                "return mu / mu.shape[1], 0.5 * (np.exp(logvar) - 1.0) / mu.shape[1]",
            ),
        ),
    ),
    Mistake(
        name="kl_sign_in_the_loss",
        sentence="the KL is subtracted, in the loss and in its gradient; the posterior diverges",
        first=None,
        module=latent,
        old=_KL,
        new="-kl_per_latent(mu, logvar).sum(axis=1)",
        also=(Edit(latent, _KL_BACK, "return -mu, 0.5 * (1.0 - np.exp(logvar))"),),
    ),
)

MISTAKES = {mistake.name: mistake for mistake in _TABLE}
