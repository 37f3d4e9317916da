"""Discrete data are bounded by zero."""

import dataclasses
from typing import Any

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt

from wellposed._checks import check_numbers
from wellposed._errors import DataError
from wellposed.numerics import LOG_2PI, log_normal_interval

from ._rows import as_rows, as_table

_SCALES = np.geomspace(10.0, 1e-4, 61)


@dataclasses.dataclass(frozen=True, eq=False)
class Discrete:
    """Mean over data, in nats a datum, as σ shrinks; ``s`` values of it."""

    scales: np.ndarray  # (s,), σ in levels
    discrete: np.ndarray  # (s,), log P(x = v), at most zero
    continuous: np.ndarray  # (s,), log N(v | μ, σ²), without a bound


def discrete(rows: Any = None, *, means: Any = None, scales: npt.ArrayLike = _SCALES) -> Discrete:
    r"""Compare the probability of whole numbers with the density of the same mean and σ.

    .. math:: P(x = v) = \Phi\Bigl(\frac{v + \frac12 - \mu}\sigma\Bigr)
        - \Phi\Bigl(\frac{v - \frac12 - \mu}\sigma\Bigr)

    with the tails beyond the lowest and the highest level given to those levels, so that the
    probabilities sum to one. A probability is at most one: log P ≤ 0 whatever σ does. The density
    exceeds every bound as σ → 0 if the mean is right, by d log(1/σ). Where σ is several levels
    wide the two agree but for the tails, a level being one unit wide.

    Parameters
    ----------
    rows : whole numbers, shape (n, d); a hundred digits, levels 0 to 16, by default
    means : μ, shape (n, d), in levels; the rows themselves by default, the perfect reconstruction
    scales : σ > 0, in levels, shape (s,), or one number

    Raises
    ------
    DataError
        If the rows are no table of whole numbers, or the means are not finite and shaped like it.
    SettingError
        If a scale is not positive and finite.

    References
    ----------
    Mattei & Frellsen (2018), §2.1: likelihoods of discrete data are bounded.

    Examples
    --------
    >>> found = discrete(scales=np.array([4.0, 1e-3]))
    >>> float(found.discrete[1]), bool(found.continuous[1] > 300)
    (0.0, True)
    """
    values = as_rows(rows, 100)
    scales = np.atleast_1d(check_numbers("scales", scales, "Try 1e-4.", above=0))
    means = values if means is None else as_table(means)
    if (values % 1).any() or means.shape != values.shape:
        raise DataError(
            f"Rows must be whole numbers, and means shaped like them; got rows of shape "
            f"{values.shape} with fractions up to {(values % 1).max():g} and means of shape "
            f"{means.shape}. Count the rows in levels."
        )
    off = values - means
    edges = np.stack(
        [
            np.where(values == values.min(), -np.inf, off - 0.5),
            np.where(values == values.max(), np.inf, off + 0.5),
        ]
    )
    d, mean_square = values.shape[1], (off**2).sum(axis=1).mean()
    return Discrete(
        scales=scales,
        discrete=np.array([_log_probability(edges / s) for s in scales]),
        continuous=-0.5 * d * (LOG_2PI + 2 * np.log(scales)) - 0.5 * mean_square / scales**2,
    )


def _log_probability(ends: np.ndarray) -> float:
    low, high = jnp.asarray(ends)
    features = np.asarray(log_normal_interval(low, high), np.float64)
    return float(features.sum(axis=1).mean())
