"""The scale of a noise: given, learned, or a decoder output; never below its floor."""

import math
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from wellposed._checks import check_number
from wellposed._errors import SettingError, unknown_name
from wellposed._fill import fill
from wellposed._typing import Fitted, Leaves, Point, Variance
from wellposed.numerics import bounded, inverse_positive, on_device, positive, scalar
from wellposed.transforms import Moments

from .constants import ConstantDensity, Constants

LEARNED = ("shared", "feature", "conditional")
LEARNS = f"One of {', '.join(LEARNED)} learns it from the data."

# A scale within this factor of its floor counts as being at it.
_NEAR_FLOOR = 1.05

# Noise starts at this share of the data's standard deviation. From a larger start latents collapse
# in the first epochs (σ² above an eigenvalue collapses its latent); from a smaller one the first
# gradients are very large.
_START = 0.5

# A scale that depends on z stays within this factor of the feature's own.
RATIO = 10.0

LEAST = 1e-6
_TINY = 1e-30


class Scale(eqx.Module):
    r"""Standard deviations σ_j of the features, in model units.

    .. math:: \sigma_j = f_j + s_j, \qquad
       \sigma_j(z) = f_j + s_j e^{b(r_j(z))}, \qquad s_j = \mathrm{softplus}(\rho_j), \quad
       b(r) = \frac{r}{\sqrt{1 + (r / \log R)^2}}

    with ρ learned, one for all features or one each; σ(z) has one each, and the decoder's outputs r
    move it by at most a factor R either way. Without R, σ_j(z) = f_j + t_j softplus(r_j(z)), with
    t_j from the data: the scale has no part of its own, and its start is soon forgotten.

    Parameters
    ----------
    variance : positive number, "shared", "feature" or "conditional"
    floor : None or number ≥ 0
        f; None takes resolution/√12 of the data. One σ shared by all features takes the smallest
        floor of them.
    initial : None or positive number
        σ² that learning starts from; None takes a share of the data's variance.
    ratio : number from 1.01 to 10⁶, or None
        R, of a σ that depends on z; None for no limit.

    Raises
    ------
    SettingError
        For a variance or an initial one that is zero, negative, not finite or an unknown name; a
        negative floor; an initial variance of a σ² that is given; a ratio out of range.

    Examples
    --------
    >>> Scale("feature").kind
    'feature'
    """

    kind: str = eqx.field(static=True)  # "given" or one of LEARNED
    given: Fitted  # (), σ² set by the user
    rho: Fitted  # () shared, (d,) per feature
    start: Fitted  # (d,), t: scale above the floor at raw zero, where it depends on z without limit
    floor: Fitted  # () or (d,)
    initial: Fitted  # (), σ² to start from
    limit: Fitted = None  # (), log R; None without limit, as in files of older versions

    def __init__(
        self,
        variance: float | str = "shared",
        *,
        floor: float | None = None,
        initial: float | None = None,
        ratio: float | None = RATIO,
    ):
        self.kind = _kind(variance)
        if floor is not None:
            remedy = "It is a standard deviation in model units; leave it out to take the data's."
            floor = check_number("floor", floor, remedy, low=0)
        self.given = scalar(float(variance)) if self.kind == "given" else None
        self.floor = None if floor is None else scalar(floor)
        self.initial = None if initial is None else scalar(_initial(initial, self.kind))
        self.limit = _limit(ratio) if self.kind == "conditional" else None
        self.rho = self.start = None

    @property
    def n_raw(self) -> int:
        """Decoder outputs that the scale needs for each feature."""
        return int(self.kind == "conditional")

    @property
    def state(self) -> Fitted:
        """The array that σ is computed from; None before :meth:`initialise` if it is learned."""
        if self.kind == "given":
            return self.given
        return self.start if self._is_free else self.rho

    @property
    def _is_free(self) -> bool:
        """Whether σ depends on z without limit."""
        return self.kind == "conditional" and self.limit is None

    def initialise(self, moments: Moments) -> "Scale":
        """Take the floor and the start from the data."""
        varies = np.asarray(moments.varies)
        deviation = np.sqrt(np.where(varies, np.asarray(moments.variance, np.float64), 0.0))
        floor = self._data_floor(np.asarray(moments.resolution, np.float64), varies)
        start = _START * deviation
        if self.initial is not None:
            start = np.full_like(deviation, math.sqrt(float(self.initial)))
        if self.kind == "shared":
            start = np.sqrt((start**2).mean())
        start = np.maximum(start, np.maximum(2 * floor, LEAST))
        own = self.kind != "given" and not self._is_free
        return fill(
            self,
            rho=on_device(inverse_positive(start - floor)) if own else None,
            start=on_device(start - floor) if self._is_free else None,
            floor=None if self.kind == "given" else on_device(floor),
            initial=None,  # used once
        )

    def _data_floor(self, resolution: np.ndarray, varies: np.ndarray) -> np.ndarray:
        floor = resolution / math.sqrt(12.0) if self.floor is None else np.asarray(self.floor)
        if self.kind == "shared" and floor.ndim:
            return np.asarray(floor[varies].min() if varies.any() else floor.min())
        return np.broadcast_to(floor, () if self.kind == "shared" else resolution.shape)

    def __call__(self, raw: Any) -> Any:
        """Return σ, of shape () or (d,); ``raw`` holds n_raw·d numbers."""
        if self.kind == "given":
            return jnp.sqrt(self.given)
        # Without a floor a softplus is zero in float32 from −104 downwards.
        if self._is_free:
            return jnp.maximum(self.floor + self.start * positive(raw), _TINY)
        if self.kind == "conditional":
            change = jnp.exp(bounded(raw, self.limit))
            return jnp.maximum(self.floor + positive(self.rho) * change, _TINY)
        return self.floor + positive(self.rho)

    def at_zero(self, d: int) -> np.ndarray:
        """σ of d features where the decoder puts out zeros, shape (d,), on the host."""
        host: Scale = jax.device_get(self)
        if self.kind == "given":
            scale = np.sqrt(host.given)
        else:
            above = host.start if self._is_free else positive(np.asarray(host.rho))
            scale = host.floor + above
        return np.broadcast_to(np.asarray(scale), (d,))

    def for_constants(self, constants: Constants, scale: Array) -> ConstantDensity:
        """Density of features that never vary, where the others have the scale ``scale``.

        Their own scale is the floor, where each feature has its own.
        """
        least = scale if self.kind == "given" else jnp.maximum(self.floor, LEAST)
        own = scale if self.kind in ("given", "shared") else least
        return constants.real(own, least)

    def least(self, d: int) -> np.ndarray:
        """Smallest σ that each of d features can reach, shape (d,)."""
        if self.kind == "given":
            least = math.sqrt(float(self.given))
        else:
            least = 0.0 if self.floor is None else np.asarray(self.floor, np.float64)
        return np.broadcast_to(least, (d,))

    def log_least(self, d: int) -> float:
        """Sum over d features of the log of the smallest σ that can be reached; −inf for zero."""
        least = self.least(d)
        return float(np.log(least).sum()) if (least > 0).all() else -math.inf

    def parameters(self) -> Leaves:
        """Return the leaves that the optimiser updates."""
        return () if self.rho is None else (self.rho,)

    def with_variance(self, variance: Point) -> "Scale":
        """Return the scale whose σ² is ``variance`` (d,), or its mean where σ is shared.

        Where σ depends on z, that is σ² at raw zero. A σ that is given is left as it is.
        """
        if self.state is None or self.kind == "given":
            return self
        best = variance.mean() if self.kind == "shared" else variance
        # The map reaches the floor in the limit only, so σ stays a thousandth above it.
        above = jnp.maximum(jnp.sqrt(best) - self.floor, 1e-3 * self.floor + 1e-12)
        if self._is_free:
            return fill(self, start=above)
        return fill(self, rho=inverse_positive(above))

    def variance(self) -> Variance | None:
        """σ², or None where it depends on z."""
        if self.kind == "given":
            return self.given
        if self.rho is None or self.kind == "conditional":
            return None
        return (self.floor + positive(self.rho)) ** 2

    def on_floor(self, variance: Variance, varies: Array | None) -> tuple[int, ...]:
        """Return the features that vary whose learned σ is at its floor."""
        if self.kind == "given" or self.floor is None:
            return ()
        scale = np.sqrt(np.atleast_1d(np.asarray(variance)))
        at_floor = scale <= _NEAR_FLOOR * np.atleast_1d(np.asarray(self.floor))
        if varies is not None and self.kind != "shared":
            at_floor &= np.asarray(varies)
        return tuple(int(j) for j in np.flatnonzero(at_floor))


def _initial(initial: float, kind: str) -> float:
    if kind == "given":
        raise SettingError(
            f"initial is where a learned variance starts; got initial={initial!r} with a variance "
            'that is given. Leave initial out, or learn the variance: variance="shared".'
        )
    remedy = "It is a variance in model units; leave it out to start from the data's."
    return check_number("initial", initial, remedy, above=0)


def _limit(ratio: float | None) -> Array | None:
    """Log of the ratio, or None.

    Raises
    ------
    SettingError
        For a ratio out of range.
    """
    if ratio is None:
        return None
    remedy = f'{RATIO:g} is the default; None is no limit, and "feature" has no dependence on z.'
    return scalar(math.log(check_number("ratio", ratio, remedy, low=1.01, high=1e6)))


def _kind(variance: float | str) -> str:
    if isinstance(variance, str):
        if variance not in LEARNED:
            raise unknown_name("A noise variance's name", variance, LEARNED)
        return variance
    remedy = f"With σ² = 0 there is no density. {LEARNS}"
    check_number("A noise variance", variance, remedy, above=0)
    return "given"
