"""Quality of synthetic tables: marginals, associations, usefulness, distance to the training."""

import dataclasses
from typing import Any

import numpy as np

from wellposed._errors import DataError, SettingError, unknown_name
from wellposed.tables import Schema

from .._words import Frame, Seed
from ..data.rows import seed_of
from .measures import Numbers, associations, closest_distances, marginal_distance

_MOST_ROWS = 2_000  # whose closest rows are found
_FEWEST_ROWS = 20


@dataclasses.dataclass(frozen=True, eq=False)
class TableQuality:
    """Quality of a synthetic table, each figure beside that of real rows held out.

    Parameters
    ----------
    names : of the columns that are compared
    marginals : array of shape (d,), distance of each column's drawn and held-out cells: total
        variation of levels, Kolmogorov–Smirnov of numbers
    real_marginals : array of shape (d,), the same of training and held-out rows
    association : mean over pairs of columns of the difference of their associations between drawn
        and held-out rows: Spearman's |ρ|, Cramér's V or the correlation ratio η
    real_association : the same of training and held-out rows
    target : column that is predicted from the others, or None
    measure : "accuracy" or "R²"
    score : of gradient boosting trained on drawn rows, on rows held out
    real_score : of gradient boosting trained on as many rows of the training
    baseline : accuracy of the most frequent level, or zero
    n_test : rows held out
    closest : quantiles 0.05 and 0.5 of the distance of a drawn row to the closest row of the
        training, from 0 to 1
    real_closest : the same of rows held out
    copies : share of drawn rows that are rows of the training
    real_copies : share of held-out rows that are rows of the training

    Examples
    --------
    >>> import wellposed as wp
    >>> quality = wp.table_quality(drawn, train, held_out)  # doctest: +SKIP
    >>> print(quality)  # doctest: +SKIP
    """

    names: tuple[str, ...]
    marginals: np.ndarray
    real_marginals: np.ndarray
    association: float
    real_association: float
    target: str | None
    measure: str | None
    score: float | None
    real_score: float | None
    baseline: float | None
    n_test: int
    closest: tuple[float, float]
    real_closest: tuple[float, float]
    copies: float
    real_copies: float

    @property
    def lines(self) -> tuple[tuple[str, str, str], ...]:
        """What each figure is, of drawn rows and of real rows, as text."""
        lines = [
            (
                "distance of marginals, mean",
                f"{np.nanmean(self.marginals):.3f}",
                f"{np.nanmean(self.real_marginals):.3f}",
            ),
            (
                "difference of associations, mean",
                f"{self.association:.3f}",
                f"{self.real_association:.3f}",
            ),
        ]
        if self.score is not None and self.real_score is not None:
            trained = f"{self.measure} of {self.target}, trained on"
            lines.append((trained, f"{self.score:.3f}", f"{self.real_score:.3f}"))
        for place, word in enumerate(("5 % quantile", "median")):
            drawn, real = self.closest[place], self.real_closest[place]
            lines.append((f"distance to the closest row, {word}", f"{drawn:.4f}", f"{real:.4f}"))
        lines.append(("copies of training rows", f"{self.copies:.2%}", f"{self.real_copies:.2%}"))
        return tuple(lines)

    def __str__(self) -> str:
        worst = np.argsort(-np.nan_to_num(self.marginals))[:3]
        listed = ", ".join(f"{self.names[j]} {self.marginals[j]:.3f}" for j in worst)
        lines = [("", "drawn rows", "real rows"), *self.lines]
        widths = [max(len(line[i]) for line in lines) for i in range(3)]
        shown = [
            f"{a.ljust(widths[0])}  {b.rjust(widths[1])}  {c.rjust(widths[2])}" for a, b, c in lines
        ]
        return "\n".join([*shown, f"farthest marginals: {listed}"])


def table_quality(
    synthetic: Frame,
    train: Frame,
    test: Frame,
    *,
    target: str | int | None = None,
    schema: Schema | None = None,
    random_state: Seed = 0,
) -> TableQuality:
    """Compare a synthetic table with real rows that were held out from the training.

    Every figure stands beside the same one of real rows. Where synthetic rows are closer to the
    training than rows held out, the model repeats rows of it.

    Parameters
    ----------
    synthetic : frame of pandas or polars, of 20 rows or more, as ``VAE.sample`` returns
    train : frame of the rows that the model was fitted to
    test : frame of rows held out
    target : label of a column to predict from all others, by scikit-learn's histogram gradient
        boosting; None leaves prediction out
    schema : what the columns are; None infers it from ``train``. Columns that it leaves out are
        not compared
    random_state : of the choice of 2,000 rows whose closest row is found, and of the boosting

    Returns
    -------
    :class:`TableQuality`; ``print`` it

    Raises
    ------
    DataError
        For data that are no frames, frames of other columns, and fewer than 20 rows.
    SettingError
        For a target that is no column, or is left out by the schema.

    References: Gower (1971) for the distance of rows; Esteban, Hyland & Rätsch (2017) for training
    on synthetic and testing on real rows.

    Examples
    --------
    >>> import pandas as pd
    >>> draws = np.random.default_rng(0)
    >>> x = draws.normal(size=600)
    >>> frame = pd.DataFrame({"x": x, "y": np.where(x > draws.normal(size=600), "a", "b")})
    >>> quality = table_quality(frame[:200], frame[200:400], frame[400:], target="y")
    >>> bool(abs(quality.score - quality.real_score) < 0.1)
    True
    """
    schema = (Schema.of(train) if schema is None else schema).complete(train)
    frames = {"synthetic": synthetic, "train": train, "test": test}
    tables = {name: schema.encode(frame, unseen_as_gaps=True) for name, frame in frames.items()}
    return quality_of(tables, schema, target, np.random.default_rng(seed_of(random_state)))


def quality_of(
    values: dict[str, np.ndarray],
    schema: Schema,
    target: str | int | None,
    generator: np.random.Generator,
) -> TableQuality:
    """Return the :func:`table_quality` of tables in the numbers of a schema.

    Parameters
    ----------
    values : arrays of shape (n, d) by the names "synthetic", "train" and "test"
    schema, target : as of :func:`table_quality`
    generator : of the choice of rows and the boosting
    """
    tables = {name: _numbers(rows, schema, name) for name, rows in values.items()}
    predicted = _prediction(tables, schema, target, generator)
    return TableQuality(**_distances(tables, schema, generator), **predicted)


def _distances(
    tables: dict[str, Numbers], schema: Schema, generator: np.random.Generator
) -> dict[str, Any]:
    """Marginals, associations and distances of rows, as fields of the record."""
    drawn, real, held = tables["synthetic"], tables["train"], tables["test"]
    expected = associations(held)
    gaps = [_mean_difference(associations(each), expected) for each in (drawn, real)]
    closest = [closest_distances(_some(each, generator), real) for each in (drawn, held)]
    return {
        "names": schema.names,
        "marginals": _marginals(drawn, held),
        "real_marginals": _marginals(real, held),
        "association": gaps[0],
        "real_association": gaps[1],
        "n_test": len(held.values),
        "closest": _quantiles(closest[0]),
        "real_closest": _quantiles(closest[1]),
        "copies": float((closest[0] == 0).mean()),
        "real_copies": float((closest[1] == 0).mean()),
    }


def _marginals(table: Numbers, held: Numbers) -> np.ndarray:
    pairs = zip(table.values.T, held.values.T, held.levels.tolist(), strict=True)
    return np.array([marginal_distance(*pair) for pair in pairs])


def _numbers(values: np.ndarray, schema: Schema, name: str) -> Numbers:
    if len(values) < _FEWEST_ROWS:
        raise DataError(
            f"Tables are compared by {_FEWEST_ROWS} rows or more; {name} has {len(values)}. Pass "
            "more rows."
        )
    levels = np.array([c.has_levels or c.kind == "boolean" for c in schema.kept])
    return Numbers(values, levels)


def _mean_difference(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference over pairs of columns that vary in both."""
    pairs = np.tril_indices(len(a), -1)
    differences = np.abs(a - b)[pairs]
    known = differences[~np.isnan(differences)]
    return float(known.mean()) if len(known) else 0.0


def _some(table: Numbers, generator: np.random.Generator) -> Numbers:
    n = len(table.values)
    chosen = generator.permutation(n)[:_MOST_ROWS]
    return Numbers(table.values[chosen], table.levels)


def _quantiles(distances: np.ndarray) -> tuple[float, float]:
    low, middle = np.quantile(distances, (0.05, 0.5))
    return float(low), float(middle)


def _prediction(
    tables: dict[str, Numbers],
    schema: Schema,
    target: str | int | None,
    generator: np.random.Generator,
) -> dict[str, Any]:
    """Scores of gradient boosting trained on drawn and on real rows, as fields of the record."""
    if target is None:
        names = ("target", "measure", "score", "real_score", "baseline")
        return dict.fromkeys(names)
    if str(target) not in schema.names:
        if str(target) in {str(column.name) for column in schema}:
            raise SettingError(
                f"A target is a column that the schema keeps; {target!r} is taken for "
                f"{schema[target].kind!r}. Choose another, or set its kind."
            )
        raise unknown_name("target", target, schema.names)
    j = schema.names.index(str(target))
    is_level = bool(tables["test"].levels[j])
    held = _known(tables["test"], j)
    n = min(len(_known(tables[name], j).values) for name in ("synthetic", "train"))
    scores = []
    for name in ("synthetic", "train"):
        rows = _known(tables[name], j)
        chosen = generator.permutation(len(rows.values))[:n]
        seed = int(generator.integers(2**31))
        scores.append(_score(Numbers(rows.values[chosen], rows.levels), held, j, seed))
    common = np.bincount(held.values[:, j].astype(int)).max() if is_level else 0
    return {
        "target": str(target),
        "measure": "accuracy" if is_level else "R²",
        "score": scores[0],
        "real_score": scores[1],
        "baseline": float(common / len(held.values)),
    }


def _known(table: Numbers, j: int) -> Numbers:
    """Rows in which the target is not missing."""
    return Numbers(table.values[~np.isnan(table.values[:, j])], table.levels)


def _score(train: Numbers, held: Numbers, j: int, seed: int) -> float:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    others = np.arange(len(train.levels)) != j
    y = train.values[:, j]
    if (y == y[0]).all():  # nothing to learn
        return float((held.values[:, j] == y[0]).mean()) if train.levels[j] else 0.0
    kind = HistGradientBoostingClassifier if train.levels[j] else HistGradientBoostingRegressor
    few = np.array([len(np.unique(train.values[:, i])) <= 255 for i in np.flatnonzero(others)])
    categories: Any = train.levels[others] & few
    model = kind(categorical_features=categories, random_state=seed)
    model.fit(train.values[:, others], y)
    return float(model.score(held.values[:, others], held.values[:, j]))
