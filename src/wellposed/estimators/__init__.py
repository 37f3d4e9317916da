"""scikit-learn's face: validate, translate, call, store."""

from ._diagnose import diagnose as diagnose
from ._explore import explored as explored
from ._file import load as load
from ._forecast import forecast as forecast
from ._grid import fit_grid as fit_grid
from ._grid_result import Grid as Grid
from ._linear_vae import LinearVAE as LinearVAE
from ._ppca import PPCA as PPCA
from ._rate_distortion import rate_distortion_curve as rate_distortion_curve
from ._report import report_of as report_of
from ._vae import VAE as VAE
