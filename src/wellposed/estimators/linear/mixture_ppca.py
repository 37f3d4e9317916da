"""A mixture of probabilistic PCAs as a scikit-learn estimator."""

import warnings
from typing import Any, ClassVar, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from wellposed import evaluation, models, training
from wellposed._checks import Rule, boolean, check_settings, one_of, optional, or_word, real, whole
from wellposed._errors import FloorWarning, SettingError, TrainingWarning

from .._homonym import setting_and_method
from .._settings import settings_of
from .._words import Missing, Progress, Resolution, Rows, Seed, Transform
from ..data.rows import restore_on_failure, seed_of
from .checks import check_components, warn_of_budget, warn_of_constants
from .methods import ExactMethods
from .mixture_size import best_of_starts, choose
from .prepare import prepare


@setting_and_method("transform")
class MixturePPCA(ExactMethods, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""A mixture of probabilistic PCAs, each with its own mean, loadings and σ².

    .. math:: p(x) = \sum_{i=1}^m \pi_i \, N(x \mid \mu_i, W_i W_i^T + \sigma_i^2 I), \quad
       W_i \in R^{d \times k}

    By expectation maximisation, whose maximisation is pPCA's closed form, from starts by k-means
    of the standardised features. With k = d − 1 or k = d the covariances are full, and it is the
    mixture of Gaussians; with one component it is :class:`wellposed.PPCA`. All in float64.

    Parameters
    ----------
    n_components : int, default 2
        k, latents of each component, at most min(n, d).
    n_mixture : "auto" or int, default "auto"
        m, the number of components, at most n. A component with fewer rows than k + 2 is removed.
        "auto" raises it from one as long as log p(x) of a held-out fifth of the rows rises, and
        then goes on with all rows.
    n_init : starts, of which the most likely end is kept
    transform : as in :class:`wellposed.PPCA`
    resolution : "auto", number or array of shape (d,)
        The measurement's smallest step. No σ_i falls below resolution/√12: a component of few
        rows itself has no maximum.
    missing : None or "ignorable"
        None refuses missing entries. With "ignorable", entries that are NaN, None, pandas.NA or
        masked are gaps; whether an entry is missing may depend on observed entries only. The fit
        and all methods then use the observed entries alone, by expectation maximisation.
    max_iter : iterations at most, from each start
    tol : stop when three iterations in a row change the mean log likelihood by less than this share
    progress : "auto", True or False: a progress bar
    random_state : int, RandomState or None

    Attributes
    ----------
    model_ : :class:`wellposed.models.MixturePPCAModel`
    weights_ : array of shape (m,), π, falling
    means_ : array of shape (m, d), μ in model units
    components_ : array of shape (m, k, d), each Wᵀ
    noise_variance_ : array of shape (m,), σ² in model units
    log_likelihood_ : mean log p(x) of the training data, nats in data units
    history_ : dict with ``objective``, the same at each iteration
    outcome_ : :class:`wellposed.training.Outcome`
    n_iter_ : iterations
    n_features_in_ : d

    Notes
    -----
    The component is a latent variable as well: :meth:`transform` returns p(i | x) of each
    component, followed by p(i | x) E[z | x, i], m (1 + k) numbers. These are posterior means, and
    :meth:`inverse_transform` is linear in them.

    References: Tipping & Bishop (1999), Mixtures of probabilistic principal component analysers.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(300, 2)) * [2.0, 0.1]
    >>> X[::3] = X[::3, ::-1] + 9.0
    >>> mixture = MixturePPCA(1, n_mixture=2, random_state=0).fit(X)
    >>> mixture.weights_.round(2).tolist(), mixture.means_[1].round(0).tolist()
    ([0.67, 0.33], [9.0, 9.0])
    """

    _constraints: ClassVar[dict[str, Rule]] = {
        "n_components": whole(),
        "n_mixture": or_word("auto", whole()),
        "n_init": whole(),
        "max_iter": whole(),
        "tol": real(low=0),
        "missing": optional(one_of(("ignorable",))),
        "progress": or_word("auto", boolean()),
    }

    _setting_defaults: ClassVar[dict[str, Any]] = {"missing": None}  # of older files
    _file_state: ClassVar[tuple[str, ...]] = (
        "n_features_in_",
        "_seed",
        "transform_",
        "weights_",
        "means_",
        "components_",
        "noise_variance_",
        "log_likelihood_",
        "history_",
        "n_iter_",
    )

    def __init__(
        self,
        n_components: int = 2,
        *,
        n_mixture: int | Literal["auto"] = "auto",
        n_init: int = 3,
        transform: Transform = "identity",
        resolution: Resolution = "auto",
        missing: Missing = None,
        max_iter: int = 1_000,
        tol: float = 1e-6,
        progress: Progress = "auto",
        random_state: Seed = None,
    ):
        self.n_components = n_components
        self.n_mixture = n_mixture
        self.n_init = n_init
        vars(self)["transform"] = transform  # reading the attribute gives the method
        self.resolution = resolution
        self.missing = missing
        self.max_iter = max_iter
        self.tol = tol
        self.progress = progress
        self.random_state = random_state

    # Defined here again: scikit-learn wraps only the methods that a class itself defines.
    transform = ExactMethods.transform

    def fit(self, X: Rows, y: object = None) -> Self:
        """Fit the model.

        Parameters
        ----------
        X : array-like or frame of shape (n, d), or a path
        y : ignored

        Raises
        ------
        DataError
            If the data are not finite numbers, never vary, or are off the transform's domain.
        SettingError
            If a setting is out of range or unknown; if k exceeds min(n, d), or m exceeds n.
        UnboundedLikelihoodError
            If a component's rows vary along k directions only, and ``resolution`` is zero.
        """
        settings = settings_of(self)
        check_settings(settings, self._constraints)
        with restore_on_failure(self):
            seed = seed_of(self.random_state)
            given = settings["transform"], self.resolution, seed, self.missing
            data = prepare(self, X, *given, blocks=False)
            check_components(self.n_components, data.rows)
            if not isinstance(self.n_mixture, str) and self.n_mixture > len(data.rows):
                raise SettingError(
                    f"n_mixture must be at most n_samples = {len(data.rows)}; got "
                    f"{self.n_mixture}. Use fewer components."
                )
            if data.gappy:
                moments = data.covariance()
            else:
                moments = evaluation.covariance(data.rows, data.units, rooted=False)
            floor = data.floor(moments.varies)
            plan = training.LinearPlan(None, 1.0, floor, self.max_iter, self.tol)
            run = self._solve(data.units.whole(data.rows)[0], plan, moments.log_det, seed)
            self._seed, self.transform_ = seed, data.units.transform
            self._store(run)
        warn_of_constants(moments, getattr(self, "feature_names_in_", None))
        self._warn(floor)
        return self

    def responsibilities(self, X: Rows) -> np.ndarray:
        """Return p(i | x) of each component and row, shape (n, m)."""
        values, _ = self._to_model_units(X)
        return self.model_.responsibilities(values)

    def _solve(
        self, values: np.ndarray, plan: training.LinearPlan, log_det: float, seed: int
    ) -> training.LinearRun[models.MixturePPCAModel]:
        k, n_init, progress = self.n_components, self.n_init, self.progress
        if isinstance(self.n_mixture, str):
            start = choose(values, k, n_init, plan, seed=seed, progress=progress)
            return training.mixture_em(values, start, plan, log_det=log_det, progress=progress)
        size = self.n_mixture
        return best_of_starts(
            values, k, size, n_init, plan, log_det=log_det, seed=seed, progress=progress
        )

    def _store(self, run: training.LinearRun[models.MixturePPCAModel]) -> None:
        model = run.model
        self.model_, self.weights_ = model, np.exp(model.log_weights)
        self.means_, self.noise_variance_ = model.mean, model.noise_variance
        self.components_ = np.ascontiguousarray(model.weight.transpose(0, 2, 1))
        self.log_likelihood_ = float(run.objective[-1])
        self.history_, self.n_iter_ = {"objective": run.objective}, len(run.objective)
        self.outcome_ = run.outcome

    def _warn(self, floor: float) -> None:
        m = len(self.weights_)
        if not isinstance(self.n_mixture, str) and m < self.n_mixture:
            fewest = training.fewest_rows(self.means_.shape[1], self.n_components)
            warnings.warn(
                f"{self.n_mixture - m} of {self.n_mixture} components were removed: each had fewer "
                f"than {fewest} rows, which leave no residual for its σ². Use fewer components.",
                TrainingWarning,
                stacklevel=3,
            )
        if self.outcome_ is not training.Outcome.converged:
            warn_of_budget(self.n_iter_)
        n_low = int((self.noise_variance_ <= floor**2).sum())
        if n_low:
            warnings.warn(
                f"The noise of {n_low} of {m} components is at its floor, resolution/√12 = "
                f"{floor:.3g}: their rows vary along no more directions than the latents. Use "
                "fewer components or latents, or pass the measurement's `resolution`.",
                FloorWarning,
                stacklevel=3,
            )
