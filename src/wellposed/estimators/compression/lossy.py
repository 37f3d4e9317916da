"""Targets of lossy compression, and what comes of them."""

import dataclasses
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError
from wellposed.coding import BitsBackCodec
from wellposed.coding.container import Group, Modelled, coded_rows, read_block
from wellposed.coding.protocol import MISSING
from wellposed.coding.quantised import Finenesses, QuantisedCodec

from .conditional import covariate_names
from .containers import Cells
from .models import Plan, divisors

_SAMPLE_ROWS = 2048
_SAMPLE_NUMBERS = 2**22


@dataclasses.dataclass(frozen=True)
class Target:
    """What a lossy file must reach; nothing for a file without loss.

    Parameters
    ----------
    bits : of the latents of a row, on average
    rmse : root mean squared error, in units of the rows
    residual : whether the file keeps what the reconstruction lacks
    """

    bits: float | None = None
    rmse: float | None = None
    residual: bool = False

    def __post_init__(self):
        if self.bits is not None and self.rmse is not None:
            raise SettingError(
                "One target must be given; got both target_bits and target_rmse. Leave one out."
            )
        if self.residual and not self.is_lossy:
            raise SettingError(
                "keep_residual belongs to quantised latents; no target was given. Give "
                "target_bits or target_rmse, or leave it out: a file without them is exact."
            )
        for name, value in (("target_bits", self.bits), ("target_rmse", self.rmse)):
            if value is not None and not (_is_number(value) and 0 <= value < math.inf):
                raise SettingError(
                    f"{name} must be a number from 0 on; got {value!r}. Give bits a row, or an "
                    "error in the units of the rows."
                )

    @property
    def is_lossy(self) -> bool:
        """Whether there is a target."""
        return self.bits is not None or self.rmse is not None


def quantised_plan(plan: Plan, target: Target, cells: Cells, model: Any, block_rows: int) -> Plan:
    """Return a plan with the cells of latents that reach a target on a sample of the rows.

    Raises
    ------
    SettingError
        Without a model that rows are coded by, and for a target that cannot be reached.
    """
    if not target.is_lossy:
        return plan
    if plan.coder is None or plan.modelled is None:
        raise SettingError(
            "Lossy compression quantises the latents of a model that codes the rows; there is "
            "none. Pass a fitted VAE, with real columns rounded to the digits that count."
        )
    if not isinstance(plan.coder, BitsBackCodec):
        raise SettingError(
            f"Lossy compression needs a model with latents; got a {type(plan.coder).__name__}. "
            "Pass a fitted VAE, or leave the target out."
        )
    bare = QuantisedCodec(plan.coder, residual=target.residual)
    symbols, off = _sample(plan.modelled, bare, cells)
    if not len(symbols):
        return dataclasses.replace(plan, quantised=_of_nothing(bare))
    scale = scales(plan.modelled, model)
    tried = Finenesses(bare, symbols, np.where(off, 0.0, scale), min(block_rows, cells.n))
    fineness = _reached(tried, target, scale)
    quantised = dataclasses.replace(bare, quantiser=tried.quantiser(fineness))
    return dataclasses.replace(plan, quantised=quantised)


def scales(modelled: Modelled, model: Any) -> np.ndarray:
    """Return a symbol's size in the units of its column; 0 for covariates and for levels."""
    scale = 1.0 / divisors(modelled.codes)
    scale[len(scale) - len(covariate_names(model)) :] = 0.0
    scale[list(modelled.tables)] = 0.0
    return scale


class Errors:
    """Bits and squared errors of rows that came back changed.

    Parameters
    ----------
    plan, scale : of the rows
    """

    def __init__(self, plan: Plan, scale: np.ndarray):
        assert plan.modelled is not None
        assert plan.quantised is not None
        self._modelled, self._codec, self._scale = plan.modelled, plan.quantised, scale
        self._sum, self._count = 0.0, 0
        self._latent_bytes, self._rows = 0, 0

    def add_block(self, before: Sequence[np.ndarray], body: bytes, groups: Sequence[Group]) -> None:
        """Take the rows of a block into account, and the body that they were written as."""
        n, (payload, n_apart) = len(before[0]), coded_rows(body)
        if payload:
            self._latent_bytes += self._codec.latent_bytes(payload, n - n_apart)
            self._rows += n - n_apart
        after = read_block(body, n, groups, self._modelled, None, self._codec)
        self.add(before, after)

    def add(self, before: Sequence[np.ndarray], after: Sequence[np.ndarray]) -> None:
        """Take the cells of rows into account."""
        symbols, coded = self.coded(before)
        away = (self._modelled.symbols(after)[0] - symbols)[coded].astype(np.float64)
        scale = np.broadcast_to(self._scale, coded.shape)[coded]
        self._sum += float(((away * scale) ** 2).sum())
        self._count += int(np.count_nonzero(scale))

    def coded(self, parts: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return the symbols of rows, and which of them a model codes."""
        symbols, off = self._modelled.symbols(parts)
        return symbols, ~(off | self._codec.outside(symbols)[:, None] | (symbols == MISSING))

    def same_elsewhere(self, before: Sequence[np.ndarray], after: Sequence[np.ndarray]) -> bool:
        """Whether all cells that the model does not code have the same bits."""
        coded = self.coded(before)[1]
        for g, (one, other) in enumerate(zip(before, after, strict=True)):
            differs = _bits(one) != _bits(other)
            mine = np.flatnonzero(self._modelled.groups == g)
            differs[:, self._modelled.columns[mine]] &= ~coded[:, mine]
            if differs.any():
                return False
        return True

    @property
    def bits(self) -> float:
        """Bits of the latents of a row that has them, with the tables of their cells."""
        return 8 * self._latent_bytes / max(1, self._rows)

    @property
    def rmse(self) -> float:
        """Root mean squared error of the cells that the model codes."""
        return math.sqrt(self._sum / self._count) if self._count else 0.0


def _bits(cells: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(cells).view(f"u{cells.dtype.itemsize}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def _sample(
    modelled: Modelled, codec: QuantisedCodec, cells: Cells
) -> tuple[np.ndarray, np.ndarray]:
    """Symbols of rows at equal distances that the model codes, and which of them are exact."""
    most = max(1, min(_SAMPLE_ROWS, _SAMPLE_NUMBERS // max(1, len(modelled.columns))))
    rows = np.unique(np.linspace(0, max(0, cells.n - 1), min(most, cells.n)).astype(np.int64))
    symbols, off = modelled.symbols([part[rows] for part in cells.parts])
    inside = ~codec.outside(symbols)
    return symbols[inside], off[inside]


def _of_nothing(codec: QuantisedCodec) -> QuantisedCodec:
    from wellposed.coding.quantised import Quantiser

    nothing = np.zeros(codec.codec.prior.grid.k, np.int64)
    return dataclasses.replace(codec, quantiser=Quantiser(nothing, nothing, nothing))


def _reached(tried: Finenesses, target: Target, scale: np.ndarray) -> int:
    """Return the fineness of a target, or raise ``SettingError``."""
    if target.bits is not None:
        low, high = tried.bits(0), tried.bits(tried.finest)
        if not low <= target.bits <= high:
            raise SettingError(
                f"target_bits must be within what these rows and this model reach, {low:.4g} to "
                f"{high:.4g} bits a row; got {target.bits:g}. Give another, or a model with "
                f"{'fewer' if target.bits < low else 'more'} latents."
            )
        return tried.for_bits(target.bits)
    assert target.rmse is not None
    if not scale.any():  # levels alone
        raise DataError(
            "target_rmse needs columns of numbers; the model's columns are levels. Give "
            "target_bits."
        )
    low, high = tried.rmse(tried.finest), tried.rmse(0)
    if not low <= target.rmse <= high:
        remedy = (
            "or keep_residual=True, which makes the file exact at any target"
            if target.rmse < low
            else "or target_bits"
        )
        raise SettingError(
            f"target_rmse must be within what these rows and this model reach, {low:.4g} (latents "
            f"not quantised) to {high:.4g} (no latents); got {target.rmse:g}. Give another, "
            f"{remedy}."
        )
    return tried.for_rmse(target.rmse)
