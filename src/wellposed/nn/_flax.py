"""Networks written with Flax NNX."""

from collections.abc import Callable
from typing import Any

import equinox as eqx
from jaxtyping import Array, Float

from wellposed._errors import SettingError
from wellposed._typing import PRNGKey, Tree


class FlaxNetwork(eqx.Module):
    """A Flax module split into its static graph and its parameters."""

    graph: Any = eqx.field(static=True)
    state: Tree

    def __call__(self, x: Float[Array, " n_in"]) -> Float[Array, " n_out"]:
        """Map one vector."""
        return _nnx().merge(self.graph, self.state)(x)


class MakeFlax(eqx.Module):
    """Make a network with a Flax builder; see :func:`from_flax`."""

    build: Callable = eqx.field(static=True)

    def __call__(self, n_in: int, n_out: int, *, key: PRNGKey) -> FlaxNetwork:
        """Return the built module as a pytree."""
        nnx = _nnx()
        module = self.build(n_in, n_out, rngs=nnx.Rngs(key))
        if not isinstance(module, nnx.Module):
            raise SettingError(
                f"A Flax builder must return a flax.nnx.Module; got {type(module).__name__}. "
                "Return the module itself, built with the rngs that it was given."
            )
        # The evaluation mode has no state. Modules that differ in training (dropout) keep a
        # generator in this mode too, and are refused below.
        graph, parameters, rest = nnx.split(module, nnx.Param, ...)
        _refuse_state(nnx, rest)
        return FlaxNetwork(graph, nnx.to_pure_dict(parameters))


def from_flax(build: Callable[..., Any]) -> MakeFlax:
    """Turn a builder of Flax NNX modules into a maker.

    Parameters
    ----------
    build : callable
        ``build(n_in, n_out, rngs)`` returning a ``flax.nnx.Module`` that is callable on one
        vector of shape ``(n_in,)``. A function defined at the top of a module lets the maker
        pickle.

    Returns
    -------
    MakeFlax
        A maker. Making a network raises :class:`SettingError` when Flax is not installed, when
        the builder returns no module, or when the module carries anything beside parameters:
        batch statistics make log p(x) depend on the batch, dropout makes it random.

    Examples
    --------
    >>> from flax import nnx
    >>> make = from_flax(lambda n_in, n_out, rngs: nnx.Linear(n_in, n_out, rngs=rngs))
    >>> make(4, 2, key=key)(np.zeros(4)).shape
    (2,)
    """
    if not callable(build):
        raise SettingError(
            f"from_flax must be given a builder; got {build!r}. "
            "Pass a function build(n_in, n_out, rngs) that returns a flax.nnx.Module."
        )
    return MakeFlax(build)


def _refuse_state(nnx: Any, rest: Any) -> None:
    strays = nnx.to_flat_state(rest)
    if not strays:
        return
    path, variable = next(iter(strays))
    where = ".".join(map(str, path))
    if isinstance(variable, nnx.BatchStat):
        why = "batch statistics make log p(x) of one datum depend on the others"
        remedy = "Use LayerNorm or no normalisation in place of BatchNorm."
    elif isinstance(variable, nnx.RngState):
        why = "a random network has no stated log p(x)"
        remedy = "Leave out Dropout; the latent's noise regularises already."
    else:
        why = "state that changes between calls makes log p(x) depend on their order"
        remedy = "Keep only flax.nnx.Param in the module."
    raise SettingError(
        f"A Flax network must hold parameters alone; it holds {type(variable).__name__} at "
        f"{where}: {why}. {remedy}"
    )


def _nnx() -> Any:
    try:
        from flax import nnx
    except ImportError as error:
        raise SettingError(
            "from_flax needs Flax with its NNX interface; it cannot be imported. "
            "Install it with: pip install flax"
        ) from error
    return nnx
