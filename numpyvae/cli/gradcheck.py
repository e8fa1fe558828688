"""numpyvae gradcheck: check the gradients of a VAE, or of one that is wrong on purpose."""

from __future__ import annotations

import argparse
from functools import partial

from numpyvae import pictures
from numpyvae.cli.console import bar, say
from numpyvae.core.vae import VAE
from numpyvae.data import MNIST_FOLDER, load_images
from numpyvae.debugging import MISTAKES, break_backward, check_vae
from numpyvae.runs.checkpoints import load
from numpyvae.support.files import write_file
from numpyvae.support.inputs import shown
from numpyvae.support.types import Array

HELP = "check the gradients of a VAE, or of one that is wrong on purpose"
DESCRIPTION = """\
Compare every gradient of the backward pass with numerical derivatives of the
loss, print the table, and say in words how a wrong gradient differs."""
EXAMPLES = """\
examples:
  numpyvae gradcheck                            the classic: 404,244 parameters in half a second
  numpyvae gradcheck --list                     mistakes to practice on
  numpyvae gradcheck --break missing_half_kl    make one of them, and check the result
  numpyvae gradcheck --model numpyvae-out/model.npz --plot check.png

exit status: 0 if every gradient that could be tested is right, 1 if not, 2 for bad input,
130 after Ctrl-C, with what is known by then
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add the options."""
    command.add_argument("--list", action="store_true", help="list the known mistakes, and exit")
    command.add_argument(
        "--break", dest="mistake", metavar="NAME", help="check a model with this mistake"
    )
    model = "check a trained model, on test images of MNIST if they fit"
    command.add_argument("--model", metavar="FILE", help=model)
    command.add_argument("--plot", metavar="FILE", help="draw the check, as PNG")


def run(options: argparse.Namespace) -> int:
    """Print the report. Exit status 1 if a gradient is wrong."""
    if options.list:
        _list()
        return 0
    if options.plot is not None and not options.plot.lower().endswith(".png"):
        raise ValueError(
            f"--plot: expected a name that ends in .png, got {shown.repr(options.plot)}"
        )
    vae, images = VAE(), None
    if options.model is not None:
        vae = load(options.model)
        images = _images_for(vae)
    if options.mistake is not None:
        vae = break_backward(vae, options.mistake)
        say(MISTAKES[options.mistake].as_diff() + "\n")
    report = check_vae(vae, images, progress=partial(bar, unit="gradient"))
    say(report)
    if report.stopped:
        return 130
    if options.plot is not None:
        write_file(options.plot, pictures.as_png(pictures.gradients(report)))
        say(f"{options.plot} holds the picture")
    return 0 if report.ok else 1


def _list() -> None:
    """Print all mistakes, the invisible ones last."""
    heads = {
        False: "in backward, in the order of the backward pass:",
        True: "\nin forward and backward alike, so that no gradient check can see them:",
    }
    for invisible, head in heads.items():
        say(head)
        for mistake in MISTAKES.values():
            if mistake.invisible == invisible:
                say(f"  {mistake.name:<26} {mistake.sentence}")


def _images_for(vae: VAE) -> Array | None:
    """Test images of MNIST if the model has their shape, else None."""
    data = load_images(MNIST_FOLDER)
    return data.x_test[:16] if vae.image_shape == data.image_shape else None
