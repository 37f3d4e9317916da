"""Missing entries of rows given the observed ones, by chains over z and the missing entries."""

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._typing import Point, PRNGKey
from wellposed.models import VAEModel, draw_keys

from .._rows import over_rows
from ..predictive.imputation_chain import check_independent, complete
from .record import Imputations


def impute_by_chains(
    model: VAEModel,
    rows: np.ndarray,
    *,
    key: PRNGKey,
    n_samples: int,
    n_draws: int,
    n_levels: int,
    pseudo: bool,
) -> Imputations:
    """Complete rows by Metropolis-within-Gibbs, or by pseudo-Gibbs.

    Means and probabilities are those of ``n_samples`` draws of each row, and ``n_draws`` of them
    are returned. See :func:`wellposed.evaluation.impute` for the other parameters.

    Raises
    ------
    SettingError
        For noise whose features are not independent given z.
    """
    check_independent(model)
    n_samples = max(n_samples, n_draws)
    return over_rows(
        _impute,
        model,
        rows,
        key=key,
        numbers=n_samples * rows.shape[1],
        n_samples=n_samples,
        n_draws=n_draws,
        n_levels=n_levels,
        pseudo=pseudo,
    )


def _impute(
    model: VAEModel,
    x: Point,
    *,
    key: PRNGKey,
    n_samples: int,
    n_draws: int,
    n_levels: int,
    pseudo: bool,
) -> Imputations:
    y = model.to_model_units(x, key=key).value
    (chain_key,) = draw_keys(key, 1)
    seen = ~jnp.isnan(x)
    made = complete(model, y, ~seen, n_draws=n_samples, pseudo=pseudo, key=chain_key)
    draws = jnp.where(seen, x, jax.vmap(model.transform.inverse)(made.draws))
    levels = None
    if n_levels:
        levels = (draws[None] == jnp.arange(n_levels)[:, None, None]).mean(axis=1)
    unknown = jnp.full((), jnp.nan)
    # Draws far apart in the chains depend least on each other.
    spread = np.linspace(0, n_samples - 1, n_draws).astype(int)
    return Imputations(draws.mean(axis=0), levels, draws[spread], unknown, unknown)
