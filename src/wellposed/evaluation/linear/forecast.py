"""Collapse forecast before any training, from the eigenvalues of the data."""

import dataclasses
import math

import numpy as np

from wellposed._checks import check_count, check_number
from wellposed._errors import SettingError
from wellposed._html import table
from wellposed.models import Spectrum, optimum

from .model_units import IDENTITY, ModelUnits
from .spectrum import spectrum


@dataclasses.dataclass(frozen=True)
class Forecast:
    r"""Latents of the best linear VAE at a noise variance σ² in model units.

    Latent i is active if its eigenvalue λ_i exceeds the ``threshold`` βσ². Its rate is then
    ½ log(λ_i/βσ²).

    Parameters
    ----------
    eigenvalues : shape (r,), of the data's covariance, in descending order, model units²
    noise_variance : σ², model units²
    learned : whether σ² is the best one, in place of a given one
    on_floor : whether a learned σ² is at its floor
    beta : weight of the KL
    active : shape (k,), whether each latent is active, in the order of the eigenvalues
    rates : shape (k,), nats a datum, in the same order
    elbo : mean over data, nats, in data units
    active_below : shape (k,), λ_j/β, model units²: latent j is active at noise variances below it
    total_variance : of the data, summed over features, model units²
    n_features : d
    units : of σ² and the variances, as the end of a sentence; empty where they are not known

    Examples
    --------
    >>> import wellposed as wp
    >>> found = wp.forecast(X, noise_variance=0.1, n_components=3)
    >>> found.n_active
    2
    """

    eigenvalues: np.ndarray
    noise_variance: float
    learned: bool
    on_floor: bool
    beta: float
    active: np.ndarray
    rates: np.ndarray
    elbo: float
    active_below: np.ndarray
    total_variance: float
    n_features: int
    units: str = ""

    @property
    def n_components(self) -> int:
        """Number of latents, k."""
        return len(self.active)

    @property
    def n_active(self) -> int:
        """Number of active latents."""
        return int(self.active.sum())

    @property
    def threshold(self) -> float:
        """βσ²: the model describes a direction with less variance than this as noise."""
        return self.beta * self.noise_variance

    @property
    def n_varying(self) -> int:
        """Number of directions in which the data vary beyond rounding: the most active latents."""
        rounding = self.n_features * np.finfo(np.float64).eps * self.eigenvalues[0]
        return int((self.eigenvalues > rounding).sum())

    @property
    def explained(self) -> float:
        """Share of the total variance in the active directions."""
        return float(self.eigenvalues[: self.n_active].sum() / self.total_variance)

    def __str__(self) -> str:
        return " ".join(sentences(self))

    def _repr_html_(self) -> str:
        # A latent without a direction of the data has no eigenvalue, and is collapsed.
        values = np.pad(self.eigenvalues, (0, self.n_components))[: self.n_components]
        rows = [
            (i + 1, float(value), "active" if active else "collapsed", float(rate))
            for i, (value, active, rate) in enumerate(
                zip(values, self.active, self.rates, strict=True)
            )
        ]
        return table(str(self), ("latent", "eigenvalue", "forecast", "rate, nats"), rows)


def forecast(
    rows: np.ndarray,
    *,
    noise_variance: float | None = None,
    n_components: int | None = None,
    beta: float = 1.0,
    floor: float = 0.0,
    units: ModelUnits = IDENTITY,
) -> Forecast:
    """Forecast which latents of the best linear VAE are active; see :func:`wellposed.forecast`.

    Parameters
    ----------
    rows : array of shape (n, d), data units
    noise_variance : given σ², model units²; None takes the best one
    n_components : number of latents, k; d by default
    beta : weight of the KL
    floor : smallest standard deviation of a learned noise, model units
    units : the map to model units

    Returns
    -------
    Forecast

    Raises
    ------
    SettingError
        If neither the noise variance nor the number of latents is given, or one is not positive.
    DataError
        If no feature varies.
    UnboundedLikelihoodError
        If σ² is to be learned, the latents can carry all the variance, and there is no floor.

    Examples
    --------
    >>> rows = np.array([[3.0, 1.0], [-3.0, 1.0], [3.0, -1.0], [-3.0, -1.0]])  # variances 9 and 1
    >>> forecast(rows, noise_variance=4.0).active.tolist()
    [True, False]
    """
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

    Parameters
    ----------
    spectrum : of the data, in model units
    noise_variance : given σ², model units²; None takes the best one
    n_components : number of latents, k; d by default
    beta : weight of the KL
    floor : smallest standard deviation of a learned noise, model units

    Raises
    ------
    SettingError
        If neither the noise variance nor the number of latents is given, or one is not positive.
    UnboundedLikelihoodError
        If σ² is to be learned, the latents can carry all the variance, and there is no floor.

    Examples
    --------
    >>> from wellposed.models import Covariance, eigendecompose
    >>> spectrum = eigendecompose(Covariance(np.zeros(2), np.diag([9.0, 1.0]), n_rows=4))
    >>> forecast_spectrum(spectrum, noise_variance=4.0).rates.round(3).tolist()  # ½ log(9/4)
    [0.405, 0.0]
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
        active_below=values / beta,
        total_variance=spectrum.total_variance,
        n_features=spectrum.n_features,
    )


def _check(noise_variance: float | None, n_components: int | None, beta: float) -> None:
    if noise_variance is None and n_components is None:
        raise SettingError(
            "A forecast needs the noise variance, the number of latents, or both; got neither. "
            "Give noise_variance=, in the units of the data, or n_components=."
        )
    if n_components is not None:
        check_count("n_components", n_components)
    for name, value in (("noise_variance", noise_variance), ("beta", beta)):
        if value is not None:
            check_number(name, value, _REMEDIES[name], above=0)


_REMEDIES = {
    "noise_variance": "Give σ², in squared model units, or leave it out to take the best one.",
    "beta": "If the KL has no weight, no latent collapses; 1 is the ELBO.",
}


def sentences(forecast: Forecast) -> tuple[str, ...]:
    """Describe a forecast in sentences, without the word eigenvalue.

    Parameters
    ----------
    forecast : Forecast

    Examples
    --------
    >>> rows = np.array([[3.0, 1.0], [-3.0, 1.0], [3.0, -1.0], [-3.0, -1.0]])
    >>> print(sentences(forecast(rows, noise_variance=4.0))[0])  # doctest: +ELLIPSIS
    In the best linear VAE with a noise variance of 4, 1 of 2 latents are active; ...
    """
    active, k = forecast.n_active, forecast.n_components
    lines = [_count(forecast)]
    if active:
        nats = forecast.rates.sum()
        lines.append(
            f"Active latents describe the directions in which the data vary most, "
            f"{forecast.explained:.1%} of their variance, and carry {nats:.3g} nats "
            f"({nats / math.log(2):.3g} bits) a datum."
        )
    if active < k:
        lines += [_threshold(forecast), *_remedy(forecast)]
    if forecast.on_floor:
        lines.append(
            "The noise is at its floor, the rounding of the measurement (resolution/√12): the "
            "latents can carry all variation beyond it."
        )
    if forecast.units:
        lines.append(f"The variances are in {forecast.units}.")
    return tuple(lines)


def _count(forecast: Forecast) -> str:
    active, k, variance = forecast.n_active, forecast.n_components, forecast.noise_variance
    learned = f"the noise variance learned ({variance:.4g} is best)"
    noise = learned if forecast.learned else f"a noise variance of {variance:.4g}"
    weight = "" if forecast.beta == 1 else f" and β = {forecast.beta:g}"
    latents = "latent is active" if k == 1 else "latents are active"
    count = f"In the best linear VAE with {noise}{weight}, {active} of {k} {latents}"
    if active == k:
        return f"{count}."
    rest = "it collapses and carries" if k == 1 else f"all {k} collapse and carry"
    if active:
        verbs = "collapses and carries" if k - active == 1 else "collapse and carry"
        rest = f"{k - active} {verbs}"
    return f"{count}; {rest} nothing."


def _threshold(forecast: Forecast) -> str:
    next_best = forecast.active_below[forecast.n_active] * forecast.beta
    where = "the next" if forecast.n_active else "even the strongest"
    bar = "the noise variance" if forecast.beta == 1 else "β times the noise variance"
    if forecast.n_active >= forecast.n_varying:
        many = "direction" if forecast.n_varying == 1 else "directions"
        return (
            f"The data vary in {forecast.n_varying} {many} only, so that no smaller noise variance "
            "gives more active latents."
        )
    many_latents = forecast.n_components >= forecast.n_features
    if forecast.learned and many_latents and next_best <= (1 + 1e-6) * forecast.threshold:
        return (
            "With as many latents as features, any smaller noise variance is as good: the model "
            f"can describe the weakest direction, of variance {next_best:.4g}, as noise or by a "
            "latent. Use fewer latents."
        )
    return (
        f"A latent is active only if the variance of the data along its direction exceeds {bar}, "
        f"{forecast.threshold:.4g}; along {where} direction it is {next_best:.4g}."
    )


def _remedy(forecast: Forecast) -> tuple[str, ...]:
    active, most = forecast.n_active, min(forecast.n_components, forecast.n_varying)
    if active >= most:
        return ()
    if forecast.learned:
        return ("A smaller β gives more active latents.",) if forecast.beta > 1 else ()
    one_more = f"Below a noise variance of {forecast.active_below[active]:.4g} one more is active"
    if active + 1 == most:
        return (f"{one_more}.",)
    whole = "all" if most == forecast.n_components else "the largest possible number,"
    return (f"{one_more}, below {forecast.active_below[most - 1]:.4g} {whole} {most}.",)
