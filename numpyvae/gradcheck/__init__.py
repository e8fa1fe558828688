"""Is a gradient right? The answer comes with error bars, the worst entries, and a probable cause.

    from numpyvae.gradcheck import check_gradients
    print(check_gradients(loss, {"W": W, "b": b}, {"W": dW, "b": db}))

This room needs NumPy and threadpoolctl, and nothing else of numpyvae. Read finite_differences (a
derivative and its error bar), probe (the slope of a loss), guards (problems that make a check
meaningless), report (the printed table), verdicts (PASS, FAIL, UNSURE, BLIND), samples (entries of
a wrong gradient), diagnosis (the words for its probable cause), comparison (all gradients of a
loss), then checks (the functions to call).
"""

from numpyvae.gradcheck.checks import check_function, check_gradients, check_layer
from numpyvae.gradcheck.finite_differences import Derivative, derivative, numerical_gradient
from numpyvae.gradcheck.report import Entry, Report, Row

__all__ = [
    "Derivative",
    "Entry",
    "Report",
    "Row",
    "check_function",
    "check_gradients",
    "check_layer",
    "derivative",
    "numerical_gradient",
]
