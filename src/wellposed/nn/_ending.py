"""A network whose outputs pass through a function at the end, as in models of other frameworks."""

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._errors import unknown_name
from wellposed.numerics import inverse_positive

from ._activations import activate
from ._protocol import Network

ENDINGS = ("log_variance", "sigmoid", "tanh")
"""Values of ``kind`` of :class:`Ending`: the function of the outputs."""
# Log variances beyond are of no trained encoder; within, σ and its inverse are finite in float32.
_LOG_VARIANCE = 60.0


class Ending(eqx.Module):
    """x ↦ f(network(x)).

    Parameters
    ----------
    network : callable pytree (n_in,) → (n_out,)
    kind : "sigmoid" or "tanh", of every output; or "log_variance": the second half of the outputs
        are log variances of q(z | x), which become the raw scales of
        :class:`wellposed.latents.DiagonalNormal`

    Raises
    ------
    SettingError
        For another kind.

    Examples
    --------
    >>> from wellposed.latents import DiagonalNormal
    >>> from wellposed.nn import Linear
    >>> net = Ending(Linear(jnp.zeros((1, 2)), jnp.array([3.0, jnp.log(0.25)])), "log_variance")
    >>> q = DiagonalNormal()(net(jnp.ones(1)))
    >>> q.loc.tolist(), q.scale.round(5).tolist()
    ([3.0], [0.5])
    """

    network: Network
    kind: str = eqx.field(static=True)

    def __check_init__(self) -> None:
        if self.kind not in ENDINGS:
            raise unknown_name("kind", self.kind, ENDINGS)

    def __call__(self, x: Float[Array, " n_in"]) -> Float[Array, " n_out"]:
        """Map one vector."""
        out = self.network(x)
        if self.kind != "log_variance":
            return activate(self.kind, out)
        mean, log_variance = jnp.split(out, 2)
        deviation = jnp.exp(0.5 * jnp.clip(log_variance, -_LOG_VARIANCE, _LOG_VARIANCE))
        return jnp.concatenate([mean, inverse_positive(deviation)])
