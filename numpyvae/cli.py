"""The command `numpyvae`: what a person types, and what is printed and written for it."""

from __future__ import annotations

import argparse
import csv
import functools
import io
import json
import os
import platform
import shlex
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NoReturn, get_args

import numpy as np
from tqdm import tqdm

from numpyvae import __version__, pictures
from numpyvae.checkpoints import load, replacing, save
from numpyvae.course import start
from numpyvae.evaluation import evaluate
from numpyvae.gradcheck import MISTAKES, break_backward, check_vae
from numpyvae.images import Pixels, as_pixels, binarize, check_images, corrupt
from numpyvae.inputs import check_count
from numpyvae.mnist import MNIST_FOLDER, Dataset, load_images
from numpyvae.optimizers import Adam, RMSprop
from numpyvae.parameters import Array
from numpyvae.reproduction import PUBLISHED, reproduce
from numpyvae.training import Epoch, Training, train
from numpyvae.vae import VAE

EXAMPLES = """\
examples:
  numpyvae train                                the classic: MNIST, two latents, ten epochs
  numpyvae train --epochs 50 --out long         a longer run, into the folder long/
  numpyvae train --latent 20 --hidden 400 --optimizer adam --batch-size 128
  numpyvae train --hidden 512 256 --beta 4      two hidden layers, and a heavier KL
  numpyvae train --pixels dynamic               binary pixels, drawn anew each epoch
  numpyvae train --noise 0.5                    a denoising VAE
  numpyvae train --data fashion/                a folder of four IDX files, or an .npy, .npz file
"""

GRADCHECK = """\
examples:
  numpyvae gradcheck                            the classic: 404,244 parameters in half a second
  numpyvae gradcheck --list                     mistakes to practise on
  numpyvae gradcheck --break missing_half_kl    one of them, and what the check says of it
  numpyvae gradcheck --model numpyvae-out/model.npz --plot check.png

exit status: 0 if every gradient that could be tested is right, 1 if not, 2 for bad input
"""

EVALUATE = """\
examples:
  numpyvae evaluate numpyvae-out
  numpyvae evaluate numpyvae-out --images all --json
"""

DRAW = """\
example:
  numpyvae train --keep-epochs --out long && numpyvae draw long
"""

REPRODUCE = """\
examples:
  numpyvae reproduce classic                    50 epochs for each seed: about a minute each
  numpyvae reproduce pytorch-400-20 --seeds 1   10 epochs
"""

COURSE = """\
example:
  numpyvae course start my-course
"""

Run = Callable[[argparse.Namespace], int]  # what a command does; its exit status

OPTIMIZERS = {"rmsprop": RMSprop, "adam": Adam}
MODEL, HISTORY, SETTINGS = "model.npz", "history.csv", "settings.json"
PICTURES = ("loss.png", "latent.png", "manifold.png", "reconstructions.png", "samples.png")
EPOCHS = "epochs"
VIEWS = ("interpolation.png", "walk.png", "animation.gif")
EVALUATION = ("bounds.png", "kl.png", "posteriors.png")
RESULTS = (MODEL, HISTORY, SETTINGS, *PICTURES, *VIEWS, *EVALUATION, EPOCHS)


class OneLineParser(argparse.ArgumentParser):
    """argparse, whose errors are one line, without the usage above it."""

    def error(self, message: str) -> NoReturn:
        """Say it in one line and exit with status 2."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status is 0, 1 training failed, 2 bad input, 130 Ctrl-C."""
    options = _parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        return status
    except KeyboardInterrupt:
        return _complain("stopped", 130)
    except BrokenPipeError:  # whoever read our output has left, as `| head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = OneLineParser(
        prog="numpyvae",
        description="The variational auto-encoder in plain NumPy, every gradient written by hand.",
        epilog="To begin: numpyvae train.   All its options: numpyvae train --help",
    )
    parser.add_argument("--version", action="version", version=f"numpyvae {__version__}")
    commands = parser.add_subparsers(required=True, title="commands", metavar="COMMAND")

    def command(
        run: Callable[[argparse.Namespace], int],
        name: str,
        help: str,
        description: str,
        epilog: str,
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = commands.add_parser(
            name,
            help=help,
            description=description,
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        made.set_defaults(run=run)
        return made

    train_ = command(
        _train,
        "train",
        "train a VAE and draw what it has learned",
        "Train a VAE, print the loss of every epoch in nats per image, and write the\n"
        "model, its history, the settings and pictures to a folder.",
        EXAMPLES,
    )
    _add_train_options(train_)
    check = command(
        _gradcheck,
        "gradcheck",
        "check the gradients of a VAE, or of one that is wrong on purpose",
        "Compare every gradient of the backward pass with how the loss really\n"
        "changes, print the table, and say what a wrong one looks like.",
        GRADCHECK,
    )
    check.add_argument("--list", action="store_true", help="list the mistakes, and stop")
    check.add_argument("--break", dest="mistake", metavar="NAME", help="make this mistake first")
    model = "check a trained model, on test images of MNIST if they fit"
    check.add_argument("--model", metavar="FILE", help=model)
    check.add_argument("--plot", metavar="FILE", help="draw the check, as PNG")
    evaluate_ = command(
        _evaluate,
        "evaluate",
        "how good a trained model is: ELBO, bounds, evidence",
        "Print the ELBO of test images, tighter bounds and, for one or two latents,\n"
        "the evidence that they bound, by integration; write pictures of it to DIR.",
        EVALUATE,
    )
    _add_model_and_data(evaluate_)
    count = "number of test images, or all (1000)"
    evaluate_.add_argument("--images", default="1000", metavar="N", help=count)
    evaluate_.add_argument("--json", action="store_true", help="print the numbers as JSON")
    evaluate_.add_argument("--seed", type=int, default=0, metavar="N", help="of the draws (0)")
    draw = command(
        _draw_views,
        "draw",
        "more pictures of a trained model",
        "Draw the way from one test image to another, what each latent does and, if\n"
        "the model was trained with --keep-epochs and has two latents, the training as a GIF.",
        DRAW,
    )
    _add_model_and_data(draw)
    again = command(
        _reproduce,
        "reproduce",
        "train a published set-up, and compare the losses",
        "Train a published set-up on full MNIST and print our losses beside the\n"
        "published ones. Exit status: 0 if all agree, 1 if not.",
        REPRODUCE,
    )
    again.add_argument("name", choices=PUBLISHED, help="what to reproduce")
    seeds = "trainings, with seeds 0, 1, … (3)"
    again.add_argument("--seeds", type=int, default=3, metavar="N", help=seeds)
    course = command(
        _course,
        "course",
        "ten tutorials with exercises, from one dense layer to the exact likelihood",
        "Write the ten notebooks of the course, solutions taken out, and a README\n"
        "to a folder of yours. Files that are there already are left as they are.",
        COURSE,
    )
    writes = "write the working folder"
    course.add_argument("action", choices=["start"], metavar="start", help=writes)
    course.add_argument("dir", metavar="DIR", help="the folder, made if it is not there")
    return parser


def _add_model_and_data(command: argparse.ArgumentParser) -> None:
    command.add_argument("dir", metavar="DIR", help="the folder that numpyvae train wrote")
    data = "other images; of an .npy file, the last tenth"
    command.add_argument("--data", metavar="PATH", help=data)


def _add_train_options(command: argparse.ArgumentParser) -> None:
    def option(flag: str, default: Any, help: str, **kind: Any) -> None:
        shown = " ".join(map(str, default)) if isinstance(default, list) else default
        group.add_argument(flag, default=default, help=f"{help} ({shown})", **kind)

    group = command.add_argument_group("data and results")
    group.add_argument(
        "--data", metavar="PATH", help="folder of IDX files, .npy or .npz file (full MNIST)"
    )
    option("--out", "numpyvae-out", "folder for the results", metavar="DIR")
    option("--pixels", "grey", "how pixels are taken", choices=get_args(Pixels))
    option("--noise", 0.0, "s.d. of noise on the input, clean target", type=float, metavar="S")
    group = command.add_argument_group("model")
    option("--hidden", [256], "widths of the hidden layers", type=int, nargs="+", metavar="N")
    option("--latent", 2, "number of latents", type=int, metavar="N")
    option("--beta", 1.0, "weight of the KL in the loss", type=float, metavar="B")
    group = command.add_argument_group("training")
    group.add_argument(
        "--keep-epochs", action="store_true", help="keep the model of every epoch, to animate"
    )
    option("--epochs", 10, "passes over the training images", type=int, metavar="N")
    option("--batch-size", 100, "images per step", type=int, metavar="N")
    option("--optimizer", "rmsprop", "how the gradient moves the weights", choices=OPTIMIZERS)
    option("--learning-rate", 1e-3, "step size of the optimizer", type=float, metavar="LR")
    option("--seed", 0, "the same seed gives the same numbers", type=int, metavar="N")


def _train(options: argparse.Namespace) -> int:
    started = time.perf_counter()
    out = Path(options.out)
    try:
        if not options.out or (out.exists() and not out.is_dir()):
            raise ValueError(f"--out: expected the name of a folder, got {options.out!r}")
        data = load_images(MNIST_FOLDER if options.data is None else options.data)
        vae = VAE(
            tuple(options.hidden),
            options.latent,
            beta=options.beta,
            image_shape=data.image_shape,
            rng=check_count("seed", options.seed, least=0),
        )
        training = train(
            vae,
            data.x_train,
            test_images=data.x_test,
            epochs=options.epochs,
            batch_size=options.batch_size,
            optimizer=OPTIMIZERS[options.optimizer](vae.parameters, options.learning_rate),
            pixels=options.pixels,
            noise=options.noise,
            rng=options.seed,
        )
        out.mkdir(parents=True, exist_ok=True)
    except (ValueError, OSError, MemoryError) as error:
        return _complain(error, 2)

    widths = [data.x_train.shape[1], *vae.hidden]
    print(
        f"{options.data or 'MNIST'}: {len(data.x_train):,} training images, "
        f"{len(data.x_test):,} test images of {' x '.join(map(str, data.image_shape))} pixels\n"
        f"VAE {'-'.join(map(str, [*widths, vae.latent, *widths[::-1]]))}, "
        f"{vae.parameters.value.size:,} parameters\n"
        "losses in nats per image: total = reconstruction + "
        f"{'' if vae.beta == 1 else f'{vae.beta:g} x '}KL",
        flush=True,
    )
    epochs: list[Epoch] = []
    try:
        _keep_earlier(out)
        for epoch in _with_bar(training):
            save(out / MODEL, vae)
            if options.keep_epochs:
                (out / EPOCHS).mkdir(exist_ok=True)
                save(out / EPOCHS / f"{epoch.number:04}.npz", vae)
            epochs.append(epoch)  # from here on it is true that it was saved
            _write_history(out / HISTORY, epochs)
            _write_settings(out / SETTINGS, options)
        _draw(out, vae, data, epochs, options)
    except BrokenPipeError:
        raise  # main knows
    except (FloatingPointError, OSError, KeyboardInterrupt) as error:
        kept = f"{out} holds the model of epoch {len(epochs)}" if epochs else "no model was saved"
        stopped = isinstance(error, KeyboardInterrupt)
        return _complain(f"{'stopped' if stopped else error}; {kept}", 130 if stopped else 1)
    seconds = time.perf_counter() - started
    print(f"{out} holds {MODEL}, {HISTORY}, {SETTINGS} and the pictures   {seconds:.1f} s in all")
    return 0


def _gradcheck(options: argparse.Namespace) -> int:
    if options.list:
        print("in backward, in the order in which backprop meets them:")
        for invisible in (False, True):
            if invisible:
                print("\nin forward and backward alike, so that no gradient check sees them:")
            for mistake in MISTAKES.values():
                if mistake.invisible == invisible:
                    print(f"  {mistake.name:<26} {mistake.story}")
        return 0
    try:
        vae = VAE() if options.model is None else load(options.model)
        images = None
        if options.model is not None:
            images = _images_for(vae)
        if options.mistake is not None:
            vae = break_backward(vae, options.mistake)
            print(MISTAKES[options.mistake].exhibit(), end="\n\n")
        bar = functools.partial(tqdm, unit="gradient", delay=1.0, leave=False, disable=None)
        report = check_vae(vae, images, progress=bar)
        print(report)
        if options.plot is not None:
            report.plot(options.plot)
    except BrokenPipeError:
        raise  # main knows
    except (ValueError, OSError, MemoryError) as error:
        return _complain(error, 2)
    return 0 if report.ok else 1


def _images_for(vae: VAE) -> Array | None:
    """Test images of MNIST if the model is for such, else None."""
    data = load_images(MNIST_FOLDER)
    return data.x_test[:16] if vae.image_shape == data.image_shape else None


def _evaluate(options: argparse.Namespace) -> int:
    folder = Path(options.dir)
    try:
        vae = _load_from(folder)
        settings = _read_settings(folder / SETTINGS)
        data = load_images(options.data or settings.get("data") or MNIST_FOLDER)
        count = len(data.x_test)
        if options.images != "all":
            if not options.images.isdecimal():
                raise ValueError(f"--images: expected a number or all, got {options.images!r}")
            count = min(check_count("images", int(options.images), least=2), count)
        rng = np.random.default_rng(check_count("seed", options.seed, least=0))
        x = as_pixels(check_images("images", data.x_test[:count], vae.image_shape), np.float32)
        x = binarize(x, settings.get("pixels", "grey"), rng)
        bar = functools.partial(tqdm, delay=1.0, leave=False, disable=None)
        result = evaluate(vae, x, rng, progress=bar)
        figures = {"bounds.png": pictures.ladder(result), "kl.png": pictures.latent_kl(result)}
        if vae.latent == 2:
            figures["posteriors.png"] = pictures.posteriors(vae, x, result)
        _save_figures(folder, figures)
    except (ValueError, OSError, MemoryError) as error:
        return _complain(error, 2)
    if options.json:
        print(json.dumps(result.as_dict(), indent=2))
    else:
        print(
            f"{folder}: the first {len(x):,} of {len(data.x_test):,} test images", result, sep="\n"
        )
        print(f"  {folder} holds {', '.join(sorted(figures))}")
    return 0


def _draw_views(options: argparse.Namespace) -> int:
    folder = Path(options.dir)
    try:
        vae = _load_from(folder)
        data = load_images(
            options.data or _read_settings(folder / SETTINGS).get("data") or MNIST_FOLDER
        )
        x = check_images("images", data.x_test, vae.image_shape)
        if len(x) < 2:
            raise ValueError("data: expected two test images to draw the way between, got one")
        y = np.zeros(len(x), int) if data.y_test is None else data.y_test
        # one image of each label, and beside it one of the next label
        ends = [int(np.flatnonzero(y == label)[0]) for label in np.unique(y)[:10]]
        ends = ends if len(ends) > 1 else list(range(min(10, len(x))))
        pairs = x[ends[0::2]][: len(ends) // 2], x[ends[1::2]]
        figures = {
            "interpolation.png": pictures.interpolation(vae, *pairs),
            "walk.png": pictures.walk(vae, x[0] if vae.latent > 20 else None),
        }
        _save_figures(folder, figures)
        written = list(figures)
        kept = sorted((folder / EPOCHS).glob("*.npz")) if vae.latent == 2 else []
        if kept:
            bar = tqdm(kept, desc="animation", delay=1.0, leave=False, disable=None)
            models = [load(path) for path in bar]
            pictures.animation(folder / "animation.gif", models, x[:2000], y[:2000])
            written.append("animation.gif")
    except (ValueError, OSError, MemoryError) as error:
        return _complain(error, 2)
    print(f"{folder} holds {', '.join(written)}")
    return 0


def _reproduce(options: argparse.Namespace) -> int:
    try:
        seeds = range(check_count("seeds", options.seeds))
    except ValueError as error:
        return _complain(error, 2)
    bar = functools.partial(tqdm, unit="epoch", leave=False, disable=None)
    result = reproduce(PUBLISHED[options.name], seeds, progress=bar)
    print(result)
    return 0 if result.agrees.all() else 1


def _course(options: argparse.Namespace) -> int:
    try:
        written, kept = start(options.dir)
    except PermissionError:
        return _complain(f"{options.dir}: no permission to write there; name another folder", 2)
    except (ValueError, OSError) as error:
        return _complain(error, 2)
    for names, done in ((written, "written"), (kept, "there already, left as they are")):
        if names:
            print(f"{done}: {', '.join(names)}")
    first = Path(options.dir) / min(written + kept)
    print(
        f"next: open {first} in Jupyter or VS Code\n"
        f"      (for Jupyter: pip install jupyterlab && jupyter lab {shlex.quote(str(first))})"
    )
    return 0


def _load_from(folder: Path) -> VAE:
    """The model in a folder that train wrote."""
    if folder.is_file():
        raise ValueError(f"{folder}: expected the folder that numpyvae train wrote, got a file")
    return load(folder / MODEL)


def _read_settings(path: Path) -> dict[str, Any]:
    """The settings of the training, or none if the file is missing."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        raise ValueError(f"{path}: damaged, not JSON; delete it") from None
    return settings if isinstance(settings, dict) else {}


def _with_bar(training: Training) -> Iterator[Epoch]:
    """The epochs, each printed as a line above a progress bar; no bar where nobody sees it."""
    with tqdm(training, unit="epoch", leave=False, disable=None) as bar:
        for epoch in bar:
            _say(str(epoch))
            yield epoch


def _say(line: str) -> None:
    tqdm.write(line)  # as print, but above a bar instead of through it
    sys.stdout.flush()


def _complain(problem: object, status: int) -> int:
    print(f"numpyvae: {problem}", file=sys.stderr)
    return status


def _keep_earlier(out: Path) -> None:
    """Move what an earlier run wrote to `out` into earlier-1, earlier-2, …: nothing is lost."""
    files = [out / name for name in RESULTS if (out / name).exists()]
    if files:
        folder = next(f for n in count(1) if not (f := out / f"earlier-{n}").exists())
        folder.mkdir()
        for file in files:
            file.rename(folder / file.name)
        _say(f"{out} held an earlier run; it is now in {folder}")


def _write_history(path: Path, epochs: list[Epoch]) -> None:
    """A row for each epoch; losses in nats per image, kl not weighted by beta."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    parts = ("total", "reconstruction", "kl")
    table.writerow(["epoch", "seconds", *(f"{s}_{p}" for s in ("train", "test") for p in parts)])
    for epoch in epochs:
        losses = [getattr(loss, part) for loss in (epoch.train, epoch.test) for part in parts]
        table.writerow([epoch.number, f"{epoch.seconds:.3f}", *losses])
    with replacing(path) as file:
        file.write(text.getvalue().encode())


def _write_settings(path: Path, options: argparse.Namespace) -> None:
    """All that is needed to get the same numbers again."""
    settings = {name: value for name, value in vars(options).items() if name not in ("run", "out")}
    settings["versions"] = {
        "numpyvae": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }
    with replacing(path) as file:
        file.write((json.dumps(settings, indent=2) + "\n").encode())


def _draw(
    out: Path, vae: VAE, data: Dataset, epochs: list[Epoch], options: argparse.Namespace
) -> None:
    rng = np.random.default_rng(options.seed)  # for looking only: training is over
    x_test = binarize(as_pixels(data.x_test, np.float32), options.pixels, rng)
    few = x_test[:12]
    corrupted = corrupt(few, options.noise, rng) if options.noise else None
    figures = {
        "loss.png": pictures.loss(epochs, pictures.reference_losses(x_test)),
        "latent.png": pictures.latent(vae, x_test, data.y_test),
        "reconstructions.png": pictures.reconstructions(vae, few, corrupted),
        "samples.png": pictures.samples(vae, rng),
    }
    if vae.latent == 2:
        figures["manifold.png"] = pictures.manifold(vae)
    _save_figures(out, figures)


def _save_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    for name, figure in figures.items():
        with replacing(folder / name) as file:
            figure.savefig(file, format="png")
