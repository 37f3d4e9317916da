"""Probabilistic PCA as a scikit-learn estimator."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self

from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from wellposed import evaluation, models
from wellposed._checks import Rule, check, check_settings, one_of, optional, or_word, real, whole

from .._homonym import setting_and_method
from .._settings import settings_of
from .._words import Missing, Resolution, Rows, Seed, Transform
from ..data.rows import restore_on_failure, seed_of
from .checks import (
    check_components,
    check_digits,
    spectrum_of,
    warn_of_budget,
    warn_of_collapse,
    warn_of_constants,
    warn_of_floor,
)
from .methods import LinearMethods
from .prepare import Exact, prepare


@setting_and_method("transform")
class PPCA(LinearMethods, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Probabilistic PCA by maximum likelihood: the linear Gaussian VAE in closed form.

    .. math:: z \sim N(0, I_k), \quad x \mid z \sim N(Wz + \mu, \sigma^2 I), \quad
       W = U_k (\Lambda_k - \sigma^2 I)^{1/2}, \quad
       \sigma^2 = \frac{1}{d - k} \sum_{j > k} \lambda_j

    with the eigenvalues λ and eigenvectors U of the covariance (1/n). All in float64, whatever
    the data's type.

    Parameters
    ----------
    n_components : int, default 2
        k, at most min(n, d).
    noise : "shared" or positive number
        σ² in model units: learned, as above; or given, and then only directions with λ > σ² are
        used, the other latents are collapsed.
    transform : "identity", "standardize", "robust", "log", "logit" or a transform object
        Data units to model units. Every reported density is in data units.
    resolution : "auto", number or array of shape (d,)
        The measurement's smallest step. A learned σ never falls below resolution/√12: with k up
        to the rank of the data pPCA itself has no maximum.
    missing : None or "ignorable"
        None refuses missing entries. With "ignorable", entries that are NaN, None, pandas.NA or
        masked are gaps; whether an entry is missing may depend on observed entries only. The fit
        and all methods then use the observed entries alone, by expectation maximisation.
    svd_solver : "auto", "covariance_eigh", "full", "arpack" or "randomized"
        The last two find k directions only. "full" takes singular values of the centred rows:
        accurate where standard deviations along directions differ by up to 10⁸, and those of
        columns by any factor. "auto" is "full", but decomposes the covariance of large tables (n d²
        > 2·10⁹) where the noise has ten digits.
    random_state : int, RandomState or None

    Attributes
    ----------
    model_ : :class:`wellposed.models.PPCAModel`
    noise_variance_ : float, σ² in model units
    components_ : array of shape (k, d), Wᵀ: principal axes, each times √(λ − σ²)
    mean_ : array of shape (d,), model units
    spectrum_ : :class:`wellposed.models.Spectrum` of the training data; of the fitted covariance if
        entries are missing
    log_likelihood_ : mean log p(x) of the training data, nats in data units
    n_features_in_ : d

    References: Tipping & Bishop (1999), Probabilistic principal component analysis.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(500, 3)) * [3.0, 1.0, 1.0]
    >>> ppca = PPCA(n_components=1).fit(X)
    >>> bool(np.isclose(ppca.score(X), ppca.log_likelihood_))
    True
    """

    _constraints: ClassVar[dict[str, Rule]] = {
        "n_components": whole(),
        "noise": or_word("shared", real(above=0)),
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
        "spectrum_",
        "log_likelihood_",
        "_floor",
    )

    def __init__(
        self,
        n_components: int = 2,
        *,
        noise: float | Literal["shared"] = "shared",
        transform: Transform = "identity",
        resolution: Resolution = "auto",
        missing: Missing = None,
        svd_solver: str = "auto",
        random_state: Seed = None,
    ):
        self.n_components = n_components
        self.noise = noise
        vars(self)["transform"] = transform  # reading the attribute gives the method
        self.resolution = resolution
        self.missing = missing
        self.svd_solver = svd_solver
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
            If the data are not finite numbers, never vary, or are off the transform's domain; if
            directions vary so unlike that float64 does not hold the noise beside the largest.
        SettingError
            If a setting is out of range or unknown; if k exceeds min(n, d).
        UnboundedLikelihoodError
            If k directions have all the variance and ``resolution`` is zero.
        """
        settings = settings_of(self)
        check_settings(settings, self._constraints)
        with restore_on_failure(self):
            seed = seed_of(self.random_state)
            data = prepare(self, X, settings["transform"], self.resolution, seed, self.missing)
            check_components(self.n_components, data.rows)
            if data.gappy:
                self._fit_gaps(data, seed)
                return self
            spectrum = evaluation.spectrum(
                data.rows,
                data.units,
                n_components=self.n_components,
                svd_solver=self.svd_solver,
                seed=seed,
            )
            given = None if isinstance(self.noise, str) else float(self.noise)
            self._floor = data.floor(spectrum.varies)
            best = models.optimum(
                spectrum, self.n_components, noise_variance=given, floor=self._floor
            )
            check_digits(
                spectrum,
                best.noise_variance,
                learned=given is None and not best.on_floor,
                transform=data.units.transform,
            )
            self._seed, self.transform_ = seed, data.units.transform
            self.model_, self.noise_variance_ = best.model, best.noise_variance
            self.components_, self.mean_ = best.model.weight.T, spectrum.mean
            self.spectrum_, self.log_likelihood_ = spectrum, best.log_likelihood
        warn_of_constants(spectrum, getattr(self, "feature_names_in_", None))
        if best.on_floor:
            warn_of_floor(best.noise_variance, self.n_components, spectrum)
        if not best.active:
            warn_of_collapse(best.noise_variance, spectrum)
        return self

    def _fit_gaps(self, data: Exact, seed: int) -> None:
        check("svd_solver", self.svd_solver, one_of(evaluation.SOLVERS))
        covariance = data.covariance()
        self._floor = data.floor(covariance.varies)
        given = None if isinstance(self.noise, str) else float(self.noise)
        values, log_det = data.in_model_units()
        solution = models.gaps.factor_analysis(
            values, self.n_components, floor=self._floor, one_variance=True, noise_variance=given
        )
        variance = float(solution.model.noise_variance[0])
        self.model_ = models.PPCAModel(solution.model.mean, solution.model.weight, variance)
        self._seed, self.transform_ = seed, data.units.transform
        self.noise_variance_, self.components_ = variance, self.model_.weight.T
        self.mean_ = self.model_.mean
        self.spectrum_ = spectrum_of(self.model_, covariance.n_rows, log_det)
        self.log_likelihood_ = solution.log_likelihood + log_det
        warn_of_constants(covariance, getattr(self, "feature_names_in_", None))
        if not solution.converged:
            warn_of_budget(len(solution.objective), "standardise columns of unlike units")
        if given is None and solution.on_floor.any():
            warn_of_floor(variance, self.n_components, self.spectrum_)
        if not self.components_.any():
            warn_of_collapse(variance, self.spectrum_)

    def stationary_point(
        self, active: Sequence[int], *, noise_variance: float | str | None = None
    ) -> models.StationaryPoint:
        """Solve the stationary point of the likelihood that uses a given set of directions.

        Parameters
        ----------
        active : directions, counted from 0 by falling eigenvalue; the other latents are collapsed
        noise_variance : σ², or "shared" for the stationary one; None takes the
            estimator's ``noise``

        Returns
        -------
        :class:`wellposed.models.StationaryPoint`: parameters, log likelihood, the gain of taking
        up each direction, the curvature at a zero column, and whether it is a maximum

        Raises
        ------
        SettingError
            If there is no such point, or it needs directions that the solver did not find.
        UnboundedLikelihoodError
            If the directions have all the variance, σ² is "shared", and there is no floor.
        """
        check_is_fitted(self)
        wanted = self.noise if noise_variance is None else noise_variance
        check("noise_variance", wanted, self._constraints["noise"])
        given = None if isinstance(wanted, str) else float(wanted)
        return models.stationary_point(
            self.spectrum_,
            active,
            self.n_components,
            noise_variance=given,
            floor=self._floor if given is None else 0.0,
        )
