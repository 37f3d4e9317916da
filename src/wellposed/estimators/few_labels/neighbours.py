"""Points among which the neighbours of a row are taken: those of transformers, or its latents."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone

from wellposed._errors import SettingError

from ..data.table import Table
from .setups import Ready, points_of
from .spreading import LabelSpread, SpreadLabels, in_units

LEFT_OUT = "left out of the file"
_SPREAD = 0.95


@dataclasses.dataclass(frozen=True, eq=False)
class Neighbours:
    """Fitted transformers of rows to points, whose points stand side by side.

    Parameters
    ----------
    transformers : of scikit-learn; None has the usual points, such as latents
    widths : number of columns of the points of each
    units : what the usual points are multiplied by, or None
    """

    transformers: tuple[Any, ...]
    widths: tuple[int, ...]
    units: Any = None

    @classmethod
    def fit(
        cls,
        transformers: tuple[Any, ...],
        values: np.ndarray,
        usual: Callable[[], np.ndarray],
        units: Any = None,
    ) -> tuple["Neighbours", np.ndarray]:
        """Fit clones to rows of shape (n, d); return them, and the points of these rows, (n, m).

        Parameters
        ----------
        transformers : unfitted
        values : the rows, data units
        usual : what returns the usual points of these rows
        units : what these are multiplied by, or None
        """
        fresh: Any = [None if each is None else clone(each) for each in transformers]
        fitted = tuple(None if each is None else each.fit(values) for each in fresh)
        parts = cls(fitted, (), units)._parts(values, usual)
        made = cls(fitted, tuple(part.shape[1] for part in parts), units)
        return made, np.concatenate(parts, axis=1)

    def points(self, values: np.ndarray, usual: Callable[[], np.ndarray]) -> np.ndarray:
        """Return the points of rows, (n, d) to (n, m); ``usual`` as of :meth:`fit`."""
        parts = self._parts(values, usual)
        for each, part, width in zip(self.transformers, parts, self.widths, strict=True):
            if part.shape[1] != width:
                raise SettingError(
                    f"neighbours must map all rows to points of one length; {each!r} gave "
                    f"{width} columns to the rows of the fit, and {part.shape[1]} to these. Pass "
                    "a transformer whose columns do not depend on the rows."
                )
        return np.concatenate(parts, axis=1)

    def _parts(self, values: np.ndarray, usual: Callable[[], np.ndarray]) -> list[np.ndarray]:
        return [
            in_units(usual(), self.units) if each is None else _points(each, values)
            for each in self.transformers
        ]


def read_neighbours(setting: Any) -> tuple[Any, ...]:
    """Return the transformers of the setting ``neighbours``; None for the usual points."""
    listed = tuple(setting) if isinstance(setting, (list, tuple)) else (setting,)
    for each in listed or (LEFT_OUT,):
        unfit = isinstance(each, type) or not (hasattr(each, "fit") and hasattr(each, "transform"))
        if each is not None and unfit:
            raise SettingError(
                "neighbours must be a transformer of scikit-learn, a list of them in which None "
                f"has the usual neighbours, or None; got {setting!r}. Pass one, such as "
                "sklearn.decomposition.PCA(40)."
            )
    return listed


def check_neighbours(settings: dict[str, Any]) -> None:
    """Refuse transformers of neighbours that the other settings make no use of."""
    read_neighbours(settings["neighbours"])
    if settings["neighbours"] is None:
        return
    alone, classifier = settings["method"] == "features", settings["classifier"]
    if alone and not (classifier is None or isinstance(classifier, LabelSpread)):
        raise SettingError(
            "neighbours are those of wellposed.LabelSpread, the default classifier; got "
            f"neighbours beside classifier={classifier!r}. Leave one of the two at None."
        )
    if not alone and settings["spread_share"] == 0:
        raise SettingError(
            "neighbours are those that labels are spread along; got neighbours beside "
            "spread_share=0, which spreads none. Leave one of the two at its default."
        )


def among(
    setting: Any, classifier: LabelSpread, means: np.ndarray, table: Table
) -> tuple[Neighbours, LabelSpread, np.ndarray]:
    """Return fitted transformers, the classifier of their points, and these, shape (n, m).

    Parameters
    ----------
    setting : ``neighbours``
    classifier : of latents
    means : latents of the rows, shape (n, k)
    table : the rows
    """
    listed, units = read_neighbours(setting), classifier.units
    fitted, points = Neighbours.fit(listed, table.values, lambda: means, units)
    fresh: Any = clone(classifier)
    return fitted, fresh.set_params(units=None, blocks=fitted.widths), points


def spread_labels(
    ready: Ready, table: Table, settings: dict[str, Any], prior: np.ndarray, *, seed: int
) -> tuple[Neighbours | None, SpreadLabels]:
    """Return fitted transformers, and what gives labels to rows without one.

    Parameters
    ----------
    ready : what is fitted before a label is used
    table : the rows
    settings : of the estimator
    prior : masses of the classes
    seed : of the usual points

    Raises
    ------
    SettingError
        If rows with gaps are to have neighbours among themselves.
    """
    listed, setup = read_neighbours(settings["neighbours"]), ready.setup
    share = settings["spread_share"]
    gaps = None in listed and bool(np.isnan(setup.rows).any())
    if share == "auto":
        share = 0.0 if gaps and settings["neighbours"] is None else _SPREAD
    if share > 0 and gaps:
        raise SettingError(
            f"Rows with missing entries have no neighbours; got spread_share={share:g}. Use 0, "
            'method="stacked", whose latents have none missing, or neighbours that take gaps.'
        )
    if share == 0:
        return None, SpreadLabels(np.empty((0, 0)), 0.0, prior, setup.held, setup.weights)
    usual = functools.partial(points_of, ready, seed=seed)
    fitted, points = Neighbours.fit(listed, table.values, usual)
    kept, blocks = None if settings["neighbours"] is None else fitted, fitted.widths
    return kept, SpreadLabels(points, share, prior, setup.held, setup.weights, blocks)


def _points(fitted: Any, values: np.ndarray) -> np.ndarray:
    points: Any = fitted.transform(values)
    points = np.asarray(points.toarray() if hasattr(points, "toarray") else points)
    real = points.dtype.kind in "biuf" and points.ndim == 2 and points.shape[1:] > (0,)
    if real and len(points) == len(values) and np.isfinite(points).all():
        return points
    what = f"shape {points.shape} of {points.dtype}"
    bad = int((~np.isfinite(points)).sum()) if real else 0
    raise SettingError(
        f"neighbours must map {len(values)} rows to as many points of finite numbers; {fitted!r} "
        f"gave {what}{f', {bad} of them NaN or inf' if bad else ''}. Pass one that does, with "
        "sklearn.impute.SimpleImputer before it if rows have gaps."
    )
