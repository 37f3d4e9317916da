"""Beta-binomial noise on L levels."""

from typing import Any, Self

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpyro import distributions
from numpyro.distributions import Distribution, constraints

from wellposed import transforms
from wellposed._fill import fill
from wellposed._typing import Density, Point, PRNGKey, Raw
from wellposed.numerics import log_growth, on_device
from wellposed.transforms import COUNTS, Moments, Support

from ..counts.log_probability import log_negative_binomial
from ..parts.abstract import require
from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.whole import AbstractWhole, LevelUnits, levels_of
from .enumerated import cdf_of_masses, quantile_of_masses

# No concentration is smaller: their gamma functions stay in float32.
_LEAST = 1e-6

# Concentrations a + b at raw zero: from nearly two-valued to nearly binomial.
_START = (0.1, 1e3)


class BetaBinomial(AbstractWhole):
    r"""Independent whole numbers 0, …, n with n = L − 1, a binomial whose chance is beta.

    .. math:: P(v \mid z) = \binom{n}{v} \frac{B(v + a, n - v + b)}{B(a, b)}, \qquad
       a = c\,σ(m), \; b = c\,σ(-m)

    with log odds m and concentration c the decoder's outputs. The start has the data's mean
    and variance where a beta-binomial can.

    Parameters
    ----------
    levels : int ≥ 2 or None
        L; None takes the largest value of the data plus one.

    Raises
    ------
    SettingError
        For fewer than two levels.

    References: Townsend, Bird & Barber (2019), BB-ANS, §3.2.

    Examples
    --------
    >>> import wellposed as wp
    >>> summary = wp.transforms.summarise(np.array([[0, 1], [2, 3], [4, 4]]))
    >>> moments = wp.transforms.Identity().moments(summary, key=jax.random.key(0))
    >>> noise = BetaBinomial().initialise(moments)
    >>> noise.levels, noise(np.zeros(4, np.float32)).mean.shape
    (5, (2,))
    """

    levels: int | None = eqx.field(static=True)
    start: Array | None  # (2, d), log odds and log concentration at raw zero
    constants: Constants | None
    shown: LevelUnits | None

    def __init__(self, levels: int | None = None):
        if levels is not None:
            transforms.levels(levels)
        self.levels = levels
        self.start = self.constants = self.shown = None

    @property
    def n_raw(self) -> int:
        return 2

    @property
    def support(self) -> Support:
        return COUNTS if self.levels is None else transforms.levels(self.levels)

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        levels = levels_of(self.levels, moments)
        return fill(
            type(self)(levels),
            start=_start(levels - 1, moments),
            constants=Constants.of(moments),
            shown=LevelUnits.of(moments),
        )

    def __call__(self, raw: Raw) -> Density:
        start = require(self, self.start)
        log_odds, growth = raw.reshape(2, -1)
        log_odds = start[0] + log_odds
        total = jnp.exp(start[1] + log_growth(growth))
        each = StableBetaBinomial(
            _LEAST + total * jax.nn.sigmoid(log_odds),
            _LEAST + total * jax.nn.sigmoid(-log_odds),
            (self.levels or 2) - 1,
        )
        return Features(each, self.constants and self.constants.whole(self.levels))


def _start(n: int, moments: Moments) -> Array:
    """Match V/(n μ (1 − μ)) = (n + c)/(1 + c)."""
    mean = np.asarray(moments.mean, np.float64) / n
    mean = (mean * moments.n + 0.5) / (moments.n + 1)
    wider = np.asarray(moments.variance, np.float64) / (n * mean * (1 - mean))
    wider = np.clip(wider, 1 + 1e-6 * n, max(n * (1 - 1e-6), 1 + 1e-6 * n))
    total = np.clip((n - wider) / (wider - 1), *_START)
    return on_device(np.stack([np.log(mean / (1 - mean)), np.log(total)]))


class StableBetaBinomial(Distribution):
    r"""numpyro's beta-binomial with a density that is exact in float32, a cdf and quantiles.

    Two negative binomials of one success probability, conditioned on their sum n, so that

    .. math:: P(v) = N(v; a) N(n - v; b) / N(n; a + b)

    with N of means na/(a + b), nb/(a + b) and n. numpyro's difference of log B is off by half a
    nat at a + b = 10⁶.
    """

    support: Any = constraints.nonnegative_integer
    pytree_data_fields = ("a", "b")
    pytree_aux_fields = ("n",)

    def __init__(self, a: Point, b: Point, n: int):
        self.a, self.b, self.n = a, b, n
        super().__init__(batch_shape=a.shape)

    @property
    def _of(self) -> Any:
        return distributions.BetaBinomial(self.a, self.b, self.n)

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        value = jnp.asarray(value, self.a.dtype)
        a, b, both = self.a, self.b, self.a + self.b
        n = jnp.full_like(a, self.n)
        log_all = jnp.log(n) - jnp.log(both)
        of_value = log_negative_binomial(value, log_all + jnp.log(a), a)
        of_rest = log_negative_binomial(n - value, log_all + jnp.log(b), b)
        # A probability to within rounding.
        return jnp.minimum(of_value + of_rest - log_negative_binomial(n, jnp.log(n), both), 0.0)

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        return self._of.sample(key, sample_shape).astype(self.a.dtype)

    @property
    def mean(self) -> Point:
        return self.n * self.a / (self.a + self.b)

    @property
    def variance(self) -> Point:
        both = self.a + self.b
        share = self.a / both
        return self.n * share * (self.b / both) * ((both + self.n) / (both + 1))

    def cdf(self, value: Point) -> Point:
        return cdf_of_masses(self._mass, self.n + 1, value)

    def icdf(self, q: Point) -> Point:
        return quantile_of_masses(self._mass, self.n + 1, q)

    def _mass(self, v: Array) -> Point:
        return jnp.exp(self.log_prob(jnp.broadcast_to(v, self.a.shape)))
