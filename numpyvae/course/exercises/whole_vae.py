"""Exercises of notebook 07: the forward pass, the loss, the backward pass and a training step."""

from functools import partial

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Far, Mistake
from numpyvae.course.exercises.elbo import kl_backward, kl_divergence
from numpyvae.course.exercises.network import (
    cross_entropy,
    cross_entropy_backward,
    sigmoid,
)
from numpyvae.course.exercises.reparameterization import reparameterize
from numpyvae.course.exercises.vae_pass import (
    RELU,
    backward,
    evidence_minus_elbo,
    forward,
    kl_from_posterior,
    known_weights,
    loss,
    random_pass,
    random_training,
    random_weights,
    same,
    stepped,
    train_step,
)

_X = np.array([[0.0, 1.0, 0.25], [1.0, 1.0, 0.5]])
_E2 = np.exp(2.0)


def _simple(exact, why, **biases):
    """A case of `loss`: all weights are 0 except some biases."""
    given = "all weights zero" + "".join(f" except {k} = {v}" for k, v in biases.items())
    return Case((forward(known_weights(**biases), _X, np.ones((2, 2))),), why, exact, given)


def _far(t):
    logits = np.array([[t, -t], [-t, t]])
    flat = np.zeros((2, 1))
    return (
        {
            "logits": logits,
            "target": np.array([[1.0, 0.0], [1.0, 0.25]]),
            "mu": flat,
            "logvar": flat,
            "x": logits * 0,
            "h": flat,
            "z": flat,
            "g": flat,
            "eps": flat,
        },
    )


def _forgets(name):
    """A layer whose bias is forgotten."""
    return lambda theta, x, eps: forward({**theta, f"b_{name}": 0 * theta[f"b_{name}"]}, x, eps)


def _kl_terms(terms):
    return partial(loss, latents=lambda mu, v: 0.5 * terms(mu, v).sum(axis=1))


def _averaged_bias(x, W, dy):
    return dy @ W.T, x.T @ dy, dy.mean(axis=0)


def _stepped(change):
    """A wrong train_step: change(theta, s, gradient, lr) → theta, s."""
    return lambda theta, s, x, eps, lr=1e-3: change(
        theta, s, backward(theta, forward(theta, x, eps)), lr)  # fmt: skip


# fmt: off
EXERCISES = (
    Exercise(
        "07_whole_vae",
        "the arrays of a forward pass by name: x, target, h, mu, logvar, eps, z, g, logits",
        forward,
        source="the layers, one by one",
        by_hand=(
            Case((known_weights(b_logvar=[2.0, -2.0]), _X, np.ones((2, 2))),
                 "sampling: σ = exp(logvar/2) is e and 1/e",
                 given="all weights zero except b_logvar = [2, -2], eps = 1"),
            Case(measure=lambda function: evidence_minus_elbo(function, loss), tolerance=1e-6,
                 why="KL(q ‖ posterior), by quadrature", exact={"log p(x) − ELBO":
                 kl_from_posterior()}, given="one binary image, one latent"),
        ),
        sample=lambda draw, B, X, H, Z: (
            random_weights(draw, X, H, Z), draw.unit(B, X), draw.normal(B, Z)),
        shrink=False,
        mistakes=(
            Mistake("h has no relu.", partial(forward, h=same)),
            Mistake("g has no relu.", partial(forward, g=same)),
            Mistake("mu has a relu; it must be able to be negative.", partial(forward, mu=RELU)),
            Mistake("logvar has a relu; it must be able to be negative.",
                    partial(forward, logvar=RELU)),
            Mistake("The logits have a relu; they must be able to be negative.",
                    partial(forward, logits=RELU)),
            Mistake("These are probabilities; return the logits, without the sigmoid.",
                    partial(forward, logits=sigmoid)),
            Mistake("z has a relu.", partial(forward, sample=lambda *a: RELU(reparameterize(*a)))),
            Mistake("z is mu: the noise is missing.",
                    partial(forward, sample=lambda mu, v, eps: mu)),
            Mistake("z uses the variance as the standard deviation; σ = exp(logvar / 2).",
                    partial(forward, sample=lambda mu, v, eps: mu + np.exp(v) * eps)),
            Mistake("z uses logvar as σ; σ = exp(logvar / 2).",
                    partial(forward, sample=lambda mu, v, eps: mu + v * eps)),
            Mistake("All images get the noise of the first; each row has its own eps.",
                    partial(forward, sample=lambda mu, v, eps: mu + np.exp(v / 2) * eps[:1])),
            Mistake("The bias b_h1 is missing.", _forgets("h1")),
            Mistake("The bias b_mu is missing.", _forgets("mu")),
            Mistake("The bias b_logvar is missing.", _forgets("logvar")),
            Mistake("The bias b_g1 is missing.", _forgets("g1")),
            Mistake("The bias b_out is missing.", _forgets("out")),
            Mistake("logvar uses the weights of mu.", lambda th, x, eps: forward(
                {**th, "W_logvar": th["W_mu"], "b_logvar": th["b_mu"]}, x, eps)),
            Mistake("mu and logvar are exchanged.", lambda th, x, eps: forward(
                {**th, "W_logvar": th["W_mu"], "b_logvar": th["b_mu"], "W_mu": th["W_logvar"],
                 "b_mu": th["b_logvar"]}, x, eps)),
        ),
        hints=(
            "Follow the drawing from x to the logits; each arrow is one line.",
            't["h"] = relu(dense(t["x"], theta["W_h1"], theta["b_h1"])); mu and logvar are dense '
            "layers of h, without relu.",
            't["logits"] = dense(t["g"], theta["W_out"], theta["b_out"])',
        ),
        needs=("dense", "reparameterize"),
    ),
    Exercise(
        "07_whole_vae",
        "(reconstruction, KL), two numbers in nats per image; the loss is their sum, −ELBO",
        loss,
        source="means over the images",
        returns="reconstruction, KL",
        by_hand=(
            _simple((3 * np.log(2), 0.0), "zero net: X ln 2, and q is the prior"),
            _simple((3 * np.log(2), 2.0), "KL values: ½·2²", b_mu=[2.0, 0.0]),
            _simple((3 * np.log(2), 4.5), "KL values: ½·(−3)²", b_mu=[-3.0, 0.0]),
            _simple((3 * np.log(2), (_E2 - 3) / 2), "KL values: (e² − 3)/2", b_logvar=[2.0, 0.0]),
            _simple((3 * np.log(2), 4.0), "KL values: the sum over the latents", b_mu=[2.0, 2.0]),
            Case(measure=lambda function: evidence_minus_elbo(forward, function), tolerance=1e-6,
                 why="KL(q ‖ posterior), by quadrature", exact={"log p(x) − ELBO":
                 kl_from_posterior()}, given="one binary image, one latent"),
        ),
        sample=lambda draw, B, X, H, Z: (random_pass(draw, B, X, H, Z)[1],),
        far=Far(_far, "logits = ±"),
        shrink=False,
        mistakes=(
            Mistake("This compares with x; compare with the target.", partial(loss, target="x")),
            Mistake("This is the mean over the pixels; take the sum for each image.",
                    partial(loss, pixels=lambda l, x: cross_entropy(l, x) / x.shape[1])),
            Mistake("This is the mean over the latents; take the sum for each image.",
                    partial(loss, latents=lambda mu, v: kl_divergence(mu, v) / mu.shape[1])),
            Mistake("This is the sum over the batch; the loss is the mean over images.",
                    partial(loss, mean=np.sum)),
            Mistake("The KL is hidden behind a weight of 0.1; return it unweighted.",
                    partial(loss, beta=0.1)),
            Mistake("The KL is halved; return it unweighted.", partial(loss, beta=0.5)),
            Mistake("The sign of the KL is flipped; a KL is never negative.",
                    partial(loss, beta=-1.0)),
            Mistake("The sign of the reconstruction is flipped; it is the cross-entropy.",
                    partial(loss, pixels=lambda l, x: -cross_entropy(l, x))),
            Mistake("The parts are exchanged: return reconstruction, KL.",
                    lambda t: loss(t)[::-1]),
            Mistake("This returns one number for each image; take the mean over the images.",
                    partial(loss, mean=same)),
            Mistake("The KL uses logvar as log σ; it is log σ².",
                    _kl_terms(lambda mu, v: mu**2 + np.exp(2 * v) - 1 - 2 * v)),
            Mistake("The KL has − logvar²; the term is − logvar.",
                    _kl_terms(lambda mu, v: mu**2 + np.exp(v) - 1 - v**2)),
            Mistake("The KL lacks its term − logvar.",
                    _kl_terms(lambda mu, v: mu**2 + np.exp(v) - 1)),
            Mistake("The logarithm of a rounded sigmoid overflows; use softplus of the logits.",
                    partial(loss, pixels=lambda l, x: -(
                        x * np.log(1 / (1 + np.exp(-l))) + (1 - x) * np.log(
                            1 - 1 / (1 + np.exp(-l)))).sum(axis=1))),
        ),
        hints=(
            "You have both functions already. Each returns a number for each image.",
            "cross_entropy takes the logits and the *target*; then .mean() over the images.",
            'return cross_entropy(t["logits"], t["target"]).mean(), '
            'kl_divergence(t["mu"], t["logvar"]).mean()',
        ),
        needs=("cross_entropy", "kl_divergence"),
    ),
    Exercise(
        "07_whole_vae",
        "the gradient of the loss for every weight, a dictionary with the names of theta",
        backward,
        source="the chain rule, line by line",
        sample=random_pass,
        shrink=False,
        mistakes=(
            Mistake("1/B is missing: the loss is a mean over the images.",
                    partial(backward, share=1.0)),
            Mistake("1/B is applied twice.", lambda th, t: backward(
                th, t, share=len(t["x"]) ** -2)),
            Mistake("This is divided by the number of pixels; the loss is a sum over them.",
                    lambda th, t: backward(th, t, pixels=lambda l, x: (
                        cross_entropy_backward(l, x) / x.shape[1]))),
            Mistake("This compares with x; compare with the target.",
                    partial(backward, target="x")),
            Mistake("dlogits has an extra factor σ′; it is σ(l) − x.",
                    partial(backward, pixels=lambda l, x: (
                        (sigmoid(l) - x) * sigmoid(l) * (1 - sigmoid(l))))),
            Mistake("dlogits has the wrong sign: it is prediction minus truth.",
                    partial(backward, pixels=lambda l, x: x - sigmoid(l))),
            Mistake("dlogits lacks the sigmoid: it is σ(l) − x.",
                    partial(backward, pixels=lambda l, x: l - x)),
            Mistake("The gradient of a bias is averaged; it is a sum over the rows.",
                    partial(backward, linear=_averaged_bias)),
            Mistake("The relu mask of g is missing, or it uses ≥.",
                    partial(backward, relu_g=lambda dy, y: dy)),
            Mistake("The relu mask of h is missing, or it uses ≥.",
                    partial(backward, relu_h=lambda dy, y: dy)),
            Mistake("The relu mask comes from the sign of the gradient; take it from y.",
                    partial(backward, relu_g=lambda dy, y: dy * (dy > 0),
                            relu_h=lambda dy, y: dy * (dy > 0))),
            Mistake("dlogvar lacks its part through z: the sampling path is missing.",
                    partial(backward, sample=lambda dz, v, eps: (dz, 0 * dz))),
            Mistake("dlogvar lacks the ½ of the sampling path; the factor is ½ σ ε.",
                    partial(backward, sample=lambda dz, v, eps: (dz, dz * np.exp(v / 2) * eps))),
            Mistake("dlogvar lacks ½ σ in the sampling path; the factor is ½ σ ε.",
                    partial(backward, sample=lambda dz, v, eps: (dz, dz * eps))),
            Mistake("dlogvar uses the variance as the standard deviation.",
                    partial(backward, sample=lambda dz, v, eps: (dz, dz * np.exp(v) * eps))),
            Mistake("dlogvar uses the variance as the standard deviation; the factor is ½ σ ε.",
                    partial(backward, sample=lambda dz, v, eps: (dz, dz * 0.5 * np.exp(v) * eps))),
            Mistake("dmu lacks its part through z.", partial(
                backward, sample=lambda dz, v, eps: (0 * dz, dz * 0.5 * np.exp(v / 2) * eps))),
            Mistake("The part of the KL is missing.", partial(backward, beta=0.0)),
            Mistake("The part of the KL has the wrong sign.", partial(backward, beta=-1.0)),
            Mistake("The part of the KL is weighted with 0.1.", partial(backward, beta=0.1)),
            Mistake("The part of the KL is not divided by B.",
                    lambda th, t: backward(th, t, beta=len(t["x"]))),
            Mistake("The ½ in dKL/dlogvar is missing.",
                    partial(backward, latents=lambda mu, v: (mu, np.exp(v) - 1))),
            Mistake("The KL is averaged over the latents; it is a sum.",
                    partial(backward, latents=lambda mu, v: [
                        part / mu.shape[1] for part in kl_backward(mu, v)])),
            Mistake("dKL/dlogvar uses logvar as log σ; it is log σ².",
                    partial(backward, latents=lambda mu, v: (mu, np.exp(2 * v) - 1))),
            Mistake("dKL/dlogvar is that of − ½ logvar²; the term is − ½ logvar.",
                    partial(backward, latents=lambda mu, v: (mu, 0.5 * (np.exp(v) - 2 * v)))),
            Mistake("dh lacks its part through logvar; h feeds mu and logvar, so add both.",
                    partial(backward, into_h=lambda through_mu, through_logvar: through_mu)),
            Mistake("dh lacks its part through mu; h feeds mu and logvar, so add both.",
                    partial(backward, into_h=lambda through_mu, through_logvar: through_logvar)),
            Mistake("dh is the mean of its two parts; add them.",
                    partial(backward, into_h=lambda one, other: (one + other) / 2)),
        ),
        hints=(
            "Go down the table from its first row. Which variables are used twice in forward?",
            "dlogits = cross_entropy_backward(logits, target) / B. At mu and logvar add the parts "
            "of the KL, divided by B.",
            'da = relu_backward(dh_mu + dh_logvar, t["h"])',
        ),
        needs=("cross_entropy_backward", "dense_backward", "relu_backward",
               "reparameterize_backward", "kl_backward"),
    ),
    Exercise(
        "07_whole_vae",
        "the new theta and s after a step of RMSprop on the batch x, as new dictionaries",
        train_step,
        source="θ − lr g/(√s + 1e-7), with s = 0.9 s + 0.1 g²",
        returns="theta, s",
        sample=lambda draw, B, X, H, Z: (*random_training(draw, B, X, H, Z), 0.25),
        shrink=False,
        mistakes=(
            Mistake("theta and s are exchanged.", lambda *a: train_step(*a)[::-1]),
            Mistake("The old s is lost.", _stepped(lambda theta, s, grad, lr: stepped(
                theta, {name: 0 * old for name, old in s.items()}, grad, lr))),
            Mistake("This goes uphill.", _stepped(lambda theta, s, grad, lr: stepped(
                theta, s, grad, -lr))),
            Mistake("This is plain gradient descent.", _stepped(lambda theta, s, grad, lr: (
                {name: W - lr * grad[name] for name, W in theta.items()}, s))),
            Mistake("The argument lr is not used.", _stepped(lambda theta, s, grad, lr: stepped(
                theta, s, grad, 1e-3))),
            Mistake("theta is returned as it was.", _stepped(lambda theta, s, grad, lr: (
                theta, stepped(theta, s, grad, lr)[1]))),
            Mistake("s is returned as it was; return the new one.", _stepped(
                lambda theta, s, grad, lr: (stepped(theta, s, grad, lr)[0], s))),
            Mistake("The root is missing in RMSprop.", _stepped(lambda theta, s, grad, lr: (
                {name: W - lr * grad[name] / (0.9 * s[name] + 0.1 * grad[name] ** 2 + 1e-7)
                 for name, W in theta.items()}, stepped(theta, s, grad, lr)[1]))),
        ),
        hints=(
            "Three calls: forward, backward, and rmsprop_step once for every name in theta.",
            "stepped = {name: rmsprop_step(theta[name], grad[name], s[name], lr) for name in "
            "theta}",
            "new_theta = {name: new for name, (new, _) in stepped.items()}, and s likewise",
        ),
        needs=("forward", "backward", "rmsprop_step"),
    ),
)
