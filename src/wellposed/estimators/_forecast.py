"""The forecast of collapse, for data as users have them."""

from typing import Any

from sklearn.base import BaseEstimator

from wellposed import evaluation

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
    (3, [178.9, 163.6, 141.7])
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
