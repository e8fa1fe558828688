"""How good a model is, in one table: the ELBO, tighter bounds, the evidence, and the gap."""

from __future__ import annotations

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
from numpyvae.quadrature import Evidence, evidence, vae_log_likelihood
from numpyvae.vae import VAE

KS = (5, 50, 500)
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
            found["evidence"]["largest numerical error"] = float(self.evidence.error.max())
            found["KL(q, posterior)"] = float(self.evidence.gap.mean())
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
            short = (self.evidence.value - self.elbo).mean()
            lines += [
                f"  evidence - ELBO = {short:.2f}, and KL(q, true posterior) by integration = "
                f"{self.evidence.gap.mean():.2f}: that is what the encoder costs",
                f"  evidence by integration on a grid; every second node of it gives the same "
                f"within {self.evidence.error.mean():.3f} (mean), {self.evidence.error.max():.2f} "
                "(worst image)",
            ]
        shown = " ".join(f"{kl:.2f}" for kl in sorted(self.kl_per_latent, reverse=True)[:20])
        more = " …" if len(self.kl_per_latent) > 20 else ""
        lines += [
            f"  KL of each latent, largest first: {shown}{more}; "
            f"{self.active.sum()} of {len(self.active)} active",
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
    mu, logvar = vae.encode(x)
    reconstruction, kl = elbo(vae, x, rng, samples=DRAWS)
    log_w = log_weights(vae, x, max(KS), rng, progress)
    integral = None
    if vae.latent <= 2:
        likelihood = vae_log_likelihood(vae, x)
        integral = evidence(likelihood, vae.latent, q=(mu, logvar), progress=progress)
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
