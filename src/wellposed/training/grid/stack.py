"""Stacks of pytrees of equal shapes, on which one program works."""

from collections.abc import Sequence
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed._typing import Tree


def tree_shape(tree: Tree) -> tuple:
    """Return what a compiled program depends on: structure, shapes, types, static leaves."""
    leaves, structure = jax.tree.flatten(tree)
    return structure, tuple(
        (leaf.shape, str(leaf.dtype)) if _is_array(leaf) else leaf for leaf in leaves
    )


def stack_trees(trees: Sequence[Tree]) -> Tree:
    """Stack the arrays of trees of one :func:`tree_shape` along a new first axis."""
    return jax.tree.map(
        lambda *leaves: jnp.stack(leaves) if _is_array(leaves[0]) else leaves[0], *trees
    )


def take_tree(stack: Tree, i: int) -> Tree:
    """Return tree i of a stack."""
    return jax.tree.map(lambda leaf: leaf[i] if _is_array(leaf) else leaf, stack)


def select_trees(flags: jax.Array, one: Tree, other: Tree) -> Tree:
    """Take tree i of the stack ``one`` where flag i is true, else that of ``other``."""

    def select(a: Any, b: Any) -> Any:
        if not eqx.is_array(a):
            return a
        return jnp.where(flags.reshape(-1, *(1,) * (a.ndim - 1)), a, b)

    return jax.tree.map(select, one, other)


def _is_array(leaf: Any) -> bool:
    return isinstance(leaf, np.ndarray) or eqx.is_array(leaf)
