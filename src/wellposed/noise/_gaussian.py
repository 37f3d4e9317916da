"""Gaussian observation noise: its variance given, shared, one a feature, or a function of z."""

import math
from numbers import Real

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array
from numpyro.distributions import Normal

from wellposed._errors import SettingError, unknown_name
from wellposed._typing import Density, Fitted, Point, Raw, Scalar
from wellposed.numerics import LOG_2PI, inverse_positive, positive, scalar
from wellposed.transforms import Moments

from ._abstract import AbstractNoise

_LEARNED = ("shared", "feature", "conditional")

# A standard deviation within this factor of its floor rests on it.
_RESTING = 1.05

# The noise starts at this share of the data's standard deviation. Larger, and latents are priced
# out in the first epochs (σ² above an eigenvalue kills its latent); smaller, and the first
# gradients are wild.
_START = 0.5


class Gaussian(AbstractNoise):
    r"""Independent Gaussian noise.

    .. math:: p(y \mid z) = \prod_j N(y_j \mid \mu_j(z), \sigma_j^2), \qquad
       \sigma_j = f_j + \mathrm{softplus}(\rho_j)

    Parameters
    ----------
    variance : positive number, "shared", "feature" or "conditional"
        σ² in model units, given and never written to by the optimiser; or learned: one for all
        features, one each, or a function σ_j²(z) that the decoder puts out.
    floor : None or number ≥ 0
        f, the smallest standard deviation that learning can reach, in model units. None takes
        resolution/√12 of the data: no density is sharper than the measurement. Zero removes the
        floor and with it the upper bound of the likelihood; ``fit`` then wants
        ``allow_unbounded=True``. One σ shared by all features takes the smallest floor of them.

    Raises
    ------
    SettingError
        For a variance that is zero, negative, not finite or an unknown name.

    Notes
    -----
    log p(y|z) ≤ −Σ_j log(f_j √2π), with σ in place of f where σ² is given: finite, so maximum
    likelihood has a maximum (Mattei & Frellsen 2018, §2.1).

    A feature that never varies has its constant as its mean, whatever z; its learned variance,
    if it has one of its own, is its floor.
    """

    kind: str = eqx.field(static=True)
    n_raw: int = eqx.field(static=True)
    given: Fitted  # (), σ² set by the user
    rho: Fitted  # () shared, (d,) per feature
    start: Fitted  # (d,), scale of the conditional σ(z) at raw zero
    floor: Fitted  # () or (d,)
    constant: Fitted  # (d,), the mean of features that never vary; None when all vary
    varies: Fitted  # (d,), bool

    def __init__(self, variance: float | str = "shared", *, floor: float | None = None):
        self.kind = _kind(variance)
        self.n_raw = 2 if self.kind == "conditional" else 1
        if floor is not None and not (math.isfinite(floor) and floor >= 0):
            raise SettingError(
                f"floor must be a number ≥ 0, a standard deviation in model units; got {floor}. "
                "Leave it out to take it from the data's resolution."
            )
        self.given = scalar(float(variance)) if self.kind == "given" else None
        self.floor = None if floor is None else scalar(floor)
        self.rho = self.start = self.constant = self.varies = None

    def initialise(self, moments: Moments) -> "Gaussian":
        varies = np.asarray(moments.varies)
        deviation = np.sqrt(np.where(varies, np.asarray(moments.variance, np.float64), 0.0))
        floor = self._data_floor(np.asarray(moments.resolution, np.float64), varies)
        start = np.maximum(_START * deviation, np.maximum(2 * floor, 1e-6))
        if self.kind == "shared":
            start = max(_START * math.sqrt((deviation**2).mean()), 2 * float(floor), 1e-6)
        dtype = jnp.result_type(float)
        above = jnp.asarray(start - floor, dtype)
        whole = bool(varies.all())
        return eqx.tree_at(
            lambda g: (g.rho, g.start, g.floor, g.constant, g.varies),
            self,
            (
                inverse_positive(above) if self.kind in ("shared", "feature") else None,
                above if self.kind == "conditional" else None,
                None if self.kind == "given" else jnp.asarray(floor, dtype),
                None if whole else moments.mean,
                None if whole else moments.varies,
            ),
            is_leaf=lambda leaf: leaf is None,
        )

    def _data_floor(self, resolution: np.ndarray, varies: np.ndarray) -> np.ndarray:
        floor = resolution / math.sqrt(12.0) if self.floor is None else np.asarray(self.floor)
        if self.kind == "shared" and floor.ndim:
            return np.asarray(floor[varies].min())
        return np.broadcast_to(floor, () if self.kind == "shared" else resolution.shape)

    def __call__(self, raw: Raw) -> Density:
        mean = raw if self.n_raw == 1 else raw[: raw.shape[0] // 2]
        scale = self._scale(raw)
        if self.varies is not None:
            mean = jnp.where(self.varies, mean, self.constant)
            if self.kind in ("feature", "conditional"):
                scale = jnp.where(self.varies, scale, jnp.maximum(self.floor, 1e-6))
        return Normal(mean, scale).to_event(1)

    def _scale(self, raw: Raw) -> Array:
        if self.kind == "given":
            return jnp.sqrt(self.given)
        if self.kind == "conditional":
            return self.floor + self.start * positive(raw[raw.shape[0] // 2 :])
        return self.floor + positive(self.rho)

    def log_density_bound(self, d: int) -> float:
        if self.kind == "given":
            return -0.5 * d * (LOG_2PI + math.log(float(self.given)))
        floor = np.zeros(()) if self.floor is None else np.asarray(self.floor, np.float64)
        if (floor <= 0).any():
            return math.inf
        return -0.5 * d * LOG_2PI - float(np.log(np.broadcast_to(floor, (d,))).sum())

    def learned(self) -> tuple[Array, ...]:
        return () if self.rho is None else (self.rho,)

    def refitted(self, squared_residual: Point) -> "Gaussian":
        """Solve the noise variance in closed form: σ² is the mean squared residual under q.

        References: Rybkin, Daniilidis & Levine (2021), σ* ; Dai, Wang & Wipf (2020), eq. 10.
        """
        if self.rho is None:
            return self
        best = squared_residual.mean() if self.kind == "shared" else squared_residual
        # The map reaches the floor in the limit only: stay a thousandth above it.
        above = jnp.maximum(jnp.sqrt(best) - self.floor, 1e-3 * self.floor + 1e-12)
        return eqx.tree_at(lambda g: g.rho, self, inverse_positive(above))

    def variance(self) -> Scalar | Point | None:
        if self.kind == "given":
            return self.given
        return None if self.rho is None else (self.floor + positive(self.rho)) ** 2

    def on_floor(self, variance: Scalar | Point) -> tuple[int, ...]:
        if self.kind == "given" or self.floor is None:
            return ()
        scale = np.sqrt(np.atleast_1d(np.asarray(variance)))
        resting = scale <= _RESTING * np.atleast_1d(np.asarray(self.floor))
        if self.varies is not None and self.kind != "shared":
            resting &= np.asarray(self.varies)
        return tuple(int(j) for j in np.flatnonzero(resting))


def _kind(variance: float | str) -> str:
    if isinstance(variance, str):
        if variance not in _LEARNED:
            raise unknown_name("A noise variance's name", variance, _LEARNED)
        return variance
    if not isinstance(variance, Real) or isinstance(variance, bool):
        raise SettingError(
            f"A noise variance must be a positive number or a name; got {variance!r}. "
            f"The names are {', '.join(_LEARNED)}."
        )
    if not (math.isfinite(variance) and variance > 0):
        raise SettingError(
            f"A noise variance must be positive and finite; got {variance}. With σ² = 0 there is "
            'no density; "shared" learns σ² from the data.'
        )
    return "given"
