"""Poisson noise for counts."""

import equinox as eqx

from wellposed._typing import Density, Fitted, Leaves, PRNGKey, Raw
from wellposed.numerics import log_growth
from wellposed.transforms import COUNTS, Moments, Support

from ..parts.constants import Constants, pinned
from ..parts.features import Features
from ..parts.whole import AbstractWhole, log_means
from .composition import Composition
from .laws import StablePoisson
from .row_size import RowSize, ShownCounts, log_shares


class Poisson(AbstractWhole):
    r"""Independent Poisson counts, or a multinomial of a row's total.

    .. math:: P(y \mid z) = \prod_j \mathrm{Poisson}(y_j; \bar y_j e^{g(r_j)})

    with r the decoder's output, ȳ the feature's mean and g the identity up to 10.

    Parameters
    ----------
    library : bool
        Separate a row's size from its composition: p(T) · Multinomial(y; T, π) with T = Σ_j y_j
        of a learned negative binomial that does not depend on z, and π = softmax(log ȳ + r): the
        Poissons given their sum. Then z tells what a row is made of, and not how large it is:
        ``mean`` is that of a row of average size.

    References: Grønbech et al. (2020), scVAE, §2.2.
    """

    library: bool = eqx.field(static=True)
    start: Fitted  # (d,), log of the means
    size: RowSize | None
    constants: Constants | None
    shown: ShownCounts | None

    def __init__(self, library: bool = False):
        self.library = bool(library)
        self.start = self.size = self.constants = self.shown = None

    @property
    def n_raw(self) -> int:
        return 1

    @property
    def support(self) -> Support:
        return COUNTS

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "Poisson":
        del key
        return eqx.tree_at(
            lambda p: (p.start, p.size, p.constants, p.shown),
            self,
            (
                log_means(moments),
                RowSize.of(moments) if self.library else None,
                Constants.of(moments),
                ShownCounts.of(moments, library=self.library),
            ),
            is_leaf=lambda leaf: leaf is None,
        )

    def __call__(self, raw: Raw) -> Density:
        constants = self.constants and self.constants.whole(None)
        if self.size is None:
            return Features(pinned(StablePoisson(self.start + log_growth(raw)), constants))
        shares = log_shares(self.start + raw, self.constants and self.constants.varies)
        return Composition(self.size(), shares, None, constants)

    def learned(self) -> Leaves:
        return () if self.size is None else (self.size.rho,)
