"""``compress`` and ``decompress``."""

import io
import warnings
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np

from wellposed._bar import Bar
from wellposed._errors import DamagedFileError, DamageWarning, SettingError
from wellposed.coding.container import Header, NeedsModel, Reader, Writer

from .._words import Frame, Progress
from .containers import Cells, cells_of, pack_description, restore
from .models import Codable, Plan, plan_for, plan_of_file

BLOCK_BYTES = 1 << 23  # of the rows of one block
_SLACK = 64  # bytes by which a file may exceed the rows


def compress(
    model: Codable | None,
    X: np.ndarray | Frame,
    *,
    include_model: bool = False,
    block_rows: int | None = None,
    progress: Progress = "auto",
) -> bytes:
    """Compress rows without loss: every bit comes back, on every machine.

    Blocks of rows are coded each by itself. A block is coded by the model, by bits-back coding, or
    where that takes fewer bytes by LZMA2 or bzip2, or is stored; an array never takes more than its
    own bytes and 64. Rows and cells that the model cannot code are apart, and exact too.

    Parameters
    ----------
    model : fitted :class:`wellposed.VAE` or other estimator with a VAE, a
        :class:`wellposed.coding.RowCodec`, or None for no model
    X : array of integers, floating numbers or truth values, of shape (n, ...), or frame of pandas
        or polars. Rows have the features of the model, in the same units
    include_model : put the model into the file, so that it opens by itself; its bytes count
    block_rows : rows a block; None takes as many as have 8 MiB
    progress : whether to show a bar

    Returns
    -------
    the bytes of a ``.wpz`` file

    Raises
    ------
    DataError
        If X is another container, or has other features than the model.
    SettingError
        If the model cannot be coded with.

    Notes
    -----
    docs/compression.md describes the file byte by byte.

    References: Townsend, Bird & Barber (2019).

    Examples
    --------
    >>> X = np.arange(2000).reshape(500, 4) % 7
    >>> data = compress(None, X)
    >>> len(data) < X.nbytes / 20, np.array_equal(decompress(data), X)
    (True, True)
    """
    cells = cells_of(X)
    plan = plan_for(model, X, cells)
    rows = rows_a_block(cells.row_bytes, cells.n) if block_rows is None else block_rows
    if rows < 1 or int(rows) != rows:
        raise SettingError(f"block_rows must be a whole number above 0; got {rows!r}.")
    file = io.BytesIO()
    with Bar(cells.n, progress, unit="row") as bar:
        written = write(file, cells, plan, include_model, int(rows), bar)
    longer = written > cells.n * cells.row_bytes + _SLACK
    return _stored(cells) if longer and not cells.description else file.getvalue()


def decompress(
    data: bytes,
    model: Codable | None = None,
    *,
    errors: Literal["raise", "skip"] = "raise",
    progress: Progress = "auto",
) -> Any:
    """Return the rows that :func:`compress` was given: the same container, types and bits.

    Parameters
    ----------
    data : the bytes of a ``.wpz`` file
    model : the same as in :func:`compress`; not needed if the file was written without one or has
        it inside
    errors : of damaged blocks: "raise", or "skip" to return the rows of the others, with a
        :class:`wellposed.DamageWarning` that lists the rows that are lost
    progress : whether to show a bar

    Returns
    -------
    array or frame

    Raises
    ------
    DamagedFileError
        If a byte of the file differs from what was written; the message names the block.
    SettingError
        If the file needs a model that was not given, or another one than was given.

    Examples
    --------
    >>> decompress(compress(None, np.array([[1.5, np.nan], [-0.0, 2.25]])))
    array([[ 1.5 ,   nan],
           [-0.  ,  2.25]])
    """
    if errors not in ("raise", "skip"):
        raise SettingError(f"errors must be 'raise' or 'skip'; got {errors!r}.")
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise SettingError(
            f"decompress takes the bytes of a .wpz file; got a {type(data).__name__}. Pass "
            "Path(...).read_bytes()."
        )
    reader = Reader(bytes(data))
    plan = plan_of_file(reader, model)
    kept, rows = [], []
    header = reader.header
    with Bar(header.n_rows, progress, unit="row") as bar:
        for low, high, parts in read(reader, plan, errors):
            kept.append(parts)
            rows.append(np.arange(low, high))
            bar.show(high)
    if header.n_blocks == 0:
        n = header.n_rows
        return restore(header, reader.description(), empty(header, n), np.arange(n))
    if not kept:
        raise DamagedFileError("No block of the file can be read. Take it from a backup.")
    parts = [np.concatenate(same) for same in zip(*kept, strict=True)]
    return restore(header, reader.description(), parts, np.concatenate(rows))


def _stored(cells: Cells) -> bytes:
    """Return a file of one block, which has the rows as they are."""
    file = io.BytesIO()
    writer = Writer(file, cells.header(cells.n, None))
    if writer.header.n_blocks:
        writer.write_stored([cells.parts])
    writer.close()
    return file.getvalue()


def rows_a_block(row_bytes: int, n: int) -> int:
    """Return the rows of a block of 8 MiB."""
    return max(1, min(n, BLOCK_BYTES // max(1, row_bytes)))


def write(
    file: io.BytesIO, cells: Cells, plan: Plan, include_model: bool, block_rows: int, bar: Bar
) -> int:
    """Write a container, and return its bytes."""
    writer = Writer(
        file,
        cells.header(block_rows, plan.fingerprint),
        pack_description(cells.description | plan.description()),
        modelled=plan.modelled,
        coder=plan.coder,
        include_model=include_model,
    )
    for i in range(writer.header.n_blocks):
        low, high = writer.header.rows_of(i)
        writer.write(cells.rows(low, high))
        bar.show(high)
    return writer.close()


def read(
    reader: Reader, plan: Plan, errors: Literal["raise", "skip"]
) -> Iterator[tuple[int, int, list[np.ndarray]]]:
    """Yield the first and last rows of each block, and its cells; warn of lost rows at the end."""
    extents, fault = reader.extents()
    faults = [] if fault is None else [f"{fault[0].upper()}{fault[1:]}."]
    lost = []
    if fault is not None and errors == "raise":
        raise DamagedFileError(f"{faults[0]} Pass errors='skip', or take it from a backup.")
    for i, extent in enumerate(extents):
        low, high = reader.header.rows_of(i)
        try:
            yield low, high, reader.read(i, extent, plan.modelled, plan.coder)
        except NeedsModel:
            raise SettingError(
                f"Block {i} was coded by the model {plan.printed}; none was given. Pass it: "
                "decompress(data, model)."
            ) from None
        except DamagedFileError as error:
            if errors == "raise":
                raise
            lost.append((low, high))
            faults.append(str(error))
    if faults:
        _warn(reader.header, lost, faults)


def empty(header: Header, n: int) -> list[np.ndarray]:
    """Return cells of a container that has none."""
    return [np.zeros((n, group.width), group.dtype) for group in header.groups]


def _warn(header: Header, lost: list[tuple[int, int]], faults: list[str]) -> None:
    n = sum(high - low for low, high in lost)
    ranges = ", ".join(f"{low} to {high - 1}" for low, high in lost[:8])
    more = f" and {len(lost) - 8} more ranges" if len(lost) > 8 else ""
    rows = f"{n} of {header.n_rows} rows are lost: {ranges}{more}" if lost else "no row is lost"
    warning = DamageWarning(
        f"A .wpz file must be as it was written; this one is damaged, and {rows}. First fault: "
        f"{faults[0]}"
    )
    warning.lost = lost
    warnings.warn(warning, stacklevel=4)
