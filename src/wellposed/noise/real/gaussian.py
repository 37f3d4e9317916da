"""Gaussian observation noise: its variance given, shared, one a feature, or a function of z."""

from typing import Self

from jaxtyping import Array
from numpyro.distributions import Distribution

from wellposed._fill import fill
from wellposed._typing import Inputs, Point, PRNGKey
from wellposed.numerics import LOG_2PI
from wellposed.transforms import Moments

from ..parts.constants import Constants
from ..parts.scale import RATIO, Scale
from ..parts.scale_noise import AbstractLocationScale
from ..parts.stable_laws import StableNormal
from ..parts.units import FeatureUnits


class Gaussian(AbstractLocationScale):
    r"""Independent Gaussian noise.

    .. math:: p(y \mid z) = \prod_j N(y_j \mid \mu_j(z), \sigma_j^2), \qquad
       \sigma_j = f_j + s_j, \qquad \sigma_j(z) = f_j + s_j e^{b(r_j(z))}, \quad
       |b| < \log R

    Parameters
    ----------
    variance : positive number, "shared", "feature" or "conditional"
        σ² in model units. A number is fixed: the optimiser never updates it. The names learn it:
        one for all features, one each, or one each that the decoder's outputs r(z) multiply by
        1/R to R.
    floor : None or number ≥ 0
        f, the smallest standard deviation that learning can reach, in model units. None takes
        resolution/√12 of the data: no density is sharper than the measurement. Zero removes the
        floor and with it the upper bound of the likelihood; ``fit`` then requires
        ``allow_unbounded=True``. One σ shared by all features takes the smallest floor of them.
    initial : None or positive number
        σ² that learning starts from, in model units. None takes a quarter of the data's
        variance, at which no latent collapses at the start; at a large one many collapse early,
        and a small one changes slowly.
    ratio : number from 1.01 to 10⁶, or None
        R, of a σ(z). None takes σ_j(z) = f_j + t_j softplus(r_j(z)) with t_j from the data, which
        has no limit: it reproduces published models, and their failures.

    Raises
    ------
    SettingError
        For a variance that is zero, negative, not finite or an unknown name, an initial one for a
        variance that is given, and a ratio out of range.

    Notes
    -----
    log p(y|z) ≤ −Σ_j log(f_j √2π), with σ in place of f where σ² is given: finite, so maximum
    likelihood has a maximum (Mattei & Frellsen 2018, §2.1).

    A feature that never varies has its constant as its mean, whatever z, by Laplace's rule of
    succession: a share 1/(n + 2) of its mass is for other values, each step of the resolution half
    as likely as the one before. Its learned variance, if it has one of its own, is its floor.

    A residual beyond 10¹⁵ σ (in float32) counts as in :func:`wellposed.numerics.half_square`, so
    that any row has a finite log density.

    The encoder's input and the decoder's means are relative to the data's mean and in units of
    their spread: under a logit the features lie around −10, and networks that had to learn that
    offset by gradient stayed 10 nats below on MNIST.

    Examples
    --------
    >>> import jax.numpy as jnp
    >>> density = Gaussian(4.0)(jnp.zeros(3))  # σ² is given, so that no data are needed
    >>> density.variance.tolist(), round(float(density.log_prob(jnp.zeros(3))), 3)
    ([4.0, 4.0, 4.0], -4.836)
    """

    scale: Scale
    centred: FeatureUnits | None
    constants: Constants | None

    def __init__(
        self,
        variance: float | str = "shared",
        *,
        floor: float | None = None,
        initial: float | None = None,
        ratio: float | None = RATIO,
    ):
        self.scale = Scale(variance, floor=floor, initial=initial, ratio=ratio)
        self.centred = self.constants = None

    @property
    def kind(self) -> str:
        """ "given", "shared", "feature" or "conditional"."""
        return self.scale.kind

    @property
    def has_exact_refit(self) -> bool:
        return self.kind != "conditional"

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        scale = self.scale.initialise(moments)
        units = FeatureUnits.of(moments)
        return fill(self, scale=scale, centred=units, constants=Constants.of(moments))

    @property
    def linear_location(self) -> bool:
        return True

    def law(self, location: Point, scale: Array) -> Distribution:
        mean = location if self.centred is None else self.centred.inverse(location)
        return StableNormal(mean, scale)

    @property
    def log_peak(self) -> float:
        return -0.5 * LOG_2PI

    def encoder_input(self, y: Point) -> Inputs:
        return y if self.centred is None else self.centred(y)

    def refit(self, squared_residual: Point) -> Self:
        """Return the noise with σ² in closed form: the mean squared residual under q.

        A variance that depends on z has none, and stays.

        References: Rybkin, Daniilidis & Levine (2021), σ*; Dai, Wang & Wipf (2020), eq. 10.
        """
        if not self.has_exact_refit:
            return self
        return fill(self, scale=self.scale.with_variance(squared_residual))
