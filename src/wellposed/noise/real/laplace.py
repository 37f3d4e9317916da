"""Laplace observation noise: absolute errors in place of squares."""

import math

import equinox as eqx

from wellposed._typing import Density, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import damped
from wellposed.transforms import REALS, Moments, Support

from ..parts.abstract import AbstractNoise
from ..parts.constants import Constants, pinned
from ..parts.features import Features
from ..parts.scale import Scale
from ..parts.stable_laws import StableLaplace


class Laplace(AbstractNoise):
    r"""Independent Laplace noise, whose maximum likelihood fit is the median.

    .. math:: p(y \mid z) = \prod_j \frac{1}{2 b_j} e^{-|y_j - \mu_j(z)| / b_j}, \qquad
       b_j = \sigma_j / \sqrt2, \quad \sigma_j = f_j + \mathrm{softplus}(\rho_j)

    Parameters
    ----------
    variance : positive number, "shared", "feature" or "conditional"
        σ², the variance of the noise, as :class:`Gaussian` takes it.
    floor : None or number ≥ 0
        f, the smallest σ; None takes resolution/√12 of the data.

    Raises
    ------
    SettingError
        For a variance or a floor out of range.

    Notes
    -----
    log p(y|z) ≤ −Σ_j log(√2 f_j), with σ in place of f where σ² is given: the peak is 1/2b.
    """

    scale: Scale
    constants: Constants | None

    def __init__(self, variance: float | str = "shared", *, floor: float | None = None):
        self.scale = Scale(variance, floor=floor)
        self.constants = None

    @property
    def n_raw(self) -> int:
        return 1 + self.scale.n_raw

    @property
    def support(self) -> Support:
        return REALS

    @property
    def solved_by_squares(self) -> bool:
        return False

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "Laplace":
        del key
        return eqx.tree_at(
            lambda n: (n.scale, n.constants),
            self,
            (self.scale.initialise(moments), Constants.of(moments)),
            is_leaf=lambda leaf: leaf is None,
        )

    def __call__(self, raw: Raw) -> Density:
        d = raw.shape[0] // self.n_raw
        scale = self.scale(raw[d:])
        constants = self.constants and self.scale.for_constants(self.constants, scale)
        return Features(pinned(StableLaplace(raw[:d], scale / math.sqrt(2.0)), constants))

    def presented(self, y: Point) -> Point:
        return damped(y)

    def log_density_bound(self, d: int) -> float:
        return -0.5 * d * math.log(2.0) - self.scale.log_least(d)

    def learned(self) -> Leaves:
        return self.scale.learned()

    def refitted(self, squared_residual: Point) -> "Laplace":
        del squared_residual
        return self

    def variance(self) -> Variance | None:
        return self.scale.variance()

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        return self.scale.on_floor(variance, self.constants and self.constants.varies)
