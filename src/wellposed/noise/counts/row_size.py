"""The size of a row of counts, for noise that separates it from the composition."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from wellposed._typing import Point
from wellposed.numerics import log_growth, on_device
from wellposed.transforms import Moments

from ..parts.whole import deviations
from .laws import StableNegativeBinomial

_LEAST = 1e-3


class RowSize(eqx.Module):
    r"""The law of a row's total T: a negative binomial, its mean and concentration learned.

    .. math:: \log M = \log M_0 + ρ_1, \qquad r = 10^{-3} + r_0 e^{g(ρ_2)}

    It does not depend on z. The start has the mean of the data's totals, and the variance that
    they would have if all features rose and fell together: wide.
    """

    start: Array  # (2,), logs of M_0 and r_0
    rho: Array  # (2,)

    @classmethod
    def of(cls, moments: Moments) -> "RowSize":
        """Start from the data."""
        varies = np.asarray(moments.varies)
        mean = max(np.asarray(moments.mean, np.float64)[varies].sum(), 1e-6)
        together = (mean / max(deviations(moments).sum(), 1e-6)) ** 2
        start = np.log([mean, np.clip(together, 1.0, 1e3)])
        return cls(on_device(start), on_device(np.zeros(2)))

    def __call__(self) -> StableNegativeBinomial:
        """Return the law, batch shape (1,)."""
        log_mean, log_concentration = self.start + log_growth(self.rho)
        return StableNegativeBinomial(log_mean[None], _LEAST + jnp.exp(log_concentration)[None])


def log_shares(logits: Point, varies: Array | None) -> Point:
    """Log softmax over the features that vary; zero at the others."""
    if varies is None:
        return jax.nn.log_softmax(logits)
    return jnp.where(varies, jax.nn.log_softmax(jnp.where(varies, logits, -jnp.inf)), 0.0)


class CountUnits(eqx.Module):
    r"""Units of counts in the encoder's input: log(1 + y), standardised.

    .. math:: \frac{\log(1 + y T_0/T) - \log(1 + \bar y)}{s} + \frac{\log(T/T_0)}{\sqrt d}

    with ȳ the feature's mean and s the deviation of log(1 + y) were it log-normal, of all
    features together. The size T of the row is divided out, and added as a term, only where the
    noise separates it (T_0 is its mean; half a count is added); else T = T_0.
    """

    center: Array  # (d,), log(1 + ȳ)
    spread: Array  # ()
    varies: Array  # (d,)
    size: Array | None  # (), T_0; None where the size is left in

    @classmethod
    def of(cls, moments: Moments, *, library: bool) -> "CountUnits":
        """Take all of it from the data."""
        mean, varies = np.asarray(moments.mean, np.float64), np.asarray(moments.varies)
        square = np.log1p(np.asarray(moments.variance) / (1.0 + mean) ** 2).mean()
        return cls(
            on_device(np.log1p(mean)),
            on_device(np.sqrt(square) if square > 0 else 1.0),
            jax.device_put(varies),
            on_device(mean[varies].sum()) if library else None,
        )

    def __call__(self, y: Point) -> Point:
        if self.size is None:
            return (jnp.log1p(y) - self.center) / self.spread
        relative = (jnp.sum(jnp.where(self.varies, y, 0.0)) + 0.5) / (self.size + 0.5)
        relative_counts = jnp.where(self.varies, y / relative, y)
        size = jnp.log(relative) / np.sqrt(y.shape[0])
        return (jnp.log1p(relative_counts) - self.center) / self.spread + size
