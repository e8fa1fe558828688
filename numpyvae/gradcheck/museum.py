"""A museum of mistakes in backward passes, each a line or two of this package's source, altered.

    wrong = break_backward(vae, "missing_half_kl")

gives a model whose backward has that mistake: to practise on, and to check the checker with.
"""

from __future__ import annotations

import difflib
import functools
import inspect
import textwrap
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from numpyvae import bernoulli, gaussian, layers, vae
from numpyvae.vae import VAE

Edit = tuple[ModuleType, str, str]  # a module, what its source says, what is to be said instead


@dataclass(frozen=True)
class Mistake:
    """One exhibit: in the source of `module`, `right` is replaced by `wrong`.

    story      what went wrong, in a sentence
    first      the gradient nearest the loss that comes out wrong
    invisible  forward has the same mistake (`edits`): no gradient check can see it
    edits      further replacements (module, right, wrong)
    """

    name: str
    module: ModuleType
    right: str
    wrong: str
    first: str
    story: str
    edits: tuple[Edit, ...] = ()

    @property
    def invisible(self) -> bool:
        """Whether forward and backward are wrong alike."""
        return not self.first

    def exhibit(self) -> str:
        """The story, and the lines of source as they are (-) and with the mistake (+)."""
        lines, last = [str(self)], None
        for module, right, wrong in ((self.module, self.right, self.wrong), *self.edits):
            if module is not last:
                lines.append(f"  {module.__name__.replace('.', '/')}.py")
            last = module
            source = inspect.getsource(module)
            start, end = source.index(right), source.index(right) + len(right)
            start, end = source.rindex("\n", 0, start) + 1, source.index("\n", end - 1)
            before = source[start:end]
            after = source.replace(right, wrong)[start : end + len(wrong) - len(right)]
            for sign, text in (("-", before), ("+", after)):
                shown = textwrap.dedent(text).rstrip().splitlines() or ["(nothing)"]
                lines += [f"  {sign} {line}" for line in shown if line.strip()]
        if self.invisible:
            lines.append(
                "  Forward and backward have it alike, so they fit each other: "
                "no gradient check can see it."
            )
        return "\n".join(lines)

    def __str__(self) -> str:
        return f"{self.name}: {self.story}"


# In the order of the backward pass; the tensors are named as in a Trace and in `parameters`.
_EXHIBITS = (
    Mistake(
        "cross_entropy_sign", bernoulli,
        "np.subtract(sigmoid(logits) if p is None else p, x, out=out)",
        "np.subtract(x, sigmoid(logits) if p is None else p, out=out)",
        "dlogits", "dlogits = x - p; it is p - x",
    ),
    Mistake(
        "logits_for_probabilities", bernoulli,
        "np.subtract(sigmoid(logits) if p is None else p, x, out=out)",
        "np.subtract(logits, x, out=out)",
        "dlogits", "dlogits = logits - x; the sigmoid is forgotten",
    ),
    Mistake(
        "extra_sigmoid_slope", bernoulli,
        "return np.subtract(sigmoid(logits) if p is None else p, x, out=out)",
        "p = sigmoid(logits); return np.multiply(p - x, p * (1.0 - p), out=out)",
        "dlogits", "dlogits = (p - x) p (1 - p); the slope of the sigmoid is in p - x already",
    ),
    Mistake(
        "tanh_slope", bernoulli,
        "return np.subtract(sigmoid(logits) if p is None else p, x, out=out)",
        "p = sigmoid(logits); return np.multiply((p - x) / (p * (1 - p)), 1 - p * p, out=out)",
        "dlogits", "the slope of the tanh, 1 - p², in the place of the sigmoid's, p (1 - p)",
    ),
    Mistake(
        "target_rounded", bernoulli,
        "np.subtract(sigmoid(logits) if p is None else p, x, out=out)",
        "np.subtract(sigmoid(logits) if p is None else p, x > 0.5, out=out)",
        "dlogits", "backward takes the grey pixels for black and white ones, forward does not",
    ),
    Mistake(
        "input_for_target", vae,
        "t.dlogits = cross_entropy_backward(t.logits, t.target, t.p, out=t.dlogits)",
        "t.dlogits = cross_entropy_backward(t.logits, t.x, t.p, out=t.dlogits)",
        "dlogits", "backward compares with the corrupted input, forward with the clean target",
    ),
    Mistake(
        "not_averaged", vae,
        "share = 1.0 / len(t.x)",
        "share = 1.0",
        "dlogits", "the loss is a mean over the batch, the gradient a sum",
    ),
    Mistake(
        "averaged_twice", vae,
        "share = 1.0 / len(t.x)",
        "share = 1.0 / len(t.x) ** 2",
        "dlogits", "the gradient is divided by the batch size once more than the loss",
    ),
    Mistake(
        "averaged_over_pixels", vae,
        "t.dlogits *= share",
        "t.dlogits *= share / t.x.shape[1]",
        "dlogits", "the loss is a sum over the pixels, the gradient a mean",
    ),
    Mistake(
        "rounded_to_float32", vae,
        "t.dlogits *= share",
        "t.dlogits *= share; t.dlogits[:] = t.dlogits.astype(np.float32)",
        "dlogits", "one array of the backward pass goes through float32",
    ),
    Mistake(
        "bias_averaged", layers,
        "np.sum(dy, axis=0, out=self.db)",
        "np.mean(dy, axis=0, out=self.db)",
        "b_out", "db is the mean of dy over the rows; it is the sum",
    ),
    Mistake(
        "bias_of_one_row", layers,
        "np.sum(dy, axis=0, out=self.db)",
        "self.db[:] = dy[0]",
        "b_out", "db is the dy of the first image alone; it is the sum over all rows",
    ),
    Mistake(
        "bias_forgotten", layers,
        "np.sum(dy, axis=0, out=self.db)",
        "pass",
        "b_out", "db is never written",
    ),
    Mistake(
        "weights_averaged", layers,
        "np.matmul(x.T, dy, out=self.dW)",
        "np.matmul(x.T, dy / len(dy), out=self.dW)",
        "W_out", "dW is divided by the batch size, which dy was already",
    ),
    Mistake(
        "last_row_forgotten", layers,
        "np.matmul(x.T, dy, out=self.dW)",
        "np.matmul(x[:-1].T, dy[:-1], out=self.dW)",
        "W_out", "dW leaves out the last image of the batch: a slice is one too short",
    ),
    Mistake(
        "last_unit_forgotten", layers,
        "np.matmul(x.T, dy, out=self.dW)",
        "np.matmul(x.T, dy, out=self.dW); self.dW[:, -1] = 0.0",
        "W_out", "the last column of dW is 0: a loop over the units ends one too early",
    ),
    Mistake(
        "gradients_accumulated", layers,
        "np.matmul(x.T, dy, out=self.dW)",
        "self.dW += x.T @ dy",
        "W_out", "dW is added up over the calls of backward and never reset",
    ),
    Mistake(
        "updated_too_early", layers,
        "return np.matmul(dy, self.W.T, out=out)",
        "return np.matmul(dy, (self.W - 1e-3 * self.dW).T, out=out)",
        "dg[0]", "W is updated before backward has passed through it",
    ),
    Mistake(
        "weights_sign_lost", layers,
        "return np.matmul(dy, self.W.T, out=out)",
        "return np.matmul(dy, abs(self.W).T, out=out)",
        "dg[0]", "dx = dy |W|.T; it is dy W.T",
    ),
    Mistake(
        "relu_mask_missing", layers,
        "np.greater(y, 0.0, out=",
        "np.greater_equal(y, 0.0, out=",
        "da_g[0]", "the mask y >= 0 lets everything through, for y = relu(a) is never negative",
    ),
    Mistake(
        "relu_mask_of_the_gradient", layers,
        "np.greater(y, 0.0, out=",
        "np.greater(dy, 0.0, out=",
        "da_g[0]", "the mask is taken from the sign of dy; it is that of the layer's output",
    ),
    Mistake(
        "relu_value_for_slope", layers,
        "np.multiply(dy, slope, out=slope)",
        "np.multiply(dy, y, out=slope)",
        "da_g[0]", "dy is multiplied by the ReLU's value; it is its slope, 0 or 1",
    ),
    Mistake(
        "mean_for_sample", vae,
        "t.dz = self.decoder.backward(t.z,",
        "t.dz = self.decoder.backward(t.mu,",
        "W_g1", "dW of the decoder is taken at mu; forward gave it z",
    ),
    Mistake(
        "missing_half_sigma", gaussian,
        "    dlogvar *= 0.5\n",
        "",
        "dlogvar", "d sigma / d logvar is sigma / 2; the 1/2 is missing",
    ),
    Mistake(
        "variance_for_sigma", gaussian,
        "np.multiply(logvar, 0.5, out=out[1])",
        "np.positive(logvar, out=out[1])",
        "dlogvar", "sigma is exp(logvar / 2); backward has the variance, exp(logvar)",
    ),
    Mistake(
        "sigma_missing", gaussian,
        "np.exp(dlogvar, out=dlogvar)",
        "dlogvar.fill(1.0)",
        "dlogvar", "dlogvar = dz eps / 2; the factor sigma is missing",
    ),
    Mistake(
        "noise_missing", gaussian,
        "    dlogvar *= eps\n",
        "",
        "dlogvar", "dlogvar = dz sigma / 2; the factor eps is missing",
    ),
    Mistake(
        "noise_drawn_again", gaussian,
        "    dlogvar *= eps\n",
        "    dlogvar *= np.random.default_rng().standard_normal(eps.shape)\n",
        "dlogvar", "backward draws an eps of its own; it must use that of forward",
    ),
    Mistake(
        "sampling_path_missing", gaussian,
        "    dlogvar *= dz\n",
        "    dlogvar *= 0.0\n",
        "dlogvar", "logvar gets the gradient of the KL alone, none through z",
    ),
    Mistake(
        "missing_half_kl", gaussian,
        "0.5 * (np.exp(logvar) - 1.0)",
        "(np.exp(logvar) - 1.0)",
        "dlogvar", "d KL / d logvar is (exp(logvar) - 1) / 2; the 1/2 is missing",
    ),
    Mistake(
        "missing_one_kl", gaussian,
        "0.5 * (np.exp(logvar) - 1.0)",
        "0.5 * np.exp(logvar)",
        "dlogvar", "d KL / d logvar is (exp(logvar) - 1) / 2; the -1 is missing",
    ),
    Mistake(
        "sigma_for_variance_kl", gaussian,
        "0.5 * (np.exp(logvar) - 1.0)",
        "0.5 * (np.exp(0.5 * logvar) - 1.0)",
        "dlogvar", "d KL / d logvar is (exp(logvar) - 1) / 2; backward has exp(logvar / 2)",
    ),
    Mistake(
        "kl_sign_logvar", gaussian,
        "0.5 * (np.exp(logvar) - 1.0)",
        "0.5 * (1.0 - np.exp(logvar))",
        "dlogvar", "the gradient of the KL has the wrong sign in logvar",
    ),
    Mistake(
        "kl_sign", gaussian,
        "return mu.copy(), 0.5 * (np.exp(logvar) - 1.0)",
        "return -mu, 0.5 * (1.0 - np.exp(logvar))",
        "dlogvar", "the gradient of the KL has the wrong sign, in mu and in logvar",
    ),
    Mistake(
        "kl_not_averaged", vae,
        "t.dmu += self.beta * share * dmu_kl\n        t.dlogvar += self.beta * share * dlogvar_kl",
        "t.dmu += self.beta * dmu_kl\n        t.dlogvar += self.beta * dlogvar_kl",
        "dlogvar", "the KL's gradient is summed over the batch, the rest is averaged",
    ),
    Mistake(
        "beta_missing", vae,
        "t.dmu += self.beta * share * dmu_kl\n        t.dlogvar += self.beta * share * dlogvar_kl",
        "t.dmu += share * dmu_kl\n        t.dlogvar += share * dlogvar_kl",
        "dlogvar", "the KL's gradient is not multiplied by beta",
    ),
    Mistake(
        "kl_missing", vae,
        "t.dmu += self.beta * share * dmu_kl\n        t.dlogvar += self.beta * share * dlogvar_kl",
        "pass",
        "dlogvar", "the gradient of the KL is forgotten",
    ),
    Mistake(
        "kl_missing_in_mu", vae,
        "t.dmu += self.beta * share * dmu_kl",
        "pass",
        "dmu", "mu gets the gradient through z alone, none from the KL",
    ),
    Mistake(
        "kl_doubled_in_mu", gaussian,
        "return mu.copy(),",
        "return 2.0 * mu,",
        "dmu", "d KL / d mu is mu, for the KL has mu² / 2; backward has 2 mu",
    ),
    Mistake(
        "logvar_head_forgotten", vae,
        "self.logvar_head.backward(t.h[-1], t.dlogvar, out=t.dh_logvar)",
        "self.logvar_head.backward_input(t.dlogvar, out=t.dh_logvar)",
        "b_logvar", "the weights of the logvar head never get a gradient",
    ),
    Mistake(
        "heads_mixed_up", vae,
        "self.logvar_head.backward(t.h[-1], t.dlogvar, out=t.dh_logvar)",
        "self.logvar_head.backward(t.h[-1], t.dmu, out=t.dh_logvar)",
        "b_logvar", "the logvar head is given dmu",
    ),
    Mistake(
        "logvar_path_missing", vae,
        "t.dh[-1] += t.dh_logvar",
        "pass",
        "dh[0]", "h feeds both heads, but only mu's gradient arrives in it",
    ),
    Mistake(
        "mu_path_overwritten", vae,
        "t.dh[-1] += t.dh_logvar",
        "t.dh[-1] = t.dh_logvar.copy()",
        "dh[0]", "logvar's gradient overwrites mu's in h: = where += is due",
    ),
    Mistake(
        "target_for_input", vae,
        "self.encoder.backward_weights(t.x,",
        "self.encoder.backward_weights(t.target,",
        "W_h1", "dW of the encoder is taken at the clean target; forward gave it the input",
    ),
    Mistake(
        "noise_never_added", gaussian,
        "    z *= eps\n",
        "    z *= 0.0\n",
        "", "z is mu, in forward and in backward: an autoencoder, whose loss is no bound",
        ((gaussian, "    dlogvar *= eps\n", "    dlogvar *= 0.0\n"),),
    ),
    Mistake(
        "logvar_is_log_sigma", gaussian,
        "z: Array = np.multiply(logvar, 0.5, out=out)",
        "z: Array = np.positive(logvar, out=out)",
        "", "sigma = exp(logvar) in forward and in backward; the KL means the variance",
        (
            (gaussian, "np.multiply(logvar, 0.5, out=out[1])", "np.positive(logvar, out=out[1])"),
            (gaussian, "    dlogvar *= 0.5\n", ""),
        ),
    ),
    Mistake(
        "kl_averaged_over_latents", gaussian,
        "0.5 * terms.sum(axis=1)",
        "0.5 * terms.mean(axis=1)",
        "", "the KL is averaged over the latents, in the loss and in its gradient; it adds up",
        (
            (
                gaussian,
                "return mu.copy(), 0.5 * (np.exp(logvar) - 1.0)",
                "return mu / mu.shape[1], 0.5 * (np.exp(logvar) - 1.0) / mu.shape[1]",
            ),
        ),
    ),
    Mistake(
        "kl_sign_in_the_loss", gaussian,
        "0.5 * terms.sum(axis=1)",
        "-0.5 * terms.sum(axis=1)",
        "", "the KL is subtracted, in the loss and in its gradient: the posterior runs away",
        (
            (
                gaussian,
                "return mu.copy(), 0.5 * (np.exp(logvar) - 1.0)",
                "return -mu, 0.5 * (1.0 - np.exp(logvar))",
            ),
        ),
    ),
)  # fmt: skip

MISTAKES = {mistake.name: mistake for mistake in _EXHIBITS}


def break_backward(model: VAE, *names: str) -> VAE:
    """A copy of the model, with the same weights, whose backward has the mistakes `names`.

    Raises ValueError for a name that is not in MISTAKES, or for two that alter the same line. The
    copy shares nothing with the model.
    """
    for name in names:
        if name not in MISTAKES:
            raise ValueError(
                f"mistake: expected one of the {len(MISTAKES)} mistakes that "
                f"numpyvae gradcheck --list shows, got {name!r}; {_nearest(name)}"
            )
    methods = _altered_methods(names)
    wrong: VAE = object.__new__(type(type(model).__name__, (type(model),), methods))
    wrong.__dict__.update(model.__dict__)
    return wrong.astype(model.parameters.value.dtype)


def _nearest(name: str) -> str:
    nearest = difflib.get_close_matches(name, MISTAKES, n=1, cutoff=0.0)[0]
    return f"the nearest is {nearest}"


@functools.cache
def _altered_methods(names: tuple[str, ...]) -> dict[str, Any]:
    """The passes of VAE as its source has them once these mistakes are in it."""
    edits: list[Edit] = []
    for mistake in map(MISTAKES.__getitem__, names):
        edits += [(mistake.module, mistake.right, mistake.wrong), *mistake.edits]
    spaces: dict[ModuleType, dict[str, Any]] = {}
    for module in (layers, gaussian, bernoulli, vae):
        source = inspect.getsource(module)
        for where, right, wrong in edits:
            if where is module and source.count(right) != 1:
                raise ValueError(f"names: {' and '.join(names)} alter the same line; take one")
            source = source.replace(right, wrong) if where is module else source
        spaces[module] = {"__name__": module.__name__}
        exec(compile(source, f"<{module.__name__} with a mistake>", "exec"), spaces[module])
    for module in (layers, gaussian, bernoulli):  # what vae.py imports of them
        own = {name for name, value in vars(module).items() if _made_in(module, value)}
        spaces[vae].update({name: spaces[module][name] for name in own & spaces[vae].keys()})
    methods = vars(spaces[vae]["VAE"])
    return {name: methods[name] for name in ("_connect", "forward", "loss", "backward")}


def _made_in(module: ModuleType, value: Any) -> bool:
    return getattr(value, "__module__", None) == module.__name__
