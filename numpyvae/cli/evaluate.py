"""numpyvae evaluate: the ELBO, tighter bounds and the evidence of a trained model."""

from __future__ import annotations

import argparse
import json

import numpy as np

from numpyvae import pictures
from numpyvae.cli.console import add_run_folder, bar, complain, out_folder, say, stopped
from numpyvae.core.vae import VAE
from numpyvae.data.images import Pixels, binarize, pixels_for
from numpyvae.evaluation import evaluate, mean_and_error
from numpyvae.evaluation.many_draws import NegativeLogLikelihoods
from numpyvae.evaluation.table import AS
from numpyvae.runs.run_folder import RunFolder
from numpyvae.support.inputs import check_count
from numpyvae.support.types import Array

HELP = "the ELBO, tighter bounds and the evidence of a trained model"
DESCRIPTION = """\
Print the ELBO of test images and tighter bounds. For one or two latents, also
print the evidence that they bound, by integration. Then write pictures."""
EXAMPLES = """\
examples:
  numpyvae evaluate numpyvae-out
  numpyvae evaluate numpyvae-out --images all --json
  numpyvae evaluate numpyvae-out --images all --draws 5000      hours, for more than two latents
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_run_folder(command)
    images = "number of test images, or all (1000)"
    command.add_argument("--images", default="1000", metavar="N", help=images)
    split = "images for which the gap is split, with two latents (150)"
    command.add_argument("--gap-images", type=int, default=150, metavar="N", help=split)
    draws = "print the NLL alone, by N draws of z for each image; stop at any time, and go on"
    command.add_argument("--draws", type=int, metavar="N", help=draws)
    command.add_argument("--json", action="store_true", help="print the numbers as JSON")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="seed of the draws (0)")


def run(options: argparse.Namespace) -> int:
    """Evaluate, print the table or JSON, and draw."""
    folder, out = RunFolder(options.dir), out_folder(options)
    vae, settings = folder.load_model(), folder.load_settings()
    data = settings.images(options.data)
    x_test = data.x_test
    count = _count(options.images, len(x_test))
    if options.draws is not None:
        return _nll(options, vae, x_test[:count], settings.pixels)
    rng = np.random.default_rng(check_count("seed", options.seed, least=0))
    x = pixels_for(vae, "images", x_test[:count])
    x = binarize(x, settings.pixels, rng)
    seen = pixels_for(vae, "images", data.x_train)
    result = evaluate(
        vae, x, rng, progress=bar, gap_images=options.gap_images,
        train_images=binarize(seen, settings.pixels, rng),
    )  # fmt: skip
    if options.json:
        say(json.dumps(result.as_dict(), indent=2))
    else:
        say(f"{folder}: the first {len(x):,} of {len(x_test):,} test images\n{result}")
    try:
        out.make()
        figures = {"bounds.png": pictures.ladder(result), "kl.png": pictures.latent_kl(result)}
        if result.codes is not None:
            figures["holes.png"] = pictures.holes(vae, x, result)
            figures["posteriors.png"] = pictures.posteriors(vae, x, result)
        pictures.save_all(out.path, figures)
    except OSError as error:
        elsewhere = "the numbers are complete; for the pictures, name another folder with --out"
        return complain(f"{error}; {elsewhere}", 1)
    if not options.json:
        say(f"  {out} holds {', '.join(sorted(figures))}")
    return 0


def _nll(options: argparse.Namespace, vae: VAE, images: Array, pixels: Pixels) -> int:
    """Measure what is not known yet, and print the mean."""
    folder = out_folder(options)
    folder.make()
    nll = NegativeLogLikelihoods(
        folder.path, vae, images, pixels, check_count("draws", options.draws), options.seed
    )
    try:
        for _ in bar(nll, unit="image"):
            pass
    except KeyboardInterrupt as stop:
        known = f"{nll.path} holds {len(nll.values):,} of {len(images):,} images"
        return stopped(stop, f"{known}; the same command goes on")
    mean, error = mean_and_error(nll.values)
    kind = vae.likelihood.kind(nll.x)
    name = "grey cross-entropy" if kind == "cross-entropy" else "NLL"
    if options.json:
        found = {"kind": AS[kind].json, "images": len(images), "draws": nll.draws}
        found |= {"unit": "nats per image", name: {"mean": mean, "standard error": error}}
        say(json.dumps(found, indent=2))
        return 0
    say(f"{options.dir}: {name} {mean:.2f} ± {error:.2f} nats per image, {nll.draws:,} draws each")
    bits = mean / (images.shape[1] * np.log(2.0))
    say("\n".join(line.format(name=name, nll=mean, bits=bits) for line in AS[kind].compare))
    say(f"  {nll.path} holds that of each of the {len(images):,} test images")
    return 0


def _count(images: str, available: int) -> int:
    """The value of --images as a number."""
    if images == "all":
        return available
    if not images.isdecimal():
        raise ValueError(f"--images: expected a number or all, got {images!r}")
    return min(check_count("images", int(images), least=2), available)
