"""A network beside a linear map: the sum starts as the linear map alone."""

from typing import Any

import equinox as eqx
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._errors import SettingError

from ._conv import ConvDecoder, ConvEncoder
from ._mlp import MLP
from ._protocol import Network


class LinearSkip(eqx.Module):
    """x ↦ network(x) + bias + x W, where W feeds the first ``n_linear`` outputs alone.

    Parameters
    ----------
    weight : W, shape (n_in, n_linear)
    bias : shape (n_out,)
    network : callable pytree (n_in,) → (n_out,)

    Examples
    --------
    >>> from wellposed.nn import Linear
    >>> nothing = Linear(jnp.zeros((2, 2)), jnp.zeros(2))
    >>> skip = LinearSkip(jnp.ones((2, 1)), jnp.array([0.0, 5.0]), nothing)
    >>> skip(jnp.array([1.0, 2.0])).tolist()
    [3.0, 5.0]
    """

    weight: Float[Array, "n_in n_linear"]
    bias: Float[Array, " n_out"]
    network: Network

    def __call__(self, x: Float[Array, " n_in"]) -> Float[Array, " n_out"]:
        """Map one vector."""
        out = self.network(x) + self.bias
        n = self.weight.shape[1]
        return jnp.concatenate([out[:n] + x @ self.weight, out[n:]])


def starts_at_zero(net: Network) -> bool:
    """Whether :func:`with_zero_output` accepts the network: those that this library makes."""
    return isinstance(net, MLP | ConvEncoder | ConvDecoder)


def with_zero_output(net: Any) -> Network:
    """Return the network with its last layer at zero, so that every output is zero.

    The gradient of the last layer is alive; those of the layers before follow after one step.

    Raises
    ------
    SettingError
        For a network whose last layer is not known.
    """
    if isinstance(net, MLP):
        last: Any = net.layers[-1]
        where: Any = lambda n: n.layers[-1]  # noqa: E731
    elif isinstance(net, ConvEncoder):
        last, where = net.head.layers[-1], lambda n: n.head.layers[-1]
    elif isinstance(net, ConvDecoder):
        last, where = net.kernels[-1], lambda n: n.kernels[-1]
    else:
        raise SettingError(
            "A linear start sets the last layer of a network to zero, which is known for "
            f'"mlp" and "conv"; got {type(net).__name__}. Pass linear_start=False.'
        )
    zero = type(last)(jnp.zeros_like(last.weight), jnp.zeros_like(last.bias))
    return eqx.tree_at(where, net, zero)
