"""Forecast of collapse by probabilistic PCA, from the data alone."""

from .forecast import Forecast, forecast, forecast_spectrum, sentences
from .model_units import IDENTITY, ModelUnits, Sliceable
from .spectrum import SOLVERS, covariance, spectrum

__all__ = [
    "IDENTITY",
    "SOLVERS",
    "Forecast",
    "ModelUnits",
    "Sliceable",
    "covariance",
    "forecast",
    "forecast_spectrum",
    "sentences",
    "spectrum",
]
