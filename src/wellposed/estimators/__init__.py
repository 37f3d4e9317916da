"""scikit-learn's face: validate, translate, call, store."""

from ._file import load
from ._forecast import forecast
from ._judging import diagnose, explore, report
from ._vae import VAE
from .grid import Grid, fit_grid, rate_distortion_curve
from .linear import PPCA, LinearVAE

__all__ = [
    "PPCA",
    "VAE",
    "Grid",
    "LinearVAE",
    "diagnose",
    "explore",
    "fit_grid",
    "forecast",
    "load",
    "rate_distortion_curve",
    "report",
]
