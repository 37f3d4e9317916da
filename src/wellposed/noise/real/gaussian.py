"""Gaussian observation noise: its variance given, shared, one a feature, or a function of z."""

import equinox as eqx

from wellposed._typing import Density, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.numerics import LOG_2PI
from wellposed.transforms import REALS, Moments, Support

from ..parts.abstract import AbstractNoise
from ..parts.centred import Centred
from ..parts.constants import Constants, pinned
from ..parts.features import Features
from ..parts.scale import Scale
from ..parts.stable_laws import StableNormal


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
    initial : None or positive number
        σ² that learning starts from, in model units. None takes a quarter of the data's
        variance, from which no latent is priced out; from a large one many die early, and a
        small one is slow to leave.

    Raises
    ------
    SettingError
        For a variance that is zero, negative, not finite or an unknown name, and an initial
        one for a variance that is given.

    Notes
    -----
    log p(y|z) ≤ −Σ_j log(f_j √2π), with σ in place of f where σ² is given: finite, so maximum
    likelihood has a maximum (Mattei & Frellsen 2018, §2.1).

    A feature that never varies has its constant as its mean, whatever z, by Laplace's rule of
    succession: a share 1/(n + 2) of its mass is for other values, each step of the resolution half
    as likely as the one before. Its learned variance, if it has one of its own, is its floor.

    A residual beyond 10¹⁵ σ (in float32) counts as :func:`wellposed.numerics.half_square` says, so
    that any row has a finite log density.

    The networks see data, and put out means, less the data's mean and in units of their spread:
    under a logit the features lie around −10, and networks that had to find that out by gradient
    stayed 10 nats below on MNIST.
    """

    scale: Scale
    centred: Centred | None
    constants: Constants | None

    def __init__(
        self,
        variance: float | str = "shared",
        *,
        floor: float | None = None,
        initial: float | None = None,
    ):
        self.scale = Scale(variance, floor=floor, initial=initial)
        self.centred = self.constants = None

    @property
    def n_raw(self) -> int:
        return 1 + self.scale.n_raw

    @property
    def kind(self) -> str:
        """ "given", "shared", "feature" or "conditional"."""
        return self.scale.kind

    @property
    def support(self) -> Support:
        return REALS

    @property
    def solved_by_squares(self) -> bool:
        return self.kind != "conditional"

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "Gaussian":
        del key
        return eqx.tree_at(
            lambda g: (g.scale, g.centred, g.constants),
            self,
            (self.scale.initialise(moments), Centred.of(moments), Constants.of(moments)),
            is_leaf=lambda leaf: leaf is None,
        )

    def __call__(self, raw: Raw) -> Density:
        d = raw.shape[0] // self.n_raw
        scale = self.scale(raw[d:])
        constants = self.constants and self.scale.for_constants(self.constants, scale)
        mean = raw[:d] if self.centred is None else self.centred.placed(raw[:d])
        return Features(pinned(StableNormal(mean, scale), constants))

    def presented(self, y: Point) -> Point:
        return y if self.centred is None else self.centred(y)

    def log_density_bound(self, d: int) -> float:
        return -0.5 * d * LOG_2PI - self.scale.log_least(d)

    def learned(self) -> Leaves:
        return self.scale.learned()

    def refitted(self, squared_residual: Point) -> "Gaussian":
        """Solve the noise variance in closed form: σ² is the mean squared residual under q.

        References: Rybkin, Daniilidis & Levine (2021), σ* ; Dai, Wang & Wipf (2020), eq. 10.
        """
        return eqx.tree_at(lambda g: g.scale, self, self.scale.with_variance(squared_residual))

    def variance(self) -> Variance | None:
        return self.scale.variance()

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        return self.scale.on_floor(variance, self.constants and self.constants.varies)
