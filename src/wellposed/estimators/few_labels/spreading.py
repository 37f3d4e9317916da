"""Labels spread along neighbours."""

import copy
import dataclasses
import functools
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
import scipy.sparse as sparse
from numpy.typing import ArrayLike
from scipy.sparse.linalg import cg
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_is_fitted, validate_data

from wellposed._checks import check_settings, or_word, real, whole
from wellposed._errors import SettingError

from .targets import read_classes

_RULES = {"n_neighbors": whole(), "alpha": or_word("auto", real(above=0, below=1))}
_FARTHEST = 0.99  # α of "auto" at most, the value of Zhou et al. (2004)
_TOLERANCE = 1e-6  # relative residual of the linear system
# Weight of an even share beside the neighbours, for a row that no label reaches.
_EVEN = 1e-9


class LabelSpread(ClassifierMixin, BaseEstimator):
    r"""Classifier that spreads the labels of a few rows to all others along a graph of neighbours.

    .. math:: F = (1 - \alpha)(I - \alpha D^{-1/2} W D^{-1/2})^{-1} Y, \quad
       P_{ic} \propto \pi_c F_{ic} / \sum_j F_{jc}

    with Y the labels, one column a class and zero where there is none; W of Gaussian weights
    :math:`\exp(-d_{ij}^2 / d_i^2)`, d_i the distance from i to its last neighbour; D the sums of
    W; and π the prior of the classes. The last step gives the classes the masses that the prior
    says: without it a class whose labels lie in a dense place wins far too many rows. A new row has
    the mean of its neighbours, weighed alike.

    Parameters
    ----------
    n_neighbors : int, neighbours of each row, fewer where there are fewer rows
    alpha : "auto" or number in (0, 1)
        The share that a row takes from its neighbours at each step: a label walks α/(1 − α) steps
        on average. "auto" is the share of the rows without a label, so that it walks as many
        steps as there are rows to each label; at most 0.99
    prior : array of shape (c,), masses of the classes in the order of ``classes_``; None is even
    units : array of shape (k, m) or None
        Rows are multiplied by it before distances are taken; None leaves them as they are
    blocks : sequence of int or None
        Numbers of columns of several points of each row, which stand side by side: each block has
        its own graph, F is of their mean, and a new row has the mean of what each block says.
        They are counted after ``units``. None is one block

    Attributes
    ----------
    classes_ : classes of the labels, in order
    alpha_ : α
    transduction_ : P of the rows of the fit, shape (n, c)
    n_features_in_ : k

    References: Zhou et al. (2004), "Learning with local and global consistency"; Zhu, Ghahramani &
    Lafferty (2003) §4, class mass normalisation; Zelnik-Manor & Perona (2004), local scales.

    Examples
    --------
    >>> Z = np.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
    >>> LabelSpread(n_neighbors=2).fit(Z, [0, -1, -1, 1, -1, -1]).predict(Z).tolist()
    [0, 0, 0, 1, 1, 1]
    """

    def __init__(
        self,
        n_neighbors: int = 10,
        alpha: float | Literal["auto"] = "auto",
        prior: ArrayLike | None = None,
        units: ArrayLike | None = None,
        blocks: Sequence[int] | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.alpha = alpha
        self.prior = prior
        self.units = units
        self.blocks = blocks

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Spread the labels.

        Parameters
        ----------
        X : array-like of shape (n, k)
        y : array-like of shape (n,), the label of each row: numbers, text or booleans; −1, None,
            NaN or pandas.NA where it is unknown

        Raises
        ------
        DataError
            For rows that are not finite numbers, and labels of fewer than two classes or of
            several kinds.
        SettingError
            If a setting is out of range, or ``prior``, ``units`` or ``blocks`` are of another
            shape.
        """
        given: Any = X
        points = np.asarray(validate_data(self, given, ensure_min_samples=2))
        targets = read_classes(y, len(points))
        self.of_graph(points)._spread(targets.codes)
        self.classes_ = targets.classes[self.classes_]
        return self

    def of_graph(self, points: np.ndarray) -> Self:
        """Build the graph of rows, shape (n, k), for :meth:`relabelled`."""
        check_settings({"n_neighbors": self.n_neighbors, "alpha": self.alpha}, _RULES)
        self.n_features_in_ = points.shape[1]
        self._neighbours = [self._near(part) for part in self._parts(in_units(points, self.units))]
        graphs: Any = [_graph(*near.kneighbors()) for near in self._neighbours]
        self._graph = sum(graphs[1:], start=graphs[0]) / len(graphs)
        return self

    def _parts(self, points: np.ndarray) -> list[np.ndarray]:
        if self.blocks is None:
            return [points]
        widths, m = np.asarray(self.blocks), points.shape[1]
        whole = widths.ndim == 1 and widths.dtype.kind in "iu"
        if not (whole and (widths > 0).all() and widths.sum() == m):
            raise SettingError(
                f"blocks must be whole numbers above zero that add up to the {m} columns; got "
                f"{self.blocks!r}. Pass the number of columns of each block, or None."
            )
        return np.split(points, np.cumsum(widths)[:-1], axis=1)

    @classmethod
    def of_shares(cls, points: np.ndarray, shares: np.ndarray, units: np.ndarray) -> Self:
        """Return the classifier with the points and the shares of a fit, for new rows.

        Parameters
        ----------
        points : as of a fit, shape (n, m)
        shares : ``transduction_``, shape (n, c); the classes are 0, 1, … c − 1
        units : array of shape (k, m)
        """
        made: Any = cls(units=units)
        made._neighbours = [made._near(points)]
        made.transduction_, made.classes_ = shares, np.arange(shares.shape[1])
        made.n_features_in_ = len(units)
        return made

    @property
    def points(self) -> np.ndarray:
        """Rows of the fit in their units, shape (n, m)."""
        return np.concatenate([near._fit_X for near in self._neighbours], axis=1)

    def relabelled(self, y: np.ndarray, weights: np.ndarray | None = None) -> Self:
        """Return the classifier of the same rows with other labels.

        Parameters
        ----------
        y : whole numbers, −1 where a row has no label, shape (n,)
        weights : of the labels, above zero, shape (n,); None weighs them alike
        """
        return copy.copy(self)._spread(np.asarray(y), weights)

    def _near(self, points: np.ndarray) -> NearestNeighbors:
        return NearestNeighbors(n_neighbors=min(self.n_neighbors, len(points) - 1)).fit(points)

    def _spread(self, y: np.ndarray, weights: np.ndarray | None = None) -> Self:
        self.classes_ = np.unique(y[y != -1])
        prior = self._prior_of(len(self.classes_))
        automatic = min(_FARTHEST, float((y == -1).mean()))
        self.alpha_ = automatic if isinstance(self.alpha, str) else float(self.alpha)
        known = (y[:, None] == self.classes_).astype(float)
        known = known if weights is None else known * weights[:, None]
        step = sparse.identity(len(known)) - self.alpha_ * self._graph
        columns = [cg(step, (1 - self.alpha_) * y, rtol=_TOLERANCE)[0] for y in known.T]
        reached = np.maximum(np.stack(columns, axis=1), 0.0)
        mass = reached.sum(axis=0)
        shares = prior * reached / np.where(mass > 0, mass, 1.0) + _EVEN / len(known) * prior
        self.transduction_ = shares / shares.sum(axis=1, keepdims=True)
        return self

    def _prior_of(self, n_classes: int) -> np.ndarray:
        if self.prior is None:
            return np.ones(n_classes)
        prior = np.asarray(self.prior, np.float64)
        if prior.shape != (n_classes,) or not (np.isfinite(prior).all() and (prior > 0).all()):
            raise SettingError(
                f"prior must be a mass above zero for each of {n_classes} classes; got "
                f"{self.prior!r}. Pass one in the order of classes_, or None."
            )
        return prior

    def surest(self, y: np.ndarray, share: float) -> np.ndarray:
        """Return labels of the fit, and the likeliest class of the surest other rows.

        Parameters
        ----------
        y : labels as :meth:`fit` has them, shape (n,)
        share : of the rows without a label, those with the largest lead of their likeliest class
        """
        best = np.sort(self.transduction_, axis=1)[:, ::-1]
        lead = best[:, 0] - best[:, 1] if best.shape[1] > 1 else best[:, 0]
        others = np.flatnonzero(y == -1)
        order = others[np.argsort(-lead[others], kind="stable")]
        chosen = order[: int(share * len(order))]
        chosen = chosen[lead[chosen] > 0]
        filled = y.copy()
        filled[chosen] = self.classes_[self.transduction_[chosen].argmax(axis=1)]
        return filled

    def predict_proba(self, X: ArrayLike) -> np.ndarray:
        """Return the share of each class among the neighbours of each row, shape (n, c)."""
        check_is_fitted(self)
        given: Any = X
        points = np.asarray(validate_data(self, given, reset=False))
        parts = self._parts(in_units(points, self.units))
        found = [self._shares_near(*pair) for pair in zip(self._neighbours, parts, strict=True)]
        return np.mean(found, axis=0)

    def _shares_near(self, neighbours: NearestNeighbors, points: np.ndarray) -> np.ndarray:
        distance, near = neighbours.kneighbors(points)
        weight = _weights(distance)
        found = np.einsum("nk,nkc->nc", weight, self.transduction_[near])
        return found / weight.sum(axis=1, keepdims=True)

    def predict(self, X: ArrayLike) -> np.ndarray:
        """Return the likeliest class of each row, shape (n,)."""
        check_is_fitted(self)
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@dataclasses.dataclass(frozen=True, eq=False)
class SpreadLabels:
    """Labels for the surest rows without one, before networks are trained.

    Parameters
    ----------
    points : of all rows, array of shape (n, k), whose neighbours are alike
    share : of the rows without a label, those that get one
    prior : masses of the classes, or None
    held : positions of rows that get none
    weights : of the labels, shape (n,), or None
    blocks : numbers of columns of several points of each row, or None
    """

    points: np.ndarray
    share: float
    prior: np.ndarray | None
    held: np.ndarray
    weights: np.ndarray | None = None
    blocks: tuple[int, ...] | None = None

    def __call__(self, labels: np.ndarray) -> np.ndarray:
        """Return labels with those of further rows, NaN where a row has none, shape (n,)."""
        if self.share == 0:
            return labels
        y = np.where(np.isnan(labels), -1, labels).astype(int)
        filled = self._graph.relabelled(y, self.weights).surest(y, self.share).astype(float)
        filled[self.held] = -1
        return np.where(filled < 0, np.nan, filled)

    @functools.cached_property
    def _graph(self) -> LabelSpread:
        return LabelSpread(prior=self.prior, blocks=self.blocks).of_graph(self.points)


def in_units(points: np.ndarray, units: ArrayLike | None) -> np.ndarray:
    """Return rows of shape (n, k) times units of shape (k, m), if there are any."""
    if units is None:
        return points
    factors, k = np.asarray(units, np.float64), points.shape[1]
    if factors.ndim != 2 or len(factors) != k or not np.isfinite(factors).all():
        raise SettingError(
            f"units must be a finite array of shape ({k}, m) for rows of {k} columns; got "
            f"shape {factors.shape}. Pass one, or None."
        )
    return points @ factors


def _weights(distance: np.ndarray) -> np.ndarray:
    """exp(−d²/d_last²) of rows of distances in rising order."""
    last = np.maximum(distance[:, -1:], np.finfo(float).tiny)
    return np.exp(-((distance / last) ** 2))


def _graph(distance: np.ndarray, near: np.ndarray) -> sparse.csr_array:
    """Return D^(−1/2) W D^(−1/2) of each row's neighbours, W the larger of two directions."""
    n, k = near.shape
    pairs = (np.repeat(np.arange(n), k), near.ravel())
    weight = sparse.csr_array((_weights(distance).ravel(), pairs), shape=(n, n))
    weight = weight.maximum(weight.T)
    scale = sparse.diags_array(weight.sum(axis=1) ** -0.5)
    return (scale @ weight @ scale).tocsr()
