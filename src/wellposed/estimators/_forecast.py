"""The forecast of collapse, for data as users have them."""

from typing import Any

import jax
import numpy as np
from sklearn.base import BaseEstimator

from wellposed import evaluation, models, noise, transforms
from wellposed._errors import SettingError

from ._build import objective_of
from ._data import opened, validated
from ._exact_data import prepared


def forecast(
    X: Any,
    *,
    noise_variance: float | None = None,
    n_components: int | None = None,
    beta: float = 1.0,
    transform: Any = "identity",
    resolution: Any = "auto",
) -> evaluation.Forecast:
    r"""Forecast, before any training, which latents of a Gaussian VAE must die.

    With the eigenvalues λ of the data's covariance, the best linear VAE keeps latent i alive
    where λ_i > βσ², at the rate ½ log(λ_i/βσ²). A nonlinear VAE sees the same prices; its
    latents may share or bend directions, so that its count is near this one rather than equal.

    Parameters
    ----------
    X : array-like or frame of shape (n, d), or a path
    noise_variance : σ² in model units; None takes the best one for ``n_components``
    n_components : k; None counts every direction
    beta : weight of the KL
    transform : "identity", "standardize", "logit" or a transform object
        Data units to model units: those in which σ² is stated. ``VAE`` standardises by default,
        and :meth:`wellposed.VAE.forecast` uses its settings.
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
        If neither σ² nor k is given, or a setting is out of range.

    References: Lucas et al. (2019), §4; Wang & Ziyin (2022), theorem 2 and corollary 2.

    Examples
    --------
    >>> import wellposed as wp
    >>> X = wp.datasets.load_digits().values
    >>> found = wp.forecast(X, noise_variance=100.0, n_components=10)
    >>> found.n_active, found.keeps_alive.round(1).tolist()[:3]
    (4, [178.9, 163.6, 141.7])
    """
    data = prepared(BaseEstimator(), X, transform, resolution, seed=0)
    spectrum = evaluation.spectrum(data.rows, data.units)
    return evaluation.forecast_spectrum(
        spectrum,
        noise_variance=noise_variance,
        n_components=n_components,
        beta=beta,
        floor=data.floor(spectrum.varies) if noise_variance is None else 0.0,
    )


def forecast_of(vae: Any, X: Any) -> evaluation.Forecast:
    """Forecast with the settings of a :class:`wellposed.VAE`, and its σ² where it is fitted."""
    settings = vae.get_params(deep=False)
    beta = float(getattr(objective_of(settings), "beta", 1.0))
    k = settings["n_components"]
    if hasattr(vae, "model_"):
        rows = validated(vae, opened(X)[0], reset=False)
        units = evaluation.ModelUnits(vae.model_.transform, jax.random.key(0))
        return _in_noise_units(evaluation.covariance(rows, units), vae.noise_variance_, k, beta)
    given: Any = noise.resolve(settings["noise"])
    kind = getattr(given, "kind", None)
    if kind not in ("given", "shared"):
        raise SettingError(
            f"A forecast before fitting needs one noise variance for all features; got noise = "
            f'{settings["noise"]!r}. Fit first, or forecast with a number or "shared".'
        )
    return forecast(
        X,
        noise_variance=float(given.given) if kind == "given" else None,
        n_components=k,
        beta=beta,
        transform=_one_scale(settings),
        resolution=settings["resolution"],
    )


def _one_scale(settings: dict[str, Any]) -> Any:
    """Images have one unit: "standardize" gives their features one scale, as fitting does."""
    if settings["transform"] == "standardize" and settings["image_shape"] is not None:
        return transforms.Standardize(shared=True)
    return settings["transform"]


def _in_noise_units(
    covariance: models.Covariance, noise_variance: Any, k: int, beta: float
) -> evaluation.Forecast:
    """Where σ² is one a feature, divide by σ first: what is left has noise variance one."""
    if np.ndim(noise_variance) == 0:
        spectrum, variance = models.eigendecompose(covariance), float(noise_variance)
    else:
        deviation = np.sqrt(np.asarray(noise_variance, np.float64))
        scaled = models.Covariance(
            covariance.mean / deviation,
            covariance.matrix / np.outer(deviation, deviation),
            covariance.n_rows,
            covariance.log_det - float(np.log(deviation).sum()),
        )
        spectrum, variance = models.eigendecompose(scaled), 1.0
    return evaluation.forecast_spectrum(
        spectrum, noise_variance=variance, n_components=k, beta=beta
    )
