"""Base of VAE: rows, keys, settings, fitted attributes and p(z), for all that uses a VAE."""

import dataclasses
import warnings
from collections.abc import Callable
from typing import Any, ClassVar, Literal, get_args

import jax
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from wellposed import evaluation, models, training
from wellposed._checks import Rule, check_settings
from wellposed._errors import TrainingWarning
from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.tables import Covariates, Schema

from ._build import check_domain, typical_row
from ._priors import Aggregate, aggregate, draw_codes
from ._settings import settings_of
from ._words import Progress, Rows
from .data.covariates import open_conditional, with_columns, with_given, without_covariates
from .data.offset import add_offset, check_size, clip_rows, subtract_offset
from .data.rows import validate_rows
from .data.table import Table

Use = Literal["build", "fit", "score", "sample", "codes", "priors", "gaps"]


class Fitted(BaseEstimator):
    """An estimator whose ``model_`` is a :class:`wellposed.models.VAEModel`, once it is fitted."""

    _constraints: ClassVar[dict[str, Rule]]

    n_components: int | Literal["auto"]
    random_state: int | np.random.RandomState | None
    progress: Progress
    model_: models.VAEModel
    history_: dict[str, np.ndarray]
    outcome_: training.Outcome
    n_epochs_: int
    best_epoch_: int | None
    noise_variance_: float | np.ndarray
    offset_: np.ndarray
    image_shape_: tuple[int, ...] | None
    n_features_in_: int
    schema_: Schema | None = None
    covariates_: Covariates | None = None
    _prior_gain: tuple[float, float] | None = None
    _seed: int

    @property
    def n_components_(self) -> int:
        """k, the number of latents of the fitted model."""
        return self.model_.prior.k

    def rows(self, X: Rows, *, to_train: bool = False) -> np.ndarray:
        """Check rows and return them as ``model_`` takes them: data units without ``offset_``.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        to_train : refuse values beyond the model's float type, which are otherwise clipped to it

        Returns
        -------
        array of shape (n, d), NaN where an entry is missing and the model allows it; of a
        conditional model, each row is followed by its c covariates

        Raises
        ------
        DataError
            For rows that are not finite numbers, have other columns than those of the fit, or are
            off the domain of the transform or the noise.
        """
        check_is_fitted(self)
        return self.rows_of(self.model_, X, to_train=to_train)

    def open(self, X: Rows) -> Table:
        """Read rows from a container of any supported type, by ``schema_`` where there is one."""
        return self._open(self.model_, X)

    def _open(self, model: models.VAEModel, X: Rows) -> Table:
        gaps = model.noise.allows_missing
        return open_conditional(X, self.schema_, self.covariates_, unseen_as_gaps=gaps)

    def rows_of(self, model: models.VAEModel, X: Rows, *, to_train: bool) -> np.ndarray:
        """Check rows as :meth:`rows` does, for a model that need not be trained."""
        gaps, table = model.noise.allows_missing, self._open(model, X)
        given = validate_rows(self, table, reset=False, gaps=gaps)
        rows = subtract_offset(given, self.offset_)
        rows = check_size(rows, table.labels) if to_train else clip_rows(rows)
        whole = np.where(np.isnan(rows), typical_row(model), rows) if gaps else rows
        check_domain(whole, model.transform, model.noise, table.labels)
        return with_given(rows, table, self.covariates_)

    def labels_of(self, table: Table) -> dict[str, np.ndarray]:
        """Return the covariates of a table by their names, levels as text; none is empty."""
        known = self.covariates_ is not None and table.given is not None
        return self.covariates_.labels(table.given) if known else {}  # type: ignore[union-attr]

    def whole_rows(self, X: Rows) -> np.ndarray:
        """Return rows as :meth:`rows` does, missing entries drawn from p(x_mis | x_obs).

        For measures that are defined for whole rows. They judge the model on entries that it has
        drawn itself, and are the better for it, the more are missing.
        """
        return self.complete(self.rows(X))

    def complete(self, rows: np.ndarray) -> np.ndarray:
        """Return rows of :meth:`rows` as :meth:`whole_rows` does."""
        if not np.isnan(rows).any():
            return rows
        drawn = evaluation.impute(self.model_, rows, key=self.key("gaps"), n_draws=1)
        filled = np.asarray(drawn.draws[:, 0])
        return np.concatenate([filled, models.given_columns(self.model_, rows)], axis=1)

    def key(self, use: Use) -> PRNGKey:
        """Return the PRNG key of one use, derived from the seed of the fit.

        Parameters
        ----------
        use : "build", "fit", "score", "sample", "codes", "priors" or "gaps"
        """
        check_process()
        return jax.random.fold_in(jax.random.key(self._seed), get_args(Use).index(use))

    def in_data_units(self, values: np.ndarray) -> np.ndarray:
        """Add ``offset_`` to rows of shape (n, d) that ``model_`` takes or returns."""
        return add_offset(values, self.offset_)

    def as_given(
        self, values: np.ndarray, like: Rows | None = None, *, covariates: np.ndarray | None = None
    ) -> Any:
        """Return rows of shape (n, d) that ``model_`` returns as the data of the fit were.

        Parameters
        ----------
        values : array of shape (n, d), without the offset
        like : the rows that they belong to, whose index a frame keeps
        covariates : of a conditional model, the numbers of shape (n, q) that the rows were given,
            to put in the places of these columns

        Returns
        -------
        frame, if the model was fitted to one, else an array of shape (n, d)
        """
        rows = self.in_data_units(values)
        if self.covariates_ is None or covariates is None:
            return rows if self.schema_ is None else self.schema_.decode(rows, like)
        if self.schema_ is not None:
            rows = self.schema_.decode(rows, without_covariates(like, self.covariates_))
        return with_columns(rows, self.covariates_, covariates)

    def read_settings(self) -> dict[str, Any]:
        """Return the constructor's settings by name, in plain values.

        Raises
        ------
        SettingError
            If one is out of range.
        """
        settings = settings_of(self)
        check_settings(settings, self._constraints)
        return settings

    def keep_seed(self, seed: int) -> None:
        """Store the seed that every key is derived from."""
        self._seed = seed

    def store(
        self,
        model: models.VAEModel,
        history: training.History,
        outcome: training.Outcome,
        rows: np.ndarray,
        *,
        best_epoch: int | None = None,
    ) -> None:
        """Set the fitted attributes.

        Parameters
        ----------
        model, history, outcome : of the training
        rows : array of shape (n, d) of the training, without the offset
        best_epoch : number of the epoch that the model is of; None is the last
        """
        self.model_ = model
        self.history_ = history.table()
        self.outcome_ = outcome
        self.n_epochs_ = len(history.rows)
        self.best_epoch_ = self.n_epochs_ if best_epoch is None else best_epoch
        with training.Bar(1, self.progress, unit="noise variance, rows") as bar:
            self.store_noise(rows, shown=bar.count)
        self._prior_gain = None

    def store_noise(
        self, rows: np.ndarray, *, shown: Callable[[int, int], object] | None = None
    ) -> None:
        """Set ``noise_variance_`` to that of ``model_``, averaged over rows where it varies."""
        variance = evaluation.mean_noise_variance(
            self.model_, rows, key=self.key("score"), shown=shown
        )
        self.noise_variance_ = float(variance) if variance.ndim == 0 else np.asarray(variance)

    @property
    def prior_gain_(self) -> evaluation.Estimate | None:
        """Gain of the mixture last fitted to codes over p(z) before it; None if none was fitted.

        It is the difference of the held-out means of E_q log p(z), in nats a datum. The mixture
        was adopted if that exceeds two standard errors.
        """
        check_is_fitted(self)
        return None if self._prior_gain is None else evaluation.Estimate(*self._prior_gain)

    @property
    def prior_setting(self) -> str | None:
        """How p(z) came about, as in ``VAE(prior=)``; None for a prior that was passed."""
        gain = self.prior_gain_
        if gain is not None and gain.value > 2 * gain.standard_error:
            return "aggregate"
        prior = settings_of(self)["prior"]
        if prior == "aggregate":
            return "standard"  # no mixture was adopted
        return prior if isinstance(prior, str) else None

    def adopt(self, rows: np.ndarray) -> None:
        """Replace p(z) by a mixture fitted to the codes of rows, if held-out codes gain by it.

        Parameters
        ----------
        rows : array of shape (n, d), without the offset
        """
        fitted = self.fit_aggregate(rows)
        gain = fitted.gain(self.model_.prior)
        self._prior_gain = gain.value, gain.standard_error
        if gain.value > 2 * gain.standard_error:
            self.model_ = dataclasses.replace(self.model_, prior=fitted.prior)
            return
        warnings.warn(
            "A mixture is adopted as p(z) if held-out codes gain by it beyond two standard "
            f"errors; the gain is {gain} nats a datum, so {self.model_.prior.notation} stays. No "
            "change is needed; more rows give a smaller error.",
            TrainingWarning,
            stacklevel=3,
        )

    def fit_aggregate(self, rows: np.ndarray) -> Aggregate:
        """Fit a mixture to the codes of rows, an array of shape (n, d) without the offset."""
        codes = draw_codes(self.model_, rows, key=self.key("codes"))
        key = jax.random.fold_in(self.key("priors"), 1)
        return aggregate(codes, key=key, progress=self.progress)
