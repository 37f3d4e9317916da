"""Discretised logistic noise, and mixtures of it: a probability for each of L levels."""

from .discretized import AbstractDiscretized, Cells, cells


class DiscretizedLogistic(AbstractDiscretized):
    r"""Independent whole numbers 0, …, L − 1 from logistics, cut into cells.

    .. math:: P(v \mid z) = \sum_m w_m [σ((v + ½ - μ_m)/s_m) - σ((v - ½ - μ_m)/s_m)]

    with tails to ±∞ at the edges, and s = σ√3/π for a logistic of standard deviation σ.

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
    log P ≤ 0, so that maximum likelihood has a maximum without a floor, and −log₂ P is the
    length of a code. A feature that never varies has its constant, with Laplace's rule for the
    exception.

    References: Salimans et al. (2017), PixelCNN++, §2.1; Kingma et al. (2016), §5.2.
    """

    cells: Cells

    def __init__(
        self,
        levels: int | None = None,
        variance: float | str = "conditional",
        mixture: int = 1,
    ):
        self.cells = cells(levels, variance, mixture)

    @property
    def base(self) -> str:
        return "logistic"
