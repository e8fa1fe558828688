"""How does a learner work through the tutorials? A working folder, and checks in words.

    numpyvae course start my-course

writes the notebooks of `tutorials/` without their solutions. Read blanks (taking solutions out),
notebooks (functions from earlier notebooks, which are executed for this), folder (the working
folder), then expectations (checks of a learner's function, in words instead of a traceback).
"""

from numpyvae.course.blanks import blank
from numpyvae.course.expectations import NotYet, call, expect
from numpyvae.course.folder import start
from numpyvae.course.notebooks import functions, tutorials

__all__ = ["NotYet", "blank", "call", "expect", "functions", "start", "tutorials"]
