"""What an encoder of integers sees where entries are missing."""

import dataclasses
from typing import Any

import numpy as np

# Residuals are kept within 2^7, and latents within 2^6, of the linear model's units.
_RESIDUAL, _LATENT = 7, 6
_WEIGHT_BITS = 12
_MOST_RATIO_BITS = 20
_EXACT = 52


@dataclasses.dataclass(frozen=True)
class Filling:
    r"""Conditional means of missing entries under a linear Gaussian model.

    With the sums over observed entries j, A z = b for A = I + Σ w_j w_jᵀ/ψ_j and b = Σ w_j r_j/ψ_j,
    and W z + μ in place of the missing ones. Sums are whole numbers, and the system is solved by
    operations on numbers, each of them correctly rounded, in one order.

    Parameters
    ----------
    mean : μ, int64, shape (d,), in units of 2^-bits
    weight : W, int64, shape (d, k), in 2^-12
    ratio : w/ψ, int64, shape (k, d), in units of 2^-ratio_bits
    pairs : w wᵀ/ψ, int64, shape (k², d), in the same
    ratio_bits, bits : fractional bits
    """

    mean: np.ndarray
    weight: np.ndarray
    ratio: np.ndarray
    pairs: np.ndarray
    ratio_bits: int
    bits: int

    @classmethod
    def rounded(
        cls, mean: np.ndarray, weight: np.ndarray, variance: np.ndarray, *, bits: int
    ) -> "Filling":
        """Round a mean (d,), weights (d, k) and a noise variance (d,)."""
        ratio = (weight / variance[:, None]).T
        pairs = (ratio[:, None] * weight.T[None]).reshape(-1, len(mean))
        largest = max(float(np.abs(each).sum(axis=1).max(initial=1e-9)) for each in (ratio, pairs))
        room = _EXACT - (bits + _RESIDUAL) - np.ceil(np.log2(max(largest, 1.0))) - 1
        ratio_bits = int(np.clip(room, 1, _MOST_RATIO_BITS))

        def whole(values: np.ndarray, digits: int) -> np.ndarray:
            return np.rint(values * 2.0**digits).astype(np.int64)

        return cls(
            whole(mean, bits),
            whole(weight, _WEIGHT_BITS),
            whole(ratio, ratio_bits),
            whole(pairs, ratio_bits),
            ratio_bits,
            bits,
        )

    def __call__(self, inputs: np.ndarray, missing: np.ndarray) -> np.ndarray:
        """Return inputs (d, m) with those that are missing filled, whole numbers in float64."""
        k, m = len(self.ratio), inputs.shape[1]
        mean, reach = self.mean[:, None].astype(np.float64), 2.0 ** (self.bits + _RESIDUAL)
        residual = np.where(missing, 0.0, np.clip(inputs - mean, -reach, reach))
        sums = self.ratio.astype(np.float64) @ residual
        matrix = (self.pairs.astype(np.float64) @ (~missing).astype(np.float64)).reshape(k, k, m)
        matrix[np.arange(k), np.arange(k)] += 2.0**self.ratio_bits
        latent = 2.0 ** (self.bits + _LATENT)
        z = np.clip(np.rint(_solved(matrix, sums)), -latent, latent)
        filled = self.weight.astype(np.float64) @ z * 2.0**-_WEIGHT_BITS
        return np.where(missing, np.floor(filled + 0.5) + mean, inputs)

    def state(self) -> dict[str, Any]:
        """Return what the filling is made of."""
        return dict(vars(self))


def _solved(matrix: np.ndarray, sums: np.ndarray) -> np.ndarray:
    """Solve positive definite systems (k, k, m) for (k, m) by elimination, number by number."""
    a, b, k = matrix.copy(), sums.copy(), len(sums)
    for j in range(k):
        factor = a[j + 1 :, j] / a[j, j]
        a[j + 1 :, j + 1 :] -= factor[:, None] * a[j, j + 1 :][None]
        b[j + 1 :] -= factor * b[j]
    for j in range(k - 1, -1, -1):
        b[j] /= a[j, j]
        b[:j] -= a[:j, j] * b[j]
    return b
