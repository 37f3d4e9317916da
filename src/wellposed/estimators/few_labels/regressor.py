"""Regression from few labels, by a VAE of all rows."""

from typing import Any, ClassVar, Literal

import numpy as np
from scipy.special import logsumexp
from scipy.stats import norm
from sklearn.base import RegressorMixin, clone, is_regressor
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import RidgeCV

from wellposed import evaluation
from wellposed._errors import SettingError
from wellposed.models.labelled import RealLabel
from wellposed.numerics import positive

from .._file_check import demand
from .._vae import VAE
from .._words import FilePath, Progress, Rows, Sampler, Seed
from ..data.rows import seed_of
from ..data.table import Table
from .features import check_takes_weights
from .methods import AbstractSemiSupervised
from .targets import read_real

_ALPHAS = np.logspace(-3, 3, 13)
_NODES = 9  # of the quadrature over y of log p(x)


class SemiSupervisedRegressor(RegressorMixin, AbstractSemiSupervised):
    r"""Regression of rows of which few have a label, by a VAE of all of them.

    The model is that of :class:`SemiSupervisedVAE` for a real y: p(y) = N(0, 1) in standard
    deviations of the labels, q(y | x) = N(m(x), s(x)²), and the expectation over y of a row without
    a label by Gauss-Hermite quadrature of five points.

    Parameters
    ----------
    method : "features", "joint", "stacked" or "auxiliary"
        "features" fits a VAE to all rows without their labels, and a regression of scikit-learn to
        the latents of the labelled ones; the others are as in :class:`SemiSupervisedVAE`
    vae, second_vae : None or :class:`wellposed.VAE`; see :class:`SemiSupervisedVAE`
    regressor : None, "mlp", "conv", a maker, or a regressor of scikit-learn
        Of "features" a regressor, by default ``RidgeCV``; of the other methods the network of
        q(y | x), by default like the encoder
    alpha : "auto" or number ≥ 0
        α, the weight of log q(y | x) of one labelled row; "auto" is 10 n/n_labelled
    checkpoint, progress, random_state : see :class:`SemiSupervisedVAE`

    Attributes
    ----------
    model_ : :class:`wellposed.models.labelled.LabelledVAE`; None for "features"
    vae_ : the VAE that is fitted without labels; a single one with labels is a part of ``model_``
    regressor_ : of "features", the fitted regressor
    alpha_ : α of the training; None for "features"
    n_labelled_ : number of rows with a label
    label_mean_, label_scale_ : mean and standard deviation of the labels
    history_, outcome_, n_features_in_ : see :class:`SemiSupervisedVAE`

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> z = rng.normal(size=200)
    >>> X = z[:, None] * [1.0, -1.0, 0.5] + 0.1 * rng.normal(size=(200, 3))
    >>> y = np.where(np.arange(200) < 20, 3 * z, np.nan)
    >>> vae = VAE(1, hidden=(8,), max_epochs=20)
    >>> model = SemiSupervisedRegressor("features", vae=vae, random_state=0).fit(X, y)
    >>> bool(model.score(X, 3 * z) > 0.9)
    True
    """

    _file_state: ClassVar[tuple[str, ...]] = ("label_mean_", "label_scale_")
    _head: ClassVar[str] = "regressor"
    _n_parts_of_head: ClassVar[int] = 2

    def __init__(
        self,
        method: Literal["features", "joint", "stacked", "auxiliary"] = "joint",
        *,
        vae: VAE | FrozenEstimator | None = None,
        second_vae: VAE | None = None,
        regressor: Any = None,
        alpha: float | Literal["auto"] = "auto",
        checkpoint: FilePath | None = None,
        progress: Progress = "auto",
        random_state: Seed = None,
    ):
        super().__init__(
            method,
            vae=vae,
            second_vae=second_vae,
            alpha=alpha,
            checkpoint=checkpoint,
            progress=progress,
            random_state=random_state,
        )
        self.regressor = regressor

    def _fit(
        self, table: Table, y: Any, weights: np.ndarray | None, kept: np.ndarray | None
    ) -> None:
        labels = read_real(y, len(table.values) if kept is None else len(kept), kept)
        known = np.flatnonzero(~np.isnan(labels))
        self.n_labelled_ = len(known)
        of_known = None if weights is None else weights[known]
        self.label_mean_ = float(np.average(labels[known], weights=of_known))
        squares = (labels[known] - self.label_mean_) ** 2
        self.label_scale_ = float(np.sqrt(np.average(squares, weights=of_known)))
        target = (labels - self.label_mean_) / self.label_scale_
        if self.method == "features":
            self._fit_features(table, target, known, weights)
            return
        ready = self._set_up(table, RealLabel.of_quadrature(), target, weights)
        self.alpha_ = ready.setup.alpha_of(target)
        self._train(ready, target, None)

    def _fit_features(
        self, table: Table, target: np.ndarray, known: np.ndarray, weights: np.ndarray | None
    ) -> None:
        fresh: Any = RidgeCV(_ALPHAS) if self.regressor is None else self.regressor
        if not (hasattr(fresh, "fit") and is_regressor(fresh)):
            raise SettingError(
                f'regressor of method="features" must be a regressor of scikit-learn; got '
                f"{fresh!r}. Pass one, such as sklearn.svm.SVR()."
            )
        vae = self._fit_alone(table, weights)
        rows = vae.rows(table.take(known))
        means = evaluation.latent_means(vae.model_, rows, key=vae.key("score"))
        copy: Any = clone(fresh)
        options = {}
        if weights is not None:
            check_takes_weights(copy, "sample_weight")
            options = {"sample_weight": weights[known]}
        self.regressor_ = copy.fit(means.astype(np.float64), target[known], **options)

    def predict(self, X: Rows, return_std: bool = False) -> Any:
        """Return the mean of q(y | x) of each row, shape (n,), in units of the labels.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        return_std : whether to return the standard deviations of q(y | x) as well
        """
        rows = self._rows(X)
        if self.model_ is None:
            if return_std:
                self._whole_model("The standard deviation of y")
            means = np.asarray(self.regressor_.predict(self.vae_.transform(X)), np.float64)
            return self.label_mean_ + self.label_scale_ * means
        mean, scale = self._moments(rows)
        mean = self.label_mean_ + self.label_scale_ * mean
        return (mean, self.label_scale_ * scale) if return_std else mean

    def score_samples(self, X: Rows, y: Any = None, n_samples: int = 128) -> np.ndarray:
        """Estimate log p(x, y) of each row, or log p(x), shape (n,), in nats.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        y : array-like of shape (n,), in units of the labels; None integrates over y, by quadrature
            of nine points around q(y | x)
        n_samples : draws of z a row and value of y, by importance sampling
        """
        rows = self._rows(X)
        if y is not None:
            labels = read_real(y, len(rows)) if np.ndim(y) else np.full(len(rows), float(y))
            labels = ((labels - self.label_mean_) / self.label_scale_)[:, None]
            return self._log_joint(X, labels, n_samples)[:, 0] - np.log(self.label_scale_)
        self._whole_model("score_samples")
        nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
        mean, scale = self._moments(rows)
        labels = mean[:, None] + scale[:, None] * nodes
        joint = self._log_joint(X, labels, n_samples).astype(np.float64)
        log_q = norm.logpdf(nodes) - np.log(scale)[:, None]
        return np.asarray(logsumexp(joint - log_q + np.log(weights / weights.sum()), axis=1))

    def sample(
        self,
        n_samples: int = 1,
        y: Any = None,
        how: Sampler = "ancestral",
        *,
        alpha: float = 1.0,
        random_state: Seed = None,
    ) -> Any:
        """Draw data from p(x | y), or from p(x).

        Parameters
        ----------
        n_samples : how many
        y : one value, or one for each draw, in units of the labels; None draws it from p(y)
        how, alpha : see :meth:`wellposed.VAE.sample`
        random_state : None takes the estimator's own seed, so that equal calls give equal draws
        """
        self._whole_model("sample")
        seed = self._seed if random_state is None else seed_of(random_state)
        labels = np.random.default_rng(seed).normal(size=int(n_samples))
        if y is not None:
            given = np.broadcast_to(np.asarray(y, np.float64), (int(n_samples),))
            labels = (given - self.label_mean_) / self.label_scale_
        return self._draw(labels, how, alpha, random_state)

    def _moments(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of q(y | x), in those of the labels."""
        outputs = self._outputs(rows).astype(np.float64)
        return outputs[:, 0], RealLabel.LEAST_SCALE + positive(outputs[:, 1])

    @property
    def _n_outputs(self) -> int:
        return 2

    @property
    def _n_given(self) -> int:
        return 1

    def _parts_of_head(self) -> tuple[np.ndarray, ...]:
        """Return the coefficients of the default regressor."""
        return np.asarray(self.regressor_.coef_), np.asarray(self.regressor_.intercept_)

    def _head_of(self, parts: tuple[np.ndarray, ...], k: int) -> Any:
        """Return the default regressor with its coefficients."""
        demand([p.shape for p in parts] == [(k,), ()], "the regressor")
        fitted: Any = RidgeCV(_ALPHAS)
        fitted.coef_, fitted.intercept_, fitted.n_features_in_ = *parts, k
        return fitted

    def _check_restored(self) -> None:
        """Refuse a state of a file that no fit makes."""
        mean, scale = self.label_mean_, self.label_scale_
        demand(type(mean) is float and np.isfinite(mean), "label_mean_")
        demand(type(scale) is float and np.isfinite(scale) and scale > 0, "label_scale_")
