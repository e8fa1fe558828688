"""The course: tutorials to work through, and what their notebooks need.

    numpyvae course start my-course

writes the ten notebooks of `tutorials/` with the solutions taken out. To read it: blanks (how they
are taken out), folder (the working folder), checks (a verdict in words instead of a traceback).
"""

from numpyvae.course.blanks import blank
from numpyvae.course.checks import NotYet, call, expect
from numpyvae.course.folder import functions, start, tutorials

__all__ = ["NotYet", "blank", "call", "expect", "functions", "start", "tutorials"]
