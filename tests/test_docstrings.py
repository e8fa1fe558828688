"""The public functions say what they take and return, and their examples print what they say."""

import doctest
import inspect
import re

import pytest

import numpyvae
from numpyvae import debugging, evaluation, explorer, gradcheck, pictures, runs

PLACES = {
    numpyvae: (
        "VAE", "train", "fit", "load_mnist", "load_images", "save", "load", "IWAE", "FreeBits",
        "GaussianVAE", "Schedule",
    ),
    evaluation: ("evaluate", "evidence", "elbo", "gap_split"),
    gradcheck: ("check_gradients", "check_layer", "check_function", "numerical_gradient"),
    debugging: ("check_vae",),
    explorer: ("explore",),
    runs: ("Sweep",),
    pictures: (
        "latent", "manifold", "reconstructions", "samples", "interpolation", "walk", "loss",
        "ladder", "posteriors", "holes", "rate_distortion", "loss_by_setting", "gradients",
    ),
}  # fmt: skip
PUBLIC = [(place, name) for place, names in PLACES.items() for name in names]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@pytest.mark.once
@pytest.mark.parametrize(("place", "name"), PUBLIC, ids=[name for _, name in PUBLIC])
def test_the_example_of(place, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    documented = getattr(place, name)
    [example] = doctest.DocTestFinder(recurse=False).find(documented, name, globs={})
    assert example.examples
    said = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    runner.run(example, out=said.append)
    assert runner.failures == 0, "".join(said)


@pytest.mark.parametrize(("place", "name"), PUBLIC, ids=[name for _, name in PUBLIC])
def test_the_arguments_in_the_docstring_are_those_of(place, name):
    documented = getattr(place, name)
    text = inspect.getdoc(documented)
    named = re.findall(r"^(\*{0,2}\w[\w, *]*?)(?: :|$)", section(text, "Parameters"), re.MULTILINE)
    named = [word.strip("* ") for line in named for word in line.split(",")]
    taken = [p for p in inspect.signature(documented).parameters if p != "self"]
    if documented is numpyvae.train:  # the others are those of fit
        named += [n for n in inspect.signature(numpyvae.fit).parameters if n != "progress"]
    assert sorted(named) == sorted(taken)


def section(text, head):
    """A section of a docstring, without its head."""
    found = re.search(rf"^{head}\n-+\n(.*?)(?:\n\n\w+\n-+\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""
