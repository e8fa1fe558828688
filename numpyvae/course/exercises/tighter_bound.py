"""Exercises of notebook 13: the gradient of log-mean-exp, log weights, and a step of IWAE."""

from functools import partial

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Far, Mistake
from numpyvae.course.exercises.elbo import kl_divergence
from numpyvae.course.exercises.iwae_pass import (
    iwae_step,
    large_logits,
    log_mean_exp_backward,
    log_weights,
    several_draws,
    step_with_the_exact_kl,
    unlikely_images,
)
from numpyvae.course.exercises.network import cross_entropy
from numpyvae.course.exercises.vae_pass import random_pass, stepped


def _weight(log_w):
    return np.exp(log_w - log_w.max(axis=1, keepdims=True))


def _plus(change):
    """Wrong log weights: the right ones plus change(t)."""
    return lambda t: log_weights(t) + change(t)


# fmt: off
EXERCISES = (
    Exercise(
        "13_tighter_bound",
        "∂/∂log w of log 1/k Σ w for each image, (B, k): the share w / Σ w of each draw",
        log_mean_exp_backward,
        source="w / Σ w, in each row",
        by_hand=(
            Case((np.log([[1.0, 3.0]]),), "by hand: ¼ and ¾", [[0.25, 0.75]], given="w = [[1, 3]]"),
            Case((np.log([[5.0]]),), "one draw has the whole share", [[1.0]], given="w = [[5]]"),
            Case((np.log([[1.0, 3.0], [2.0, 2.0]]) - [[0.0], [800.0]],),
                 "¼ and ¾, ½ and ½: a constant factor cancels", [[0.25, 0.75], [0.5, 0.5]],
                 given="w = [[1, 3]], and e⁻⁸⁰⁰ times [2, 2]"),
            Case((np.log([[2.0, 2.0], [3.0, 1.0]]) - [[900.0], [0.0]],),
                 "½ and ½, ¾ and ¼: a constant factor cancels", [[0.5, 0.5], [0.75, 0.25]],
                 given="w = e⁻⁹⁰⁰ times [2, 2], and [3, 1]"),
            Case(([[-800, 800]],), "the second weight is e¹⁶⁰⁰ times the first", [[0, 1]],
                 given="log w = [[-800, 800]]"),
            Case((np.log([[1.0, 3.0]]) - 800.0,), "¼ and ¾: a constant factor cancels",
                 [[0.25, 0.75]], given="w = e⁻⁸⁰⁰ times [1, 3]"),
            Case((np.log([[1.0, 3.0]]) + 800.0,), "¼ and ¾: a constant factor cancels",
                 [[0.25, 0.75]], given="w = e⁸⁰⁰ times [1, 3]"),
        ),
        sample=lambda draw, B, k: (draw(B, k),),
        mistakes=(
            Mistake("Each draw has the same share, 1/k; the larger weight has the larger share.",
                    lambda l: np.full_like(l, 1 / l.shape[1])),
            Mistake("This divides by the mean of the weights; the factor 1/k cancels, so divide by "
                    "their sum.", lambda l: log_mean_exp_backward(l) * l.shape[1]),
            Mistake("This has a factor 1/k too many: it cancels.",
                    lambda l: log_mean_exp_backward(l) / l.shape[1]),
            Mistake("This is divided by B; 1/B is applied in the step, not here.",
                    lambda l: log_mean_exp_backward(l) / len(l)),
            Mistake("The shares add up over the images here; they add up to 1 over the draws of "
                    "one image.", lambda l: log_mean_exp_backward(l.T).T),
            Mistake("All entries together add up to 1; they do so for each image.",
                    lambda l: log_mean_exp_backward(l.reshape(1, -1)).reshape(l.shape)),
            Mistake("The sign is flipped: a larger weight raises the bound.",
                    lambda l: -log_mean_exp_backward(l)),
            Mistake("These are the weights; divide by their sum.", np.exp),
            Mistake("These are the weights divided by the largest; divide by their sum.", _weight),
            Mistake("These are the log weights divided by their sum; take w, not log w.",
                    lambda l: l / l.sum(axis=1, keepdims=True)),
            Mistake("This is the logarithm of the share.",
                    lambda l: np.log(log_mean_exp_backward(l))),
            Mistake("Only the largest weight counts here; every draw has a share.",
                    lambda l: (l == l.max(axis=1, keepdims=True)).astype(float)),
            Mistake("It under- or overflows: subtract the largest logarithm of each image first.",
                    lambda l: np.exp(l) / np.exp(l).sum(axis=1, keepdims=True)),
            Mistake("One largest weight for the whole batch is too large for other images: they "
                    "underflow.", lambda l: (lambda w: w / w.sum(axis=1, keepdims=True))(
                        np.exp(l - l.max()))),
            Mistake("This is log 1/k Σ w itself, not its gradient.",
                    lambda l: l.max(axis=1) + np.log(_weight(l).mean(axis=1))),
        ),
        hints=(
            "d log u = du / u, with u = Σ w; and dw / d log w = w.",
            "The share of draw i is wᵢ / Σ w. A common factor cancels, so take out the largest.",
            "return w / w.sum(axis=1, keepdims=True)",
        ),
    ),
    Exercise(
        "13_tighter_bound",
        "log p(x|z) + log p(z) − log q(z|x) of every row of a forward pass, (rows,)",
        log_weights,
        source="the three logarithms, term by term",
        sample=lambda draw, B, X, H, Z: (random_pass(draw, B, X, H, Z)[1],),
        far=Far(large_logits, "logits = ±"),
        shrink=False,
        derived=("eps",),
        mistakes=(
            Mistake("This has the KL in closed form, a mean over draws; the weight belongs to this "
                    "draw.", lambda t: (-cross_entropy(t["logits"], t["target"])
                                        - kl_divergence(t["mu"], t["logvar"]))),
            Mistake("The cross-entropy is −log p(x|z): its sign is flipped.",
                    _plus(lambda t: 2 * cross_entropy(t["logits"], t["target"]))),
            Mistake("log p(x|z) is missing.",
                    _plus(lambda t: cross_entropy(t["logits"], t["target"]))),
            Mistake("This compares with x; compare with the target.",
                    partial(log_weights, target="x")),
            Mistake("log p(z) is missing.", _plus(lambda t: 0.5 * (t["z"] ** 2).sum(axis=1))),
            Mistake("The sign of log p(z) is flipped.",
                    _plus(lambda t: (t["z"] ** 2).sum(axis=1))),
            Mistake("log q(z|x) is missing.", _plus(
                lambda t: -0.5 * (t["eps"] ** 2 + t["logvar"]).sum(axis=1))),
            Mistake("log q(z|x) is added; subtract it.", _plus(
                lambda t: -(t["eps"] ** 2 + t["logvar"]).sum(axis=1))),
            Mistake("log q(z|x) lacks −½ ε².", _plus(
                lambda t: -0.5 * (t["eps"] ** 2).sum(axis=1))),
            Mistake("log q(z|x) lacks −½ logvar, the logarithm of 1/σ.", _plus(
                lambda t: -0.5 * t["logvar"].sum(axis=1))),
            Mistake("log q(z|x) has −logvar; log σ is ½ logvar.", _plus(
                lambda t: 0.5 * t["logvar"].sum(axis=1))),
            Mistake("All halves are missing: it is ½ Σ (ε² + logvar − z²).", _plus(
                lambda t: log_weights(t) + cross_entropy(t["logits"], t["target"]))),
            Mistake("log p(z) and log q(z|x) are exchanged: it is log p(z) − log q(z|x).", _plus(
                lambda t: -2 * (log_weights(t) + cross_entropy(t["logits"], t["target"])))),
            Mistake("The sign of logvar is flipped: −log q(z|x) has + ½ logvar.", _plus(
                lambda t: -t["logvar"].sum(axis=1))),
            Mistake("This is averaged over the latents; log p(z) and log q(z|x) are sums.", _plus(
                lambda t: (1 / t["z"].shape[1] - 1) * (
                    log_weights(t) + cross_entropy(t["logits"], t["target"])))),
            Mistake("log q(z|x) has (z − mu)² without 1/σ².", _plus(
                lambda t: 0.5 * ((t["z"] - t["mu"]) ** 2 - t["eps"] ** 2).sum(axis=1))),
            Mistake("log p(z) is −½ z²; this has −z².", _plus(
                lambda t: -0.5 * (t["z"] ** 2).sum(axis=1))),
            Mistake("The prior is taken at mu; take it at z.", partial(log_weights, prior="mu")),
            Mistake("This is −log w, a loss; return log w.", lambda t: -log_weights(t)),
            Mistake("This is the mean over the rows; return one number for each.",
                    lambda t: log_weights(t).mean()),
            Mistake("The constants ½ log 2π of log p(z) and log q(z|x) cancel; one of them is "
                    "left here.", _plus(lambda t: 0.5 * np.log(2 * np.pi) * t["z"].shape[1])),
            Mistake("The constants ½ log 2π of log p(z) and log q(z|x) cancel; that of log q is "
                    "missing.", _plus(lambda t: -0.5 * np.log(2 * np.pi) * t["z"].shape[1])),
            Mistake("This is averaged over the pixels; log p(x|z) is a sum over them.",
                    partial(log_weights, pixels=lambda l, x: cross_entropy(l, x) / x.shape[1])),
        ),
        hints=(
            "log p(x|z) is minus one of your functions. The other two are sums over the latents.",
            "(z − mu)/σ is eps. So log q = −½ Σ (log 2π + logvar + eps²), and log p = "
            "−½ Σ (log 2π + z²).",
            'return 0.5 * (t["eps"]**2 + t["logvar"] - t["z"]**2).sum(axis=1) - '
            'cross_entropy(t["logits"], t["target"])',
        ),
        needs=("cross_entropy",),
    ),
    Exercise(
        "13_tighter_bound",
        "the new theta and s after a step of RMSprop on −mean log 1/k Σ w",
        iwae_step,
        source="the step with the share of each draw",
        returns="theta, s",
        by_hand=(
            Case(unlikely_images(400.0), "the shares of two weights that underflow",
                 given="b_out = [-400, -400, -400], images of ones: each w is about e⁻¹²⁰⁰"),
            Case(unlikely_images(500.0), "the shares of two weights that underflow",
                 given="b_out = [-500, -500, -500], images of ones: each w is about e⁻¹⁵⁰⁰"),
        ),
        sample=several_draws,
        shrink=False,
        mistakes=(
            Mistake("Every draw has the same share, 1/k: this trains the ELBO.",
                    partial(iwae_step, share=lambda l: np.full_like(l, 1 / l.shape[1]))),
            Mistake("Every draw has the share 1 here; weight its gradients with w / Σ w.",
                    partial(iwae_step, share=np.ones_like)),
            Mistake("It underflows: log w may be −1000, so take out the largest of each image.",
                    partial(iwae_step, share=lambda l: (
                        np.exp(l) / np.exp(l).sum(axis=1, keepdims=True)))),
            Mistake("1/B is missing: the loss is a mean over the images.", partial(
                iwae_step, share=lambda l: log_mean_exp_backward(l) * len(l))),
            Mistake("This is divided by B k; the shares of an image add up to 1 already.", partial(
                iwae_step, share=lambda l: log_mean_exp_backward(l) / l.shape[1])),
            Mistake("The shares add up to 1 over the images; they must do so over the draws.",
                    partial(iwae_step, share=lambda l: log_mean_exp_backward(l.T).T)),
            Mistake("x is tiled as x₁ x₂ … x₁ x₂ …; repeat it as x₁ x₁ … x₂ x₂ …, like eps.",
                    partial(iwae_step, repeat=lambda x, k: np.tile(x, (k, 1)))),
            Mistake("eps is reordered: reshape it to (B k, Z) without a transpose.", partial(
                iwae_step, noise=lambda e: np.swapaxes(e, 0, 1))),
            Mistake("The direct part of dz is missing: log p(z) is −½ z².",
                    partial(iwae_step, prior=0.0)),
            Mistake("The direct part of dz has the wrong sign.", partial(iwae_step, prior=-1.0)),
            Mistake("The direct part of dz is z, not ½ z.", partial(iwae_step, prior=0.5)),
            Mistake("The direct part of dlogvar is missing: −log q contains ½ logvar.",
                    partial(iwae_step, entropy=0.0)),
            Mistake("The direct part of dlogvar has the wrong sign.",
                    partial(iwae_step, entropy=-0.5)),
            Mistake("The ½ in the direct part of dlogvar is missing.",
                    partial(iwae_step, entropy=1.0)),
            Mistake("This has the gradient of the KL in closed form; the loss has log q − log p of "
                    "each draw.", step_with_the_exact_kl),
            Mistake("theta and s are exchanged.", lambda *a: iwae_step(*a)[::-1]),
            Mistake("The old s is lost.", partial(iwae_step, update=lambda th, s, grad, lr: stepped(
                th, {name: 0 * old for name, old in s.items()}, grad, lr))),
            Mistake("This goes uphill.", partial(iwae_step, update=lambda th, s, grad, lr: stepped(
                th, s, grad, -lr))),
            Mistake("The argument lr is not used.", partial(
                iwae_step, update=lambda th, s, grad, lr: stepped(th, s, grad, 1e-3))),
        ),
        hints=(
            "Row b·k + i of the pass is draw i of image b. Its gradients have the weight share / "
            "B.",
            "−log w contains ½ z² and −½ logvar. So dz is share · z / B, and dlogvar is "
            "−½ share / B.",
            'grad = backpropagate(theta, t, share * cross_entropy_backward(t["logits"], '
            't["target"]), share * t["z"], -0.5 * share)',
        ),
        needs=("forward", "cross_entropy_backward", "rmsprop_step", "log_mean_exp_backward",
               "log_weights"),
    ),
)
