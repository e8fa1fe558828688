"""Loss and gradients are those of PyTorch's autograd, in float64. Optional: pip install torch."""

import numpy as np
import pytest

from numpyvae import IWAE, VAE, FreeBits, Gaussian

torch = pytest.importorskip("torch", reason="PyTorch is not installed; this comparison is optional")


def random_model(rng):
    """A model of any kind, depth, size, activation and likelihood; random weights; and a batch."""
    hidden = tuple(int(n) for n in rng.integers(1, 13, rng.integers(1, 4)))
    options = {
        "activation": str(rng.choice(["relu", "tanh"])),
        "image_shape": tuple(int(n) for n in rng.integers(1, 6, 2)),
        "likelihood": [None, Gaussian(), Gaussian(float(rng.uniform(0.2, 2.0)))][rng.integers(3)],
        "rng": rng,
    }
    kind = [VAE, IWAE, FreeBits][rng.integers(3)]
    if kind is IWAE:
        options["k"] = int(rng.integers(1, 6))
    else:
        options["beta"] = float(rng.choice([0.0, 0.5, 1.0, 3.0]))
    vae = kind(hidden, int(rng.integers(1, 5)), **options).astype(np.float64)
    vae.parameters.value += 0.3 * rng.standard_normal(vae.parameters.value.size)
    images = int(rng.integers(1, 20))
    x, target = rng.random((2, images, vae.image_shape[0] * vae.image_shape[1]))
    return vae, x, rng.standard_normal((images, *vae.eps_shape)), target


def torch_loss(vae, W, x, eps, target):
    """The loss of the model, written with PyTorch alone."""
    activation = getattr(torch, vae.activation)
    depth = range(1, len(vae.hidden) + 1)
    h = x
    for i in depth:
        h = activation(h @ W[f"W_h{i}"] + W[f"b_h{i}"])
    mu, logvar = h @ W["W_mu"] + W["b_mu"], h @ W["W_logvar"] + W["b_logvar"]
    if isinstance(vae, IWAE):
        mu, logvar, target = mu[:, None], logvar[:, None], target[:, None]
    z = mu + torch.exp(logvar / 2) * eps
    g = z
    for i in depth:
        g = activation(g @ W[f"W_g{i}"] + W[f"b_g{i}"])
    output = g @ W["W_out"] + W["b_out"]
    if vae.likelihood.name == "bernoulli":
        target = target.expand(output.shape)
        cross_entropy = torch.nn.functional.binary_cross_entropy_with_logits
        cost = cross_entropy(output, target, reduction="none").sum(-1)
    else:
        log_sigma = W.get("log_sigma", torch.tensor(np.log(vae.likelihood.sigma or 1.0)))
        cost = -torch.distributions.Normal(output, torch.exp(log_sigma)).log_prob(target).sum(-1)
    if isinstance(vae, IWAE):
        log_p = torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1) - cost
        log_q = torch.distributions.Normal(mu, torch.exp(logvar / 2)).log_prob(z).sum(-1)
        return -(torch.logsumexp(log_p - log_q, dim=1) - np.log(vae.k)).mean()
    kl = (0.5 * (mu**2 + torch.exp(logvar) - 1 - logvar)).mean(0)
    charged = torch.clamp(kl, min=vae.free_bits) if isinstance(vae, FreeBits) else kl
    return cost.mean() + vae.beta * charged.sum()


@pytest.mark.parametrize("part", range(10))
def test_two_hundred_random_models(part):
    worst_loss = worst_gradient = 0.0
    for seed in range(20 * part, 20 * part + 20):
        vae, x, eps, target = random_model(np.random.default_rng(seed))
        t = vae.forward(x, eps, target)
        loss = vae.loss(t).total
        vae.backward(t)
        W = {name: torch.tensor(vae.parameters[name]).requires_grad_() for name in vae.parameters}
        theirs = torch_loss(vae, W, *(torch.tensor(array) for array in (x, eps, target)))
        theirs.backward()
        wanted = float(theirs.detach())
        worst_loss = max(worst_loss, abs(loss - wanted) / max(abs(wanted), 1.0))
        largest = np.abs(vae.parameters.grad).max()
        for name, tensor in W.items():
            ours = vae.parameters.gradient(name)
            gradient = np.zeros_like(ours) if tensor.grad is None else tensor.grad.numpy()
            scale = max(np.abs(gradient).max(), 1e-4 * largest)  # what is 0 has no digits
            worst_gradient = max(worst_gradient, np.abs(ours - gradient).max() / scale)
    print(f"largest relative difference: loss {worst_loss:.1e}, gradients {worst_gradient:.1e}")
    assert worst_loss <= 1e-13
    assert worst_gradient <= 1e-12
