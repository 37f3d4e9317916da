"""The linear variational autoencoder as a scikit-learn estimator."""

import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar, Literal, Self, cast

import jax
import jax.numpy as jnp
import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin

from wellposed import evaluation, models, training
from wellposed._checks import Rule, boolean, check_settings, one_of, optional, or_word, real, whole
from wellposed._errors import SettingError
from wellposed._typing import Point, PRNGKey, Scalar

from .._homonym import setting_and_method
from .._settings import settings_of
from .._words import Missing, Progress, Resolution, Rows, Seed, Solver, Transform
from ..data.rows import restore_on_failure, seed_of
from .checks import (
    check_components,
    check_digits,
    linear_vae_of,
    spectrum_of,
    warn_of_budget,
    warn_of_collapse,
    warn_of_constants,
    warn_of_floor,
)
from .methods import LinearMethods
from .prepare import Exact, prepare

_COLLAPSED = 1e-3  # nats: a negligible rate
_ON_FLOOR = 1e-3  # the gradient approaches the floor and does not reach it
# A noise variance above this share of the total has ten digits by every solver.
_SURE = 1e-5
_SOLVERS = ("accelerated", "auto", "fixed_point", "gradient")


@setting_and_method("transform")
class LinearVAE(LinearMethods, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    r"""Linear variational autoencoder, trained on its exact ELBO.

    .. math:: p(x \mid z) = N(Wz + \mu, \sigma^2 I), \quad q(z \mid x) = N(V(x - \mu), D)

    with diagonal D. The ELBO depends on the covariance of the data only, so a step takes the same
    time for any number of rows, and its maximum is pPCA's: the columns of W are the principal axes,
    each times √(λ − βσ²), up to sign and order; latents with λ ≤ βσ² collapse. In this model
    collapse can be computed exactly. All computations are in float64.

    Parameters
    ----------
    n_components : int, default 2
        k, at most min(n, d).
    noise : "shared" or positive number
        σ² in model units, learned or given.
    beta : weight of the KL; anything but 1 is not the ELBO
    solver : "auto", "accelerated", "fixed_point" or "gradient"
        "fixed_point" repeats the exact updates of q, W and σ², which converge slowly where
        eigenvalues are close; "accelerated" combines many of them, from a random start; "gradient"
        follows the exact gradient. "auto" is "accelerated" for a random start, else "fixed_point".
        See :mod:`wellposed.training`.
    start : "random", directions, or a LinearVAEModel
        Small random weights; or the stationary point that uses these directions (counted from 0
        by falling eigenvalue), the other columns being zero; or any weights and σ² of your own.
    transform, resolution : as in :class:`wellposed.PPCA`
    missing : None or "ignorable"
        None refuses missing entries. With "ignorable", entries that are NaN, None, pandas.NA or
        masked are gaps; whether an entry is missing may depend on observed entries only. The fit
        and all methods then use the observed entries alone, with the best q(z | x) of independent
        latents for each row; beta must be 1 and start "random".
    max_iter : iterations at most
    tol : stop when three iterations in a row ("accelerated": one) change the objective by less than
        this share; "gradient" passes it to L-BFGS
    progress : "auto", True or False: a progress bar
    random_state : int, RandomState or None

    Attributes
    ----------
    model_ : :class:`wellposed.models.LinearVAEModel`
    noise_variance_ : float, σ² in model units
    components_ : array of shape (k, d), Wᵀ
    mean_ : array of shape (d,), model units
    elbo_ : mean ELBO of the training data, nats in data units, whatever β
    history_ : dict with ``objective``, E_q log p(x|z) − β·KL at each iteration, mean nats
    outcome_ : :class:`wellposed.training.Outcome`
    n_iter_ : iterations
    n_features_in_ : d

    References: Lucas, Tucker, Grosse & Norouzi (2019), Don't blame the ELBO!

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(500, 3)) * [3.0, 1.0, 1.0]
    >>> vae = LinearVAE(n_components=1, random_state=0).fit(X)
    >>> bool(np.isclose(vae.elbo(X).mean(), vae.score(X)))
    True
    """

    _constraints: ClassVar[dict[str, Rule]] = {
        "n_components": whole(),
        "noise": or_word("shared", real(above=0)),
        "beta": real(above=0),
        "solver": one_of(_SOLVERS),
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
        "noise_variance_",
        "components_",
        "mean_",
        "elbo_",
        "history_",
        "n_iter_",
    )

    def __init__(
        self,
        n_components: int = 2,
        *,
        noise: float | Literal["shared"] = "shared",
        beta: float = 1.0,
        solver: Solver = "auto",
        start: Literal["random"] | Sequence[int] | models.LinearVAEModel = "random",
        transform: Transform = "identity",
        resolution: Resolution = "auto",
        missing: Missing = None,
        max_iter: int = 10_000,
        tol: float = 1e-9,
        progress: Progress = "auto",
        random_state: Seed = None,
    ):
        self.n_components = n_components
        self.noise = noise
        self.beta = beta
        self.solver = solver
        self.start = start
        vars(self)["transform"] = transform  # reading the attribute gives the method
        self.resolution = resolution
        self.missing = missing
        self.max_iter = max_iter
        self.tol = tol
        self.progress = progress
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
            If a setting is out of range, unknown, or at odds with another; if k exceeds
            min(n, d); if there is no stationary point with the directions of ``start``.
        UnboundedLikelihoodError
            If k directions have all the variance and ``resolution`` is zero.
        """
        settings = settings_of(self)
        check_settings(settings, self._constraints)
        _check_start(self.start, self.solver)
        with restore_on_failure(self):
            seed = seed_of(self.random_state)
            data = prepare(self, X, settings["transform"], self.resolution, seed, self.missing)
            check_components(self.n_components, data.rows)
            if data.gappy:
                self._fit_gaps(data, seed)
                return self
            covariance = evaluation.covariance(data.rows, data.units)
            plan = self._plan(data, covariance)
            run = self._solve(covariance, plan, np.random.default_rng(seed))
            if covariance.root is None and _has_lost_digits(run, covariance):
                covariance = evaluation.covariance(data.rows, data.units, rooted=True)
                plan = self._plan(data, covariance)
                run = self._solve(covariance, plan, np.random.default_rng(seed))
            self._check_digits(run, covariance, plan, data)
            self._seed, self.transform_ = seed, data.units.transform
            rates = self._store(run, covariance)
        warn_of_constants(covariance, getattr(self, "feature_names_in_", None))
        if run.outcome is not training.Outcome.converged:
            warn_of_budget(self.n_iter_, "raise max_iter or tol, or go on with start=vae.model_")
        if self.noise_variance_ <= plan.floor**2 * (1 + _ON_FLOOR):
            spectrum = models.eigendecompose(covariance)
            warn_of_floor(self.noise_variance_, self.n_components, spectrum)
        if (rates < _COLLAPSED).all():
            spectrum = models.eigendecompose(covariance)
            warn_of_collapse(self.noise_variance_, spectrum, self.beta)
        return self

    def elbo(self, X: Rows) -> np.ndarray:
        """Return the exact ELBO of each row, shape (n,), nats in data units, with β = 1."""
        values, log_det = self._to_model_units(X)
        if np.isnan(values).any():
            return self._exact.diagonal_elbo(values) + log_det
        with jax.enable_x64(True):
            bounds = evaluation.over_rows(_elbo_of, self.model_, values, key=jax.random.key(0))
        return bounds + log_det

    def _fit_gaps(self, data: Exact, seed: int) -> None:
        if self.beta != 1 or not isinstance(self.start, str):
            raise SettingError(
                f'With missing entries, beta must be 1 and start "random"; got beta={self.beta!r}, '
                f"start={self.start!r}. Leave them at their defaults, or fill the gaps first."
            )
        moments = data.covariance()
        given = None if isinstance(self.noise, str) else float(self.noise)
        floor = data.floor(moments.varies) if given is None else 0.0
        values, log_det = data.in_model_units()
        solution = models.gaps.linear_vae(
            values,
            self.n_components,
            floor=floor,
            noise_variance=given,
            max_iter=self.max_iter,
            tol=1e-3 * self.tol,
        )
        model, variance = solution.model, float(solution.model.noise_variance[0])
        self.model_ = linear_vae_of(model.mean, model.weight, variance)
        self._seed, self.transform_ = seed, data.units.transform
        self.noise_variance_, self.mean_ = variance, model.mean
        self.components_ = np.asarray(self.model_.weight).T
        self.elbo_ = solution.log_likelihood + log_det
        self.history_ = {"objective": solution.objective + log_det}
        self.n_iter_ = len(solution.objective)
        converged, budget_spent = training.Outcome.converged, training.Outcome.budget_spent
        self.outcome_ = converged if solution.converged else budget_spent
        warn_of_constants(moments, getattr(self, "feature_names_in_", None))
        if not solution.converged:
            warn_of_budget(self.n_iter_)
        spectrum = spectrum_of(self._exact, moments.n_rows, log_det)
        if solution.on_floor.any():
            warn_of_floor(variance, self.n_components, spectrum)
        if (self.components_**2).sum() < _COLLAPSED * variance:
            warn_of_collapse(variance, spectrum)

    def _plan(self, data: Exact, covariance: models.Covariance) -> training.LinearPlan:
        given = None if isinstance(self.noise, str) else float(self.noise)
        floor = data.floor(covariance.varies) if given is None else 0.0
        if given is None and floor == 0:
            # Raises where there is no maximum; with a floor there is always one.
            models.optimum(models.eigendecompose(covariance), self.n_components, beta=self.beta)
        return training.LinearPlan(given, self.beta, floor, self.max_iter, self.tol)

    def _check_digits(
        self,
        run: training.LinearRun[models.LinearVAEModel],
        covariance: models.Covariance,
        plan: training.LinearPlan,
        data: Exact,
    ) -> None:
        variance = float(run.model.noise_variance)
        if variance > _SURE * covariance.total_variance:
            return
        spectrum = models.eigendecompose(covariance)
        if self.solver == "gradient":  # this solver uses the covariance, not its root
            spectrum = dataclasses.replace(spectrum, rooted=False)
        learned = plan.noise_variance is None and variance > plan.floor**2 * (1 + _ON_FLOOR)
        check_digits(spectrum, variance, learned=learned, transform=data.units.transform)

    def _solve(
        self,
        covariance: models.Covariance,
        plan: training.LinearPlan,
        rng: np.random.Generator,
    ) -> training.LinearRun[models.LinearVAEModel]:
        from_random = isinstance(self.start, str)
        solver = self.solver
        if solver == "auto":
            solver = "accelerated" if from_random else "fixed_point"
        if from_random:
            begin = training.random_state(covariance, self.n_components, plan, rng=rng)
        else:
            begin = self._initial_state(covariance, plan)
        if solver == "accelerated":
            return training.subspace_iteration(
                covariance, begin, plan, rng=rng, progress=self.progress
            )
        solve = training.fixed_point if solver == "fixed_point" else training.gradient
        return solve(covariance, begin, plan, progress=self.progress)

    def _initial_state(
        self, covariance: models.Covariance, plan: training.LinearPlan
    ) -> training.LinearState:
        if isinstance(self.start, models.LinearVAEModel):
            weight = np.asarray(self.start.weight, np.float64)
            wanted = (len(covariance.mean), self.n_components)
            if weight.shape != wanted:
                raise SettingError(
                    f"The weights of `start` must have shape {wanted}, (n_features, "
                    f"n_components); got {weight.shape}. Give a model of the same sizes."
                )
            variance = plan.noise_variance or float(self.start.noise_variance)
            return training.state_of(weight, variance)
        point = models.stationary_point(
            models.eigendecompose(covariance),
            cast(Sequence[int], self.start),
            self.n_components,
            noise_variance=plan.noise_variance,
            beta=self.beta,
            floor=plan.floor,
        )
        return training.state_of(point.model.weight, point.noise_variance)

    def _store(
        self, run: training.LinearRun[models.LinearVAEModel], covariance: models.Covariance
    ) -> np.ndarray:
        """Set the fitted attributes; return the mean rate of each latent."""
        model = run.model
        self.model_, self.noise_variance_ = model, float(model.noise_variance)
        self.components_, self.mean_ = np.asarray(model.weight).T, covariance.mean
        with jax.enable_x64(True):
            root = jnp.asarray(covariance.factor)
            self.elbo_ = float(model.elbo_over(root)) + covariance.log_det
            rates = np.asarray(model.rates_over(root))
        self.history_ = {"objective": run.objective}
        self.outcome_, self.n_iter_ = run.outcome, len(run.objective)
        return rates

    @property
    def _exact(self) -> models.PPCAModel:
        return models.PPCAModel(
            np.asarray(self.model_.mean),
            np.asarray(self.model_.weight),
            float(self.model_.noise_variance),
        )

    def _posterior_means(self, values: np.ndarray) -> np.ndarray:
        return self._posterior(values)[0]

    def _posterior(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if np.isnan(values).any():
            return self._exact.diagonal_posterior(values)
        means = (values - self.mean_) @ np.asarray(self.model_.encoder).T
        return means, np.asarray(self.model_.variance)


def _has_lost_digits(
    run: training.LinearRun[models.LinearVAEModel], covariance: models.Covariance
) -> bool:
    return float(run.model.noise_variance) < _SURE * covariance.total_variance


def _elbo_of(model: models.LinearVAEModel, x: Point, *, key: PRNGKey) -> Scalar:
    del key
    return model.elbo_of(x)


def _check_start(start: Any, solver: str) -> None:
    if isinstance(start, str):
        if start != "random":
            raise SettingError(
                f'start must be "random", a sequence of directions or a LinearVAEModel; got '
                f'{start!r}. Use "random", or [0, 1] for the first two directions.'
            )
        return
    if not isinstance(start, models.LinearVAEModel) and not models.are_directions(start):
        raise SettingError(
            f'start must be "random", a sequence of directions or a LinearVAEModel; got {start!r}. '
            "Directions are whole numbers, counted from 0 by falling eigenvalue."
        )
    if solver == "accelerated":
        raise SettingError(
            'solver="accelerated" leaves any start behind in one step; got a start of your own. '
            'Use "fixed_point" or "gradient" with it.'
        )
