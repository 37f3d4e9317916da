"""Measures of a fitted VAE, and methods that show and save it."""

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from wellposed import evaluation, training, transforms
from wellposed._bar import PresentStep
from wellposed._errors import SettingError, unknown_name

from . import _judging
from ._build import objective_of, resolution_of
from ._file import save
from ._fitted import Fitted
from ._forecast import effective_beta, forecast_of
from ._settings import settings_of
from ._words import FilePath, Rows
from .streamed.dealt import spread

if TYPE_CHECKING:
    from wellposed.reports import Report


class Measures(Fitted):
    """Methods of a VAE that measure ``model_`` on rows, show it, and save it."""

    @property
    def one_scale_(self) -> bool | None:
        """Whether all features have one scale in model units, None if "standardize" is not used."""
        check_is_fitted(self)
        unit_map = self.model_.transform
        return unit_map.shared if isinstance(unit_map, transforms.Standardize) else None

    def elbo(self, X: Rows, n_samples: int = 16) -> np.ndarray:
        """Estimate the ELBO of each row, shape (n,), nats in data units.

        ``n_samples`` draws of z a row are averaged; the KL is exact for N(0, I), and by the same
        draws for another prior. Whatever the training objective, this is the bound with β = 1.
        """
        rows, key = self.rows(X), self.key("score")
        with spread(self):
            return np.asarray(evaluation.elbo(self.model_, rows, n_samples=n_samples, key=key).elbo)

    def forecast(self, X: Rows) -> evaluation.Forecast:
        """Forecast which latents are active on X, with this estimator's settings.

        Before fitting: at the noise variance that ``noise`` gives, or at the best one for
        ``n_components`` where it is learned. After: in the fitted model's units, at its
        ``noise_variance_``; where that is one a feature, each is divided by its own σ, and the
        noise variance of the forecast is one. See :func:`wellposed.forecast`.
        """
        return forecast_of(self, X)

    def collapse(self, X: Rows, **thresholds: float) -> evaluation.Collapse:
        """Classify each latent on X as active or collapsed, by its rate and its posterior mean.

        ``thresholds`` are ``epsilon``, ``delta`` and ``threshold`` of
        :func:`wellposed.evaluation.collapse`.
        """
        rows = self.rows(X)
        return evaluation.measure_collapse(self.model_, rows, key=self.key("score"), **thresholds)

    def residual_spectrum(self, X: Rows) -> evaluation.ResidualSpectrum:
        """Test whether a collapsed latent could become active.

        See :class:`wellposed.evaluation.ResidualSpectrum`.
        """
        rows = self.whole_rows(X)
        beta = effective_beta(objective_of(settings_of(self)), self.noise_variance_)
        return evaluation.residual_spectrum(self.model_, rows, beta=beta, key=self.key("score"))

    def prior_mismatch(self, X: Rows, X_train: Rows | None = None) -> evaluation.PriorMismatch:
        """Measure how far p(z) is from the codes of X; see ``evaluation.prior_mismatch``.

        Parameters
        ----------
        X : array-like of shape (n, d), or a path: held-out rows
        X_train : rows of the training; a mixture fitted to their codes is then measured beside
            the model's own prior, as "aggregate". :meth:`adopt_prior` makes it the model's own
        """
        rows, priors = self.rows(X), {}
        if X_train is not None:
            priors["aggregate"] = self.fit_aggregate(self.rows(X_train)).prior
        return evaluation.prior_mismatch(
            self.model_,
            rows,
            key=self.key("score"),
            priors=priors,
            setting=self.prior_setting,
        )

    def compare(self, X: Rows, X_train: Rows) -> evaluation.Comparison:
        """Compare log p(x) with that of simpler densities; see :func:`evaluation.compare`.

        Parameters
        ----------
        X : array-like of shape (n, d), or a path: rows held out from training, of which 1,000 are
            used
        X_train : rows of the training, of which 4,000 are used
        """
        given = self.rows(X), self.rows(X_train)
        options: Any = {"resolution": resolution_of(settings_of(self), self.n_features_in_)}
        with PresentStep() as step:
            step("missing entries")
            whole = [self.complete(rows) for rows in given]
            options |= {"key": self.key("score"), "on_step": step}
            found = evaluation.compare(self.model_, *whole, **options)
        return dataclasses.replace(found, completed=any(np.isnan(rows).any() for rows in given))

    def coverage(self, X: Rows, **options: Any) -> evaluation.Coverage:
        """Measure the coverage of p(x | z) on X; see :func:`evaluation.coverage`."""
        rows = self.whole_rows(X)
        return evaluation.coverage(self.model_, rows, key=self.key("score"), **options)

    def calibration(self, X: Rows, **options: Any) -> evaluation.Calibration:
        """Measure coverage and CRPS of reconstructions, marginals or held-out features of X.

        ``options`` are ``given``, ``n_draws`` and ``share`` of :func:`evaluation.calibration`.
        """
        rows = self.whole_rows(X)
        return evaluation.calibration(self.model_, rows, key=self.key("score"), **options)

    def variance_split(self, X: Rows, **options: Any) -> evaluation.VarianceSplit:
        """Split the variance of X between latents and noise; see ``evaluation.variance_split``."""
        rows = self.whole_rows(X)
        return evaluation.variance_split(self.model_, rows, key=self.key("score"), **options)

    def covariate_information(
        self, X: Rows, latents: Literal["draws", "means"] = "draws", **options: Any
    ) -> evaluation.CovariateInformation:
        """Bound what z tells of each covariate; see :func:`evaluation.covariate_information`.

        Parameters
        ----------
        X : array-like of shape (n, d), or a path: 50 rows or more
        latents : "draws" of q(z | x, c), whose distribution p(z) stands for, or its "means"
        options : ``n_folds`` and ``n_permutations``

        Raises
        ------
        SettingError
            For a model without covariates.
        """
        check_is_fitted(self)
        if latents not in ("draws", "means"):
            raise unknown_name("latents", latents, ("draws", "means"))
        table = self.open(X)
        if self.covariates_ is None:
            raise SettingError(
                "This model has no covariates. Fit one with VAE(covariates=...), or call "
                "wellposed.evaluation.covariate_information(vae.transform(X), {name: values})."
            )
        rows, key = self.rows(table), self.key("score")
        codes = evaluation.codes(self.model_, rows, key=key, most=len(rows))
        return evaluation.covariate_information(
            codes.z if latents == "draws" else codes.loc,
            self.labels_of(table),
            random_state=self._seed,
            **options,
        )

    def rate_distortion(self, X: Rows, **options: Any) -> evaluation.RateDistortion:
        """Measure rate, distortion and information; see :func:`evaluation.rate_distortion`."""
        rows = self.rows(X)
        return evaluation.rate_distortion(self.model_, rows, key=self.key("score"), **options)

    def amortisation_gap(self, X: Rows, **options: Any) -> training.AmortisationGap:
        """Measure the loss of the amortised encoder on X; see :func:`training.amortisation_gap`."""
        rows = self.whole_rows(X)
        return training.amortisation_gap(self.model_, rows, key=self.key("score"), **options)

    def recalibrate(self, X: Rows) -> Self:
        """Rescale the noise of each feature so that it fits X, which must not be training data.

        The scales are saved with the model; fitting again starts without them. To see them with
        their errors, call :func:`wellposed.evaluation.recalibrate` on ``model_``.
        """
        rows, key = self.whole_rows(X), self.key("score")
        self.model_ = evaluation.recalibrate(self.model_, rows, key=key).model
        self.store_noise(rows)
        self._advance = None  # further passes start from this model
        return self

    def adopt_prior(self, X: Rows) -> Self:
        """Replace p(z) by a mixture of Gaussians fitted to the codes of X, where that gains.

        The mixture has full covariances and up to 200 components, and is fitted to three draws of
        q(z | x) for each row. It becomes the p(z) that is sampled and scored if the mean of
        E_q log p(z) over a held-out fifth of the rows rises by more than two standard errors; the
        mean ELBO rises by as much. ``prior_gain_`` holds the gain. Otherwise the model stays as it
        is, and a ``TrainingWarning`` says so.

        Parameters
        ----------
        X : array-like of shape (n, d), or a path: the rows of the training, of which at most
            60,000 are used

        Raises
        ------
        DataError
            For fewer than ten rows, or rows outside the domain of the model.
        """
        self.adopt(self.rows(X))
        self._advance = None  # further passes start from this model
        return self

    def save(self, path: FilePath, *, overwrite: bool = True) -> None:
        """Write the fitted estimator to one file, whole or not at all; see ``wp.load``.

        Parameters
        ----------
        path : of the file; an existing file keeps its permissions
        overwrite : whether to replace an existing file
        """
        check_is_fitted(self)
        save(self, path, overwrite=overwrite)

    def report(
        self, X: Rows, X_train: Rows | None = None, *, labels: ArrayLike | None = None
    ) -> "Report":
        """Make a page of this model: verdicts, samples, residuals, latents, calibration.

        Parameters
        ----------
        X : array-like of shape (n, d), or a path: rows held out from training, 20 or more; some
            2,000 are used
        X_train : rows of the training; without them simpler models cannot be fitted, and
            overfitting and a refitted σ² are not examined
        labels : array of shape (n,), for the colours of the latent plane

        Returns
        -------
        :class:`wellposed.reports.Report`: ``save("report.html")`` writes one file that needs no
        network; in a notebook it is displayed

        Raises
        ------
        DataError
            For too few rows, rows outside the domain of the model, or labels of another number.
        """
        return _judging.report(self, X, X_train, labels=labels)

    def explore(
        self, X: Rows | None = None, *, labels: ArrayLike | None = None, port: int = 0
    ) -> None:
        """Serve a page on this machine to look into the model by hand, until interrupted.

        Its address is printed. Needs ``pip install 'wellposed[explore]'``.

        Parameters
        ----------
        X : array-like of shape (n, d), or a path: rows to show as points, at most 2,000 spread
            over all
        labels : array of shape (n,), for their colours
        port : 0 takes a free one

        Raises
        ------
        SettingError
            If the packages of the extra are not installed, or the port is out of range.
        DataError
            For rows outside the domain of the model, or labels of another number.
        OutputError
            If the port is taken.
        """
        _judging.explore(self, X, labels=labels, port=port)
