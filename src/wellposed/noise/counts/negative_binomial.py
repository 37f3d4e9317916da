"""Negative binomial noise for counts that vary more than Poisson."""

from typing import Self

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from wellposed._errors import SettingError
from wellposed._fill import fill
from wellposed._typing import Density, Leaves, PRNGKey, Raw
from wellposed.numerics import log_growth
from wellposed.transforms import COUNTS, Moments, Support

from ..parts.abstract import require
from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.whole import AbstractWhole, log_means
from .composition import Composition
from .dispersion import Dispersion
from .laws import StableNegativeBinomial
from .row_size import CountUnits, RowSize, log_shares

# Concentrations at the start: Poisson within a tenth of the deviation at a count of a thousand.
_START = (0.05, 1e4)

# No concentration of a share is smaller: their gamma functions stay in float32.
_LEAST_SHARE = 1e-6


class NegativeBinomial(AbstractWhole):
    r"""Independent negative binomial counts, or a Dirichlet-multinomial of a row's total.

    .. math:: P(y \mid z) = \prod_j NB(y_j; m_j, r_j), \quad m_j = \bar y_j e^{g(r_j)}, \quad
       \mathrm{Var} = m + m^2/r

    with the feature's mean ȳ and g the identity up to 10.

    Parameters
    ----------
    library : bool
        Separate a row's size from its composition: p(T) · Dirichlet-multinomial(y; T, φπ) with
        T = Σ_j y_j of a learned negative binomial that does not depend on z, and π =
        softmax(log ȳ + raw): the negative binomials of one success probability given their sum.
        Then ``mean`` is that of a row of average size.
    dispersion : None, "shared", "feature" or "conditional"
        Of r: learned for all features or each, or a decoder output. None is "feature", and
        "shared" with ``library``, which has φ alone.

    Raises
    ------
    SettingError
        For an unknown dispersion, and any but "shared" with ``library``.

    References: Lopez et al. (2018), scVI; Mosimann (1962) for the conditioning.

    Examples
    --------
    >>> import jax, wellposed as wp
    >>> summary = wp.transforms.summarise(np.array([[0, 1], [2, 3], [10, 5]]))
    >>> moments = wp.transforms.Identity().moments(summary, key=jax.random.key(0))
    >>> density = NegativeBinomial().initialise(moments)(np.zeros(2, np.float32))
    >>> bool((density.variance > density.mean).all())
    True
    """

    library: bool = eqx.field(static=True)
    dispersion: Dispersion
    start: Array | None  # (d,), log of the means
    size: RowSize | None
    constants: Constants | None
    shown: CountUnits | None

    def __init__(self, library: bool = False, dispersion: str | None = None):
        if library and dispersion not in (None, "shared"):
            raise SettingError(
                'With library=True the dispersion is one number for all features, "shared"; got '
                f"{dispersion!r}. Leave it out, or set library=False."
            )
        self.library = bool(library)
        self.dispersion = Dispersion(dispersion or ("shared" if library else "feature"))
        self.start = self.size = self.constants = self.shown = None

    @property
    def n_raw(self) -> int:
        return 1 + self.dispersion.n_raw

    @property
    def support(self) -> Support:
        return COUNTS

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        at = _total_concentration(moments) if self.library else _concentrations(moments)
        return fill(
            self,
            dispersion=self.dispersion.start_at(at),
            start=log_means(moments),
            size=RowSize.of(moments) if self.library else None,
            constants=Constants.of(moments),
            shown=CountUnits.of(moments, library=self.library),
        )

    def __call__(self, raw: Raw) -> Density:
        start = require(self, self.start)
        d = raw.shape[0] // self.n_raw
        concentration = self.dispersion(raw[d:])
        constants = self.constants and self.constants.whole(None)
        if self.size is None:
            log_mean = start + log_growth(raw[:d])
            return Features(StableNegativeBinomial(log_mean, concentration), constants)
        varies = None if self.constants is None else self.constants.varies
        shares = jnp.exp(log_shares(start + raw, varies))
        each = _LEAST_SHARE + concentration * shares
        whole = each.sum() if varies is None else jnp.where(varies, each, 0.0).sum()
        return Composition(self.size(), jnp.log(each) - jnp.log(whole), each, constants)

    def parameters(self) -> Leaves:
        return self.dispersion.parameters() + (() if self.size is None else (self.size.rho,))


def _concentrations(moments: Moments) -> np.ndarray:
    """r of V = m + m²/r, shape (d,)."""
    mean, variance = (np.asarray(a, np.float64) for a in (moments.mean, moments.variance))
    beyond = np.maximum(variance - mean, 1e-12)
    return np.clip(np.where(np.asarray(moments.varies), mean**2 / beyond, 1.0), *_START)


def _total_concentration(moments: Moments) -> np.ndarray:
    """φ of V = m (1 + T/φ), T the mean total: the median over features, shape (1,).

    Not that of their sums: their variance includes that of the rows' sizes, and that of the few
    features that distinguish kinds of rows, which are not noise, and Adam needs some thousand
    steps for a factor of e.
    """
    varies = np.asarray(moments.varies)
    mean = np.asarray(moments.mean, np.float64)[varies]
    each = _concentrations(moments)[varies] * mean.sum() / np.maximum(mean, 1e-12)
    return np.clip(np.median(each, keepdims=True) if len(each) else np.ones(1), 1.0, 1e6)
