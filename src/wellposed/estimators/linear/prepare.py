"""Rows of the exact models, and their map to model units."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from sklearn.base import BaseEstimator

from wellposed import evaluation, models, sources, transforms
from wellposed._bar import Bar

from .._build import resolution_of
from .._notices import warn_of_suspects
from .._words import Rows
from ..data.described import Described
from ..data.names import keep_features
from ..data.rows import check_fewest, narrow, open_table, validate_rows
from ..data.table import of_source_rows

_SAMPLE = 20_000  # rows of a source


@dataclasses.dataclass(frozen=True)
class Exact:
    """Validated rows, the fitted map to model units, and the image shape where known.

    In rows with gaps, NaN is a gap; ``filled`` are the rows of which columns are summarised.
    """

    rows: evaluation.Sliceable
    filled: np.ndarray
    units: evaluation.ModelUnits
    resolution: np.ndarray | None  # in data units
    image_shape: tuple[int, ...] | None

    @property
    def gappy(self) -> bool:
        """Whether an entry is missing."""
        return self.filled is not self.rows

    def in_model_units(self) -> tuple[np.ndarray, float]:
        """Values (n, d) in model units, and the mean log |det dT/dx|."""
        values, log_det = self.units.whole(self.rows)
        return values, float(log_det.mean())

    def covariance(self) -> models.Covariance:
        """Mean, variances and mean log |det dT/dx| of the observed entries, for warnings.

        Raises
        ------
        DataError
            If no feature varies.
        """
        values, log_det = self.in_model_units()
        mean, variance = models.gaps.observed_moments(values)
        return models.Covariance(mean, np.diag(variance), len(values), log_det)

    def floor(self, varies: np.ndarray) -> float:
        """Smallest resolution/√12 of the features that vary, in model units.

        One σ shared by all features takes the smallest floor of them, as ``noise="shared"`` does.
        """
        return float(self.floors()[varies].min())

    def floors(self) -> np.ndarray:
        """resolution/√12 of each feature, in model units, shape (d,)."""
        if isinstance(self.units.transform, transforms.Identity):
            return transforms.resolution_of(self.filled, self.resolution) / math.sqrt(12)
        with jax.enable_x64(True):
            moments = self.units.transform.moments(self._summary(), key=self.units.key)
        return np.asarray(moments.resolution, np.float64) / math.sqrt(12)

    def _summary(self) -> transforms.Summary:
        """Summary of all rows, gaps filled."""
        one_unit = True if self.image_shape is not None else None
        return transforms.summarise(self.filled, self.resolution, one_unit=one_unit)


@dataclasses.dataclass(frozen=True)
class InBlocks(Exact):
    """Rows without gaps of a source; ``filled`` is a sample of them.

    Steps between values are those of the sample, all other statistics those of all rows.
    """

    described: Described

    @property
    def gappy(self) -> bool:
        """Never: gaps are refused."""
        return False

    def _summary(self) -> transforms.Summary:
        return _summarise(self.described, self.filled, self.resolution, self.image_shape)


def prepare(
    estimator: BaseEstimator,
    X: Rows,
    transform: Any,
    resolution: Any,
    seed: int,
    missing: str | None = None,
    *,
    blocks: bool = True,
) -> Exact:
    """Open, validate and map; ``resolution`` and ``missing`` are the estimators' settings.

    A source is read in blocks, unless entries may be missing or ``blocks`` is false.
    """
    if blocks and isinstance(X, sources.BlockSource) and missing is None:
        data = _prepare_blocks(estimator, X, transform, resolution, seed)
    else:
        data = _prepare_whole(estimator, X, transform, resolution, seed, missing)
    robust = 'wp.VAE(noise="student-t") is robust to them'
    warn_of_suspects(data.filled, _names(estimator), data.image_shape, robust=robust)
    return data


def _prepare_whole(
    estimator: BaseEstimator,
    X: Rows,
    transform: Any,
    resolution: Any,
    seed: int,
    missing: str | None,
) -> Exact:
    """Read all rows into memory."""
    table = open_table(X)
    image_shape = table.image_shape
    rows = validate_rows(estimator, table, reset=True, gaps=missing is not None)
    generator = np.random.default_rng(seed)
    filled = transforms.fill_from_columns(rows, generator) if rows.dtype.kind == "f" else rows
    if filled is rows:
        filled = rows = narrow(rows)
    given, names = resolution_of({"resolution": resolution}, rows.shape[1]), _names(estimator)
    one_unit = image_shape is not None or transforms.share_levels(filled)
    unit_map = _fit_map(
        transforms.place(transform, rows.shape[1], names),
        lambda: transforms.summarise_observed(rows, given, one_unit=one_unit, generator=generator),
        one_unit=one_unit,
    )
    units = evaluation.ModelUnits(unit_map, jax.random.key(seed))
    return Exact(rows, filled, units, given, image_shape)


def _prepare_blocks(
    estimator: BaseEstimator,
    source: sources.BlockSource,
    transform: Any,
    resolution: Any,
    seed: int,
) -> Exact:
    """Describe all rows in one pass, and keep a sample of them."""
    n, d, rows = source.n_rows, source.n_features, sources.SlicedRows(source)
    check_fewest(n, d)
    keep_features(estimator, of_source_rows(source, np.empty((0, d), source.dtype)))
    sampled = sources.Sampled(n, min(n, _SAMPLE, sources.chunk_rows_of(d)), seed)
    with Bar(n, getattr(estimator, "progress", "auto"), unit="statistics, rows") as bar:
        found = sources.describe(source, sampled, shown=bar.count)
    described, sample = Described(found, np.arange(sampled.n)), narrow(found.sample)
    given, names = resolution_of({"resolution": resolution}, d), _names(estimator)
    unit_map = _fit_map(
        transforms.place(transform, d, names),
        lambda: _summarise(described, sample, given, source.image_shape),
        one_unit=source.image_shape is not None or described.share_levels(None),
    )
    units = evaluation.ModelUnits(unit_map, jax.random.key(seed))
    return InBlocks(rows, sample, units, given, source.image_shape, described)


def _names(estimator: BaseEstimator) -> Any:
    return getattr(estimator, "feature_names_in_", None)


def _fit_map(
    transform: Any, summarise: Callable[[], transforms.Summary], *, one_unit: bool
) -> transforms.AbstractTransform:
    """Resolve and fit the map to model units; the identity needs no summary."""
    unit_map = transforms.resolve(transform, one_unit=one_unit)
    if isinstance(unit_map, transforms.Identity):
        return unit_map
    with jax.enable_x64(True):
        unit_map = unit_map.fit(summarise())
    return jax.tree.map(np.asarray, unit_map)


def _summarise(
    described: Described,
    sample: np.ndarray,
    resolution: np.ndarray | None,
    image_shape: tuple[int, ...] | None,
) -> transforms.Summary:
    one_unit = image_shape is not None or described.share_levels(None)
    of_sample = transforms.summarise(sample, resolution, one_unit=one_unit)
    return described.summary(of_sample, np.zeros(sample.shape[1]), None)
