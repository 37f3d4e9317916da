"""What every imputer has: scikit-learn's contract, on three functions of rows with gaps."""

import warnings
from numbers import Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import OneToOneFeatureMixin, clone
from sklearn.impute import MissingIndicator
from sklearn.utils.validation import check_is_fitted

from wellposed._checks import check, check_count, check_number, real
from wellposed._errors import DataError, DataWarning, SettingError, named_features

from .._words import FilePath, Rows, Seed
from ..data.rows import open_table, restore_on_failure, seed_of, validate_rows
from ..data.table import Table
from .file import save_imputer
from .frames import frame_output, with_kinds
from .holdout import HoldoutScore, holdout_score

_BOUND_DRAWS = 400  # of each row, for intervals by draws


class Interval(NamedTuple):
    """Ends of an interval of each entry, arrays or frames of shape (n, d); observed ones twice."""

    low: Any
    high: Any


def gap_code(missing_values: Any) -> float:
    """Return the number that is a gap; None and pandas.NA are NaN.

    Raises
    ------
    SettingError
        For anything but a number.
    """
    if missing_values is None or type(missing_values).__name__ == "NAType":
        return np.nan
    number = isinstance(missing_values, Real) and not isinstance(missing_values, bool)
    if not number or np.isinf(float(missing_values)):
        raise SettingError(
            f"missing_values must be NaN or a finite number; got {missing_values!r}. Leave it at "
            "NaN, and code gaps as NaN or None."
        )
    return float(missing_values)


class ImputerMethods:
    """Methods of imputers. A mixin of estimators, which provide ``_fit_rows`` and three functions.

    ``_fit_rows(rows, seed)`` fits rows of shape (n, d), float64, in which NaN is a gap and every
    column has an observed entry. ``_means(rows)`` returns the conditional mean of each entry,
    (n, d); ``_draws(rows, n_draws, seed=, proper=)`` draws (s, n, d), which include the uncertainty
    of the parameters if ``proper``; ``_bounds(rows, level, seed)`` two quantiles, each (n, d).
    """

    missing_values: float | None
    add_indicator: bool
    keep_empty_features: bool
    random_state: Seed
    _file_state: ClassVar[tuple[str, ...]]
    indicator_: MissingIndicator | None
    _kept: np.ndarray

    def _fit_rows(self, rows: np.ndarray, seed: int) -> None:
        raise NotImplementedError

    def _means(self, rows: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _draws(self, rows: np.ndarray, n_draws: int, *, seed: int, proper: bool) -> np.ndarray:
        raise NotImplementedError

    def _bounds(self, rows: np.ndarray, level: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        draws = self._draws(rows, _BOUND_DRAWS, seed=seed, proper=True)
        low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return low, high

    def level_columns(self, d: int) -> np.ndarray:
        """Which of d columns hold codes of levels, shape (d,)."""
        return np.zeros(d, bool)

    def _rivals(self) -> tuple[Any, ...]:
        """Other imputers that are judged beside this one, not fitted."""
        return ()

    def _fit(self, X: Rows) -> None:
        """Read rows, and fit those columns that have an observed entry."""
        owner: Any = self
        with restore_on_failure(owner):
            self._seed = seed_of(self.random_state)
            rows = self._read(X, reset=True)
            self._kept = np.asarray(~np.isnan(rows).all(axis=0))
            if not self._kept.any():
                raise DataError(
                    f"At least one column must have an observed entry; all {len(self._kept)} have "
                    "none. Check how the data were read."
                )
            self.indicator_ = None
            if self.add_indicator:
                self.indicator_ = MissingIndicator(error_on_new=False).fit(rows)
            self._fit_rows(rows[:, self._kept], self._seed)
        if not self._kept.all():
            self._warn_of_empty()

    def transform(
        self, X: Rows, n_draws: int | None = None, random_state: Seed = None
    ) -> np.ndarray:
        """Fill the gaps by their means given the observed entries of their row, or by draws.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path; gaps may differ from those of the fit
        n_draws : number of draws of each gap; None fills by the mean
        random_state : of the draws; None uses that of the estimator

        Returns
        -------
        array of shape (n, d), data units, in which observed entries are unchanged, or
        (n_draws, n, d). Columns that had no observed entry in the fit are left out, unless
        ``keep_empty_features``; columns of indicators follow if ``add_indicator``

        Raises
        ------
        DataError
            For columns other than those of the fit, and entries that are infinite or no numbers.
        SettingError
            If draws are asked for in a frame.
        """
        if n_draws is not None:
            if frame_output(self) is not None:
                raise SettingError(
                    f"Draws are an array of three axes; got n_draws={n_draws} with set_output("
                    f'transform="{frame_output(self)}"). Call draw(X, {n_draws}), which always '
                    "returns an array."
                )
            return self.draw(X, n_draws, random_state)
        check_is_fitted(self)  # pyright: ignore[reportArgumentType]
        rows = self._read(X, reset=False)
        filled = self._complete(rows, self._means(rows[:, self._kept])[None])[0]
        return self._as_given(filled, X, rows)

    def _as_given(self, filled: np.ndarray, X: Rows, rows: np.ndarray) -> Any:
        """Return filled rows, (n, kept columns and indicators), in the container asked for."""
        return with_kinds(filled, X, rows, self._columns_kept, frame_output(self))

    def draw(self, X: Rows, n_draws: int, random_state: Seed = None) -> np.ndarray:
        """Draw the gaps given the observed entries: multiple imputation, (n_draws, n, d).

        Parameters
        ----------
        X, n_draws, random_state : as in :meth:`transform`
        """
        check_is_fitted(self)  # pyright: ignore[reportArgumentType]
        check_count("n_draws", n_draws, "5 to 50 are usual.")
        rows = self._read(X, reset=False)
        seed = self._seed if random_state is None else seed_of(random_state)
        draws = self._draws(rows[:, self._kept], int(n_draws), seed=seed, proper=True)
        return self._complete(rows, draws)

    def predict_interval(self, X: Rows, level: float = 0.9, random_state: Seed = None) -> Interval:
        """Return the central interval of each gap given the observed entries of its row.

        Parameters
        ----------
        X : as in :meth:`transform`
        level : probability of the interval, in (0, 1)
        random_state : of imputers whose intervals are those of draws

        Returns
        -------
        Interval, two arrays of shape (n, d); both ends of an observed entry are the entry
        """
        check_is_fitted(self)  # pyright: ignore[reportArgumentType]
        check_number("level", level, "0.9 is usual.", above=0, below=1)
        rows = self._read(X, reset=False)
        seed = self._seed if random_state is None else seed_of(random_state)
        ends = np.stack(self._bounds(rows[:, self._kept], level, seed))
        return Interval(*self._complete(rows, ends, indicate=False))

    def gaps(self, X: Rows) -> np.ndarray:
        """Which entries are filled: missing ones, and levels that the fit did not have.

        Parameters
        ----------
        X : as in :meth:`transform`

        Returns
        -------
        bool array of shape (n, d), of the columns that the model has
        """
        check_is_fitted(self)  # pyright: ignore[reportArgumentType]
        return np.isnan(self._read(X, reset=False))

    def holdout_score(self, X: Rows, share: float = 0.1, random_state: Seed = None) -> HoldoutScore:
        """Hide observed entries, refit a copy of the imputer, and judge what it fills them with.

        The estimator itself is not fitted.

        Parameters
        ----------
        X : as in :meth:`transform`
        share : of the observed entries that are hidden
        random_state : of the choice of entries; None uses that of the estimator

        Returns
        -------
        HoldoutScore, which prints errors, coverage of 90 % intervals and CRPS beside those of mean
        imputation
        """
        owner: Any = clone(self)  # pyright: ignore[reportArgumentType]
        check("share", share, real(above=0, below=1), "0.1 is usual.")
        rows = owner._read(X, reset=True)
        names = getattr(owner, "feature_names_in_", None)
        seed = seed_of(self.random_state if random_state is None else random_state)
        owner._seed = seed
        return holdout_score([owner, *owner._rivals()], rows, names, share=share, seed=seed)

    def save(self, path: FilePath, *, overwrite: bool = True) -> None:
        """Write the fitted imputer to one file, whole or not at all; see ``wp.load``.

        No row of the data is written, but parameters of the resampled rows, for draws.

        Parameters
        ----------
        path : file to write
        overwrite : whether to replace a file that is there
        """
        check_is_fitted(self)  # pyright: ignore[reportArgumentType]
        self._before_saving()
        save_imputer(self, path, overwrite=overwrite)

    def _restore(self, vaes: list[Any]) -> None:
        """Check the state of a file, and add what follows from it; ``vaes`` are fitted."""
        raise NotImplementedError

    def _before_saving(self) -> None:
        """Compute what a later call would need the rows of the fit for."""

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> np.ndarray:
        """Return the names of the columns of :meth:`transform`, indicators last."""
        check_is_fitted(self)  # pyright: ignore[reportArgumentType]
        owner: Any = self
        names: Any = OneToOneFeatureMixin.get_feature_names_out(owner, input_features)
        kept = names[self._columns_kept]
        if self.indicator_ is None:
            return kept
        marked = [f"missingindicator_{names[j]}" for j in self.indicator_.features_]
        return np.concatenate([kept, np.array(marked, dtype=object)])

    def __sklearn_tags__(self) -> Any:
        own: Any = super()
        tags = own.__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True  # sparse rows become dense
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_kept")

    @property
    def _columns_kept(self) -> np.ndarray:
        return np.ones_like(self._kept) if self.keep_empty_features else self._kept

    def _read(self, X: Rows, *, reset: bool) -> np.ndarray:
        """Rows of shape (n, d), float64, in which NaN is a gap."""
        owner: Any = self
        table, code = open_table(X), gap_code(self.missing_values)
        if not np.isnan(code):
            values = np.asarray(table.values, np.float64)
            if np.isnan(values).any():
                raise DataError(
                    f"With missing_values={self.missing_values!r}, that number is a gap and NaN is "
                    f"not; got {np.isnan(values).sum()} entries that are NaN. Leave missing_values "
                    "at NaN, or replace one by the other."
                )
            values = np.where(values == code, np.nan, values)
            table = Table(values, table.names, table.labels, table.image_shape, table.lines)
        return np.asarray(
            validate_rows(owner, table, reset=reset, gaps=True, empty=True), np.float64
        )

    def _complete(
        self, rows: np.ndarray, filled: np.ndarray, *, indicate: bool = True
    ) -> np.ndarray:
        """Put fills (s, n, kept columns) into rows (n, d), and add the indicators: (s, n, ...)."""
        whole = np.broadcast_to(rows, (len(filled), *rows.shape)).copy()
        whole[:, :, self._kept] = np.where(
            np.isnan(rows[:, self._kept]), filled, rows[:, self._kept]
        )
        whole[:, :, ~self._kept] = np.nan_to_num(whole[:, :, ~self._kept], nan=0.0)
        whole = whole[:, :, self._columns_kept]
        if self.indicator_ is None or not indicate:
            return whole
        marks = np.asarray(self.indicator_.transform(rows), np.float64)
        return np.concatenate([whole, np.broadcast_to(marks, (len(filled), *marks.shape))], axis=2)

    def _warn_of_empty(self) -> None:
        names = getattr(self, "feature_names_in_", None)
        effect = "is filled with zeros" if self.keep_empty_features else "is left out"
        warnings.warn(
            f"{(~self._kept).sum()} of {len(self._kept)} columns have no observed entry "
            f"({named_features(np.flatnonzero(~self._kept), names=names)}); each {effect}. Drop "
            "them, or set keep_empty_features to change this.",
            DataWarning,
            stacklevel=4,
        )
