"""Marking a class: every submission judged in confinement, and the tables of the marks."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from numpyvae.course.exercises import EXERCISES
from numpyvae.course.judge import Verdict
from numpyvae.course.judging import judge_folder
from numpyvae.support.files import folder_for, read_text, write_file
from numpyvae.support.lock import lock

COPIED = (".ipynb", ".py")  # of a submission; its other files are not needed
LARGEST = 100 * 2**20  # bytes of a submission that are copied
RECORDS, GRADESCOPE, COPIES = "records", "gradescope", ".copies"


@dataclass(frozen=True)
class Mark:
    """The verdicts on a submission.

    digest  of its files and of the version of numpyvae; the same digest needs no new marking
    """

    submission: str
    digest: str
    verdicts: tuple[Verdict, ...]

    @property
    def points(self) -> int:
        """The number of exercises that passed."""
        return sum(verdict.right for verdict in self.verdicts)


class Marking:
    """The submissions in `folder`, and their marks in the folder `out`.

    A submission is a folder with notebooks, or a single notebook.
    """

    def __init__(self, folder: str | Path, out: str | Path, names: Sequence[str] = ()):
        self.folder, self.out = Path(folder), folder_for(out)
        self.names = tuple(names or EXERCISES)
        if not self.folder.is_dir():
            raise ValueError(f"{folder}: expected a folder of submissions")
        inside = self.out.resolve()
        if inside == self.folder.resolve() or self.folder.resolve() in inside.parents:
            raise ValueError(f"{out}: it lies in the folder of the submissions; name another one")
        self.submissions = {path.name: path for path in sorted(self.folder.iterdir())
                            if _is_submission(path)}  # fmt: skip
        if not self.submissions:
            raise ValueError(f"{folder}: no submission in it: no folder and no notebook")

    def missing(self) -> list[str]:
        """The submissions that are not marked yet, or have changed since."""
        return [name for name in self.submissions if self._record(name) is None]

    def mark(self, names: Sequence[str], executor: Executor) -> Iterator[Mark]:
        """Mark submissions, each as a task of `executor`; yields each mark when it is saved.

        Each is judged in a process of its own, so threads will do (ThreadPoolExecutor), or the
        workers of other machines, if they see the same folders. A submission that another process
        is marking is left to it.
        """
        (self.out / RECORDS).mkdir(parents=True, exist_ok=True)
        anywhere = Marking(self.folder.resolve(), self.out.resolve(), self.names)
        waiting = [executor.submit(anywhere.mark_one, name) for name in names]
        try:
            for done in as_completed(waiting):
                if (mark := done.result()) is not None:
                    yield mark
        finally:
            for task in waiting:
                task.cancel()
            for work in (self.out / COPIES).glob("*"):
                with suppress(OSError):  # another process is at work there
                    work.rmdir()

    def mark_one(self, name: str) -> Mark | None:
        """Judge a copy of a submission, and save its record; None if another process does so."""
        work = self.out / COPIES / name
        work.mkdir(parents=True, exist_ok=True)
        try:
            with lock(work):
                if (mark := self._record(name)) is not None:
                    return mark
                digest, copy = self._digest(name), work / "copy"
                shutil.rmtree(copy, ignore_errors=True)  # of a marking that was killed
                _copy(self.submissions[name], copy)
                verdicts = judge_folder(
                    copy, self.names, confined=True, forbidden=[self.folder, self.out]
                )
                mark = Mark(name, digest, tuple(verdicts))
                write_file(self._path(name), json.dumps(asdict(mark), indent=1).encode())
                shutil.rmtree(copy, ignore_errors=True)
                return mark
        except BlockingIOError:
            return None

    def marks(self) -> list[Mark]:
        """All marks, in the order of the submissions."""
        return [mark for name in self.submissions if (mark := self._record(name)) is not None]

    def save_tables(self) -> list[Path]:
        """Write marks.csv, marks.json, and a results.json of Gradescope for each submission."""
        marks = self.marks()
        rows = io.StringIO(newline="")
        table = csv.writer(rows)
        table.writerow(["submission", "points", "of", *self.names])
        for mark in marks:
            status = {verdict.exercise: verdict.status for verdict in mark.verdicts}
            table.writerow([_plain(mark.submission), mark.points, len(self.names),
                            *[status[name] for name in self.names]])  # fmt: skip
        everything = json.dumps([asdict(mark) for mark in marks], indent=1, ensure_ascii=False)
        write_file(self.out / "marks.csv", rows.getvalue().encode("utf-8-sig"))
        write_file(self.out / "marks.json", everything.encode())
        for mark in marks:
            folder = self.out / GRADESCOPE / mark.submission
            folder.mkdir(parents=True, exist_ok=True)
            write_file(folder / "results.json", json.dumps(_gradescope(mark), indent=1).encode())
        return [self.out / "marks.csv", self.out / "marks.json", self.out / GRADESCOPE]

    def _path(self, name: str) -> Path:
        return self.out / RECORDS / f"{name}.json"

    def _record(self, name: str) -> Mark | None:
        """The saved mark of a submission, unless the submission has changed since."""
        path = self._path(name)
        if not path.is_file():
            return None
        try:
            record = json.loads(read_text(path, most=2**24))
            verdicts = tuple(Verdict(**verdict) for verdict in record.pop("verdicts"))
            mark = Mark(**record, verdicts=verdicts)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None  # not a record: it is made again
        texts = all(isinstance(text, str) for each in verdicts for text in vars(each).values())
        whole = texts and [verdict.exercise for verdict in verdicts] == list(self.names)
        current = (mark.submission, mark.digest) == (name, self._digest(name))
        return mark if whole and current else None

    def _digest(self, name: str) -> str:
        """A digest of a submission's files, of the version of numpyvae and of the exercises."""
        found = hashlib.sha256(f"{version('numpyvae')} {self.names}".encode())
        base = self.submissions[name]
        for path in _files(base):
            found.update(f"\n{path.relative_to(base.parent)} {path.stat().st_size}\n".encode())
            found.update(path.read_bytes())
        return found.hexdigest()


def _is_submission(path: Path) -> bool:
    return not path.name.startswith(".") and (path.is_dir() or path.suffix == ".ipynb")


def _files(submission: Path) -> list[Path]:
    """The files of a submission that are copied; at most LARGEST bytes, and no links."""
    paths = [submission] if submission.is_file() else sorted(submission.rglob("*"))
    kept, size = [], 0
    for path in paths:
        if path.suffix in COPIED and path.is_file() and not path.is_symlink():
            size += path.stat().st_size
            if size <= LARGEST:
                kept.append(path)
    return kept


def _copy(submission: Path, scratch: Path) -> None:
    base = submission.parent if submission.is_file() else submission
    scratch.mkdir()
    for path in _files(submission):
        target = scratch / path.relative_to(base)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _plain(name: str) -> str:
    """A name that a spreadsheet does not take for a formula."""
    return f"'{name}" if name[:1] in "=+-@" else name


def _gradescope(mark: Mark) -> dict[str, object]:
    """The results.json that Gradescope's autograder reads."""
    tests = [
        {
            "name": f"{verdict.notebook[:2]} {verdict.exercise}",
            "score": int(verdict.right),
            "max_score": 1,
            "status": "passed" if verdict.right else "failed",
            "output": str(verdict),
        }
        for verdict in mark.verdicts
    ]
    return {"score": mark.points, "tests": tests}
