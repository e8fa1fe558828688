"""Wrong gradients, each an edit of a right model, and the truth about each.

`named` is a phrase that a hint may use for the cause, because it is true; "" if none may be named.
"""

import inspect
from typing import NamedTuple

from examples import networks, structures


class Wrong(NamedTuple):
    """A mistake: in the source of `model`, `old` is replaced by `new`."""

    model: object
    old: str
    new: str
    named: str = ""


n, s = networks, structures
WRONG = (
    # softmax regression
    Wrong(n.softmax_regression, "        ds /= 7\n", ""),
    Wrong(n.softmax_regression, "ds[np.arange(7), y] -= 1.0", "ds[:, y] -= 1.0"),
    Wrong(n.softmax_regression, "ds[np.arange(7), y] -= 1.0", "ds[np.arange(7), y] += 1.0"),
    Wrong(n.softmax_regression, "e / e.sum(axis=1, keepdims=True)", "e / e.sum()"),
    Wrong(n.softmax_regression, "ds.sum(axis=0)}", "ds.mean(axis=0)}"),
    Wrong(n.softmax_regression, "e / e.sum(axis=1, keepdims=True)", "e / e.sum(axis=0)"),
    Wrong(n.label_smoothing, "(q - target) / 6", "(q - y) / 6"),
    Wrong(n.label_smoothing, "(q - target) / 6", "(q - target) / 30"),
    Wrong(n.label_smoothing, "x.T @ (q - target) / 6", "x.T @ ((q - target) * q * (1 - q)) / 6"),
    # Huber and least squares
    Wrong(n.huber_regression, "np.clip(r, -1.0, 1.0)", "np.sign(r)"),
    Wrong(n.huber_regression, "np.clip(r, -1.0, 1.0)", "r"),
    Wrong(n.huber_regression, "np.clip(r, -1.0, 1.0)", "np.clip(r, -0.5, 0.5)"),
    Wrong(n.huber_regression, "np.clip(r, -1.0, 1.0)", "np.clip(2.0 * r, -1.0, 1.0)"),
    Wrong(n.ridge, '0.6 * p["w"]', '0.3 * p["w"]'),
    Wrong(n.ridge, ' + 0.6 * p["w"]', "", "penalty is missing"),
    Wrong(n.ridge, "2.0 / 8 * x.T", "1.0 / 8 * x.T"),
    Wrong(n.ridge, '0.6 * p["w"]', '0.6 * np.sign(p["w"])'),
    Wrong(n.ridge, '(x @ p["w"] - y)', '(y - x @ p["w"])'),
    # leaky ReLU
    Wrong(n.leaky_relu_network, "np.where(a > 0.0, 1.0, 0.1)", "np.where(a > 0.0, 1.0, 0.01)"),
    Wrong(n.leaky_relu_network, "np.where(a > 0.0, 1.0, 0.1)", "(a > 0.0)"),
    Wrong(n.leaky_relu_network, "np.where(a > 0.0, 1.0, 0.1)", "np.where(dh > 0.0, 1.0, 0.1)"),
    Wrong(n.leaky_relu_network, "np.where(a > 0.0, 1.0, 0.1)", "np.where(a < 0.0, 1.0, 0.1)"),
    Wrong(n.leaky_relu_network, "np.where(a > 0.0, 1.0, 0.1)", "np.where(a > 0.5, 1.0, 0.1)"),
    Wrong(n.leaky_relu_network, '"W2": h.T @ dout', '"W2": a.T @ dout'),
    Wrong(n.leaky_relu_network, "da.sum(axis=0)", "dh.sum(axis=0)"),
    Wrong(n.leaky_relu_network, "h.T @ dout}", "h[:-1].T @ dout[:-1]}"),
    # GELU, softplus, swish, ELU
    Wrong(n.gelu_network, "(cdf + a * pdf)", "(cdf + pdf)"),
    Wrong(n.gelu_network, "(cdf + a * pdf)", "cdf"),
    Wrong(n.gelu_network, "np.exp(-0.5 * a**2)", "np.exp(-(a**2))"),
    Wrong(n.gelu_network, "np.sqrt(2.0 * np.pi)", "(2.0 * np.pi)"),
    Wrong(n.gelu_network, "a * cdf @ p", "cdf @ p"),
    Wrong(
        n.gelu_network,
        "np.exp(-0.5 * a**2) / np.sqrt(2.0 * np.pi)",
        "np.sqrt(2 / np.pi) * 0.5 * (1 - np.tanh(np.sqrt(2 / np.pi) * a) ** 2)",
    ),
    Wrong(n.softplus_network, "dh / (1.0 + np.exp(-a))", "dh / (1.0 + np.exp(a))"),
    Wrong(n.softplus_network, "dh / (1.0 + np.exp(-a))", "dh * (a > 0)"),
    Wrong(n.softplus_network, "dh / (1.0 + np.exp(-a))", "dh * (1.0 - np.exp(-h)) * np.exp(-h)"),
    Wrong(n.softplus_network, '(np.exp(h @ p["v"]) - y)', '(h @ p["v"] - y)'),
    Wrong(n.swish_network, "(s + a * s * (1.0 - s))", "s * (1.0 - s)"),
    Wrong(n.swish_network, "(s + a * s * (1.0 - s))", "(s + s * (1.0 - s))"),
    Wrong(n.swish_network, "(s + a * s * (1.0 - s))", "s"),
    Wrong(n.swish_network, 'dout @ p["V"].T', 'dout @ p["V"].T / 2.0'),
    Wrong(
        n.elu_network, "np.where(a > 0.0, 1.0, np.exp(a))", "np.where(a > 0.0, 1.0, np.exp(a) - 1)"
    ),
    Wrong(n.elu_network, "np.where(a > 0.0, 1.0, np.exp(a))", "np.where(a > 0.0, 1.0, elu(a))"),
    Wrong(n.elu_network, "np.where(a > 0.0, 1.0, np.exp(a))", "np.where(a > 0.0, a, np.exp(a))"),
    # residual networks, tied weights
    Wrong(n.residual_network, 'dh2 + da2 @ p["W2"].T', 'da2 @ p["W2"].T'),
    Wrong(n.residual_network, 'dh2 + da2 @ p["W2"].T', 'dh2 + da2 @ p["W2"]'),
    Wrong(n.residual_network, 'dh2 + da2 @ p["W2"].T', "dh2"),
    Wrong(n.residual_network, '"W2": h1.T @ da2', '"W2": x.T @ da2'),
    Wrong(n.residual_network, "(h2 - y) / y.size", "(h2 - y) / 6"),
    Wrong(n.residual_network, '(1.0 - np.tanh(h1 @ p["W2"]) ** 2)', "(1.0 - h2**2)"),
    Wrong(n.residual_network, '"W1": x.T @ da1', '"W1": da1.T @ x'),
    Wrong(n.tied_autoencoder, "x.T @ da + dy.T @ h", "x.T @ da"),
    Wrong(n.tied_autoencoder, "x.T @ da + dy.T @ h", "dy.T @ h"),
    Wrong(n.tied_autoencoder, "x.T @ da + dy.T @ h", "0.5 * (x.T @ da + dy.T @ h)"),
    Wrong(n.tied_autoencoder, "(1.0 - h**2)", "(1.0 - h)"),
    # dropout, normalization
    Wrong(n.dropout_with_a_mask, ".T * mask", ".T"),
    Wrong(n.dropout_with_a_mask, ".T * mask", ".T * (mask > 0)"),
    Wrong(n.dropout_with_a_mask, "(h * mask).T @ dy", "h.T @ dy"),
    Wrong(n.dropout_with_a_mask, "(1.0 - h**2)", "(1.0 - (h * mask) ** 2)"),
    Wrong(n.dropout_with_a_mask, ".T * mask", ".T * mask[::-1]"),
    Wrong(n.layer_norm, "dn - mean - n *", "dn - n *"),
    Wrong(n.layer_norm, " - n * (dn * n).mean(axis=1, keepdims=True)", ""),
    Wrong(
        n.layer_norm, "(dn * n).mean(axis=1, keepdims=True)", "(dy * n).mean(axis=1, keepdims=True)"
    ),
    Wrong(n.layer_norm, 'dn = dy * p["gain"]', "dn = dy"),
    Wrong(n.layer_norm, "(dy * n).sum(axis=0)", "(dn * n).sum(axis=0)"),
    Wrong(n.layer_norm, "dn.mean(axis=1, keepdims=True)", "dn.mean(axis=0)"),
    Wrong(n.batch_norm, "dn - dn.mean(axis=0) - n", "dn - n"),
    Wrong(n.batch_norm, "(dn - dn.mean(axis=0) - n * (dn * n).mean(axis=0)) / sd", "dn / sd"),
    Wrong(n.batch_norm, "(dn * n).mean(axis=0)", "(dn * n).sum(axis=0)"),
    Wrong(n.batch_norm, "(dn * n).mean(axis=0)) / sd", "(dn * n).mean(axis=0)) / sd**2"),
    Wrong(n.batch_norm, "(ds * n).sum(axis=0)", "(ds * n).mean(axis=0)"),
    Wrong(n.rms_norm, " - n * (dn * n).mean(axis=1, keepdims=True)", ""),
    Wrong(
        n.rms_norm, "(dn * n).mean(axis=1, keepdims=True)", "(dn * n).sum(axis=1, keepdims=True)"
    ),
    Wrong(n.rms_norm, 'dn = dy * p["gain"]', 'dn = dy * p["gain"] ** 2'),
    Wrong(
        n.weight_norm,
        "(dw - (dw @ unit) * unit)",
        "dw",
        "the projection of a normalization is missing",
    ),
    Wrong(n.weight_norm, 'p["g"] / length * (dw', 'p["g"] * (dw'),
    Wrong(n.weight_norm, 'p["g"] / length * (dw', "1.0 / length * (dw"),
    Wrong(n.weight_norm, '"g": dw @ unit', '"g": dw @ p["v"]'),
    # sequences
    Wrong(
        s.embedding_bag,
        "np.add.at(dE, words, dmean[:, None, :] / 4)",
        "dE[words] += dmean[:, None, :] / 4",
    ),
    Wrong(s.embedding_bag, "dmean[:, None, :] / 4", "dmean[:, None, :]"),
    Wrong(s.embedding_bag, "np.add.at(dE, words,", "np.add.at(dE, words[:, :1],"),
    Wrong(s.recurrent_network, 'dh = da @ p["Wh"].T', 'dh = da @ p["Wh"]'),
    Wrong(s.recurrent_network, "reversed(range(4))", "reversed(range(1, 4))"),
    Wrong(s.recurrent_network, "reversed(range(4))", "[3]"),
    Wrong(s.recurrent_network, "dWh += h[t].T @ da", "dWh += h[t + 1].T @ da"),
    Wrong(s.recurrent_network, "dWx += x[t].T @ da", "dWx = x[t].T @ da"),
    Wrong(s.recurrent_network, "(1.0 - h[t + 1] ** 2)", "(1.0 - h[t] ** 2)"),
    Wrong(s.recurrent_network, "db += da.sum(axis=0)", "db += dh.sum(axis=0)"),
    Wrong(s.lstm, "dc = dc * f", "dc = 0.0 * dc"),
    Wrong(s.lstm, "dc = dc * f", "dc = dc"),
    Wrong(s.lstm, "dc = dc + dh * o", "dc = dh * o"),
    Wrong(s.lstm, "dc * before, dc * i", "dc * c, dc * i"),
    Wrong(s.lstm, "(1.0 - np.tanh(c) ** 2)", "(1.0 - c**2)"),
    Wrong(s.lstm, "dg * (1 - g**2)]", "dg * g * (1 - g)]"),
    Wrong(s.lstm, "[:, 2:]", "[:, :3]"),
    Wrong(s.lstm, "do = dh * np.tanh(c)", "do = dh * c"),
    Wrong(s.lstm, "di * i * (1 - i), df * f * (1 - f)", "df * f * (1 - f), di * i * (1 - i)"),
    Wrong(s.gated_unit, "dh * (h0 - n)", "dh * (n - h0)"),
    Wrong(s.gated_unit, "[:, 3:] * h0", "[:, 3:]"),
    Wrong(s.gated_unit, "xrh.T @ dan", "xh.T @ dan"),
    Wrong(s.gated_unit, "dh * (1.0 - z) * (1.0", "dh * z * (1.0"),
    # attention
    Wrong(s.attention, " / np.sqrt(3.0)\n        return {", "\n        return {"),
    Wrong(s.attention, "- (share * dshare).sum(axis=1, keepdims=True)", ""),
    Wrong(
        s.attention,
        "(share * dshare).sum(axis=1, keepdims=True)",
        "dshare.sum(axis=1, keepdims=True)",
    ),
    Wrong(
        s.attention, "(share * dshare).sum(axis=1, keepdims=True)", "(share * dshare).sum(axis=0)"
    ),
    Wrong(s.attention, "x.T @ ds.T @ q", "x.T @ ds @ q"),
    Wrong(s.attention, "x.T @ share.T @ dout", "x.T @ share @ dout"),
    Wrong(s.attention, "x.T @ ds @ k", "x.T @ ds @ q"),
    # convolutions and pooling
    Wrong(
        s.convolution,
        '"ncij,nijkl->ckl", dy, patches()',
        '"ncij,nijkl->ckl", dy, patches()[..., ::-1, ::-1]',
    ),
    Wrong(s.convolution, "dy.sum(axis=(0, 2, 3))", "dy.sum(axis=(0, 2, 3)) / 16"),
    Wrong(s.convolution, "dy = (forward(p) - y) / 3", "dy = forward(p) - y"),
    Wrong(
        s.two_convolutions,
        'dh[:, j : j + 5] += dy * p["k2"][j]',
        'dh[:, j : j + 5] += dy * p["k2"][2 - j]',
    ),
    Wrong(s.two_convolutions, "dh[:, j : j + 5] += dy", "dh[:, j : j + 5] = dy"),
    Wrong(s.two_convolutions, "for j in range(3)", "for j in range(2)"),
    Wrong(s.max_pooling, "a.argmax(axis=2)", "a.argmin(axis=2)"),
    Wrong(s.max_pooling, "a.argmax(axis=2)", "np.abs(a).argmax(axis=2)"),
    Wrong(
        s.max_pooling,
        "np.put_along_axis(da, a.argmax(axis=2)[:, :, None], dh[:, :, None], axis=2)",
        "da[:] = dh[:, :, None] / 3",
    ),
    Wrong(
        s.max_pooling,
        "np.put_along_axis(da, a.argmax(axis=2)[:, :, None], dh[:, :, None], axis=2)",
        "da[:] = dh[:, :, None]",
    ),
    Wrong(s.average_pooling, "np.repeat(dm / 3, 3, axis=1)", "np.repeat(dm, 3, axis=1)"),
    Wrong(s.average_pooling, "np.repeat(dm / 3, 3, axis=1)", "np.tile(dm / 3, (1, 3))"),
    # distributions
    Wrong(s.gaussian_likelihood, "0.5 * (1.0 - r**2", "(1.0 - r**2"),
    Wrong(
        s.gaussian_likelihood,
        "0.5 * (1.0 - r**2 * np.exp(-logvar))",
        "0.5 * (1.0 - r**2 * np.exp(-0.5 * logvar))",
    ),
    Wrong(
        s.gaussian_likelihood,
        "0.5 * (1.0 - r**2 * np.exp(-logvar))",
        "0.5 * (1.0 + r**2 * np.exp(-logvar))",
    ),
    Wrong(s.gaussian_likelihood, "dmean = r * np.exp(-logvar)", "dmean = r"),
    Wrong(s.mixture_density, "7 * weight - share.sum(axis=0)", "-share.sum(axis=0)"),
    Wrong(s.mixture_density, "(share * (1.0 - u**2))", "(share * (0.5 - u**2))"),
    Wrong(s.mixture_density, '-(share * u * np.exp(-p["s"]))', "-(share * u)"),
    Wrong(s.mixture_density, "e / e.sum(axis=1, keepdims=True)", "e"),
    Wrong(s.matrix_factorization, 'r.T @ p["U"]', 'r.T @ p["U"] * 2.0'),
    Wrong(s.matrix_factorization, "2.0 * seen * (p", "2.0 * (p"),
    Wrong(s.matrix_factorization, '0.2 * p["U"]', '0.2 * p["U"] ** 2'),
    Wrong(s.matrix_factorization, '"c": r.sum()', '"c": r.mean()'),
    Wrong(s.contrastive, " / 6 / 0.5", " / 6"),
    Wrong(s.contrastive, "- np.eye(6)", ""),
    Wrong(s.contrastive, "y.T @ ds.T @ a", "y.T @ ds @ a"),
    Wrong(s.cosine_similarity, "(y - unit * (unit * y).sum(axis=1, keepdims=True))", "y"),
    Wrong(s.cosine_similarity, ") / length\n        return", ")\n        return"),
    Wrong(
        s.cosine_similarity,
        "(unit * y).sum(axis=1, keepdims=True)",
        "(a * y).sum(axis=1, keepdims=True)",
    ),
    Wrong(
        s.gaussian_process,
        "0.5 * (inverse - np.outer(alpha, alpha))",
        "0.5 * (inverse + np.outer(alpha, alpha))",
    ),
    Wrong(
        s.gaussian_process,
        "0.5 * (inverse - np.outer(alpha, alpha))",
        "-0.5 * np.outer(alpha, alpha)",
    ),
    Wrong(s.gaussian_process, 'np.exp(-2.0 * p["width"])),', 'np.exp(-p["width"])),'),
    Wrong(s.gaussian_process, 'np.trace(dK) * np.exp(p["noise"])', "np.trace(dK)"),
    Wrong(s.planar_flow, "+ 2.0 * h * slope * uw / inner", ""),
    Wrong(s.planar_flow, "duw = -np.sum(slope / inner)", "duw = -np.sum(slope)"),
    Wrong(s.planar_flow, "+ 2.0 * h", "- 2.0 * h"),
    Wrong(s.planar_flow, '+ duw * p["w"]', ""),
    Wrong(s.hinge, "-(inside * y) / 11", "-y / 11"),
    Wrong(s.hinge, "-(inside * y) / 11", "-(inside * y)"),
    Wrong(s.hinge, "< 1.0", "< 0.0"),
)


def wrong_model(wrong):
    """The function `model`, compiled from its source with the mistake in the last place it fits."""
    before, found, after = inspect.getsource(wrong.model).rpartition(wrong.old)
    assert found, wrong
    space = dict(vars(inspect.getmodule(wrong.model)))
    exec(compile(before + wrong.new + after, f"<{wrong.model.__name__}>", "exec"), space)
    return space[wrong.model.__name__]
