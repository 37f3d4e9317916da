"""Imputation by the exact conditional distribution of a multivariate Gaussian."""

import math
import warnings
from typing import Any, ClassVar, Literal, Self

import jax
import numpy as np
import scipy.stats
from sklearn.base import BaseEstimator, TransformerMixin

from wellposed import models
from wellposed._checks import Rule, boolean, check_settings, optional, or_word, real, whole
from wellposed._errors import TrainingWarning

from .._file_check import demand
from .._settings import settings_of
from .._words import Rows, Seed
from ..linear.checks import check_components
from .methods import ImputerMethods
from .ridge import choose_ridge

_FLOOR = 0.03  # smallest noise of factor analysis, in standard deviations of the column
_BOOTSTRAPS = 20  # refits at most; further draws use them again
_TRIES = 20
_ROUGHLY = 1e-5  # tolerance of the refits

Model = models.GaussianModel | models.FactorAnalysisModel


class GaussianImputer(ImputerMethods, TransformerMixin, BaseEstimator):
    r"""Fill gaps by their exact distribution given the observed entries of their row.

    The rows are draws of a Gaussian, of which each row has observed entries o and missing ones m:

    .. math:: x_m \mid x_o \sim N(\mu_m + \Sigma_{mo} \Sigma_{oo}^{-1} (x_o - \mu_o), \;
       \Sigma_{mm} - \Sigma_{mo} \Sigma_{oo}^{-1} \Sigma_{om})

    μ and Σ maximise the likelihood of the observed entries, by expectation maximisation, with a
    ridge. Whether an entry is missing may depend on observed entries only. Rows that were not in
    the fit, with gaps in any columns, are filled likewise; a row of gaps alone has the means.

    Parameters
    ----------
    n_components : None or int, default None
        None is a full covariance, whose time rises with the cube of the gaps in a row; k is factor
        analysis with k latents, for tables of hundreds of columns.
    ridge : "auto" or positive number
        The full covariance is shrunk towards a diagonal one as if by so many rows without
        correlations. "auto" takes the number with the least error on hidden entries.
    bootstrap : bool, default True
        Whether draws include the uncertainty of μ and Σ: they are refitted to resampled rows for
        each of up to 20 draws, at the first call that draws. Pooled estimates then have the right
        standard errors.
    missing_values : number, default NaN
        What a gap is in the data; None, pandas.NA and masked entries are gaps as well.
    add_indicator : bool, default False
        Whether :meth:`transform` adds a column of zeros and ones for each with gaps in the fit.
    keep_empty_features : bool, default False
        Whether columns without an observed entry in the fit are kept, filled with zeros.
    max_iter : iterations at most
    tol : stop when three iterations in a row change the objective by less than this share
    random_state : int, RandomState or None

    Attributes
    ----------
    model_ : :class:`wellposed.models.GaussianModel` or ``FactorAnalysisModel``, data units
    mean_ : array of shape (d,), data units, of the columns with observed entries
    covariance_ : array of shape (d, d), data units², likewise
    ridge_ : pseudo-rows of the ridge; None of factor analysis
    n_iter_ : iterations
    indicator_ : :class:`sklearn.impute.MissingIndicator` or None
    n_features_in_ : d

    References: Little & Rubin (2019), Statistical analysis with missing data, §11; Honaker & King
    (2010), What to do about missing values in time-series cross-section data, on the bootstrap.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(400, 2)) @ [[1.0, 2.0], [0.0, 0.1]]
    >>> imputer = GaussianImputer(random_state=0).fit(X)
    >>> imputer.transform([[1.0, np.nan], [np.nan, 4.0]]).round(1).tolist()
    [[1.0, 2.0], [2.0, 4.0]]
    """

    _constraints: ClassVar[dict[str, Rule]] = {
        "n_components": optional(whole()),
        "ridge": or_word("auto", real(above=0)),
        "bootstrap": boolean(),
        "add_indicator": boolean(),
        "keep_empty_features": boolean(),
        "max_iter": whole(),
        "tol": real(low=0),
    }

    _file_state: ClassVar[tuple[str, ...]] = ("model_", "n_iter_", "ridge_", "_bootstraps")

    def __init__(
        self,
        n_components: int | None = None,
        *,
        ridge: float | Literal["auto"] = "auto",
        bootstrap: bool = True,
        missing_values: float | None = np.nan,
        add_indicator: bool = False,
        keep_empty_features: bool = False,
        max_iter: int = 500,
        tol: float = 1e-7,
        random_state: Seed = None,
    ):
        self.n_components = n_components
        self.ridge = ridge
        self.bootstrap = bootstrap
        self.missing_values = missing_values
        self.add_indicator = add_indicator
        self.keep_empty_features = keep_empty_features
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    # Defined here again: scikit-learn wraps only the methods that a class itself defines.
    transform = ImputerMethods.transform

    def fit(self, X: Rows, y: object = None) -> Self:
        """Fit the Gaussian.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        y : ignored

        Raises
        ------
        DataError
            If entries are infinite or no numbers, or no column has an observed entry.
        SettingError
            If a setting is out of range; if k exceeds min(n, d).
        """
        check_settings(settings_of(self), self._constraints)
        self._fit(X)
        return self

    def _fit_rows(self, rows: np.ndarray, seed: int) -> None:
        self.ridge_ = None
        if self.n_components is not None:
            check_components(self.n_components, rows)
        elif isinstance(self.ridge, str):
            self.ridge_ = choose_ridge(rows, np.random.default_rng(seed))
        else:
            self.ridge_ = float(self.ridge)
        self._rows, self._bootstraps = rows, []
        self.model_, self.n_iter_, converged = self._solve(rows, None, self.tol)
        self.mean_, self.covariance_ = self.model_.mean, covariance_of(self.model_)
        if not converged:
            warnings.warn(
                f"The iterations stopped at {self.n_iter_} before the objective settled; raise "
                "max_iter or tol, or the ridge.",
                TrainingWarning,
                stacklevel=4,
            )

    def _solve(
        self, rows: np.ndarray, start: models.GaussianModel | None, tol: float
    ) -> tuple[Model, int, bool]:
        if self.n_components is None:
            ridge = (self.ridge_ or 0.0) / len(rows)
            fit = models.gaps.gaussian(
                rows, ridge=ridge, start=start, max_iter=self.max_iter, tol=tol
            )
            return fit.model, len(fit.objective), fit.converged
        spread = np.nanstd(rows, axis=0)
        size = np.maximum(np.nanmax(np.abs(rows), axis=0), 1.0)
        floor = _FLOOR * np.where(spread > 0, spread, 1e-6 * size)
        solution = models.gaps.factor_analysis(
            rows, self.n_components, floor=floor, max_iter=self.max_iter, tol=tol
        )
        return solution.model, len(solution.objective), solution.converged

    def _means(self, rows: np.ndarray) -> np.ndarray:
        return self.model_.conditional(rows)[0]

    def _bounds(self, rows: np.ndarray, level: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        del seed
        mean, variance = self.model_.conditional(rows)
        reach = scipy.stats.norm.ppf(0.5 + level / 2) * np.sqrt(variance)
        return mean - reach, mean + reach

    def _draws(self, rows: np.ndarray, n_draws: int, *, seed: int, proper: bool) -> np.ndarray:
        drawn = [self.model_]
        if proper and self.bootstrap:
            drawn = self._resampled(min(n_draws, _BOOTSTRAPS))
        keys = jax.random.split(jax.random.key(seed), len(drawn))
        each = math.ceil(n_draws / len(drawn))
        parts = [
            model.conditional_draws(rows, each, key=key)
            for model, key in zip(drawn, keys, strict=True)
        ]
        return np.stack(parts, axis=1).reshape(-1, *rows.shape)[:n_draws]

    def _resampled(self, n_models: int) -> list[Model]:
        """Models of resampled rows, each fitted once."""
        while len(self._bootstraps) < n_models:
            self._bootstraps.append(self._refit(len(self._bootstraps)))
        return self._bootstraps[:n_models]

    def _before_saving(self) -> None:
        if self.bootstrap:
            self._resampled(_BOOTSTRAPS)

    def _restore(self, vaes: list[Any]) -> None:
        demand(not vaes, "vaes")
        kind = models.GaussianModel if self.n_components is None else models.FactorAnalysisModel
        demand(isinstance(self._bootstraps, list), "_bootstraps")
        wanted = _BOOTSTRAPS if self.bootstrap else 0
        demand(len(self._bootstraps) == wanted, "_bootstraps")
        for model in (self.model_, *self._bootstraps):
            demand(isinstance(model, kind), "model_")
            _check_model(model, int(self._kept.sum()))
        demand(type(self.n_iter_) is int and self.n_iter_ >= 0, "n_iter_")
        ridge = self.ridge_
        demand(ridge is None or (type(ridge) is float and ridge > 0), "ridge_")
        self.mean_, self.covariance_ = self.model_.mean, covariance_of(self.model_)

    def _refit(self, i: int) -> Model:
        """Fit the rows resampled with replacement."""
        generator = np.random.default_rng([self._seed, i])
        for _ in range(_TRIES):
            rows = self._rows[generator.integers(0, len(self._rows), len(self._rows))]
            if not np.isnan(rows).all(axis=0).any():
                start = self.model_ if isinstance(self.model_, models.GaussianModel) else None
                return self._solve(rows, start, max(self.tol, _ROUGHLY))[0]
        return self.model_  # a column has too few observed entries


def covariance_of(model: Model) -> np.ndarray:
    """Return Σ, shape (d, d)."""
    if isinstance(model, models.GaussianModel):
        return model.covariance
    return model.weight @ model.weight.T + np.diag(model.noise_variance)


def _check_model(model: Model, d: int) -> None:
    covariance = covariance_of(model)
    shapes = np.shape(model.mean) == (d,) and covariance.shape == (d, d)
    finite = shapes and bool(np.isfinite(covariance).all()) and bool(np.isfinite(model.mean).all())
    demand(finite, "the shape of model_")
    scale = np.sqrt(np.abs(np.diag(covariance)))
    demand(bool((scale > 0).all()), "the covariance of model_")
    demand(
        np.linalg.eigvalsh(covariance / np.outer(scale, scale))[0] > 0, "the covariance of model_"
    )
