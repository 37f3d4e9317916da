"""How far from the training data the encoder follows a datum."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np

from wellposed._typing import Fitted, Point
from wellposed.numerics import saturating
from wellposed.transforms import Moments

_SPREADS = 100.0
# Of what the noise presents, where no data were seen: its square is a float32 that leaves room.
_UNSEEN = 1e6


class Reach(eqx.Module):
    r"""What the encoder is shown of a datum: y itself within 100 spreads or more of the mean.

    .. math:: c_j + s(y_j - c_j), \qquad s(u) = u \; (|u| \le L_j), \quad
       \operatorname{sign}(u) (2 L_j - L_j^2 / |u|) \; (|u| > L_j), \quad
       L_j = \max(100, \sqrt n) \, s_j

    with the spread s_j of the feature over n rows, of which none is further away than √n s_j: the
    training data are shown as they are. A feature that never varies is shown as its constant, since
    nothing was learned of it. A network extrapolates: shown a value a million spreads away it would
    put q(z | x) a million deviations from the prior, where the decoder was not trained. The density
    of y is not touched, q alone is.
    """

    center: Fitted  # (d,), model units
    limit: Fitted  # (d,)

    @classmethod
    def of(cls, moments: Moments) -> "Reach":
        """Take it from the data."""
        varies = np.asarray(moments.varies)
        spread = np.sqrt(np.where(varies, np.asarray(moments.variance, np.float64), 0.0))
        dtype = jnp.result_type(float)
        limit = np.minimum(max(_SPREADS, moments.n**0.5) * spread, 1e-3 * np.finfo(dtype).max)
        return cls(jnp.asarray(moments.mean, dtype), jnp.asarray(limit, dtype))

    def __call__(self, y: Point) -> Point:
        near = jnp.abs(y - self.center) <= self.limit
        # Not the sum of centre and residual where nothing is limited: it would round.
        return jnp.where(near, y, self.center + saturating(y - self.center, self.limit))


def within_reach(inputs: Point) -> Point:
    """Limit the encoder's input of a model without a :class:`Reach` to numbers up to a million."""
    return saturating(inputs, jnp.asarray(_UNSEEN, inputs.dtype))
