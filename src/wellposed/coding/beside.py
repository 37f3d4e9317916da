"""What networks have beside the inputs of features: gaps, indicators of levels, covariates."""

import dataclasses
from typing import Any

import numpy as np

from wellposed._errors import DamagedFileError

from .ans import Lanes
from .container.sections import Group, pack_section, read_section
from .container.varint import Cursor
from .fillings import Filling
from .inputs import Inputs
from .protocol import MISSING

# How marks of missing entries are written: before the rows, or with each chunk of them.
_APART, _WITH_ROWS = 0, 1
_BITS = 24
_FREE = np.uint64(_BITS - 8)
_MARKS, _NUMBERS = np.dtype("u1"), np.dtype("<i8")


@dataclasses.dataclass(frozen=True)
class Gaps:
    """Missing entries as the encoder's input has them.

    Parameters
    ----------
    typical : symbols within the support, int64, shape (d,), that stand in their places
    low, high : limits of the encoder's inputs, int64, shape (d,)
    filling : conditional means, or None
    mark : what the encoder has of a missing entry after the inputs; 0 where it has nothing
    """

    typical: np.ndarray
    low: np.ndarray
    high: np.ndarray
    filling: Filling | None
    mark: int

    @property
    def limit(self) -> np.ndarray:
        """Largest absolute value of :meth:`marks`, shape (d,) or (0,)."""
        return np.full(len(self.typical) if self.mark else 0, float(abs(self.mark)))

    def filled(self, inputs: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Return the inputs of whole rows, shape (d, m), with conditional means in the gaps."""
        if self.filling is None:
            return inputs
        filled = self.filling(inputs, missing)
        return np.clip(filled, self.low[:, None], self.high[:, None])

    def marks(self, missing: np.ndarray) -> np.ndarray:
        """Return what follows the inputs, shape (d, m) or (0, m)."""
        return (missing if self.mark else missing[:0]) * float(self.mark)

    def state(self) -> dict[str, Any]:
        """Return what it is made of."""
        filling = None if self.filling is None else self.filling.state()
        return {**vars(self), "filling": filling}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Gaps":
        """Undo :meth:`state`."""
        own: dict[str, Any] = dict(state)
        own["filling"] = None if own["filling"] is None else Filling(**own["filling"])
        return cls(**own)


@dataclasses.dataclass(frozen=True)
class Levels:
    """Indicators of levels without an order, as the encoder's input has them.

    Parameters
    ----------
    column : of each indicator, its column, int64, shape (e,)
    level : the symbol that it indicates, int64, shape (e,)
    one : its value there; it is 0 elsewhere, and where the entry is missing
    """

    column: np.ndarray
    level: np.ndarray
    one: int

    @property
    def limit(self) -> np.ndarray:
        """Largest value of each indicator, shape (e,)."""
        return np.full(len(self.level), float(self.one))

    def __call__(self, symbols: np.ndarray, missing: np.ndarray | None) -> np.ndarray:
        """Return the indicators (e, m) of symbols (d, m), float64 that hold integers."""
        shown = symbols[self.column] == self.level[:, None]
        if missing is not None:
            shown &= ~missing[self.column]
        return shown * float(self.one)

    def state(self) -> dict[str, Any]:
        """Return what they are made of."""
        return dict(vars(self))


@dataclasses.dataclass(frozen=True)
class Given:
    """Covariates as both networks have them.

    Parameters
    ----------
    n : number of columns
    column : of each number that the networks have, its column, int64, shape (c,)
    level : the symbol that it indicates, shape (c,); MISSING for the map of a number
    inputs : of numbers, and of indicators
    """

    n: int
    column: np.ndarray
    level: np.ndarray
    inputs: Inputs

    def __call__(self, symbols: np.ndarray) -> np.ndarray:
        """Return the networks' inputs (c, m), float64 that hold integers, of symbols (n, m)."""
        own, level = symbols[self.column], self.level[:, None]
        return self.inputs(np.where(level == MISSING, own, own == level))

    def state(self) -> dict[str, Any]:
        """Return what it is made of."""
        return {**vars(self), "inputs": self.inputs.state()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Given":
        """Undo :meth:`state`."""
        own: dict[str, Any] = dict(state)
        own["inputs"] = Inputs(**own["inputs"])
        return cls(**own)


@dataclasses.dataclass(frozen=True)
class Known:
    """What is known of rows before they are decoded; each None where a model has none.

    Parameters
    ----------
    missing : bool, shape (d, m)
    covariates : symbols, int64, shape (n, m)
    shares : of missing entries of each feature, of 256, uint8, shape (d,); where they are given,
        the marks are coded with the rows, and else before them
    """

    missing: np.ndarray | None = None
    covariates: np.ndarray | None = None
    shares: np.ndarray | None = None

    def rows(self, first: int, last: int) -> "Known":
        """Return that of some rows."""
        missing = None if self.missing is None else self.missing[:, first:last]
        covariates = None if self.covariates is None else self.covariates[:, first:last]
        return Known(missing, covariates, self.shares)

    def restored(self, symbols: np.ndarray) -> np.ndarray:
        """Return rows (m, d + n) of features (d, m), with gaps and covariates."""
        features = symbols if self.missing is None else np.where(self.missing, MISSING, symbols)
        both = [features] if self.covariates is None else [features, self.covariates]
        return np.concatenate(both).T

    def pack(self) -> bytes:
        """Write it: shares or a section of the marks in bits, and a section of the covariates."""
        parts = []
        if self.missing is not None and self.shares is None:
            parts += [bytes([_APART]), pack_section(np.packbits(self.missing.T, axis=0))]
        elif self.shares is not None:
            parts += [bytes([_WITH_ROWS]), self.shares.tobytes()]
        if self.covariates is not None:
            parts.append(pack_section(np.ascontiguousarray(self.covariates.T, _NUMBERS)))
        return b"".join(parts)

    @property
    def bits(self) -> float:
        """Bits of the marks that are coded with the rows."""
        if self.missing is None or self.shares is None:
            return 0.0
        return float(_bits(self.missing, self.shares))

    def push(self, lanes: Lanes) -> None:
        """Code the marks of a chunk, if they are coded with the rows."""
        if self.missing is None or self.shares is None:
            return
        for j in np.flatnonzero(self.shares)[::-1]:
            lanes.push(*_interval(self.missing[j], int(self.shares[j])), bits=_BITS)

    def popped(self, lanes: Lanes, m: int) -> "Known":
        """Return it with the marks of :meth:`push`, of m rows."""
        if self.shares is None:
            return self
        missing = np.zeros((len(self.shares), m), bool)
        for j in np.flatnonzero(self.shares):
            missing[j] = lanes.target(m, bits=_BITS) < np.uint64(self.shares[j]) << _FREE
            lanes.advance(*_interval(missing[j], int(self.shares[j])), bits=_BITS)
        return dataclasses.replace(self, missing=missing)


def _interval(missing: np.ndarray, share: int) -> tuple[np.ndarray, np.ndarray]:
    """Start and frequency of marks of one feature."""
    of_gaps = np.uint64(share) << _FREE
    start = np.where(missing, np.uint64(0), of_gaps)
    return start, np.where(missing, of_gaps, np.uint64(1 << _BITS) - of_gaps)


def _shares(missing: np.ndarray) -> np.ndarray | None:
    """Return shares of 256 of the entries that are missing; None where marks take less apart."""
    n = max(missing.shape[1], 1)
    count = missing.sum(axis=1)
    shares = np.where(count > 0, np.clip(np.rint(256.0 * count / n), 1, 255), 0).astype(np.uint8)
    apart = len(pack_section(np.packbits(missing.T, axis=0)))
    return shares if len(shares) + _bits(missing, shares) / 8 < apart else None


def _bits(missing: np.ndarray, shares: np.ndarray) -> float:
    share = np.maximum(shares, 1) / 256.0
    count, n = missing.sum(axis=1), missing.shape[1]
    each = -count * np.log2(share) - (n - count) * np.log2(1.0 - share)
    return float(each[shares > 0].sum())


@dataclasses.dataclass(frozen=True)
class Beside:
    """What a model has beside the features that it codes.

    Parameters
    ----------
    gaps : None for a model of whole rows
    given : None for a model without covariates
    levels : None for an encoder without indicators of levels
    """

    gaps: Gaps | None = None
    given: Given | None = None
    levels: Levels | None = None

    @property
    def n_given(self) -> int:
        """Number of columns of covariates, which follow the features."""
        return 0 if self.given is None else self.given.n

    def known(self, rows: np.ndarray) -> tuple[np.ndarray, Known]:
        """Return the features of rows (n, d + n_given), without gaps, and what is beside them."""
        d = rows.shape[1] - self.n_given
        features, missing = rows[:, :d], None
        if self.gaps is not None:
            missing = features == MISSING
            features = np.where(missing, self.gaps.typical, features)
            missing = np.ascontiguousarray(missing.T)
        covariates = None if self.given is None else np.ascontiguousarray(rows[:, d:].T)
        shares = None if missing is None else _shares(missing)
        return features, Known(missing, covariates, shares)

    def read(self, payload: bytes, n_rows: int, d: int) -> tuple[Known, bytes]:
        """Return what :meth:`Known.pack` wrote of rows of d features, and the bytes after it."""
        missing = covariates = shares = None
        cursor = Cursor(payload)
        way = cursor.byte() if self.gaps is not None else None
        if way == _WITH_ROWS:
            shares = np.frombuffer(cursor.take(d), np.uint8)
        elif way == _APART:
            bits = read_section(cursor, -(-n_rows // 8), Group(_MARKS, d))
            every = np.unpackbits(bits, axis=0, count=8 * len(bits)).astype(bool)
            if every[n_rows:].any():
                raise DamagedFileError("an entry is missing in a row that does not exist.")
            missing = np.ascontiguousarray(every[:n_rows].T)
        elif way is not None:
            raise DamagedFileError(f"marks of missing entries are of the kind {way}.")
        if self.given is not None:
            numbers = read_section(cursor, n_rows, Group(_NUMBERS, self.given.n))
            covariates = np.ascontiguousarray(numbers.T)
        return Known(missing, covariates, shares), bytes(cursor.take(cursor.left))

    def encoder_inputs(self, inputs: np.ndarray, symbols: np.ndarray, known: Known) -> np.ndarray:
        """Return the encoder's inputs from those of whole rows and their symbols, (d, m) each."""
        parts, missing = [inputs], known.missing
        if self.gaps is not None and missing is not None:
            parts = [self.gaps.filled(inputs, missing), self.gaps.marks(missing)]
        if self.levels is not None:
            parts.insert(1, self.levels(symbols, missing))
        whole = np.concatenate(parts) if len(parts) > 1 else inputs
        return self.with_covariates(whole, known)

    def with_covariates(self, inputs: np.ndarray, known: Known) -> np.ndarray:
        """Return the inputs of a network, and the covariates after them."""
        if self.given is None or known.covariates is None:
            return inputs
        return np.concatenate([inputs, self.given(known.covariates)])

    def limits(self, inputs: np.ndarray, *, marks: bool) -> np.ndarray:
        """Return the largest absolute inputs of a network, those beside its own after them."""
        parts = [inputs]
        if self.levels is not None and marks:
            parts.append(self.levels.limit)
        if self.gaps is not None and marks:
            parts.append(self.gaps.limit)
        if self.given is not None:
            parts.append(self.given.inputs.limit)
        return np.concatenate(parts)

    def state(self) -> dict[str, Any]:
        """Return what it is made of; of a model that has none of it, nothing."""
        parts = {"gaps": self.gaps, "given": self.given, "levels": self.levels}
        return {name: part.state() for name, part in parts.items() if part is not None}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> "Beside":
        """Undo :meth:`state`."""
        gaps, given, levels = (state.get(name) for name in ("gaps", "given", "levels"))
        return cls(
            None if gaps is None else Gaps.from_state(gaps),
            None if given is None else Given.from_state(given),
            None if levels is None else Levels(**levels),
        )
