"""What every noise model promises."""

import abc

import equinox as eqx

from wellposed._typing import Density, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.transforms import Moments, Support


class AbstractNoise(eqx.Module):
    """p(y | z): how the decoder's raw output becomes a distribution over one datum.

    The decoder gives ``n_raw`` numbers a feature, ``n_raw`` blocks of d one after another. Raw
    zeros stand for the data's own moments, so that a fresh decoder starts there.
    """

    n_raw: eqx.AbstractVar[int]

    @property
    @abc.abstractmethod
    def support(self) -> Support:
        """Return what a datum may be, in model units."""

    @property
    @abc.abstractmethod
    def solved_by_squares(self) -> bool:
        """Whether :meth:`refitted` finds the optimum, so that a squared error trains enough."""

    @abc.abstractmethod
    def __call__(self, raw: Raw) -> Density:
        """Return the distribution of one datum in model units, event shape (d,).

        It has ``log_prob(y)`` in nats, ``sample(key)``, ``mean``, ``variance``, and
        ``coupled(alpha)``: every feature at the quantile Φ(α) of its noise.
        """

    @abc.abstractmethod
    def presented(self, y: Point) -> Point:
        """Return what the encoder sees of a datum in model units, of the size of one."""

    @abc.abstractmethod
    def log_density_bound(self, d: int) -> float:
        """Supremum over parameters of log p(y | z) for d features, in nats; may be inf."""

    @abc.abstractmethod
    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> "AbstractNoise":
        """Return the noise model with a start, and a floor, taken from the data.

        ``key`` is for noise that has a network of its own to draw.
        """

    @abc.abstractmethod
    def learned(self) -> Leaves:
        """Return the leaves that the optimiser owns; a given value is not among them."""

    @abc.abstractmethod
    def refitted(self, squared_residual: Point) -> "AbstractNoise":
        """Return the noise that is optimal for E_q (y − μ(z))² on the training data.

        ``squared_residual`` is that mean, of shape (d,). Noise without a closed form, or not
        learned, returns itself.
        """

    @abc.abstractmethod
    def variance(self) -> Variance | None:
        """Return the noise variance in model units, or None where it depends on z."""

    @abc.abstractmethod
    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose learned noise rests on its floor.

        ``variance`` is the noise variance of the fitted model, averaged over data where it
        depends on z.
        """
