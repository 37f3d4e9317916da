"""A network beside a linear map: the sum starts as the linear map alone."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._errors import SettingError

from ._conv import ConvDecoder, ConvEncoder, Kernel
from ._given import GivenAfter, call_with
from ._mlp import MLP, Linear
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

    def of_parts(
        self, x: Float[Array, " n_in"], given: Float[Array, " c"]
    ) -> Float[Array, " n_out"]:
        """Map x and then c, without joining them."""
        out = call_with(self.network, x, given) + self.bias
        n, n_in = self.weight.shape[1], x.shape[0]
        linear = x @ self.weight[:n_in] + given @ self.weight[n_in:]
        return jnp.concatenate([out[:n] + linear, out[n:]])


# The last layer of each network of this library.
_LAST: dict[type, Callable[[Any], Linear | Kernel]] = {
    MLP: lambda net: net.layers[-1],
    ConvEncoder: lambda net: net.head.layers[-1],
    ConvDecoder: lambda net: net.kernels[-1],
    GivenAfter: lambda net: net.head.layers[-1],
}


def starts_at_zero(net: Network) -> bool:
    """Whether :func:`with_zero_output` accepts the network: those that this library makes."""
    return type(net) in _LAST


def with_zero_output(net: Network) -> Network:
    """Return the network with its last layer at zero, so that every output is zero.

    The last layer has a gradient, and after its first step the layers before it have one too.

    Raises
    ------
    SettingError
        For a network whose last layer is not known.
    """
    if not starts_at_zero(net):
        raise SettingError(
            "A linear start sets the last layer of a network to zero, which is known for "
            f'"mlp" and "conv"; got {type(net).__name__}. Pass linear_start=False.'
        )
    last = _LAST[type(net)]
    return eqx.tree_at(last, net, jax.tree.map(jnp.zeros_like, last(net)))
