"""Chunks of a source, as a model takes them."""

import dataclasses
import functools
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from wellposed import sources, training
from wellposed._errors import SettingError
from wellposed.estimators.data.table import Table, of_source_rows

_BYTE = np.iinfo(np.uint8)
_INT = np.iinfo(np.int32)


def number_type(found: sources.Description, rows: np.ndarray) -> np.dtype:
    """Return the type in which a model takes all rows: bytes, whole numbers, or its floats.

    Parameters
    ----------
    found : statistics of all rows
    rows : the sample, as the model takes it; floats where it has an offset or covariates
    """
    if found.whole and not found.missing.any() and rows.dtype.kind in "iu":
        for kind in (_BYTE, _INT):
            if kind.min <= found.low.min() and found.high.max() <= kind.max:
                return np.dtype(kind.dtype)
    return np.dtype(jnp.result_type(float))


def check_no_covariates(covariates: object) -> None:
    """Refuse to train a conditional model on one chunk of a source after another.

    Raises
    ------
    SettingError
        Unless there are no covariates.
    """
    if covariates is not None:
        raise SettingError(
            "Levels of covariates are those of the first piece; got covariates with a source for "
            "partial_fit. Use fit, which reads the levels of all rows, or pass arrays."
        )


@dataclasses.dataclass(frozen=True, eq=False)
class SourceChunks(training.Chunks):
    """Chunks of a source in random order, without the rows that are held out.

    Parameters
    ----------
    source : BlockSource
    order : of its rows
    held : the rows held out, or None
    model_rows : function of a table that returns rows as the model takes them
    dtype : type of these
    width : numbers of such a row: features, and covariates as the model takes them
    """

    source: sources.BlockSource
    order: sources.Order
    held: sources.Sampled | None
    model_rows: Callable[[Table], np.ndarray]
    dtype: np.dtype
    width: int
    _readers: dict[int, sources.Reader] = dataclasses.field(default_factory=dict)

    @property
    def n_rows(self) -> int:  # type: ignore[override]
        """Rows of a pass."""
        return self.source.n_rows - self.n_held

    @property
    def n_held(self) -> int:  # type: ignore[override]
        """Rows that are held out."""
        return self.held.n if self.held else 0

    @property
    def n_chunks(self) -> int:  # type: ignore[override]
        """Chunks of a pass."""
        return self.order.n_chunks

    @property
    def chunk_rows(self) -> int:  # type: ignore[override]
        """Rows of a chunk, at most."""
        return self.order.chunk_rows

    def identity(self) -> str:
        """Return the identity of the source, and of the order."""
        return f"{self.source.identity()} {self.order.seed} {self.chunk_rows}"

    def read(self, n_pass: int, chunk: int) -> np.ndarray:
        """Return the rows of a chunk that are not held out, shape (m, width)."""
        rows, numbers = self._reader(n_pass).read(self.order.pieces(n_pass, chunk))
        if self.held is not None:
            rows = rows[self.held.places(numbers) < 0]
        if not len(rows):  # all of a short last chunk are held out
            return np.empty((0, self.width), self.dtype)
        return self.model_rows(of_source_rows(self.source, rows)).astype(self.dtype, copy=False)

    def __repr__(self) -> str:
        return repr(self.source)

    def _reader(self, n_pass: int) -> sources.Reader:
        """Return the reader of a pass: it keeps a block that several chunks share."""
        if n_pass not in self._readers:
            self._readers.clear()
            arrange = functools.partial(self.order.arrange, n_pass)
            self._readers[n_pass] = sources.Reader(
                self.source, arrange if self.order.arranges else None
            )
        return self._readers[n_pass]
