"""The base of densities p(y | z) of one datum."""

from typing import Any

import jax.numpy as jnp
import numpy as np
from numpyro.distributions import Distribution, constraints

from wellposed._errors import SettingError
from wellposed._typing import Density, Point, Scalar


class AbstractDensity(Distribution):
    """p(y | z) of one datum in model units, event shape (d,): what a noise model returns.

    Moments, cdf and quantiles are those of each feature alone, shape (d,). A subclass defines
    ``log_prob``, ``sample``, ``mean``, ``variance`` and ``coupled``; ``cdf`` and ``icdf`` where it
    has them. numpyro's ``pytree_data_fields`` names the fields that are arrays.

    Examples
    --------
    >>> from wellposed.noise.counts.composition import Composition
    >>> issubclass(Composition, AbstractDensity)  # of the counts of a row
    True
    """

    support: Any = constraints.real_vector

    @property
    def independent(self) -> bool:
        """Whether p(y | z) is ∏_j p(y_j | z), so that moments of each feature are exact."""
        return False

    def feature_log_prob(self, value: Point) -> Point:
        """log p(y_j | z) of each feature, shape (d,), in nats.

        Raises
        ------
        SettingError
            Where the features are not independent given z.
        """
        del value
        raise SettingError(
            "log p(y_j | z) of one feature is defined where features are independent given z; "
            f"those of {type(self).__name__} are not. Use log_prob of the whole datum, or noise "
            'with independent features such as "feature".'
        )

    @property
    def has_tails(self) -> np.ndarray:
        """Of which features :meth:`log_cdf` and :meth:`log_sf` are known, shape (d,)."""
        return np.zeros(self.event_shape, bool)

    def log_cdf(self, value: Point) -> Point:
        """log P(Y_j ≤ y_j | z) of each feature, shape (d,), in nats, exact in the tails."""
        raise NotImplementedError(f"{type(self).__name__} has no log_cdf.")

    def log_sf(self, value: Point) -> Point:
        """log P(Y_j ≥ y_j | z) of each feature, shape (d,), in nats, exact in the tails."""
        raise NotImplementedError(f"{type(self).__name__} has no log_sf.")

    @property
    def central(self) -> Point:
        """The mean of each feature, or its likeliest level where levels have no order, (d,)."""
        return self.mean

    def pearson_residuals(self, value: Point) -> Point:
        r"""Residuals whose covariance under p(y | z) has no eigenvalue above one, shape (r,).

        .. math:: \frac{y_j - E[y_j | z]}{\sqrt{Var[y_j | z]}}, \qquad
           \frac{[y_j = v] - P(y_j = v | z)}{\sqrt{P(y_j = v | z)}}

        the latter for each level v where levels have no order, as their positions mean nothing.
        """
        return standardised(self, value)

    def coupled(self, alpha: Scalar) -> Point:
        """Every feature at the quantile Φ(α) of its noise, shape (d,)."""
        raise NotImplementedError(f"{type(self).__name__} must define coupled(alpha).")


def standardised(density: Any, value: Point) -> Point:
    """(y_j − E[y_j | z])/√Var[y_j | z] of each feature, shape (d,)."""
    return (value - density.mean) / jnp.sqrt(density.variance)


def pearson_residuals(density: Density, value: Point) -> Point:
    """Those of the density, see :meth:`AbstractDensity.pearson_residuals`; by default standardised.

    Examples
    --------
    >>> from wellposed.noise import Gaussian
    >>> pearson_residuals(Gaussian(4.0)(jnp.zeros(2)), jnp.ones(2)).tolist()
    [0.5, 0.5]
    """
    if isinstance(density, AbstractDensity):
        return density.pearson_residuals(value)
    return standardised(density, value)
