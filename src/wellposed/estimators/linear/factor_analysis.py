"""Factor analysis as a scikit-learn estimator."""

import dataclasses
import warnings
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from wellposed import evaluation, models, training
from wellposed._checks import Rule, check_settings, one_of, optional, real, whole
from wellposed._errors import FloorWarning, TrainingWarning, named_features

from .._homonym import setting_and_method
from .._settings import settings_of
from .._words import Missing, Resolution, Rows, Seed, Transform
from ..data.rows import restore_on_failure, seed_of
from .checks import check_components, warn_of_budget, warn_of_constants
from .methods import LinearMethods
from .prepare import Exact, prepare

# A covariance has the digits of a noise variance above this share of the feature's variance.
_SURE = 1e-5


@setting_and_method("transform")
class FactorAnalysis(
    LinearMethods, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    r"""Factor analysis by maximum likelihood: the linear Gaussian VAE with a σ² a feature.

    .. math:: z \sim N(0, I_k), \quad x \mid z \sim N(Wz + \mu, \Psi), \quad
       \Psi = \operatorname{diag}(\psi_1, \dots, \psi_d)

    Its log p(x) gains log c for each feature that is divided by c and loses nothing else, so that
    the units of the features do not matter, unlike those of :class:`wellposed.PPCA`. W is rotated
    so that WᵀΨ⁻¹W is diagonal, the largest first: the latents are independent given x. All in
    float64.

    Parameters
    ----------
    n_components : int, default 2
        k, at most min(n, d).
    transform : as in :class:`wellposed.PPCA`
    resolution : "auto", number or array of shape (d,)
        The measurement's smallest step. No noise standard deviation falls below resolution/√12:
        where a feature is a combination of others, the likelihood itself has no maximum.
    missing : None or "ignorable"
        None refuses missing entries. With "ignorable", entries that are NaN, None, pandas.NA or
        masked are gaps; whether an entry is missing may depend on observed entries only. The fit
        and all methods then use the observed entries alone, by expectation maximisation.
    max_iter : iterations at most, from each of up to three starts
    tol : stop when an iteration changes the mean log likelihood by less than this share
    random_state : int, RandomState or None; the dequantisation of transforms that dequantise

    Attributes
    ----------
    model_ : :class:`wellposed.models.FactorAnalysisModel`
    noise_variance_ : array of shape (d,), ψ in model units
    components_ : array of shape (k, d), Wᵀ
    mean_ : array of shape (d,), model units
    log_likelihood_ : mean log p(x) of the training data, nats in data units
    history_ : dict with ``objective``, the same after each iteration
    outcome_ : :class:`wellposed.training.Outcome`
    n_iter_ : iterations
    n_features_in_ : d

    References: Jöreskog (1967); the solver is :func:`wellposed.models.factor_analysis`.

    Examples
    --------
    >>> import wellposed as wp
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 1)) + rng.normal(size=(500, 4)) * [0.1, 1.0, 2.0, 3.0]
    >>> bool(wp.FactorAnalysis(1).fit(X).score(X) > wp.PPCA(1).fit(X).score(X))
    True
    """

    _constraints: ClassVar[dict[str, Rule]] = {
        "n_components": whole(),
        "max_iter": whole(),
        "tol": real(low=0),
        "missing": optional(one_of(("ignorable",))),
    }

    _setting_defaults: ClassVar[dict[str, Any]] = {"missing": None}  # of older files
    _file_state: ClassVar[tuple[str, ...]] = (
        "n_features_in_",
        "_seed",
        "transform_",
        "noise_variance_",
        "components_",
        "mean_",
        "log_likelihood_",
        "history_",
        "n_iter_",
    )

    def __init__(
        self,
        n_components: int = 2,
        *,
        transform: Transform = "identity",
        resolution: Resolution = "auto",
        missing: Missing = None,
        max_iter: int = 1_000,
        tol: float = 1e-12,
        random_state: Seed = None,
    ):
        self.n_components = n_components
        vars(self)["transform"] = transform  # reading the attribute gives the method
        self.resolution = resolution
        self.missing = missing
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    # Defined here again: scikit-learn wraps only the methods that a class itself defines.
    transform = LinearMethods.transform

    def fit(self, X: Rows, y: object = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), a path, or a source
        y : ignored

        Raises
        ------
        DataError
            If the data are not finite numbers, never vary, or are off the transform's domain.
        SettingError
            If a setting is out of range or unknown; if k exceeds min(n, d).
        UnboundedLikelihoodError
            If a feature never varies or is a combination of others, and its ``resolution`` is zero.
        """
        settings = settings_of(self)
        check_settings(settings, self._constraints)
        with restore_on_failure(self):
            seed = seed_of(self.random_state)
            data = prepare(self, X, settings["transform"], self.resolution, seed, self.missing)
            check_components(self.n_components, data.rows)
            if data.gappy:
                covariance = data.covariance()
                solution = self._solve_gaps(data)
            else:
                covariance = evaluation.covariance(data.rows, data.units)
                solution = self._solve(covariance, data.floors())
            noise = solution.model.noise_variance
            if (
                not data.gappy
                and covariance.root is None
                and (noise < _SURE * np.diag(covariance.matrix)).any()
            ):
                covariance = evaluation.covariance(data.rows, data.units, rooted=True)
                solution = self._solve(covariance, data.floors())
            self._seed, self.transform_ = seed, data.units.transform
            self.model_ = solution.model
            self.noise_variance_ = solution.model.noise_variance
            self.components_, self.mean_ = solution.model.weight.T, solution.model.mean
            self.log_likelihood_ = solution.log_likelihood
            self.history_, self.n_iter_ = {"objective": solution.objective}, len(solution.objective)
            converged, budget_spent = training.Outcome.converged, training.Outcome.budget_spent
            self.outcome_ = converged if solution.converged else budget_spent
        self._warn(solution, covariance)
        return self

    def _solve(self, covariance: models.Covariance, floors: np.ndarray) -> models.FactorAnalysis:
        return models.factor_analysis(
            covariance, self.n_components, floor=floors, max_iter=self.max_iter, tol=self.tol
        )

    def _solve_gaps(self, data: Exact) -> models.FactorAnalysis:
        values, log_det = data.in_model_units()
        solution = models.gaps.factor_analysis(
            values, self.n_components, floor=data.floors(), max_iter=self.max_iter, tol=self.tol
        )
        return dataclasses.replace(
            solution,
            log_likelihood=solution.log_likelihood + log_det,
            objective=solution.objective + log_det,
        )

    def _warn(self, solution: models.FactorAnalysis, covariance: models.Covariance) -> None:
        names = getattr(self, "feature_names_in_", None)
        effect = "Each has its σ at the floor, which raises log p(x)."
        warn_of_constants(covariance, names, effect)
        if not solution.converged:
            warn_of_budget(self.n_iter_)
        at_floor = np.flatnonzero(solution.on_floor & covariance.varies)
        if at_floor.size:
            warnings.warn(
                f"The noise of {at_floor.size} of {len(self.mean_)} features "
                f"({named_features(at_floor, names=names)}) is at its floor, resolution/√12: the "
                "latents explain all that varies in them. Use fewer components, drop columns that "
                "are sums or copies of others, or pass the measurement's `resolution`.",
                FloorWarning,
                stacklevel=3,
            )
        if not self.components_.any():
            warnings.warn(
                "Every latent has collapsed: the features do not correlate, so that their own "
                "noise explains them. More rows, or features that correlate, keep one active.",
                TrainingWarning,
                stacklevel=3,
            )
