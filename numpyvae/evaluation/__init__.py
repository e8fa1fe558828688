"""How good is a model? The ELBO, tighter bounds, the exact evidence and the true posterior.

Read bounds (the ELBO and importance weights), quadrature (the evidence by integration), gaussians
(the best Gaussian for a posterior, and the parts of the gap), aggregate (all codes beside the
prior), references (losses to compare with), table (an Evaluation and its printed form), then
evaluator (`evaluate`, which computes all of it). many_draws measures a likelihood for hours, and
can be stopped. agreement refuses models whose loss is another.
"""

from numpyvae.evaluation.aggregate import Aggregate, aggregate_posterior
from numpyvae.evaluation.bounds import (
    active_units,
    elbo,
    importance_bound,
    log_weights,
    mean_and_error,
)
from numpyvae.evaluation.evaluator import evaluate
from numpyvae.evaluation.gaussians import GapSplit, LatentGaussian, best_gaussian, gap_split
from numpyvae.evaluation.quadrature import Evidence, evidence, posterior, vae_log_likelihood
from numpyvae.evaluation.references import reference_losses
from numpyvae.evaluation.table import Evaluation
from numpyvae.support.logarithms import log_mean_exp

__all__ = [
    "Aggregate",
    "Evaluation",
    "Evidence",
    "GapSplit",
    "LatentGaussian",
    "active_units",
    "aggregate_posterior",
    "best_gaussian",
    "elbo",
    "evaluate",
    "evidence",
    "gap_split",
    "importance_bound",
    "log_mean_exp",
    "log_weights",
    "mean_and_error",
    "posterior",
    "reference_losses",
    "vae_log_likelihood",
]
