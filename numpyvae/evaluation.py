"""How good a model is, in one table: the ELBO, tighter bounds, the evidence, and the gap."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from numpyvae.bounds import (
    active_units,
    elbo,
    importance_bound,
    kl_per_latent,
    log_weights,
    mean_and_error,
)
from numpyvae.images import check_pixels
from numpyvae.parameters import Array
from numpyvae.pictures import reference_losses
from numpyvae.quadrature import BORDER, Evidence, evidence, vae_log_likelihood
from numpyvae.vae import VAE

KS = (5, 50, 500)
WIDEST = 10.0  # half the width of the grid for the evidence, at most
DRAWS = 100  # of z for each image, for the ELBO


@dataclass(frozen=True)
class Evaluation:
    """What is known of a model's fit to N images, each array (N,) in nats per image.

    binary         whether all pixels are 0 or 1: only then is any of this a log-likelihood
    pixels         the number X of pixels
    bounds         the importance-weighted bound for each k, larger is better
    evidence       by integration, for one or two latents, else None
    references     what a network of zeros, the best constant picture and a perfect reconstruction
                   reach on these images, as −loss
    kl_per_latent  (Z,) the mean KL of each latent
    active         (Z,) whether the latent tells images apart
    """

    binary: bool
    pixels: int
    reconstruction: Array
    kl: Array
    bounds: dict[int, Array]
    evidence: Evidence | None
    references: dict[str, float]
    kl_per_latent: Array
    active: Array

    @property
    def elbo(self) -> Array:
        """−(reconstruction + KL)."""
        return -(self.reconstruction + self.kl)

    @property
    def ladder(self) -> dict[str, Array]:
        """The bounds from the loosest to the tightest, and the evidence."""
        rungs = {"ELBO": self.elbo}
        rungs |= {f"bound, k = {k}": bound for k, bound in self.bounds.items()}
        return rungs if self.evidence is None else rungs | {"evidence": self.evidence.value}

    @property
    def cut_off(self) -> int:
        """How many images have posterior mass beyond the grid: their evidence is too low."""
        return 0 if self.evidence is None else int((self.evidence.outside > BORDER).sum())

    def as_dict(self) -> dict[str, Any]:
        """All means with their standard errors, as plain numbers."""
        found: dict[str, Any] = {
            "images": len(self.kl),
            "unit": "nats per image",
            "kind": "log-likelihood" if self.binary else "grey cross-entropy",
            "reconstruction": float(self.reconstruction.mean()),
            "kl": float(self.kl.mean()),
            "for comparison": self.references,
        }
        for name, values in self.ladder.items():
            mean, error = mean_and_error(values)
            found[name] = {"mean": mean, "standard error": error}
        if self.evidence is not None and self.evidence.gap is not None:
            found["evidence"]["largest change without every second node"] = float(
                self.evidence.error.max()
            )
            found["evidence"]["images with mass outside the grid"] = self.cut_off
            held = self.evidence.gap[np.isfinite(self.evidence.gap)]
            found["KL(q, posterior)"] = float(held.mean()) if len(held) else None
        if self.binary:
            found["bits per pixel"] = -found[list(self.ladder)[-1]]["mean"] / self.bit
        found["KL per latent"] = self.kl_per_latent.tolist()
        found["active latents"] = int(self.active.sum())
        return found

    @property
    def bit(self) -> float:
        """A bit for each pixel, in nats."""
        return float(self.pixels * np.log(2.0))

    def __str__(self) -> str:
        kind = "log p(x)" if self.binary else "grey cross-entropy"
        count = len(self.kl)
        lines = [
            f"{count:,} images, {kind}, nats per image ± standard error over the images; "
            "higher is better",
            "",
        ]
        last = list(self.ladder)[-1]
        for name, values in self.ladder.items():
            mean, error = mean_and_error(values)
            line = f"  {name:<16} {mean:9.2f} ± {error:.2f}"
            if name != last:
                gap, error = mean_and_error(self.ladder[last] - values)
                line += f"   {gap:6.2f} ± {error:.2f} below the {last}"
            lines.append(line)
        shown = ";   ".join(f"{name} {value:.2f}" for name, value in self.references.items())
        lines += [
            "",
            f"  for comparison:   {shown}",
            f"  ELBO = -(reconstruction + KL) = -({self.reconstruction.mean():.2f} + "
            f"{self.kl.mean():.2f})",
        ]
        if self.evidence is not None and self.evidence.gap is not None:
            held = np.isfinite(self.evidence.gap)
            short = (self.evidence.value - self.elbo)[held]
            if held.any():
                which = "" if held.all() else f" (of {held.sum():,} images that the grid resolves)"
                lines += [
                    f"  evidence - ELBO = {short.mean():.2f}, and KL(q, true posterior) by "
                    f"integration = {self.evidence.gap[held].mean():.2f}{which}:",
                    "  that is what it costs that q is a Gaussian, and from one encoder for all",
                ]
            lines += [
                "  leaving out every second node of the grid changes the evidence by "
                f"{self.evidence.error.mean():.3f} (mean), {self.evidence.error.max():.2f} (most)",
            ]
            if self.cut_off:
                lines += [
                    f"  TOO LOW for {self.cut_off:,} images: part of their posterior lies outside "
                    "the grid; do not compare this evidence"
                ]
        shown = " ".join(f"{kl:.2f}" for kl in sorted(self.kl_per_latent, reverse=True)[:20])
        more = " …" if len(self.kl_per_latent) > 20 else ""
        lines += [
            f"  KL of each latent, largest first: {shown}{more}; "
            f"{self.active.sum()} of {len(self.active)} active "
            "(variance of mu above 0.01)",
            "",
        ]
        if self.binary:
            nll = -self.ladder[last].mean()
            best = "NLL" if self.evidence is not None else "bound of the NLL"
            lines += [
                f"  {best} {nll:.2f} nats = {nll / self.bit:.4f} bits per pixel. Compare it with "
                "models of the same binary pixels only."
            ]
        else:
            lines += [
                "  Grey pixels: this is a cross-entropy, no log-likelihood, and has no bits per "
                "pixel. Compare it",
                "  with models of the same grey pixels, and never with the NLL of binary ones.",
            ]
        return "\n".join(lines)


def _integral(
    vae: VAE,
    x: Array,
    mu: Array,
    logvar: Array,
    progress: Callable[[Iterable[int]], Iterable[int]],
) -> Evidence:
    """The evidence on a grid that is wide enough for the encoder's q, if that is possible."""
    reach = float((np.abs(mu) + 6.0 * np.exp(0.5 * logvar)).max())
    half_width = float(np.clip(np.ceil(reach), 5.0, WIDEST))
    spacing = 0.025 if vae.latent == 2 else 0.001
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # `outside` is in the table
        return evidence(
            vae_log_likelihood(vae, x), vae.latent, q=(mu, logvar),
            nodes=2 * round(half_width / spacing) + 1, half_width=half_width, progress=progress,
        )  # fmt: skip


def evaluate(
    vae: VAE,
    images: ArrayLike,
    rng: np.random.Generator | int = 0,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Evaluation:
    """Everything in an Evaluation, of images (N, X) that the model was not trained on.

    `progress` wraps the two long loops; pass tqdm to see a bar.
    """
    rng = np.random.default_rng(rng)
    x = check_pixels("images", images, vae.image_shape, vae.parameters.value.dtype)
    if len(x) < 2:
        raise ValueError("images: expected at least two, for a standard error, got one; pass more")
    mu, logvar = vae.encode(x)
    reconstruction, kl = elbo(vae, x, rng, samples=DRAWS)
    log_w = log_weights(vae, x, max(KS), rng, progress)
    integral = None
    if vae.latent <= 2:
        integral = _integral(vae, x, mu, logvar, progress)
    return Evaluation(
        binary=bool(np.isin(x, (0.0, 1.0)).all()),
        pixels=x.shape[1],
        reconstruction=reconstruction,
        kl=kl,
        bounds={k: importance_bound(log_w, k) for k in KS},
        evidence=integral,
        references={name: 0.0 - loss for name, loss in reference_losses(x).items()},
        kl_per_latent=kl_per_latent(mu, logvar).mean(axis=0),
        active=active_units(mu),
    )
