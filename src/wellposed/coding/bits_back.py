"""Bits-back coding of rows by an integer VAE."""

import dataclasses
import hashlib
import itertools
from typing import Any

import numpy as np

from wellposed._errors import DataError, OutsideSupport, named_features

from .ans import Lanes, chunk_sizes, n_lanes, random_words
from .beside import Beside, Known
from .escapes import pop_rest, push_rest
from .inputs import Inputs
from .integer import Network
from .latents import BITS, PLACE_BITS, Posterior, Prior
from .network_state import network_state
from .protocol import Rate
from .search import Intervals
from .symbols import Part
from .symbols.family import AbstractFamily, AbstractJoint
from .wire import pack

_CHECKED = 2**17  # numbers that are checked at once: they stay in a processor's cache


@dataclasses.dataclass(frozen=True, eq=False)
class BitsBackCodec:
    """Rows of symbols to bytes and back: z is drawn with the bits of earlier rows.

    A row takes z from q(z | x) off the stack, puts x under p(x | z) and then z under p(z) onto it.
    Decoding undoes the steps in reverse, and needs the encoder too. The bits that draw z are mixed
    with pseudo-random ones: without, they are those of the row before, and where the codes of all
    data are not distributed as p(z) the draws are not from q(z | x).

    Parameters
    ----------
    inputs : symbols as the encoder's inputs
    encoder, decoder : integer networks
    prior : p(z), with the grid of its cells
    parts : groups of features and their families, all columns once
    latent_bits : fractional bits of z at the decoder's input
    beside : missing entries and covariates, which are stored before the coded rows

    References: Townsend, Bird & Barber (2019).

    Examples
    --------
    >>> from wellposed.coding import integer_model
    >>> codec = integer_model(model, resolution=0.1)
    >>> symbols = np.round(10 * X).astype(int)
    >>> type(codec).__name__, codec.rate(symbols).net.shape
    ('BitsBackCodec', (150,))
    """

    inputs: Inputs
    encoder: Network
    decoder: Network
    prior: Prior
    parts: tuple[Part, ...]
    latent_bits: int
    beside: Beside = dataclasses.field(default_factory=Beside)

    @property
    def n_features(self) -> int:
        """Number of symbols in a row, those of covariates last."""
        return self.d + self.beside.n_given

    @property
    def allows_missing(self) -> bool:
        """Whether a symbol may be ``MISSING``."""
        return self.beside.gaps is not None

    @property
    def d(self) -> int:
        """Features that are coded."""
        return sum(part.family.d for part in self.parts)

    def outside(self, symbols: np.ndarray) -> np.ndarray:
        """Which rows have a symbol that the model cannot code, shape (n,)."""
        return self._outside(self.beside.known(self.checked(symbols))[0])

    def _outside(self, rows: np.ndarray) -> np.ndarray:
        out = np.zeros(len(rows), bool)
        each = max(1, _CHECKED // max(1, self.d))
        for at in (slice(i, i + each) for i in range(0, len(rows), each)):
            for part in self.parts:
                own = rows[at].take(part.columns, axis=1)
                own -= part.low
                out[at] |= part.family.outside(own).any(axis=1)
        return out

    def encode(self, symbols: np.ndarray) -> bytes:
        """Code int64 symbols of shape (n, d).

        Raises
        ------
        OutsideSupport
            For symbols outside the model's support; ``rows`` names theirs.
        DataError
            For an array of another shape or type.
        """
        lanes, _, known = self._encode(symbols)
        return known.pack() + lanes.to_bytes()

    def rate(self, symbols: np.ndarray) -> Rate:
        """Return the bits of each row, and of the block; arguments as :meth:`encode`."""
        lanes, net, known = self._encode(symbols)
        before = 8 * len(known.pack())
        coded, apart = before + 8 * len(lanes.to_bytes()), before + known.bits
        return Rate(net, float(lanes.initial_bits), lanes.state_bits, coded, apart)

    def decode(self, payload: bytes, n_rows: int) -> np.ndarray:
        """Return the n_rows rows of a payload, int64, shape (n, d).

        Raises
        ------
        DamagedFileError
            For a payload that :meth:`encode` does not write for n_rows rows.
        """
        _, sizes = self.schedule(n_rows)
        known, payload = self.beside.read(payload, n_rows, self.d)
        lanes = Lanes.from_bytes(payload, max(sizes, default=0))
        rows = np.empty((n_rows, self.n_features), np.int64)
        ends = list(itertools.accumulate(sizes, initial=0))
        for i in range(len(sizes) - 1, -1, -1):
            own = known.rows(ends[i], ends[i + 1])
            rows[ends[i] : ends[i + 1]] = self._decode_chunk(lanes, ends[i], sizes[i], own)
            lanes.close(sizes[i - 1] if i else 0)
        lanes.check_end()
        return rows

    def taken_apart(self, symbols: np.ndarray) -> tuple[np.ndarray, Known]:
        """Return the features of rows, within the support, and what is beside them.

        Raises
        ------
        OutsideSupport, DataError
            As :meth:`encode` does.
        """
        rows, known = self.beside.known(self.checked(symbols))
        outside = np.flatnonzero(self._outside(rows))
        if outside.size:
            raise OutsideSupport(
                f"Symbols must be within the support of the model's noise; rows "
                f"{named_features(outside)} have others. Store these rows apart.",
                rows=outside.tolist(),
            )
        return rows, known

    def _encode(self, symbols: np.ndarray) -> tuple[Lanes, np.ndarray, Known]:
        """Return the coder, the net bits of each row, and what is beside the rows."""
        rows, known = self.taken_apart(symbols)
        most, sizes = self.schedule(len(rows))
        lanes, net, first = Lanes.for_encoding(most), np.zeros(len(rows)), 0
        for size in sizes:
            lanes.open(size)
            chunk = np.ascontiguousarray(rows[first : first + size].T)
            own = known.rows(first, first + size)
            net[first : first + size] = self._encode_chunk(lanes, first, chunk, own)
            first += size
        return lanes, net, known

    def _encode_chunk(
        self, lanes: Lanes, first: int, symbols: np.ndarray, known: Known
    ) -> np.ndarray:
        """Code a row in each lane; return their net bits, shape (m,)."""
        q = self.posterior(symbols, known)
        cells = np.zeros((q.k, symbols.shape[1]), np.int64)
        net = np.zeros(symbols.shape[1])
        for j in range(q.k):
            lanes.mix(self._flips(j, first, len(net)), bits=BITS)
            drawn = q.find(j, lanes.target(len(net), bits=BITS))
            lanes.advance(drawn.start, drawn.freq, bits=BITS)
            cells[j] = drawn.symbol
            net -= drawn.bits(BITS)
        net += self.push_symbols(lanes, self._decoded(cells, known), symbols, known)
        net += self.prior.push(lanes, cells, self._flips(q.k, first, len(net)))
        known.push(lanes)
        return net

    def _decode_chunk(self, lanes: Lanes, first: int, m: int, known: Known) -> np.ndarray:
        """Return m rows, shape (m, n_features)."""
        known = known.popped(lanes, m)
        cells = self.prior.pop(lanes, self._flips(self.prior.grid.k, first, m))
        symbols = self.pop_symbols(lanes, self._decoded(cells, known), known)
        q = self.posterior(symbols, known)
        for j in range(q.k - 1, -1, -1):
            drawn: Intervals = q.intervals(j, cells[j])
            lanes.push(drawn.start, drawn.freq, bits=BITS)
            lanes.mix(self._flips(j, first, m), bits=BITS)
        return known.restored(symbols)

    def push_symbols(
        self, lanes: Lanes, outputs: np.ndarray, symbols: np.ndarray, known: Known
    ) -> np.ndarray:
        """Put symbols (d, m) under p(x | z) of decoder outputs; return their bits, shape (m,)."""
        net = np.zeros(symbols.shape[1])
        for part in reversed(self.parts):
            own = outputs[part.first : part.last]
            counted = symbols[part.columns] - part.low[:, None]
            if isinstance(part.family, AbstractJoint):
                net += part.family.push(lanes, own, counted)
            else:
                gaps = None if known.missing is None else known.missing[part.columns]
                net += _push(lanes, part.family, own, counted, gaps)
        return net

    def pop_symbols(self, lanes: Lanes, outputs: np.ndarray, known: Known) -> np.ndarray:
        """Undo :meth:`push_symbols`: return symbols (d, m), typical ones where some are missing."""
        m = outputs.shape[1]
        symbols = np.empty((self.d, m), np.int64)
        for part in self.parts:
            own = outputs[part.first : part.last]
            if isinstance(part.family, AbstractJoint):
                symbols[part.columns] = part.family.pop(lanes, own) + part.low[:, None]
            else:
                gaps = None if known.missing is None else known.missing[part.columns]
                found = _pop(lanes, part.family, own, gaps) + part.low[:, None]
                if gaps is not None:
                    np.copyto(found, self._typical[part.columns, None], where=gaps)
                symbols[part.columns] = found
        return symbols

    @property
    def _typical(self) -> np.ndarray:
        gaps = self.beside.gaps
        return np.zeros(self.d, np.int64) if gaps is None else gaps.typical

    def _flips(self, j: int, first: int, m: int) -> np.ndarray:
        """Words that make the draw of latent j uniform, for m rows from ``first`` on.

        That of a mixture's component has the number after the last latent's.
        """
        rows = np.arange(first + 1, first + m + 1, dtype=np.uint64)
        return random_words(rows * np.uint64(self.prior.grid.k + 1) + np.uint64(j))

    def posterior(self, symbols: np.ndarray, known: Known) -> Posterior:
        """Return q(z | x) of symbols (d, m)."""
        inputs = self.beside.encoder_inputs(self.inputs(symbols), symbols, known)
        return Posterior(self.encoder(inputs), self.prior.grid)

    def _decoded(self, cells: np.ndarray, known: Known) -> np.ndarray:
        return self.outputs(self.prior.grid.places(cells), known)

    def outputs(self, places: np.ndarray, known: Known) -> np.ndarray:
        """Return the decoder's outputs of latents (k, m) in 2^-16 that the grid reaches."""
        z = places * 2.0 ** (self.latent_bits - PLACE_BITS)
        return self.decoder(self.beside.with_covariates(np.floor(z, out=z), known))

    def schedule(self, n_rows: int) -> tuple[int, list[int]]:
        """Return the lanes of n_rows rows, and the rows of each chunk in the order of encoding."""
        lanes = n_lanes(n_rows, self._width)
        put = sum(part.family.d * part.family.taken for part in self.parts)
        return lanes, chunk_sizes(n_rows, lanes, d=max(1, int(put)), k=self.prior.grid.k)

    @property
    def _width(self) -> int:
        """Numbers that a row takes in the coder's largest array."""
        return max(self.d, self.decoder.layers[-1].n_out)

    def checked(self, symbols: np.ndarray) -> np.ndarray:
        """Return symbols as int64, or raise ``DataError`` for another shape or type."""
        rows = np.asarray(symbols)
        if rows.ndim != 2 or rows.shape[1] != self.n_features or rows.dtype.kind not in "iub":
            raise DataError(
                f"Symbols must be whole numbers of shape (n, {self.n_features}); got "
                f"{rows.dtype} of shape {rows.shape}. Map the data to the model's grid first."
            )
        return rows.astype(np.int64, copy=False)

    def to_bytes(self) -> bytes:
        """Return the integer model."""
        state: dict[str, Any] = {
            "inputs": self.inputs.state(),
            "encoder": network_state(self.encoder),
            "decoder": network_state(self.decoder),
            "prior": self.prior.state(),
            "parts": [part.state() for part in self.parts],
            "latent_bits": self.latent_bits,
            **self.beside.state(),
        }
        return pack(state)

    def fingerprint(self) -> str:
        """Return the SHA-256 of :meth:`to_bytes`, in hexadecimal."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def _push(
    lanes: Lanes,
    family: AbstractFamily,
    outputs: np.ndarray,
    symbols: np.ndarray,
    gaps: np.ndarray | None,
) -> np.ndarray:
    """Code the symbols (d, m) of a family of intervals; return their bits, shape (m,)."""
    each, net = family.intervals(outputs, symbols), np.zeros(symbols.shape[1])
    if gaps is not None:
        each = each.without(gaps, family.bits)
    for j in range(family.d - 1, -1, -1):
        if family.escape is not None:
            rest = symbols[j] - family.escape
            net += push_rest(lanes, rest if gaps is None else np.where(gaps[j], -1, rest))
        lanes.push(each.start[j], each.freq[j], bits=family.bits)
    return net + each.bits(family.bits).sum(axis=0)


def _pop(
    lanes: Lanes, family: AbstractFamily, outputs: np.ndarray, gaps: np.ndarray | None
) -> np.ndarray:
    """Undo :func:`_push`: return symbols (d, m), any where there are gaps."""
    m, reader = outputs.shape[1], family.reader(outputs)
    symbols = np.empty((family.d, m), np.int64)
    for j in range(family.d):
        found = reader.find(j, lanes.target(m, bits=family.bits))
        own = None if gaps is None else gaps[j]
        if own is not None:
            found = found.without(own, family.bits)
        lanes.advance(found.start, found.freq, bits=family.bits)
        symbols[j] = found.symbol
        if family.escape is not None:
            escaped = found.symbol == family.escape
            symbols[j] += pop_rest(lanes, escaped if own is None else escaped & ~own)
    return symbols
