"""Rows padded to buckets, so that a few rows more or fewer use the same compiled program."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from wellposed._typing import PRNGKey

_LEAST = 64
COARSE = 8_192  # buckets up to this size are powers of two, at most twice the rows


def bucket(n: int) -> int:
    """Number of rows to which ``n`` rows are padded.

    Powers of two up to 8,192, so that the folds of a cross-validation share their programs; above
    sixteenths of the next power of two, so that at most an eighth of the memory is padding.
    """
    size = max(_LEAST, 1 << max(n - 1, 0).bit_length())
    step = size if size <= COARSE else size // 16
    return -(-n // step) * step


def pad_rows(data: np.ndarray) -> np.ndarray:
    """Pad the data to their bucket with rows of zeros, which no program reads."""
    size = bucket(len(data))
    if size == len(data):
        return data
    padded = np.zeros((size, *data.shape[1:]), data.dtype)
    padded[: len(data)] = data
    return padded


class Rows(eqx.Module):
    """Indices of rows: the first ``count`` entries of ``index``; the rest is padding.

    To a compiled program the count is data and the length of ``index`` a shape.
    """

    index: Int[Array, " bucket"]
    count: Int[Array | np.ndarray, ""]
    weights: Float[Array, " rows"] | None = None  # of all rows of the data, by their index

    @classmethod
    def of(cls, index: np.ndarray, weights: jax.Array | None = None) -> "Rows":
        """Pad the indices to their bucket; the count stays on the host."""
        places = np.zeros(bucket(len(index)), np.int32)
        places[: len(index)] = index
        return cls(jax.device_put(places), np.asarray(len(index), np.int32), weights)

    @property
    def n(self) -> int:
        """Number of rows, on the host."""
        return int(self.count)

    @property
    def host(self) -> np.ndarray:
        """Indices without the padding, on the host."""
        return np.asarray(self.index)[: self.n]

    def most_steps(self, batch_size: int) -> int:
        """Number of batches of the whole bucket."""
        return -(-self.index.shape[0] // batch_size)

    def steps(self, batch_size: int) -> Int[Array, ""]:
        """Number of batches with a row, the last partial one included."""
        return jnp.asarray((self.count + batch_size - 1) // batch_size)

    def shuffled(self, *, key: PRNGKey) -> "Rows":
        """Return the rows in random order.

        They are sorted by random words, the padding last. A word depends on its place and not on
        the bucket, so the order is the same in any bucket; ``jax.random.permutation`` draws
        another order for each length.
        """
        words = jax.random.bits(key, self.index.shape, jnp.uint32)
        place = jnp.arange(self.index.shape[0], dtype=jnp.int32)
        words = jnp.where(place < self.count, words, jnp.uint32(0xFFFFFFFF))
        return Rows(self.index[jnp.argsort(words, stable=True)], self.count, self.weights)

    def batch(
        self, i: Int[Array, ""], batch_size: int
    ) -> tuple[Int[Array, " batch"], Float[Array, " batch"]]:
        """Return indices and weights of batch i; entries beyond the count have weight zero."""
        at = i * batch_size + jnp.arange(batch_size, dtype=jnp.int32)
        inside = at < self.count
        chosen = self.index[jnp.where(inside, at, 0)]
        weight = inside.astype(jnp.result_type(float))
        return chosen, weight if self.weights is None else weight * self.weights[chosen]
