"""What the classifier and the regressor have in common: rows, latents, draws, densities, a file."""

import abc
from typing import Any, ClassVar, Self

import jax
import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_is_fitted

from wellposed import training
from wellposed._checks import Rule, boolean, check_settings, one_of, or_word, real
from wellposed._errors import SettingError
from wellposed.models.labelled import AbstractLabels, LabelledVAE

from .._notices import warn_of_outcome
from .._settings import settings_of
from .._sizes import check_draws
from .._train import weighted_table
from .._vae import VAE
from .._words import FilePath, Rows, Sampler, Seed
from ..data.rows import restore_on_failure, seed_of
from ..data.table import Table
from . import measures
from .build import check_inner, check_no_covariates
from .file import save_labelled
from .setups import (
    Problem,
    Ready,
    ensure_fitted,
    finish,
    fresh_vae,
    joint_setup,
    settings_source,
    stacked_setup,
)

# Defaults of the VAE of the data, and of the second of two, whose data are latents.
_FIRST: dict[str, Any] = {"prior": "standard"}
_SECOND: dict[str, Any] = {"noise": "conditional"}


class AbstractSemiSupervised(
    ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator, abc.ABC
):
    """An estimator of rows of which some have a label.

    ``vae_`` reads rows; ``model_`` is the model of rows and labels, or None for ``"features"``.
    scikit-learn reads the settings of a class from its own ``__init__``, which has those below too.
    """

    _constraints: ClassVar[dict[str, Rule]] = {
        "method": one_of(("features", "joint", "stacked", "auxiliary")),
        "alpha": or_word("auto", real(low=0)),
        "progress": or_word("auto", boolean()),
    }
    _file_state: ClassVar[tuple[str, ...]]
    _head: ClassVar[str]  # the setting of what predicts labels
    _n_parts_of_head: ClassVar[int]  # arrays of the default of "features"

    method: str
    vae: VAE | FrozenEstimator | None
    second_vae: VAE | None
    alpha: float | str
    checkpoint: FilePath | None
    progress: Any
    random_state: Seed
    model_: LabelledVAE | None
    alpha_: float | None
    vae_: VAE
    n_features_in_: int
    history_: dict[str, np.ndarray]
    outcome_: training.Outcome
    _seed: int

    def __init__(
        self,
        method: str,
        *,
        vae: VAE | FrozenEstimator | None,
        second_vae: VAE | None,
        alpha: float | str,
        checkpoint: FilePath | None,
        progress: Any,
        random_state: Seed,
    ):
        self.method = method
        self.vae, self.second_vae = vae, second_vae
        self.alpha = alpha
        self.checkpoint = checkpoint
        self.progress = progress
        self.random_state = random_state

    @abc.abstractmethod
    def _fit(
        self, table: Table, y: Any, weights: np.ndarray | None, kept: np.ndarray | None
    ) -> None:
        """Fit rows that are read, with the labels as passed.

        Parameters
        ----------
        table : the rows with a weight above zero
        y : labels of all rows that were passed
        weights : of the rows of the table, with mean 1, or None
        kept : mask of these rows among all; None is all
        """

    def fit(self, X: Rows, y: Any, *, sample_weight: ArrayLike | None = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        y : array-like of shape (n,), the label of each row. Of a classifier numbers, text or
            booleans; −1, None, NaN or pandas.NA where it is unknown. Of a regression real; NaN,
            None or pandas.NA where it is unknown
        sample_weight : array-like of shape (n,), at least zero; a row of weight 2 counts as two
            rows, its label included, and one of weight 0 is left out with its label. Neighbours
            are those of the rows as they are, and the calibration weighs all labels alike

        Raises
        ------
        DataError
            For rows that are not finite numbers, for labels of another number or of several kinds,
            for labels of fewer than two classes or values, and if the weights are not one number
            ≥ 0 a row.
        SettingError
            If a setting is out of range, unknown, or at odds with another.
        """
        with restore_on_failure(self):
            self._read_settings()
            self._seed = seed_of(self.random_state)
            vae = settings_source(self.vae)
            gaps = vae.missing is not None
            table, weights = weighted_table(X, vae.noise, sample_weight, vae.covariates, gaps=gaps)
            kept = None if sample_weight is None else np.asarray(sample_weight, np.float64) > 0
            self._fit(table, y, weights, kept)
            self._keep_features()
        return self

    def _fit_alone(self, table: Table, weights: np.ndarray | None) -> VAE:
        """Fit and keep the VAE of "features", which sees no label."""
        vae = ensure_fitted(self._vae(self._seed, checkpoint=self.checkpoint), table, weights)
        self.model_, self.vae_, self.alpha_ = None, vae, None
        self.history_, self.outcome_ = vae.history_, vae.outcome_
        return vae

    def _read_settings(self) -> dict[str, Any]:
        settings = settings_of(self)
        check_settings(settings, self._constraints)
        for name in ("vae", "second_vae"):
            value = settings[name]
            if name == "vae" and isinstance(value, FrozenEstimator):
                self._check_frozen(value)
                continue
            if value is not None and not isinstance(value, VAE):
                raise SettingError(
                    f"{name} must be a wellposed.VAE or None; got {type(value).__name__}. Pass one "
                    "with the settings you want, such as wp.VAE(hidden=(64, 64))."
                )
            if value is not None:
                check_inner(value, name, alone=self.method == "features")
        if settings["second_vae"] is not None and not self._has_two_stages:
            raise SettingError(
                'second_vae is the second of two VAEs, of method="stacked" or "auxiliary"; got '
                f"method={self.method!r}. Leave it out."
            )
        return settings

    @property
    def _has_two_stages(self) -> bool:
        """Whether the model with labels is of the latents of another VAE, not of the data."""
        auxiliary_of_latents = self.method == "auxiliary" and self.second_vae is not None
        return self.method == "stacked" or auxiliary_of_latents

    def _check_frozen(self, vae: FrozenEstimator) -> None:
        fitted = isinstance(vae.estimator, VAE) and hasattr(vae.estimator, "model_")
        if fitted and self.method == "features":
            return
        if fitted and self._has_two_stages:
            check_no_covariates(vae.estimator, "vae")
            return
        raise SettingError(
            'A frozen vae must be a fitted wellposed.VAE, of method="features", "stacked", or '
            f'"auxiliary" with a second_vae; got {vae!r} with method={self.method!r}. Pass the VAE '
            "itself, which is then fitted."
        )

    def _vae(self, seed: int, **settings: Any) -> VAE:
        return fresh_vae(self.vae, _FIRST, seed, progress=self.progress, **settings)

    def _set_up(
        self,
        table: Table,
        labels: AbstractLabels,
        target: np.ndarray,
        weights: np.ndarray | None,
    ) -> Ready:
        """Build the model of rows and labels, with its first stage fitted if it has one."""
        key = jax.random.fold_in(jax.random.key(self._seed), 1)
        classifier = getattr(self, self._head)
        auxiliary = self.method == "auxiliary"
        problem = Problem(table, labels, target, classifier, self.alpha, auxiliary, key, weights)
        if not self._has_two_stages:
            vae = self._vae(self._seed, prior="standard", checkpoint=None)
            return joint_setup(vae, problem)
        vae = self._vae(self._seed, prior="standard")
        second = fresh_vae(self.second_vae, _SECOND, self._seed, prior="standard", checkpoint=None)
        return stacked_setup(vae, second, problem)

    def _train(self, ready: Ready, target: np.ndarray, weights: np.ndarray | None) -> None:
        """Train on all labels, and keep the model."""
        run = ready.setup.train(
            target, weights, checkpoint=self.checkpoint, progress=settings_of(self)["progress"]
        )
        self.model_ = finish(run.model, ready.first)  # type: ignore[arg-type]
        self.vae_, self.history_, self.outcome_ = ready.reader, run.history.table(), run.outcome
        if ready.first is None:  # p(x | y) of the first class: a VAE as any other
            rows = ready.setup.rows
            own, rows = measures.conditional(self.model_, rows, np.zeros(len(rows)))
            best = run.best_epoch
            self.vae_.store(own, run.history, run.outcome, rows, best_epoch=best)
        variance = self.model_.vae.noise.variance()
        warn_of_outcome(run, np.inf if variance is None else np.asarray(variance))

    def _keep_features(self) -> None:
        self.n_features_in_ = self.vae_.n_features_in_
        names = getattr(self.vae_, "feature_names_in_", None)
        if names is not None:
            self.feature_names_in_ = names

    def _rows(self, X: Rows) -> np.ndarray:
        check_is_fitted(self)
        return self.vae_.rows(X)

    def _whole_model(self, what: str) -> LabelledVAE:
        check_is_fitted(self)
        if self.model_ is None:
            raise SettingError(
                f'{what} needs a model of p(x | y); got method="features", whose VAE knows no '
                'label. Fit with method="joint", "stacked" or "auxiliary".'
            )
        return self.model_

    def _outputs(self, rows: np.ndarray) -> np.ndarray:
        model = self._whole_model("The network of q(y | x)")
        return measures.outputs(model, rows, key=self.vae_.key("score"))

    def transform(self, X: Rows) -> np.ndarray:
        """Return latents of each row: (n, d) data units to (n, k).

        E[z | x] of the VAE that is fitted without labels, of "features" and where there are two
        VAEs; else Σ_y q(y | x) E[z | x, y], whose z has what y has not, of "auxiliary" at E[a | x].
        """
        rows = self._rows(X)
        if self.model_ is None or self.model_.first is not None:
            return self.vae_.transform(X)
        return measures.latents(self.model_, rows, key=self.vae_.key("score"))

    def _draw(self, labels: np.ndarray, how: Sampler, alpha: float, random_state: Seed) -> Any:
        model = self._whole_model("sample")
        check_draws(len(labels), how, alpha, width=max(self.n_features_in_, model.prior.k))
        seed = self._seed if random_state is None else seed_of(random_state)
        key = jax.random.fold_in(jax.random.key(seed), 2)
        rows = measures.draws(model, labels, how=how, alpha=alpha, key=key)
        return self.vae_.as_given(rows)

    def _log_joint(self, X: Rows, labels: np.ndarray, n_samples: int) -> np.ndarray:
        model, rows = self._whole_model("score_samples"), self._rows(X)
        key = self.vae_.key("score")
        return measures.log_joint(model, rows, labels, n_samples=n_samples, key=key)

    def save(self, path: FilePath, *, overwrite: bool = True) -> None:
        """Write the fitted estimator to one file, whole or not at all; see ``wp.load``.

        Of "features" the default classifier alone can be saved, and no transformers. The other
        methods predict without ``neighbours``; these are left out of the file, and a new fit of
        what is loaded asks for them.

        Parameters
        ----------
        path : of the file; an existing file keeps its permissions
        overwrite : whether to replace an existing file
        """
        check_is_fitted(self)
        save_labelled(self, path, overwrite=overwrite)

    def __sklearn_tags__(self) -> Any:
        tags: Any = super().__sklearn_tags__()
        tags.input_tags.sparse = True  # sparse rows become dense
        tags.transformer_tags.preserves_dtype = ["float32"]  # what the model computes in
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "vae_")

    @property
    def _n_features_out(self) -> int:
        return self.vae_.n_components_
