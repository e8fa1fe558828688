"""Is my gradient right? Answers with error bars, the worst entry by index, and a reason.

    from numpyvae.gradcheck import check_gradients
    print(check_gradients(loss, {"W": W, "b": b}, {"W": dW, "b": db}))

Nothing in it needs the rest of numpyvae. To read it, take the files in this order: derivatives
(the numerical derivative and its error bar), probe (a loss along a direction), guards (what makes
a check meaningless), verdicts, diagnosis (what a wrong gradient looks like), report, checks (what
one calls); then museum (mistakes to practise on) and model (the check of a VAE).
"""

from numpyvae.gradcheck.checks import check_function, check_gradients, check_layer
from numpyvae.gradcheck.derivatives import Derivative, derivative, numerical_gradient
from numpyvae.gradcheck.model import check_vae
from numpyvae.gradcheck.museum import MISTAKES, Mistake, break_backward
from numpyvae.gradcheck.report import Entry, Report, Row

__all__ = [
    "MISTAKES",
    "Derivative",
    "Entry",
    "Mistake",
    "Report",
    "Row",
    "break_backward",
    "check_function",
    "check_gradients",
    "check_layer",
    "check_vae",
    "derivative",
    "numerical_gradient",
]
