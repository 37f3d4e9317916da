"""Whole numbers whose distribution depends on the neighbours already drawn."""

from typing import Any, Self

import equinox as eqx
import jax
import numpy as np
from jaxtyping import Array

from wellposed._checks import check_count
from wellposed._errors import SettingError
from wellposed._fill import fill
from wellposed._typing import Density, Leaves, PRNGKey, Raw
from wellposed.nn import MLP, MakeMLP
from wellposed.numerics import on_device
from wellposed.transforms import COUNTS, Moments, Support, levels

from ..parts.abstract import require
from ..parts.constants import Constants
from ..parts.whole import AbstractWhole, LevelUnits, levels_of
from .mixture import CausalMixture
from .window import Window, check_size

_MOST = 10  # components


class CausalLogistic(AbstractWhole):
    r"""Mixtures of discretised logistics that depend on the neighbours already drawn.

    .. math:: P(y \mid z) = \prod_i \sum_m w_m [F(y_i + \tfrac12; \mu_m, s_m)
       - F(y_i - \tfrac12; \mu_m, s_m)], \qquad
       (w, \mu, s)_i = g(y_{N(i)}, u_i(z))

    with N(i) the causal half of a window around feature i (see :class:`Window`), u_i(z) the
    decoder's outputs for it, and g a small network, the same for all features. F is the logistic
    distribution function, its tails those of the first and the last level. Given z the features
    are drawn one after another, so that the noise has strokes and textures in place of speckle.

    Parameters
    ----------
    levels : int or None
        L; the data are whole numbers 0, …, L − 1. None takes the largest value plus one.
    window : odd whole number ≥ 3
        f, the side of the window. Features along a line depend on the (f − 1)/2 before them.
    mixture : int, 1 to 10
        Components.
    hidden : tuple of int
        Widths of g's hidden layers. Empty makes (w, μ, log s) linear in neighbours and u.
    outputs : int
        Decoder outputs for each feature.

    Raises
    ------
    SettingError
        For a window that is even, below three or larger than the image, and for settings out of
        range.

    Notes
    -----
    log P(y|z) ≤ 0: it is a probability.

    Draws are stable because values are: each is one of L levels whatever its neighbours, so that
    nothing grows along the raster. An unstable draw would have a band at full ink. Such bands need
    contexts outside the training data, which features that never vary would cause. These features
    have a distribution of their own, by Laplace's rule of succession, and their neighbours depend
    on the constant even where an exception is drawn. ``benchmarks.noise`` counts bands among ten
    thousand draws of each data set.

    ``mean`` is the mean-field one: each feature's expectation, its neighbours at theirs. E[y|z]
    itself has no closed form.

    References: Salimans et al. (2017) for the mixture; Gulrajani et al. (2017), PixelVAE, for a
    latent beside a small autoregressive window.

    Examples
    --------
    >>> noise = CausalLogistic(levels=17, window=3, mixture=3)
    >>> noise.n_raw, noise.support.high, noise.log_density_bound(64)
    (8, 16.0, 0.0)
    """

    levels: int | None = eqx.field(static=True)
    size: int = eqx.field(static=True)
    mixture: int = eqx.field(static=True)
    hidden: tuple[int, ...] = eqx.field(static=True)
    n_raw: int = eqx.field(static=True)
    network: MLP | None  # g
    window: Window | None
    constants: Constants | None
    shown: LevelUnits | None  # to the encoder
    centre: Array | None  # (), and spread (): neighbours enter as (y − centre)/spread
    spread: Array | None

    def __init__(
        self,
        levels: int | None = None,
        window: int = 5,
        mixture: int = 5,
        *,
        hidden: tuple[int, ...] = (32,),
        outputs: int = 8,
    ):
        check_size(window)
        mixture = check_count("mixture", mixture, "5 is a start.", most=_MOST)
        outputs = check_count("outputs", outputs, "8 is a start.")
        self.hidden = MakeMLP(hidden).hidden
        self.levels, self.size, self.mixture, self.n_raw = levels, window, mixture, outputs
        if levels is not None:
            _ = self.support  # refuses an invalid number of levels
        self.network = self.window = self.constants = None
        self.shown = self.centre = self.spread = None

    @property
    def support(self) -> Support:
        return COUNTS if self.levels is None else levels(self.levels)

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        if key is None:
            raise SettingError("CausalLogistic draws its network; pass initialise(..., key=key).")
        window = Window(self.size, moments.image_shape, moments.mean.shape[0])
        n_levels = levels_of(self.levels, moments)
        network = MakeMLP(self.hidden)(window.n_neighbours + self.n_raw, 3 * self.mixture, key=key)
        mean = np.asarray(moments.mean, np.float64)
        spread = np.sqrt(np.asarray(moments.variance, np.float64).mean() + mean.var())
        settings = {"hidden": self.hidden, "outputs": self.n_raw}
        return fill(
            type(self)(n_levels, self.size, self.mixture, **settings),
            network=network,
            window=window,
            constants=Constants.of(moments),
            shown=LevelUnits.of(moments),
            centre=on_device(mean.mean()),
            spread=on_device(max(spread, 1e-3)),
        )

    def __call__(self, raw: Raw) -> Density:
        require(self, self.levels, self.network, self.window)
        fields: Any = (self.network, self.window, self.levels)
        outputs = raw.reshape(self.n_raw, -1).T
        return CausalMixture(outputs, *fields, self.constants, self.centre, self.spread)

    def parameters(self) -> Leaves:
        return tuple(jax.tree.leaves(self.network))
