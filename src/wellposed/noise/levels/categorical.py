"""Categorical noise: every level its own probability."""

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpyro.distributions import CategoricalLogits, Distribution, constraints

from wellposed import transforms
from wellposed._fill import fill
from wellposed._typing import Density, Fitted, Point, PRNGKey, Raw
from wellposed.numerics import on_device
from wellposed.transforms import COUNTS, Moments, Support

from ..parts.abstract import require
from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.whole import AbstractWhole, LevelUnits, levels_of

_RAREST = 60.0  # −log P of a level, beyond which the square of its residual has no float32


class Categorical(AbstractWhole):
    r"""Independent whole numbers 0, …, L − 1, a softmax over L outputs for each feature.

    .. math:: P(y_j = v \mid z) = e^{r_{vj}} / \sum_u e^{r_{uj}}

    The levels have no order, so it fits categories coded as numbers. Many levels are expensive,
    since each is learned separately. In a model the shares of the levels in the data are added to
    the logits, so that at raw zero P is these shares, with half a row more of each level.

    Parameters
    ----------
    levels : int ≥ 2 or None
        L; None takes the largest value of the data plus one.

    Raises
    ------
    SettingError
        For fewer than two levels.

    Examples
    --------
    >>> density = Categorical(4)(jnp.zeros(8))  # four outputs for each of two features
    >>> [round(float(p), 4) for p in jnp.exp(density.feature_log_prob(jnp.array([0.0, 3.0])))]
    [0.25, 0.25]
    """

    levels: int | None = eqx.field(static=True)
    constants: Constants | None
    shown: LevelUnits | None
    shares: Fitted = None  # (L, d), log shares in the data; None in files of older versions

    def __init__(self, levels: int | None = None):
        if levels is not None:
            transforms.levels(levels)
        self.levels = levels
        self.constants = self.shown = self.shares = None

    @property
    def n_raw(self) -> int:
        return self.levels or 2

    @property
    def support(self) -> Support:
        return COUNTS if self.levels is None else transforms.levels(self.levels)

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        levels = levels_of(self.levels, moments)
        return fill(
            type(self)(levels),
            constants=Constants.of(moments),
            shown=LevelUnits.of(moments),
            shares=None if moments.sample is None else _log_shares(moments.sample, levels),
        )

    def __call__(self, raw: Raw) -> Density:
        require(self, self.levels)
        logits = raw.reshape(self.n_raw, -1)
        each = Categories((logits if self.shares is None else logits + self.shares).T)
        return Features(each, self.constants and self.constants.whole(self.levels))


def _log_shares(sample: np.ndarray, levels: int) -> Array:
    """Log of each level's share of rows, shape (L, d), with half a row more of each level."""
    counts = np.stack([(sample == level).sum(axis=0) for level in range(levels)]) + 0.5
    return on_device(np.log(counts / counts.sum(axis=0)))


class Categories(Distribution):
    """numpyro's categorical, its levels taken as numbers; batch shape (d,)."""

    support: Any = constraints.nonnegative_integer
    pytree_data_fields = ("of",)

    def __init__(self, logits: Float[Array, "d l"]):
        self.of: Any = CategoricalLogits(logits)
        super().__init__(batch_shape=logits.shape[:-1])

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        return self.of.log_prob(value.astype(jnp.int32))

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self.of.sample(key, sample_shape).astype(self.of.logits.dtype)

    @property
    def mean(self) -> Point:
        return self._probabilities @ self._levels

    @property
    def variance(self) -> Point:
        squares = (self._levels - self.mean[:, None]) ** 2
        return jnp.sum(self._probabilities * squares, axis=-1)

    @property
    def likeliest(self) -> Point:
        """The likeliest level of each feature, (d,)."""
        return jnp.argmax(self.of.logits, axis=-1).astype(self.of.logits.dtype)

    def pearson_residuals(self, value: Point) -> Float[Array, "d l"]:
        """([y_j = v] − P(v))/√P(v) of each feature and level."""
        log_shares = jnp.maximum(self._log_shares, -_RAREST)
        is_level = value[:, None] == self._levels
        return is_level * jnp.exp(-0.5 * log_shares) - jnp.exp(0.5 * log_shares)

    def cdf(self, value: Point) -> Point:
        reached = self._levels <= value[:, None]
        total = jnp.sum(jnp.where(reached, self._probabilities, 0.0), axis=-1)
        return jnp.where(reached.all(axis=-1), 1.0, total)

    def icdf(self, q: Point) -> Point:
        below = jnp.cumsum(self._probabilities, axis=-1)[:, :-1] < q[:, None]
        return below.sum(axis=-1).astype(q.dtype)

    @property
    def _log_shares(self) -> Array:
        return jax.nn.log_softmax(self.of.logits, axis=-1)

    @property
    def _probabilities(self) -> Array:
        return jnp.exp(self._log_shares)

    @property
    def _levels(self) -> Array:
        return jnp.arange(self.of.logits.shape[-1], dtype=self.of.logits.dtype)
