"""Activations by name: ``jax.nn.relu`` can be neither pickled nor saved to a file."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from wellposed._errors import unknown_name

# Each with the product of weight variance and fan-in that preserves the variance of a signal from
# layer to layer: two where half of the inputs are cut off (He et al., 2015), else one (LeCun).
_ACTIVATIONS: dict[str, tuple[Callable, float]] = {
    "relu": (jax.nn.relu, 2.0),
    "leaky_relu": (jax.nn.leaky_relu, 2.0),
    "elu": (jax.nn.elu, 2.0),
    "gelu": (jax.nn.gelu, 2.0),
    "silu": (jax.nn.silu, 2.0),
    "softplus": (jax.nn.softplus, 1.0),
    "tanh": (jnp.tanh, 1.0),
    "sigmoid": (jax.nn.sigmoid, 1.0),
    "identity": (lambda x: x, 1.0),
}


def check_activation(name: str) -> None:
    """Raise :class:`SettingError` unless ``name`` is a known activation."""
    if not isinstance(name, str) or name not in _ACTIVATIONS:
        raise unknown_name("activation", name, _ACTIVATIONS)


def activate(name: str, x: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Apply the activation of that name, elementwise.

    Parameters
    ----------
    name : of the activation, such as "silu" or "relu"
    x : array of any shape

    Examples
    --------
    >>> activate("relu", jnp.array([-1.0, 2.0])).tolist()
    [0.0, 2.0]
    """
    return _ACTIVATIONS[name][0](x)


def gain(name: str) -> float:
    """Variance of a weight times its fan-in, for layers followed by that activation."""
    return _ACTIVATIONS[name][1]
