"""log p(x) by a given method, or by the first reliable one."""

import warnings
from typing import Any

import jax
import numpy as np

from wellposed._errors import LikelihoodWarning, unknown_name
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel

from .._thresholds import EFFECTIVE_DRAWS, PARETO_K
from .ais import ais
from .exact import exact_log_likelihood, has_exact_log_likelihood
from .importance import LogLikelihood, log_likelihood

METHODS = ("auto", "importance", "encoder", "ais", "exact")
"""Methods of :func:`estimate_log_likelihood`: how log p(x) is estimated or computed."""


def estimate_log_likelihood(
    model: VAEModel, rows: Any, *, key: PRNGKey, n_samples: int = 128, method: str = "auto"
) -> LogLikelihood:
    """Estimate log p(x) of each row by one of five methods.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key; for one key, all methods use the same dequantised rows
    n_samples : draws of z per row, for importance sampling
    method : "importance" is :func:`log_likelihood` with proposals refined for each row, and
        "encoder" with those of the encoder; "ais" is :func:`ais`; "exact" is
        :func:`exact_log_likelihood`; "auto" is "exact" if the model has a closed form,
        and otherwise "importance", followed by "ais" for the rows whose k̂ exceeds 0.7 or whose
        effective sample size is below ten

    Returns
    -------
    LogLikelihood of the n rows

    Raises
    ------
    SettingError
        If ``method`` is unknown, or is "exact" and the model has no closed form.

    Warns
    -----
    LikelihoodWarning
        If "auto" anneals rows; the message states how many, and the change of their values.

    Examples
    --------
    >>> estimate_log_likelihood(model, X[:3], key=key).value.shape
    (3,)
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if method == "exact" or (method == "auto" and has_exact_log_likelihood(model)):
        return _exact(model, rows, key=key)
    if method == "ais":
        return _annealed(model, rows, key=key)
    proposal = "encoder" if method == "encoder" else "refined"
    estimate = log_likelihood(model, rows, n_samples=n_samples, key=key, proposal=proposal)
    return _escalated(model, rows, estimate, key=key) if method == "auto" else estimate


def _exact(model: VAEModel, rows: Any, *, key: PRNGKey) -> LogLikelihood:
    return LogLikelihood.exact(exact_log_likelihood(model, rows, key=key))


def _annealed(model: VAEModel, rows: Any, *, key: PRNGKey) -> LogLikelihood:
    estimate = ais(model, rows, key=key)
    nothing: Any = np.full_like(estimate.value, np.nan)
    return LogLikelihood(
        estimate.value, estimate.standard_error, estimate.effective_sample_size, nothing
    )


def _escalated(
    model: VAEModel, rows: Any, estimate: LogLikelihood, *, key: PRNGKey
) -> LogLikelihood:
    rows = np.asarray(rows)
    few = np.asarray(estimate.effective_sample_size) < EFFECTIVE_DRAWS
    doubtful = np.asarray(estimate.untrusted) | few
    if not doubtful.any():
        return estimate
    better = _annealed(model, rows[doubtful], key=key)
    warnings.warn(_message(estimate, better, doubtful), LikelihoodWarning, stacklevel=3)
    return jax.tree.map(lambda old, new: _placed(old, new, doubtful), estimate, better)


def _placed(old: np.ndarray, new: np.ndarray, where: np.ndarray) -> np.ndarray:
    merged = np.array(old)
    merged[where] = new
    return merged


def _message(estimate: LogLikelihood, better: LogLikelihood, doubtful: np.ndarray) -> str:
    change = np.asarray(better.value, np.float64) - np.asarray(estimate.value)[doubtful]
    return (
        f"Importance sampling is reliable if k̂ ≤ {PARETO_K} and the effective sample size is at "
        f"least {EFFECTIVE_DRAWS:g}; it is unreliable for {doubtful.sum()} of {len(doubtful)} "
        "rows, for which annealed importance sampling replaces it. This changes their log p(x) "
        f"by {change.mean():.3g} nats on average ({change.min():.3g} to {change.max():.3g}). "
        "evaluation.sandwich bounds the error of annealing; with a larger n_samples, fewer rows "
        "may need it."
    )
