"""The contract of noise models."""

import abc
from collections.abc import Sequence
from typing import Self, TypeVar

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from wellposed._errors import SettingError
from wellposed._typing import Density, Inputs, Leaves, Point, PRNGKey, Raw, Variance
from wellposed.transforms import REALS, AbstractTransform, Moments, Support, check_support

T = TypeVar("T")


class AbstractNoise(eqx.Module):
    """p(y | z): how the decoder's raw output becomes a distribution over one datum.

    The decoder puts out ``n_raw`` numbers a feature, as ``n_raw`` blocks of d one after another.
    Raw zeros stand for the data's own moments, so that a new decoder starts there.

    A subclass defines ``n_raw``, ``support``, ``__call__``, ``log_density_bound`` and
    ``initialise``; the other methods have defaults for noise without parameters of its own. See
    "Write your own noise" in the documentation.

    Examples
    --------
    >>> from wellposed.noise import Gaussian
    >>> isinstance(Gaussian(), AbstractNoise)
    True
    """

    n_raw: eqx.AbstractVar[int]

    @property
    @abc.abstractmethod
    def support(self) -> Support:
        """Values that a datum may have, in model units."""

    @abc.abstractmethod
    def __call__(self, raw: Raw) -> Density:
        """Return p(y | z) of one datum in model units, event shape (d,).

        Parameters
        ----------
        raw : decoder output of shape (n_raw · d,)

        Raises
        ------
        SettingError
            Before :meth:`initialise`, where the noise needs a value from the data.
        """

    @abc.abstractmethod
    def log_density_bound(self, d: int) -> float:
        """Supremum over parameters of log p(y | z) for d features, in nats; may be inf."""

    @abc.abstractmethod
    def initialise(self, moments: Moments, *, key: PRNGKey | None = None) -> Self:
        """Return the noise with a start, and a floor, taken from the data.

        Parameters
        ----------
        moments : of the training data, in model units
        key : for noise that draws a network of its own
        """

    @property
    def has_exact_refit(self) -> bool:
        """Whether :meth:`refit` finds the optimum, so that training by squared error suffices."""
        return False

    @property
    def heavy_tailed(self) -> bool:
        """Whether a distant value lowers log p by its distance or less, not by its square."""
        return False

    @property
    def linear_location(self) -> bool:
        """Whether a linear decoder is a linear model of the data.

        Then the first d entries of :meth:`encoder_input` are the datum's, each by a line of its own
        (beyond ten units, under heavy tails, as a logarithm), and the first d decoder outputs are
        locations in these units: raw outputs ``encoder_input(y)``, and zeros for all others, have y
        as the location of p(y | z), which is its mean or its median. It is so of noise that
        :meth:`start_at` returns, and of features that vary.
        """
        return False

    @property
    def allows_missing(self) -> bool:
        """Whether entries of a datum may be missing, NaN, as :class:`Ignorable` allows."""
        return False

    @property
    def limited(self) -> bool:
        """Whether entries may be censored at limits, as :class:`Censored` allows."""
        return False

    def at_limit(self, y: Point) -> Bool[Array, " d"]:
        """Which entries of a datum in model units are at a limit, shape (d,).

        Their log p is that of a probability, to which no log |det dT/dx| is added.
        """
        return jnp.zeros(y.shape, bool)

    @property
    def whole(self) -> "AbstractNoise":
        """Noise of data without missing or censored entries: itself, where there are none."""
        return self

    def around(self, whole: "AbstractNoise") -> "AbstractNoise":
        """Return the noise with another one of whole data; see :attr:`whole`."""
        return whole

    def input_columns(self, d: int) -> np.ndarray:
        """Return the feature that each entry of :meth:`encoder_input` is of, for d features.

        The first d entries are of features 0, …, d − 1.
        """
        return np.arange(d)

    def sensitive(self, d: int) -> np.ndarray:
        """Which of d features a wrong value may dominate: no levels, no heavy tails; shape (d,)."""
        levels = self.support.whole and np.isfinite(self.support.high)
        return np.full(d, not (levels or self.heavy_tailed))

    def encoder_width(self, d: int) -> int:
        """Return the number of entries of :meth:`encoder_input` for d features."""
        return len(self.input_columns(d))

    def encoder_input(self, y: Point) -> Inputs:
        """Return the encoder's input for a datum in model units; its entries are of size one."""
        return y

    def parameters(self) -> Leaves:
        """Return the leaves that the optimiser updates; a given value is not among them."""
        return ()

    def refit(self, squared_residual: Point) -> Self:
        """Return the noise that is optimal for E_q (y − μ(z))² on the training data.

        Noise without a closed form, or with nothing to learn, returns itself.

        Parameters
        ----------
        squared_residual : that mean, of shape (d,)
        """
        del squared_residual
        return self

    def start_at(self, variance: Point) -> Self:
        """Return the noise with its scale at the residual variance of a linear fit.

        A noise variance that is given stays; noise without a scale returns itself.

        Parameters
        ----------
        variance : of each feature, in model units, shape (d,)
        """
        del variance
        return self

    def variance(self) -> Variance | None:
        """Return the noise variance in model units, or None where it depends on z."""
        return None

    def on_floor(self, variance: Variance) -> tuple[int, ...]:
        """Return the features whose learned noise is at its floor.

        Parameters
        ----------
        variance : noise variance of the fitted model, averaged over data where it depends on z
        """
        del variance
        return ()

    def real_columns(self, d: int) -> np.ndarray:
        """Which of d columns have noise on the real line, shape (d,)."""
        return np.full(d, self.support == REALS)

    def continuous_columns(self, d: int) -> np.ndarray:
        """Which of d columns have noise with a density, not with probabilities, shape (d,)."""
        return np.full(d, not self.support.whole)

    def check_rows(self, rows: np.ndarray, names: Sequence[str] | None = None) -> None:
        """Refuse rows outside the support.

        Parameters
        ----------
        rows : array of shape (n, d), in data units
        names : of the columns, for the message

        Raises
        ------
        DataError
            Naming the columns, where they have names, and the family that fits them.
        """
        check_support(rows, self.support, who=type(self).__name__, names=names)

    def check_limits(self, rows: np.ndarray, names: Sequence[str] | None = None) -> None:
        """Refuse rows with values beyond a limit.

        Parameters
        ----------
        rows : array of shape (n, d), in data units
        names : of the columns, for the message

        Raises
        ------
        DataError
            Naming the column, the limit and the value.
        """
        del rows, names

    def in_units_of(self, transform: AbstractTransform, moments: Moments) -> Self:
        """Return the noise with what it has in data units mapped to model units.

        Parameters
        ----------
        transform : fitted
        moments : of the training data, in model units
        """
        del transform, moments
        return self

    def locate(self, d: int, names: Sequence[str] | None = None) -> Self:
        """Return the noise with the columns that it names located in a table.

        Parameters
        ----------
        d : number of columns
        names : of the columns, or None
        """
        del d, names
        return self


def require(noise: AbstractNoise, value: T | None, *others: object) -> T:
    """Return ``value``, which ``initialise`` sets.

    Raises
    ------
    SettingError
        If it, or one of ``others``, is None.

    Examples
    --------
    >>> import wellposed as wp
    >>> require(wp.noise.Laplace(), 2.0)
    2.0
    """
    if value is None or any(other is None for other in others):
        raise SettingError(
            f"{type(noise).__name__} takes its start from the data and must be initialised before "
            "it is used; it has no data yet. Fit an estimator with it, such as wp.VAE(noise=...), "
            "or call initialise(moments)."
        )
    return value
