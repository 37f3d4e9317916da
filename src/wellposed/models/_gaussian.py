"""The multivariate Gaussian with a full covariance, of rows with gaps."""

import dataclasses
from collections.abc import Iterator
from functools import cached_property

import jax
import numpy as np

from wellposed._budget import at_once
from wellposed._typing import PRNGKey
from wellposed.numerics import LOG_2PI

from ._marginal import GappyRows

_ROWS = 4096  # largest number of rows at a time


@dataclasses.dataclass(frozen=True, eq=False)
class Filled:
    r"""Missing entries of some rows given their observed ones, x_m | x_o ~ N(m, C).

    With K = Σ⁻¹, C = K_mm⁻¹ and m = μ_m − C K_mo (x_o − μ_o); and
    log p(x_o) = ½ [log det K − log det K_mm − d_o log 2π − (x̂ − μ)ᵀK(x̂ − μ)] for x̂ = (x_o, m).

    Parameters
    ----------
    rows : slice of the sorted rows
    values : x̂ − μ, shape (n, d)
    at : shape (p, m), the missing features of each set of gaps; d where there are fewer than m
    covariance : C of each set of gaps, shape (p, m, m); one on the diagonal where ``at`` is d
    pattern : shape (n,), which of these sets each row has
    log_density : log p(x_o), shape (n,), nats
    """

    rows: slice
    values: np.ndarray
    at: np.ndarray
    covariance: np.ndarray
    pattern: np.ndarray
    log_density: np.ndarray


@dataclasses.dataclass(frozen=True)
class GaussianModel:
    """x ~ N(μ, Σ), in model units and float64. NaN is a gap.

    Parameters
    ----------
    mean : μ, shape (d,)
    covariance : Σ, shape (d, d), positive definite

    References: Little & Rubin (2019), Statistical analysis with missing data, §11.2.

    Examples
    --------
    >>> model = GaussianModel(np.zeros(2), np.array([[1.0, 0.5], [0.5, 1.0]]))
    >>> mean, variance = model.conditional(np.array([[2.0, np.nan]]))
    >>> mean.round(9).tolist(), variance.round(9).tolist()
    ([[2.0, 1.0]], [[0.0, 0.75]])
    """

    mean: np.ndarray
    covariance: np.ndarray

    @cached_property
    def precision(self) -> np.ndarray:
        """K = Σ⁻¹, shape (d, d)."""
        return np.linalg.inv(self.covariance)

    @cached_property
    def _log_det(self) -> float:
        return float(np.linalg.slogdet(self.covariance)[1])

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        """log p of the observed entries of rows of shape (n, d): shape (n,), nats."""
        sorted_rows = GappyRows.of(rows)
        log_p = np.empty(len(rows))
        for part in self.filled(sorted_rows):
            log_p[sorted_rows.order[part.rows]] = part.log_density
        return log_p

    def conditional(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance of each entry given the observed ones of its row, each (n, d).

        Observed entries have themselves as mean, bit for bit, and variance zero.
        """
        mean, variance = np.array(rows, np.float64), np.zeros(np.shape(rows))
        sorted_rows = GappyRows.of(rows)
        for part in self.filled(sorted_rows):
            at = sorted_rows.order[part.rows]
            spread = np.zeros((len(part.at), len(self.mean) + 1))
            diagonals = np.diagonal(part.covariance, axis1=1, axis2=2)
            np.put_along_axis(spread, part.at, diagonals, axis=1)
            missing = np.isnan(rows[at])
            mean[at] = np.where(missing, part.values + self.mean, rows[at])
            variance[at] = np.where(missing, spread[part.pattern, :-1], 0.0)
        return mean, variance

    def conditional_draws(self, rows: np.ndarray, n_draws: int, *, key: PRNGKey) -> np.ndarray:
        """Draw the missing entries of rows (n, d) given the observed ones: (s, n, d)."""
        draws = np.empty((n_draws, *np.shape(rows)))
        with jax.enable_x64(True):
            noise = np.asarray(jax.random.normal(key, draws.shape))
        sorted_rows = GappyRows.of(rows)
        for part in self.filled(sorted_rows):
            at = sorted_rows.order[part.rows]
            root = np.linalg.cholesky(part.covariance)
            here = np.take_along_axis(
                np.concatenate([noise[:, at], np.zeros((n_draws, len(at), 1))], axis=2),
                np.broadcast_to(part.at[part.pattern], (n_draws, len(at), part.at.shape[1])),
                axis=2,
            )
            moves = np.einsum("nij,snj->sni", root[part.pattern], here)
            moved = np.zeros((n_draws, len(at), len(self.mean) + 1))
            np.put_along_axis(
                moved, np.broadcast_to(part.at[part.pattern], moves.shape), moves, axis=2
            )
            filled = part.values + self.mean + moved[:, :, :-1]
            draws[:, at] = np.where(np.isnan(rows[at]), filled, rows[at])
        return draws

    def filled(self, rows: GappyRows) -> Iterator[Filled]:
        """Yield the conditional distributions of successive pieces of rows."""
        d = len(self.mean)
        wide = np.zeros((d + 1, d + 1))
        wide[:d, :d] = self.precision
        counts = (d - rows.seen.sum(axis=1)).astype(int)
        start = 0
        while start < len(counts):
            # Rows are sorted by their number of gaps, and a piece is as long as its largest allows.
            length = at_once(max(d, int(counts[start]) ** 2), _ROWS)
            length = at_once(max(d, int(counts[start : start + length].max()) ** 2), _ROWS)
            part = slice(start, min(start + length, len(counts)))
            yield self._fill(rows, part, wide)
            start = part.stop

    def _fill(self, rows: GappyRows, part: slice, wide: np.ndarray) -> Filled:
        d = len(self.mean)
        pattern = rows.pattern[part]
        new = np.diff(pattern, prepend=pattern[0] - 1) != 0
        local = np.cumsum(new) - 1
        missing = rows.seen[part][new] == 0
        most = int(missing.sum(axis=1).max())
        # Positions of the gaps first, then d.
        at = np.sort(np.where(missing, np.arange(d), d), axis=1)[:, :most]
        precision = wide[at[:, :, None], at[:, None, :]]
        precision[:, range(most), range(most)] += at == d
        covariance = np.linalg.inv(precision)
        log_det = np.linalg.slogdet(precision)[1]
        values = np.zeros((len(local), d + 1))
        values[:, :d] = rows.seen[part] * (rows.values[part] - self.mean)
        towards = np.take_along_axis(values @ wide, at[local], axis=1)
        means = -np.matmul(covariance[local], towards[:, :, None])[:, :, 0]
        np.put_along_axis(values, at[local], means, axis=1)
        values = values[:, :d]
        quadratic = np.einsum("nd,nd->n", values @ self.precision, values)
        observed = rows.seen[part].sum(axis=1)
        log_p = -0.5 * (observed * LOG_2PI + self._log_det + log_det[local] + quadratic)
        return Filled(part, values, at, covariance, local, log_p)
