"""Whether another latent could become active: the spectrum of the residuals."""

import dataclasses

import jax
import numpy as np
from jaxtyping import Array, Float

from wellposed._errors import DataError
from wellposed._forks import check_process
from wellposed._typing import Point, PRNGKey
from wellposed.models import VAEModel, draw_keys
from wellposed.noise.parts import pearson_residuals

from .._estimate import Estimate
from .._rows import over_rows
from .._thresholds import FAULT, SOUND, Verdict, room_for_a_latent

_DRAWS = 4  # draws of z for each of two estimates of a mean residual


@dataclasses.dataclass(frozen=True)
class ResidualSpectrum:
    r"""Variance of the mean residuals along their principal directions, over the noise variance.

    Parameters
    ----------
    eigenvalues : shape (r,) for r residuals a datum, in descending order, on the rows that the
        directions were fitted to, so that the first is too large on average
    leading : variance along the first direction of one half of the rows, measured on the other
        half; a lower bound on the variance that another latent could explain. If it exceeds
        ``beta``, a collapsed latent is at a saddle point
    standard_error : of ``leading``
    beta : weight of the KL in training

    Examples
    --------
    >>> ResidualSpectrum(np.array([3.1, 0.9]), leading=3.0, standard_error=0.1, beta=1.0).has_room
    True
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
    def has_room(self) -> bool:
        """Whether the leading residual exceeds the threshold by two standard errors."""
        return self.judgement == FAULT

    def __str__(self) -> str:
        size = f"{self.leading:.3g} ± {self.standard_error:.1g} times the noise variance"
        if self.has_room:
            return (
                f"The variance of the residuals along one direction is {size}, more than βσ²: "
                "another latent, or a collapsed one, could become active. Train for longer, start "
                "with a smaller weight on the KL, or add latents."
            )
        if self.judgement == SOUND:
            return (
                f"The largest variance of the residuals along a direction is {size}, less than "
                "βσ²: a latent for one direction would raise the KL by more than it raises the "
                "log likelihood. At this σ² and β collapsed latents stay collapsed, unless they "
                "describe curved or rare structure."
            )
        return (
            f"The largest variance of the residuals along a direction is {size}, close to βσ²: "
            "these rows are too few to decide whether a collapsed latent could become active."
        )


def residual_spectrum(
    model: VAEModel, rows: np.ndarray, *, beta: float = 1.0, key: PRNGKey
) -> ResidualSpectrum:
    r"""Measure the covariance R of the residuals of the active latents, E_q[(y − μ(z))/σ(z) | x].

    There is one a feature; of levels without an order one a level, ([y = v] − P(v))/√P(v).

    Let a collapsed latent z′ move the mean by ε h σ(z) z′ along a direction h of unit length, with
    the best q for it. To second order the β-ELBO changes by

    .. math:: \tfrac12 \epsilon^2 \left[ h^T R\,h / \beta - 1 \right]

    so that it becomes active if the largest eigenvalue of R exceeds β. This condition is
    sufficient: with an eigenvalue below β, a curved direction, or one that depends on the active
    latents, may still raise the ELBO. For a linear decoder it is also necessary, and the
    eigenvalues of R are λ_j/σ² in collapsed directions and β²σ²/λ_j in active ones.

    Parameters
    ----------
    model : VAEModel
    rows : array of shape (n, d), data units, n ≥ 8
    beta : weight of the KL in training
    key : PRNG key of the draws of z

    Returns
    -------
    ResidualSpectrum

    Raises
    ------
    DataError
        If there are fewer than eight rows.

    References: Li, Residual spectral instabilities: Λ* = sup_h E‖Cov(x, h(x) | z_A)‖², whose
    part linear in x is this spectrum; Wang & Ziyin (2022), theorem 2, for linear decoders.

    Examples
    --------
    >>> residual_spectrum(model, X, key=key).eigenvalues.shape
    (4,)
    """
    check_process()
    if len(rows) < 8:
        raise DataError(
            f"A residual spectrum needs eight rows or more, half to fit the direction and half "
            f"to measure the variance along it; got {len(rows)}. Pass more rows."
        )
    pairs = over_rows(_mean_residuals, model, rows, key=key).astype(np.float64)
    pairs = pairs - pairs.mean(axis=(0, 1))  # a constant offset belongs to the bias of the decoder
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
    """Covariance of r(x), without bias from the errors of two independent estimates of r(x)."""
    cross = pairs[:, 0].T @ pairs[:, 1] / len(pairs)
    return (cross + cross.T) / 2


def _along_leading(fitted: np.ndarray, held_out: np.ndarray) -> np.ndarray:
    """Squared coordinate of held-out residuals along the first direction of the fitted ones."""
    direction = np.linalg.eigh(_covariance(fitted))[1][:, -1]
    return (held_out[:, 0] @ direction) * (held_out[:, 1] @ direction)


def _mean_residuals(model: VAEModel, x: Point, *, key: PRNGKey) -> Float[Array, "2 d"]:
    """Two independent Monte Carlo estimates of r(x)."""
    inference, (latent_key,) = model.infer(x, key=key), draw_keys(key, 1)

    def residual(draw_key: PRNGKey) -> Point:
        observed = model.decode(inference.q.rsample(draw_key))
        return pearson_residuals(observed, inference.y)

    keys = jax.random.split(latent_key, (2, _DRAWS))
    return jax.vmap(lambda half: jax.vmap(residual)(half).mean(axis=0))(keys)
