"""Missing entries of rows given the observed ones: one function for all methods."""

from typing import Any, Literal

import numpy as np

from wellposed._checks import check_count
from wellposed._errors import SettingError, unknown_name
from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel

from .chains import impute_by_chains
from .importance import impute_by_importance
from .record import Imputations

SAMPLERS = ("importance", "metropolis", "pseudo-gibbs")


def impute(
    model: VAEModel,
    rows: Any,
    *,
    key: PRNGKey,
    method: Literal["importance", "metropolis", "pseudo-gibbs"] = "importance",
    n_samples: int = 256,
    n_draws: int = 0,
    n_levels: int = 0,
) -> Imputations:
    """Complete rows: conditional means, probabilities of levels and draws of missing entries.

    Parameters
    ----------
    model : whose noise allows missing entries
    rows : array of shape (n, d), data units, NaN where an entry is missing
    key : PRNG key; the draws of a row depend only on its content and this key
    method : "importance" weighs draws of z from a proposal that is refined for each row. Of the
        chains over z and the missing entries, which start from draws of that proposal,
        "metropolis" accepts the encoder's proposals with the probability that leaves
        p(z, x_mis | x_obs) invariant, and chooses at intervals among draws of the refined
        proposal; "pseudo-gibbs" accepts all of the encoder's
    n_samples : draws of z a row, or draws of the chains
    n_draws : m, completed rows a row
    n_levels : probabilities are of the whole numbers below it; 0 computes none

    Raises
    ------
    SettingError
        If ``n_samples`` is below one, for an unknown method, for a model of whole rows, and for
        chains of noise whose features are not independent given z, or whose gaps are not ignorable.

    References: Mattei & Frellsen (2019), §3, importance sampling; Mattei & Frellsen (2018), §4.2,
    Metropolis-within-Gibbs; Rezende, Mohamed & Wierstra (2014), appendix F, pseudo-Gibbs.

    Examples
    --------
    >>> from wellposed import VAE
    >>> with_gaps, few = np.where(X > 6, np.nan, X), {"hidden": (16,), "max_epochs": 2}
    >>> vae = VAE(2, missing="ignorable", random_state=0, **few).fit(with_gaps)
    >>> bool(np.isfinite(impute(vae.model_, with_gaps[:3], key=key).mean).all())
    True
    """
    check_process()
    n_samples = check_count("n_samples", n_samples, "256 is a start.")
    if method not in SAMPLERS:
        raise unknown_name("method", method, SAMPLERS)
    if not model.noise.allows_missing:
        raise SettingError(
            "Missing entries are filled by a model of rows with missing entries; got noise of "
            f'whole rows, {type(model.noise).__name__}. Fit with missing="ignorable".'
        )
    rows = np.asarray(rows)
    sizes = {"n_samples": n_samples, "n_draws": n_draws, "n_levels": n_levels}
    if method == "importance":
        return impute_by_importance(model, rows, key=key, **sizes)
    return impute_by_chains(model, rows, key=key, pseudo=method == "pseudo-gibbs", **sizes)
