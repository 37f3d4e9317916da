"""Noise of data whose missing entries are ignorable: they are integrated out."""

from typing import Self

import equinox as eqx

from wellposed._fill import fill
from wellposed._typing import Density, Fitted, Point, PRNGKey, Raw
from wellposed.transforms import Moments

from ..parts.abstract import AbstractNoise, require
from .abstract import AbstractMissing, Fill, check_whole, typical_of
from .observed import Observed


class Ignorable(AbstractMissing):
    r"""Noise of data with missing entries, NaN, that are ignorable.

    .. math:: p(y_{obs} \mid z) = \int p(y \mid z) \, dy_{mis}

    is maximised, which is right where entries are missing completely at random, or where what is
    missing depends on observed entries alone. Independent features are left out of a sum; noise
    with correlated features has ``observed_log_prob``.

    The input of the encoder is the datum with conditional means in place of missing entries, see
    :class:`Fill`, followed by 0 for each observed entry and −1 for each missing one.

    Parameters
    ----------
    noise : noise of whole data
    show_mask : whether the encoder's input shows which entries are missing

    Raises
    ------
    SettingError
        For noise of data with missing entries. When it is called, for noise whose features are
        not independent and that has no closed form for a part of them.

    References: Rubin (1976), Inference and missing data; Mattei & Frellsen (2019), eq. 3.

    Examples
    --------
    >>> from wellposed.noise import Gaussian
    >>> Ignorable(Gaussian()).encoder_width(3)
    6
    """

    noise: AbstractNoise
    show_mask: bool = eqx.field(static=True)
    typical: Fitted  # (d,), model units
    filling: Fill | None

    def __init__(self, noise: AbstractNoise, *, show_mask: bool = True):
        check_whole(noise)
        self.noise, self.show_mask = noise, bool(show_mask)
        self.typical = self.filling = None

    @property
    def has_exact_refit(self) -> bool:
        return self.noise.has_exact_refit

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        noise = self.noise.initialise(moments, key=key)
        return fill(self, noise=noise, typical=typical_of(moments))

    def __call__(self, raw: Raw) -> Density:
        return Observed(self.noise(raw), require(self, self.typical))

    def refit(self, squared_residual: Point) -> Self:
        return fill(self, noise=self.noise.refit(squared_residual))
