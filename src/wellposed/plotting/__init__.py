"""Figures: each panel a function from values to matplotlib axes."""

from ._calibration import calibration as calibration
from ._correlation import noise_correlation as noise_correlation
from ._curves import training_curves as training_curves
from ._demo import demo_figure as demo_figure
from ._families import families as families
from ._forecast import forecast as forecast
from ._images import images as images
from ._palette import PALETTE as PALETTE
from ._palette import QUIET as QUIET
from ._plane import latent_plane as latent_plane
from ._rate_distortion import rate_distortion as rate_distortion
from ._rates import rates as rates
from ._reconstructions import reconstructions as reconstructions
from ._tables import marginals as marginals
from ._tables import moved as moved
from ._tables import residual_boxes as residual_boxes
from ._variance_split import variance_split as variance_split
