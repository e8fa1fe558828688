"""The VAE of notebook 07 with one of 24 mistakes, for the tests that a learner writes.

Each mistake is an edit of a line or two of our solution. `both` says that forward and backward
agree, so that no gradient check can see the mistake.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from numpyvae.course.notebooks import cells_of, tutorials

Edits = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class WrongVAE:
    """A mistake, the edits that make it, and whether forward and backward agree."""

    name: str
    edits: Edits
    both: bool = False


_SHARE = 'share = 1 / len(t["x"])'
_DLOGVAR = "dlogvar = dmu + share * dmu_kl, dlogvar + share * dlogvar_kl"
_SAMPLE = "return mu + np.exp(logvar / 2) * eps"
_SAMPLE_BACK = "return dz.copy(), dz * 0.5 * np.exp(logvar / 2) * eps"
_KL = "0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)"
_KL_BACK = "return mu.copy(), 0.5 * (np.exp(logvar) - 1)"
_LOGVAR = 't["logvar"] = dense(t["h"], theta["W_logvar"], theta["b_logvar"])'
_CE = "return (softplus - x * logits).sum(axis=1)"
_CE_BACK = "return sigmoid(logits) - x"
_RMS = "grad / (np.sqrt(s) + eps), s"

WRONG_VAES = (
    WrongVAE("σ = exp(logvar), in forward alone", ((_SAMPLE, _SAMPLE.replace(" / 2", "")),)),
    WrongVAE("σ = exp(logvar)", (
        (_SAMPLE, _SAMPLE.replace(" / 2", "")),
        (_SAMPLE_BACK, "return dz.copy(), dz * np.exp(logvar) * eps")), both=True),
    WrongVAE("the KL averaged over the latents", (
        (_KL, _KL.replace("sum", "mean")),
        (_KL_BACK, "return mu / mu.shape[1], 0.5 * (np.exp(logvar) - 1) / mu.shape[1]")),
        both=True),
    WrongVAE("the cross-entropy averaged over the pixels", (
        (_CE, _CE.replace("sum", "mean")),
        (_CE_BACK, "return (sigmoid(logits) - x) / x.shape[1]")), both=True),
    WrongVAE("the sum over the batch", (
        ('t["target"]).mean()', 't["target"]).sum()'),
        ('t["logvar"]).mean()', 't["logvar"]).sum()'), (_SHARE, "share = 1.0")), both=True),
    WrongVAE("the gradient not divided by B", ((_SHARE, "share = 1.0"),)),
    WrongVAE("the KL with the wrong sign", (
        ("return reconstruction, kl", "return reconstruction, -kl"),
        (_DLOGVAR, _DLOGVAR.replace("+ share", "- share"))), both=True),
    WrongVAE("logvar taken for log σ in the KL", (
        (_KL, _KL.replace("logvar", "(2 * logvar)")),
        (_KL_BACK, "return mu.copy(), np.exp(2 * logvar) - 1")), both=True),
    WrongVAE("the last term of the KL squared", (
        (_KL, _KL.replace("- logvar)", "- logvar**2)")),
        (_KL_BACK, "return mu.copy(), 0.5 * (np.exp(logvar) - 2 * logvar)")), both=True),
    WrongVAE("½ missing in dKL/dlogvar", ((_KL_BACK, "return mu.copy(), np.exp(logvar) - 1"),)),
    WrongVAE("dlogvar without the sampling path", ((_SAMPLE_BACK, "return dz.copy(), 0 * dz"),)),
    WrongVAE("½ σ missing in the sampling path", ((_SAMPLE_BACK, "return dz.copy(), dz * eps"),)),
    WrongVAE("h with the gradient of mu alone", (("dh_mu + dh_logvar", "dh_mu"),)),
    WrongVAE("the relu mask missing", (("return dy * (y > 0)", "return dy.copy()"),)),
    WrongVAE("the relu mask from the sign of dy",
             (("return dy * (y > 0)", "return dy * (dy > 0)"),)),
    WrongVAE("an extra σ′ at the output", (
        (_CE_BACK, "p = sigmoid(logits)\n    return (p - x) * p * (1 - p)"),)),
    WrongVAE("new eps in backward", (
        ('dz, t["logvar"], t["eps"])',
         'dz, t["logvar"], np.random.default_rng(9).standard_normal(dz.shape))'),)),
    WrongVAE("the gradient of a bias averaged", (
        ("x.T @ dy, dy.sum(axis=0)", "x.T @ dy, dy.mean(axis=0)"),)),
    WrongVAE("the decoder fed with mu, without noise", (
        (_SAMPLE, "return mu + 0 * eps"), (_SAMPLE_BACK, "return dz.copy(), 0 * dz")), both=True),
    WrongVAE("a relu on logvar", (
        (_LOGVAR, _LOGVAR.replace("dense(", "relu(dense(") + ")"),
        ('theta["W_logvar"], dlogvar)',
         'theta["W_logvar"], relu_backward(dlogvar, t["logvar"]))')), both=True),
    WrongVAE("the sigmoid, then its logarithm", ((_CE, (
        "p = 1 / (1 + np.exp(-logits))\n"
        "    return -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)")),), both=True),
    WrongVAE("RMSprop without the root", ((_RMS, "grad / (s + eps), s"),), both=True),
    WrongVAE("RMSprop with |g| in place of g²", (
        ("(1 - rho) * grad**2", "(1 - rho) * np.abs(grad)"),), both=True),
    WrongVAE("a hidden β of 0.1", (
        ("return reconstruction, kl", "return reconstruction, 0.1 * kl"),
        (_DLOGVAR, _DLOGVAR.replace("+ share", "+ 0.1 * share"))), both=True),
)  # fmt: skip
# The same VAE, written differently.
RIGHT_VAES: tuple[tuple[str, Edits], ...] = (
    ("as in notebook 07", ()),
    ("with einsum", (("return x @ W + b", 'return np.einsum("bi,io->bo", x, W) + b'),)),
    ("with logaddexp and another KL", (
        (_CE, "return (np.logaddexp(0, logits) - x * logits).sum(axis=1)"),
        (_KL, "((mu**2 + np.exp(logvar)) / 2 - 0.5 - logvar / 2).sum(axis=1)"))),
    ("with sums divided by B", (
        ('t["target"]).mean()', 't["target"]).sum() / len(t["x"])'),
        ('t["logvar"]).mean()', 't["logvar"]).sum() / len(t["x"])'))),
)  # fmt: skip


def vae(edits: Edits = ()) -> SimpleNamespace:
    """The functions of notebook 07, after edits of their source."""
    names = ("forward", "loss", "backward", "train_step")
    parts = []
    for source, cell in cells_of(tutorials() / "07_whole_vae.ipynb"):
        functions = [part for part in cell.body if isinstance(part, ast.FunctionDef)]
        if functions and not {part.name for part in functions} & {"carry", "train"}:
            parts += [ast.get_source_segment(source, part) or "" for part in functions]
    source = "\n\n\n".join(["import numpy as np", *parts])
    for old, new in edits:
        if source.count(old) != 1:
            raise ValueError(f"the notebook has {source.count(old)} times {old!r}, not once")
        source = source.replace(old, new)
    namespace: dict[str, Any] = {}
    exec(compile(source, "<a VAE>", "exec"), namespace)
    assert all(name in namespace for name in names)
    return SimpleNamespace(**{key: value for key, value in namespace.items() if callable(value)})
