"""Base of VAE: rows, keys, settings, fitted attributes and priors, for all that uses a VAE."""

from collections.abc import Callable
from typing import Any, ClassVar, Literal, get_args

import jax
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from wellposed import evaluation, latents, models, training
from wellposed._checks import Rule, check_settings
from wellposed._errors import unknown_name
from wellposed._forks import check_process
from wellposed._typing import PRNGKey

from ._build import check_domain
from ._priors import PRIORS, draw_codes, fit_prior
from ._settings import settings_of
from ._words import Progress, Rows
from .data.offset import add_offset, check_size, clip_rows, subtract_offset
from .data.rows import open_table, validate_rows

Use = Literal["build", "fit", "score", "sample", "codes", "priors"]


class Fitted(BaseEstimator):
    """An estimator whose ``model_`` is a :class:`wellposed.models.VAEModel`, once it is fitted."""

    _constraints: ClassVar[dict[str, Rule]]

    n_components: int
    random_state: int | np.random.RandomState | None
    progress: Progress
    model_: models.VAEModel
    history_: dict[str, np.ndarray]
    outcome_: training.Outcome
    n_epochs_: int
    noise_variance_: float | np.ndarray
    offset_: np.ndarray
    image_shape_: tuple[int, ...] | None
    n_features_in_: int
    priors_: dict[str, latents.Prior]
    _codes: np.ndarray | None = None
    _seed: int

    def rows(self, X: Rows, *, to_train: bool = False) -> np.ndarray:
        """Check rows and return them as ``model_`` takes them: data units without ``offset_``.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        to_train : refuse values beyond the model's float type, which are otherwise clipped to it

        Returns
        -------
        array of shape (n, d)

        Raises
        ------
        DataError
            For rows that are not finite numbers, have other columns than those of the fit, or are
            off the domain of the transform or the noise.
        """
        check_is_fitted(self)
        table = open_table(X)
        rows = subtract_offset(validate_rows(self, table, reset=False), self.offset_)
        rows = check_size(rows, table.labels) if to_train else clip_rows(rows)
        check_domain(rows, self.model_.transform, self.model_.noise, table.labels)
        return rows

    def key(self, use: Use) -> PRNGKey:
        """Return the PRNG key of one use, derived from the seed of the fit.

        Parameters
        ----------
        use : "build", "fit", "score", "sample", "codes" or "priors"
        """
        check_process()
        return jax.random.fold_in(jax.random.key(self._seed), get_args(Use).index(use))

    def in_data_units(self, values: np.ndarray) -> np.ndarray:
        """Add ``offset_`` to rows of shape (n, d) that ``model_`` takes or returns."""
        return add_offset(values, self.offset_)

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
    ) -> None:
        """Set the fitted attributes.

        Parameters
        ----------
        model, history, outcome : of the training
        rows : array of shape (n, d) of the training, without the offset
        """
        self.model_ = model
        self.history_ = history.table()
        self.outcome_ = outcome
        self.n_epochs_ = len(history.rows)
        with training.Bar(1, self.progress, unit="noise variance, rows") as bar:
            self.store_noise(rows, shown=bar.count)
        self.priors_ = {}

    def store_noise(
        self, rows: np.ndarray, *, shown: Callable[[int, int], object] | None = None
    ) -> None:
        """Set ``noise_variance_`` to that of ``model_``, averaged over rows where it varies."""
        variance = evaluation.mean_noise_variance(
            self.model_, rows, key=self.key("score"), shown=shown
        )
        self.noise_variance_ = float(variance) if variance.ndim == 0 else np.asarray(variance)

    def store_codes(self, rows: np.ndarray) -> None:
        """Draw and store the codes that priors are fitted to; they are saved with the model."""
        self._codes = draw_codes(self.model_, rows, key=self.key("codes"))

    @property
    def has_codes(self) -> bool:
        """Whether codes were stored."""
        return self._codes is not None

    def sampling_prior(self, name: str) -> latents.Prior | None:
        """Return the prior of that name, fitted at its first use; None is the model's own.

        Parameters
        ----------
        name : "standard", "aggregate" or "second-stage"

        Raises
        ------
        SettingError
            For an unknown name.
        DataError
            Where there are no codes to fit it to.
        """
        if not isinstance(name, str) or name not in PRIORS:
            raise unknown_name("prior", name, PRIORS)
        if name == "standard":
            return None
        if name not in self.priors_:
            self.priors_[name] = self._fit_prior(name, self._codes)
        return self.priors_[name]

    def _fit_prior(self, name: str, codes: np.ndarray | None) -> latents.Prior:
        return fit_prior(name, codes, key=self.key("priors"), progress=self.progress)
