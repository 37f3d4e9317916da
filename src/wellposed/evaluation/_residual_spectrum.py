"""Whether a dead latent could live: the spectrum of what the live ones leave over."""

import dataclasses
import math
from typing import Any

import jax
import numpy as np

from wellposed._errors import DataError
from wellposed._typing import Point, PRNGKey
from wellposed.models import VAEModel

from ._rows import over_rows

_SURE = 2.0  # standard errors


@dataclasses.dataclass(frozen=True)
class ResidualSpectrum:
    r"""Variance of the residuals along their principal directions, in units of the noise variance.

    ``eigenvalues`` (d,) fall; they are of the rows that they were fitted to, and so the first is
    too large by chance. ``leading`` is the variance along the first direction of one half of the
    rows, measured on the other half, with its ``standard_error``: an honest lower bound on what a
    further latent could take up, by a direction of its own. Above ``threshold`` = β a collapsed
    latent is on a saddle and can revive.
    """

    eigenvalues: np.ndarray
    leading: float
    standard_error: float
    threshold: float

    @property
    def can_revive(self) -> bool:
        """Whether the leading residual exceeds the threshold by two standard errors."""
        return self.leading > self.threshold + _SURE * self.standard_error

    def __str__(self) -> str:
        size = f"{self.leading:.3g} ± {self.standard_error:.1g} times the noise variance"
        if self.can_revive:
            return (
                f"The residuals vary by {size} along one direction, more than βσ²: there is room "
                "for one more latent, and a collapsed one could live. Train for longer, start "
                "with a smaller weight on the KL, or add latents."
            )
        if self.leading < self.threshold - _SURE * self.standard_error:
            return (
                f"The residuals vary by {size} along their largest direction, less than βσ²: a "
                "latent that took up a direction would cost more than it explains. Collapsed "
                "latents stay dead at this σ² and β."
            )
        return (
            f"The residuals vary by {size} along their largest direction, as much as βσ²: these "
            "rows cannot tell whether a collapsed latent could live."
        )


def residual_spectrum(
    model: VAEModel, rows: Any, *, beta: float = 1.0, key: PRNGKey
) -> ResidualSpectrum:
    r"""Measure the residuals' covariance E_x E_q[r rᵀ], r = (y − μ(z))/σ(z), z ~ q(z|x).

    A dead latent that starts to follow a direction h of unit length, y ← y + ε h z, changes the
    β-ELBO by ½ε²(hᵀE[r rᵀ]h − β) to second order: it can revive iff the largest eigenvalue
    exceeds β. A latent may also follow a curved function of x, so that an eigenvalue below β
    does not exclude a revival; one above it proves one.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units, n ≥ 8
    beta : weight of the KL in training
    key : PRNG key; one draw of z a row

    Raises
    ------
    DataError
        For fewer than eight rows.

    References: Li, Residual spectral instabilities (the reactivation criterion σ² < Λ*); for a
    linear decoder it is Wang & Ziyin (2022), theorem 2.
    """
    if len(rows) < 8:
        raise DataError(
            f"A residual spectrum needs eight rows or more, half to find the direction and half "
            f"to measure it; got {len(rows)}. Pass more rows."
        )
    residuals = over_rows(_residual, model, rows, key=key).astype(np.float64)
    residuals = residuals[np.random.default_rng(0).permutation(len(residuals))]
    halves = residuals[0::2], residuals[1::2]
    along = np.concatenate([_leading(a, b) for a, b in (halves, halves[::-1])])
    squares = along**2
    everything = np.linalg.svd(residuals, compute_uv=False) ** 2 / len(residuals)
    return ResidualSpectrum(
        eigenvalues=everything,
        leading=float(squares.mean()),
        standard_error=float(squares.std(ddof=1)) / math.sqrt(len(squares)),
        threshold=beta,
    )


def _leading(fitted: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Coordinates of the held-out half along the first direction of the other, about zero."""
    direction = np.linalg.svd(fitted, full_matrices=False)[2][0]
    return held_out @ direction


def _residual(model: VAEModel, x: Point, *, key: PRNGKey) -> Point:
    transform_key, latent_key = jax.random.split(key)
    found = model.infer(x, key=transform_key)
    observed = model.decode(found.q.rsample(latent_key))
    return (found.y - observed.mean) / observed.variance**0.5
