"""Rows of the data in buckets: a few rows more or fewer are the same compiled program."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from wellposed._typing import PRNGKey

_LEAST = 64
COARSE = 8_192  # buckets up to here are powers of two, and hold at most twice their rows


def bucket(n: int) -> int:
    """Number of rows that ``n`` rows are filled up to.

    Powers of two up to 8,192, so that the folds of a cross-validation share their programs; from
    there sixteenths of the next power of two, so that at most an eighth of the memory is filling.
    """
    size = max(_LEAST, 1 << max(n - 1, 0).bit_length())
    step = size if size <= COARSE else size // 16
    return -(-n // step) * step


def filled_up(data: np.ndarray) -> np.ndarray:
    """Return the data with rows of zeros, which no program reads, up to their bucket."""
    size = bucket(len(data))
    if size == len(data):
        return data
    filled = np.zeros((size, *data.shape[1:]), data.dtype)
    filled[: len(data)] = data
    return filled


class Rows(eqx.Module):
    """Places of rows in the data: the first ``count`` entries of ``index``; the rest is filling.

    The count is data to a compiled program, and the length of ``index`` is its shape.
    """

    index: Int[Array, " bucket"]
    count: Int[Array | np.ndarray, ""]

    @classmethod
    def of(cls, index: np.ndarray) -> "Rows":
        """Fill up to the bucket; the count stays on the host."""
        places = np.zeros(bucket(len(index)), np.int32)
        places[: len(index)] = index
        return cls(jax.device_put(places), np.asarray(len(index), np.int32))

    @property
    def n(self) -> int:
        """How many rows there are, on the host."""
        return int(self.count)

    @property
    def host(self) -> np.ndarray:
        """The places, without the filling, on the host."""
        return np.asarray(self.index)[: self.n]

    def most_steps(self, batch_size: int) -> int:
        """Batches of the whole bucket."""
        return -(-self.index.shape[0] // batch_size)

    def steps(self, batch_size: int) -> Int[Array, ""]:
        """Batches that hold a row, the last partial one included."""
        return jnp.asarray((self.count + batch_size - 1) // batch_size)

    def shuffled(self, *, key: PRNGKey) -> "Rows":
        """Put the rows in random order.

        They are sorted by random words, the filling last. A word depends on its place alone and
        not on the bucket, so that the order is that of the same rows in any other bucket.
        ``jax.random.permutation`` draws another order for each length.
        """
        words = jax.random.bits(key, self.index.shape, jnp.uint32)
        place = jnp.arange(self.index.shape[0], dtype=jnp.int32)
        words = jnp.where(place < self.count, words, jnp.uint32(0xFFFFFFFF))
        return Rows(self.index[jnp.argsort(words, stable=True)], self.count)

    def batch(
        self, i: Int[Array, ""], batch_size: int
    ) -> tuple[Int[Array, " batch"], Float[Array, " batch"]]:
        """Return places and weights of batch i; what lies beyond the count has weight zero."""
        at = i * batch_size + jnp.arange(batch_size, dtype=jnp.int32)
        inside = at < self.count
        chosen = self.index[jnp.where(inside, at, 0)]
        return chosen, inside.astype(jnp.result_type(float))
