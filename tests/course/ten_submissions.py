"""Ten submissions to variant 4711, from a full mark to a copied answer, for the plan for marks."""

from numpyvae.course.variants import FUNCTIONS

BEGIN = "import numpy as np\n"
RIGHT = {
    "activation": "def activation(a):\n    return np.maximum(a, 0.19 * a)\n",
    "activation_backward": "def activation_backward(dy, a):\n"
    "    return dy * np.where(a > 0, 1, 0.19)\n",
    "negative_log_likelihood": "def negative_log_likelihood(o, x):\n"
    "    terms = (x - o) ** 2 / (2 * 1.4**2) + np.log(1.4) + 0.5 * np.log(2 * np.pi)\n"
    "    return terms.sum(axis=1)\n",
    "negative_log_likelihood_backward": "def negative_log_likelihood_backward(o, x):\n"
    "    return (o - x) / 1.4**2\n",
    "sample": "def sample(mu, rho, eps):\n    return mu + np.exp(-rho / 2) * eps\n",
    "sample_backward": "def sample_backward(dz, rho, eps):\n"
    "    return dz.copy(), -0.5 * dz * np.exp(-rho / 2) * eps\n",
    "kl": "def kl(mu, rho):\n"
    "    ratio = (np.exp(-rho) + (mu - 0.3) ** 2) / 1.9**2\n"
    "    return (np.log(1.9) + rho / 2 + ratio / 2 - 0.5).sum(axis=1)\n",
    "kl_backward": "def kl_backward(mu, rho):\n"
    "    return (mu - 0.3) / 1.9**2, 0.5 - np.exp(-rho) / (2 * 1.9**2)\n",
    "step": "def step(theta, grad, s, lr):\n"
    "    s = 0.76 * s + 0.24 * np.abs(grad)\n    return theta - lr * grad / (s + 1e-3), s\n",
}
LOOPS = {
    "activation": "def activation(a):\n    y = a.copy()\n    for i in np.ndindex(a.shape):\n"
    "        y[i] = a[i] if a[i] > 0 else 0.19 * a[i]\n    return y\n",
    "kl": "from scipy.stats import norm\ndef kl(mu, rho):\n    total = np.zeros(len(mu))\n"
    "    for b, z in np.ndindex(mu.shape):\n        variance = np.exp(-rho[b, z])\n"
    "        total[b] += 0.5 * (variance / 3.61 + (mu[b, z] - 0.3) ** 2 / 3.61 - 1\n"
    "                           - np.log(variance / 3.61))\n    return total\n",
}
OF_THE_NOTEBOOKS = {  # the VAE of the notebooks, not that of the variant
    "activation": "def activation(a):\n    return np.maximum(a, 0)\n",
    "activation_backward": "def activation_backward(dy, a):\n    return dy * (a > 0)\n",
    "sample": "def sample(mu, rho, eps):\n    return mu + np.exp(rho / 2) * eps\n",
    "sample_backward": "def sample_backward(dz, rho, eps):\n"
    "    return dz.copy(), 0.5 * dz * np.exp(rho / 2) * eps\n",
    "kl": "def kl(mu, rho):\n    return 0.5 * (mu**2 + np.exp(rho) - 1 - rho).sum(axis=1)\n",
    "kl_backward": "def kl_backward(mu, rho):\n    return mu.copy(), 0.5 * (np.exp(rho) - 1)\n",
    "step": "def step(theta, grad, s, lr):\n    s = 0.9 * s + 0.1 * grad**2\n"
    "    return theta - lr * grad / (np.sqrt(s) + 1e-7), s\n",
}
COPIED = "from numpyvae.course.variants import variant\n" + "".join(
    f"def {name}(*given):\n    return variant(4711).exercises[{name!r}].right(*given)\n"
    for name in FUNCTIONS
)


def blank(name):
    return f'def {name}(*given):\n    raise NotImplementedError("{name}: not written yet")\n'


def changed(name, old, new):
    assert old in RIGHT[name]
    return {**RIGHT, name: RIGHT[name].replace(old, new)}


TEN = {
    "s01": RIGHT,
    "s02": {**RIGHT, **LOOPS},
    "s03": changed("kl_backward", "0.5 - np.exp", "-0.5 + np.exp"),
    "s04": changed("sample_backward", "-0.5 * dz", "-dz"),
    "s05": changed("negative_log_likelihood", "sum", "mean")
    | {"negative_log_likelihood_backward": RIGHT["negative_log_likelihood_backward"].replace(
        "(o - x)", "(x - o)")},
    "s06": {**RIGHT, **{name: blank(name) for name in FUNCTIONS[4:]}},
    "s07": {**RIGHT, **OF_THE_NOTEBOOKS},
    "s08": changed("step", "    s = ", "    while True: pass\n    s = "),
    "s09": {name: blank(name) for name in FUNCTIONS},
    "s10": {"all": COPIED},
}  # fmt: skip
POINTS = {"s01": 9, "s02": 9, "s03": 8, "s04": 8, "s05": 7, "s06": 4, "s07": 2, "s08": 8, "s09": 0,
          "s10": 9}  # fmt: skip
