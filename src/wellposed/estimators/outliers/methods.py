"""What a detector of outliers has: alarms from the scores of calibration rows."""

import warnings
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from wellposed._checks import check_number
from wellposed._errors import DataWarning, SettingError, named_features
from wellposed.evaluation.outliers import benjamini_hochberg, conformal_p_values

from .._vae import VAE
from .._words import FilePath, Rows
from ..data.rows import validate_rows
from ..data.table import Table
from .calibration import check_alpha
from .file import save_detector
from .panel import panel_of

_ALPHA = 0.01


class OutlierMethods:
    """Methods of detectors. A mixin of estimators, which provide ``_scores`` of checked rows."""

    vae_: VAE
    offset_: float
    calibration_scores_: np.ndarray
    _constants: np.ndarray

    def _scores(self, table: Table) -> np.ndarray:
        """Return the score of each row, shape (n,), lower for outliers."""
        raise NotImplementedError

    def _open(self, X: Rows) -> Table:
        """Read rows, check that they have the columns of the fit, and warn of new values."""
        check_is_fitted(self)  # pyright: ignore[reportArgumentType]
        owner: Any = self
        table = self.vae_.open(X)
        validate_rows(owner, table, reset=False, gaps=self.vae_.model_.noise.allows_missing)
        self._warn_of_constants(table)
        return table

    def _warn_of_constants(self, table: Table) -> None:
        """Warn of columns that never varied in the fit, and do in these rows."""
        known, values = self._constants, table.values
        fixed = np.flatnonzero(~np.isnan(known))
        if not fixed.size:
            return
        differs = values[:, fixed] != known[fixed]
        if values.dtype.kind == "f":
            differs &= ~np.isnan(values[:, fixed])
        if not differs.any():
            return
        names = named_features(fixed[differs.any(axis=0)], names=table.labels)
        n_rows = int(differs.any(axis=1).sum())
        warnings.warn(
            f"Columns that never varied in the fit should not vary; {n_rows} rows have other "
            f"values in {names}, and their scores are low for it. Fit again if such values are "
            "normal, or drop these columns.",
            DataWarning,
            stacklevel=4,
        )

    def score_samples(self, X: Rows) -> np.ndarray:
        """Return the score of each row, shape (n,): lower for outliers.

        It depends on the row alone, to the last bit, whatever rows it comes with.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path

        Raises
        ------
        DataError
            For rows that are not finite numbers, or have other columns than those of the fit.
        """
        return self._scores(self._open(X))

    def decision_function(self, X: Rows) -> np.ndarray:
        """Return ``score_samples(X) - offset_``, shape (n,): negative for outliers."""
        return self.score_samples(X) - self.offset_

    def predict(self, X: Rows) -> np.ndarray:
        """Return −1 for outliers and 1 for other rows, shape (n,); see ``contamination``."""
        return np.where(self.decision_function(X) < 0, -1, 1)

    def p_values(self, X: Rows) -> np.ndarray:
        """Return the conformal p-value of each row, shape (n,).

        Of rows like those of the fit, a share of at most α has p ≤ α, whatever the score.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path, of rows that were not in the fit
        """
        return conformal_p_values(-self.score_samples(X), -self.calibration_scores_)

    def outliers(
        self, X: Rows, alpha: float | None = None, *, fdr: float | None = None
    ) -> np.ndarray:
        """Return which rows are outliers, at a stated rate of false alarms.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path, of rows that were not in the fit
        alpha : share of the inliers that are flagged, in (0, 1); 0.01 where nothing is given
        fdr : in its place, the expected share of inliers among the flagged rows of X, by
            Benjamini & Hochberg

        Returns
        -------
        array of shape (n,) of booleans

        Raises
        ------
        SettingError
            For rates out of range, both at once, and an ``alpha`` that needs more calibration rows.
        """
        if alpha is not None and fdr is not None:
            raise SettingError(
                f"Alarms have one rate; got alpha={alpha} and fdr={fdr}. Pass alpha for a share of "
                "the inliers, or fdr for a share of the alarms."
            )
        check_is_fitted(self)  # pyright: ignore[reportArgumentType]
        if fdr is not None:
            fdr = check_number("fdr", fdr, "0.1 is usual.", above=0, below=1)
            return benjamini_hochberg(self.p_values(X), fdr)
        rate = _ALPHA if alpha is None else alpha
        rate = check_number("alpha", rate, "0.01 is usual.", above=0, below=1)
        check_alpha(rate, len(self.calibration_scores_))
        return self.p_values(X) <= rate * (1 + 1e-9)

    def diagnose(self, X: Rows, X_train: Rows | None = None) -> Any:
        """Return the verdicts on the VAE behind the scores; see :func:`wellposed.diagnose`.

        Parameters
        ----------
        X : rows held out from the fit
        X_train : rows of the fit
        """
        check_is_fitted(self)  # pyright: ignore[reportArgumentType]
        from .._judging import diagnose

        return diagnose(self.vae_, X) if X_train is None else diagnose(self.vae_, X, X_train)

    def report(self, X: Rows, X_train: Rows | None = None) -> Any:
        """Make a page of the VAE and of the outliers of X; see :func:`wellposed.report`.

        Its last section draws why the rows with the lowest scores are outliers, and lists their
        wrong cells.

        Parameters
        ----------
        X : rows held out from the fit, 20 or more
        X_train : rows of the fit
        """
        from .._judging import report

        table = self._open(X)
        return report(self.vae_, X, X_train, further=(panel_of(self, table),))

    def save(self, path: FilePath, *, overwrite: bool = True) -> None:
        """Write the fitted detector to one file, whole or not at all; see ``wp.load``.

        Parameters
        ----------
        path : file to write
        overwrite : whether to replace a file that is there
        """
        check_is_fitted(self)  # pyright: ignore[reportArgumentType]
        save_detector(self, path, overwrite=overwrite)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "calibration_scores_")
