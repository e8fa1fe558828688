"""How does a learner work through the tutorials, and how does a teacher mark them?

    numpyvae course start my-course

writes the notebooks of `tutorials/` without their solutions: see blanks (taking solutions out) and
folder (the working folder).

    numpyvae course check my-course

judges them. Read exercise (what an exercise consists of) and then one file of exercises (all of
them, with their known mistakes); guard (calls in which everything that goes wrong has a name),
comparison (yours against exact), naming (the factor, the mistake), judge (the verdict), progress
(what has passed), check (a line of a notebook) and hints; notebooks (functions from notebooks,
which are executed for this), worker (the process that does it) and judging (a whole folder).

    numpyvae course mark submissions

needs confinement (limits for a stranger's code) and marking (the class and its tables). Apart from
these stand wrong_vaes and own_checks (a learner's own tests, tested), variants and variant_notebook
(exercises that nobody has the answers to).
"""

from numpyvae.course.blanks import blank
from numpyvae.course.check import NotYet, check
from numpyvae.course.exercises import EXERCISES
from numpyvae.course.folder import start
from numpyvae.course.judge import Verdict
from numpyvae.course.notebooks import functions, tutorials

__all__ = ["EXERCISES", "NotYet", "Verdict", "blank", "check", "functions", "start", "tutorials"]
