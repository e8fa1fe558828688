"""Mistakes that people make: in 07, its eight tests catch all of them, as its text claims."""

import re

from tutorial_files import FOLDER, cells, prose, run_cells

SHARE, DLOGVAR = (
    'share = 1 / len(t["x"])',
    "dlogvar = dmu + share * dmu_kl, dlogvar + share * dlogvar_kl",
)
SAMPLE = "return mu + np.exp(logvar / 2) * eps"
SAMPLE_BACK = "return dz.copy(), dz * 0.5 * np.exp(logvar / 2) * eps"
KL, KL_BACK = (
    "(mu**2 + np.exp(logvar) - 1 - logvar)",
    "return mu.copy(), 0.5 * (np.exp(logvar) - 1)",
)
MISTAKES = {
    "variance for sigma, forward": [(SAMPLE, SAMPLE.replace("logvar / 2", "logvar"))],
    "variance for sigma, both": [
        (SAMPLE, SAMPLE.replace("logvar / 2", "logvar")),
        (SAMPLE_BACK, "return dz, dz * np.exp(logvar) * eps"),
    ],
    "KL averaged over latents, both": [
        ("- 1 - logvar).sum(axis=1)", "- 1 - logvar).mean(axis=1)"),
        (KL_BACK, "return mu / 2, 0.25 * (np.exp(logvar) - 1)"),
    ],
    "cross-entropy averaged over pixels, both": [
        ("(softplus - x * logits).sum(axis=1)", "(softplus - x * logits).mean(axis=1)"),
        ("return sigmoid(logits) - x", "return (sigmoid(logits) - x) / x.shape[1]"),
    ],
    "sum over the batch, both": [
        ('t["target"]).mean()', 't["target"]).sum()'),
        ('t["logvar"]).mean()', 't["logvar"]).sum()'),
        (SHARE, "share = 1.0"),
    ],
    "gradient not divided by B": [(SHARE, "share = 1.0")],
    "KL sign, both": [
        ("return reconstruction, kl", "return reconstruction, -kl"),
        (DLOGVAR, DLOGVAR.replace("+ share", "- share")),
    ],
    "KL takes logvar for log sigma, both": [
        (KL, "(mu**2 + np.exp(2 * logvar) - 1 - 2 * logvar)"),
        (KL_BACK, "return mu, np.exp(2 * logvar) - 1"),
    ],
    "KL's log term squared, both": [
        (KL, "(mu**2 + np.exp(logvar) - 1 - logvar**2)"),
        (KL_BACK, "return mu, 0.5 * (np.exp(logvar) - 2 * logvar)"),
    ],
    "half missing in dKL/dlogvar": [(KL_BACK, "return mu, np.exp(logvar) - 1")],
    "sampling path missing in dlogvar": [(SAMPLE_BACK, "return dz, 0 * dz")],
    "half sigma missing": [(SAMPLE_BACK, "return dz, dz * eps")],
    "trunk gets only mu's gradient": [("relu_backward(dh_mu + dh_logvar", "relu_backward(dh_mu")],
    "relu mask missing": [("return dy * (y > 0)", "return dy")],
    "mask from the gradient's sign": [("return dy * (y > 0)", "return dy * (dy > 0)")],
    "extra sigma' at the output": [
        ("return sigmoid(logits) - x", "p = sigmoid(logits)\n    return (p - x) * p * (1 - p)")
    ],
    "new eps in backward": [
        (
            'reparameterize_backward(dz, t["logvar"], t["eps"])',
            'reparameterize_backward(dz, t["logvar"], np.random.default_rng(9).random(dz.shape))',
        )
    ],
    "bias gradient averaged": [("x.T @ dy, dy.sum(axis=0)", "x.T @ dy, dy.mean(axis=0)")],
    "decoder fed mu, both": [(SAMPLE, "return mu + 0 * eps"), (SAMPLE_BACK, "return dz, 0 * dz")],
    "relu on logvar, both": [
        (
            't["logvar"] = dense(t["h"], theta["W_logvar"], theta["b_logvar"])',
            't["logvar"] = relu(dense(t["h"], theta["W_logvar"], theta["b_logvar"]))',
        ),
        ('theta["W_logvar"], dlogvar)', 'theta["W_logvar"], relu_backward(dlogvar, t["logvar"]))'),
    ],
    "sigmoid, then log": [
        (
            "return (softplus - x * logits).sum(axis=1)",
            "p = 1 / (1 + np.exp(-logits))\n"
            "    return -(x * np.log(p) + (1 - x) * np.log(1 - p)).sum(axis=1)",
        )
    ],
    "RMSprop without the root": [("grad / (np.sqrt(s) + eps), s", "grad / (s + eps), s")],
    "RMSprop's mean not squared": [("(1 - rho) * grad**2", "(1 - rho) * np.abs(grad)")],
    "hidden beta, both": [
        ("return reconstruction, kl", "return reconstruction, 0.1 * kl"),
        (DLOGVAR, DLOGVAR.replace("+ share", "+ 0.1 * share")),
    ],
}  # fmt: skip
GRADIENT_CHECK = """
rng = np.random.default_rng(0)
x, eps = rng.random((4, 6)), rng.standard_normal((4, 2))
theta = initialize(6, 5, 2, rng, np.float64)
report = check_gradients(
    lambda p: sum(loss(forward(p, x, eps))), theta, lambda p: backward(p, forward(p, x, eps))
)
assert report.ok
"""


def test_the_eight_tests_of_07_catch_every_mistake_and_the_gradient_check_eleven(capsys):
    code = cells("07_whole_vae")
    code = code[: 1 + max(i for i, cell in enumerate(code) if cell.startswith("# Check of"))]
    assert run_cells(code) == (None, None)
    words = re.search(
        r"We made (\d+) mistakes .* alone\s+finds (\w+) of them", prose("07_whole_vae"), re.DOTALL
    )
    assert int(words[1]) == len(MISTAKES)

    seen_by_gradient_check = 0
    for name, changes in MISTAKES.items():
        broken = list(code)
        for old, new in changes:
            assert sum(cell.count(old) for cell in broken) == 1, (name, old)
            broken = [cell.replace(old, new) for cell in broken]
        number, error = run_cells(broken)
        assert isinstance(error, AssertionError), (name, error)
        assert broken[number].startswith("# Check of"), name
        definitions = [cell for cell in broken if cell.startswith(("import", "def "))]
        seen_by_gradient_check += run_cells([*definitions, GRADIENT_CHECK])[0] is not None
    assert seen_by_gradient_check == 11
    assert words[2] == "eleven"


def test_the_whole_vae_has_fewer_than_120_lines():
    notebook = (FOLDER / "07_whole_vae.ipynb").read_text(encoding="utf-8")
    assert int(re.search(r"the whole VAE: (\d+) lines", notebook)[1]) < 120
