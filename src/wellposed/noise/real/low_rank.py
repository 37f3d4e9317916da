"""Gaussian observation noise whose covariance is a diagonal and a few factors."""

import math
from collections.abc import Callable
from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.linalg import cho_solve, solve_triangular
from jax.scipy.special import ndtr, ndtri
from jaxtyping import Array, Bool, Float

from wellposed._checks import check_count
from wellposed._fill import fill
from wellposed._typing import Density, Point, PRNGKey, Raw, Scalar
from wellposed.numerics import (
    LOG_2PI,
    on_device,
    restore_quadratic,
    shrink_residual,
    whiten_low_rank,
)
from wellposed.transforms import Moments

from ..parts.abstract import require
from ..parts.constants import ConstantDensity, Constants
from ..parts.density import AbstractDensity
from ..parts.features import at_quantile
from ..parts.scale import Scale
from ..parts.scale_noise import AbstractScaleNoise


class LowRankGaussian(AbstractScaleNoise):
    r"""Gaussian noise with correlated features: a diagonal plus a few factors.

    .. math:: p(y \mid z) = N(y \mid \mu(z), D + W(z) W(z)^\top), \qquad
       D = \mathrm{diag}(\sigma_j^2), \quad \sigma_j = f_j + \mathrm{softplus}(\rho_j)

    Parameters
    ----------
    rank : int ≥ 1
        Columns of W, which the decoder puts out in units of the starting σ of each feature.
    variance : positive number, "shared", "feature" or "conditional"
        The diagonal σ², as in :class:`Gaussian`.
    floor : None or number ≥ 0
        f, the smallest σ; None takes resolution/√12 of the data.

    Raises
    ------
    SettingError
        For a rank, a variance or a floor out of range.

    Notes
    -----
    log p(y|z) ≤ −Σ_j log(f_j √2π), with σ in place of f where σ² is given: det(D + WW⊤) ≥ det D.
    All eigenvalues are at least min f², as Mattei & Frellsen (2018, §2.1) require.

    The row of W of a feature that never varies is zero, and its density is that of a constant.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> density = LowRankGaussian(1, 1.0)(jnp.array([0.0, 0.0, 2.0, 3.0]))  # means, then W
    >>> density.variance.tolist(), density.independent
    ([5.0, 10.0], False)
    """

    rank: int = eqx.field(static=True)
    scale: Scale
    unit: Array | None  # (d,), of the rows of W
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

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        scale = self.scale.initialise(moments)
        start = scale.at_zero(len(moments.mean))
        unit = on_device(np.where(moments.varies, start / math.sqrt(self.rank), 0.0))
        return fill(self, scale=scale, unit=unit, constants=Constants.of(moments))

    @property
    def linear_location(self) -> bool:
        return True

    def start_at(self, variance: Point) -> Self:
        """Return the noise with the diagonal at the variance, and W in units of it."""
        require(self, self.scale.state, self.unit)
        scale = self.scale.with_variance(variance)
        start = scale.at_zero(variance.shape[0])
        unit = np.where(np.asarray(self.unit) > 0, start / math.sqrt(self.rank), 0.0)
        return fill(self, scale=scale, unit=on_device(unit))

    def __call__(self, raw: Raw) -> Density:
        d = raw.shape[0] // self.n_raw
        split = d * (1 + self.rank)
        mean, factor = raw[:d], raw[d:split].reshape(self.rank, d)
        scale = jnp.broadcast_to(self.scale_of(raw[split:]), (d,))
        if self.unit is not None:
            factor = factor * self.unit
        return _LowRank(mean, factor, scale, self.constant_density(scale))

    def log_density_bound(self, d: int) -> float:
        return -0.5 * d * LOG_2PI - self.scale.log_least(d)


class _LowRank(AbstractDensity):
    """N(loc, diag(scale²) + factor⊤ factor), event shape (d,), beside constants.

    numpyro's log density is NaN in float32 once factors that agree are a thousand times the
    diagonal; see :func:`wellposed.numerics.whiten_low_rank`.
    """

    pytree_data_fields = ("loc", "factor", "scale", "constants")

    def __init__(
        self,
        loc: Point,
        factor: Float[Array, "k d"],
        scale: Point,
        constants: ConstantDensity | None = None,
    ):
        self.loc, self.factor, self.scale = loc, factor, scale
        self.constants = constants
        super().__init__(batch_shape=(), event_shape=loc.shape)

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        return self.observed_log_prob(value, jnp.ones(self.loc.shape, bool))

    def observed_log_prob(self, value: Point, seen: Bool[Array, " d"]) -> Scalar:
        """log p(y_obs | z) of the entries that are ``seen``, in nats.

        Their covariance has the diagonal and the factors of these entries alone.
        """
        residual = jnp.where(seen, self._of_varying(value - self.loc), 0.0)
        residual, times = shrink_residual(residual, self.scale)
        factor = jnp.where(seen, self.factor / self.scale, 0.0)
        white, log_det = whiten_low_rank(residual / self.scale, factor)
        peaks = jnp.where(seen, -0.5 * LOG_2PI - jnp.log(self.scale), 0.0)
        log_peak = peaks.sum() - 0.5 * log_det
        log_density = log_peak - restore_quadratic(0.5 * white @ white, times)
        if self.constants is None:
            return log_density
        apart = jnp.where(seen, self.constants.density.log_prob(value) - peaks, 0.0)
        return log_density + jnp.where(self.constants.varies, 0.0, apart).sum()

    def conditional_mean(self, value: Point, seen: Bool[Array, " d"]) -> Point:
        """E[y | y_obs, z] given the entries that are ``seen``, shape (d,)."""
        mean, _ = self._shared_given(value, seen)
        return self._completed(value, seen, self.loc + mean @ self.factor)

    def complete(self, value: Point, seen: Bool[Array, " d"], *, key: PRNGKey) -> Point:
        """Draw y ~ p(y | y_obs, z) given the entries that are ``seen``, shape (d,)."""
        factor_key, own_key = jax.random.split(key)
        mean, root = self._shared_given(value, seen)
        # Cov = (LLᵀ)⁻¹ of the precision's root L.
        standard = jax.random.normal(factor_key, mean.shape)
        shared = mean + solve_triangular(root.T, standard, lower=False)
        own = self.scale * jax.random.normal(own_key, self.loc.shape)
        return self._completed(value, seen, self.loc + shared @ self.factor + own)

    def _shared_given(
        self, value: Point, seen: Bool[Array, " d"]
    ) -> tuple[Float[Array, " k"], Float[Array, "k k"]]:
        """Mean of the shared normals given the observed entries, and the root of the precision."""
        residual = jnp.where(seen, self._of_varying(value - self.loc), 0.0)
        factor = jnp.where(seen, self.factor / self.scale, 0.0)
        root = jnp.linalg.cholesky(jnp.eye(len(factor)) + factor @ factor.T)
        return cho_solve((root, True), factor @ (residual / self.scale)), root

    def _completed(self, value: Point, seen: Bool[Array, " d"], drawn: Point) -> Point:
        drawn = self._with_constants(drawn, lambda p: p.mean)
        return jnp.where(seen, value, drawn)

    def _of_varying(self, each: Point) -> Point:
        return each if self.constants is None else jnp.where(self.constants.varies, each, 0.0)

    def _with_constants(self, each: Array, of: Callable[[Any], Array]) -> Array:
        return each if self.constants is None else self.constants.replace(each, of)

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
        own = (self.factor**2).sum(axis=0) + self.scale**2
        return self._with_constants(own, lambda p: p.variance)

    def cdf(self, value: Point) -> Point:
        """P(Y_j ≤ y_j | z) of each feature alone, shape (d,)."""
        reached = ndtr((value - self.loc) / jnp.sqrt(self.variance))
        return self._with_constants(reached, lambda p: p.cdf(value))

    def icdf(self, q: Point | Scalar) -> Point:
        """Quantile of each feature alone, shape (d,)."""
        own = self.loc + ndtri(q) * jnp.sqrt(self.variance)
        each = jnp.broadcast_to(q, self.event_shape)
        return self._with_constants(own, lambda p: p.icdf(each))

    def coupled(self, alpha: Scalar | Point) -> Point:
        """μ + α σ with each feature's own standard deviation, shape (d,)."""
        own = self.loc + alpha * jnp.sqrt(self.variance)
        return self._with_constants(own, lambda p: at_quantile(p, alpha))
