"""An Evaluation: the fit of a model to some images, as a record, a table and plain numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from numpyvae.evaluation.aggregate import OUTERMOST, Aggregate
from numpyvae.evaluation.bounds import mean_and_error
from numpyvae.evaluation.gaussians import GapSplit
from numpyvae.evaluation.quadrature import BORDER, Evidence
from numpyvae.support.types import Array

ABOVE = "above the evidence, which is TOO LOW; do not compare it"


class Words(NamedTuple):
    """What the numbers are called in JSON and in the headline, and what they compare with."""

    json: str
    head: str
    compare: tuple[str, ...]


# By the kind of the likelihood for these pixels. {name}, {nll} and {bits} are filled in.
AS = {
    "probability": Words(
        "log-likelihood",
        "log p(x)",
        (
            "  {name} {nll:.2f} nats = {bits:.4f} bits per pixel. Compare it with models of the "
            "same binary pixels only.",
        ),
    ),
    "density": Words(
        "log-density",
        "log p(x), a density",
        (
            "  {name} {nll:.2f} nats: of a density, so it may be negative, and has no bits per "
            "pixel. Compare it with",
            "  other densities of the same pixels only.",
        ),
    ),
    "cross-entropy": Words(
        "grey cross-entropy",
        "grey cross-entropy",
        (
            "  Grey pixels: this is a cross-entropy, not a log-likelihood, and has no bits per "
            "pixel.",
            "  Compare it with models of the same grey pixels, and never with the NLL of binary "
            "ones.",
        ),
    ),
}


@dataclass(frozen=True)
class Evaluation:
    """The fit of a model to N images; arrays are (N,), in nats per image.

    kind           what exp(bound) bounds, by the likelihood and the pixels: a "probability", a
                   "density", or neither ("cross-entropy": grey pixels under a Bernoulli)
    pixels         the number X of pixels
    bounds         the importance-weighted bound for each k; larger is better
    evidence       by integration, for one or two latents, else None
    codes          the aggregate posterior, for two latents, else None
    split          the gap of the first images, split into its parts; for two latents, else None
    references     −loss of simple models on these images, for comparison: see reference_losses
    kl_per_latent  (Z,) the mean KL of each latent
    active         (Z,) True if the latent distinguishes images
    """

    kind: str
    pixels: int
    reconstruction: Array
    kl: Array
    bounds: dict[int, Array]
    evidence: Evidence | None
    split: GapSplit | None
    codes: Aggregate | None
    references: dict[str, float]
    kl_per_latent: Array
    active: Array

    @property
    def elbo(self) -> Array:
        """ELBO = −(reconstruction + KL)."""
        return -(self.reconstruction + self.kl)

    @property
    def ladder(self) -> dict[str, Array]:
        """The bounds from the loosest to the tightest, and the evidence."""
        rungs = {"ELBO": self.elbo}
        rungs |= {f"bound, k = {k}": bound for k, bound in self.bounds.items()}
        return rungs if self.evidence is None else rungs | {"evidence": self.evidence.value}

    @property
    def best(self) -> str:
        """The name of the last rung of the ladder."""
        return list(self.ladder)[-1]

    @property
    def cut_off(self) -> int:
        """The number of images whose evidence is too low.

        They have posterior mass beyond the grid, or a bound far above the evidence: of 20,000
        images, about one lies log(20,000) ≈ 10 nats above it by chance.
        """
        if self.evidence is None:
            return 0
        above = np.max(list(self.bounds.values()), axis=0) > self.evidence.value + 10.0
        return int(((self.evidence.outside > BORDER) | above).sum())

    @property
    def bit(self) -> float:
        """One bit per pixel, in nats."""
        return float(self.pixels * np.log(2.0))

    def as_dict(self) -> dict[str, Any]:
        """All means with their standard errors, as plain numbers."""
        found: dict[str, Any] = {
            "images": len(self.kl),
            "unit": "nats per image",
            "kind": AS[self.kind].json,
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
        if self.split is not None and self.split.held.sum() > 1:
            found["gap"] = {"images": int(self.split.held.sum())} | {
                name: {"mean": mean, "standard error": error}
                for name, (mean, error) in gap_parts(self.split).items()
            }
        if self.codes is not None:
            found["aggregate posterior"] = {
                "images": self.codes.images,
                "mutual information": self.codes.mutual_information,
                "KL(q(z), prior)": self.codes.kl,
                "prior's mass where q(z) is below half of it": self.codes.half,
                "prior's mass where q(z) is below a fifth of it": self.codes.fifth,
                "codes outside the manifold's picture": self.codes.outside,
            }
        if self.kind == "probability":
            found["bits per pixel"] = -found[self.best]["mean"] / self.bit
        found["KL per latent"] = self.kl_per_latent.tolist()
        found["active latents"] = int(self.active.sum())
        return found

    def __str__(self) -> str:
        lines = [
            f"{len(self.kl):,} images, {AS[self.kind].head}, nats per image ± standard error over "
            "the images; higher is better",
            "",
            *_ladder_lines(self),
            "",
            *_parts_lines(self),
            *_gap_lines(self),
            *_latent_lines(self),
            *_code_lines(self),
            "",
            *_unit_lines(self),
        ]
        return "\n".join(lines)


def _ladder_lines(result: Evaluation) -> list[str]:
    """Each bound, and its distance below the last one."""
    lines = []
    for name, values in result.ladder.items():
        mean, error = mean_and_error(values)
        line = f"  {name:<16} {mean:9.2f} ± {error:.2f}"
        if name != result.best:
            gap, error = mean_and_error(result.ladder[result.best] - values)
            if gap >= 0.0:
                line += f"   {gap:6.2f} ± {error:.2f} below the {result.best}"
            else:
                close = -gap < 0.01 or -gap < 2.0 * error
                line += f"   equal to the {result.best}" if close else f"   {ABOVE}"
        lines.append(line)
    return lines


def _parts_lines(result: Evaluation) -> list[str]:
    """The reference losses, and the two parts of the ELBO."""
    shown = ";   ".join(f"{name} {value:.2f}" for name, value in result.references.items())
    return [
        f"  for comparison:   {shown}",
        f"  ELBO = -(reconstruction + KL) = -({result.reconstruction.mean():.2f} + "
        f"{result.kl.mean():.2f})",
    ]


def _gap_lines(result: Evaluation) -> list[str]:
    """The gap between ELBO and evidence, and the accuracy of the evidence."""
    if result.evidence is None or result.evidence.gap is None:
        return []
    lines = []
    held = np.isfinite(result.evidence.gap)
    if held.any():
        gap = (result.evidence.value - result.elbo)[held].mean()
        which = "" if held.all() else f" (of {held.sum():,} images that the grid resolves)"
        lines += [
            f"  evidence - ELBO = {gap:.2f}, and KL(q, true posterior) by "
            f"integration = {result.evidence.gap[held].mean():.2f}{which}",
            *_split_lines(result.split, result.evidence.gap),
        ]
    lines += [
        "  leaving out every second node of the grid changes the evidence by "
        f"{result.evidence.error.mean():.3f} (mean), {result.evidence.error.max():.2f} (maximum)",
    ]
    if result.cut_off:
        lines += [
            f"  TOO LOW for {result.cut_off:,} images: part of their posterior lies outside "
            "the grid or between its nodes; do not compare this evidence"
        ]
    return lines


WHY = {
    "amortization": "the encoder's guess is not the best Gaussian of its image",
    "independence": "the latents of an image depend on each other, those of q do not",
    "shape": "posteriors are not Gaussian",
}


def gap_parts(split: GapSplit) -> dict[str, tuple[float, float]]:
    """The mean of each part of the gap, and its standard error, over the images with a number."""
    return {name: mean_and_error(getattr(split, name)[split.held]) for name in WHY}


def _split_lines(split: GapSplit | None, gap_of_each: Array) -> list[str]:
    """The parts of the gap, which is the largest, and the gap of images that were left out."""
    if split is None or split.held.sum() < 2:
        return []
    parts = gap_parts(split)
    gap = sum(mean for mean, _ in parts.values())
    shown = [f"{mean:.2f} ± {error:.2f} {name}" for name, (mean, error) in parts.items()]
    largest = max(parts, key=lambda name: parts[name][0])
    share = parts[largest][0] / gap if gap > 0.0 else 1.0
    lines = [
        f"  of the first {len(split.held):,} images: {gap:.2f} = {' + '.join(shown)}",
        f"  {100.0 * share:.0f} % is {largest}: {WHY[largest]}",
    ]
    left = gap_of_each[: len(split.held)][~split.held]
    known = left[np.isfinite(left)]
    if len(left):
        mean = f"; their KL(q, true posterior) is {known.mean():.2f}" if len(known) else ""
        lines.append(f"  without {len(left)} of them, too sharp for the grid of the parts{mean}")
    return lines


def _latent_lines(result: Evaluation) -> list[str]:
    """The KL of up to 20 latents, and how many are active."""
    shown = " ".join(f"{kl:.2f}" for kl in sorted(result.kl_per_latent, reverse=True)[:20])
    more = " …" if len(result.kl_per_latent) > 20 else ""
    return [
        f"  KL of each latent, largest first: {shown}{more}; "
        f"{result.active.sum()} of {len(result.active)} active (variance of mu above 0.01)"
    ]


def _code_lines(result: Evaluation) -> list[str]:
    """The KL as a sum, and where the codes lie beside the prior."""
    codes = result.codes
    if codes is None:
        return []
    whole, apart = round(codes.kl + codes.mutual_information, 2), round(codes.kl, 2)
    return [
        f"  q(z) of {codes.images:,} images: KL {whole:.2f} = {whole - apart:.2f} mutual "
        f"information of images and codes + {apart:.2f} KL(q(z), prior)",
        f"  holes: {100.0 * codes.half:.0f} % of the prior's mass lies where q(z) is below half of "
        f"it, {100.0 * codes.fifth:.0f} % where it is below a fifth",
        f"  {100.0 * codes.outside:.0f} % of the codes mu are outside +-{OUTERMOST}, "
        "which the picture of the manifold shows",
    ]


def _unit_lines(result: Evaluation) -> list[str]:
    """What the numbers may be compared with."""
    nll = -float(result.ladder[result.best].mean())
    name = "NLL" if result.evidence is not None else "bound of the NLL"
    return [
        line.format(name=name, nll=nll, bits=nll / result.bit) for line in AS[result.kind].compare
    ]
