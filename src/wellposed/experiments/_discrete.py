"""The log probability of discrete data is at most zero."""

import dataclasses

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
    """Mean log likelihoods over data, in nats a datum, for s values of σ.

    Examples
    --------
    >>> found = discrete(scales=[4.0, 1e-3])
    >>> bool((found.discrete <= 0).all())
    True
    """

    scales: np.ndarray  # (s,), σ in levels
    discrete: np.ndarray  # (s,), log P(x = v); at most zero
    continuous: np.ndarray  # (s,), log N(v | μ, σ²); not bounded


def discrete(
    rows: npt.ArrayLike | None = None,
    *,
    means: npt.ArrayLike | None = None,
    scales: npt.ArrayLike = _SCALES,
) -> Discrete:
    r"""Compare the probability of whole numbers with the Gaussian density of the same μ and σ.

    .. math:: P(x = v) = \Phi\Bigl(\frac{v + \frac12 - \mu}\sigma\Bigr)
        - \Phi\Bigl(\frac{v - \frac12 - \mu}\sigma\Bigr)

    The lowest and the highest level include the tails beyond them, so the probabilities sum to one.
    A probability is at most one, hence log P ≤ 0 for every σ. If the mean is exact, the density
    grows by d log(1/σ) as σ → 0, without bound. If σ is several levels wide, the two agree except
    in the tails, since a level is one unit wide.

    Parameters
    ----------
    rows : array-like of shape (n, d), whole numbers; by default a hundred digits, levels 0 to 16
    means : array-like of shape (n, d), μ in levels; by default the rows, a perfect reconstruction
    scales : float or array-like of shape (s,), σ > 0, in levels

    Raises
    ------
    DataError
        If the rows are not a table of whole numbers, or the means not a finite table of its shape.
    SettingError
        If a scale is not positive and finite.

    References: Mattei & Frellsen (2018), §2.1: likelihoods of discrete data are bounded.

    Examples
    --------
    >>> record = discrete(scales=[4.0, 1e-3])
    >>> float(record.discrete[1]), bool(record.continuous[1] > 300)
    (0.0, True)
    """
    values = as_rows(rows, 100)
    scales = np.atleast_1d(check_numbers("scales", scales, "Try 1e-4.", above=0))
    means = values if means is None else as_table(means)
    if (values % 1).any() or means.shape != values.shape:
        raise DataError(
            f"Rows must be whole numbers, and means must have their shape; got rows of shape "
            f"{values.shape} with fractions up to {(values % 1).max():g} and means of shape "
            f"{means.shape}. Pass rows and means in levels."
        )
    residuals = values - means
    edges = np.stack(
        [
            np.where(values == values.min(), -np.inf, residuals - 0.5),
            np.where(values == values.max(), np.inf, residuals + 0.5),
        ]
    )
    d, mean_square = values.shape[1], (residuals**2).sum(axis=1).mean()
    return Discrete(
        scales=scales,
        discrete=np.array([_log_probability(edges / s) for s in scales]),
        continuous=-0.5 * d * (LOG_2PI + 2 * np.log(scales)) - 0.5 * mean_square / scales**2,
    )


def _log_probability(ends: np.ndarray) -> float:
    low, high = jnp.asarray(ends)
    features = np.asarray(log_normal_interval(low, high), np.float64)
    return float(features.sum(axis=1).mean())
