"""Collapse forecast before any training, from the eigenvalues of the data."""

import dataclasses
import math

import numpy as np

from wellposed._errors import SettingError
from wellposed.models import Spectrum, optimum

from ._model_units import IDENTITY, ModelUnits
from ._spectrum import spectrum


@dataclasses.dataclass(frozen=True)
class Forecast:
    r"""What the best linear VAE does with each latent, at a noise variance σ² in model units.

    Latent i is active where its eigenvalue λ_i exceeds the ``threshold`` βσ², and then has the
    rate ½ log(λ_i/βσ²). ``eigenvalues`` (r,) fall; ``active`` (k,) and ``rates`` (k,) follow
    them; ``elbo`` is the mean over data, in nats and data units. ``keeps_alive`` of shape (k,)
    is the largest noise variance, not itself included, at which 1, 2, …, k latents live: λ_j/β.
    """

    eigenvalues: np.ndarray
    noise_variance: float
    learned: bool
    on_floor: bool
    beta: float
    active: np.ndarray
    rates: np.ndarray
    elbo: float
    keeps_alive: np.ndarray
    total_variance: float
    n_features: int

    @property
    def n_components(self) -> int:
        """Number of latents, k."""
        return len(self.active)

    @property
    def n_active(self) -> int:
        """How many latents live."""
        return int(self.active.sum())

    @property
    def threshold(self) -> float:
        """βσ²: a direction with less variance than this is left to the noise."""
        return self.beta * self.noise_variance

    @property
    def explained(self) -> float:
        """Share of the total variance in the active directions."""
        return float(self.eigenvalues[: self.n_active].sum() / self.total_variance)

    def __str__(self) -> str:
        return " ".join(sentences(self))


def forecast(
    rows: np.ndarray,
    *,
    noise_variance: float | None = None,
    n_components: int | None = None,
    beta: float = 1.0,
    floor: float = 0.0,
    units: ModelUnits = IDENTITY,
) -> Forecast:
    """Forecast which latents live for rows of shape (n, d); see :func:`wellposed.forecast`."""
    return forecast_spectrum(
        spectrum(rows, units),
        noise_variance=noise_variance,
        n_components=n_components,
        beta=beta,
        floor=floor,
    )


def forecast_spectrum(
    spectrum: Spectrum,
    *,
    noise_variance: float | None = None,
    n_components: int | None = None,
    beta: float = 1.0,
    floor: float = 0.0,
) -> Forecast:
    """Forecast the collapse from a spectrum.

    Raises
    ------
    SettingError
        If neither the noise variance nor the number of latents is given, or one is not positive.
    UnboundedLikelihoodError
        If σ² is to be learned, the latents can carry all the variance, and there is no floor.
    """
    _check(noise_variance, n_components, beta)
    r = len(spectrum.eigenvalues)
    k = spectrum.n_features if n_components is None else n_components
    best = optimum(spectrum, min(k, r), noise_variance=noise_variance, beta=beta, floor=floor)
    rates, values = np.zeros(k), np.zeros(k)
    rates[:r] = best.rates
    values[:r] = spectrum.eigenvalues[:k]
    return Forecast(
        eigenvalues=spectrum.eigenvalues,
        noise_variance=best.noise_variance,
        learned=noise_variance is None,
        on_floor=best.on_floor,
        beta=beta,
        active=rates > 0,
        rates=rates,
        elbo=best.elbo,
        keeps_alive=values / beta,
        total_variance=spectrum.total_variance,
        n_features=spectrum.n_features,
    )


def _check(noise_variance: float | None, n_components: int | None, beta: float) -> None:
    if noise_variance is None and n_components is None:
        raise SettingError(
            "A forecast needs the noise variance, the number of latents, or both; got neither. "
            "Give noise_variance=, in the units of the data, or n_components=."
        )
    if n_components is not None and n_components < 1:
        raise SettingError(
            f"n_components must be a whole number ≥ 1; got {n_components}. Change n_components."
        )
    for name, value in (("noise_variance", noise_variance), ("beta", beta)):
        if value is not None and not (math.isfinite(value) and value > 0):
            raise SettingError(
                f"{name} must be a finite number > 0; got {value}. At zero there is no noise, "
                "hence no likelihood and nothing to forecast."
            )


def sentences(forecast: Forecast) -> tuple[str, ...]:
    """Say a forecast so that a reader who has never heard of eigenvalues can act on it."""
    k, alive, variance = forecast.n_components, forecast.n_active, forecast.noise_variance
    noise = "the best noise variance, " if forecast.learned else "a noise variance of "
    weight = "" if forecast.beta == 1 else f" and β = {forecast.beta:g}"
    told = [f"With {noise}{variance:.4g}{weight}, {alive} of {k} latents live."]
    if alive:
        told.append(
            f"They carry {forecast.rates.sum():.3g} nats a datum and describe directions that "
            f"hold {forecast.explained:.1%} of the variance."
        )
    if alive < k:
        told.append(_of_the_dead(forecast))
    if forecast.on_floor:
        told.append(
            "The noise rests on its floor, resolution/√12: the latents can carry all that varies."
        )
    return tuple(told)


def _of_the_dead(forecast: Forecast) -> str:
    alive, k = forecast.n_active, forecast.n_components
    who = "Everything dies: all" if alive == 0 else "The other"
    next_best, weakest = forecast.keeps_alive[alive], forecast.keeps_alive[k - 1]
    found = (
        f"{who} {k - alive} collapse, because the noise explains what they could describe more "
        f"cheaply: the next direction varies by {next_best * forecast.beta:.4g} only, and the "
        f"threshold is {forecast.threshold:.4g}."
    )
    if forecast.learned or next_best == 0:
        return found
    if weakest == 0:
        return f"{found} A noise variance below {next_best:.4g} keeps one more."
    return f"{found} A noise variance below {weakest:.4g} keeps all {k}."
