"""Noise of data whose entries are missing for their own value."""

from typing import Any, Literal, Self, get_args

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from wellposed._errors import SettingError, unknown_name
from wellposed._fill import fill
from wellposed._typing import Density, Fitted, Leaves, PRNGKey, Raw
from wellposed.numerics import inverse_positive, on_device, positive
from wellposed.transforms import REALS, Moments

from ..parts.abstract import AbstractNoise, require
from .abstract import AbstractMissing, Fill, check_whole, typical_of
from .self_masked import SelfMasked

Direction = Literal["learned", "high", "low"]
_NAMES: tuple[str, ...] = get_args(Direction)
_SIGNS = {"high": 1.0, "low": -1.0}


class SelfMasking(AbstractMissing):
    r"""Noise of data with missing entries, NaN, each missing by its own value.

    .. math:: \pi_j(y_j) = \operatorname{sigmoid}\Bigl(a_j \frac{y_j - c_j}{s_j} + b_j\Bigr), \qquad
       p(y_{obs}, m \mid z) = \prod_{obs} p(y_j \mid z) (1 - \pi_j(y_j))
       \prod_{mis} \int p(y_j \mid z) \, \pi_j(y_j) \, dy_j

    with a and b learned, for each column that has gaps in the training data; c and s are mean and
    standard deviation of the observed entries. Gaps of other columns are ignorable. Log densities
    are those of the observed entries and of which entries are missing, so that they cannot be
    compared with those of :class:`Ignorable`.

    Data do not say whether entries are missing for their own value: the model finds it out from
    its assumptions, the shape of π and of p(y | z). Pass the direction where it is known.

    Parameters
    ----------
    noise : noise of whole data: independent features on the real line
    direction : "learned", "high" or "low"
        "high": high values are missing, and a > 0; "low": a < 0.
    show_mask : whether the encoder's input shows which entries are missing

    Raises
    ------
    SettingError
        For an unknown direction, noise of data with missing entries, and noise that is not on the
        real line. When it is called, for noise whose features are not independent.

    References: Ipsen, Mattei & Frellsen (2021), not-MIWAE: deep generative modelling with missing
    not at random data, eqs 5-6 and §4.

    Examples
    --------
    >>> from wellposed.noise import Gaussian
    >>> SelfMasking(Gaussian(), "high").encoder_width(3)
    6
    """

    noise: AbstractNoise
    direction: str = eqx.field(static=True)
    show_mask: bool = eqx.field(static=True)
    typical: Fitted  # (d,), model units
    filling: Fill | None
    slope: Fitted  # (d,), a, or what softplus maps to its size
    bias: Fitted  # (d,), b
    masked: Bool[Array, " d"] | None  # columns with a mechanism
    center: Fitted  # (d,), c
    spread: Fitted  # (d,), s

    def __init__(
        self, noise: AbstractNoise, direction: Direction = "learned", *, show_mask: bool = True
    ):
        check_whole(noise)
        if direction not in _NAMES:
            raise unknown_name("A direction's name", direction, _NAMES)
        if noise.limited:
            raise _unfit("got values at limits, whose mechanism is known")
        if noise.support != REALS:
            raise _unfit(f"got {type(noise).__name__}, which is not on the real line")
        self.noise, self.direction, self.show_mask = noise, direction, bool(show_mask)
        self.typical = self.filling = None
        self.slope = self.bias = self.masked = self.center = self.spread = None

    @property
    def has_exact_refit(self) -> bool:
        return False

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        """Return the noise with a start from the data, all gaps ignorable; see :meth:`of_gaps`."""
        deviation = np.sqrt(np.asarray(moments.variance, np.float64))
        varies = np.asarray(moments.varies) & (deviation > 0)
        start = inverse_positive(np.ones(())) if self.direction in _SIGNS else 0.0
        return fill(
            self,
            noise=self.noise.initialise(moments, key=key),
            typical=typical_of(moments),
            slope=on_device(np.full(len(varies), start)),
            bias=on_device(np.zeros(len(varies))),
            masked=jnp.asarray(np.zeros(len(varies), bool)),
            center=on_device(moments.mean),
            spread=on_device(np.where(varies, deviation, 1.0)),
        )

    def of_gaps(self, gaps: Bool[np.ndarray, "n d"]) -> Self:
        """Return the noise with a mechanism for each column with gaps, b at their log odds.

        Parameters
        ----------
        gaps : which entries of the training data are missing, shape (n, d)
        """
        share = (gaps.sum(axis=0) + 0.5) / (len(gaps) + 1.0)
        bias = on_device(np.log(share / (1 - share)))
        return fill(self, bias=bias, masked=jnp.asarray(gaps.any(axis=0)))

    def slopes(self) -> Array:
        """a, shape (d,): log odds of a gap rise by it for each standard deviation of a value."""
        raw: Any = require(self, self.slope)
        return _SIGNS[self.direction] * positive(raw) if self.direction in _SIGNS else raw

    def __call__(self, raw: Raw) -> Density:
        slope = self.slopes() / self.spread
        of = self.noise(raw)
        if not of.independent:
            raise _unfit(f"the features of {type(self.noise).__name__} are not independent")
        bias = self.bias - slope * self.center
        return SelfMasked(of, require(self, self.typical), slope, bias, self.masked)

    def parameters(self) -> Leaves:
        own = () if self.slope is None else (self.slope, self.bias)
        return (*self.noise.parameters(), *own)


def _unfit(but: str) -> SettingError:
    return SettingError(
        "Entries that are missing for their own value need noise of independent features on the "
        f'real line; {but}. Use noise="feature" or "conditional", or missing="ignorable".'
    )
