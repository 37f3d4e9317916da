"""Laplace observation noise: absolute errors in place of squares."""

import math

from jaxtyping import Array
from numpyro.distributions import Distribution

from wellposed._typing import Inputs, Point
from wellposed.numerics import compress_tails

from ..parts.constants import Constants
from ..parts.scale import Scale
from ..parts.scale_noise import AbstractLocationScale
from ..parts.stable_laws import StableLaplace


class Laplace(AbstractLocationScale):
    r"""Independent Laplace noise, whose maximum likelihood fit is the median.

    .. math:: p(y \mid z) = \prod_j \frac{1}{2 b_j} e^{-|y_j - \mu_j(z)| / b_j}, \qquad
       b_j = \sigma_j / \sqrt2, \quad \sigma_j = f_j + \mathrm{softplus}(\rho_j)

    Parameters
    ----------
    variance : positive number, "shared", "feature" or "conditional"
        σ², the variance of the noise, as in :class:`Gaussian`.
    floor : None or number ≥ 0
        f, the smallest σ; None takes resolution/√12 of the data.

    Raises
    ------
    SettingError
        For a variance or a floor out of range.

    Notes
    -----
    log p(y|z) ≤ −Σ_j log(√2 f_j), with σ in place of f where σ² is given: the peak is 1/2b.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> density = Laplace(2.0)(jnp.zeros(2))  # b = 1
    >>> round(float(density.log_prob(jnp.array([0.0, 3.0]))), 4)
    -4.3863
    """

    scale: Scale
    constants: Constants | None

    def __init__(self, variance: float | str = "shared", *, floor: float | None = None):
        self.scale = Scale(variance, floor=floor)
        self.constants = None

    @property
    def heavy_tailed(self) -> bool:
        return True

    @property
    def linear_location(self) -> bool:
        return True

    def law(self, location: Point, scale: Array) -> Distribution:
        return StableLaplace(location, scale / math.sqrt(2.0))

    @property
    def log_peak(self) -> float:
        return -0.5 * math.log(2.0)

    def encoder_input(self, y: Point) -> Inputs:
        return compress_tails(y)
