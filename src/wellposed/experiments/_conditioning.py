r"""How the linear VAE's objective curves where latents have collapsed.

A collapsed latent has w = 0, v = 0 and D = 1 (its column of W, its row of V, its variance). There
the Hessian of the mean ELBO falls into blocks, one for each latent and direction u_j of the data,
in the coordinates (u_j·w, u_j·v):

.. math:: \begin{pmatrix} -1/\sigma^2 & c_j \\ c_j & -\beta\lambda_j \end{pmatrix}, \qquad
   c_j = \lambda_j/\sigma^2 \text{ (direction unused)}, \quad c_j = \beta \text{ (in use)}

and −β/2 for D. The determinant of the first is βλ_j(1 − λ_j/βσ²)/σ²: a direction leads upwards if
and only if λ_j > βσ². With the best V and D for each W, the "profile", the curvature is
(λ_j/βσ² − 1)/σ² along an unused direction and −(1 − βσ²/λ_j)/σ² along one in use; the latter is
what a diagonal q adds, for log p(x) is flat there. Active latents do not couple to collapsed ones.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from wellposed import evaluation, models
from wellposed._checks import check_count, check_number, check_numbers
from wellposed._errors import SettingError

from ._rows import as_table

_TIE = 1e-12  # |λ/βσ² − 1| below it is rounding


@dataclasses.dataclass(frozen=True)
class Curvatures:
    """Eigenvalues of a Hessian at s noise variances: shape (s, m), nats over squared parameters."""

    values: np.ndarray

    @property
    def n_ascent(self) -> np.ndarray:
        """How many lead upwards, shape (s,)."""
        return (self.values > 0).sum(axis=1)

    @property
    def steepest_ascent(self) -> np.ndarray:
        """Largest curvature upwards, shape (s,); NaN where none leads upwards."""
        best = self.values.max(axis=1)
        return np.where(best > 0, best, np.nan)

    @property
    def gentlest_descent(self) -> np.ndarray:
        """Curvature downwards that is nearest zero, shape (s,), negative."""
        return np.where(self.values < 0, self.values, -np.inf).max(axis=1)

    @property
    def ascent_share(self) -> np.ndarray:
        """Steepest ascent over the largest |curvature|, shape (s,); zero where none ascends.

        Gradient ascent with the largest stable step leaves the point at this rate.
        """
        return np.nan_to_num(self.steepest_ascent) / np.abs(self.values).max(axis=1)

    @property
    def condition(self) -> np.ndarray:
        """Largest over smallest |curvature| of those that are not flat, shape (s,)."""
        size = np.abs(self.values)
        return size.max(axis=1) / np.where(size > 0, size, np.inf).min(axis=1)


@dataclasses.dataclass(frozen=True)
class Conditioning:
    r"""Curvatures of the mean ELBO at a collapsed latent, for each noise variance.

    ``joint`` holds those in (w, v, D), shape (s, 2d + 1); ``profile`` those in w with the best V
    and D, shape (s, d). Each occurs once for each of the ``n_collapsed`` latents. Measured in
    other units, the data have another ``joint.condition`` (w, v and D change differently), but the
    same ``profile.condition`` and the same ``n_ascent``.

    ``leading_condition`` of shape (s,) compares the profile's curvatures along the directions that
    the collapsed latents should take up, the strongest unused: (λ_first − βσ²)/(λ_last − βσ²),
    infinite while one of them does not lead upwards.
    """

    eigenvalues: np.ndarray  # (d,), falling; zero where below rounding
    noise_variances: np.ndarray  # (s,)
    n_components: int
    active: tuple[int, ...]
    beta: float
    joint: Curvatures
    profile: Curvatures

    @property
    def n_collapsed(self) -> int:
        """Number of collapsed latents."""
        return self.n_components - len(self.active)

    @property
    def leading_condition(self) -> np.ndarray:
        """Largest over smallest ascent along the strongest unused directions, shape (s,)."""
        unused = np.delete(self.eigenvalues, self.active)[: self.n_collapsed]
        first, last = (unused[i] - self.beta * self.noise_variances for i in (0, -1))
        upwards = last > _TIE * unused[0]
        return np.where(upwards, first / np.where(upwards, last, 1.0), np.inf)


def conditioning(
    X: Any,
    n_components: int,
    *,
    active: Sequence[int] = (),
    noise_variances: Any = None,
    beta: float = 1.0,
) -> Conditioning:
    r"""Measure how the linear VAE's ELBO curves at its collapsed stationary points.

    Lucas et al. hold that "as σ is decreased, the conditioning of the objective at these points
    improves". What holds: the directions that lead out of the collapse become more, and each
    becomes steeper, without end; and ``leading_condition`` falls to λ_first/λ_last. What does not:
    the condition number of the Hessian. In the profile it is one at σ² → ∞, where the collapse is
    a maximum, grows without bound wherever βσ² nears an eigenvalue, and ends at λ_1/λ_d (or at
    infinity, where features never vary); in (W, V, D) it ends growing as 1/σ².

    Parameters
    ----------
    X : array-like of shape (n, d), in the units in which σ² is stated
    n_components : k
    active : directions in use, counted from 0 by falling eigenvalue; the other latents have
        collapsed
    noise_variances : σ² > 0, shape (s,), or one number; by default 61, from 10 λ_1 (or just below
        the directions in use) down by a factor of 10⁵
    beta : weight of the KL, > 0

    Raises
    ------
    DataError
        If X is no finite table, or nothing varies.
    SettingError
        If no latent collapses, β or a noise variance is not positive, or an active λ ≤ βσ².

    References: Lucas et al. (2019), §4 and their poster; Wang & Ziyin (2022), theorem 3.

    Examples
    --------
    >>> X = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # λ = 2, ½
    >>> found = conditioning(X, 1, noise_variances=[4.0, 1.0, 0.25])
    >>> found.profile.n_ascent.tolist(), found.profile.values.round(5).tolist()
    ([0, 1, 2], [[-0.125, -0.21875], [1.0, -0.5], [28.0, 4.0]])
    """
    n_components, active = _checked_latents(n_components, active)
    beta = check_number("beta", beta, "Leave it out for the ELBO.", above=0)
    spectrum = evaluation.spectrum(as_table(X), evaluation.IDENTITY)
    values = _without_rounding(spectrum)
    grid = _grid(values, active, noise_variances, beta)
    highest = float(grid.max())  # the active set must exist there, and then does below
    models.stationary_point(spectrum, active, n_components, noise_variance=highest, beta=beta)
    used, variance = np.isin(np.arange(len(values)), active), grid[:, None]
    return Conditioning(
        eigenvalues=values,
        noise_variances=grid,
        n_components=n_components,
        active=tuple(sorted(active)),
        beta=beta,
        joint=Curvatures(_joint(values, used, variance, beta)),
        profile=Curvatures(_profile(values, used, variance, beta)),
    )


def _without_rounding(spectrum: models.Spectrum) -> np.ndarray:
    """All d eigenvalues, zero beyond the rank."""
    values = np.zeros(spectrum.n_features)
    values[: spectrum.rank] = spectrum.eigenvalues[: spectrum.rank]
    return values


def _excess(values: np.ndarray, variance: np.ndarray, beta: float) -> np.ndarray:
    """λ/βσ² − 1, exactly zero where it is rounding."""
    excess = values / (beta * variance) - 1
    return np.where(np.abs(excess) < _TIE, 0.0, excess)


def _joint(values: np.ndarray, used: np.ndarray, variance: np.ndarray, beta: float) -> np.ndarray:
    excess = _excess(values, variance, beta)
    coupling = np.where(used, beta, values / variance)
    determinant = excess * np.where(used, beta**2, -beta * values / variance)
    width = np.hypot(1 / variance - beta * values, 2 * coupling)
    low = -0.5 * (1 / variance + beta * values + width)
    high = determinant / low  # the other root itself would be a difference of equals
    return np.concatenate([high, low, np.full_like(variance, -beta / 2)], axis=1)


def _profile(values: np.ndarray, used: np.ndarray, variance: np.ndarray, beta: float) -> np.ndarray:
    excess = _excess(values, variance, beta)
    # Directions in use have λ > βσ², so that the bound on the divisor touches unused ones alone.
    return np.where(used, -excess / np.maximum(1 + excess, 1.0), excess) / variance


def _grid(values: np.ndarray, active: Sequence[int], given: Any, beta: float) -> np.ndarray:
    if given is None:
        lowest = min((values[j] for j in active if 0 <= j < len(values)), default=np.inf)
        top = min(10 * values[0], 0.99 * lowest) / beta
        return np.geomspace(top, 1e-5 * top, 61)
    remedy = "At zero there is no noise, hence no likelihood: leave it out."
    return np.atleast_1d(check_numbers("noise_variances", given, remedy, above=0))


def _checked_latents(n_components: Any, active: Any) -> tuple[int, tuple[int, ...]]:
    n_components = check_count("n_components", n_components, "Give the number of latents.")
    given = np.atleast_1d(np.asarray(active)).tolist()
    active = tuple(check_count("active", j, "Count directions from 0.", low=0) for j in given)
    if n_components <= len(active):
        raise SettingError(
            f"A collapsed latent needs n_components > {len(active)} active directions; got "
            f"{n_components}. Raise n_components, or leave a direction out of `active`."
        )
    return n_components, active
