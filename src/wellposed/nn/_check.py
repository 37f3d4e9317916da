"""Checks of a user's network, before anything is traced or trained."""

from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from wellposed._errors import SettingError
from wellposed._typing import PRNGKey

from ._protocol import MakeNetwork, Network

_EXAMPLE = "a subclass of equinox.Module with its weights in fields"


def make_network(make: MakeNetwork, n_in: int, n_out: int, *, key: PRNGKey) -> Network:
    """Make a network and check it; raises what :func:`check_network` raises."""
    net = make(n_in, n_out, key=key)
    check_network(net, n_in, n_out)
    return net


def check_network(net: Any, n_in: int, n_out: int) -> None:
    """Check that ``net`` is a pytree of floating weights and maps ``(n_in,)`` to ``(n_out,)``.

    Parameters
    ----------
    net : pytree
        The network that a maker returned.
    n_in, n_out : int
        Lengths of the input and of the output.

    Raises
    ------
    SettingError
        When ``net`` is not callable; has no floating array among its leaves, so that the
        optimiser could not reach its weights (a closure, a ``functools.partial``); fails on a
        vector of ``n_in`` numbers; or returns anything but ``n_out`` real floating numbers.
    """
    if not callable(net):
        raise SettingError(
            f"A network must be callable on one vector; got {_name_of(net)}. Return {_EXAMPLE} and "
            "a __call__ method."
        )
    if not jax.tree.leaves(eqx.filter(net, eqx.is_inexact_array)):
        raise SettingError(
            f"A network must hold its weights as leaves of a pytree, where the optimiser finds "
            f"them; {_name_of(net)} holds no floating array, so its weights are hidden or missing. "
            f"Return {_EXAMPLE}, or wrap the function and its weights in jax.tree_util.Partial."
        )
    _check_output(net, n_in, n_out)


def _check_output(net: Any, n_in: int, n_out: int) -> None:
    try:
        out = eqx.filter_eval_shape(net, jax.ShapeDtypeStruct((n_in,), jnp.result_type(float)))
    except Exception as error:
        raise SettingError(
            f"A network must map one vector of {n_in} numbers; {_name_of(net)} fails on it with "
            f"{type(error).__name__}: {error}. Write it for one datum, without a batch axis."
        ) from error
    got = getattr(out, "shape", None)
    if got != (n_out,):
        found = f"an array of shape {got}" if got is not None else f"{_name_of(out)}"
        raise SettingError(
            f"A network must map ({n_in},) to ({n_out},); {_name_of(net)} returns {found}. "
            "Take both sizes from the maker's arguments n_in and n_out."
        )
    if not jnp.issubdtype(out.dtype, jnp.floating):
        raise SettingError(
            f"A network must return real floating numbers; {_name_of(net)} returns {out.dtype}. "
            "Leave out the rounding, or cast the output."
        )


def _name_of(value: Any) -> str:
    kind = type(value).__name__
    name = getattr(value, "__name__", None)
    return f"{kind} {name}" if name else f"{kind} object"
