"""Quantile heads: a likelihood whose location parameters are conditional quantiles."""

import dataclasses
import itertools
import math
from collections.abc import Sequence

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import ndtri

from wellposed._checks import check_number
from wellposed._errors import SettingError
from wellposed._typing import Density, Fitted, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import LOG_2PI, damped, on_device, positive
from wellposed.transforms import REALS, Moments, Support

from ..parts.abstract import AbstractNoise
from ..parts.constants import Constants, pinned
from ..parts.features import Features
from ..parts.scale import LEARNS, LEAST, Scale
from .opened import Opened


class Quantile(AbstractNoise):
    r"""Quantile heads at levels τ_1 < … < τ_K: an asymmetric Laplace, opened between its heads.

    .. math:: p(y) = \frac{\tau_1 (1 - \tau_1)}{b} e^{-(1 - \tau_1)(q_1 - y)/b}, \quad
       \frac{\tau_{k+1} - \tau_k}{q_{k+1} - q_k}, \quad
       \frac{\tau_K (1 - \tau_K)}{b} e^{-\tau_K (y - q_K)/b}

    below q_1, between neighbours, and above q_K: the mass between heads is what the levels say,
    so that the τ_k-quantile of p(y|z) is q_k(z), and with one head p is the asymmetric Laplace.
    The head nearest to the median is free and the gaps are positive, so heads never cross.

    Parameters
    ----------
    levels : one or more numbers in (0, 1), increasing
    scale : positive number, "shared", "feature" or "conditional"
        b, the scale of the tails.
    floor : None or number ≥ 0
        f, the smallest b; heads stay (τ_{k+1} − τ_k) f √12 apart. None takes resolution/√12 of
        the data.

    Raises
    ------
    SettingError
        For levels, a scale or a floor out of range.

    Notes
    -----
    *Bounded.* log p(y|z) ≤ Σ_j log max{1/(f_j √12), τ_1(1 − τ_1)/f_j, τ_K(1 − τ_K)/f_j}, the
    first where there are two heads or more; in the tails b in place of f where it is given.

    *The gradient.* The heads' is that of −(1/K) Σ_k ρ_k(y − q_k)/b with the pinball ρ_k(e) =
    max{τ_k e, (τ_k − 1) e}, which is least at the conditional quantiles, whatever the data's law;
    b has the gradient of log p. With one head this *is* the gradient of log p (Yu & Moyeed 2001).
    With more it is not, and no normalised density could have it: a score that is least at several
    quantiles is a sum of pinballs of each (Fissler & Ziegel 2016), and the integral of the
    exponential of minus such a sum depends on the gaps. Maximising log p itself puts the heads
    of an exponential law, for levels 0.15, 0.5, 0.85, at its 0.114, 0.478 and 0.820 quantiles.

    So training maximises the mean over heads of K asymmetric Laplace ELBOs, which is the ELBO of
    a mixture over heads with a uniform posterior; and every value reported is the ELBO, or the
    log density, of p above. A sum of pinballs alone is neither (Akrami et al. 2022).

    References: Yu & Moyeed (2001), eq. 4; Akrami, Joshi, Aydore & Leahy (2022), §2; Fissler &
    Ziegel (2016), on scores of several quantiles.
    """

    levels: tuple[float, ...] = eqx.field(static=True)
    scale: Scale  # b
    floor: Fitted  # (d,), f of the gaps
    deviation: Fitted  # (d,), of the noise at raw zero
    constants: Constants | None

    def __init__(
        self,
        levels: Sequence[float] = (0.15, 0.5, 0.85),
        scale: float | str = "shared",
        *,
        floor: float | None = None,
    ):
        self.levels = _checked(levels)
        if not isinstance(scale, str):
            scale = check_number("scale", scale, LEARNS, above=0) ** 2
        self.scale = Scale(scale, floor=floor)
        self.floor = self.deviation = self.constants = None

    @property
    def n_raw(self) -> int:
        return len(self.levels) + self.scale.n_raw

    @property
    def support(self) -> Support:
        return REALS

    @property
    def solved_by_squares(self) -> bool:
        return False

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "Quantile":
        """Start with the heads, and the tails, of a normal around the data's mean."""
        del key
        given = self.scale.floor
        as_scales = moments.variance * _normal_scale(self.levels) ** 2
        floor = moments.resolution / math.sqrt(12.0) if given is None else given
        return eqx.tree_at(
            lambda n: (n.scale, n.floor, n.deviation, n.constants),
            self,
            (
                self.scale.initialise(dataclasses.replace(moments, variance=as_scales)),
                on_device(np.broadcast_to(floor, moments.mean.shape)),
                on_device(0.5 * np.sqrt(moments.variance)),
                Constants.of(moments),
            ),
            is_leaf=lambda leaf: leaf is None,
        )

    def __call__(self, raw: Raw) -> Density:
        law = self._law(raw)
        if self.constants is None:
            return Features(law)
        floor = jnp.maximum(self.floor, LEAST)
        return Features(pinned(law, self.constants.real(floor, floor)))

    def quantiles(self, raw: Raw) -> Float[Array, "h d"]:
        """Return the heads, increasing, in model units; of features that never vary, theirs."""
        density = self(raw)
        return jnp.stack([density.icdf(jnp.asarray(level)) for level in self.levels])

    def presented(self, y: Point) -> Point:
        return damped(y)

    def log_density_bound(self, d: int) -> float:
        floor = np.zeros(d) if self.floor is None else np.asarray(self.floor, np.float64)
        tails, steps = self.scale.least(d), np.diff(self.levels)
        if not (tails > 0).all() or (steps.size and not (floor > 0).all()):
            return math.inf
        outer = np.array([self.levels[0], self.levels[-1]])
        bound = np.log((outer * (1 - outer)).max() / tails)
        if steps.size:
            bound = np.maximum(bound, -np.log(math.sqrt(12.0) * floor))
        if self.constants is not None:
            pinned_bound = -0.5 * LOG_2PI - np.log(np.maximum(floor, LEAST))
            bound = np.where(np.asarray(self.constants.varies), bound, pinned_bound)
        return float(bound.sum())

    def learned(self) -> Leaves:
        return self.scale.learned()

    def refitted(self, squared_residual: Point) -> "Quantile":
        del squared_residual
        return self

    def variance(self) -> Variance | None:
        """b² (1 − 2τ + 2τ²)/(τ(1 − τ))² of one head; of more, it depends on the gaps."""
        squared, (level, *others) = self.scale.variance(), self.levels
        return None if squared is None or others else squared * _inflation(level)

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose b rests on its floor.

        Where b depends on z, the variance stands in: two tails with no gap between them.
        """
        known = self.scale.variance()
        if known is None:
            known = variance / min(_inflation(self.levels[0]), _inflation(self.levels[-1]))
        return self.scale.on_floor(known, self.constants and self.constants.varies)

    def _law(self, raw: Raw) -> "Opened":
        d = raw.shape[0] // self.n_raw
        blocks = raw[: len(self.levels) * d].reshape(len(self.levels), d)
        centre = min(range(len(self.levels)), key=lambda k: abs(self.levels[k] - 0.5))
        normal = ndtri(np.asarray(self.levels))
        steps = np.diff(self.levels)[:, None]
        deviation = jnp.ones(d) if self.deviation is None else self.deviation
        floor = jnp.zeros(d) if self.floor is None else self.floor
        least = math.sqrt(12.0) * floor * steps
        above = jnp.maximum(deviation * np.diff(normal)[:, None] - least, least)
        gaps = least + jnp.maximum(above, LEAST) * positive(blocks[1:])
        middle = blocks[0] + deviation * float(normal[centre])
        down = -jnp.cumsum(gaps[:centre][::-1], axis=0)[::-1]
        up = jnp.cumsum(gaps[centre:], axis=0)
        heads = middle + jnp.concatenate([down, jnp.zeros((1, d)), up])
        return Opened(heads, gaps, self.scale(raw[len(self.levels) * d :]), self.levels)


def _inflation(level: float) -> float:
    """Variance of an asymmetric Laplace of scale one."""
    return (1 - 2 * level + 2 * level**2) / (level * (1 - level)) ** 2


def _normal_scale(levels: tuple[float, ...]) -> float:
    """The b that is likeliest for a standard normal whose quantiles are the heads.

    The mean of what the tails ask for, (1 − τ_1) and τ_K times their mean excess, by their mass.
    """
    low, high = levels[0], levels[-1]
    peak_low, peak_high = (math.exp(-0.5 * (ndtri(v) ** 2 + LOG_2PI)) for v in (low, high))
    left = (1 - low) * (peak_low + low * ndtri(low))
    right = high * (peak_high - (1 - high) * ndtri(high))
    return (left + right) / (1 + low - high)


def _checked(levels: Sequence[float]) -> tuple[float, ...]:
    found = tuple(float(level) for level in levels)
    increasing = all(low < high for low, high in itertools.pairwise(found))
    if not found or not increasing or found[0] <= 0 or found[-1] >= 1:
        raise SettingError(
            f"levels must be numbers in (0, 1), increasing; got {found}. (0.15, 0.5, 0.85) are a "
            "median and, for a Gaussian, one standard deviation on either side."
        )
    return found
