"""The base of noise that is made of other noise."""

from collections.abc import Sequence
from typing import Self

import equinox as eqx
import numpy as np
from jaxtyping import Array, Bool

from wellposed._fill import fill
from wellposed._typing import Inputs, Leaves, Point, PRNGKey, Variance
from wellposed.transforms import AbstractTransform, Moments, Support

from .abstract import AbstractNoise


class AbstractWrapped(AbstractNoise):
    """Noise made of the noise in the field ``noise``, whose answers are its own by default.

    A subclass has that field and defines ``__call__`` and ``log_density_bound``.

    Examples
    --------
    >>> import wellposed as wp
    >>> isinstance(wp.noise.Censored("feature"), AbstractWrapped)
    True
    """

    noise: eqx.AbstractVar[AbstractNoise]

    @property
    def n_raw(self) -> int:
        return self.noise.n_raw

    @property
    def support(self) -> Support:
        return self.noise.support

    @property
    def heavy_tailed(self) -> bool:
        return self.noise.heavy_tailed

    @property
    def linear_location(self) -> bool:
        return self.noise.linear_location

    @property
    def limited(self) -> bool:
        return self.noise.limited

    def input_columns(self, d: int) -> np.ndarray:
        return self.noise.input_columns(d)

    def sensitive(self, d: int) -> np.ndarray:
        return self.noise.sensitive(d)

    def encoder_input(self, y: Point) -> Inputs:
        return self.noise.encoder_input(y)

    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        return fill(self, noise=self.noise.initialise(moments, key=key))

    def parameters(self) -> Leaves:
        return self.noise.parameters()

    def start_at(self, variance: Point) -> Self:
        return fill(self, noise=self.noise.start_at(variance))

    def variance(self) -> Variance | None:
        return self.noise.variance()

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        return self.noise.on_floor(variance)

    def real_columns(self, d: int) -> np.ndarray:
        return self.noise.real_columns(d)

    def continuous_columns(self, d: int) -> np.ndarray:
        return self.noise.continuous_columns(d)

    def check_rows(self, rows: np.ndarray, names: Sequence[str] | None = None) -> None:
        self.noise.check_rows(rows, names)

    def check_limits(self, rows: np.ndarray, names: Sequence[str] | None = None) -> None:
        self.noise.check_limits(rows, names)

    def at_limit(self, y: Point) -> Bool[Array, " d"]:
        return self.noise.at_limit(y)

    def locate(self, d: int, names: Sequence[str] | None = None) -> Self:
        return fill(self, noise=self.noise.locate(d, names))

    def in_units_of(self, transform: AbstractTransform, moments: Moments) -> Self:
        return fill(self, noise=self.noise.in_units_of(transform, moments))
