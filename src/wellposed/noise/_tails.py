"""Which noise withstands outliers."""

from .parts.abstract import AbstractNoise
from .real.laplace import Laplace
from .real.quantile import Quantile
from .real.rescaled import Rescaled
from .real.student_t import StudentT


def heavy_tailed(noise: AbstractNoise) -> bool:
    """Tell whether a far value costs a noise its distance, or less, and not its square."""
    if isinstance(noise, Rescaled):
        return heavy_tailed(noise.noise)
    return isinstance(noise, (Laplace, Quantile, StudentT))
