"""Protocol of the makers of networks, which users pass in place of a name."""

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias, runtime_checkable

from jaxtyping import Array, Float

from wellposed._typing import PRNGKey

Network: TypeAlias = Callable[[Float[Array, " n_in"]], Float[Array, " n_out"]] | Any
"""Type of a network: any pytree that maps one vector (n_in,) to one vector (n_out,)."""


@runtime_checkable
class MakeNetwork(Protocol):
    """Make a network for given sizes: ``make(n_in, n_out, key=key)``.

    The maker contains choices (widths, an activation) and no weights, so one maker can be used for
    many fits. The network that it returns is a pytree with its weights as leaves, as the optimiser,
    the checkpoint and ``vmap`` require.

    Examples
    --------
    >>> import equinox as eqx
    >>> class MakeLinear:
    ...     def __call__(self, n_in, n_out, *, key):
    ...         return eqx.nn.Linear(n_in, n_out, key=key)
    >>> make: MakeNetwork = MakeLinear()
    >>> make(4, 2, key=key)(np.zeros(4, np.float32)).shape
    (2,)
    """

    def __call__(self, n_in: int, n_out: int, *, key: PRNGKey) -> Network:
        """Return a network from ``(n_in,)`` to ``(n_out,)``, drawn with ``key``."""
        ...
