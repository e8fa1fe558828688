"""Exercises of notebook 01: a dense layer and its gradient."""

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Mistake


def dense(x, W, b):
    """y = x W + b"""
    return x @ W + b


def dense_backward(x, W, dy):
    """dx = dy Wᵀ, dW = xᵀ dy, db = Σ dy"""
    return dy @ W.T, x.T @ dy, dy.sum(axis=0)


# fmt: off
EXERCISES = (
    Exercise(
        "01_dense_layer",
        "y = x W + b for a batch x (B, n), weights W (n, m) and bias b (m,)",
        dense,
        source="Σᵢ xᵣᵢ Wᵢⱼ + bⱼ",
        by_hand=(
            Case(([[1, 2, 3]], [[1, 0], [0, 1], [2, -1]], [10, 20]),
                 "by hand: 1 + 2·3 + 10 and 2 − 3 + 20", [[17, 19]]),
            Case(([[0, 0], [0, 0]], [[1, 2], [3, 4]], [5, 6]), "x = 0 leaves b in every row",
                 [[5, 6], [5, 6]]),
        ),
        sample=lambda draw, B, n, m: (draw(B, n), draw(n, m), draw(m)),
        mistakes=(
            Mistake("This is x W alone; the bias is missing.", lambda x, W, b: x @ W),
            Mistake("This subtracts the bias; add it.", lambda x, W, b: x @ W - b),
            Mistake("This adds the bias to the first example only; every row gets it.",
                    lambda x, W, b: x @ W + b * (np.arange(len(x)) == 0)[:, None]),
            Mistake("This multiplies by the bias; add it.", lambda x, W, b: x @ W * b),
            Mistake("This adds the sum of the bias to every output; output j gets bⱼ.",
                    lambda x, W, b: x @ W + b.sum()),
            Mistake("This is divided by the number of inputs; y is a sum over them, not a mean.",
                    lambda x, W, b: x @ W / len(W) + b),
        ),
        hints=(
            "Which array must be on the left, so that row r of y comes from row r of x?",
            "x is (B, n) and W is (n, m), so x @ W is (B, m). NumPy adds b to every row.",
            "return x @ W + b",
        ),
    ),
    Exercise(
        "01_dense_layer",
        "the gradients dx (B, n), dW (n, m) and db (m,), given dy = ∂L/∂y (B, m)",
        dense_backward,
        source="the chain rule, summed by index",
        returns="dx, dW, db",
        by_hand=(
            Case(([[1, 2]], [[3], [5]], [[2]]), "by hand: dy Wᵀ, xᵀ dy, dy",
                 (np.array([[6.0, 10.0]]), np.array([[2.0], [4.0]]), np.array([2.0]))),
        ),
        sample=lambda draw, B, n, m: (draw(B, n), draw(n, m), draw(B, m)),
        mistakes=(
            Mistake("The sign is flipped.",
                    lambda x, W, dy: [-a for a in dense_backward(x, W, dy)]),
            Mistake("The weights are missing: dx = dy Wᵀ.",
                    lambda x, W, dy: dy.sum(axis=1, keepdims=True) + 0 * x, "dx"),
            Mistake("This is divided by the number of examples; 1/B is applied at the end of the "
                    "network, not here.", lambda x, W, dy: dy @ W.T / len(x), "dx"),
            Mistake("This is divided by the number of examples; here L is a sum over them, not a "
                    "mean.", lambda x, W, dy: x.T @ dy / len(x), "dW"),
            Mistake("This uses the first example only; dW is a sum over the examples.",
                    lambda x, W, dy: x[:1].T @ dy[:1], "dW"),
            Mistake("This is transposed: dW has the shape of W.", lambda x, W, dy: dy.T @ x, "dW"),
            Mistake("The factor x is missing: dW = xᵀ dy.",
                    lambda x, W, dy: dy.sum(axis=0) + 0 * W, "dW"),
            Mistake("This is the mean over the examples; the chain rule gives their sum.",
                    lambda x, W, dy: dy.mean(axis=0), "db"),
            Mistake("This is dy itself; b occurs in every row, so sum over the rows.",
                    lambda x, W, dy: dy, "db"),
            Mistake("This is the sum over the outputs; sum over the rows: axis=0.",
                    lambda x, W, dy: dy.sum(axis=1), "db"),
            Mistake("This is the sum of all entries; sum over the rows only: axis=0.",
                    lambda x, W, dy: dy.sum(), "db"),
        ),
        hints=(
            "A gradient has the shape of its array. Which products of x, W and dy have the shapes "
            "of x and of W?",
            "dW is (n, m): x.T @ dy. dx is (B, n): dy @ W.T. b occurs in every row, so db sums "
            "over the rows.",
            "return dy @ W.T, x.T @ dy, dy.sum(axis=0)",
        ),
    ),
)
