"""Marking a class: every submission judged in confinement, and the tables of the marks."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from numpyvae.course.exercises import EXERCISES
from numpyvae.course.judge import Verdict
from numpyvae.course.judging import judge_folder
from numpyvae.support.files import read_text, write_file

COPIED = (".ipynb", ".py")  # of a submission; its other files are not needed
LARGEST = 100 * 2**20  # bytes of a submission that are copied
RECORDS, GRADESCOPE = "records", "gradescope"


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
        self.folder, self.out = Path(folder), Path(out)
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

    def mark(self, names: Sequence[str], jobs: int) -> Iterator[Mark]:
        """Mark submissions, so many at the same time; yields each mark when it is saved."""
        (self.out / RECORDS).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="marking-") as root, closing(_Pool(jobs)) as pool:
            waiting = [pool.submit(self._mark, name, Path(root)) for name in names]
            for done in as_completed(waiting):
                yield done.result()

    def _mark(self, name: str, root: Path) -> Mark:
        """Judge a copy of a submission, and save its record."""
        scratch = Path(tempfile.mkdtemp(dir=root))
        digest = self._digest(name)
        _copy(self.submissions[name], scratch)
        verdicts = judge_folder(scratch, self.names, confined=True,
                                forbidden=[self.folder, self.out, root])  # fmt: skip
        mark = Mark(name, digest, tuple(verdicts))
        shutil.rmtree(scratch, ignore_errors=True)
        write_file(self._path(name), json.dumps(asdict(mark), indent=1).encode())
        return mark

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
        except (ValueError, TypeError, KeyError, AttributeError):
            return None  # not a record: it is made again
        current = mark.digest == self._digest(name)
        return mark if current else None

    def _digest(self, name: str) -> str:
        """A digest of a submission's files, of the version of numpyvae and of the exercises."""
        found = hashlib.sha256(f"{version('numpyvae')} {self.names}".encode())
        base = self.submissions[name]
        for path in _files(base):
            found.update(f"\n{path.relative_to(base.parent)} {path.stat().st_size}\n".encode())
            found.update(path.read_bytes())
        return found.hexdigest()


class _Pool(ThreadPoolExecutor):
    """A pool of threads that, when it is closed, starts no task that is still waiting."""

    def close(self) -> None:
        self.shutdown(cancel_futures=True)


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
