r"""Curvature of the linear VAE's objective where latents have collapsed.

A collapsed latent has w = 0, v = 0 and D = 1 (its column of W, its row of V, its variance). The
Hessian of the mean ELBO then consists of blocks, one for each latent and each direction u_j of the
data, in the coordinates (u_j·w, u_j·v):

.. math:: \begin{pmatrix} -1/\sigma^2 & c_j \\ c_j & -\beta\lambda_j \end{pmatrix}, \qquad
   c_j = \lambda_j/\sigma^2 \text{ (direction unused)}, \quad c_j = \beta \text{ (in use)}

and −β/2 for D. The determinant of the first is βλ_j(1 − λ_j/βσ²)/σ²: the ELBO increases along a
direction if and only if λ_j > βσ². With the best V and D for each W, the "profile", the curvature
is (λ_j/βσ² − 1)/σ² along an unused direction and −(1 − βσ²/λ_j)/σ² along one in use. A diagonal q
causes the latter, since log p(x) is flat there. Active latents do not couple to collapsed ones.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from wellposed import evaluation, models
from wellposed._checks import check_count, check_number, check_numbers
from wellposed._errors import SettingError

from ._rows import as_table

_TIE = 1e-12  # a smaller |λ/βσ² − 1| is a rounding error


@dataclasses.dataclass(frozen=True)
class Curvatures:
    """Eigenvalues of a Hessian at s noise variances.

    Examples
    --------
    >>> curvatures = Curvatures(np.array([[1.0, -0.5], [28.0, 4.0]]))
    >>> curvatures.n_ascent.tolist(), curvatures.condition.tolist()
    ([1, 2], [2.0, 7.0])
    """

    values: np.ndarray  # (s, m), nats over squared parameters

    @property
    def n_ascent(self) -> np.ndarray:
        """Number of directions of ascent, shape (s,)."""
        return (self.values > 0).sum(axis=1)

    @property
    def steepest_ascent(self) -> np.ndarray:
        """Largest positive curvature, shape (s,); NaN where there is none."""
        best = self.values.max(axis=1)
        return np.where(best > 0, best, np.nan)

    @property
    def gentlest_descent(self) -> np.ndarray:
        """Negative curvature that is nearest zero, shape (s,)."""
        return np.where(self.values < 0, self.values, -np.inf).max(axis=1)

    @property
    def ascent_share(self) -> np.ndarray:
        """Steepest ascent over the largest |curvature|, shape (s,); zero where there is no ascent.

        Gradient ascent with the largest stable step leaves the point at this rate.
        """
        return np.nan_to_num(self.steepest_ascent) / np.abs(self.values).max(axis=1)

    @property
    def condition(self) -> np.ndarray:
        """Largest over smallest |curvature| that is not zero, shape (s,)."""
        size = np.abs(self.values)
        return size.max(axis=1) / np.where(size > 0, size, np.inf).min(axis=1)


@dataclasses.dataclass(frozen=True)
class Conditioning:
    r"""Curvatures of the mean ELBO at a collapsed latent, for each noise variance.

    Each curvature occurs once for each of the ``n_collapsed`` latents. A change of the data's units
    changes ``joint.condition``, since w, v and D scale differently, but neither
    ``profile.condition`` nor ``n_ascent``.

    ``leading_condition`` compares the profile's curvatures along the strongest unused directions,
    one for each collapsed latent: (λ_first − βσ²)/(λ_last − βσ²), infinite if one of them is not a
    direction of ascent.

    Examples
    --------
    >>> found = conditioning(X, 2)
    >>> found.n_components
    2
    """

    eigenvalues: np.ndarray  # (d,), falling; zero where below rounding
    noise_variances: np.ndarray  # (s,)
    n_components: int
    active: tuple[int, ...]  # directions that a latent describes, by falling eigenvalue from 0
    beta: float
    joint: Curvatures  # in (w, v, D), shape (s, 2d + 1)
    profile: Curvatures  # in w, with the best V and D, shape (s, d)

    @property
    def n_collapsed(self) -> int:
        """Number of collapsed latents."""
        return self.n_components - len(self.active)

    @property
    def leading_condition(self) -> np.ndarray:
        """Largest over smallest ascent along the strongest unused directions, shape (s,)."""
        unused = np.delete(self.eigenvalues, self.active)[: self.n_collapsed]
        first, last = (unused[i] - self.beta * self.noise_variances for i in (0, -1))
        ascends = last > _TIE * unused[0]
        return np.where(ascends, first / np.where(ascends, last, 1.0), np.inf)


def conditioning(
    X: npt.ArrayLike,
    n_components: int,
    *,
    active: Sequence[int] = (),
    noise_variances: npt.ArrayLike | None = None,
    beta: float = 1.0,
) -> Conditioning:
    r"""Measure the curvature of the linear VAE's ELBO at its collapsed stationary points.

    Lucas et al. state that "as σ is decreased, the conditioning of the objective at these points
    improves". As σ² decreases, the number of directions of ascent grows, each of them becomes
    steeper without bound, and ``leading_condition`` falls to λ_first/λ_last. The condition number
    of the Hessian, however, does not improve. In the profile it is one at σ² → ∞, where the
    collapse is a maximum; it grows without bound wherever βσ² approaches an eigenvalue; it tends to
    λ_1/λ_d as σ² → 0 (to infinity if a feature never varies). In (W, V, D) it grows as 1/σ².

    Parameters
    ----------
    X : array-like of shape (n, d), data units
    n_components : int, number of latents
    active : sequence of int, directions in use, counted from 0 by falling eigenvalue
    noise_variances : float or array-like of shape (s,), σ² > 0, data units squared
        By default 61, from 10 λ_1 (or just below the directions in use) down by a factor of 10⁵.
    beta : float > 0, weight of the KL

    Raises
    ------
    DataError
        If X is not a finite table, or no feature varies.
    SettingError
        If all latents are active, β or a noise variance is not positive, or an active λ ≤ βσ².

    References: Lucas et al. (2019), §4 and their poster; Wang & Ziyin (2022), theorem 3.

    Examples
    --------
    >>> X = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])  # λ = 2, ½
    >>> profile = conditioning(X, 1, noise_variances=[4.0, 1.0, 0.25]).profile
    >>> profile.n_ascent.tolist(), profile.values.round(5).tolist()
    ([0, 1, 2], [[-0.125, -0.21875], [1.0, -0.5], [28.0, 4.0]])
    """
    n_components, active = _check_latents(n_components, active)
    beta = check_number("beta", beta, "Leave it out for the ELBO.", above=0)
    spectrum = evaluation.spectrum(as_table(X), evaluation.IDENTITY)
    values = np.pad(spectrum.eigenvalues[: spectrum.rank], (0, spectrum.n_features - spectrum.rank))
    grid = _grid(values, active, noise_variances, beta)
    highest = float(grid.max())  # active directions that exist there exist below it too
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


def _excess(values: np.ndarray, variance: np.ndarray, beta: float) -> np.ndarray:
    """Return λ/βσ² − 1, or zero where it is a rounding error."""
    excess = values / (beta * variance) - 1
    return np.where(np.abs(excess) < _TIE, 0.0, excess)


def _joint(values: np.ndarray, used: np.ndarray, variance: np.ndarray, beta: float) -> np.ndarray:
    excess = _excess(values, variance, beta)
    coupling = np.where(used, beta, values / variance)
    determinant = excess * np.where(used, beta**2, -beta * values / variance)
    width = np.hypot(1 / variance - beta * values, 2 * coupling)
    low = -0.5 * (1 / variance + beta * values + width)
    high = determinant / low  # the formula of the other root would subtract nearly equal numbers
    return np.concatenate([high, low, np.full_like(variance, -beta / 2)], axis=1)


def _profile(values: np.ndarray, used: np.ndarray, variance: np.ndarray, beta: float) -> np.ndarray:
    excess = _excess(values, variance, beta)
    # Directions in use have λ > βσ², so the bound on the divisor changes unused directions only.
    return np.where(used, -excess / np.maximum(1 + excess, 1.0), excess) / variance


def _grid(
    values: np.ndarray, active: Sequence[int], variances: npt.ArrayLike | None, beta: float
) -> np.ndarray:
    if variances is None:
        lowest = min((values[j] for j in active if 0 <= j < len(values)), default=np.inf)
        top = min(10 * values[0], 0.99 * lowest) / beta
        return np.geomspace(top, 1e-5 * top, 61)
    remedy = "A variance of zero has no likelihood: leave it out."
    return np.atleast_1d(check_numbers("noise_variances", variances, remedy, above=0))


def _check_latents(n_components: int, active: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    n_components = check_count("n_components", n_components, "Pass the number of latents.")
    directions = np.atleast_1d(np.asarray(active)).tolist()
    active = tuple(check_count("active", j, "Count directions from 0.", low=0) for j in directions)
    if n_components <= len(active):
        raise SettingError(
            f"A collapsed latent needs n_components > {len(active)} active directions; got "
            f"{n_components}. Raise n_components, or remove a direction from `active`."
        )
    return n_components, active
