"""Limit on the input of the encoder far from the training data."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from wellposed._typing import Fitted, Point
from wellposed.numerics import saturating
from wellposed.transforms import Moments

_SPREADS = 100.0
# Limit on the input where no data were seen: its square is far below the largest float32.
_UNSEEN = 1e6


class Reach(eqx.Module):
    r"""Input of the encoder for a datum: y within at least 100 spreads of the mean, else limited.

    .. math:: c_j + s(y_j - c_j), \qquad s(u) = u \; (|u| \le L_j), \quad
       \operatorname{sign}(u) (2 L_j - L_j^2 / |u|) \; (|u| > L_j), \quad
       L_j = \max(100, \sqrt n) \, s_j

    with the spread s_j of the feature over n rows, of which none is further away than √n s_j: the
    training data are passed unchanged. A feature that never varies is passed as its constant, since
    nothing was learned from it. A network extrapolates: for a value a million spreads away it would
    put q(z | x) a million deviations from the prior, where the decoder was not trained. The limit
    changes q only, not the density of y.
    """

    center: Fitted  # (d,), model units
    limit: Fitted  # (d,)

    @classmethod
    def of(cls, moments: Moments) -> "Reach":
        """Compute the limit from the data."""
        varies = np.asarray(moments.varies)
        spread = np.sqrt(np.where(varies, np.asarray(moments.variance, np.float64), 0.0))
        dtype = jnp.result_type(float)
        limit = np.minimum(max(_SPREADS, moments.n**0.5) * spread, 1e-3 * np.finfo(dtype).max)
        return cls(jnp.asarray(moments.mean, dtype), jnp.asarray(limit, dtype))

    def __call__(self, y: Point) -> Point:
        near = jnp.abs(y - self.center) <= self.limit
        # Within the limit y is returned, since the sum of centre and residual would round.
        return jnp.where(near, y, self.center + saturating(y - self.center, self.limit))


def within_reach(inputs: Point) -> Point:
    """Limit the encoder's input of a model without a :class:`Reach` to numbers up to a million."""
    return saturating(inputs, jnp.asarray(_UNSEEN, inputs.dtype))
