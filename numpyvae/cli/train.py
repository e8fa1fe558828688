"""numpyvae train: train a VAE and draw it."""

from __future__ import annotations

import argparse
import shlex
import time

import numpy as np

from numpyvae import pictures
from numpyvae.cli.console import bar, complain, say, stopped
from numpyvae.cli.settings_options import add_settings, given
from numpyvae.core.bernoulli import Bernoulli
from numpyvae.data.images import as_pixels, binarize, corrupt
from numpyvae.runs.run import Run
from numpyvae.runs.run_folder import MODEL, VERSIONS
from numpyvae.runs.settings import Settings
from numpyvae.support.lock import LostLockError

HELP = "train a VAE, and draw its losses, latent space and samples"
DESCRIPTION = """\
Train a VAE, print the loss of every epoch in nats per image, and write the
model, its history, the settings and pictures to a folder. Defaults are in
parentheses."""
EXAMPLES = """\
examples:
  numpyvae train                                the classic: MNIST, two latents, ten epochs
  numpyvae train --epochs 50 --out long         a longer run, into the folder long/
  numpyvae train --latent 20 --hidden 400 --optimizer adam --batch-size 128
  numpyvae train --hidden 512 256 --beta 4      two hidden layers, and a larger weight of the KL
  numpyvae train --objective iwae --k 50        a tighter bound, from 50 draws of z for each image
  numpyvae train --latent 20 --anneal 5 --free-bits 0.5       against latents that collapse
  numpyvae train --pixels dynamic               binary pixels, drawn anew for each minibatch
  numpyvae train --noise 0.5                    a denoising VAE
  numpyvae train --data fashion/                a folder of four IDX files, or an .npy or .npz file
  numpyvae train --resume long                  go on where the run in long/ was stopped
  numpyvae train --resume long --epochs 100     go on to 100 epochs in all

After Ctrl-C or a kill, the folder holds the last complete epoch, and --resume
goes on from there to the same numbers as if nothing had happened. Before the
first epoch is complete, the folder still holds an earlier run, if there was one.

Exit status: 0 done, 1 failed, 2 wrong options or files, 130 Ctrl-C, 143 terminated.
"""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add an option for each of the Settings, --out and --resume."""
    add_settings(command)
    group = command.add_argument_group("results")
    group.add_argument("--out", metavar="DIR", help="folder for the results (numpyvae-out)")
    resume = (
        "go on with the run in DIR after its last complete epoch, with its settings; "
        "--epochs may be given, which is then the new total, and --data, if the images were moved"
    )
    group.add_argument("--resume", metavar="DIR", help=resume)


def run(options: argparse.Namespace) -> int:
    """Train, or go on with a training. Exit status 1 if it fails."""
    if options.resume is not None:
        _refuse_others(options)
        with Run.resume(options.resume, options.epochs, options.data) as training:
            return _train(training)
    out = "numpyvae-out" if options.out is None else options.out
    with Run.start(Settings(**given(options)), out) as training:
        return _train(training)


def _refuse_others(options: argparse.Namespace) -> None:
    """Raise ValueError if an option was given that --resume takes from the run."""
    names = [*given(options), *(["out"] if options.out is not None else [])]
    flags = [f"--{name.replace('_', '-')}" for name in names if name not in ("epochs", "data")]
    if flags:
        problem = "not allowed with --resume, which keeps the settings and the folder of the run"
        raise ValueError(f"{', '.join(flags)}: {problem}; leave this out")


def _train(training: Run) -> int:
    """Print a line per epoch, and draw."""
    started, folder = time.perf_counter(), training.folder
    if training.completed:
        done = len(training.epochs)
        more = f"for more: {_resume(training)} --epochs {2 * done}"
        say(f"{folder}: finished after epoch {done} of {done}; {more}")
        return 0
    say(_headline(training))
    if training.epochs:
        say(f"{folder} goes on after epoch {len(training.epochs)} of {training.settings.epochs}")
    if training.before.get("numpy", VERSIONS["numpy"]) != VERSIONS["numpy"]:
        trained = f"trained with NumPy {training.before['numpy']}, this is {VERSIONS['numpy']}"
        complain(f"{folder}: {trained}; the last digits may differ from an unbroken run", 0)
    try:
        for epoch in bar(training, unit="epoch", delay=0.0):
            say(epoch)
            if epoch.number == 1 and folder.earlier is not None:
                run = (
                    "an earlier run"
                    if (folder.earlier / MODEL).exists()
                    else "something of these names"
                )
                say(f"{folder} held {run}; it is now in {folder.earlier}")
        draw(training)
        training.complete()
    except BrokenPipeError:
        raise  # main handles it
    except KeyboardInterrupt as stop:
        return stopped(stop, _kept_and_next(training))
    except LostLockError as error:
        return complain(error, 1)
    except OSError as error:
        return complain(f"{error}; {_kept_and_next(training)}", 1)
    except FloatingPointError as error:  # the same settings would end here again
        return complain(f"{error}; {_kept(training)[0]}", 1)
    files = "model.npz, history.csv, settings.json and the pictures"
    say(f"{folder} holds {files}   {time.perf_counter() - started:.1f} s in all")
    if type(training.vae.likelihood) is Bernoulli:
        say(f"to look into the model in a browser: numpyvae explore {shlex.quote(str(folder))}")
    return 0


def _kept(training: Run) -> tuple[str, int]:
    """What is in the folder after a stop, in words, and the number of epochs; it is asked anew."""
    folder = training.folder
    ours = training.epochs or folder.begun
    if done := folder.epochs_done(training.settings) if ours else 0:
        return f"{folder} holds the model of epoch {done}", done
    if folder.model.exists():
        return f"no epoch is complete, and {folder} still holds the earlier run", 0
    earlier = f"; the earlier run is in {folder.earlier}" if folder.earlier else ""
    return f"no model was saved{earlier}", 0


def _kept_and_next(training: Run) -> str:
    """What is in the folder after a stop, and the command that goes on."""
    kept, done = _kept(training)
    return f"{kept}; to go on: {_resume(training)}" if done else kept


def _resume(training: Run) -> str:
    """The command that goes on, as a shell reads it."""
    return f"numpyvae train --resume {shlex.quote(str(training.folder))}"


def _headline(training: Run) -> str:
    """The data, the model and the unit of the losses, in three lines."""
    vae, data = training.vae, training.data
    widths = [data.x_train.shape[1], *vae.hidden]
    return (
        f"{training.settings.data or 'MNIST'}: {len(data.x_train):,} training images, "
        f"{len(data.x_test):,} test images of {' x '.join(map(str, data.image_shape))} pixels\n"
        f"{type(vae).__name__} "
        f"{'-'.join(map(str, [*widths, vae.latent, *widths[::-1]]))}, "
        f"{vae.parameters.value.size:,} parameters"
        f"{'' if vae.likelihood.name == 'bernoulli' else f', {vae.likelihood.name} pixels'}\n"
        f"losses in nats per image: {_loss_in_words(training.settings)}"
    )


def _loss_in_words(settings: Settings) -> str:
    """What the losses of the epochs are."""
    if settings.objective == "iwae":
        return f"total = -log 1/{settings.k} sum w = weighted reconstruction + remainder"
    words = f"total = reconstruction + {'' if settings.beta == 1 else f'{settings.beta:g} x '}KL"
    if settings.anneal > 0:
        epochs = "1 epoch" if settings.anneal == 1 else f"{settings.anneal} epochs"
        words += f"; the weight of the KL rises to {settings.beta:g} in {epochs}"
    if settings.free_bits > 0.0:
        words += f"; in training, each latent is charged at least {settings.free_bits:g} nats"
    return words


def draw(training: Run) -> None:
    """Write the pictures of a training that is over to its folder."""
    vae, settings = training.vae, training.settings
    rng = np.random.default_rng(settings.seed)  # for the pictures only
    x_test = binarize(as_pixels(training.data.x_test, np.float32), settings.pixels, rng)
    few = x_test[:12]
    rest = "remainder" if settings.objective == "iwae" else "KL"
    accepted = vae.likelihood.lowest, vae.likelihood.highest
    corrupted = corrupt(few, settings.noise, rng, *accepted) if settings.noise else None
    figures = {
        "loss.png": pictures.loss(
            training.epochs, pictures.reference_losses(x_test, vae.likelihood), rest
        ),
        "latent.png": pictures.latent(vae, x_test, training.data.y_test),
        "reconstructions.png": pictures.reconstructions(vae, few, corrupted),
        "samples.png": pictures.samples(vae, rng),
    }
    if vae.latent == 2:
        figures["manifold.png"] = pictures.manifold(vae)
    pictures.save_all(training.folder.path, figures)
