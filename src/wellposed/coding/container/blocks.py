"""The body of one block: rows by a general method, or by a model, with loss or without."""

from collections.abc import Sequence

import numpy as np

from wellposed._errors import DamagedFileError

from ..protocol import RowCodec
from .modelled import Modelled
from .sections import Group, pack_section, pack_sections, read_section
from .varint import Cursor, pack_number

PLAIN, BY_MODEL, QUANTISED = 0, 1, 2
_TRIED_ROWS_BYTES = 1 << 17
_PLACES = Group(np.dtype("<u4"), 1)
_BITS = Group(np.dtype("<u8"), 1)


def pack_plain(parts: Sequence[np.ndarray]) -> bytes:
    """Write the rows of a block without a model.

    Parameters
    ----------
    parts : of each group, its cells, shape (n, width), little-endian
    """
    return bytes([PLAIN]) + pack_sections(parts)


def pack_block(
    parts: Sequence[np.ndarray],
    modelled: Modelled | None,
    coder: RowCodec | None,
    kind: int = BY_MODEL,
    *,
    always: bool = False,
) -> bytes:
    """Write the rows of a block: by the model where it gives fewer bytes, else without.

    Parameters
    ----------
    parts : of each group, its cells, shape (n, width), little-endian
    modelled, coder : what a model codes, and the model; None without
    kind : ``BY_MODEL``, or ``QUANTISED`` for a coder whose rows come back changed
    always : whether the model is used even where it gives more bytes
    """
    if modelled is None or coder is None or not len(parts[0]):
        return pack_plain(parts)
    by_model = pack_by_model(parts, modelled, coder, kind)
    if always:
        return by_model
    n_bytes = sum(part.nbytes for part in parts)
    first = max(1, int(len(parts[0]) * min(1.0, _TRIED_ROWS_BYTES / max(1, n_bytes))))
    tried = pack_plain([part[:first] for part in parts])
    # A longer text compresses better; by a fifth at most, as a rule.
    if len(tried) / first * 0.8 > len(by_model) / len(parts[0]):
        return by_model
    plain = tried if first == len(parts[0]) else pack_plain(parts)
    return min(by_model, plain, key=len)


def pack_by_model(
    parts: Sequence[np.ndarray], modelled: Modelled, coder: RowCodec, kind: int = BY_MODEL
) -> bytes:
    """Write the rows of a block by a model; rows and cells that it cannot code are apart."""
    symbols, off = modelled.symbols(parts)
    payload, apart = _encode(coder, symbols)
    if len(apart) == len(symbols):
        return pack_plain(parts)
    coded = np.ones(len(symbols), bool)
    coded[apart] = False
    if kind == QUANTISED and modelled.tables:
        # A reconstruction may be a level that no cell of the column has.
        changed = coder.decode(payload, len(symbols) - len(apart))
        off[coded] |= modelled.without_cell(changed)
    taken, rest = modelled.taken(parts), _rest(parts, modelled)
    places = np.flatnonzero(off & coded[:, None])
    if len(places) and symbols.size >= 2**32:
        return pack_plain(parts)
    return b"".join(
        [
            bytes([kind]),
            pack_number(len(apart)),
            *(pack_number(int(gap)) for gap in np.diff(apart, prepend=0)),
            pack_number(len(payload)),
            payload,
            pack_number(len(places)),
            *(_pack_patches(places, modelled, taken) if len(places) else ()),
            *(pack_section(part) for part in rest if part.shape[1]),
            *(pack_section(part[apart]) for part in taken if part.shape[1] and len(apart)),
        ]
    )


def read_block(
    body: bytes | memoryview,
    n: int,
    groups: Sequence[Group],
    modelled: Modelled | None,
    coder: RowCodec | None,
    quantised: RowCodec | None = None,
) -> list[np.ndarray]:
    """Return the n rows of a block, the cells of each group.

    Parameters
    ----------
    body, n, groups : of the block
    modelled : what a model codes
    coder, quantised : of blocks without and with loss

    Raises
    ------
    DamagedFileError
        If the bytes are not those of n rows.
    """
    cursor = Cursor(body)
    kind = cursor.byte()
    if kind == PLAIN:
        parts = [read_section(cursor, n, group) for group in groups]
    elif kind == BY_MODEL and modelled is not None and coder is not None:
        parts = _read_by_model(cursor, n, groups, modelled, coder)
    elif kind == QUANTISED and modelled is not None and quantised is not None:
        parts = _read_by_model(cursor, n, groups, modelled, quantised, changed=True)
    else:
        raise DamagedFileError(f"the kind {kind} of a block is unknown.")
    cursor.end()
    return parts


def is_by_model(body: bytes | memoryview) -> bool:
    """Whether a block needs a model."""
    return len(body) > 0 and body[0] in (BY_MODEL, QUANTISED)


def coded_rows(body: bytes | memoryview) -> tuple[bytes, int]:
    """Return the coded rows of a block, and how many others are apart; none without a model."""
    if not is_by_model(body):
        return b"", 0
    cursor = Cursor(body)
    cursor.byte()
    n_apart = cursor.number()
    for _ in range(n_apart):
        cursor.number()
    return bytes(cursor.take(cursor.number())), n_apart


def _encode(coder: RowCodec, symbols: np.ndarray) -> tuple[bytes, np.ndarray]:
    """Return the coded rows, and the positions of those that the model cannot code."""
    apart = np.zeros(0, np.int64)
    kept = np.arange(len(symbols))
    while len(kept):
        try:
            return coder.encode(symbols[kept]), apart
        except ValueError as error:
            rows = getattr(error, "rows", None)
            if rows is None or not len(rows):
                raise
            apart = np.sort(np.concatenate([apart, kept[np.asarray(rows)]]))
            kept = np.setdiff1d(np.arange(len(symbols)), apart)
    return b"", apart


def _read_by_model(
    cursor: Cursor,
    n: int,
    groups: Sequence[Group],
    modelled: Modelled,
    coder: RowCodec,
    *,
    changed: bool = False,
) -> list[np.ndarray]:
    n_apart = cursor.number()
    if n_apart >= n:
        raise DamagedFileError(f"{n_apart} rows are apart, of {n}.")
    apart = np.cumsum([cursor.number() for _ in range(n_apart)], dtype=np.int64)
    if n_apart and (apart[-1] >= n or (np.diff(apart) <= 0).any()):
        raise DamagedFileError("the places of the rows apart are out of order.")
    payload, coded = bytes(cursor.take(cursor.number())), np.ones(n, bool)
    coded[apart] = False
    symbols = np.zeros((n, len(modelled.columns)), np.int64)
    symbols[coded] = _decode(coder, payload, n - n_apart, symbols.shape[1])
    symbols[apart] = symbols[coded][:1]  # any row that has cells
    if changed:
        symbols = modelled.within(symbols, groups)
    taken = modelled.cells(symbols, groups)
    _read_patches(cursor, modelled, taken, symbols.size)
    parts = []
    for g, group in enumerate(groups):
        part = np.zeros((n, group.width), group.dtype)
        rest = modelled.rest(g, group.width)
        if len(rest):
            part[:, rest] = read_section(cursor, n, Group(group.dtype, len(rest)))
        part[:, modelled.columns[modelled.groups == g]] = taken[g]
        parts.append(part)
    for g, group in enumerate(groups):
        mine = modelled.columns[modelled.groups == g]
        if n_apart and len(mine):
            part = read_section(cursor, n_apart, Group(group.dtype, len(mine)))
            parts[g][np.ix_(apart, mine)] = part
    return parts


def _decode(coder: RowCodec, payload: bytes, n: int, d: int) -> np.ndarray:
    try:
        symbols = np.asarray(coder.decode(payload, n))
    except DamagedFileError:
        raise
    # The payload is arbitrary, and a decoder on arbitrary bits can raise anything.
    except Exception as error:
        raise DamagedFileError(f"the coded rows have no meaning ({error}).") from error
    if symbols.shape != (n, d):
        raise DamagedFileError(f"the coded rows have the shape {symbols.shape}, not {(n, d)}.")
    return symbols


def _rest(parts: Sequence[np.ndarray], modelled: Modelled) -> list[np.ndarray]:
    return [part[:, modelled.rest(g, part.shape[1])] for g, part in enumerate(parts)]


def _pack_patches(places: np.ndarray, modelled: Modelled, taken: list[np.ndarray]) -> list[bytes]:
    rows, features = np.divmod(places, len(modelled.columns))
    bits = np.zeros(len(places), np.uint64)
    for g, part in enumerate(taken):
        mine = np.flatnonzero(modelled.groups == g)
        here = np.isin(features, mine)
        cells = part[rows[here], np.searchsorted(mine, features[here])]
        bits[here] = cells.view(f"<u{cells.dtype.itemsize}")
    gaps = np.diff(places, prepend=0).astype("<u4")
    return [pack_section(gaps[:, None]), pack_section(bits.astype("<u8")[:, None])]


def _read_patches(
    cursor: Cursor, modelled: Modelled, taken: list[np.ndarray], n_cells: int
) -> None:
    count = cursor.number()
    if count > n_cells:
        raise DamagedFileError(f"{count} cells are apart, of {n_cells}.")
    if not count:
        return
    places = np.cumsum(read_section(cursor, count, _PLACES)[:, 0].astype(np.int64))
    bits = read_section(cursor, count, _BITS)[:, 0]
    if places[-1] >= n_cells:
        raise DamagedFileError("a cell apart has no place.")
    rows, features = np.divmod(places, len(modelled.columns))
    for g, part in enumerate(taken):
        mine = np.flatnonzero(modelled.groups == g)
        here = np.isin(features, mine)
        cells = bits[here].astype(f"<u{part.dtype.itemsize}").view(part.dtype)
        part[rows[here], np.searchsorted(mine, features[here])] = cells
