"""Set fields of a module by name."""

from typing import Any, TypeVar

import equinox as eqx

Module = TypeVar("Module", bound=eqx.Module)


def fill(module: Module, **fields: Any) -> Module:
    """Return a copy of a module with the named fields set; fields that are None may be set too.

    Parameters
    ----------
    module : equinox module
    fields : new values by field name; each is an array, a module or None

    Raises
    ------
    AttributeError
        For a name that is not a field.
    """
    return eqx.tree_at(
        lambda m: tuple(getattr(m, name) for name in fields),
        module,
        tuple(fields.values()),
        is_leaf=lambda leaf: leaf is None,
    )
