"""Right answers to the exercises of notebooks 11, 12 and 13, by different students."""

import functools
import math

import numpy as np
from scipy import special, stats

from numpyvae.course.exercises import vae_pass

# 11 samples


def aggregate_grid_loops(mu, logvar, axis):
    M, N = len(axis), len(mu)
    q = np.zeros((M, M))
    for i in range(M):
        for j in range(M):
            for n in range(N):
                v1, v2 = np.exp(logvar[n, 0]), np.exp(logvar[n, 1])
                a = (axis[i] - mu[n, 0]) ** 2 / v1 + (axis[j] - mu[n, 1]) ** 2 / v2
                q[i, j] += np.exp(-a / 2) / (2 * np.pi * np.sqrt(v1 * v2))
    return q / N


def aggregate_grid_einsum(mu, logvar, axis):
    density = stats.norm.pdf(axis[:, None, None], mu, np.exp(0.5 * logvar))
    return np.einsum("in,jn->ij", density[..., 0], density[..., 1]) / mu.shape[0]


def aggregate_grid_meshgrid(mu, logvar, axis):
    z1, z2 = np.meshgrid(axis, axis, indexing="ij")
    total = 0
    for (m1, m2), (l1, l2) in zip(mu, logvar):
        total = total + stats.multivariate_normal([m1, m2], np.diag([np.exp(l1), np.exp(l2)])).pdf(
            np.dstack([z1, z2])
        ).reshape(z1.shape)
    return total / len(mu)


def aggregate_grid_in_place(mu, logvar, axis):
    q = np.zeros((axis.size, axis.size))
    for m, precision in zip(mu, np.exp(-logvar)):
        columns = np.exp(-0.5 * precision * (axis[:, None] - m) ** 2)
        columns *= np.sqrt(precision / (2 * np.pi))
        q += np.outer(*columns.T)
    q /= len(mu)
    return q


def aggregate_grid_logarithms(mu, logvar, axis):
    squares = (axis[:, None, None] - mu) ** 2 * np.exp(-logvar)
    logs = -0.5 * (np.log(2 * np.pi) + logvar + squares)
    return np.exp(special.logsumexp(logs[:, None, :, 0] + logs[None, :, :, 1], axis=-1)) / len(mu)


def aggregate_grid_lists(mu, logvar, axis):
    def normal(z, m, l):
        return math.exp(-((z - m) ** 2) / math.exp(l) / 2) / math.sqrt(2 * math.pi * math.exp(l))

    codes = [(*m, *l) for m, l in zip(mu.tolist(), logvar.tolist())]
    return [
        [
            sum(normal(a, m1, l1) * normal(b, m2, l2) for m1, m2, l1, l2 in codes) / len(codes)
            for b in axis.tolist()
        ]
        for a in axis.tolist()
    ]


def aggregate_grid_single_precision(mu, logvar, axis):
    return aggregate_grid_einsum(mu, logvar, axis).astype(np.float32)


def kl_parts_mask(mu, logvar, q, axis):
    z1, z2 = np.meshgrid(axis, axis)
    p = np.exp(-(z1**2 + z2**2) / 2) / (2 * np.pi)
    some = q > 0
    distance = np.sum(q[some] * np.log(q[some] / p[some])) * (axis[1] - axis[0]) ** 2
    kl = 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)
    return kl.mean() - distance, distance


def kl_parts_loops(mu, logvar, q, axis):
    step, distance, mean = axis[1] - axis[0], 0.0, 0.0
    for i, a in enumerate(axis):
        for j, b in enumerate(axis):
            if q[i, j] != 0:
                log_p = -math.log(2 * math.pi) - (a * a + b * b) / 2
                distance += q[i, j] * (math.log(q[i, j]) - log_p) * step * step
    for n in range(len(mu)):
        for j in range(2):
            mean += (mu[n, j] ** 2 + math.exp(logvar[n, j]) - 1 - logvar[n, j]) / 2 / len(mu)
    return [mean - distance, distance]


def kl_parts_scipy(mu, logvar, q, axis):
    p = np.outer(*2 * [stats.norm.pdf(axis)])
    cell = (np.ptp(axis) / (len(axis) - 1)) ** 2
    distance = float(special.rel_entr(q, p).sum()) * cell
    total = vae_pass.kl_divergence(mu, logvar).mean()
    return float(total) - distance, distance


def kl_parts_entropies(mu, logvar, q, axis):
    cell = np.diff(axis).mean() ** 2
    r2 = np.add.outer(axis**2, axis**2)
    distance = cell * (special.xlogy(q, q).sum() + (q * (np.log(2 * np.pi) + r2 / 2)).sum())
    variance = np.exp(logvar)
    total = -0.5 * np.sum(1 + logvar - mu**2 - variance) / mu.shape[0]
    return np.float64(total - distance), np.float64(distance)


def kl_parts_copy(mu, logvar, q, axis):
    q = q.copy()
    q[q == 0] = 1e-300
    log_ratio = np.log(q) + axis[:, None] ** 2 / 2 + axis[None, :] ** 2 / 2 + np.log(2 * np.pi)
    log_ratio *= q
    distance = np.einsum("ij->", log_ratio) * (axis[-1] - axis[-2]) ** 2
    kl = np.zeros(len(mu))
    for m, l in zip(mu.T, logvar.T):
        kl += 0.5 * (m * m + np.exp(l) - 1 - l)
    return np.average(kl) - distance, distance


def kl_parts_array(mu, logvar, q, axis):
    return np.array(kl_parts_scipy(mu, logvar, q, axis))


def kl_parts_one_entry_arrays(mu, logvar, q, axis):
    d = axis[1:2] - axis[:1]
    p = np.prod(stats.norm.pdf(np.array(np.meshgrid(axis, axis))), axis=0)
    distance = (special.kl_div(q, p) + q - p).sum(keepdims=True)[0] * d**2
    return vae_pass.kl_divergence(mu, logvar).mean(keepdims=True) - distance, distance


def kl_parts_single_precision(mu, logvar, q, axis):
    return [np.float32(part) for part in kl_parts_mask(mu, logvar, q, axis)]


# 12 rate and distortion


def rates_loops(eigenvalues, noise_variance, beta):
    result = np.zeros(len(eigenvalues))
    for j, value in enumerate(eigenvalues):
        if value > beta * noise_variance:
            result[j] = 0.5 * math.log(value / (beta * noise_variance))
    return result


def rates_lists(eigenvalues, noise_variance, beta):
    least = beta * noise_variance
    return [math.log(max(value, least) / least) / 2 for value in eigenvalues.tolist()]


def rates_difference_of_logs(eigenvalues, noise_variance, beta):
    least = noise_variance * beta
    return 0.5 * (np.log(np.maximum(eigenvalues, least)) - np.log(least))


def rates_warning_on_the_way(eigenvalues, noise_variance, beta):
    return np.maximum(0, np.log(eigenvalues / (beta * noise_variance)) / 2)


def rates_best_s(eigenvalues, noise_variance, beta):
    with np.errstate(divide="ignore"):
        s2 = np.minimum(1, beta * noise_variance / eigenvalues)
    return -np.log(np.sqrt(s2))


def rates_where(eigenvalues, noise_variance, beta):
    on = eigenvalues > beta * noise_variance
    rate = np.zeros_like(eigenvalues)
    np.log(eigenvalues / beta / noise_variance, out=rate, where=on)
    rate *= 0.5
    return rate


def rates_single_precision(eigenvalues, noise_variance, beta):
    ratio = np.float32(eigenvalues) / np.float32(beta * noise_variance)
    return 0.5 * np.log(ratio.clip(1))


def rates_vectorized(eigenvalues, noise_variance, beta):
    def one(value):
        least = beta * noise_variance
        return 0.0 if value <= least else math.log(value / least) / 2

    return np.vectorize(one, otypes=[float])(eigenvalues)


def sweep_loops(eigenvalues, noise_variance, betas):
    rate, distortion = np.zeros(len(betas)), np.zeros(len(betas))
    for i, beta in enumerate(betas):
        for value in eigenvalues:
            if value > beta * noise_variance:
                rate[i] += 0.5 * np.log(value / (beta * noise_variance))
                distortion[i] += beta / 2
            else:
                distortion[i] += value / (2 * noise_variance)
    return rate, distortion


def sweep_broadcast(eigenvalues, noise_variance, betas):
    least = np.asarray(betas)[:, None] * noise_variance
    left = np.minimum(eigenvalues, least)
    rate = 0.5 * np.log(np.maximum(eigenvalues / least, 1)).sum(axis=1)
    return rate, left.sum(axis=1) / (2 * noise_variance)


def sweep_from_the_rates(eigenvalues, noise_variance, betas):
    rate = np.stack([rates_loops(eigenvalues, noise_variance, beta) for beta in betas])
    left = np.exp(-2 * rate) @ eigenvalues
    return rate @ np.ones(len(eigenvalues)), left / noise_variance / 2


def sweep_lists(eigenvalues, noise_variance, betas):
    rate = [sum(rates_lists(eigenvalues, noise_variance, beta)) for beta in betas]
    left = [sum(min(v, beta * noise_variance) for v in eigenvalues) for beta in betas]
    return rate, [each / (2 * noise_variance) for each in left]


def sweep_pairs(eigenvalues, noise_variance, betas):
    pairs = []
    for beta in betas:
        kept = eigenvalues[eigenvalues > beta * noise_variance]
        lost = eigenvalues.sum() - (kept - beta * noise_variance).sum()
        rate = 0.5 * (np.log(kept).sum() - len(kept) * np.log(beta * noise_variance))
        pairs.append((rate, 0.5 * lost / noise_variance))
    return np.array(pairs).T


def sweep_ufuncs(eigenvalues, noise_variance, betas):
    ratio = np.divide.outer(eigenvalues, noise_variance * np.array(betas, float))
    rate = np.log(np.clip(ratio, 1, None)).sum(axis=0) / 2
    snr = eigenvalues / noise_variance
    return rate, np.fmin.outer(snr, np.asarray(betas)).sum(axis=0) / 2


def sweep_column(eigenvalues, noise_variance, betas):
    least = betas[:, None] * noise_variance
    rate = np.log(np.maximum(eigenvalues, least) / least).sum(axis=1) / 2
    return rate, np.minimum(eigenvalues, least).sum(axis=1) / (2 * noise_variance)


def sweep_single_precision(eigenvalues, noise_variance, betas):
    return [np.float32(part) for part in sweep_broadcast(eigenvalues, noise_variance, betas)]


# 13 a tighter bound


def log_mean_exp_backward_softmax(log_w):
    return special.softmax(log_w, axis=1)


def log_mean_exp_backward_loops(log_w):
    B, k = log_w.shape
    share = np.empty((B, k))
    for b in range(B):
        largest = max(log_w[b])
        w = [math.exp(entry - largest) for entry in log_w[b]]
        for i in range(k):
            share[b, i] = w[i] / sum(w)
    return share


def log_mean_exp_backward_logaddexp(log_w):
    return np.exp(log_w - np.logaddexp.reduce(log_w, axis=-1)[:, np.newaxis])


def log_mean_exp_backward_transposed(log_w):
    w = np.exp((log_w.T - log_w.max(axis=1)).T)
    return np.einsum("bi,b->bi", w, 1 / np.einsum("bi->b", w))


def log_mean_exp_backward_in_place(log_w):
    share = log_w.copy()
    for row in share:
        row -= row.max()
        np.exp(row, out=row)
        row /= row.sum()
    return share


def log_mean_exp_backward_differences(log_w):
    difference = log_w[:, None, :] - log_w[:, :, None]
    with np.errstate(over="ignore"):
        return 1 / np.exp(difference).sum(axis=2)


def log_mean_exp_backward_lists(log_w):
    rows = [[math.exp(entry - max(row)) for entry in row] for row in log_w.tolist()]
    return [[w / math.fsum(row) for w in row] for row in rows]


def log_mean_exp_backward_single_precision(log_w):
    shifted = (log_w - log_w.max(axis=1, keepdims=True)).astype(np.float32)
    return np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)


def log_weights_three_terms(t):
    log_p_x = -vae_pass.cross_entropy(t["logits"], t["target"])
    log_p_z = stats.norm.logpdf(t["z"]).sum(axis=1)
    log_q = stats.norm.logpdf(t["z"], t["mu"], np.exp(t["logvar"] / 2)).sum(axis=1)
    return log_p_x + log_p_z - log_q


def log_weights_loops(t):
    rows = []
    for r in range(len(t["z"])):
        total = 0.0
        for l, x in zip(t["logits"][r], t["target"][r]):
            total -= max(l, 0) + math.log1p(math.exp(-abs(l))) - x * l
        for z, e, v in zip(t["z"][r], t["eps"][r], t["logvar"][r]):
            total += (e**2 + v - z**2) / 2
        rows.append(total)
    return np.array(rows)


def log_weights_einsum(t):
    z, logits = t["z"], t["logits"]
    inner = np.einsum("rx,rx->r", t["target"], logits) - np.logaddexp(0, logits).sum(-1)
    error = (z - t["mu"]) * np.exp(-t["logvar"] / 2)
    outer = np.einsum("rj,rj->r", error, error) - np.einsum("rj,rj->r", z, z)
    return inner + 0.5 * (outer + t["logvar"] @ np.ones(z.shape[1]))


def log_weights_log_sigmoid(t):
    x, l = t["target"], t["logits"]
    log_p = np.sum(x * special.log_expit(l) + (1 - x) * special.log_expit(-l), axis=1)
    log_p -= 0.5 * np.sum(np.square(t["z"]), axis=1)
    log_p += 0.5 * np.sum(t["logvar"], axis=1)
    log_p += 0.5 * np.sum(np.square(t["eps"]), axis=1)
    return log_p


def log_weights_closed_form_inserted(t):
    mu, sigma, eps = t["mu"], np.exp(t["logvar"] / 2), t["eps"]
    difference = (1 - sigma**2) * eps**2 - mu**2 - 2 * mu * sigma * eps
    return (
        difference.sum(axis=1) / 2
        + np.log(sigma.prod(axis=1))
        - vae_pass.cross_entropy(t["logits"], t["target"])
    )


def log_weights_columns(t):
    softplus = special.softplus if hasattr(special, "softplus") else lambda l: np.logaddexp(l, 0)
    parts = [-softplus(t["logits"]), t["target"] * t["logits"], t["eps"] ** 2 / 2,
             t["logvar"] / 2, -(t["z"] ** 2) / 2]  # fmt: skip
    return np.concatenate(parts, axis=1).sum(axis=1)


def log_weights_single_precision(t):
    return np.float32(log_weights_three_terms(t))


def kept_going(theta, t, share):
    """The gradient, given the column of shares."""
    return vae_pass.backward(
        theta,
        t,
        share=share,
        sample=lambda dz, logvar, eps: vae_pass.reparameterize_backward(
            dz + share * t["z"], logvar, eps
        ),
        latents=lambda mu, logvar: (np.zeros_like(mu), np.full_like(logvar, -0.5)),
    )


def iwae_step_with_helpers(theta, s, x, eps, lr=1e-3):
    B, k, Z = eps.shape
    t = vae_pass.forward(theta, np.repeat(x, k, axis=0), eps.reshape(-1, Z))
    share = log_mean_exp_backward_softmax(log_weights_einsum(t).reshape(B, k)).reshape(-1, 1) / B
    return vae_pass.stepped(theta, s, kept_going(theta, t, share), lr)


def iwae_step_tile(theta, s, x, eps, lr=1e-3):
    B, k, Z = eps.shape
    t = vae_pass.forward(theta, np.tile(x, (k, 1)), eps.swapaxes(0, 1).reshape(k * B, Z))
    share = special.softmax(log_weights_columns(t).reshape(k, B), axis=0) / B
    new_theta, new_s = vae_pass.stepped(theta, s, kept_going(theta, t, share.reshape(-1, 1)), lr)
    return [new_theta, new_s]


def iwae_step_image_by_image(theta, s, x, eps, lr=1e-3):
    grad = {name: np.zeros_like(W) for name, W in theta.items()}
    for image, noise in zip(x, eps):
        t = vae_pass.forward(theta, np.array([image] * len(noise)), noise)
        w = log_weights_loops(t)
        share = np.exp(w - w.max())
        share /= share.sum() * len(x)
        for name, g in kept_going(theta, t, share[:, None]).items():
            grad[name] += g
    new_theta, new_s = {}, {}
    for name in sorted(theta):
        new_s[name] = s[name] * 0.9 + grad[name] * grad[name] * 0.1
        new_theta[name] = theta[name] - lr * grad[name] / (np.sqrt(new_s[name]) + 1e-7)
    return new_theta, new_s


def iwae_step_three_axes(theta, s, x, eps, lr=1e-3):
    h = np.maximum(x @ theta["W_h1"] + theta["b_h1"], 0)
    mu, logvar = h @ theta["W_mu"] + theta["b_mu"], h @ theta["W_logvar"] + theta["b_logvar"]
    sigma = np.exp(logvar / 2)[:, None]
    z = mu[:, None] + sigma * eps  # (B, k, Z)
    g = np.maximum(z @ theta["W_g1"] + theta["b_g1"], 0)
    l = g @ theta["W_out"] + theta["b_out"]
    log_w = (x[:, None] * l - np.logaddexp(0, l)).sum(axis=2)
    log_w += 0.5 * ((eps**2 - z**2).sum(axis=2) + logvar.sum(axis=1)[:, None])
    share = special.softmax(log_w, axis=1)[:, :, None] / len(x)

    dl = share * (special.expit(l) - x[:, None])
    da_g = (dl @ theta["W_out"].T) * (g > 0)
    dz = da_g @ theta["W_g1"].T + share * z
    dmu = dz.sum(axis=1)
    dlogvar = (0.5 * dz * sigma * eps).sum(axis=1) - 0.5 / len(x)
    da_h = (dmu @ theta["W_mu"].T + dlogvar @ theta["W_logvar"].T) * (h > 0)
    grad = {
        "W_h1": x.T @ da_h, "b_h1": da_h.sum(0), "W_mu": h.T @ dmu, "b_mu": dmu.sum(0),
        "W_logvar": h.T @ dlogvar, "b_logvar": dlogvar.sum(0),
        "W_g1": np.einsum("bij,bih->jh", z, da_g), "b_g1": da_g.sum((0, 1)),
        "W_out": np.einsum("bih,bix->hx", g, dl), "b_out": dl.sum((0, 1)),
    }  # fmt: skip
    s = {name: 0.9 * s[name] + 0.1 * grad[name] ** 2 for name in s}
    return {n: theta[n] - lr * grad[n] / (np.sqrt(s[n]) + 1e-7) for n in theta}, s


def iwae_step_copies_in_place(theta, s, x, eps, lr=1e-3):
    theta, s = ({name: np.array(a) for name, a in d.items()} for d in (theta, s))
    B, k, _Z = eps.shape
    rows = np.arange(B * k)
    t = vae_pass.forward(theta, x[rows // k], np.vstack(list(eps)))
    log_w = log_weights_log_sigmoid(t)
    total = np.array([np.logaddexp.reduce(log_w[b * k : (b + 1) * k]) for b in range(B)])
    share = np.exp(log_w - total[rows // k])[:, None] / B
    for name, g in kept_going(theta, t, share).items():
        s[name] *= 0.9
        s[name] += 0.1 * g**2
        theta[name] -= lr * g / (s[name] ** 0.5 + 1e-7)
    return theta, s


def iwae_step_complex(theta, s, x, eps, lr=1e-3):
    """The gradient is the imaginary part of the loss after an imaginary step of each weight."""

    def relu(a):
        return np.where(a.real > 0, a, 0)

    def loss(theta):
        h = relu(x @ theta["W_h1"] + theta["b_h1"])
        logvar = (h @ theta["W_logvar"] + theta["b_logvar"])[:, None]
        z = (h @ theta["W_mu"] + theta["b_mu"])[:, None] + np.exp(logvar / 2) * eps
        l = relu(z @ theta["W_g1"] + theta["b_g1"]) @ theta["W_out"] + theta["b_out"]
        softplus = relu(l) + np.log(1 + np.exp(np.where(l.real > 0, -l, l)))
        log_w = (x[:, None] * l - softplus).sum(axis=2)
        log_w = log_w + 0.5 * (eps**2 + logvar - z**2).sum(axis=2)
        largest = log_w.real.max(axis=1, keepdims=True)
        return -(np.log(np.exp(log_w - largest).mean(axis=1)) + largest[:, 0]).mean()

    grad = {}
    for name, W in theta.items():
        grad[name] = np.zeros(W.shape)
        for index in np.ndindex(W.shape):
            moved = W.astype(np.complex128)
            moved[index] += 1e-30j
            grad[name][index] = loss({**theta, name: moved}).imag / 1e-30
    return vae_pass.stepped(theta, s, grad, lr)


def iwae_step_single_precision(theta, s, x, eps, lr=1e-3):
    new = iwae_step_three_axes(theta, s, x, eps, lr)
    return tuple({name: np.float32(a) for name, a in d.items()} for d in new)


def iwae_step_draws_added(theta, s, x, eps, lr=1e-3):
    """A pass of all images for each draw."""
    B, k, _ = eps.shape
    passes = [vae_pass.forward(theta, x, eps[:, i]) for i in range(k)]
    share = special.softmax(np.array([log_weights_three_terms(t) for t in passes]), axis=0) / B
    grads = [kept_going(theta, t, column[:, None]) for t, column in zip(passes, share)]
    grad = functools.reduce(lambda a, b: {name: a[name] + b[name] for name in a}, grads)
    return vae_pass.stepped(theta, s, grad, lr)
