"""An epoch of notebook 08, with places for mistakes, and what a step is called with in it."""

import numpy as np

from numpyvae.course.guard import Fault

S = 1000  # the count of steps in s begins here, in theta at 0


def train_epoch(
    theta, s, images, rng, step=None, batch_size=100, *, order=None, noise=None, stop=None
):
    """One pass over all images in random order. The last three keywords are places for mistakes."""
    rows = rng.permutation(len(images)) if order is None else order(rng, len(images))
    for start in range(
        0, len(images) if stop is None else stop(len(images), batch_size), batch_size
    ):
        x = images[rows[start : start + batch_size]]
        shape = len(x), len(theta["b_mu"])
        eps = rng.standard_normal(shape, np.float32) if noise is None else noise(rng, shape)
        theta, s = step(theta, s, x, eps)
    return theta, s


def epoch_over(images, latents, batch_size):
    """A measurement of `train_epoch`: what a step gets in an epoch over numbered images."""

    def measure(function):
        rng = np.random.default_rng(0)
        first, second = (_facts(function, rng, images, latents, batch_size) for _ in range(2))
        again = _facts(function, np.random.default_rng(0), images, latents, batch_size)
        said = {
            name: fact for name, fact in first.items() if name not in ("order", "noise", "first")
        }
        return said | {
            "a new order in every epoch": not np.array_equal(first["order"], second["order"]),
            "other images in a batch of the next epoch": set(first["first"])
            != set(second["first"]),
            "new noise in every epoch": not np.array_equal(first["noise"], second["noise"]),
            "the same order and noise for the same rng": np.array_equal(
                first["order"], again["order"]
            )
            and np.array_equal(first["noise"], again["noise"]),
        }

    return measure


def _facts(function, rng, images, latents, batch_size):
    """What is true of an epoch over numbered images: numbers, and answers to yes-no questions."""
    notes, result, numbered = _recorded(function, rng, images, latents, batch_size)
    order = np.concatenate([x[:, 0] for _, _, x, _ in notes])
    noise = np.concatenate([eps for *_, eps in notes])
    seen = np.concatenate([x for _, _, x, _ in notes])
    steps = np.unique(np.diff(order), return_counts=True)
    middle = [np.mean(eps[: len(eps) // 2] > 0) for *_, eps in notes if len(eps) > 1]
    spread = float(noise.std()) or 1.0
    return {
        "images used": len(order),
        "different images": len(np.unique(order)),
        "batches": len(notes),
        "images in the last batch": len(notes[-1][2]),
        "x as rows of images, unchanged": seen.shape[1] == 3
        and seen.dtype == np.float32
        and np.isin(seen, numbered).all()
        and (seen == seen[:, :1]).all(),
        "a random order": len(order) < 2 or bool(steps[1].max() < 0.1 * len(order)),
        "the most frequent step from image to image": float(steps[0][steps[1].argmax()])
        if steps[1].max() > 0.1 * len(order)
        else 0.0,
        "a row of eps for each image": all(len(eps) == len(x) for *_, x, eps in notes),
        "columns of eps": noise.shape[1],
        "bytes of a number in eps": noise.dtype.itemsize,
        "noise of its own for each image": len(np.unique(noise[:, 0])) > 0.9 * len(noise)
        or all(len(np.unique(eps[:, 0])) == len(eps) for *_, eps in notes),
        "noise of its own for each batch": len({eps[0, 0] for *_, eps in notes}) == len(notes),
        "the mean of eps": round(float(noise.mean()), 1) + 0.0,
        "the s.d. of eps, to 0.05": round(20 * float(noise.std())) / 20,
        "eps from N(0, 1)": bool(0.035 < (np.abs(noise) > 2 * spread).mean() < 0.057),
        "eps in random order": bool(0.3 < np.mean(middle) < 0.7) if middle else True,
        "the new theta handed to the next step": [note[0] for note in notes]
        == list(range(len(notes))),
        "the new s handed to the next step": [note[1] - S for note in notes]
        == list(range(len(notes))),
        "theta and s in this order": bool(result[0]["count"] < S <= result[1]["count"]),
        "steps behind the theta that is returned": int(result[0]["count"]),
        "steps behind the s that is returned": int(result[1]["count"]) - S,
        "order": order,
        "noise": noise,
        "first": order[: len(notes[0][2])],
    }


def _recorded(function, rng, images, latents, batch_size):
    """What a step gets in an epoch, the theta and s that come back, and the images."""
    notes = []

    def step(theta, s, x, eps):
        if not (isinstance(x, np.ndarray) and isinstance(eps, np.ndarray)):
            raise Fault("wrong type", "It calls step with x or eps that is no array.")
        notes.append((int(theta["count"]), int(s["count"]), x.copy(), eps.copy()))
        return {**theta, "count": theta["count"] + 1}, {**s, "count": s["count"] + 1}

    sizes = {
        "h1": (3, 5),
        "mu": (5, latents),
        "logvar": (5, latents),
        "g1": (latents, 5),
        "out": (5, 3),
    }
    theta = {f"W_{name}": np.zeros(shape, np.float32) for name, shape in sizes.items()}
    theta |= {f"b_{name}": np.zeros(shape[1], np.float32) for name, shape in sizes.items()}
    s = {name: 0 * W for name, W in theta.items()}
    numbered = np.arange(images, dtype=np.float32)[:, None] * np.ones((1, 3), np.float32)
    start = {**theta, "count": np.array(0)}, {**s, "count": np.array(S)}
    result = function(*start, numbered, rng, step, batch_size)
    if not notes:
        raise Fault("wrong value", "It never calls the argument step; do not call train_step.")
    if not (
        isinstance(result, tuple | list)
        and len(result) == 2
        and all(isinstance(part, dict) and "count" in part for part in result)
    ):
        raise Fault("wrong type", "It must return theta and s, as the last step returned them.")
    for _, _, x, eps in notes:
        if x.ndim != 2 or eps.ndim != 2:
            raise Fault(
                "wrong shape",
                f"step gets x of shape {x.shape} and eps of shape "
                f"{eps.shape}; both have a row for each image.",
            )
    return notes, result, numbered
