"""Calls of a learner's function in which everything that goes wrong has a name."""

from __future__ import annotations

import _thread
import copy
import inspect
import linecache
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np

from numpyvae.course.blanks import NOT_WRITTEN
from numpyvae.course.exercise import Exercise, Function


class Fault(Exception):  # noqa: N818  (of the learner's function, not of this program)
    """The reason why a call gives no result: its kind in two words, and a sentence."""

    def __init__(self, kind: str, sentence: str):
        super().__init__(sentence)
        self.kind = kind


def guarded(function: Any, exercise: Exercise) -> Function:
    """`function`, with arguments that it cannot change, and a Fault for whatever goes wrong."""
    if not callable(function):
        kind = type(function).__name__
        raise Fault("wrong type", f"expected the function {exercise.name}, got a value ({kind})")

    def call(*arguments: Any) -> Any:
        _check_signature(function, exercise, len(arguments))
        given = [_frozen(argument) for argument in arguments]
        before = [_contents(argument) for argument in given]
        try:
            result = function(*given)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            raise _in_words(error, function, exercise, arguments) from None
        for name, old, new, argument in zip(exercise.parameters, before, given, arguments):
            same = not isinstance(new, np.ndarray) or np.array_equal(new, argument, equal_nan=True)
            if not same or old != _contents(new):
                raise _changed(name)
        if result is None:
            raise Fault("wrong type", "It returns None: is a `return` missing?")
        return result

    return call


def _frozen(value: Any) -> Any:
    """A copy: arrays cannot be written, dictionaries are new ones."""
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.flags.writeable = False
        return value
    if isinstance(value, dict):
        return {key: _frozen(entry) for key, entry in value.items()}
    return value


def _contents(value: Any) -> dict[Any, int] | None:
    """The entries of a dictionary, to see whether any has been replaced."""
    return {key: id(entry) for key, entry in value.items()} if isinstance(value, dict) else None


def _changed(name: str) -> Fault:
    remedy = "work on a copy, and return new arrays"
    return Fault("argument changed", f"It changes its argument {name}; {remedy}.")


def _check_signature(function: Function, exercise: Exercise, count: int) -> None:
    """Compare the number of arguments, and the defaults that are numbers, with the exercise's."""
    try:
        own = inspect.signature(function)
        own.bind(*[None] * count)
    except TypeError:
        expected = ", ".join(exercise.parameters[:count])
        raise Fault("wrong arguments", f"It takes {own}; it is called with ({expected}).") from None
    except ValueError:
        return  # a function without a signature, of a compiled module
    wanted = inspect.signature(exercise.right).parameters.values()
    for mine, yours in zip(wanted, own.parameters.values()):
        if mine.kind is mine.KEYWORD_ONLY or yours.kind is not mine.kind:
            break
        missing = yours.default is yours.empty
        if isinstance(mine.default, int | float) and (missing or yours.default != mine.default):
            has = "no default" if missing else f"the default {yours.default}"
            text = f"Its argument {yours.name} has {has}; the exercise has {mine.default}."
            raise Fault("wrong arguments", text)


def _in_words(
    error: BaseException, function: Function, exercise: Exercise, arguments: tuple[Any, ...]
) -> Fault:
    """The Fault for an exception."""
    if isinstance(error, Fault):
        return error
    if isinstance(error, NotImplementedError):
        name, _, rest = _said(error).partition(": ")
        if name == exercise.name and rest == NOT_WRITTEN:
            return Fault("not started", f"{exercise.name}: {NOT_WRITTEN}")
        if rest == NOT_WRITTEN:
            return Fault("crash", f"It calls {name}, which is not written yet.")
    if isinstance(error, ValueError) and "read-only" in _said(error):
        changed = _which(function, exercise, arguments)
        if changed:
            return _changed(changed)
    place = _place(error, function)
    if isinstance(error, FloatingPointError):
        return Fault("overflow", f"NumPy reports: {error}{place}.")
    if isinstance(error, SystemExit):
        return Fault("crash", f"It ends the program{place}.")
    if isinstance(error, RecursionError):
        return Fault("crash", f"It calls itself without end{place}.")
    if isinstance(error, MemoryError):
        return Fault("crash", f"It needs more memory than there is{place}.")
    said = _said(error)
    return Fault("crash", f"{type(error).__name__}{': ' if said else ''}{said}{place}")


def _said(error: BaseException) -> str:
    """The message of an exception, in a line."""
    try:
        return " ".join(str(error).split())[:200]
    except Exception:
        return ""


def _place(error: BaseException, function: Function) -> str:
    """The last line of the learner's own code that an exception went through."""
    code = getattr(function, "__code__", None)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if code is not None and frame.filename == code.co_filename:
            line = (linecache.getline(frame.filename, frame.lineno or 0)).strip()
            line = line if len(line) <= 80 else f"{line[:77]}..."
            return f", in your line `{line}`" if line else ""
    return ""


def _which(function: Function, exercise: Exercise, arguments: tuple[Any, ...]) -> str:
    """The argument that a function changes; "" if it writes to an array that is not one of them."""
    for given in (tuple(map(_moved, arguments)), arguments):
        writable = copy.deepcopy(given)
        with suppress(Exception):  # what it has changed until then still shows
            function(*writable)
        for name, old, new in zip(exercise.parameters, given, writable):
            try:
                np.testing.assert_equal(new, old)
            except AssertionError:
                return name
    return ""


def _moved(value: Any) -> Any:
    """Arrays without zeros, whose change is seen whatever they are multiplied by."""
    if isinstance(value, dict):
        return {key: _moved(entry) for key, entry in value.items()}
    return value + np.pi if isinstance(value, np.ndarray) else value


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise Fault if the block takes longer; in a thread that is not the first, never."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    over, done = threading.Event(), threading.Event()

    def interrupt() -> None:
        wait = seconds
        while not done.wait(wait):  # again and again, in case the function catches it
            over.set()
            _thread.interrupt_main()
            wait = 0.2

    watch = threading.Thread(target=interrupt, daemon=True)
    # A job in the background ignores Ctrl-C, and the interrupt with it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    watch.start()
    try:
        try:
            yield
        finally:
            done.set()
            watch.join()
            if over.is_set():
                time.sleep(0.01)  # an interrupt on its way arrives here
            signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    except KeyboardInterrupt:
        if not over.is_set():
            raise
        text = f"No result after {seconds:g} seconds: an endless loop, or a very slow one?"
        raise Fault("endless loop", text) from None
