"""Rows as quantised latents, with or without what is missing."""

import dataclasses

import numpy as np

from wellposed._errors import DamagedFileError

from ..ans import Lanes, chunk_sizes, n_lanes
from ..beside import Known
from ..bits_back import BitsBackCodec
from ..container.varint import Cursor, pack_number
from ..protocol import Rate
from .quantiser import Quantiser
from .shares import BITS, Shares

_LATENTS, _WITH_RESIDUAL = 0, 1
_BATCH = 2**20  # numbers of the decoder's outputs that are worked on at once
_LATENTS_A_LANE_NUMBER = 4
# As of rows that put more bits onto the stack than they take off it.
_SCHEDULE = {"d": 20, "k": 1}


@dataclasses.dataclass(frozen=True, eq=False)
class QuantisedCodec:
    """Rows to the cells of their latents, and back to the model's reconstruction.

    The mean of q(z | x) is rounded to a cell, and cells are coded under their shares. What comes
    back are the means of p(x | z) at the cells' places, on the grid of the symbols; or, with the
    residual, the rows themselves: x is coded under p(x | z) after z.

    Parameters
    ----------
    codec : of the integer model, whose bytes and fingerprint are this codec's too
    quantiser : cells of the latents; None for a codec that only decodes
    residual : whether :meth:`encode` keeps what the reconstruction lacks
    exact : whether :meth:`decode` uses that
    """

    codec: BitsBackCodec
    quantiser: Quantiser | None = None
    residual: bool = False
    exact: bool = True

    @property
    def n_features(self) -> int:
        """Number of symbols in a row, those of covariates last."""
        return self.codec.n_features

    @property
    def allows_missing(self) -> bool:
        """Whether a symbol may be ``MISSING``; such a mark comes back."""
        return self.codec.allows_missing

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        """Which rows have a symbol that the model cannot code, shape (n,)."""
        return self.codec.outside(symbols)

    def latents(self, symbols: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and deviations of q(z | x) in 2^-16, each of shape (k, n)."""
        rows, known = self.codec.taken_apart(symbols)
        return self._latents(rows, known)

    def encode(self, symbols: np.ndarray) -> bytes:
        """Code int64 symbols of shape (n, d); raises as that of the integer model does."""
        if self.quantiser is None:
            raise ValueError("A codec without a quantiser only decodes.")
        rows, known = self.codec.taken_apart(symbols)
        cells = self.quantiser.cells(self._latents(rows, known)[0])
        code = _push_cells(cells, self.quantiser, known)
        way = _WITH_RESIDUAL if self.residual else _LATENTS
        front = bytes([way]) + known.pack() + self.quantiser.pack() + pack_number(len(code)) + code
        return front + self._push_rest(rows, cells, known) if self.residual else front

    def decode(self, payload: bytes, n_rows: int) -> np.ndarray:
        """Return the reconstruction of n_rows rows, or the rows, int64, shape (n, d).

        Raises
        ------
        DamagedFileError
            For a payload that :meth:`encode` does not write for n_rows rows.
        """
        way, known, cursor = self._opened(payload, n_rows)
        quantiser = Quantiser.read(cursor, self.codec.prior.grid.k)
        code = Cursor(cursor.take(cursor.number()))
        cells, known = _pop_cells(code, n_rows, quantiser, known)
        if way == _WITH_RESIDUAL and self.exact:
            return self._pop_rest(bytes(cursor.take(cursor.left)), cells, quantiser, known)
        if way == _LATENTS:
            cursor.end()
        return known.restored(self.means(quantiser.places(cells), known))

    def latent_bytes(self, payload: bytes, n_rows: int) -> int:
        """Return the bytes of the latents in a payload, with the tables of their cells."""
        _, _, cursor = self._opened(payload, n_rows)
        begun = cursor.position
        Quantiser.read(cursor, self.codec.prior.grid.k)
        cursor.take(cursor.number())
        return cursor.position - begun

    def _opened(self, payload: bytes, n_rows: int) -> tuple[int, Known, Cursor]:
        """Return the kind of a payload, what it has beside the rows, and what follows that."""
        front = Cursor(payload)
        way = front.byte()
        if way > _WITH_RESIDUAL:
            raise DamagedFileError(f"quantised latents of the kind {way} are unknown.")
        rest = bytes(front.take(front.left))
        known, rest = self.codec.beside.read(rest, n_rows, self.codec.d)
        return way, known, Cursor(rest)

    def reconstruct(self, symbols: np.ndarray) -> np.ndarray:
        """Return what :meth:`decode` does of a payload without the residual."""
        if self.quantiser is None:
            raise ValueError("A codec without a quantiser only decodes.")
        rows, known = self.codec.taken_apart(symbols)
        places = self.quantiser.places(self.quantiser.cells(self._latents(rows, known)[0]))
        return known.restored(self.means(places, known))

    def means(self, places: np.ndarray, known: Known) -> np.ndarray:
        """Return the reconstruction of features, int64, shape (d, n), of places (k, n)."""
        out = np.empty((self.codec.d, places.shape[1]), np.int64)
        for at in self._batches(places.shape[1]):
            outputs = self._outputs(places[:, at], known.rows(at.start, at.stop))
            for part in self.codec.parts:
                own = part.family.expected(outputs[part.first : part.last])
                out[part.columns, at] = own + part.low[:, None]
        return out

    def rate(self, symbols: np.ndarray) -> Rate:
        """Return the bits of the block, the same for each row."""
        coded = 8 * len(self.encode(symbols))
        each = np.full(len(symbols), coded / max(1, len(symbols)))
        return Rate(each, 0.0, 0.0, coded)

    def to_bytes(self) -> bytes:
        """Return the integer model."""
        return self.codec.to_bytes()

    def fingerprint(self) -> str:
        """Return the SHA-256 of :meth:`to_bytes`, in hexadecimal."""
        return self.codec.fingerprint()

    def _latents(self, rows: np.ndarray, known: Known) -> tuple[np.ndarray, np.ndarray]:
        grid = self.codec.prior.grid
        means, spreads = np.empty((2, grid.k, len(rows)))
        for at in self._batches(len(rows)):
            chunk = np.ascontiguousarray(rows[at].T)
            q = self.codec.posterior(chunk, known.rows(at.start, at.stop))
            means[:, at], spreads[:, at] = q.means, q.spreads
        most = grid.most()[:, None]
        return np.clip(means, -most, most), spreads

    def _outputs(self, places: np.ndarray, known: Known) -> np.ndarray:
        # Sums of the decoder are exact for latents that the grid reaches.
        most = self.codec.prior.grid.most()[:, None]
        return self.codec.outputs(np.clip(places, -most, most), known)

    def _batches(self, n: int) -> list[slice]:
        width = max(self.codec.d, self.codec.decoder.layers[-1].n_out)
        each = max(1, _BATCH // width)
        return [slice(first, min(first + each, n)) for first in range(0, n, each)]

    def _push_rest(self, rows: np.ndarray, cells: np.ndarray, known: Known) -> bytes:
        assert self.quantiser is not None
        most, sizes = self.codec.schedule(len(rows))
        lanes, first = Lanes.for_encoding(most), 0
        places = self.quantiser.places(cells)
        for size in sizes:
            at = slice(first, first + size)
            own = known.rows(at.start, at.stop)
            lanes.open(size)
            outputs = self._outputs(places[:, at], own)
            self.codec.push_symbols(lanes, outputs, np.ascontiguousarray(rows[at].T), own)
            first += size
        return lanes.to_bytes()

    def _pop_rest(
        self, payload: bytes, cells: np.ndarray, quantiser: Quantiser, known: Known
    ) -> np.ndarray:
        n = cells.shape[1]
        _, sizes = self.codec.schedule(n)
        lanes, end = Lanes.from_bytes(payload, max(sizes, default=0)), n
        places, rows = quantiser.places(cells), np.empty((n, self.n_features), np.int64)
        for i in range(len(sizes) - 1, -1, -1):
            at = slice(end - sizes[i], end)
            own = known.rows(at.start, at.stop)
            symbols = self.codec.pop_symbols(lanes, self._outputs(places[:, at], own), own)
            rows[at] = own.restored(symbols)
            lanes.close(sizes[i - 1] if i else 0)
            end = at.start
        lanes.check_end()
        return rows


def lanes_of(n: int, n_active: int) -> int:
    """Return the lanes of n rows of active latents: few, since each lane begins with a word."""
    return n_lanes(n, max(1, n_active // _LATENTS_A_LANE_NUMBER))


def _schedule(n: int, n_active: int) -> tuple[int, list[int]]:
    lanes = lanes_of(n, n_active)
    return lanes, chunk_sizes(n, lanes, **_SCHEDULE)


def _push_cells(cells: np.ndarray, quantiser: Quantiser, known: Known) -> bytes:
    """Write the shares of cells (k, n), and the cells; nothing of latents that are one cell."""
    active, n = quantiser.active, cells.shape[1]
    shares = [Shares.fitted(cells[j]) for j in active] if n else []
    most, sizes = _schedule(n, len(active))
    lanes, first = Lanes.for_encoding(most), 0
    for size in sizes:
        lanes.open(size)
        for j, own in zip(active[::-1], shares[::-1], strict=True):
            lanes.push(*own.intervals(cells[j, first : first + size]), bits=BITS)
        known.rows(first, first + size).push(lanes)
        first += size
    return b"".join(own.packed for own in shares) + lanes.to_bytes()


def _pop_cells(
    cursor: Cursor, n: int, quantiser: Quantiser, known: Known
) -> tuple[np.ndarray, Known]:
    """Return the cells (k, n), and what is known of the rows with the marks of missing entries."""
    active = quantiser.active
    shares = [Shares.read(cursor) for _ in active] if n else []
    _, sizes = _schedule(n, len(active))
    lanes, end = Lanes.from_bytes(bytes(cursor.take(cursor.left)), max(sizes, default=0)), n
    cells = np.zeros((len(quantiser.step), n), np.int64)
    marks = None if known.shares is None else np.zeros((len(known.shares), n), bool)
    for i in range(len(sizes) - 1, -1, -1):
        at = slice(end - sizes[i], end)
        own = known.rows(at.start, at.stop).popped(lanes, sizes[i])
        if marks is not None:
            marks[:, at] = own.missing
        for j, each in zip(active, shares, strict=True):
            found = each.find(lanes.target(sizes[i], bits=BITS))
            lanes.advance(*each.intervals(found), bits=BITS)
            cells[j, at] = found
        lanes.close(sizes[i - 1] if i else 0)
        end = at.start
    lanes.check_end()
    return cells, known if marks is None else dataclasses.replace(known, missing=marks)
