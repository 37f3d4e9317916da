"""Containers written to files and read from them, block by block."""

import dataclasses
import functools
import os
import warnings
from collections.abc import Iterator
from typing import IO, Any, Literal

import numpy as np

from wellposed._bar import Bar
from wellposed._errors import DamagedFileError, DamageWarning, SettingError
from wellposed.coding.container import (
    ARRAY,
    BY_MODEL,
    QUANTISED,
    QUANTISED_VERSION,
    Header,
    NeedsModel,
    Reader,
    Writer,
)
from wellposed.coding.processes import Processes

from .._words import Progress
from .containers import Cells, cells_of, pack_description, restore
from .lossy import Errors as RowErrors
from .lossy import Target, quantised_plan, scales
from .models import Codable, Plan, plan_for, plan_of_file
from .side_by_side import in_order, processes_for

Errors = Literal["raise", "skip"]
BLOCK_BYTES = 1 << 23  # of the rows of one block
_EXACT = Target()
_SLACK = 64  # bytes by which a file may exceed the rows
_SLACK_A_GROUP = 10  # and further ones of a frame, for each type of its columns


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Bytes before and after.

    Parameters
    ----------
    rows : of the rows
    file : of the container
    model : of the model inside
    blocks, by_model : number of blocks, and of those that the model codes
    bits : of the latents of a row, with the tables of their cells; None without a target
    rmse : root mean squared error of the cells that the model codes; None without a target
    """

    rows: int
    file: int
    model: int
    blocks: int
    by_model: int
    bits: float | None = None
    rmse: float | None = None

    @property
    def is_changed(self) -> bool:
        """Whether rows come back with an error."""
        return bool(self.rmse)


def compress_into(
    file: IO[bytes],
    model: Codable | None,
    X: Any,
    *,
    include_model: bool = False,
    block_rows: int | None = None,
    progress: Progress = "auto",
    verify: bool = False,
    target: Target = _EXACT,
) -> Sizes:
    """Write a container into a file that is open for writing and seeking; see ``compress``.

    Parameters
    ----------
    file : binary; for ``verify`` its descriptor must be open for reading too
    model, X, include_model, block_rows, progress : as those of ``compress``
    verify : decode each block, and compare it with the rows; with a target, the cells that are
        exact, and the error of the others
    target : of a lossy file

    Raises
    ------
    DamagedFileError
        If a block does not decode to its rows.
    """
    cells = X if isinstance(X, Cells) else cells_of(X)
    plan = plan_for(model, X, cells)
    rows = rows_a_block(cells) if block_rows is None else block_rows
    if rows < 1 or int(rows) != rows:
        raise SettingError(f"block_rows must be a whole number above 0; got {rows!r}.")
    plan = quantised_plan(plan, target, cells, model, int(rows))
    writer = _writer(file, cells, plan, int(rows), include_model=include_model)
    errors = None if plan.quantised is None else _errors(plan, model)
    with Bar(cells.n, progress, unit="row") as bar, processes_for(plan, writer.header) as others:
        pack, n_blocks = functools.partial(_pack, writer, others), writer.header.n_blocks
        ends = map(writer.header.rows_of, range(n_blocks))
        each = ((high, cells.rows(low, high)) for low, high in ends)
        for (high, own), packed in in_order(pack, each, n_blocks):
            body = packed()
            writer.write(body)
            if errors is not None:
                errors.add_block(own, body, writer.header.groups)
            bar.show(high)
    written, raw = writer.close(), cells.n * cells.row_bytes
    if written > raw + _slack(cells) and not include_model:
        written, plan, errors = _store(file, cells), Plan(), None
    if verify:
        _verify(file, cells, plan, model, progress, errors)
    inside = writer.header.model_bytes
    return Sizes(
        raw,
        written,
        inside[0] if inside else 0,
        writer.header.n_blocks,
        writer.n_by_model if plan.coder else 0,
        None if errors is None else errors.bits,
        None if errors is None else errors.rmse,
    )


def _writer(
    file: IO[bytes], cells: Cells, plan: Plan, block_rows: int, *, include_model: bool
) -> Writer:
    header = cells.header(block_rows, plan.fingerprint)
    kind, coder = BY_MODEL, plan.coder
    if plan.quantised is not None:
        header = dataclasses.replace(header, version=QUANTISED_VERSION)
        kind, coder = QUANTISED, plan.quantised
    return Writer(
        file,
        header,
        pack_description(cells.description | plan.description()),
        modelled=plan.modelled,
        coder=coder,
        include_model=include_model,
        kind=kind,
        always=plan.quantised is not None and plan.quantised.residual,
    )


def _pack(writer: Writer, others: Processes | None, block: tuple[int, list[np.ndarray]]) -> bytes:
    """Return the body of a block, from another process if that can make it."""
    body = others.pack(block[1]) if others else None
    return writer.pack(block[1]) if body is None else body


def _errors(plan: Plan, model: Any) -> RowErrors:
    assert plan.modelled is not None
    return RowErrors(plan, scales(plan.modelled, model))


def rows_of(
    reader: Reader,
    model: Codable | None,
    *,
    errors: Errors = "raise",
    residual: bool = True,
    progress: Progress = "auto",
) -> Any:
    """Return the rows of a container as they were; see ``decompress``."""
    header, kept, rows = reader.header, [], []
    blocks = blocks_of(reader, model, errors=errors, residual=residual, progress=progress)
    for low, high, parts in blocks:
        kept.append(parts)
        rows.append(np.arange(low, high))
    if header.n_blocks == 0:
        n = header.n_rows
        parts = [np.zeros((n, group.width), group.dtype) for group in header.groups]
        return restore(header, reader.description(), parts, np.arange(n))
    if not kept:
        raise DamagedFileError("No block of the file can be read. Take it from a backup.")
    parts = [np.concatenate(same) for same in zip(*kept, strict=True)]
    return restore(header, reader.description(), parts, np.concatenate(rows))


def blocks_of(
    reader: Reader,
    model: Codable | None,
    *,
    errors: Errors = "raise",
    residual: bool = True,
    progress: Progress = "auto",
) -> Iterator[tuple[int, int, list[np.ndarray]]]:
    """Yield the first row of each block, the first after it, and its cells.

    Raises
    ------
    DamagedFileError, SettingError
        As ``decompress`` does.
    """
    if errors not in ("raise", "skip"):
        raise SettingError(f"errors must be 'raise' or 'skip'; got {errors!r}.")
    plan = plan_of_file(reader, model)
    quantised = plan.quantised
    if quantised is not None and not residual:
        quantised = dataclasses.replace(quantised, exact=False)
    extents, fault = reader.extents()
    faults = [] if fault is None else [f"{fault[0].upper()}{fault[1:]}."]
    lost = []
    if fault is not None and errors == "raise":
        raise DamagedFileError(f"{faults[0]} Pass errors='skip', or take it from a backup.")
    with (
        Bar(reader.header.n_rows, progress, unit="row") as bar,
        processes_for(plan, reader.header) as others,
    ):
        elsewhere = others.read if others else None

        def read(block: tuple[int, tuple[int, int] | None]) -> list[np.ndarray]:
            return reader.read(*block, plan.modelled, plan.coder, quantised, elsewhere)

        for (i, _), parts in in_order(read, enumerate(extents), len(extents)):
            low, high = reader.header.rows_of(i)
            try:
                yield low, high, parts()
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
            bar.show(high)
    if faults:
        _warn(reader.header, lost, faults)


def rows_a_block(cells: Cells) -> int:
    """Return the rows of a block of 8 MiB."""
    return max(1, min(cells.n, BLOCK_BYTES // max(1, cells.row_bytes)))


def _slack(cells: Cells) -> int:
    """Bytes by which a file may exceed the cells."""
    if cells.container == ARRAY:
        return _SLACK
    return _SLACK + _SLACK_A_GROUP * len(cells.parts) + len(pack_description(cells.description))


def _store(file: IO[bytes], cells: Cells) -> int:
    """Write a file of one block, which has the rows as they are."""
    file.seek(0)
    file.truncate()
    header = cells.header(max(1, cells.n), None)
    writer = Writer(file, header, pack_description(cells.description))
    if writer.header.n_blocks:
        rows = rows_a_block(cells) if len(cells.parts) == 1 else cells.n
        writer.write_stored(cells.rows(i, i + rows) for i in range(0, cells.n, rows))
    return writer.close()


def _verify(
    file: IO[bytes],
    cells: Cells,
    plan: Plan,
    model: Any,
    progress: Progress,
    errors: RowErrors | None,
) -> None:
    """Check that a file decodes to its rows, or with the errors that were found in writing."""
    file.flush()
    again = None if errors is None else _errors(plan, model)
    with os.fdopen(os.dup(file.fileno()), "rb") as opened:
        reader = Reader(opened)
        for low, high, parts in blocks_of(reader, plan.coder, progress=progress):
            own = cells.rows(low, high)
            if again is None:
                same = all(a.tobytes() == b.tobytes() for a, b in zip(own, parts, strict=True))
            else:
                same = again.same_elsewhere(own, parts)
                again.add(own, parts)
            if not same:
                raise _differs(f"rows {low} to {high - 1} do not")
    if again is not None and errors is not None and again.rmse != errors.rmse:
        raise _differs(f"their error is {again.rmse:g} in place of {errors.rmse:g}")


def _differs(what: str) -> DamagedFileError:
    return DamagedFileError(
        f"A file must decode to the rows that it was written from; {what}. The file is not kept. "
        "Report this as a fault."
    )


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
