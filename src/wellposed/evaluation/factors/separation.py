"""How well single latents predict each factor, and the gap of the two best."""

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from .factor_table import FactorTable, host_generator_of


@dataclasses.dataclass(frozen=True, eq=False)
class Separation:
    """Scores of each latent alone.

    Parameters
    ----------
    scores : array of shape (k, m): of a continuous factor the squared correlation R², of a discrete
        one the balanced accuracy of thresholds, on rows held out; 0 of a constant latent

    Examples
    --------
    >>> found = Separation(np.array([[0.9, 0.1], [0.2, 0.8]]))
    >>> found.gaps.round(3).tolist()
    [0.7, 0.7]
    """

    scores: np.ndarray

    @property
    def gaps(self) -> np.ndarray:
        """Difference of the two best scores of each factor, shape (m,)."""
        second, first = np.sort(self.scores, axis=0)[-2:]
        return first - second

    @property
    def score(self) -> float:
        """Mean of the gaps: the SAP."""
        return float(self.gaps.mean())


def sap(
    latents: ArrayLike,
    factors: ArrayLike,
    *,
    random_state: int | np.random.Generator,
    discrete: bool | Sequence[bool] | None = None,
) -> Separation:
    """Compute the separated attribute predictability.

    The score of latent j for a continuous factor is the squared correlation over all rows. For a
    discrete factor of l levels, l − 1 thresholds on the latent are fitted to half of the rows, by a
    tree of l leaves, and the score is the balanced accuracy on the other half. SAP is the mean over
    factors of the best score less the second best.

    A latent that is the factor, beside independent ones, has SAP 1 if the factor is continuous, and
    1 − 1/l if it is discrete, since independent latents have the accuracy 1/l.

    Parameters
    ----------
    latents : array of shape (n, k), k ≥ 2
    factors : array of shape (n, m) of numbers or text
    random_state : of the halves
    discrete : flags of discrete factors; None decides, see :class:`FactorTable`

    Raises
    ------
    DataError
        For data that break the rules of :meth:`FactorTable.of`.

    References: Kumar, Sattigeri & Balakrishnan (2018), section 3. Code of others replaces the
    thresholds by a linear support vector machine, which cannot separate an inner level of a single
    latent, and gives lower figures.

    Examples
    --------
    >>> factors = np.random.default_rng(0).uniform(size=(200, 2))
    >>> bool(sap(-2 * factors, factors, random_state=0).score > 0.95)
    True
    """
    table = FactorTable.of(latents, factors, discrete=discrete)
    return sap_of(table, host_generator_of(random_state))


def sap_of(table: FactorTable, generator: np.random.Generator) -> Separation:
    """Return the :func:`sap` of a table."""
    train, held = table.halves(generator)
    scores = np.zeros((table.n_latents, table.n_factors))
    for j in np.flatnonzero(table.latents.any(axis=0)).tolist():
        for i, flag in enumerate(table.discrete):
            if flag:
                scores[j, i] = _threshold_accuracy(train, held, j, i)
            else:
                scores[j, i] = np.corrcoef(table.latents[:, j], table.numbers[:, i])[0, 1] ** 2
    return Separation(scores)


def _threshold_accuracy(train: FactorTable, held: FactorTable, j: int, i: int) -> float:
    from sklearn.tree import DecisionTreeClassifier  # its import takes a second

    y, held_y = train.levels[:, i], held.levels[:, i]
    n_levels = max(2, len(np.unique(y)))
    # All features are one, so the seed changes nothing.
    tree = DecisionTreeClassifier(max_leaf_nodes=n_levels, class_weight="balanced", random_state=0)
    right = tree.fit(train.latents[:, [j]], y).predict(held.latents[:, [j]]) == held_y
    return float(np.mean([right[held_y == level].mean() for level in np.unique(held_y)]))
