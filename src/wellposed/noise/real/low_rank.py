"""Gaussian observation noise whose covariance is a diagonal and a few factors."""

import math
from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Float
from numpyro.distributions import Distribution, constraints

from wellposed._checks import check_count
from wellposed._typing import Density, Fitted, Leaves, Point, PRNGKey, Raw, Scalar, Variance
from wellposed.numerics import LOG_2PI, drawn_in, drawn_out, on_device, whiten_low_rank
from wellposed.transforms import REALS, Moments, Support

from ..parts.abstract import AbstractNoise
from ..parts.constants import Constants, Pinned
from ..parts.features import at_quantile
from ..parts.scale import Scale


class LowRankGaussian(AbstractNoise):
    r"""Gaussian noise with correlated features: a diagonal plus a few factors.

    .. math:: p(y \mid z) = N(y \mid \mu(z), D + W(z) W(z)^\top), \qquad
       D = \mathrm{diag}(\sigma_j^2), \quad \sigma_j = f_j + \mathrm{softplus}(\rho_j)

    Parameters
    ----------
    rank : int ≥ 1
        Columns of W, put out by the decoder in units of the starting σ of each feature.
    variance : positive number, "shared", "feature" or "conditional"
        The diagonal σ², as :class:`Gaussian` takes it.
    floor : None or number ≥ 0
        f, the smallest σ; None takes resolution/√12 of the data.

    Raises
    ------
    SettingError
        For a rank, a variance or a floor out of range.

    Notes
    -----
    log p(y|z) ≤ −Σ_j log(f_j √2π), with σ in place of f where σ² is given: det(D + WW⊤) ≥ det D.
    All eigenvalues are at least min f², as Mattei & Frellsen (2018, §2.1) ask.

    The row of W of a feature that never varies is zero, and its density is that of a constant.
    """

    rank: int = eqx.field(static=True)
    scale: Scale
    unit: Fitted  # (d,), of the rows of W
    constants: Constants | None

    def __init__(
        self, rank: int = 4, variance: float | str = "shared", *, floor: float | None = None
    ):
        self.rank = check_count("rank", rank, "Without correlations, use Gaussian.")
        self.scale = Scale(variance, floor=floor)
        self.unit = self.constants = None

    @property
    def n_raw(self) -> int:
        return 1 + self.rank + self.scale.n_raw

    @property
    def support(self) -> Support:
        return REALS

    @property
    def solved_by_squares(self) -> bool:
        return False

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "LowRankGaussian":
        del key
        scale = self.scale.initialise(moments)
        start = scale.at_zero(len(moments.mean))
        unit = on_device(np.where(moments.varies, start / math.sqrt(self.rank), 0.0))
        return eqx.tree_at(
            lambda n: (n.scale, n.unit, n.constants),
            self,
            (scale, unit, Constants.of(moments)),
            is_leaf=lambda leaf: leaf is None,
        )

    def __call__(self, raw: Raw) -> Density:
        d = raw.shape[0] // self.n_raw
        split = d * (1 + self.rank)
        mean, factor = raw[:d], raw[d:split].reshape(self.rank, d)
        scale = jnp.broadcast_to(self.scale(raw[split:]), (d,))
        if self.unit is not None:
            factor = factor * self.unit
        constants = self.constants and self.scale.for_constants(self.constants, scale)
        return _LowRank(mean, factor, scale, constants)

    def presented(self, y: Point) -> Point:
        return y

    def log_density_bound(self, d: int) -> float:
        return -0.5 * d * LOG_2PI - self.scale.log_least(d)

    def learned(self) -> Leaves:
        return self.scale.learned()

    def refitted(self, squared_residual: Point) -> "LowRankGaussian":
        del squared_residual
        return self

    def variance(self) -> Variance | None:
        """None: the factors, and with them each feature's variance, depend on z."""
        return None

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose σ rests on its floor.

        Where σ depends on z, the whole standard deviation stands in, which is larger.
        """
        known = self.scale.variance()
        varies = self.constants and self.constants.varies
        return self.scale.on_floor(variance if known is None else known, varies)


class _LowRank(Distribution):
    """N(loc, diag(scale²) + factor⊤ factor), event shape (d,), beside constants.

    numpyro's log density is NaN in float32 once factors that agree are a thousand times the
    diagonal; see :func:`wellposed.numerics.whiten_low_rank`.
    """

    support: Any = constraints.real_vector
    pytree_data_fields = ("loc", "factor", "scale", "constants")

    def __init__(
        self,
        loc: Point,
        factor: Float[Array, "k d"],
        scale: Point,
        constants: Pinned | None = None,
    ):
        self.loc, self.factor, self.scale = loc, factor, scale
        self.constants = constants
        super().__init__(batch_shape=(), event_shape=loc.shape)

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        residual = self._of_varying(value - self.loc)
        residual, times = drawn_in(residual, self.scale)
        white, log_det = whiten_low_rank(residual / self.scale, self.factor / self.scale)
        log_peak = -0.5 * (self.loc.size * LOG_2PI + log_det) - jnp.log(self.scale).sum()
        found = log_peak - drawn_out(0.5 * white @ white, times)
        if self.constants is None:
            return found
        peaks = -0.5 * LOG_2PI - jnp.log(self.scale)
        apart = self.constants.density.log_prob(value) - peaks
        return found + jnp.where(self.constants.varies, 0.0, apart).sum()

    def _of_varying(self, each: Point) -> Point:
        return each if self.constants is None else jnp.where(self.constants.varies, each, 0.0)

    def _with_constants(self, each: Array, of: Callable[[Any], Array]) -> Array:
        if self.constants is None:
            return each
        return jnp.where(self.constants.varies, each, of(self.constants.density))

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        factor_key, own_key, constant_key = jax.random.split(key, 3)
        shared = jax.random.normal(factor_key, (*sample_shape, self.factor.shape[0]))
        own = jax.random.normal(own_key, self.shape(sample_shape))
        drawn = self.loc + shared @ self.factor + self.scale * own
        return self._with_constants(drawn, lambda p: p.sample(constant_key, sample_shape))

    @property
    def mean(self) -> Point:
        return self._with_constants(self.loc, lambda p: p.mean)

    @property
    def variance(self) -> Point:
        """Of each feature alone."""
        found = (self.factor**2).sum(axis=0) + self.scale**2
        return self._with_constants(found, lambda p: p.variance)

    def cdf(self, value: Point) -> Point:
        """P(Y_j ≤ y_j | z) of each feature alone, shape (d,)."""
        reached = ndtr((value - self.loc) / jnp.sqrt(self.variance))
        return self._with_constants(reached, lambda p: p.cdf(value))

    def icdf(self, q: Point | Scalar) -> Point:
        """Quantile of each feature alone, shape (d,)."""
        found = self.loc + ndtri(q) * jnp.sqrt(self.variance)
        each = jnp.broadcast_to(q, self.event_shape)
        return self._with_constants(found, lambda p: p.icdf(each))

    def coupled(self, alpha: Scalar | Point) -> Point:
        """μ + α σ with each feature's own standard deviation, shape (d,)."""
        found = self.loc + alpha * jnp.sqrt(self.variance)
        return self._with_constants(found, lambda p: at_quantile(p, alpha))
