"""Posteriors of linear Gaussian models given the observed entries of rows with gaps."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from wellposed._budget import at_once, slices
from wellposed.numerics import LOG_2PI

_ROWS = 4096  # largest number of rows at a time


@dataclasses.dataclass(frozen=True, eq=False)
class GappyRows:
    """Rows with gaps, sorted so that rows with the same gaps are neighbours, few gaps first.

    Parameters
    ----------
    values : shape (n, d), zero at gaps
    seen : shape (n, d), 1.0 where an entry is observed, else 0.0
    pattern : shape (n,), the number of each row's set of gaps, ascending
    order : shape (n,), the position of each row in the original rows
    """

    values: np.ndarray
    seen: np.ndarray
    pattern: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray) -> "GappyRows":
        """Read rows of shape (n, d), in which NaN is a gap."""
        seen = ~np.isnan(rows)
        keys = np.column_stack(
            [(~seen).sum(axis=1).astype(">u8").view("u1").reshape(-1, 8), np.packbits(seen, axis=1)]
        )
        _, pattern = np.unique(keys, axis=0, return_inverse=True)
        pattern = pattern.reshape(-1)
        order = np.argsort(pattern, kind="stable")
        values = np.where(seen, rows, 0.0)[order]
        return cls(values, seen[order].astype(np.float64), pattern[order], order)

    def shifted(self, mean: np.ndarray, scale: np.ndarray | float = 1.0) -> np.ndarray:
        """(x − mean)/scale of the observed entries, and zero at gaps, shape (n, d)."""
        return self.seen * ((self.values - mean) / scale)

    def restore(self, sorted_rows: np.ndarray) -> np.ndarray:
        """Return an array of one entry a row in the original order."""
        result = np.empty_like(sorted_rows)
        result[self.order] = sorted_rows
        return result


@dataclasses.dataclass(frozen=True, eq=False)
class LatentPosterior:
    r"""z | observed entries ~ N(m, C) for some rows, with log p of the observed entries.

    .. math:: C^{-1} = I + \sum_{j \in o} w_j w_j^T/\psi_j, \qquad
       m = C \sum_{j \in o} w_j (x_j - \mu_j)/\psi_j

    Parameters
    ----------
    rows : slice of the sorted rows
    mean : m, shape (n, k)
    covariance : C of each set of gaps, shape (p, k, k)
    pattern : shape (n,), which of these sets each row has
    log_density : shape (n,), nats
    """

    rows: slice
    mean: np.ndarray
    covariance: np.ndarray
    pattern: np.ndarray
    log_density: np.ndarray


def latent_posteriors(
    rows: GappyRows,
    mean: np.ndarray,
    weight: np.ndarray,
    noise_variance: np.ndarray,
    *,
    diagonal: bool = False,
) -> Iterator[LatentPosterior]:
    """Yield the posteriors of successive pieces of rows.

    Parameters
    ----------
    rows : GappyRows
    mean, weight, noise_variance : μ (d,), W (d, k) and the diagonal of Ψ (d,)
    diagonal : whether the posterior is replaced by the best one with independent latents, which
        has the same means and variances 1/(C⁻¹)ᵢᵢ; the log density is then its ELBO
    """
    d, k = weight.shape
    scale = np.sqrt(noise_variance)
    whitened = weight / scale[:, None]
    upper = np.triu_indices(k)
    products = whitened[:, upper[0]] * whitened[:, upper[1]]
    log_noise = LOG_2PI + np.log(noise_variance)
    for part in slices(len(rows.values), at_once(max(d, k * k), _ROWS)):
        seen, pattern = rows.seen[part], rows.pattern[part]
        first = np.flatnonzero(np.diff(pattern, prepend=pattern[0] - 1))
        local = np.cumsum(np.diff(pattern, prepend=pattern[0]) != 0)
        precision = np.empty((len(first), k, k))
        precision[:, upper[0], upper[1]] = seen[first] @ products
        precision[:, upper[1], upper[0]] = precision[:, upper[0], upper[1]]
        precision[:, range(k), range(k)] += 1.0
        covariance = np.linalg.inv(precision)
        log_det = np.linalg.slogdet(precision)[1]
        centred = seen * ((rows.values[part] - mean) / scale)
        towards = centred @ whitened
        latents = np.matmul(covariance[local], towards[:, :, None])[:, :, 0]
        residual = centred - seen * (latents @ whitened.T)
        # The least of ‖y − Vz‖² + ‖z‖², so that no large squares are subtracted.
        quadratic = np.einsum("nd,nd->n", residual, residual)
        quadratic += np.einsum("nk,nk->n", latents, latents)
        log_p = -0.5 * (seen @ log_noise + log_det[local] + quadratic)
        if diagonal:
            own = np.diagonal(precision, axis1=1, axis2=2)
            log_p -= 0.5 * (np.log(own).sum(axis=1) - log_det)[local]
            covariance = np.eye(k) / own[:, None, :]
        yield LatentPosterior(part, latents, covariance, local, log_p)


def has_gaps(rows: np.ndarray) -> bool:
    """Whether an entry of rows is NaN."""
    return bool(np.isnan(rows).any())
