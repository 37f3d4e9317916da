"""log p(x) by the method asked for, or by the first that can be believed."""

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

METHODS = ("auto", "importance", "ais", "exact")


def estimate_log_likelihood(
    model: VAEModel, rows: Any, *, key: PRNGKey, n_samples: int = 128, method: str = "auto"
) -> LogLikelihood:
    """Estimate log p(x) of each row by one of four methods.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units
    key : PRNG key; one key gives all methods the same dequantised rows
    n_samples : draws of z a row, of "importance"
    method : "importance" is :func:`log_likelihood`; "ais" is :func:`ais`; "exact" is
        :func:`exact_log_likelihood`; "auto" is exact where it can be, and elsewhere goes on from
        importance to annealing on the rows whose k̂ exceeds 0.7, or whose effective sample size
        is below ten

    Raises
    ------
    SettingError
        If ``method`` is unknown, or is "exact" where there is no closed form.

    Warns
    -----
    LikelihoodWarning
        When "auto" has annealed rows: how many, and by how much their values changed.
    """
    if method not in METHODS:
        raise unknown_name("method", method, METHODS)
    if method == "exact" or (method == "auto" and has_exact_log_likelihood(model)):
        return _exact(model, rows, key=key)
    if method == "ais":
        return _annealed(model, rows, key=key)
    found = log_likelihood(model, rows, n_samples=n_samples, key=key)
    return found if method == "importance" else _escalated(model, rows, found, key=key)


def _exact(model: VAEModel, rows: Any, *, key: PRNGKey) -> LogLikelihood:
    return LogLikelihood.exact(exact_log_likelihood(model, rows, key=key))


def _annealed(model: VAEModel, rows: Any, *, key: PRNGKey) -> LogLikelihood:
    found = ais(model, rows, key=key)
    nothing: Any = np.full_like(found.value, np.nan)
    return LogLikelihood(found.value, found.standard_error, found.effective_sample_size, nothing)


def _escalated(model: VAEModel, rows: Any, found: LogLikelihood, *, key: PRNGKey) -> LogLikelihood:
    rows = np.asarray(rows)
    few = np.asarray(found.effective_sample_size) < EFFECTIVE_DRAWS
    doubtful = np.asarray(found.untrusted) | few
    if not doubtful.any():
        return found
    better = _annealed(model, rows[doubtful], key=key)
    warnings.warn(_said(found, better, doubtful), LikelihoodWarning, stacklevel=3)
    return jax.tree.map(lambda old, new: _placed(old, new, doubtful), found, better)


def _placed(old: np.ndarray, new: np.ndarray, where: np.ndarray) -> np.ndarray:
    merged = np.array(old)
    merged[where] = new
    return merged


def _said(found: LogLikelihood, better: LogLikelihood, doubtful: np.ndarray) -> str:
    change = np.asarray(better.value, np.float64) - np.asarray(found.value)[doubtful]
    return (
        f"Importance sampling is believed where k̂ ≤ {PARETO_K} and {EFFECTIVE_DRAWS:g} draws or "
        f"more decide; {doubtful.sum()} of {len(doubtful)} rows were not, and were annealed "
        f"instead, which changed their log p(x) by {change.mean():.3g} nats in the mean, "
        f"{change.min():.3g} to {change.max():.3g}. evaluation.sandwich bounds the "
        "error of annealing; more n_samples may spare some rows."
    )
