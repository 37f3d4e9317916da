"""Exchanges between the processes of a training. Every process calls each at the same point."""

import equinox as eqx
import jax
import numpy as np
from jax.experimental import multihost_utils

from wellposed._typing import Tree


def from_first(tree: Tree) -> Tree:
    """Return the arrays of process 0, which the other processes pass in the same shapes.

    Parameters
    ----------
    tree : pytree; its other leaves stay those of this process

    Examples
    --------
    >>> from_first({"a": np.ones(2), "b": "text"})["b"]
    'text'
    """
    if jax.process_count() == 1:
        return tree
    arrays, rest = eqx.partition(tree, eqx.is_array)
    leaves, structure = jax.tree.flatten(arrays)
    on_host = [np.asarray(leaf, order="C") for leaf in leaves]
    own = np.concatenate([_bytes(leaf) for leaf in on_host])
    told = np.asarray(multihost_utils.broadcast_one_to_all(own))
    cuts = np.cumsum([leaf.nbytes for leaf in on_host])[:-1]
    agreed = [
        jax.device_put(words.copy().view(leaf.dtype).reshape(leaf.shape))
        for words, leaf in zip(np.split(told, cuts), on_host, strict=True)
    ]
    return eqx.combine(jax.tree.unflatten(structure, agreed), rest)


def every(values: np.ndarray) -> list[np.ndarray]:
    """Return the array of each process, in their order; all pass one shape.

    Examples
    --------
    >>> every(np.arange(2))
    [array([0, 1])]
    """
    values = np.asarray(values, order="C")
    if jax.process_count() == 1:
        return [values]
    told = multihost_utils.process_allgather(_bytes(values))
    return [words.view(values.dtype).reshape(values.shape) for words in np.asarray(told)]


def every_text(content: bytes) -> list[bytes]:
    """Return the bytes of each process, in their order; they may differ in length.

    Examples
    --------
    >>> every_text(b"abc")
    [b'abc']
    """
    if jax.process_count() == 1:
        return [content]
    lengths = [int(length) for length in every(np.asarray(len(content)))]
    padded = np.zeros(max(lengths), np.uint8)
    padded[: len(content)] = np.frombuffer(content, np.uint8)
    return [words[:n].tobytes() for words, n in zip(every(padded), lengths, strict=True)]


def any_of(flag: bool) -> bool:
    """Whether the flag is true in any process."""
    return bool(np.any(every(np.asarray(flag))))


def _bytes(values: np.ndarray) -> np.ndarray:
    """Return the bytes of an array, which no exchange rounds or converts."""
    return values.reshape(-1).view(np.uint8)
