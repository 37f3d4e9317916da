"""Limit on the input of the encoder far from the training data."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from wellposed._typing import Fitted, Inputs, Point
from wellposed.numerics import saturating
from wellposed.transforms import Moments

_SPREADS = 100.0
# Limit on the input of a model without training data: its square is far below the largest float32.
_UNSEEN = 1e6


class Reach(eqx.Module):
    r"""Input of the encoder: y within at least 100 spreads of the mean, and a limited y beyond.

    .. math:: c_j + s(y_j - c_j), \qquad s(u) = u \; (|u| \le L_j), \quad
       \operatorname{sign}(u) (2 L_j - L_j^2 / |u|) \; (|u| > L_j), \quad
       L_j = \max(100, \sqrt n) \, s_j

    with the spread s_j of the feature over n rows. No row is further than √n s_j from the mean, so
    that the training data are unchanged. A feature that never varies is replaced by its constant,
    since the networks have learned nothing from it. Without a limit, a value a million spreads from
    the mean would give a q(z | x) a million deviations from the prior, where the decoder is not
    trained. The limit changes only q, not the density of y.

    Parameters
    ----------
    center : c, shape (d,), model units
    limit : L, shape (d,), model units
    """

    center: Fitted
    limit: Fitted

    @classmethod
    def of(cls, moments: Moments) -> "Reach":
        """Compute the limit from the moments of the data."""
        varies = np.asarray(moments.varies)
        spread = np.sqrt(np.where(varies, np.asarray(moments.variance, np.float64), 0.0))
        dtype = jnp.result_type(float)
        limit = np.minimum(max(_SPREADS, moments.n**0.5) * spread, 1e-3 * np.finfo(dtype).max)
        return cls(jnp.asarray(moments.mean, dtype), jnp.asarray(limit, dtype))

    def __call__(self, y: Point) -> Point:
        near = jnp.abs(y - self.center) <= self.limit
        # Within the limit y is returned as it is, since the sum of centre and residual rounds.
        return jnp.where(near, y, self.center + saturating(y - self.center, self.limit))


def within_reach(inputs: Inputs) -> Inputs:
    """Limit the encoder's input of a model without a :class:`Reach` to ±2·10⁶.

    Parameters
    ----------
    inputs : shape (d,), model units
    """
    return saturating(inputs, jnp.asarray(_UNSEEN, inputs.dtype))
