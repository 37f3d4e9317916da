"""Forecast of collapse for arrays, frames and files."""

import dataclasses
from typing import Any

import jax
import numpy as np
from sklearn.base import BaseEstimator

from wellposed import evaluation, models, noise, objectives, transforms
from wellposed._errors import SettingError

from ._build import objective_of
from ._settings import settings_of
from ._words import Resolution, Rows, Transform
from .linear.prepare import Exact, prepare
from .start.settings import noise_of


def forecast(
    X: Rows,
    *,
    noise_variance: float | evaluation.ImpliedNoise | None = None,
    n_components: int | None = None,
    beta: float = 1.0,
    transform: Transform = "auto",
    resolution: Resolution = "auto",
) -> evaluation.Forecast:
    r"""Forecast, before any training, which latents of a Gaussian VAE will collapse.

    With the eigenvalues λ of the data's covariance, latent i of the best linear VAE is active
    where λ_i > βσ², at the rate ½ log(λ_i/βσ²). The same threshold applies to a nonlinear VAE,
    but one latent can follow a curve and replace several linear directions, and rare or clustered
    structure can be worth more than its variance, so read the count as a guide.

    Parameters
    ----------
    X : array-like or frame of shape (n, d), or a path
    noise_variance : σ², in squared units of the data unless ``transform`` names others, or what
        :func:`wellposed.implied_noise_variance` returns; None takes the best one for
        ``n_components``
    n_components : k; None counts every direction
    beta : weight of the KL
    transform : "auto", "identity", "standardize", "logit" or a transform object
        Data units to model units: those in which σ² and all variances are stated. "auto" is
        "identity" for a given σ², and otherwise "standardize", the units in which a ``VAE`` is
        fitted by default: the forecast is then that of ``VAE(k, noise="shared").forecast(X)``.
    resolution : as in :class:`wellposed.PPCA`, for the floor of a learned σ²

    Returns
    -------
    :class:`wellposed.evaluation.Forecast`; ``print`` it, or plot it with
    :func:`wellposed.plotting.forecast`

    Raises
    ------
    DataError
        If the data are not finite numbers or never vary.
    SettingError
        If neither σ² nor k is given, or if a setting is out of range.

    References: Lucas et al. (2019), §4; Wang & Ziyin (2022), theorem 2 and corollary 2.

    Examples
    --------
    >>> import wellposed as wp
    >>> X = wp.datasets.load_digits().values
    >>> result = wp.forecast(X, noise_variance=100.0, n_components=10)
    >>> result.n_active, result.active_below.round(1).tolist()[:3]
    (4, [178.9, 163.6, 141.7])
    """
    if isinstance(noise_variance, evaluation.ImpliedNoise):
        noise_variance = noise_variance.noise_variance
    if isinstance(transform, str) and transform == "auto":
        transform = "standardize" if noise_variance is None else "identity"
    data = prepare(BaseEstimator(), X, transform, resolution, seed=0)
    return _forecast(data, noise_variance, n_components, beta)


def _forecast(
    data: Exact,
    noise_variance: float | None,
    n_components: int | None,
    beta: float,
    floor: float | None = None,
) -> evaluation.Forecast:
    """``floor`` is the smallest σ in model units; None takes it from the resolution."""
    spectrum = evaluation.spectrum(data.rows, data.units)
    result = evaluation.forecast_spectrum(
        spectrum,
        noise_variance=noise_variance,
        n_components=n_components,
        beta=beta,
        floor=data.floor(spectrum.varies) if floor is None else floor,
    )
    return dataclasses.replace(result, units=units_of(data.units.transform))


def units_of(transform: transforms.AbstractTransform) -> str:
    """Return the units of variances in the model units of a transform, for a sentence.

    Examples
    --------
    >>> units_of(transforms.Identity())
    'squared units of the data'
    """
    if isinstance(transform, transforms.Identity):
        return "squared units of the data"
    if isinstance(transform, transforms.Standardize):
        by = "all features by one number" if transform.shared else "each feature by its own scale"
        return f"squared units of the standardised data ({by})"
    return f"squared model units of the {type(transform).__name__} transform"


def forecast_of(vae: Any, X: Rows) -> evaluation.Forecast:
    """Forecast with the settings of a :class:`wellposed.VAE`, and its σ² where it is fitted."""
    settings = settings_of(vae)
    objective = objective_of(settings)
    if hasattr(vae, "model_"):
        units = evaluation.ModelUnits(vae.model_.transform, jax.random.key(0))
        spectrum, variance = _in_noise_units(vae, vae.rows(X), units)
        result = evaluation.forecast_spectrum(
            spectrum,
            noise_variance=variance,
            n_components=vae.model_.prior.k,
            beta=effective_beta(objective, vae.noise_variance_),
        )
        named = units_of(vae.model_.transform)
        if np.ndim(vae.noise_variance_):
            named = "units of the noise variance of each feature"
        if vae.model_.n_covariates:
            named += ", after regression on the covariates"
        return dataclasses.replace(result, units=named)
    if settings["covariates"] is not None:
        raise SettingError(
            "A forecast before fitting is of all columns; got covariates. Fit first, or forecast "
            "the residuals of a regression on the covariates with wellposed.forecast."
        )
    given: Any = noise.resolve(noise_of(settings["noise"], one_unit=True))
    kind = given.kind if isinstance(given, noise.Gaussian) else None
    implied = objective.implied_noise_variance()
    if kind is None or (implied is None and kind not in ("given", "shared")):
        raise SettingError(
            f"A forecast before fitting needs one Gaussian variance for all features; got noise = "
            f'{settings["noise"]!r}. Fit first, or forecast with a number or "shared".'
        )
    if implied is None and kind == "given":
        implied = given.scale.given
    return _forecast(
        prepare(BaseEstimator(), X, _one_scale(settings), settings["resolution"], seed=0),
        None if implied is None else float(implied),
        None if settings["n_components"] == "auto" else settings["n_components"],
        effective_beta(objective, None),
        floor=None if given.scale.floor is None else float(given.scale.floor),
    )


def effective_beta(objective: objectives.AbstractObjective, noise_variance: Any) -> float:
    """Return the weight of the KL relative to the likelihood at the model's own σ².

    A squared error implies a σ²; for a model with another σ² the weight is the ratio of the two.
    None stands for a model with the implied σ².

    Raises
    ------
    SettingError
        If the KL has no weight.
    """
    beta = float(getattr(objective, "beta", 1.0))
    implied = objective.implied_noise_variance()
    if implied is not None and noise_variance is not None:
        beta = float(implied) / float(np.mean(noise_variance))
    if beta <= 0 or (implied is not None and float(implied) <= 0):
        raise SettingError(
            f"Collapse needs a weight > 0 on the KL; got {objective}. Without it no "
            "latent is drawn to the prior: give beta or kl_weight > 0."
        )
    return beta


def _one_scale(settings: dict[str, Any]) -> Any:
    """Replace "standardize" by one scale for all features of images, as in fitting."""
    if settings["transform"] in ("auto", "standardize") and settings["image_shape"] is not None:
        return transforms.Standardize(shared=True)
    return settings["transform"]


def _in_noise_units(
    vae: Any, rows: np.ndarray, units: evaluation.ModelUnits
) -> tuple[models.Spectrum, float]:
    """Spectrum and σ²; where σ² is one a feature, divide by σ first, which leaves σ² = 1.

    Rows with covariates are replaced by the residuals of a regression on these, where the linear
    start of a conditional model has its latents.
    """
    noise_variance, given = vae.noise_variance_, models.given_columns(vae.model_, rows)
    if np.ndim(noise_variance) == 0 and not given.shape[1]:
        return evaluation.spectrum(rows, units), float(noise_variance)
    shared = float(noise_variance) if np.ndim(noise_variance) == 0 else None
    deviation = np.sqrt(np.asarray(1.0 if shared is not None else noise_variance, np.float64))
    values, log_det = units.whole(models.own_columns(vae.model_, rows))
    if given.shape[1]:
        values = values - given @ models.regress(values, given)
    spectrum = evaluation.spectrum(values / deviation, evaluation.IDENTITY)
    log_det = float(log_det.mean() - np.log(deviation).sum())
    return dataclasses.replace(spectrum, log_det=log_det), 1.0 if shared is None else shared
