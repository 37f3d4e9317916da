"""Uniform cells of latents, and the places that stand for them."""

import dataclasses

import numpy as np

from wellposed._errors import DamagedFileError

from ..container.varint import Cursor, pack_number

_SHARE_BITS = 8
_MOST = 2**40  # of steps and centres
MOST_CELLS = 2**15  # on each side of the centre


@dataclasses.dataclass(frozen=True, eq=False)
class Quantiser:
    """Cells of equal width of each latent, numbered from the one in the middle.

    A place is the middle of its cell, moved towards the centre by a share of the width: the
    latents of a cell are nearer there, as a rule.

    Parameters
    ----------
    step : width of the cells, int64, shape (k,), in 2^-16; 0 for a latent that is one cell
    centre : of cell 0, int64, shape (k,), in 2^-16
    towards : share of the width, int64, shape (k,), in 2^-8, below one half

    Examples
    --------
    >>> quantiser = Quantiser(*(np.array([each]) for each in (100, 7, 64)))
    >>> cells = quantiser.cells(np.array([[7.0, 60.0, -300.0]]))
    >>> cells.tolist(), quantiser.places(cells).tolist()
    ([[0, 1, -3]], [[7.0, 82.0, -268.0]])
    """

    step: np.ndarray
    centre: np.ndarray
    towards: np.ndarray

    @property
    def active(self) -> np.ndarray:
        """The latents that have more cells than one."""
        return np.flatnonzero(self.step)

    def cells(self, means: np.ndarray) -> np.ndarray:
        """Return the cells of means in 2^-16, int64, shape (k, m)."""
        step = np.maximum(self.step, 1)[:, None]
        away = means.astype(np.int64) - self.centre[:, None]
        cells = (2 * away + step) // (2 * step)
        return np.where(self.step[:, None] > 0, np.clip(cells, -MOST_CELLS, MOST_CELLS), 0)

    def places(self, cells: np.ndarray) -> np.ndarray:
        """Return what stands for cells (k, m), whole numbers of 2^-16, float64."""
        step, nearer = self.step[:, None], (self.towards * self.step >> _SHARE_BITS)[:, None]
        return (self.centre[:, None] + step * cells - nearer * np.sign(cells)).astype(np.float64)

    def pack(self) -> bytes:
        """Write it: of each latent the step and the centre, and of those with cells the share."""
        parts = []
        for step, centre, towards in zip(self.step, self.centre, self.towards, strict=True):
            parts += [pack_number(int(step)), pack_number(folded(int(centre)))]
            if step:
                parts.append(pack_number(int(towards)))
        return b"".join(parts)

    @classmethod
    def read(cls, cursor: Cursor, k: int) -> "Quantiser":
        """Read what :meth:`pack` wrote of k latents."""
        rows = np.zeros((3, k), np.int64)
        for j in range(k):
            rows[0, j], rows[1, j] = cursor.number(), unfolded(cursor.number())
            rows[2, j] = cursor.number() if rows[0, j] else 0
        if np.abs(rows[:2]).max(initial=0) > _MOST or rows[2].max(initial=0) >= 2 ** (
            _SHARE_BITS - 1
        ):
            raise DamagedFileError("the cells of a latent are not those of any model.")
        return cls(*rows)

    @classmethod
    def fitted(cls, means: np.ndarray, step: np.ndarray, centre: np.ndarray) -> "Quantiser":
        """Return the cells of given widths, with the shares that suit means of shape (k, m)."""
        bare = cls(step, centre, np.zeros_like(step))
        cells = bare.cells(means)
        outer = np.abs(cells)
        away = np.abs(means - centre[:, None]) / np.maximum(step, 1)[:, None]
        short = ((outer - away) * (outer > 0)).sum(axis=1) / np.maximum((outer > 0).sum(axis=1), 1)
        limit = 2 ** (_SHARE_BITS - 1) - 1
        towards = np.clip(np.rint(short * 2.0**_SHARE_BITS), 0, limit).astype(np.int64)
        alone = ~outer.any(axis=1)
        return cls(np.where(alone, 0, step), centre, np.where(alone, 0, towards))


def folded(value: int) -> int:
    """Return 0, 1, 2, 3, 4, … for 0, −1, 1, −2, 2, …"""
    return 2 * value if value >= 0 else -2 * value - 1


def unfolded(value: int) -> int:
    """Undo :func:`folded`."""
    return value // 2 if value % 2 == 0 else -(value + 1) // 2
