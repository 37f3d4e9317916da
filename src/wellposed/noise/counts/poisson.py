"""Poisson noise for counts."""

from typing import Self

import equinox as eqx
from jaxtyping import Array

from wellposed._fill import fill
from wellposed._typing import Density, Leaves, PRNGKey, Raw
from wellposed.numerics import log_growth
from wellposed.transforms import COUNTS, Moments, Support

from ..parts.abstract import require
from ..parts.constants import Constants
from ..parts.features import Features
from ..parts.whole import AbstractWhole, log_means
from .composition import Composition
from .laws import StablePoisson
from .row_size import CountUnits, RowSize, log_shares


class Poisson(AbstractWhole):
    r"""Independent Poisson counts, or a multinomial of a row's total.

    .. math:: P(y \mid z) = \prod_j \mathrm{Poisson}(y_j; \bar y_j e^{g(r_j)})

    with r the decoder's output, ȳ the feature's mean and g the identity up to 10.

    Parameters
    ----------
    library : bool
        Separate a row's size from its composition: p(T) · Multinomial(y; T, π) with T = Σ_j y_j
        of a learned negative binomial that does not depend on z, and π = softmax(log ȳ + r): the
        Poissons given their sum. Then z determines the composition of a row and not its size:
        ``mean`` is that of a row of average size.

    References: Grønbech et al. (2020), scVAE, §2.2.

    Examples
    --------
    >>> import jax, numpy as np, wellposed as wp
    >>> summary = wp.transforms.summarise(np.array([[0, 1], [2, 3], [4, 5]]))
    >>> moments = wp.transforms.Identity().moments(summary, key=jax.random.key(0))
    >>> density = Poisson().initialise(moments)(np.zeros(2, np.float32))
    >>> [round(float(v), 4) for v in density.mean]
    [2.0, 3.0]
    """

    library: bool = eqx.field(static=True)
    start: Array | None  # (d,), log of the means
    size: RowSize | None
    constants: Constants | None
    shown: CountUnits | None

    def __init__(self, library: bool = False):
        self.library = bool(library)
        self.start = self.size = self.constants = self.shown = None

    @property
    def n_raw(self) -> int:
        return 1

    @property
    def support(self) -> Support:
        return COUNTS

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        del key
        return fill(
            self,
            start=log_means(moments),
            size=RowSize.of(moments) if self.library else None,
            constants=Constants.of(moments),
            shown=CountUnits.of(moments, library=self.library),
        )

    def __call__(self, raw: Raw) -> Density:
        start = require(self, self.start)
        constants = self.constants and self.constants.whole(None)
        if self.size is None:
            return Features(StablePoisson(start + log_growth(raw)), constants)
        shares = log_shares(start + raw, self.constants and self.constants.varies)
        return Composition(self.size(), shares, None, constants)

    def parameters(self) -> Leaves:
        return () if self.size is None else (self.size.rho,)
