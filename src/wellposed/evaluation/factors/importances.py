"""Disentanglement, completeness and informativeness from importances in a random forest."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .factor_table import FactorTable, host_generator_of

_TREES = 50
_LEAF = 5  # rows; full trees divide noise too, and spread the importances


@dataclasses.dataclass(frozen=True, eq=False)
class DCI:
    """Importances of latents for factors, and how well they predict.

    Parameters
    ----------
    importances : array of shape (k, m), of latent j for factor i; each column sums to 1, or is 0
    skills : array of shape (m,), 1 − error / error of the best constant, on rows held out: R² of
        continuous factors, and of discrete ones (a − a₀)/(1 − a₀) with the accuracy a and the share
        a₀ of the most frequent level. Zero or below where the latents predict nothing

    Examples
    --------
    >>> found = DCI(np.eye(2), np.ones(2))
    >>> found.disentanglement, found.completeness, found.informativeness
    (1.0, 1.0, 1.0)
    """

    importances: np.ndarray
    skills: np.ndarray

    @property
    def disentanglement(self) -> float:
        """Mean over latents, weighted by importance, of 1 − entropy over factors, base m."""
        weights = self.importances.sum(axis=1)
        if not weights.any():
            return 0.0
        return float((weights * _purity(self.importances)).sum() / weights.sum())

    @property
    def completeness(self) -> float:
        """Mean over factors of 1 − entropy over latents, base k."""
        return float(_purity(self.importances.T).mean())

    @property
    def informativeness(self) -> float:
        """Mean of the skills."""
        return float(self.skills.mean())


def dci(
    latents: ArrayLike,
    factors: ArrayLike,
    *,
    random_state: int | np.random.Generator,
    discrete: bool | Sequence[bool] | None = None,
) -> DCI:
    r"""Compute disentanglement, completeness and informativeness.

    A random forest predicts each factor v_i from all latents, on half of the rows. With the
    importance R_ji of latent j, P_ji = R_ji / Σ_i R_ji and Q_ji = R_ji / Σ_j R_ji,

    .. math::
        D_j = 1 + \sum_i P_{ji} \log_m P_{ji}, \quad
        C_i = 1 + \sum_j Q_{ji} \log_k Q_{ji}

    D is the mean of D_j weighted by Σ_i R_ji, C the mean of C_i. Informativeness is measured on the
    other half.

    Importances are shares: a factor that no latent predicts has importances too, of noise. Read
    D and C beside the informativeness. Other regressors give other figures: published ones are
    mostly of gradient boosting, and state the accuracy instead of the skill.

    Parameters
    ----------
    latents : array of shape (n, k), k ≥ 2
    factors : array of shape (n, m), m ≥ 2, of numbers or text
    random_state : of the halves and the forests
    discrete : flags of discrete factors; None decides, see :class:`FactorTable`

    Raises
    ------
    DataError
        For data that break the rules of :meth:`FactorTable.of`.

    References: Eastwood & Williams (2018), section 2, with random forests as in section 4.

    Examples
    --------
    >>> factors = np.random.default_rng(0).uniform(size=(200, 2))
    >>> found = dci(factors @ [[0.0, 3.0], [1.0, 0.0]], factors, random_state=0)
    >>> found.importances.round(1).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    table = FactorTable.of(latents, factors, discrete=discrete, fewest_factors=2)
    return dci_of(table, host_generator_of(random_state))


def dci_of(table: FactorTable, generator: np.random.Generator) -> DCI:
    """Return the :func:`dci` of a table."""
    train, held = table.halves(generator)
    importances, skills = np.zeros((table.n_latents, table.n_factors)), np.zeros(table.n_factors)
    for i, flag in enumerate(table.discrete):
        name = "levels" if flag else "numbers"
        y, held_y = getattr(train, name)[:, i], getattr(held, name)[:, i]
        forest = _forest(discrete=bool(flag), seed=int(generator.integers(2**31)))
        forest.fit(train.latents, y)
        importances[:, i] = forest.feature_importances_
        skills[i] = _skill(forest.predict(held.latents), held_y, discrete=bool(flag))
    return DCI(importances, skills)


def _forest(*, discrete: bool, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor  # slow to import

    kind = RandomForestClassifier if discrete else RandomForestRegressor
    # Every split sees all latents: among a random choice, trees would split at noise.
    every: Any = 1.0
    return kind(_TREES, min_samples_leaf=_LEAF, max_features=every, random_state=seed)


def _skill(found: np.ndarray, y: np.ndarray, *, discrete: bool) -> float:
    if discrete:
        error, constant = (found != y).mean(), 1 - np.bincount(y).max() / len(y)
    else:
        error, constant = ((found - y) ** 2).mean(), y.var()
    return float(1 - error / constant) if constant > 0 else 0.0


def _purity(rows: np.ndarray) -> np.ndarray:
    """1 − entropy of each row as shares, base its length; 0 of a row of zeros."""
    total = rows.sum(axis=1, keepdims=True)
    shares = rows / np.where(total > 0, total, 1.0)
    logs = np.log(np.where(shares > 0, shares, 1.0))
    purity = 1 + (shares * logs).sum(axis=1) / np.log(rows.shape[1])
    return np.where(total[:, 0] > 0, purity, 0.0)
