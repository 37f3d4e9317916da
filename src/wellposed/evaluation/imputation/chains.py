"""Missing entries of rows given the observed ones, by chains over z and the missing entries."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._budget import at_once
from wellposed._errors import SettingError
from wellposed._fill import fill
from wellposed._typing import Point, PRNGKey
from wellposed.models import VAEModel, draw_keys
from wellposed.noise import Ignorable

from .._rows import over_rows
from ..likelihood.local_posterior import PriorParts, parts_of
from ..likelihood.refined import cut_refined, pilot_size, refine
from ..predictive.imputation_chain import check_independent, complete
from ..variance.affine_units import is_affine
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
        For noise whose features are not independent given z, and for gaps that are not ignorable.
    """
    if not isinstance(model.noise, Ignorable):
        raise SettingError(
            "Chains fill entries that are missing at random; got noise "
            f"{type(model.noise).__name__}, of which the gaps are not ignorable. Use the sampler "
            '"importance".'
        )
    check_independent(model)
    n_samples, parts = max(n_samples, n_draws), parts_of(model.prior)
    block, chunk = cut_refined(model, rows.shape[1], parts)
    chunk = min(chunk, max(1, at_once(2 * n_samples * rows.shape[1], 64)))
    return over_rows(
        _impute,
        (model, parts),
        rows,
        key=key,
        chunk=1 << (chunk.bit_length() - 1),
        n_samples=n_samples,
        n_pilot=pilot_size(n_samples, parts.means.shape[1], block),
        block=block,
        n_draws=n_draws,
        n_levels=n_levels,
        affine=is_affine(model),
        pseudo=pseudo,
    )


def _impute(
    given: tuple[VAEModel, PriorParts],
    x: Point,
    *,
    key: PRNGKey,
    n_samples: int,
    n_pilot: int,
    block: int,
    n_draws: int,
    n_levels: int,
    affine: bool,
    pseudo: bool,
) -> Imputations:
    model, parts = given
    inferred, (chain_key, pilot_key) = model.infer(x, key=key), draw_keys(key, 2)
    proposal = refine(model, parts, inferred, n_pilot=n_pilot, block=block, key=pilot_key).mixture
    seen = ~jnp.isnan(x)
    settings = {"n_draws": n_samples, "pseudo": pseudo, "proposal": proposal, "key": chain_key}
    made = complete(_of_whole_rows(model), inferred.y, ~seen, **settings)
    draws = jnp.where(seen, x, jax.vmap(model.transform.inverse)(made.draws))
    levels = None
    if n_levels:
        levels = (draws[None] == jnp.arange(n_levels)[:, None, None]).mean(axis=1)
    mean = model.transform.inverse(made.mean) if affine else draws.mean(axis=0)
    unknown = jnp.full((), jnp.nan)
    # Draws far apart in the chains depend least on each other.
    spread = np.linspace(0, n_samples - 1, n_draws).astype(int)
    return Imputations(jnp.where(seen, x, mean), levels, draws[spread], unknown, unknown)


def _of_whole_rows(model: VAEModel) -> VAEModel:
    """Return the model without what fills missing entries: those of a chain are never missing."""
    observed: Any = model.noise
    return fill(model, noise=fill(observed, filling=None))
