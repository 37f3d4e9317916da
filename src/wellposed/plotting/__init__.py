"""Figures: a function from values to matplotlib axes for each panel."""

from ._calibration import calibration
from ._correlation import noise_correlation
from ._curves import training_curves
from ._demo import demo_figure
from ._families import families
from ._forecast import forecast
from ._gaps import gaps
from ._images import images
from ._outliers import outliers
from ._palette import PALETTE, QUIET
from ._plane import latent_plane
from ._rate_distortion import rate_distortion
from ._rates import rates
from ._reconstructions import reconstructions
from ._tables import column_distances, marginals, residual_boxes, traversals
from ._variance_split import variance_split

__all__ = [
    "PALETTE",
    "QUIET",
    "calibration",
    "column_distances",
    "demo_figure",
    "families",
    "forecast",
    "gaps",
    "images",
    "latent_plane",
    "marginals",
    "noise_correlation",
    "outliers",
    "rate_distortion",
    "rates",
    "reconstructions",
    "residual_boxes",
    "training_curves",
    "traversals",
    "variance_split",
]


def __dir__() -> list[str]:
    return sorted(__all__)
