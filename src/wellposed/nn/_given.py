"""Networks of an input and of values that are given beside it."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._typing import PRNGKey

from ._activations import activate
from ._check import make_network
from ._conv import MakeConvEncoder
from ._mlp import MLP, MakeMLP
from ._protocol import MakeNetwork, Network

_WIDTH = 256  # of the features of an image, to which given values are appended


def call_with(
    network: Network, inputs: Float[Array, " n_in"], given: Float[Array, " c"] | None
) -> Float[Array, " n_out"]:
    """Return the output of a network at its inputs, followed by the given values if any.

    The first layers of this library's networks are sums of a map of the inputs and of one of the
    given values. Under ``vmap`` over the given values alone, the first map is computed once.

    Parameters
    ----------
    network : of n_in inputs, or of n_in + c
    inputs : shape (n_in,)
    given : shape (c,); None calls the network with the inputs alone

    Examples
    --------
    >>> from wellposed.nn import Linear
    >>> sums = Linear(jnp.ones((3, 1)), jnp.zeros(1))
    >>> call_with(sums, jnp.array([1.0, 2.0]), jnp.array([3.0])).tolist()
    [6.0]
    """
    if given is None:
        return network(inputs)
    parts: Callable[..., Any] | None = getattr(network, "of_parts", None)
    return network(jnp.concatenate([inputs, given])) if parts is None else parts(inputs, given)


class GivenAfter(eqx.Module):
    """[x, c] ↦ head([body(x), c]): values given after the convolutions of an image.

    Parameters
    ----------
    body : network of x, shape (n_in,)
    head : MLP of the activated output of the body and of c
    n_in : length of x
    activation : name of the activation between them
    """

    body: Callable
    head: MLP
    n_in: int = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def __call__(self, inputs: Float[Array, " n"]) -> Float[Array, " n_out"]:
        """Map one vector, x and then c."""
        return self.of_parts(inputs[: self.n_in], inputs[self.n_in :])

    def of_parts(
        self, x: Float[Array, " n_in"], given: Float[Array, " c"]
    ) -> Float[Array, " n_out"]:
        """Map x and c."""
        return self.head.of_parts(activate(self.activation, self.body(x)), given)


def make_with_given(
    make: MakeNetwork, n_in: int, n_given: int, n_out: int, *, key: PRNGKey
) -> Network:
    """Make a network of ``n_in`` inputs and ``n_given`` values after them, and check it.

    Convolutions see the inputs alone; an MLP joins the given values to their output.

    Parameters
    ----------
    make : makes a network from its numbers of inputs and of outputs, and a key
    n_in, n_given, n_out : numbers of inputs, of given values and of outputs
    key : PRNG key

    Examples
    --------
    >>> net = make_with_given(MakeConvEncoder((8, 8)), 64, 10, 4, key=jax.random.key(0))
    >>> net(jnp.zeros(74)).shape
    (4,)
    """
    if not isinstance(make, MakeConvEncoder):
        return make_network(make, n_in + n_given, n_out, key=key)
    body_key, head_key = jax.random.split(key)
    activation = make.settings.activation
    body = make_network(make, n_in, _WIDTH, key=body_key)
    head = MakeMLP((_WIDTH,), activation)(_WIDTH + n_given, n_out, key=head_key)
    return GivenAfter(body, head, n_in, activation)
