"""Completed rows."""

import equinox as eqx
from jaxtyping import Array, Float


class Imputations(eqx.Module):
    """Completed rows in data units; observed entries are as they were given.

    Parameters
    ----------
    mean : E[x | x_obs] of each row, shape (n, d)
    level_probabilities : P(x_j = v | x_obs) of whole numbers v from 0, shape (n, levels, d), for
        columns that have only such values; None unless asked for
    draws : from p(x_mis | x_obs), shape (n, m, d)
    effective_sample_size : of the weights of a row, shape (n,)
    pareto_k : k̂ of the weights, shape (n,); above 0.7 a few draws of z dominate

    Examples
    --------
    >>> import wellposed as wp
    >>> found = impute(imputer.model_, rows, key=key, n_draws=5)  # doctest: +SKIP
    >>> found.draws.shape  # doctest: +SKIP
    """

    mean: Float[Array, "*batch d"]
    level_probabilities: Float[Array, "*batch levels d"] | None
    draws: Float[Array, "*batch m d"]
    effective_sample_size: Float[Array, "*batch"]
    pareto_k: Float[Array, "*batch"]
