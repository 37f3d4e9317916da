"""Rows in model units, in float64 and piece by piece, for models with an exact solution."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from wellposed._budget import at_once, slices
from wellposed._typing import Point, PRNGKey
from wellposed.sources import SlicedRows
from wellposed.transforms import AbstractTransform, Identity, Transformed

from .._rows import over_rows

Sliceable = np.ndarray | SlicedRows  # rows that are sliced in order

_ROWS = 4096  # largest number of rows in a piece


@dataclasses.dataclass(frozen=True)
class ModelUnits:
    """A fitted transform and the key of its dequantisation. NaN is a gap, and stays one.

    Parameters
    ----------
    transform : map from data units to model units
    key : PRNG key; None for a transform without random draws

    Examples
    --------
    >>> values, log_det = ModelUnits(Identity()).whole(np.array([[1, 2], [3, 4]]))
    >>> values.tolist(), log_det.tolist()
    ([[1.0, 2.0], [3.0, 4.0]], [0.0, 0.0])
    """

    transform: AbstractTransform
    key: Any = None

    def pieces(self, rows: Sliceable) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield values (m, d) in model units and log |det dT/dx| (m,) of successive rows.

        In rows with gaps, the determinant is that of the observed entries.

        Parameters
        ----------
        rows : array of shape (n, d), data units, or those of a source
        """
        for part in slices(len(rows), at_once(rows.shape[1], _ROWS)):
            piece = rows[part]
            if isinstance(self.transform, Identity):
                yield np.asarray(piece, np.float64), np.zeros(len(piece))
                continue
            gappy = piece.dtype.kind == "f" and bool(np.isnan(piece).any())
            visit = _mapped_observed if gappy else _mapped
            with jax.enable_x64(True):
                mapped = over_rows(visit, self.transform, piece, key=self.key)
            yield mapped.value, mapped.log_det

    def whole(self, rows: Sliceable) -> tuple[np.ndarray, np.ndarray]:
        """Return all values (n, d) in model units and log |det dT/dx| (n,).

        Parameters
        ----------
        rows : array of shape (n, d), data units
        """
        values, log_dets = zip(*self.pieces(rows), strict=True)
        return np.concatenate(values), np.concatenate(log_dets)

    def back(self, values: np.ndarray) -> np.ndarray:
        """Return values (n, d) in data units.

        Parameters
        ----------
        values : array of shape (n, d), model units
        """
        if isinstance(self.transform, Identity):
            return values
        with jax.enable_x64(True):
            return over_rows(_unmapped, self.transform, values, key=self.key)


IDENTITY = ModelUnits(Identity())
"""Model units that are the data units: rows are neither shifted nor scaled."""


def _mapped(transform: AbstractTransform, x: Point, *, key: PRNGKey) -> Any:
    return transform.forward(x, key=key)


def _mapped_observed(transform: AbstractTransform, x: Point, *, key: PRNGKey) -> Transformed:
    """Map the observed entries; every transform maps each entry by itself."""
    seen = ~jnp.isnan(x)
    anywhere = transform.inverse(jnp.zeros_like(x))  # within the domain
    complete = jnp.where(seen, x, anywhere)
    value, slope = jax.jvp(
        lambda point: transform.forward(point, key=key).value,
        (complete,),
        (jnp.ones_like(x),),
    )
    log_slope = jnp.where(seen, jnp.log(jnp.abs(slope)), 0.0)
    return Transformed(jnp.where(seen, value, jnp.nan), jnp.sum(log_slope))


def _unmapped(transform: AbstractTransform, y: Point, *, key: PRNGKey) -> jax.Array:
    del key
    return jnp.asarray(transform.inverse(y))
