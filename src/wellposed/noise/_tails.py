"""Which noise withstands outliers."""

from ._abstract import AbstractNoise
from ._laplace import Laplace
from ._quantile import Quantile
from ._rescaled import Rescaled
from ._student_t import StudentT


def heavy_tailed(noise: AbstractNoise) -> bool:
    """Tell whether a far value costs a noise its distance, or less, and not its square."""
    if isinstance(noise, Rescaled):
        return heavy_tailed(noise.noise)
    return isinstance(noise, (Laplace, Quantile, StudentT))
