"""Amounts with a probability of being zero."""

from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpyro.distributions import Distribution, constraints

from wellposed._errors import SettingError
from wellposed._fill import fill
from wellposed._typing import Density, Inputs, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import on_device
from wellposed.transforms import AMOUNTS, Moments, Support

from ..parts.abstract import AbstractNoise, require
from ..parts.features import Features
from .amounts import AbstractAmount
from .log_normal import LogNormal


class ZeroInflated(AbstractNoise):
    r"""Zero with a probability that depends on z, else an amount: rain, spending, concentrations.

    .. math:: P(x_j = 0 \mid z) = \pi_j(z), \qquad
       p(x_j \mid z) = (1 - \pi_j(z))\, p_+(x_j \mid z) \;\text{ for } x_j > 0, \qquad
       \pi_j = \mathrm{sigmoid}(\eta_j(z))

    log p is the logarithm of a probability at zeros and of a density elsewhere: a density with
    respect to the sum of Lebesgue measure and a unit mass at zero. Values of two zero-inflated
    models can be compared; those of a model with a density at zero cannot. In another unit, c·x,
    log p is lower by log c for each amount above zero.

    Parameters
    ----------
    noise : LogNormal or Gamma, or None for LogNormal()
        p₊, of the amounts above zero.

    Raises
    ------
    SettingError
        For any other noise.

    Notes
    -----
    log p(x|z) ≤ Σ_j max{0, b_j}, with b the bounds of ``noise``.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> density = ZeroInflated(LogNormal(1.0))(jnp.zeros(2))
    >>> round(float(density.log_prob(jnp.array([0.0]))), 4)
    -0.6931
    """

    noise: AbstractAmount
    logit: Array | None  # (d,), of P(0) at raw zero
    given: Array | None  # (d,), bool: features whose logit does not depend on z

    def __init__(self, noise: AbstractAmount | None = None):
        noise = LogNormal() if noise is None else noise
        if not isinstance(noise, AbstractAmount):
            raise SettingError(
                f"ZeroInflated takes noise on amounts above zero; got {noise!r}. Pass "
                "wp.noise.LogNormal() or wp.noise.Gamma(); for counts use NegativeBinomial()."
            )
        self.noise = noise
        self.logit = self.given = None

    @property
    def n_raw(self) -> int:
        return 1 + self.noise.n_raw

    @property
    def support(self) -> Support:
        return AMOUNTS

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        """Start with each feature's share of zeros, by the rule of succession.

        A feature that never varies keeps the rule of succession: (n + 1)/(n + 2) for the value
        that it always had.
        """
        noise = self.noise.initialise(moments, key=key)
        data: Any = noise.data
        zeros = np.asarray(data.zeros, np.float64)
        n = max(moments.n, 1)
        share = (n * zeros + 1.0) / (n + 2.0)
        logit = on_device(np.log(share) - np.log1p(-share))
        given = jax.device_put(~np.asarray(data.varies))
        return fill(self, noise=noise, logit=logit, given=given)

    def __call__(self, raw: Raw) -> Density:
        require(self, self.noise.scale.state)
        d = raw.shape[0] // self.n_raw
        logit = raw[:d]
        if self.logit is not None and self.given is not None:
            logit = self.logit + jnp.where(self.given, 0.0, raw[:d])
        return Features(_ZeroInflated(logit, self.noise.law(raw[d:])))

    def encoder_input(self, y: Point) -> Inputs:
        return self.noise.encoder_input(y)

    def log_density_bound(self, d: int) -> float:
        return float(np.maximum(self.noise.log_peaks(d), 0.0).sum())

    def parameters(self) -> Leaves:
        return self.noise.parameters()

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        return self.noise.on_floor(variance)


class _ZeroInflated(Distribution):
    """Zero, or a draw of another distribution, for each feature; batch shape (d,)."""

    support: Any = constraints.nonnegative
    pytree_data_fields = ("logit", "of")

    def __init__(self, logit: Point, of: Any):
        self.logit, self.of = logit, of
        super().__init__(batch_shape=logit.shape)

    def log_prob(self, value: Point, intermediates: Any = None) -> Point:
        del intermediates
        above = value > 0
        amount = self.of.log_prob(jnp.where(above, value, self.of.least))
        return jnp.where(
            above, jax.nn.log_sigmoid(-self.logit) + amount, jax.nn.log_sigmoid(self.logit)
        )

    def sample(self, key: PRNGKey, sample_shape: tuple[int, ...] = ()) -> Array:
        zero_key, amount_key = jax.random.split(key)
        zero = jax.random.bernoulli(zero_key, self._zero, self.shape(sample_shape))
        return jnp.where(zero, 0.0, self.of.sample(amount_key, sample_shape))

    @property
    def _zero(self) -> Point:
        return jax.nn.sigmoid(self.logit)

    @property
    def mean(self) -> Point:
        return jax.nn.sigmoid(-self.logit) * self.of.mean

    @property
    def variance(self) -> Point:
        share = jax.nn.sigmoid(-self.logit)
        largest = 0.1 * float(jnp.finfo(self.logit.dtype).max) ** 0.5  # whose square is a number
        return share * (self.of.variance + self._zero * jnp.minimum(self.of.mean, largest) ** 2)

    def cdf(self, value: Point) -> Point:
        reached = self._zero + jax.nn.sigmoid(-self.logit) * self.of.cdf(value)
        return jnp.where(value < 0, 0.0, reached)

    def log_cdf(self, value: Point) -> Point:
        """log P(Y ≤ value) of a value from zero upwards, in nats."""
        above = jax.nn.log_sigmoid(-self.logit) + self.of.log_cdf(value)
        return jnp.logaddexp(jax.nn.log_sigmoid(self.logit), above)

    def log_sf(self, value: Point) -> Point:
        """log P(Y ≥ value) of a value above zero, in nats."""
        return jax.nn.log_sigmoid(-self.logit) + self.of.log_sf(value)

    def icdf(self, q: Point) -> Point:
        share = jax.nn.sigmoid(-self.logit)
        rest = (q - self._zero) / jnp.maximum(share, jnp.finfo(share.dtype).tiny)
        step = jnp.finfo(share.dtype).epsneg
        return jnp.where(rest <= 0, 0.0, self.of.icdf(jnp.clip(rest, step, 1.0 - step)))
