"""What a compressed file would take, beside the ELBO of its rows."""

import dataclasses
import io
import math
from typing import Any

import numpy as np

from wellposed._errors import SettingError

from .._words import Progress
from .containers import cells_of
from .files import compress_into, rows_a_block
from .models import coder_of, plan_for

_BITS = math.log(2.0)


@dataclasses.dataclass(frozen=True)
class CompressionEstimate:
    """The parts of a compressed file, in bytes; ``print`` shows them.

    Parameters
    ----------
    n_rows : number of rows
    n_values : number of values
    raw : bytes of the rows
    elbo : −ELBO of the rows, in bytes
    net : of the rows under the integer model: −ELBO, and what rounding it and z costs
    initial : bits that stand in for earlier rows, once a block
    states : the last states of the coder, once a block
    apart : rows and cells that the model cannot code
    container : header, lengths, checksums and index
    model : of the model, if it is put into the file
    coded : bytes of the whole file, without the model inside
    """

    n_rows: int
    n_values: int
    raw: int
    elbo: float
    net: float
    initial: float
    states: float
    apart: float
    container: float
    model: int
    coded: int

    @property
    def bits_per_value(self) -> float:
        """Bits of the file for each value."""
        return 8 * self.coded / max(1, self.n_values)

    def __str__(self) -> str:
        overhead = (self.coded - self.elbo) / self.elbo if self.elbo > 0 else float("nan")
        parts = (
            ("rows", self.raw),
            ("−ELBO", self.elbo),
            ("+ integer model", self.net - self.elbo),
            ("+ initial bits", self.initial),
            ("+ coder states", self.states),
            ("+ apart, container", self.apart + self.container),
            ("file", self.coded),
        )
        lines = [f"{name:22}{value:14,.0f} bytes" for name, value in parts]
        lines[-1] += f", {self.bits_per_value:.4f} bits a value, {overhead:+.2%} over −ELBO"
        return "\n".join([*lines, f"{'model, if included':22}{self.model:14,.0f} bytes"])


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
    cells, coder = cells_of(X), coder_of(model)
    plan = plan_for(model, X, cells)
    assert plan.modelled is not None
    rows = rows_a_block(cells) if block_rows is None else block_rows
    net, initial, states, coded = 0.0, 0.0, 0.0, 0
    for low in range(0, cells.n, rows):
        symbols, _ = plan.modelled.symbols(cells.rows(low, low + rows))
        rate = coder.rate(symbols[~coder.outside(symbols)])  # type: ignore[attr-defined]
        net += float(np.sum(rate.net))
        initial, states = initial + rate.initial, states + rate.states
        coded += rate.coded // 8
    file = io.BytesIO()
    sizes = compress_into(file, coder, X, block_rows=block_rows, progress=progress)
    data = X.reshape(len(X), -1) if isinstance(X, np.ndarray) else X
    elbo = -float(np.sum(model.elbo(data), dtype=np.float64)) / _BITS / 8
    return CompressionEstimate(
        n_rows=cells.n,
        n_values=cells.n * coder.n_features,
        raw=sizes.rows,
        elbo=elbo,
        net=net / 8,
        initial=initial / 8,
        states=states / 8,
        apart=0.0,
        container=float(sizes.file - coded),
        model=len(coder.to_bytes()),
        coded=sizes.file,
    )
