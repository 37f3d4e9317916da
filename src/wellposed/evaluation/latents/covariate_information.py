"""How much the latents of a conditional model tell of its covariates."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from wellposed._checks import check_count
from wellposed._errors import DataError

from .._estimate import Estimate

_BINS = 8  # quantiles of a number
_MOST_ROWS = 5_000
_LEAST_ROWS = 50
_SHARE_TUNED = 0.25  # of the training rows of a fold, which choose the classifier
_FEWEST = 20  # rows of a level; those of rarer ones are left out
_LEAF = 10  # fewest rows in a leaf of a tree
_PENALTIES = 0.1, 10.0  # inverse weights of the penalty on squared coefficients
_SURE = 2.0  # standard errors


@dataclasses.dataclass(frozen=True)
class Dependence:
    """How much z tells of one covariate.

    Parameters
    ----------
    name : of the covariate
    information : lower bound of I(z; c), nats a row
    null : the same with the covariate permuted over the rows, where there is nothing to tell
    entropy : H(c) of the levels, or of the eight bins of a number, nats: the largest information
    accuracy : share of held-out rows whose level, or bin, is predicted from z
    chance : share of the most frequent one

    Examples
    --------
    >>> from wellposed.evaluation import covariate_information
    >>> found = covariate_information(X[:, :2], {"kind": kind}, random_state=0)
    >>> found["kind"].is_dependent
    True
    """

    name: str
    information: Estimate
    null: Estimate
    entropy: float
    accuracy: Estimate
    chance: float

    @property
    def is_dependent(self) -> bool:
        """Whether the information exceeds zero, and that of permuted rows, by two errors."""
        value, error = self.information.value, self.information.standard_error
        return value - max(self.null.value, 0.0) > _SURE * error

    @property
    def share(self) -> Estimate:
        """Information over entropy: 0 where z tells nothing, 1 where it tells the level."""
        information = self.information
        return Estimate(information.value / self.entropy, information.standard_error / self.entropy)

    def __str__(self) -> str:
        told = "z tells of it" if self.is_dependent else "no sign that z tells of it"
        return (
            f"{self.name}: I(z; c) ≥ {self.information} nats of {self.entropy:.3g} (permuted "
            f"{self.null}), accuracy {self.accuracy} (chance {self.chance:.3g}): {told}"
        )


@dataclasses.dataclass(frozen=True)
class CovariateInformation:
    """How much z tells of each covariate; ``print`` it.

    Parameters
    ----------
    covariates : one record for each
    n_rows : number of rows

    Examples
    --------
    >>> from wellposed.evaluation import covariate_information
    >>> [c.name for c in covariate_information(X[:, :2], {"kind": kind}, random_state=0).covariates]
    ['kind']
    """

    covariates: tuple[Dependence, ...]
    n_rows: int

    def __str__(self) -> str:
        return "\n".join([*map(str, self.covariates), f"{self.n_rows} rows"])

    def __getitem__(self, name: object) -> Dependence:
        return {each.name: each for each in self.covariates}[str(name)]


def covariate_information(
    latents: ArrayLike,
    covariates: Mapping[Any, ArrayLike],
    *,
    random_state: int | np.random.Generator,
    n_folds: int = 5,
    n_permutations: int = 3,
    discrete: Mapping[Any, bool] | None = None,
) -> CovariateInformation:
    r"""Bound the mutual information of the latents and each covariate from below.

    A classifier r(c | z) predicts the levels of a covariate, on rows held out. With the
    frequencies f(c) of the others, I(z; c) ≥ E log r(c | z) − E log f(c), up to (levels − 1)/(2n)
    nats. It is logistic regression on z and its products, or a random forest, whichever is better
    on a quarter of the other rows. A number is cut into eight bins at its quantiles, which tell
    less than it does. Zero is no proof of independence: another classifier may find more.

    Parameters
    ----------
    latents : array of shape (n, k), n ≥ 50, of which at most 5,000 are used. Draws of q(z | x, c)
        to judge whether q(z | c) is one for all c
    covariates : {name: array of shape (n,)}, numbers or text
    random_state : of the folds, the permutations and the classifiers
    n_folds, n_permutations : number of folds, and of permutations for ``null``
    discrete : whether the numbers of a covariate are levels; by default those of at most eight
        values are. Rows of levels with fewer than 20 rows are left out

    Raises
    ------
    DataError
        For fewer than 50 rows, another number of values than rows, or a covariate of one value.
    SettingError
        For fewer than two folds, or no permutation.

    References: Barber & Agakov (2003) for the bound.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> batch = rng.integers(2, size=400)
    >>> z = rng.normal(size=(400, 1))
    >>> found = covariate_information(z + 4 * batch[:, None], {"batch": batch}, random_state=0)
    >>> found["batch"].is_dependent, round(found["batch"].information.value, 1)
    (True, 0.6)
    >>> covariate_information(z, {"batch": batch}, random_state=0)["batch"].is_dependent
    False
    """
    check_count("n_folds", n_folds, "5 is usual.", low=2)
    check_count("n_permutations", n_permutations, "3 is usual.")
    z = np.asarray(latents, np.float64)
    _check(z, covariates)
    generator = np.random.default_rng(random_state)
    at = np.sort(generator.permutation(len(z))[:_MOST_ROWS])
    records = []
    for name, values in covariates.items():
        flag = None if discrete is None else discrete.get(name)
        levels, kept = _levels(np.asarray(values)[at], str(name), flag)
        settings = {"n_folds": n_folds, "rng": generator}
        records.append(_dependence(z[at][kept], levels, str(name), n_permutations, **settings))
    return CovariateInformation(tuple(records), len(at))


def _check(z: np.ndarray, covariates: Mapping[Any, ArrayLike]) -> None:
    if z.ndim != 2 or len(z) < _LEAST_ROWS or not np.isfinite(z).all():
        raise DataError(
            f"Latents must be finite numbers of {_LEAST_ROWS} rows or more, shape (n, k); got "
            f"shape {z.shape}. Pass more rows."
        )
    for name, values in covariates.items():
        if np.shape(values) != (len(z),):
            raise DataError(
                f"A covariate must have one value for each of the {len(z)} rows; {name!r} has "
                f"shape {np.shape(values)}. Pass those of these rows."
            )


def _levels(column: np.ndarray, name: str, discrete: bool | None) -> tuple[np.ndarray, np.ndarray]:
    """Return levels from zero on, of a number its bins, and which rows are of frequent levels."""
    values, levels = np.unique(column, return_inverse=True)
    number = column.dtype.kind in "fiu"
    if number and not (len(values) <= _BINS if discrete is None else discrete):
        edges = np.unique(np.quantile(column, np.linspace(0, 1, _BINS + 1)[1:-1]))
        levels = np.searchsorted(edges, column, side="right")
    kept = np.bincount(levels)[levels] >= _FEWEST
    if len(np.unique(levels[kept])) < 2:
        raise DataError(
            f"A covariate must have two levels of {_FEWEST} rows or more; {name} has not. Pass "
            "more rows."
        )
    return np.unique(levels[kept], return_inverse=True)[1], kept


def _dependence(
    z: np.ndarray,
    levels: np.ndarray,
    name: str,
    n_permutations: int,
    *,
    n_folds: int,
    rng: np.random.Generator,
) -> Dependence:
    with threadpool_limits(limits=1):  # of small tables, threads wait for each other
        gain, right = _held_out(z, levels, n_folds, rng)
        permuted = [rng.permutation(levels) for _ in range(n_permutations)]
        nulls = [_held_out(z, each, n_folds, rng)[0] for each in permuted]
    shares = np.bincount(levels) / len(levels)
    entropy = -float(np.sum(shares[shares > 0] * np.log(shares[shares > 0])))
    null = Estimate.of(np.concatenate(nulls))
    found = Estimate.of(gain), null, entropy, Estimate.of(right), float(shares.max())
    return Dependence(name, *found)


def _held_out(
    z: np.ndarray, levels: np.ndarray, n_folds: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return log r(c | z) − log f(c), and whether r is right, of each row held out, (n,) each."""
    from sklearn.model_selection import StratifiedKFold  # its import takes a second

    n_levels = int(levels.max()) + 1
    gain, right = np.zeros(len(z)), np.zeros(len(z))
    folds = StratifiedKFold(min(n_folds, _FEWEST), shuffle=True, random_state=_seed(rng))
    for train, held in folds.split(z, levels):
        log_r = _log_probability(_fitted(z[train], levels[train], rng), z[held])
        shares = np.bincount(levels[train], minlength=n_levels) / len(train)
        own = np.arange(len(held)), levels[held]
        gain[held] = log_r[own] - np.log(shares[levels[held]])
        right[held] = log_r.argmax(axis=1) == levels[held]
    return gain, right


def _log_probability(classifier: Any, z: np.ndarray) -> np.ndarray:
    """Return log r(c | z), shape (n, levels), of no probability below one in a million."""
    n_levels = len(classifier.classes_)
    return np.log((1 - 1e-6) * classifier.predict_proba(z) + 1e-6 / n_levels)


def _fitted(z: np.ndarray, levels: np.ndarray, rng: np.random.Generator) -> Any:
    """Fit the better of two classifiers, which a share of the rows chooses."""
    from sklearn.model_selection import train_test_split

    parts: Any = train_test_split(
        z, levels, test_size=_SHARE_TUNED, stratify=levels, random_state=_seed(rng)
    )
    tried = _classifiers(z.shape[1], _seed(rng))
    losses = []
    for each in tried:
        log_r = _log_probability(each.fit(parts[0], parts[2]), parts[1])
        losses.append(-np.mean(log_r[np.arange(len(parts[3])), parts[3]]))
    return tried[int(np.argmin(losses))].fit(z, levels)


def _classifiers(k: int, seed: int) -> list[Any]:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler

    products = PolynomialFeatures(2 if k <= 30 else 1, include_bias=False)
    steps = StandardScaler(), products, StandardScaler()
    linear = [LogisticRegression(C=weight, max_iter=300) for weight in _PENALTIES]
    forest = RandomForestClassifier(50, min_samples_leaf=_LEAF, random_state=seed)
    return [*(make_pipeline(*steps, each) for each in linear), forest]


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31 - 1))
