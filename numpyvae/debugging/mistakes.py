"""The museum of known mistakes in backward passes, each an edit of a line or two of numpyvae.core.

To add one, add a Mistake to the table. The tests fail unless the gradient check finds it.
"""

from __future__ import annotations

import inspect
import textwrap
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

from numpyvae.core import bernoulli, latent, layers, vae


class Edit(NamedTuple):
    """A replacement of `old`, which occurs once in the source of `module`, by `new`."""

    module: ModuleType
    old: str
    new: str


@dataclass(frozen=True)
class Mistake:
    """A mistake: in the source of `module`, `old` is replaced by `new`.

    story  the mistake in a sentence
    first  the first gradient of the backward pass that comes out wrong; None if forward contains
           the same mistake, so that no gradient check can see it
    also   further edits that belong to it
    """

    name: str
    story: str
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

    def exhibit(self) -> str:
        """The story, and the lines of source without (-) and with the mistake (+)."""
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
        return f"{self.name}: {self.story}"


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


_ADD_KL = """t.dmu += self.beta * share * dmu_kl
        t.dlogvar += self.beta * share * dlogvar_kl"""

# In the order of the backward pass. Gradients are named as in a Trace and in `parameters`.
_TABLE = (
    Mistake(
        name="cross_entropy_sign",
        story="dlogits = x - p instead of p - x",
        first="dlogits",
        module=bernoulli,
        old="np.subtract(sigmoid(logits) if p is None else p, x, out=out)",
        new="np.subtract(x, sigmoid(logits) if p is None else p, out=out)",
    ),
    Mistake(
        name="logits_for_probabilities",
        story="dlogits = logits - x; the sigmoid is missing",
        first="dlogits",
        module=bernoulli,
        old="np.subtract(sigmoid(logits) if p is None else p, x, out=out)",
        new="np.subtract(logits, x, out=out)",
    ),
    Mistake(
        name="extra_sigmoid_slope",
        story="dlogits = (p - x) p (1 - p); p - x already contains the slope of the sigmoid",
        first="dlogits",
        module=bernoulli,
        old="return np.subtract(sigmoid(logits) if p is None else p, x, out=out)",
        new="p = sigmoid(logits); return np.multiply(p - x, p * (1.0 - p), out=out)",
    ),
    Mistake(
        name="tanh_slope",
        story="the slope of tanh, 1 - p², instead of that of the sigmoid, p (1 - p)",
        first="dlogits",
        module=bernoulli,
        old="return np.subtract(sigmoid(logits) if p is None else p, x, out=out)",
        new="p = sigmoid(logits); return np.multiply((p - x) / (p * (1 - p)), 1 - p * p, out=out)",
    ),
    Mistake(
        name="target_rounded",
        story="backward rounds the grey pixels to black and white; forward does not",
        first="dlogits",
        module=bernoulli,
        old="np.subtract(sigmoid(logits) if p is None else p, x, out=out)",
        new="np.subtract(sigmoid(logits) if p is None else p, x > 0.5, out=out)",
    ),
    Mistake(
        name="input_for_target",
        story="backward compares with the corrupted input, forward with the clean target",
        first="dlogits",
        module=vae,
        old="t.dlogits = cross_entropy_backward(t.logits, t.target, t.p, out=t.dlogits)",
        new="t.dlogits = cross_entropy_backward(t.logits, t.x, t.p, out=t.dlogits)",
    ),
    Mistake(
        name="not_averaged",
        story="the loss is a mean over the batch, the gradient a sum",
        first="dlogits",
        module=vae,
        old="share = 1.0 / len(t.x)",
        new="share = 1.0",
    ),
    Mistake(
        name="averaged_twice",
        story="the gradient is divided by the batch size twice",
        first="dlogits",
        module=vae,
        old="share = 1.0 / len(t.x)",
        new="share = 1.0 / len(t.x) ** 2",
    ),
    Mistake(
        name="averaged_over_pixels",
        story="the loss is a sum over the pixels, the gradient a mean",
        first="dlogits",
        module=vae,
        old="t.dlogits *= share",
        new="t.dlogits *= share / t.x.shape[1]",
    ),
    Mistake(
        name="rounded_to_float32",
        story="one array of the backward pass goes through float32",
        first="dlogits",
        module=vae,
        old="t.dlogits *= share",
        new="t.dlogits *= share; t.dlogits[:] = t.dlogits.astype(np.float32)",
    ),
    Mistake(
        name="bias_averaged",
        story="db is the mean of dy over the rows instead of the sum",
        first="b_out",
        module=layers,
        old="np.sum(dy, axis=0, out=self.db)",
        new="np.mean(dy, axis=0, out=self.db)",
    ),
    Mistake(
        name="bias_of_one_row",
        story="db is the dy of the first image instead of the sum over all images",
        first="b_out",
        module=layers,
        old="np.sum(dy, axis=0, out=self.db)",
        new="self.db[:] = dy[0]",
    ),
    Mistake(
        name="bias_forgotten",
        story="db is never written",
        first="b_out",
        module=layers,
        old="np.sum(dy, axis=0, out=self.db)",
        new="pass",
    ),
    Mistake(
        name="weights_averaged",
        story="dW is divided by the batch size, but dy already was",
        first="W_out",
        module=layers,
        old="np.matmul(x.T, dy, out=self.dW)",
        new="np.matmul(x.T, dy / len(dy), out=self.dW)",
    ),
    Mistake(
        name="last_row_forgotten",
        story="dW leaves out the last image of the batch; a slice ends one too early",
        first="W_out",
        module=layers,
        old="np.matmul(x.T, dy, out=self.dW)",
        new="np.matmul(x[:-1].T, dy[:-1], out=self.dW)",
    ),
    Mistake(
        name="last_unit_forgotten",
        story="the last column of dW is 0; a loop over the units ends one too early",
        first="W_out",
        module=layers,
        old="np.matmul(x.T, dy, out=self.dW)",
        new="np.matmul(x.T, dy, out=self.dW); self.dW[:, -1] = 0.0",
    ),
    Mistake(
        name="gradients_accumulated",
        story="dW is added up over the calls of backward and never reset",
        first="W_out",
        module=layers,
        old="np.matmul(x.T, dy, out=self.dW)",
        new="self.dW += x.T @ dy",
    ),
    Mistake(
        name="updated_too_early",
        story="W is updated before backward computes dx from it",
        first="dg[0]",
        module=layers,
        old="np.matmul(dy, self.W.T, out=out)",
        new="np.matmul(dy, (self.W - 1e-3 * self.dW).T, out=out)",
    ),
    Mistake(
        name="weights_sign_lost",
        story="dx = dy |W|.T instead of dy W.T",
        first="dg[0]",
        module=layers,
        old="np.matmul(dy, self.W.T, out=out)",
        new="np.matmul(dy, abs(self.W).T, out=out)",
    ),
    Mistake(
        name="relu_mask_missing",
        story="the mask y >= 0 is always true, because y = relu(a) is never negative",
        first="da_g[0]",
        module=layers,
        old="np.greater(y, 0.0, out=",
        new="np.greater_equal(y, 0.0, out=",
    ),
    Mistake(
        name="relu_mask_of_the_gradient",
        story="the mask is taken from the sign of dy instead of that of y",
        first="da_g[0]",
        module=layers,
        old="np.greater(y, 0.0, out=",
        new="np.greater(dy, 0.0, out=",
    ),
    Mistake(
        name="relu_value_for_slope",
        story="dy is multiplied by the value of the ReLU instead of its slope, 0 or 1",
        first="da_g[0]",
        module=layers,
        old="np.multiply(dy, slope, out=slope)",
        new="np.multiply(dy, y, out=slope)",
    ),
    Mistake(
        name="mean_for_sample",
        story="dW of the decoder is computed from mu instead of z",
        first="W_g1",
        module=vae,
        old="t.dz = self.decoder.hidden.backward(t.z,",
        new="t.dz = self.decoder.hidden.backward(t.mu,",
    ),
    Mistake(
        name="missing_half_sigma",
        story="d sigma / d logvar is sigma / 2; the 1/2 is missing",
        first="dlogvar",
        module=latent,
        old="    dlogvar *= 0.5\n",
        new="",
    ),
    Mistake(
        name="variance_for_sigma",
        story="sigma is exp(logvar / 2); backward has the variance, exp(logvar)",
        first="dlogvar",
        module=latent,
        old="np.multiply(logvar, 0.5, out=out[1])",
        new="np.positive(logvar, out=out[1])",
    ),
    Mistake(
        name="sigma_missing",
        story="dlogvar = dz eps / 2; the factor sigma is missing",
        first="dlogvar",
        module=latent,
        old="np.exp(dlogvar, out=dlogvar)",
        new="dlogvar.fill(1.0)",
    ),
    Mistake(
        name="noise_missing",
        story="dlogvar = dz sigma / 2; the factor eps is missing",
        first="dlogvar",
        module=latent,
        old="    dlogvar *= eps\n",
        new="",
    ),
    Mistake(
        name="noise_drawn_again",
        story="backward draws its own eps; it must use that of forward",
        first="dlogvar",
        module=latent,
        old="    dlogvar *= eps\n",
        new="    dlogvar *= np.random.default_rng().standard_normal(eps.shape)\n",
    ),
    Mistake(
        name="sampling_path_missing",
        story="logvar gets the gradient of the KL alone, none through z",
        first="dlogvar",
        module=latent,
        old="    dlogvar *= dz\n",
        new="    dlogvar *= 0.0\n",
    ),
    Mistake(
        name="missing_half_kl",
        story="d KL / d logvar is (exp(logvar) - 1) / 2; the 1/2 is missing",
        first="dlogvar",
        module=latent,
        old="0.5 * (np.exp(logvar) - 1.0)",
        new="(np.exp(logvar) - 1.0)",
    ),
    Mistake(
        name="missing_one_kl",
        story="d KL / d logvar is (exp(logvar) - 1) / 2; the -1 is missing",
        first="dlogvar",
        module=latent,
        old="0.5 * (np.exp(logvar) - 1.0)",
        new="0.5 * np.exp(logvar)",
    ),
    Mistake(
        name="sigma_for_variance_kl",
        story="d KL / d logvar is (exp(logvar) - 1) / 2; backward has exp(logvar / 2)",
        first="dlogvar",
        module=latent,
        old="0.5 * (np.exp(logvar) - 1.0)",
        new="0.5 * (np.exp(0.5 * logvar) - 1.0)",
    ),
    Mistake(
        name="kl_sign_logvar",
        story="the gradient of the KL has the wrong sign in logvar",
        first="dlogvar",
        module=latent,
        old="0.5 * (np.exp(logvar) - 1.0)",
        new="0.5 * (1.0 - np.exp(logvar))",
    ),
    Mistake(
        name="kl_sign",
        story="the gradient of the KL has the wrong sign, in mu and in logvar",
        first="dlogvar",
        module=latent,
        old="return mu.copy(), 0.5 * (np.exp(logvar) - 1.0)",
        new="return -mu, 0.5 * (1.0 - np.exp(logvar))",
    ),
    Mistake(
        name="kl_not_averaged",
        story="the gradient of the KL is summed over the batch; the rest is averaged",
        first="dlogvar",
        module=vae,
        old=_ADD_KL,
        new=_ADD_KL.replace(" * share", ""),
    ),
    Mistake(
        name="beta_missing",
        story="the gradient of the KL is not multiplied by beta",
        first="dlogvar",
        module=vae,
        old=_ADD_KL,
        new=_ADD_KL.replace("self.beta * ", ""),
    ),
    Mistake(
        name="kl_missing",
        story="the gradient of the KL is missing",
        first="dlogvar",
        module=vae,
        old=_ADD_KL,
        new="pass",
    ),
    Mistake(
        name="kl_missing_in_mu",
        story="mu gets the gradient through z alone, none from the KL",
        first="dmu",
        module=vae,
        old="t.dmu += self.beta * share * dmu_kl",
        new="pass",
    ),
    Mistake(
        name="kl_doubled_in_mu",
        story="d KL / d mu is mu, because the KL contains mu² / 2; backward has 2 mu",
        first="dmu",
        module=latent,
        old="return mu.copy(),",
        new="return 2.0 * mu,",
    ),
    Mistake(
        name="logvar_head_forgotten",
        story="the weights of the logvar layer never get a gradient",
        first="b_logvar",
        module=vae,
        old="self.encoder.logvar.backward(t.h[-1], t.dlogvar, out=t.dh_logvar)",
        new="np.matmul(t.dlogvar, self.encoder.logvar.W.T, out=t.dh_logvar)",
    ),
    Mistake(
        name="heads_mixed_up",
        story="the logvar layer gets dmu instead of dlogvar",
        first="b_logvar",
        module=vae,
        old="self.encoder.logvar.backward(t.h[-1], t.dlogvar, out=t.dh_logvar)",
        new="self.encoder.logvar.backward(t.h[-1], t.dmu, out=t.dh_logvar)",
    ),
    Mistake(
        name="logvar_path_missing",
        story="h feeds mu and logvar, but dh contains the gradient through mu only",
        first="dh[0]",
        module=vae,
        old="t.dh[-1] += t.dh_logvar",
        new="pass",
    ),
    Mistake(
        name="mu_path_overwritten",
        story="in dh, the gradient through logvar overwrites the one through mu: = instead of +=",
        first="dh[0]",
        module=vae,
        old="t.dh[-1] += t.dh_logvar",
        new="t.dh[-1] = t.dh_logvar.copy()",
    ),
    Mistake(
        name="target_for_input",
        story="dW of the encoder is computed from the clean target instead of the input",
        first="W_h1",
        module=vae,
        old="self.encoder.hidden.backward(t.x,",
        new="self.encoder.hidden.backward(t.target,",
    ),
    Mistake(
        name="noise_never_added",
        story="z = mu in forward and in backward: an autoencoder, whose loss is not a bound",
        first=None,
        module=latent,
        old="    z *= eps\n",
        new="    z *= 0.0\n",
        also=(Edit(latent, "    dlogvar *= eps\n", "    dlogvar *= 0.0\n"),),
    ),
    Mistake(
        name="logvar_is_log_sigma",
        story="sigma = exp(logvar) in forward and in backward; the KL reads logvar as log sigma²",
        first=None,
        module=latent,
        old="z = np.multiply(logvar, 0.5, out=out)",
        new="z = np.positive(logvar, out=out)",
        also=(
            Edit(latent, "np.multiply(logvar, 0.5, out=out[1])", "np.positive(logvar, out=out[1])"),
            Edit(latent, "    dlogvar *= 0.5\n", ""),
        ),
    ),
    Mistake(
        name="kl_averaged_over_latents",
        story="the KL is a mean over the latents instead of a sum, and so is its gradient",
        first=None,
        module=latent,
        old="kl_per_latent(mu, logvar).sum(axis=1)",
        new="kl_per_latent(mu, logvar).mean(axis=1)",
        also=(
            Edit(
                latent,
                "return mu.copy(), 0.5 * (np.exp(logvar) - 1.0)",
                "return mu / mu.shape[1], 0.5 * (np.exp(logvar) - 1.0) / mu.shape[1]",
            ),
        ),
    ),
    Mistake(
        name="kl_sign_in_the_loss",
        story="the KL is subtracted, in the loss and in its gradient; the posterior diverges",
        first=None,
        module=latent,
        old="kl_per_latent(mu, logvar).sum(axis=1)",
        new="-kl_per_latent(mu, logvar).sum(axis=1)",
        also=(
            Edit(
                latent,
                "return mu.copy(), 0.5 * (np.exp(logvar) - 1.0)",
                "return -mu, 0.5 * (1.0 - np.exp(logvar))",
            ),
        ),
    ),
)

MISTAKES = {mistake.name: mistake for mistake in _TABLE}
