"""Distances of drawn data to real data, and those of held-out real data.

The Fréchet distance of n rows has a positive bias of about c/n, with c of the order of the
features' total variance, so that even a sample of real rows has a positive distance. Drawn and
held-out rows are therefore reduced to the same number, and the distance of the held-out rows is
that of perfect draws. (Values at n and n/2 rows extrapolate to the distance of the distributions:
2·F(n) − F(n/2).)

Precision and recall depend on the numbers of rows of both samples, and use equally many real rows.
The ball around a real outlier can contain any draws: report precision together with recall.

References: Heusel et al. (2017); Kynkäänniemi et al. (2019), and Naeem et al. (2020) on outliers;
for the bias, Chong & Forsyth (2020).
"""

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from wellposed._checks import check_count
from wellposed._errors import DataError, SettingError
from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.models import Classifier
from wellposed.numerics import host_generator

from .._estimate import Estimate
from .classifier import classifier_features
from .frechet import Gaussian, as_features, gaussian_distance
from .precision_recall import precision_recall_errors


@dataclasses.dataclass(frozen=True)
class Likeness:
    """Distances of one sample to the real rows.

    Parameters
    ----------
    frechet : Fréchet distance, squared units of the features
    precision, recall : shares of rows, see :func:`precision_recall`
    """

    frechet: Estimate
    precision: Estimate
    recall: Estimate


@dataclasses.dataclass(frozen=True)
class SampleQuality:
    """Result of :func:`sample_quality`; ``print`` it for a table.

    Parameters
    ----------
    drawn : distances of the drawn rows
    held_out : distances of equally many held-out real rows
    n_rows : rows in each of these two samples
    n_real : real rows to which the Fréchet distance is measured
    n_features : f
    n_resamples : resamples of the bootstrap
    k : which nearest neighbour sets the radii, see :func:`precision_recall`

    Examples
    --------
    >>> from wellposed.evaluation import sample_quality
    >>> rows = np.random.default_rng(0).normal(size=(300, 2))
    >>> real = {"features": np.asarray, "held_out": rows[200:]}
    >>> found = sample_quality(rows[:100], rows[100:200], key=key, **real)
    >>> found.n_features
    2
    """

    drawn: Likeness
    held_out: Likeness
    n_rows: int
    n_real: int
    n_features: int
    n_resamples: int
    k: int

    @property
    def frechet_ratio(self) -> float:
        """Fréchet distance of the drawn rows over that of the held-out ones."""
        return self.drawn.frechet.value / self.held_out.frechet.value

    def __str__(self) -> str:
        head = f"{self.n_rows} rows of each against {self.n_real} real ones"
        lines = [
            f"{head}, {self.n_features} features, {self.n_resamples} resamples",
            f"{'':12}{'Fréchet distance':>20}{'precision':>20}{'recall':>20}",
        ]
        for name, likeness in (("drawn", self.drawn), ("held out", self.held_out)):
            cells = (likeness.frechet, likeness.precision, likeness.recall)
            lines.append(f"{name:12}" + "".join(f"{cell!s:>20}" for cell in cells))
        return "\n".join(lines)


def sample_quality(
    drawn: ArrayLike,
    real: ArrayLike,
    *,
    features: Callable[[np.ndarray], ArrayLike] | Classifier,
    held_out: ArrayLike,
    key: PRNGKey,
    n_resamples: int = 30,
    k: int = 3,
) -> SampleQuality:
    """Compare drawn rows, and held-out real rows, with real rows.

    The standard error of the Fréchet distance is by the bootstrap, which resamples both samples
    with replacement. That of precision and recall is by a jackknife that leaves out tenths of both
    samples, since a row resampled twice would be its own neighbour.

    Parameters
    ----------
    drawn : array of shape (n, d), draws from a model, data units
    real : array of shape (N, d), data units: the training data
    features : a function from an array (n, d) to an array (n, f), or a classifier, whose last
        hidden layer is used
    held_out : array of shape (m, d), real rows that are not in ``real``
    key : PRNG key of the choice of rows and of the resamples
    n_resamples : resamples of the bootstrap, ≥ 2
    k : which nearest neighbour sets the radii, see :func:`precision_recall`

    Raises
    ------
    DataError
        If the features are not finite, differ in number, or come from too few rows.
    SettingError
        If a number is out of range.

    Examples
    --------
    >>> import jax
    >>> draws = np.random.default_rng(0)
    >>> rows = draws.normal(size=(300, 2))
    >>> result = sample_quality(
    ...     rows[:100] + 1, rows[100:200], features=np.asarray, held_out=rows[200:],
    ...     key=jax.random.key(0),
    ... )
    >>> result.frechet_ratio > 10
    True
    """
    check_process()
    check_count("n_resamples", n_resamples, low=2)
    check_count("k", k)
    fresh = host_generator(key)
    real_rows, *both = _all_features(features, (real, drawn, held_out), k)
    n = min(map(len, both))
    both = [_some(rows, n, fresh) for rows in both]
    likenesses = _likenesses(both, real_rows, n_resamples, k, fresh)
    n_real, n_features = real_rows.shape
    return SampleQuality(*likenesses, n, n_real, n_features, n_resamples, k)


def _likenesses(
    both: list[np.ndarray],
    real: np.ndarray,
    n_resamples: int,
    k: int,
    fresh: np.random.Generator,
) -> tuple[Likeness, Likeness]:
    """Measure two samples of equally many rows."""
    near = _some(real, min(len(both[0]), len(real)), fresh)
    reference = Gaussian.fit(real)
    errors = _frechet_errors(both, real, n_resamples, fresh)

    def likeness(rows: np.ndarray, error: float) -> Likeness:
        frechet = Estimate(gaussian_distance(Gaussian.fit(rows), reference), error)
        precision, recall = precision_recall_errors(rows, near, k, fresh=fresh)
        return Likeness(frechet, Estimate(*precision), Estimate(*recall))

    drawn, held_out = (likeness(r, float(e)) for r, e in zip(both, errors, strict=True))
    return drawn, held_out


def _frechet_errors(
    both: list[np.ndarray], real: np.ndarray, n_resamples: int, fresh: np.random.Generator
) -> np.ndarray:
    """Bootstrap standard error of each sample's distance to the real rows."""
    distances = []
    for _ in range(n_resamples):
        reference = _resampled(real, fresh)
        distances.append([gaussian_distance(_resampled(rows, fresh), reference) for rows in both])
    return np.std(distances, axis=0, ddof=1)


def _resampled(rows: np.ndarray, fresh: np.random.Generator) -> Gaussian:
    n = len(rows)
    return Gaussian.fit(rows, fresh.multinomial(n, np.full(n, 1 / n)).astype(float))


def _all_features(
    features: Callable | Classifier, samples: tuple[Any, ...], k: int
) -> list[np.ndarray]:
    first, *others = (_features(features, rows) for rows in samples)
    return [as_features(rows, like=first, least=k + 1) for rows in (first, *others)]


def _features(features: Callable | Classifier, rows: ArrayLike) -> Any:
    if isinstance(features, Classifier):
        return classifier_features(features, rows)
    if not callable(features):
        raise SettingError(
            f"features must be a function of rows or a classifier; got {features!r}. "
            "wp.training.fit_classifier makes one from labelled data."
        )
    rows = np.asarray(rows)
    values = np.asarray(features(rows))
    if values.shape[:1] != rows.shape[:1]:
        raise DataError(
            f"features must give one row a datum; got shape {values.shape} for {len(rows)} rows. "
            "Map an array (n, d) to an array (n, f)."
        )
    return values


def _some(rows: np.ndarray, n: int, fresh: np.random.Generator) -> np.ndarray:
    return rows if len(rows) == n else rows[fresh.choice(len(rows), n, replace=False)]
