"""Discretised Gaussian noise, and mixtures of it: a probability for each of L levels."""

from .discretized import AbstractDiscretized, Cells, cells


class DiscretizedGaussian(AbstractDiscretized):
    r"""Independent whole numbers 0, …, L − 1 from Gaussians, cut into cells.

    .. math:: P(v \mid z) = \sum_m w_m [Φ((v + ½ - μ_m)/σ_m) - Φ((v - ½ - μ_m)/σ_m)]

    with tails to ±∞ at the edges.

    Parameters
    ----------
    levels : int ≥ 2 or None
        L; None takes the largest value of the data plus one.
    variance : positive number, "shared", "feature" or "conditional"
        σ² before rounding, in levels squared: given, learned for all features or each, or
        put out by the decoder for each component. σ never falls below 0.04.
    mixture : 1 to 5 components

    Raises
    ------
    SettingError
        For settings outside these ranges.

    Notes
    -----
    log P ≤ 0. A feature that never varies has its constant, with Laplace's rule for the
    exception.

    References: Ho, Jain & Abbeel (2020), eq. 13.
    """

    cells: Cells

    def __init__(
        self, levels: int | None = None, variance: float | str = "shared", mixture: int = 1
    ):
        self.cells = cells(levels, variance, mixture)

    @property
    def base(self) -> str:
        return "normal"
