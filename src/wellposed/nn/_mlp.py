"""Fully connected networks."""

import itertools

import equinox as eqx
from jaxtyping import Array, Float

from wellposed._checks import check_sizes
from wellposed._typing import PRNGKey

from ._activations import activate, check_activation, gain
from ._draw import Plan, draw, plan_layer
from ._products import product

WIDTHS = "Give the width of each layer, as in (256, 256)."


class Linear(eqx.Module):
    """x ↦ x W + b, with W of shape ``(n_in, n_out)``.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> Linear(jnp.ones((2, 1)), jnp.array([0.5]))(jnp.array([1.0, 2.0])).tolist()
    [3.5]
    """

    weight: Float[Array, "n_in n_out"]
    bias: Float[Array, " n_out"]

    def __call__(self, x: Float[Array, " n_in"]) -> Float[Array, " n_out"]:
        """Map one vector."""
        return product(x, self.weight) + self.bias


class MLP(eqx.Module):
    """Linear layers with one activation between them; the last layer has none.

    The activation is stored by name, so that the network can be pickled, hashed and saved;
    :class:`MakeMLP` draws its weights.

    Examples
    --------
    >>> from wellposed.nn import MakeMLP
    >>> network = MakeMLP((8,))(4, 2, key=key)
    >>> isinstance(network, MLP), network(np.zeros(4)).shape
    (True, (2,))
    """

    layers: tuple[Linear, ...]  # from the inputs to the outputs
    activation: str = eqx.field(static=True)

    def __call__(self, x: Float[Array, " n_in"]) -> Float[Array, " n_out"]:
        """Map one vector."""
        *inner, last = self.layers
        for layer in inner:
            x = activate(self.activation, layer(x))
        return last(x)

    def of_parts(
        self, x: Float[Array, " n_in"], given: Float[Array, " c"]
    ) -> Float[Array, " n_out"]:
        """Map x and then c, without joining them: the first layer is a sum over both."""
        first, *others = self.layers
        n = x.shape[0]
        x = product(x, first.weight[:n]) + product(given, first.weight[n:]) + first.bias
        for layer in others:
            x = layer(activate(self.activation, x))
        return x


class MakeMLP(eqx.Module):
    """Make an :class:`MLP`: the maker behind ``encoder="mlp"`` and ``decoder="mlp"``.

    Weights and biases are centred normals of variance g / (n_in + 1), with g = 2 for the
    activations that cut off half of the line (He et al., 2015) and g = 1 for the others. The last
    layer has a tenth of that deviation and no biases, so that a fresh decoder starts near a
    constant.

    Parameters
    ----------
    hidden : tuple of int
        Widths of the hidden layers; empty makes one linear layer.
    activation : str
        Name of the activation.

    Raises
    ------
    SettingError
        When a width is not a positive integer or the activation is unknown.

    Examples
    --------
    >>> import jax, jax.numpy as jnp
    >>> net = MakeMLP(hidden=(16,))(3, 5, key=jax.random.key(0))
    >>> net(jnp.zeros(3)).shape
    (5,)
    """

    hidden: tuple[int, ...] = eqx.field(static=True)
    activation: str = eqx.field(static=True)

    def __init__(self, hidden: tuple[int, ...] = (256, 256), activation: str = "relu"):
        self.hidden = check_sizes("hidden", hidden, WIDTHS)
        check_activation(activation)
        self.activation = activation

    def __call__(self, n_in: int, n_out: int, *, key: PRNGKey) -> MLP:
        """Return an MLP from ``(n_in,)`` to ``(n_out,)``."""
        plan = plan_mlp((n_in, *self.hidden, n_out), self.activation)
        return build_mlp(draw(key, plan), self.activation)


def plan_mlp(widths: tuple[int, ...], activation: str, *, activated: bool = False) -> Plan:
    """Plan the draw of an MLP of those widths; ``activated`` if an activation follows it."""
    pairs = list(itertools.pairwise(widths))
    return tuple(
        entry
        for i, (n_in, n_out) in enumerate(pairs, start=1)
        for entry in plan_layer(
            (n_in, n_out),
            n_in=n_in,
            n_out=n_out,
            gain=gain(activation),
            last=i == len(pairs) and not activated,
        )
    )


def build_mlp(arrays: tuple[Array, ...], activation: str) -> MLP:
    """Assemble an MLP from arrays in the order of :func:`plan_mlp`."""
    layers = tuple(Linear(*pair) for pair in zip(arrays[::2], arrays[1::2], strict=True))
    return MLP(layers, activation)
