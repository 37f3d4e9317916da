"""What a compressed file would take, beside the ELBO of its rows."""

import dataclasses
import io
import math
from typing import Any

import numpy as np

from wellposed._errors import SettingError
from wellposed.coding.protocol import MISSING

from .._words import Progress
from .conditional import covariate_names
from .containers import cells_of
from .files import compress_into, rows_a_block
from .models import divisors, plan_for


@dataclasses.dataclass(frozen=True)
class CompressionEstimate:
    """The parts of a compressed file, in bytes; ``print`` shows them.

    Parameters
    ----------
    n_rows, n_values : number of rows, and of the values of the model's features in them
    raw : bytes of the rows
    elbo : −ELBO of the rows that the model can code
    net : of these rows under the integer model: −ELBO, and what rounding it and z costs
    initial : bits that stand in for earlier rows, once a block
    states : the last states of the coder, once a block
    apart : missing marks and covariates, which −ELBO does not count
    n_apart : rows that the model cannot code, or not all cells of them, which are stored apart
    coded : the whole file, without a model inside
    blocks, by_model : number of blocks, and of those that are smaller with the model
    model : the model, if it is put into the file
    """

    n_rows: int
    n_values: int
    raw: int
    elbo: float
    net: float
    initial: float
    states: float
    apart: float
    n_apart: int
    coded: int
    blocks: int
    by_model: int
    model: int

    @property
    def bits_per_value(self) -> float:
        """Bits of the file for each value."""
        return 8 * self.coded / max(1, self.n_values)

    @property
    def overhead(self) -> float:
        """Bytes of the file over −ELBO, as a share of it; NaN where that is not above zero."""
        return (self.coded - self.elbo) / self.elbo if self.elbo > 0 else math.nan

    def __str__(self) -> str:
        rest = self.coded - self.net - self.initial - self.states - self.apart
        parts = [
            ("rows", self.raw),
            ("−ELBO", self.elbo),
            ("+ integer model", self.net - self.elbo),
            ("+ initial bits", self.initial),
            ("+ coder states", self.states),
            ("+ missing marks, covariates", self.apart),
            ("+ container, apart", rest),
            ("file", self.coded),
        ]
        others = self.blocks - self.by_model
        if others:
            parts[6] = (f"{others} of {self.blocks} blocks without", rest)
        if not self.apart:
            del parts[5]
        lines = [f"{name:28}{value:14,.0f} bytes" for name, value in parts]
        lines[-1] += f", {self.bits_per_value:.4f} bits a value, {self.overhead:+.2%} over −ELBO"
        if self.n_apart:
            lines.append(f"{'rows apart':28}{self.n_apart:14,}")
        return "\n".join([*lines, f"{'model, if included':28}{self.model:14,} bytes"])


def estimate_compression(
    model: Any, X: Any, *, block_rows: int | None = None, progress: Progress = "auto"
) -> CompressionEstimate:
    """Compress rows, and compare the bytes with the ELBO, part by part.

    Parameters
    ----------
    model : fitted :class:`wellposed.VAE`
    X : array of shape (n, ...), or frame, as of :func:`wellposed.compress`
    block_rows : rows a block
    progress : whether to show a bar

    Raises
    ------
    SettingError
        If the model cannot be coded with.
    """
    if not hasattr(model, "elbo"):
        raise SettingError(
            f"An estimate needs the ELBO of a fitted VAE; got a {type(model).__name__}. Pass the "
            "estimator itself."
        )
    cells = cells_of(X)
    plan = plan_for(model, X, cells)
    coder: Any = plan.coder
    if plan.modelled is None:
        raise SettingError(
            "An estimate needs rows that the model codes; a column has no step. Round it first."
        )
    fine = np.log2(divisors(plan.modelled.codes))  # bits of real columns
    fine[len(fine) - len(covariate_names(model)) :] = 0
    steps = 0.0
    rows = rows_a_block(cells) if block_rows is None else block_rows
    net, initial, states, apart, inside = 0.0, 0.0, 0.0, 0.0, np.zeros(cells.n, bool)
    for low in range(0, cells.n, rows):
        symbols, off = plan.modelled.symbols(cells.rows(low, low + rows))
        kept = ~(coder.outside(symbols) | off.any(axis=1))
        rate = coder.rate(symbols[kept])
        steps += float(((symbols[kept] != MISSING) @ fine).sum())
        net += float(np.sum(rate.net))
        initial, states = initial + rate.initial, states + rate.states
        apart += rate.apart
        inside[low : low + rows] = kept
    sizes = compress_into(io.BytesIO(), model, X, block_rows=block_rows, progress=progress)
    elbo = model.elbo(_some(X, inside)) if inside.any() else 0.0
    return CompressionEstimate(
        n_rows=cells.n,
        n_values=cells.n * coder.n_features,
        raw=sizes.rows,
        elbo=(steps - float(np.sum(elbo, dtype=np.float64)) / math.log(2.0)) / 8,
        net=net / 8,
        initial=initial / 8,
        states=states / 8,
        apart=apart / 8,
        n_apart=int((~inside).sum()),
        coded=sizes.file,
        blocks=sizes.blocks,
        by_model=sizes.by_model,
        model=len(coder.to_bytes()),
    )


def _some(X: Any, rows: np.ndarray) -> Any:
    """Return some rows, images as (n, d)."""
    if isinstance(X, np.ndarray):
        return X[rows].reshape(int(rows.sum()), -1)
    return X.filter(rows) if type(X).__module__.startswith("polars") else X[rows]
