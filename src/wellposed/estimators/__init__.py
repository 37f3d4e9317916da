"""scikit-learn's face: validate, translate, call, store."""

from ._diagnose import diagnose as diagnose
from ._explore import explored as explored
from ._file import load as load
from ._forecast import forecast as forecast
from ._report import report_of as report_of
from ._vae import VAE as VAE
from .grid import Grid as Grid
from .grid import fit_grid as fit_grid
from .grid import rate_distortion_curve as rate_distortion_curve
from .linear import PPCA as PPCA
from .linear import LinearVAE as LinearVAE
