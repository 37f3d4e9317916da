"""The density of the observed entries of a datum, and of which entries are missing."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from wellposed._typing import Density, Point, PRNGKey, Scalar

from .observed import AbstractObserved

# Nodes of the quadrature: t, where the node is the quantile Φ(t), and the log weight.
_STEP = 0.25
_NODES = np.arange(-20, 21) * _STEP
_LOG_WEIGHTS = -0.5 * _NODES**2 - np.log(np.exp(-0.5 * _NODES**2).sum())


class SelfMasked(AbstractObserved):
    r"""Density of the observed entries and of the mask, where an entry's own value decides.

    .. math:: \log p(y_{obs}, m \mid z) = \sum_{j \in obs} \log p(y_j \mid z) (1 - \pi_j(y_j))
       + \sum_{j \in mis} \log \int p(y_j \mid z) \, \pi_j(y_j) \, dy_j, \qquad
       \pi_j(y) = \frac{1}{1 + e^{-(a_j y + b_j)}}

    The integral is a sum over 41 quantiles Φ(t) with t from −5 to 5, weighted by the normal
    density of t: the trapezoidal rule, whose error for a Gaussian falls exponentially in 1/aσ.
    Missing entries of columns without a mechanism are integrated out, and count as zero.

    Draws, moments and quantiles are those of whole data, whether observed or not.

    Parameters
    ----------
    of : density p(y | z) of whole data, of independent features on the real line
    typical : array of shape (d,), a datum inside the support of ``of``
    slope, bias : a and b, shape (d,)
    masked : which columns have a mechanism, shape (d,)

    References: Ipsen, Mattei & Frellsen (2021), not-MIWAE: deep generative modelling with missing
    not at random data, eq. 6.

    Examples
    --------
    >>> from wellposed.noise import Gaussian
    >>> one = jnp.ones(1)
    >>> density = SelfMasked(Gaussian(1.0)(jnp.zeros(1)), 0 * one, one, 0 * one, one > 0)
    >>> gap = jnp.full(1, jnp.nan)
    >>> round(float(density.log_prob(gap)), 4), round(float(density.conditional_mean(gap)[0]), 3)
    (-0.6931, 0.413)
    """

    pytree_data_fields = ("of", "typical", "slope", "bias", "masked")

    def __init__(
        self, of: Density, typical: Point, slope: Point, bias: Point, masked: Bool[Array, " d"]
    ):
        self.of, self.typical = of, typical
        self.slope, self.bias, self.masked = slope, bias, masked
        super().__init__(batch_shape=(), event_shape=of.event_shape)

    @property
    def independent(self) -> bool:
        return True

    def log_prob(self, value: Point, intermediates: Any = None) -> Scalar:
        del intermediates
        return self.feature_log_prob(value).sum()

    def feature_log_prob(self, value: Point) -> Point:
        """Log density of each feature and of whether it is missing, shape (d,)."""
        inside, seen = self._inside(value)
        kept = jax.nn.log_sigmoid(-self._log_odds(inside))
        own = self.of.feature_log_prob(inside) + jnp.where(self.masked, kept, 0.0)
        lost = jax.nn.logsumexp(self._log_weights(self._nodes()), axis=0)
        return jnp.where(seen, own, jnp.where(self.masked, lost, 0.0))

    def conditional_mean(self, value: Point) -> Point:
        """E[y | y_obs, m, z], shape (d,): observed entries as they are."""
        inside, seen = self._inside(value)
        nodes = self._nodes()
        lost = (jax.nn.softmax(self._log_weights(nodes), axis=0) * nodes).sum(axis=0)
        return jnp.where(seen, inside, jnp.where(self.masked, lost, self.of.mean))

    def complete(self, value: Point, *, key: PRNGKey) -> Point:
        """Draw y ~ p(y | y_obs, m, z), shape (d,): observed entries as they are.

        A missing entry is drawn within the cell of a node, and the node by its weight.
        """
        inside, seen = self._inside(value)
        node_key, cell_key, whole_key = jax.random.split(key, 3)
        chosen = jax.random.categorical(node_key, self._log_weights(self._nodes()), axis=0)
        t = jnp.asarray(_NODES, inside.dtype)[chosen]
        half = _STEP / 2
        within = jax.random.truncated_normal(cell_key, t - half, t + half, dtype=inside.dtype)
        lost = jnp.where(self.masked, self.of.coupled(within), self.of.sample(whole_key))
        return jnp.where(seen, inside, lost)

    def _log_odds(self, y: Array) -> Array:
        """Log odds that an entry of the value y is missing."""
        return self.slope * y + self.bias

    def _nodes(self) -> Float[Array, "nodes d"]:
        return jax.vmap(self.of.coupled)(jnp.asarray(_NODES, self.typical.dtype))

    def _log_weights(self, nodes: Float[Array, "nodes d"]) -> Float[Array, "nodes d"]:
        """Log of p(y_j | z) π_j(y_j) at the nodes; they sum to the integral."""
        log_weights = jnp.asarray(_LOG_WEIGHTS, nodes.dtype)
        return log_weights[:, None] + jax.nn.log_sigmoid(self._log_odds(nodes))
