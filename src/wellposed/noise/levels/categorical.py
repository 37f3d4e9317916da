"""Categorical noise: every level its own probability."""

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from numpyro.distributions import CategoricalLogits, Distribution, constraints

from wellposed import transforms
from wellposed._fill import fill
from wellposed._typing import Density, Point, PRNGKey, Raw
from wellposed.transforms import COUNTS, Moments, Support

from ..parts.abstract import require
from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.whole import AbstractWhole, LevelUnits, levels_of


class Categorical(AbstractWhole):
    r"""Independent whole numbers 0, …, L − 1, a softmax over L outputs for each feature.

    .. math:: P(y_j = v \mid z) = e^{r_{vj}} / \sum_u e^{r_{uj}}

    The levels have no order, so it fits categories coded as numbers. Many levels are expensive,
    since each is learned separately. At raw zero all are equally likely, because moments do not
    describe categories.

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

    def __init__(self, levels: int | None = None):
        if levels is not None:
            transforms.levels(levels)
        self.levels = levels
        self.constants = self.shown = None

    @property
    def n_raw(self) -> int:
        return self.levels or 2

    @property
    def support(self) -> Support:
        return COUNTS if self.levels is None else transforms.levels(self.levels)

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        return fill(
            type(self)(levels_of(self.levels, moments)),
            constants=Constants.of(moments),
            shown=LevelUnits.of(moments),
        )

    def __call__(self, raw: Raw) -> Density:
        require(self, self.levels)
        each = Categories(raw.reshape(self.n_raw, -1).T)
        return Features(each, self.constants and self.constants.whole(self.levels))


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

    def cdf(self, value: Point) -> Point:
        reached = self._levels <= value[:, None]
        total = jnp.sum(jnp.where(reached, self._probabilities, 0.0), axis=-1)
        return jnp.where(reached.all(axis=-1), 1.0, total)

    def icdf(self, q: Point) -> Point:
        below = jnp.cumsum(self._probabilities, axis=-1)[:, :-1] < q[:, None]
        return below.sum(axis=-1).astype(q.dtype)

    @property
    def _probabilities(self) -> Array:
        return jax.nn.softmax(self.of.logits, axis=-1)

    @property
    def _levels(self) -> Array:
        return jnp.arange(self.of.logits.shape[-1], dtype=self.of.logits.dtype)
