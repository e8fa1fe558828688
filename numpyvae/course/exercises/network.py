"""Exercises of notebook 03: relu, sigmoid, cross-entropy, RMSprop."""

import numpy as np

from numpyvae.course.exercise import Case, Exercise, Far, Mistake


def relu_backward(dy, y):
    """da = dy where y > 0, else 0"""
    return dy * (y > 0)


def sigmoid(l):
    """σ(l) = ½ + ½ tanh(l/2)"""
    return 0.5 + 0.5 * np.tanh(l / 2)


def softplus(l):
    """log(1 + eˡ) = max(l, 0) + log(1 + e⁻|ˡ|)"""
    return np.maximum(l, 0) + np.log1p(np.exp(-np.abs(l)))


def cross_entropy(logits, x):
    """Σ (softplus(l) − x l)"""
    return (softplus(logits) - x * logits).sum(axis=1)


def cross_entropy_backward(logits, x):
    """σ(l) − x"""
    return sigmoid(logits) - x


def rmsprop_step(theta, grad, s, lr=1e-3, rho=0.9, eps=1e-7):
    """s = ρ s + (1 − ρ) g²; θ = θ − η g / (√s + ε)"""
    s = rho * s + (1 - rho) * grad**2
    return theta - lr * grad / (np.sqrt(s) + eps), s


def _clipped(logits, x):
    p = np.clip(sigmoid(logits), 1e-7, 1 - 1e-7)
    return -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)


def _log_of_sigmoid(logits, x):
    p = 1 / (1 + np.exp(-logits))
    return -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)


def _added(logits, x):
    p = sigmoid(logits)
    return -(x * np.log(p + 1e-8) + (1 - x) * np.log(1 - p + 1e-8)).sum(axis=1)


def _step(change):
    """A wrong rmsprop_step: change(theta, g, s, new s, lr, rho, eps) → theta, s."""

    def step(theta, grad, s, lr=1e-3, rho=0.9, eps=1e-7):
        return change(theta, grad, s, rho * s + (1 - rho) * grad**2, lr, rho, eps)

    return step


def _mean(change):
    """A wrong rmsprop_step: another running mean, change(g, s, rho)."""

    def step(theta, grad, s, lr=1e-3, rho=0.9, eps=1e-7):
        s = change(grad, s, rho)
        return theta - lr * grad / (np.sqrt(s) + eps), s

    return step


# fmt: off
EXERCISES = (
    Exercise(
        "03_network",
        "da, the gradient through relu, from dy and the output y = relu(a)",
        relu_backward,
        source="dy where y > 0, else 0",
        by_hand=(
            Case(([[1, -2, 3], [4, 5, -6]], [[0, 2, 3], [0.5, 0, 4]]),
                 "by hand: dy where y > 0, else 0", [[0, -2, 3], [4, 0, -6]]),
        ),
        sample=lambda draw, B, H: (draw(B, H), np.maximum(draw(B, H), 0)),
        mistakes=(
            Mistake("The mask is taken from the sign of dy; take it from the sign of y.",
                    lambda dy, y: dy * (dy > 0)),
            Mistake("No entry is set to zero: is the mask missing, or does it use y ≥ 0?",
                    lambda dy, y: dy),
            Mistake("This is the mask alone; multiply it by dy.", lambda dy, y: 1.0 * (y > 0)),
            Mistake("The mask is the wrong way round: dy passes where y > 0.",
                    lambda dy, y: dy * (y <= 0)),
            Mistake("This multiplies by y; the slope of relu is 1, not y.", lambda dy, y: dy * y),
        ),
        hints=(
            "The slope of relu is 1 where its input was positive and 0 elsewhere. Which array "
            "tells where that was?",
            "y > 0 is an array of True and False; NumPy multiplies with it as with 1 and 0.",
            "return dy * (y > 0)",
        ),
    ),
    Exercise(
        "03_network",
        "1 / (1 + e⁻ˡ), entry by entry, without overflow for any l",
        sigmoid,
        source="1/(1 + e⁻ˡ)",
        by_hand=(
            Case(([0],), "by hand: 1/2", [0.5]),
            Case((np.log([[1.0, 3.0, 1 / 4]]),), "by hand: 1/2, 3/4, 1/5", [[0.5, 0.75, 0.2]],
                 given="l = [[log 1, log 3, log 1/4]]"),
            Case(([-2000, 2000],), "0 and 1, to all digits", [0, 1]),
        ),
        sample=lambda draw, B, X: (draw(B, X),),
        far=Far(lambda t: (np.array([-t, t]),), "l = ±", silent=True),
        mistakes=(
            Mistake("The sign of l is flipped.", lambda l: sigmoid(-l)),
            Mistake("This is σ(2l); in ½ + ½ tanh(l/2) the argument is halved.",
                    lambda l: sigmoid(2 * l)),
            Mistake("This is σ(4l); in ½ + ½ tanh(l/2) the argument is halved.",
                    lambda l: sigmoid(4 * l)),
            Mistake("The halves are missing: ½ + ½ tanh(l/2).", lambda l: np.tanh(l / 2)),
            Mistake("Only the first ½ is missing: ½ + ½ tanh(l/2).",
                    lambda l: 0.5 * np.tanh(l / 2)),
            Mistake("This is σ(l)(1 − σ(l)), the slope of the sigmoid.",
                    lambda l: sigmoid(l) * (1 - sigmoid(l))),
        ),
        hints=(
            "np.exp(1000) overflows, np.tanh(1000) does not. The text above derives a form with "
            "tanh.",
            "σ(l) = ½ + ½ tanh(l/2)",
            "return 0.5 + 0.5 * np.tanh(l / 2)",
        ),
    ),
    Exercise(
        "03_network",
        "Σ (softplus(l) − x l) over the pixels of each image, in nats: (B, X) → (B,)",
        cross_entropy,
        source="Σ −x log p − (1 − x) log(1 − p)",
        by_hand=(
            Case(([[0]], [[1]]), "p = ½ costs ln 2", [np.log(2)]),
            Case(([[0, 0, 0], [0, 0, 0]], [[0, 1, 1], [0.25, 0, 1]]),
                 "every pixel has p = ½ and costs ln 2", [3 * np.log(2)] * 2),
        ),
        sample=lambda draw, B, X: (draw(B, X), draw.unit(B, X)),
        far=Far(lambda t: (np.array([[t, -t], [-t, t]]), np.array([[1.0, 0.0], [1.0, 0.25]])),
                "logits = ±"),
        mistakes=(
            Mistake("This is the mean over the pixels; the loss is their sum.",
                    lambda l, x: cross_entropy(l, x) / x.shape[1]),
            Mistake("The sign is flipped.", lambda l, x: -cross_entropy(l, x)),
            Mistake("This is the sum over the whole batch; return one number for each image.",
                    lambda l, x: cross_entropy(l, x).sum()),
            Mistake("This is the mean over the batch; return one number for each image.",
                    lambda l, x: cross_entropy(l, x).mean()),
            Mistake("The pixels are not summed; add .sum(axis=1).",
                    lambda l, x: softplus(l) - x * l),
            Mistake("This sums over the images; sum over the pixels: axis=1.",
                    lambda l, x: (softplus(l) - x * l).sum(axis=0)),
            Mistake("The term − x l is missing.", lambda l, x: softplus(l).sum(axis=1)),
            Mistake("The term x l is subtracted, not added.",
                    lambda l, x: (softplus(l) + x * l).sum(axis=1)),
            Mistake("Only −x log p is here; add −(1 − x) log(1 − p), for the paper.",
                    lambda l, x: (x * softplus(-l)).sum(axis=1)),
            Mistake("This is softplus(|l|); it is max(l, 0) + log(1 + e⁻|ˡ|).",
                    lambda l, x: (np.abs(l) + np.log1p(np.exp(-np.abs(l))) - x * l).sum(axis=1)),
            Mistake("This takes the logarithm of a rounded sigmoid; use softplus of the logits.",
                    _log_of_sigmoid),
            Mistake("The probabilities are clipped; use softplus of the logits, without clipping.",
                    _clipped),
            Mistake("A small number is added inside the logarithm; use softplus of the logits.",
                    _added),
            Mistake("This takes the squared error; the text derives the cross-entropy.",
                    lambda l, x: ((sigmoid(l) - x) ** 2).sum(axis=1)),
        ),
        hints=(
            "Do not compute p. Substitute p = σ(l) on paper; what is left is softplus(l) − x l.",
            "softplus = np.maximum(logits, 0) + np.log1p(np.exp(-np.abs(logits)))",
            "return (softplus - x * logits).sum(axis=1)",
        ),
    ),
    Exercise(
        "03_network",
        "the gradient of each image's cross-entropy with respect to its logits, (B, X)",
        cross_entropy_backward,
        source="σ(l) − x",
        by_hand=(
            Case(([[0]], [[1]]), "by hand: ½ − 1", [[-0.5]]),
            Case(([[0, 0]], [[0, 0.25]]), "by hand: ½ − 0 and ½ − ¼", [[0.5, 0.25]]),
        ),
        sample=lambda draw, B, X: (draw(B, X), draw.unit(B, X)),
        far=Far(lambda t: (np.array([[t, -t]]), np.array([[1.0, 1.0]])), "logits = ±"),
        mistakes=(
            Mistake("The sign is flipped: it is prediction minus truth.",
                    lambda l, x: x - sigmoid(l)),
            Mistake("This is logits − x; the sigmoid is missing.", lambda l, x: l - x),
            Mistake("This has an extra factor σ′, as for a squared error.",
                    lambda l, x: (sigmoid(l) - x) * sigmoid(l) * (1 - sigmoid(l))),
            Mistake("This is divided by B; the factor 1/B is applied in `backward`, not here.",
                    lambda l, x: (sigmoid(l) - x) / len(x)),
            Mistake("This is the mean over the pixels; the loss is their sum.",
                    lambda l, x: (sigmoid(l) - x) / x.shape[1]),
            Mistake("The term − x is missing.", lambda l, x: sigmoid(l)),
            Mistake("This sums over the pixels; each logit has a gradient of its own.",
                    lambda l, x: (sigmoid(l) - x).sum(axis=1)),
            Mistake("This is divided by σ(1 − σ): it is the gradient for p, not for the logits.",
                    lambda l, x: (sigmoid(l) - x) / (sigmoid(l) * (1 - sigmoid(l)))),
        ),
        hints=(
            "Differentiate softplus(l) − x l. The derivative of softplus is a function that you "
            "have written.",
            "d/dl log(1 + eˡ) = eˡ/(1 + eˡ) = σ(l), and d/dl (x l) = x.",
            "return sigmoid(logits) - x",
        ),
        needs=("sigmoid",),
    ),
    Exercise(
        "03_network",
        "the new theta and the new s after one step of RMSprop",
        rmsprop_step,
        source="the two formulas, in order",
        returns="theta, s",
        by_hand=(
            Case(([0], [1], [0], 1.0, 0.75, 0.5), "by hand: s = ¼, θ = −1/(√¼ + ½)",
                 ([-1], [0.25])),
            Case(([1], [0], [0], 0.1, 0.75, 0.5), "by hand: without a gradient nothing moves",
                 ([1], [0])),
            Case(([1, 2], [0, 0], [0, 0], 0.1, 0.5, 0.25),
                 "by hand: without a gradient nothing moves", ([1, 2], [0, 0])),
            Case(([1, 0], [3, 0], [4, 2], 0.1, 0.75, 0.0),
                 "by hand: s = ¾·4 + ¼·3² and ¾·2, θ = 1 − 0.1·3/√5.25",
                 ([1 - 0.3 / 5.25**0.5, 0], [5.25, 1.5])),
        ),
        sample=lambda draw, n, m: (draw(n, m), draw(n, m), draw.positive(n, m), 0.25,
                                   0.25 * float(draw.positive(1)[0]) + 0.125, 0.5),
        shrink=False,
        mistakes=(
            Mistake("theta and s are exchanged: return theta, s.",
                    _step(lambda th, g, s, new, lr, rho, eps:
                          (new, th - lr * g / (np.sqrt(new) + eps)))),
            Mistake("The root is missing: divide by √s + eps.",
                    _step(lambda th, g, s, new, lr, rho, eps: th - lr * g / (new + eps)), "theta"),
            Mistake("eps belongs outside the root: √s + eps.",
                    _step(lambda th, g, s, new, lr, rho, eps: th - lr * g / np.sqrt(new + eps)),
                    "theta"),
            Mistake("eps is missing: divide by √s + eps.",
                    _step(lambda th, g, s, new, lr, rho, eps: th - lr * g / np.sqrt(new)), "theta"),
            Mistake("This uses the old s; update it first.",
                    _step(lambda th, g, s, new, lr, rho, eps: th - lr * g / (np.sqrt(s) + eps)),
                    "theta"),
            Mistake("This goes uphill.",
                    _step(lambda th, g, s, new, lr, rho, eps: th + lr * g / (np.sqrt(new) + eps)),
                    "theta"),
            Mistake("lr is missing.",
                    _step(lambda th, g, s, new, lr, rho, eps: th - g / (np.sqrt(new) + eps)),
                    "theta"),
            Mistake("The argument lr is not used.",
                    _step(lambda th, g, s, new, lr, rho, eps:
                          th - 1e-3 * g / (np.sqrt(new) + eps)), "theta"),
            Mistake("This is plain gradient descent; divide by √s + eps.",
                    _step(lambda th, g, s, new, lr, rho, eps: th - lr * g), "theta"),
            Mistake("This is the step alone; subtract it from theta.",
                    _step(lambda th, g, s, new, lr, rho, eps: lr * g / (np.sqrt(new) + eps)),
                    "theta"),
            Mistake("g is not squared.", _mean(lambda g, s, rho: rho * s + (1 - rho) * g)),
            Mistake("The running mean takes |g|; take g².",
                    _mean(lambda g, s, rho: rho * s + (1 - rho) * np.abs(g))),
            Mistake("ρ and 1 − ρ are exchanged.",
                    _mean(lambda g, s, rho: (1 - rho) * s + rho * g**2)),
            Mistake("(1 − ρ) is missing.", _mean(lambda g, s, rho: rho * s + g**2)),
            Mistake("ρ is missing.", _mean(lambda g, s, rho: s + (1 - rho) * g**2)),
            Mistake("This adds g² to s, as Adagrad does; RMSprop keeps a running mean.",
                    _mean(lambda g, s, rho: s + g**2)),
            Mistake("The old s is lost.", _mean(lambda g, s, rho: (1 - rho) * g**2)),
            Mistake("The old s is returned; return the new one.",
                    _step(lambda th, g, s, new, lr, rho, eps: s), "s"),
        ),
        hints=(
            "There are two formulas. Which of the two must come first?",
            "s = rho * s + (1 - rho) * grad**2 makes a new array; s *= rho would change the "
            "argument.",
            "theta = theta - lr * grad / (np.sqrt(s) + eps); return theta, s",
        ),
    ),
)
