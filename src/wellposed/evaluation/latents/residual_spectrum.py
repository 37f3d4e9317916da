"""Whether a dead latent could live: the spectrum of what the live ones leave over."""

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from wellposed._errors import DataError
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey
from wellposed.models import VAEModel, draw_keys

from .._estimate import Estimate
from .._rows import over_rows
from .._thresholds import FAULT, SOUND, Verdict, room_for_a_latent

_DRAWS = 4  # of z, for each of two estimates of a mean residual


@dataclasses.dataclass(frozen=True)
class ResidualSpectrum:
    r"""Variance of the mean residuals along their principal directions, over the noise variance.

    ``eigenvalues`` (d,) fall; they are of the rows that they were fitted to, so that the first is
    too large by chance. ``leading`` is the variance along the first direction of one half of the
    rows, measured on the other half, with its ``standard_error``: an honest lower bound on what a
    further latent could take up. Above ``beta`` a collapsed latent is on a saddle.
    """

    eigenvalues: np.ndarray
    leading: float
    standard_error: float
    beta: float

    @property
    def judgement(self) -> Verdict:
        """Whether a collapsed latent could be active: "fault" if so, "sound" if not, or "open"."""
        leading = Estimate(self.leading, self.standard_error)
        return room_for_a_latent(self.beta).verdict(leading)

    @property
    def can_revive(self) -> bool:
        """Whether the leading residual exceeds the threshold by two standard errors."""
        return self.judgement == FAULT

    def __str__(self) -> str:
        size = f"{self.leading:.3g} ± {self.standard_error:.1g} times the noise variance"
        if self.can_revive:
            return (
                f"The residuals vary by {size} along one direction, more than βσ²: there is room "
                "for one more latent, and a collapsed one could live. Train for longer, start "
                "with a smaller weight on the KL, or add latents."
            )
        if self.judgement == SOUND:
            return (
                f"The residuals vary by {size} along their largest direction, less than βσ²: a "
                "latent that took up one direction would cost more than it explains. At this σ² "
                "and β collapsed latents stay dead, unless by way of something curved or rare."
            )
        return (
            f"The residuals vary by {size} along their largest direction, as much as βσ²: these "
            "rows cannot tell whether a collapsed latent could live."
        )


def residual_spectrum(
    model: VAEModel, rows: Any, *, beta: float = 1.0, key: PRNGKey
) -> ResidualSpectrum:
    r"""Measure the covariance R of what the live latents leave, r(x) = E_q[(y − μ(z))/σ(z) | x].

    Let a dead latent z′ move the mean by ε h σ(z) z′ along a direction h of unit length, and its
    q follow as well as it can. To second order the β-ELBO changes by

    .. math:: \tfrac12 \epsilon^2 \left[ h^T R\,h / \beta - 1 \right]

    so that it revives if the largest eigenvalue of R exceeds β. Below β a curved direction, or
    one that turns with the live latents, may still be worth a latent: an eigenvalue above β
    proves that one can live, one below it does not prove the contrary. For a linear decoder it
    does, and R's eigenvalues are λ_j/σ² in dead directions and β²σ²/λ_j in live ones.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units, n ≥ 8
    beta : weight of the KL in training
    key : PRNG key of the draws of z

    Raises
    ------
    DataError
        For fewer than eight rows.

    References: Li, Residual spectral instabilities: Λ* = sup_h E‖Cov(x, h(x) | z_A)‖², of which
    this is the part that is linear in x; Wang & Ziyin (2022), theorem 2, for linear decoders.
    """
    check_process()
    if len(rows) < 8:
        raise DataError(
            f"A residual spectrum needs eight rows or more, half to find the direction and half "
            f"to measure it; got {len(rows)}. Pass more rows."
        )
    pairs = over_rows(_mean_residuals, model, rows, key=key).astype(np.float64)
    pairs = pairs - pairs.mean(axis=(0, 1))  # a constant offset is the decoder's own to learn
    pairs = pairs[np.random.default_rng(0).permutation(len(pairs))]
    halves = pairs[0::2], pairs[1::2]
    products = np.concatenate([_along_leading(a, b) for a, b in (halves, halves[::-1])])
    leading = Estimate.of(products)
    return ResidualSpectrum(
        eigenvalues=np.linalg.eigvalsh(_covariance(pairs))[::-1],
        leading=leading.value,
        standard_error=leading.standard_error,
        beta=beta,
    )


def _covariance(pairs: np.ndarray) -> np.ndarray:
    """Covariance of r(x) from two independent estimates of it, whose errors do not add to it."""
    cross = pairs[:, 0].T @ pairs[:, 1] / len(pairs)
    return (cross + cross.T) / 2


def _along_leading(fitted: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Squared coordinate of held-out residuals along the first direction of the others."""
    direction = np.linalg.eigh(_covariance(fitted))[1][:, -1]
    return (held_out[:, 0] @ direction) * (held_out[:, 1] @ direction)


def _mean_residuals(model: VAEModel, x: Point, *, key: PRNGKey) -> Float[Array, "2 d"]:
    """Two independent Monte Carlo estimates of r(x)."""
    found, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)

    def residual(draw_key: PRNGKey) -> Point:
        observed = model.decode(found.q.rsample(draw_key))
        return (found.y - observed.mean) / jnp.sqrt(observed.variance)

    keys = jax.random.split(latent_key, (2, _DRAWS))
    return jax.vmap(lambda half: jax.vmap(residual)(half).mean(axis=0))(keys)
