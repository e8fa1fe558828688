"""Exercise of the second half of notebook 03: the backward pass of an autoencoder."""

from functools import partial

import numpy as np

from numpyvae.course.exercise import Exercise, Mistake
from numpyvae.course.exercises.dense_layer import dense, dense_backward
from numpyvae.course.exercises.network import cross_entropy_backward, relu_backward, sigmoid


def _relu(a):
    return np.maximum(a, 0)


def autoencoder(theta, x):
    """x → h → code → g → logits"""
    h = _relu(dense(x, theta["W_h"], theta["b_h"]))
    code = dense(h, theta["W_code"], theta["b_code"])
    g = _relu(dense(code, theta["W_g"], theta["b_g"]))
    return {"h": h, "code": code, "g": g, "logits": dense(g, theta["W_out"], theta["b_out"])}


def autoencoder_backward(
    theta, x, t, *, share=None, pixels=cross_entropy_backward, relu_g=relu_backward,
    relu_h=relu_backward, relu_code=lambda dy, y: dy, linear=dense_backward,
):  # fmt: skip
    """The forward pass, from its end. The keywords are places for mistakes."""
    d = {}
    dlogits = pixels(t["logits"], x) * (1 / len(x) if share is None else share)
    dg, d["W_out"], d["b_out"] = linear(t["g"], theta["W_out"], dlogits)
    dcode, d["W_g"], d["b_g"] = linear(t["code"], theta["W_g"], relu_g(dg, t["g"]))
    dcode = relu_code(dcode, t["code"])
    dh, d["W_code"], d["b_code"] = linear(t["h"], theta["W_code"], dcode)
    _, d["W_h"], d["b_h"] = linear(x, theta["W_h"], relu_h(dh, t["h"]))
    return d


def _averaged_bias(x, W, dy):
    dx, dW, db = dense_backward(x, W, dy)
    return dx, dW, db / len(x)


def _flipped(*arguments):
    return {name: -part for name, part in autoencoder_backward(*arguments).items()}


def _pass(draw, B, X, H, C):
    """Weights, images and a forward pass."""
    sizes = {"h": (X, H), "code": (H, C), "g": (C, H), "out": (H, X)}
    theta = {f"W_{name}": draw.normal(*shape) for name, shape in sizes.items()}
    theta |= {f"b_{name}": draw.normal(m) for name, (_, m) in sizes.items()}
    x = draw.unit(B, X)
    return theta, x, autoencoder(theta, x)


# fmt: off
EXERCISES = (
    Exercise(
        "03_network",
        "the gradient of the mean loss for every weight, a dictionary with the names of theta",
        autoencoder_backward,
        source="the chain rule, line by line",
        sample=_pass,
        shrink=False,
        mistakes=(
            Mistake("1/B is missing: the loss is a mean over the images.",
                    partial(autoencoder_backward, share=1.0)),
            Mistake("1/B is applied twice.", lambda theta, x, t: autoencoder_backward(
                theta, x, t, share=len(x) ** -2)),
            Mistake("This is divided by the number of pixels; the loss is a sum over them.",
                    lambda theta, x, t: autoencoder_backward(
                        theta, x, t, share=1 / (len(x) * x.shape[1]))),
            Mistake("This is divided by the number of pixels instead of the number of images.",
                    lambda theta, x, t: autoencoder_backward(theta, x, t, share=1 / x.shape[1])),
            Mistake("The relu mask of g is missing, or it uses ≥.",
                    partial(autoencoder_backward, relu_g=lambda dy, y: dy)),
            Mistake("The relu mask of h is missing, or it uses ≥.",
                    partial(autoencoder_backward, relu_h=lambda dy, y: dy)),
            Mistake("The arguments of relu_backward are exchanged: first the gradient, then y.",
                    partial(autoencoder_backward, relu_g=lambda dy, y: relu_backward(y, dy),
                            relu_h=lambda dy, y: relu_backward(y, dy))),
            Mistake("Both relu masks are missing, or they use ≥.",
                    partial(autoencoder_backward, relu_g=lambda dy, y: dy,
                            relu_h=lambda dy, y: dy)),
            Mistake("The relu masks come from the sign of the gradient; take them from y.",
                    partial(autoencoder_backward, relu_g=lambda dy, y: dy * (dy > 0),
                            relu_h=lambda dy, y: dy * (dy > 0))),
            Mistake("The code has no relu, so its gradient has no mask.",
                    partial(autoencoder_backward, relu_code=relu_backward)),
            Mistake("dlogits has an extra factor σ′; it is σ(l) − x.",
                    partial(autoencoder_backward, pixels=lambda l, x: (
                        (sigmoid(l) - x) * sigmoid(l) * (1 - sigmoid(l))))),
            Mistake("dlogits lacks the sigmoid: it is σ(l) − x.",
                    partial(autoencoder_backward, pixels=lambda l, x: l - x)),
            Mistake("Every gradient has the wrong sign: dlogits is prediction minus truth.",
                    _flipped),
            Mistake("The gradient of a bias is averaged; it is a sum over the rows.",
                    partial(autoencoder_backward, linear=_averaged_bias)),
        ),
        hints=(
            "Read `autoencoder` from its last line to its first. What comes in, and what goes out?",
            "dlogits = cross_entropy_backward(t[\"logits\"], x) / len(x). Then dense, relu, dense, "
            "dense, relu, dense, all backward.",
            'dg, d["W_out"], d["b_out"] = dense_backward(t["g"], theta["W_out"], dlogits)',
        ),
        needs=("cross_entropy_backward", "dense_backward", "relu_backward"),
    ),
)
