"""What every noise model promises."""

import abc

import equinox as eqx
from jaxtyping import Array

from wellposed._typing import Density, Point, Raw, Scalar
from wellposed.transforms import Moments


class AbstractNoise(eqx.Module):
    """p(y | z): how the decoder's raw output becomes a distribution over one datum.

    The decoder gives ``n_raw`` numbers a feature, ``n_raw`` blocks of d one after another.
    """

    n_raw: eqx.AbstractVar[int]

    @abc.abstractmethod
    def __call__(self, raw: Raw) -> Density:
        """Return the distribution of one datum in model units, event shape (d,)."""

    @abc.abstractmethod
    def log_density_bound(self, d: int) -> float:
        """Supremum over parameters of log p(y | z) for d features, in nats; may be inf."""

    @abc.abstractmethod
    def initialise(self, moments: Moments) -> "AbstractNoise":
        """Return the noise model with a start, and a floor, taken from the data."""

    @abc.abstractmethod
    def learned(self) -> tuple[Array, ...]:
        """Return the leaves that the optimiser owns; a given value is not among them."""

    @abc.abstractmethod
    def refitted(self, squared_residual: Point) -> "AbstractNoise":
        """Return the noise that is optimal for E_q (y − μ(z))² on the training data.

        ``squared_residual`` is that mean, of shape (d,). Noise without a closed form, or not
        learned, returns itself.
        """

    @abc.abstractmethod
    def variance(self) -> Scalar | Point | None:
        """Return the noise variance in model units, or None where it depends on z."""

    @abc.abstractmethod
    def on_floor(self, variance: Scalar | Point) -> tuple[int, ...]:
        """Return the features whose learned noise rests on its floor.

        ``variance`` is the noise variance of the fitted model, averaged over data where it
        depends on z.
        """
