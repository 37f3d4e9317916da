"""Several sources as one."""

from collections.abc import Sequence

import numpy as np

from wellposed._errors import DataError

from ._source import BlockSource


class ConcatenatedSource(BlockSource):
    """The rows of several sources, one after another.

    Parameters
    ----------
    sources : sequence of :class:`BlockSource` with the same columns, at least one

    Raises
    ------
    DataError
        For none, or sources of other widths, other names or order of columns, or image shapes.

    Examples
    --------
    >>> from wellposed.sources import ArraySource
    >>> parts = [ArraySource(np.zeros((3, 2))), ArraySource(np.ones((2, 2)))]
    >>> ConcatenatedSource(parts).rows(2, 4).tolist()
    [[0.0, 0.0], [1.0, 1.0]]
    """

    def __init__(self, sources: Sequence[BlockSource]):
        self._sources = list(sources)
        if not self._sources:
            raise DataError("A source has at least one part; got none. Name one.")
        first = self._sources[0]
        for i, source in enumerate(self._sources):
            _check_alike(first, source, i)
        self.n_features, self.image_shape = first.n_features, first.image_shape
        self.feature_names = first.feature_names
        self.dtype = np.result_type(*(source.dtype for source in self._sources))
        self._firsts = np.cumsum([0, *(source.n_blocks for source in self._sources)])
        self.n_rows = sum(source.n_rows for source in self._sources)
        self.block_rows = max(source.block_rows for source in self._sources)
        self.paths = tuple(path for source in self._sources for path in source.paths)
        sizes = [np.diff(_starts(source)) for source in self._sources]
        self.starts = np.concatenate([[0], np.cumsum(np.concatenate(sizes))])

    def identity(self) -> str:
        """Return the identities of the parts, one after another."""
        return "+".join(source.identity() for source in self._sources)

    def read(self, block: int, out: np.ndarray) -> None:
        """Fill ``out`` with the rows of a block."""
        i = int(np.searchsorted(self._firsts, block, side="right")) - 1
        source, own = self._sources[i], block - int(self._firsts[i])
        if source.dtype == out.dtype:
            source.read(own, out)
        else:
            out[:] = source.whole_block(own)


def _starts(source: BlockSource) -> np.ndarray:
    if source.starts is not None:
        return source.starts
    return np.minimum(np.arange(source.n_blocks + 1) * source.block_rows, source.n_rows)


def _check_alike(first: BlockSource, source: BlockSource, i: int) -> None:
    if source.n_features != first.n_features or source.image_shape != first.image_shape:
        raise DataError(
            "All parts must have the same number of features, and the same image shape; part 0 "
            f"has {first.image_shape or first.n_features}, part {i} has "
            f"{source.image_shape or source.n_features}. Leave it out, or save it alike."
        )
    if source.feature_names == first.feature_names:
        return
    if None in (source.feature_names, first.feature_names):
        named = 0 if source.feature_names is None else i
        raise DataError(
            f"Either all parts name their columns or none does; part {named} does, and part "
            f"{i - named} does not. Pass the rows of one, source.rows(0, n), as an array."
        )
    names = zip(first.feature_names or (), source.feature_names or (), strict=True)
    differs = next(pair for pair in names if pair[0] != pair[1])
    raise DataError(
        f"All parts must have the same columns in the same order; part 0 has {differs[0]!r} where "
        f"part {i} has {differs[1]!r}. Save it with the columns of part 0, or read Parquet files "
        "by one ArrowSource, which finds columns by their names."
    )
