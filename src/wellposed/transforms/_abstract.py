"""What every transform promises."""

import abc

import equinox as eqx

from wellposed._typing import Point, PRNGKey, Scalar

from ._summary import Moments, Summary
from ._support import Support


class Transformed(eqx.Module):
    """One datum in model units, with log |det dT/dx| in nats.

    Examples
    --------
    >>> from wellposed.transforms import Log
    >>> found = vae.model_.transform.forward(X[0], key=key)
    >>> isinstance(found, Transformed), found.value.shape
    (True, (4,))
    """

    value: Point
    log_det: Scalar


class AbstractTransform(eqx.Module):
    """y = T(x): a bijection of data units x to model units y, for one datum of shape (d,).

    A transform that dequantises draws u and returns T(x + u); its ``inverse`` returns the datum
    in whose cell the value lies, so that ``inverse(forward(x, key=any).value)`` is x.

    Examples
    --------
    >>> from wellposed.transforms import Standardize
    >>> isinstance(Standardize(), AbstractTransform)
    True
    """

    @property
    @abc.abstractmethod
    def domain(self) -> Support:
        """Return what a datum may be, in data units."""

    @property
    @abc.abstractmethod
    def range(self) -> Support | None:
        """Return what a datum is in model units; None for whatever it is in data units."""

    @abc.abstractmethod
    def fit(self, summary: Summary) -> "AbstractTransform":
        """Return the transform with its statistics learned; raise ``DataError`` off its domain."""

    @abc.abstractmethod
    def forward(self, x: Point, *, key: PRNGKey) -> Transformed:
        """Map a datum to model units; ``key`` feeds the dequantisation, where there is one."""

    @abc.abstractmethod
    def inverse(self, y: Point) -> Point:
        """Map model units back to a datum in data units."""

    @abc.abstractmethod
    def moments(self, summary: Summary, *, key: PRNGKey) -> Moments:
        """Describe the data in model units: what a noise model starts from.

        ``key`` feeds the dequantisation, where there is one.
        """

    @abc.abstractmethod
    def log_det_bound(self, d: int) -> float:
        """Supremum of log |det dT/dx| over data, in nats."""
