"""numpyvae course: the tutorials as a working folder, checks, hints, and marks."""

from __future__ import annotations

import argparse
import json
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from numpyvae.cli.console import bar, complain, say
from numpyvae.cli.executors import add_executor, executor
from numpyvae.course import EXERCISES, Verdict, start
from numpyvae.course.check import exercise_named
from numpyvae.course.hints import next_hint, solution
from numpyvae.course.judging import judge_folder, notebooks_in
from numpyvae.course.marking import Marking
from numpyvae.course.own_checks import Tried, load_checks, try_checks
from numpyvae.course.progress import Progress, load_progress, note_passed
from numpyvae.course.variant_notebook import start_variant
from numpyvae.course.variants import variant

HELP = "tutorials with exercises, their checks and hints, and marks for a class"
DESCRIPTION = """\
Work through the tutorials in a folder of your own, or mark the folders of a
class. Checking and marking run code of the notebooks: their imports, their
functions, and assignments that these use."""
EXAMPLES = """\
examples:
  numpyvae course start my-course            the notebooks, without solutions
  numpyvae course check my-course            what is right, and what is not yet
  numpyvae course hint kl_divergence         a nudge; again, and it says more
  numpyvae course mistakes my_checks.py      do your own checks find 24 mistakes?
  numpyvae course variant --seed 4711        exercises that nobody has the answers to
  numpyvae course mark submissions           300 folders, each in confinement
"""
MARK = """\
Mark every submission in a folder: a folder with notebooks, or one notebook,
each. A second call marks only what is new or has changed.

Each submission is judged in a process of its own, on a copy of its notebooks
and Python files, with limits of time and memory. Python refuses it network
connections, other processes, ctypes, changes outside its copy, and reading in
the folder of the class. This stops accidents and simple tricks. It is no
protection against code that attacks Python itself: for that, mark in a
container without a network."""
MISTAKES = """\
Run the functions check_...(vae) of a Python file against the VAE of notebook
07, written in several right ways, and against 24 wrong ones. `vae` has the
functions of the notebook: vae.forward(theta, x, eps), vae.loss(t),
vae.backward(theta, t), vae.train_step(theta, s, x, eps, lr),
vae.initialize(pixels, hidden, latent, rng, dtype), vae.kl_divergence, and so
on. A check that finds a mistake raises an AssertionError."""


def add_options(command: argparse.ArgumentParser) -> None:
    """Add a parser for each action."""
    actions = command.add_subparsers(required=True, title="actions", metavar="ACTION")

    def add(
        name: str, run: Callable[[argparse.Namespace], int], text: str, description: str = ""
    ) -> argparse.ArgumentParser:
        made = actions.add_parser(
            name, help=text, description=description or f"{text[0].upper()}{text[1:]}.",
            formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
        )  # fmt: skip
        made.set_defaults(action=run)
        return made

    made = add("start", _start, "write the notebooks, without solutions, to a folder")
    made.add_argument("dir", metavar="DIR", help="the folder; it is made if it does not exist")
    made = add("check", _check, "check the exercises of a folder, and show what has passed")
    made.add_argument("dir", metavar="DIR", help="the working folder")
    made.add_argument("names", metavar="NAME", nargs="*", help="exercises (all)")
    made.add_argument("--watch", action="store_true", help="check again when a notebook is saved")
    made.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    made = add("hint", _hint, "print the next hint: a nudge, more, and then the last line")
    made.add_argument("name", metavar="NAME", help="the exercise")
    made.add_argument("--dir", default=".", help="the working folder, which notes the hint (.)")
    made.add_argument("--solution", action="store_true", help="print our solution")
    made = add("mistakes", _mistakes, "run your own checks against right and wrong VAEs", MISTAKES)
    made.add_argument("file", metavar="FILE", help="a Python file; it is executed")
    made = add("variant", _variant, "write a notebook with exercises for other parts of a VAE")
    made.add_argument("--seed", type=int, required=True, metavar="N", help="chooses the parts")
    made.add_argument("dir", metavar="DIR", nargs="?", default=".", help="the folder (.)")
    made = add("mark", _mark, "mark a folder of submissions", MARK)
    made.add_argument("dir", metavar="FOLDER", help="the submissions")
    made.add_argument("--out", metavar="DIR", help="folder for the marks (FOLDER-marks)")
    made.add_argument("--variant", type=int, metavar="N", help="mark this variant's exercises")
    add_executor(made)


def run(options: argparse.Namespace) -> int:
    """Run the action."""
    status: int = options.action(options)
    return status


def _start(options: argparse.Namespace) -> int:
    """Write the working folder and print the next step."""
    try:
        written, kept = start(options.dir)
    except PermissionError:
        return complain(f"{options.dir}: no permission to write there; name another folder", 2)
    for names, done in ((written, "written"), (kept, "already there, not changed")):
        if names:
            say(f"{done}: {', '.join(names)}")
    first = Path(options.dir) / min(written + kept)
    say(
        f"next: open {first} in Jupyter or VS Code\n"
        f"      (for Jupyter: pip install jupyterlab && jupyter lab {shlex.quote(str(first))})"
    )
    return 0


def _check(options: argparse.Namespace) -> int:
    """Check once, or again whenever a notebook has changed."""
    folder = Path(options.dir)
    if not folder.is_dir():
        raise ValueError(f"{folder}: expected a working folder; numpyvae course start makes one")
    names = options.names or [*EXERCISES, *_variants(folder)]
    for name in names:
        exercise_named(name)
    if not any(exercise_named(name).notebook in notebooks_in(folder) for name in names):
        raise ValueError(f"{folder}: no notebook of these exercises in it")
    load_progress(folder)
    status = _check_once(folder, names, options.json)
    while options.watch:
        before = _times(folder)
        while _times(folder) == before:
            time.sleep(0.5)
        say("")
        status = _check_once(folder, names, options.json)
    return status


def _variants(folder: Path) -> list[str]:
    """The names of the exercises of all variants in a folder."""
    seeds = [int(name[8:]) for name in notebooks_in(folder) if name.startswith("variant_")]
    return [each.id for seed in sorted(seeds) for each in variant(seed).exercises.values()]


def _times(folder: Path) -> dict[str, float]:
    return {name: (folder / file).stat().st_mtime for name, file in notebooks_in(folder).items()}


def _check_once(folder: Path, names: list[str], as_json: bool) -> int:
    verdicts = list(bar(judge_folder(folder, names), unit="check", total=len(names)))
    note_passed(folder, [exercise_named(each.exercise) for each in verdicts if each.right])
    if as_json:
        say(json.dumps([asdict(verdict) for verdict in verdicts], indent=1, ensure_ascii=False))
    else:
        say("\n".join(_map(verdicts, load_progress(folder))))
    return 0 if all(verdict.right for verdict in verdicts) else 1


def _map(verdicts: list[Verdict], progress: dict[str, Progress]) -> Iterator[str]:
    """The map of the course, then every verdict that says more than "ok"."""
    for notebook in dict.fromkeys(verdict.notebook for verdict in verdicts):
        yield notebook
        for verdict in verdicts:
            if verdict.notebook == notebook:
                line = f"  {verdict.exercise:32} {verdict.status:17}{_record(verdict, progress)}"
                yield line.rstrip()
    count = Counter(verdict.right for verdict in verdicts)[True]
    yield f"passed: {count} of {len(verdicts)}"
    for verdict in verdicts:
        if verdict.text or verdict.remark:
            yield f"\n{verdict}"


def _record(verdict: Verdict, progress: dict[str, Progress]) -> str:
    """When an exercise passed, and with how much help."""
    record = progress.get(verdict.exercise, Progress())
    said = [f"passed {record.passed[:16].replace('T', ' ')}"] if record.passed else []
    if record.hints:
        said.append(f"{record.hints} hint{'s' * (record.hints > 1)}")
    if record.solution:
        said.append("solution read")
    return ", ".join(said)


def _hint(options: argparse.Namespace) -> int:
    """Print a hint or the solution; the working folder notes it."""
    folder = Path(options.dir)
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder, so nothing could be noted; name your own one")
    exercise = exercise_named(options.name)
    say(solution(exercise, folder) if options.solution else next_hint(exercise, folder))
    return 0


def _mistakes(options: argparse.Namespace) -> int:
    """Run a learner's own checks."""
    checks = load_checks(options.file)
    tried = list(bar(try_checks(checks), unit="VAE"))
    for each in tried:
        verb = "accused" if each.right else "caught"
        say(f"{verb if each.complaint else '-':8} {each.name}{_said(each)}")
    wrong = [each for each in tried if not each.right]
    accused = [each for each in tried if each.right and each.complaint]
    caught = sum(bool(each.complaint) for each in wrong)
    of = (
        f"{len(accused)} of {len(tried) - len(wrong)} correct ones" if accused else "no correct one"
    )
    say(f"caught {caught} of {len(wrong)}, accused {of}")
    return 0 if caught == len(wrong) and not accused else 1


def _said(tried: Tried) -> str:
    both = "; forward and backward agree, so no gradient check can see it" if tried.both else ""
    if not tried.complaint:
        return "" if tried.right else both
    return f"\n         {tried.complaint}"


def _variant(options: argparse.Namespace) -> int:
    """Write the notebook of a variant."""
    path = start_variant(options.dir, options.seed)
    say(f"written: {path}\nnext: open it; then numpyvae course check {shlex.quote(options.dir)}")
    return 0


def _mark(options: argparse.Namespace) -> int:
    """Mark what is not marked yet, and write the tables."""
    chosen = None if options.variant is None else variant(options.variant)
    names = [each.id for each in chosen.exercises.values()] if chosen else list(EXERCISES)
    folder = options.dir.rstrip("/\\")
    marking = Marking(folder, f"{folder}-marks" if options.out is None else options.out, names)
    missing = marking.missing()
    say(f"{len(marking.submissions)} submissions, {len(missing)} of them to mark")
    with executor(options, ThreadPoolExecutor) as workers:
        for _ in bar(marking.mark(missing, workers), unit="submission", total=len(missing)):
            pass
    if left := marking.missing():
        say(f"left to another process: {', '.join(left)}")
    marks = marking.marks()
    say(f"{'submission':40} points of {len(names)}")
    for mark in marks:
        problems = Counter(each.kind for each in mark.verdicts if not each.right)
        said = ", ".join(f"{count} {kind}" for kind, count in problems.most_common())
        say(f"{mark.submission[:40]:40} {mark.points:6}   {said}".rstrip())
    say("written: " + ", ".join(str(path) for path in marking.save_tables()))
    return 0
