r"""Stationary points of probabilistic PCA and of the linear VAE, in closed form.

With the eigenvalues λ_j of the data's covariance and τ = βσ² (β = 1 is pPCA), every stationary
point of the linear VAE's objective has, up to a rotation of a degenerate eigenspace,

.. math:: W = U_A (\Lambda_A - \tau I)^{1/2}

for a set A of directions. The other columns are zero, and their latents are collapsed.

References: Tipping & Bishop (1999), appendix A; Lucas et al. (2019), §4; Wang & Ziyin (2022).
"""

import dataclasses
from collections.abc import Sequence
from numbers import Integral

import numpy as np

from wellposed._errors import SettingError, UnboundedLikelihoodError
from wellposed.numerics import LOG_2PI

from ._ppca import PPCAModel
from ._spectrum import Spectrum

_TIE = 1e-9
_FLAT = 1e-12


@dataclasses.dataclass(frozen=True)
class StationaryPoint:
    r"""A stationary point, its objective and curvature; means in nats a datum, in data units.

    Parameters
    ----------
    active : the active directions, counted from 0 in the order of descending eigenvalues. The
        columns of ``model.weight`` are in the same order, followed by the zero columns
    n_components : number of latents, k
    beta : weight of the KL
    model : the probabilistic PCA of the point, in model units
    log_likelihood : mean log p(x)
    elbo : mean ELBO under the diagonal q that maximises the objective; equal to
        ``log_likelihood`` for β = 1
    rates : shape (k,), mean KL(q(z_i|x) ‖ p(z_i)): ½ log(λ/τ) with τ = βσ², or zero
    gain : shape (r,), difference of the objective with and without a latent along each direction:
        ½β[λ/τ − 1 − log(λ/τ)] where λ > τ, else zero
    curvature : shape (r,), of the objective at a zero column along each direction, with the optimal
        q: (λ/τ − 1)/σ². Zero for active directions, along which the model only rotates and the
        likelihood is constant (the curvature of the ELBO with diagonal q is −(1 − τ/λ)/σ² there)
    is_maximum : whether the objective increases in no direction
    on_floor : whether σ² is at its floor

    Examples
    --------
    >>> from wellposed.models import Covariance, eigendecompose, optimum
    >>> spectrum = eigendecompose(Covariance(np.zeros(3), np.diag([4.0, 2.0, 0.5]), n_rows=9))
    >>> optimum(spectrum, 2, noise_variance=1.0).active
    (0, 1)
    """

    active: tuple[int, ...]
    n_components: int
    beta: float
    model: PPCAModel
    log_likelihood: float
    elbo: float
    rates: np.ndarray
    gain: np.ndarray
    curvature: np.ndarray
    is_maximum: bool
    on_floor: bool

    @property
    def noise_variance(self) -> float:
        """σ², in model units."""
        return self.model.noise_variance


def stationary_point(
    spectrum: Spectrum,
    active: Sequence[int],
    n_components: int,
    *,
    noise_variance: float | None = None,
    beta: float = 1.0,
    floor: float = 0.0,
) -> StationaryPoint:
    r"""Solve the stationary point with a given active set.

    Parameters
    ----------
    spectrum : Spectrum
    active : the active directions, counted from 0 in the order of descending eigenvalues
    n_components : number of latents, k ≥ |A|
    noise_variance : given σ², model units²; None solves for the stationary one,
        (Σ_{j∉A} λ_j) / (d − β|A|)
    beta : weight of the KL
    floor : smallest standard deviation of a learned noise, model units

    Raises
    ------
    SettingError
        If an active direction has λ ≤ βσ² or does not exist, so that there is no such stationary
        point; or if the spectrum is incomplete and the directions are not the first.
    UnboundedLikelihoodError
        If the active directions have all the variance, σ² is None and there is no floor.

    Examples
    --------
    >>> from wellposed.models import Covariance, eigendecompose
    >>> spectrum = eigendecompose(Covariance(np.zeros(3), np.diag([4.0, 2.0, 0.5]), n_rows=9))
    >>> point = stationary_point(spectrum, [0], 2, noise_variance=1.0)
    >>> point.curvature.tolist(), point.is_maximum
    ([0.0, 1.0, -0.5], False)
    """
    chosen = _check_set(spectrum, active, n_components)
    unused = np.setdiff1d(np.arange(len(spectrum.eigenvalues)), chosen)
    left_over = spectrum.left_over(len(chosen))
    if not np.array_equal(chosen, np.arange(len(chosen))):
        _check_complete(spectrum)
        left_over = float(spectrum.eigenvalues[unused][::-1].sum())
    variance, on_floor = noise_variance, False
    if variance is None:
        variance = _stationary_variance(spectrum, len(chosen), left_over, beta)
        on_floor = variance < floor**2 or variance <= spectrum.rounding
        if on_floor and floor == 0:
            raise _unbounded_error(spectrum, len(chosen))
        variance = floor**2 if on_floor else variance
    values = spectrum.eigenvalues
    below = [int(j) for j in chosen if values[j] <= beta * variance]
    if below:
        raise SettingError(
            f"An active direction needs an eigenvalue above βσ² = {beta * variance:.4g}; direction "
            f"{below[0]} has {values[below[0]]:.4g}, and its latent is collapsed. Leave it "
            "out of the active set, or lower the noise variance."
        )
    return _at_set(spectrum, chosen, unused, left_over, n_components, variance, beta, on_floor)


def optimum(
    spectrum: Spectrum,
    n_components: int,
    *,
    noise_variance: float | None = None,
    beta: float = 1.0,
    floor: float = 0.0,
) -> StationaryPoint:
    r"""Solve the global maximum of the linear VAE's objective, which for β = 1 is pPCA's.

    With σ² given, the min(k, #{λ_j > βσ²}) largest directions are active. With σ² learned and
    β = 1, all k latents are active and σ² is the mean of the discarded eigenvalues. With σ² learned
    and β ≠ 1, the result is the best of the consistent pairs of active set and σ².

    Parameters
    ----------
    spectrum : Spectrum
    n_components : number of latents, k
    noise_variance : given σ², model units²; None learns it
    beta : weight of the KL
    floor : smallest standard deviation of a learned noise, model units

    Raises
    ------
    UnboundedLikelihoodError
        If k directions have all the variance and there is no floor: the likelihood is then
        unbounded as σ² → 0.

    References: Tipping & Bishop (1999), eqs 7-8; Wang & Ziyin (2022), theorem 2.

    Examples
    --------
    >>> from wellposed.models import Covariance, eigendecompose
    >>> spectrum = eigendecompose(Covariance(np.zeros(3), np.diag([4.0, 2.0, 0.5]), n_rows=9))
    >>> optimum(spectrum, 2, noise_variance=3.0).active  # one direction exceeds it
    (0,)
    """
    if noise_variance is not None:
        n_active = _n_active(spectrum, n_components, beta * noise_variance)
        return stationary_point(
            spectrum, range(n_active), n_components, noise_variance=noise_variance, beta=beta
        )
    candidates = [
        stationary_point(spectrum, range(a), n_components, noise_variance=variance, beta=beta)
        for a, variance in _consistent(spectrum, n_components, beta, floor)
    ]
    if not candidates:
        raise _unbounded_error(spectrum, n_components)
    values = [_objective(point) for point in candidates]
    near = max(values) - _FLAT * abs(max(values))
    # With as many components as features, every σ² up to the smallest eigenvalue is optimal. The
    # largest σ² needs no floor.
    best = max(
        (point for point, value in zip(candidates, values, strict=True) if value >= near),
        key=lambda point: point.noise_variance,
    )
    return dataclasses.replace(best, on_floor=best.noise_variance == floor**2)


def _consistent(
    spectrum: Spectrum, n_components: int, beta: float, floor: float
) -> list[tuple[int, float]]:
    """Pairs of |A| and σ² that are stationary in both, or in |A| with σ² at the floor.

    Eigenvalues are equal only up to rounding, so that both sides of a tie are candidates.
    """
    candidates = []
    values = spectrum.eigenvalues
    most = min(n_components, len(values))
    smallest = max(floor**2, spectrum.rounding)
    for a in range(most + 1):
        if beta * a >= spectrum.n_features:
            break
        variance = _stationary_variance(spectrum, a, spectrum.left_over(a), beta)
        active_above = a == 0 or values[a - 1] >= (1 - _TIE) * beta * variance
        others_below = a == most or values[a] <= (1 + _TIE) * beta * variance
        if variance > smallest and active_above and others_below:
            candidates.append((_n_active(spectrum, n_components, beta * variance), variance))
    if floor > 0:
        candidates.append((_n_active(spectrum, n_components, beta * floor**2), floor**2))
    return candidates


def _n_active(spectrum: Spectrum, n_components: int, threshold: float) -> int:
    return min(n_components, int(np.sum(spectrum.eigenvalues > threshold)))


def _stationary_variance(spectrum: Spectrum, n_active: int, left_over: float, beta: float) -> float:
    room = spectrum.n_features - beta * n_active
    if room <= 0:
        raise SettingError(
            f"A learned noise variance needs β·|A| < d; got β = {beta:g}, |A| = {n_active}, d = "
            f"{spectrum.n_features}. Use fewer active directions, or give the noise variance."
        )
    return left_over / room


def _unbounded_error(spectrum: Spectrum, n_used: int) -> UnboundedLikelihoodError:
    return UnboundedLikelihoodError(
        f"The likelihood needs variance left over for the noise; the data have rank "
        f"{spectrum.rank}, and {n_used} components leave none, so that σ² → 0 makes it "
        "infinite. Use fewer components, give a positive `resolution`, or give σ² as `noise`."
    )


def _objective(point: StationaryPoint) -> float:
    """Objective of the linear VAE: expected log likelihood minus β times the rate."""
    return point.elbo - (point.beta - 1) * float(point.rates.sum())


def _at_set(
    spectrum: Spectrum,
    chosen: np.ndarray,
    unused: np.ndarray,
    left_over: float,
    n_components: int,
    variance: float,
    beta: float,
    on_floor: bool,
) -> StationaryPoint:
    d, a, threshold = spectrum.n_features, len(chosen), beta * variance
    used = spectrum.eigenvalues[chosen]
    weight = np.zeros((d, n_components))
    weight[:, :a] = spectrum.eigenvectors[:, chosen] * np.sqrt(used - threshold)
    rates = np.zeros(n_components)
    rates[:a] = 0.5 * np.log(used / threshold)
    explained = used - threshold + variance
    log_likelihood = -0.5 * (
        d * LOG_2PI
        + np.sum(np.log(explained) + used / explained)
        + (d - a) * np.log(variance)
        + left_over / variance
    )
    distortion = 0.5 * (d * (LOG_2PI + np.log(variance)) + left_over / variance + a * beta)
    ratio = spectrum.eigenvalues / threshold
    excess = np.maximum(ratio, 1.0)
    gain = 0.5 * beta * (excess - 1 - np.log(excess))
    curvature = (ratio - 1) / variance
    curvature[chosen] = 0.0
    bar = threshold if a < n_components else float(used.min(initial=np.inf))
    return StationaryPoint(
        active=tuple(int(j) for j in chosen),
        n_components=n_components,
        beta=beta,
        model=PPCAModel(spectrum.mean, weight, float(variance)),
        log_likelihood=float(log_likelihood) + spectrum.log_det,
        elbo=float(-distortion - rates.sum()) + spectrum.log_det,
        rates=rates,
        gain=gain,
        curvature=curvature,
        is_maximum=bool(np.all(spectrum.eigenvalues[unused] <= bar)),
        on_floor=on_floor,
    )


def _check_complete(spectrum: Spectrum) -> None:
    if not spectrum.complete:
        raise SettingError(
            f"Stationary points need every direction; the solver found "
            f'{len(spectrum.eigenvalues)}. Fit with svd_solver="full".'
        )


def are_directions(active: object) -> bool:
    """Whether the value is a sequence of whole numbers.

    Parameters
    ----------
    active : any value
    """
    return isinstance(active, (list, tuple, range, np.ndarray)) and all(
        isinstance(i, Integral) and not isinstance(i, bool) for i in active
    )


def _check_set(spectrum: Spectrum, active: Sequence[int], n_components: int) -> np.ndarray:
    if not are_directions(active):
        raise SettingError(
            f"An active set must be a sequence of whole numbers; got {active!r}. Directions are "
            "counted from 0 by falling eigenvalue: [0, 2] are the first and the third."
        )
    chosen = np.asarray(sorted(active), dtype=int)
    r = len(spectrum.eigenvalues)
    if len(set(chosen.tolist())) != len(chosen) or len(chosen) > n_components:
        raise SettingError(
            f"An active set must name at most {n_components} directions, each once; got "
            f"{tuple(active)}. Leave some out, or raise n_components."
        )
    if chosen.size and (chosen[0] < 0 or chosen[-1] >= r):
        raise SettingError(
            f"Directions are counted from 0 to {r - 1}, by falling eigenvalue; got "
            f"{tuple(active)}. Name directions that exist."
        )
    return chosen
