"""Comparison of a VAE with simpler densities of the same rows."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike
from threadpoolctl import threadpool_limits

from wellposed._errors import DataError, SettingError, WellposedError
from wellposed._forks import check_process
from wellposed._typing import PRNGKey
from wellposed.models import VAEModel, given_columns, own_columns, regress

from .._rows import subsample, varying
from ..likelihood.importance import LogLikelihood, log_likelihood
from .family import fit_independent, fit_mixture_of_independent
from .gaussians import Standard, fit_gaussian, fit_mixture, fit_projected
from .linear import MOST_FACTORS, fit_factors, fit_ppca, has_one_variance, latents_of
from .record import Comparison, Kind, Rival
from .repeats import shared_rows
from .rows import RivalRows, floors_of, has_density, rival_rows

MOST_TRAINING = 4_000  # training rows that the rivals are fitted to
_MOST_ROWS = 1_000
_DRAWS = 256
_WIDE, _DIRECTIONS = 100, 20  # features above which a mixture is along that many directions
_MOST_FEATURES = 2_000  # of one Gaussian
_SMALL = 400  # features up to which one thread is faster than several that wait for each other

Density = Any  # with a method log_density


def compare(
    model: VAEModel,
    rows: ArrayLike,
    train: ArrayLike,
    *,
    key: PRNGKey,
    likelihood: LogLikelihood | None = None,
    resolution: np.ndarray | None = None,
    on_step: Callable[[str], object] = lambda name: None,
) -> Comparison:
    r"""Compare held-out log p(x) with that of simpler densities on the same rows.

    The rivals, of at most 4,000 training rows, are the exact linear model with as many latents
    (probabilistic PCA where all features share one noise variance, else factor analysis), one
    Gaussian, and a mixture of Gaussians, its size and regularisation chosen on held-out training
    rows; of more than 100 features along 20 directions. They are fitted in the model units of the
    VAE (to residuals of a regression on the covariates), none sharper than resolution/√12.

    Where log p(x) is in part that of a probability, the rivals are the noise of the VAE without
    latents: independent features, and a mixture of 4 or 16 of these (linear in the covariates).

    Parameters
    ----------
    model : VAEModel
    rows : shape (n, d), held-out rows, data units; at most 1,000 are used
    train : shape (m, d), training rows, data units
    key : PRNG key
    likelihood : log p(x) of all rows under the same key; None computes it with 256 draws
    resolution : shape (d,), step of the measurement, data units; None takes that of ``train``
    on_step : called with the name of each density before it is fitted or evaluated

    Raises
    ------
    SettingError
        If log p(x) has no bound, or is that of a probability of features that depend on each other.
    DataError
        For fewer than three training rows.

    Examples
    --------
    >>> [rival.kind for rival in compare(model, X[:50], X[50:], key=key).rivals]
    ['linear', 'Gaussian', 'mixture']
    """
    check_process()
    rows, train = np.asarray(rows), np.asarray(train)
    check_comparable(model, rows.shape[1] - model.n_covariates)
    some = _some_of(train)
    if likelihood is None:
        on_step("log p(x) of the VAE")
        rows = subsample(rows, _MOST_ROWS)
        likelihood = log_likelihood(model, rows, n_samples=_DRAWS, key=key)
    return Comparison(
        log_p=np.asarray(likelihood.value, np.float64),
        trusted=~np.asarray(likelihood.untrusted),
        rivals=_rivals(model, rows, some, resolution, on_step, key=key),
        n_features=int(varying(own_columns(model, some)).sum()),
        n_train=len(some),
        n_given=len(train),
        n_shared=shared_rows(rows, train),
    )


def _some_of(train: np.ndarray) -> np.ndarray:
    if len(train) < 3:
        raise DataError(
            f"Rivals are fitted to 3 training rows or more; got {len(train)}. Pass more rows."
        )
    return subsample(train, MOST_TRAINING)


def _rivals(
    model: VAEModel,
    rows: np.ndarray,
    train: np.ndarray,
    resolution: np.ndarray | None,
    on_step: Callable[[str], object],
    *,
    key: PRNGKey,
) -> tuple[Rival, ...]:
    """Fit the rivals of the model's kind, and score the held-out rows.

    Where log p(x) is that of a density they are the linear model, one Gaussian and a mixture.
    """
    if not has_density(model.noise):
        return _family_rivals(model, rows, train, on_step, key=key)
    own = own_columns(model, train)
    varies = varying(own)
    floors = floors_of(model, own, resolution, key=key)[varies]
    fitted_to = rival_rows(model, train, varies, key=key).values
    held_out = rival_rows(model, rows, varies, key=key)
    if model.n_covariates:  # a shift of the rows, so that their density stays
        given = given_columns(model, train)
        slopes = regress(fitted_to, given)
        fitted_to = fitted_to - given @ slopes
        values = held_out.values - given_columns(model, rows) @ slopes
        held_out = dataclasses.replace(held_out, values=values)
    fits = _Fits(model, fitted_to, floors, key)
    with threadpool_limits(limits=1 if len(floors) <= _SMALL else None):
        rivals = [_score(*each, held_out, on_step) for each in fits.candidates()]
    if model.n_covariates:
        note = "after regression on the covariates"
        rivals = [dataclasses.replace(r, detail=f"{r.detail}, {note}") for r in rivals]
    return tuple(rivals)


def _family_rivals(
    model: VAEModel,
    rows: np.ndarray,
    train: np.ndarray,
    on_step: Callable[[str], object],
    *,
    key: PRNGKey,
) -> tuple[Rival, ...]:
    """Fit the noise of the VAE without latents, and score the held-out rows."""
    d = train.shape[1] - model.n_covariates

    def with_given(part: np.ndarray) -> RivalRows:
        mapped = rival_rows(model, part, np.ones(d, bool), key=key)
        values = np.concatenate([mapped.values, given_columns(model, part)], axis=1)
        return dataclasses.replace(mapped, values=values)

    fitted_to, held_out = with_given(train).values, with_given(rows)
    noise = model.noise.start_at(jnp.asarray(fitted_to[:, :d].var(axis=0), jnp.float32))
    given = model, noise, fitted_to
    options = {"key": jax.random.fold_in(key, 2)}
    independent = functools.partial(fit_independent, *given, **options)
    mixture = functools.partial(fit_mixture_of_independent, *given, **options)
    return (
        _score("independent", "independent features", independent, held_out, on_step),
        _score("mixture", "a mixture of independent features", mixture, held_out, on_step),
    )


def check_comparable(model: VAEModel, d: int) -> None:
    """Refuse a model without a rival of its kind, or without a bound of log p(x).

    Parameters
    ----------
    model : VAEModel
    d : number of features

    Raises
    ------
    SettingError
        With the reason.
    """
    if not has_density(model.noise) and not model.has_independent_noise:
        raise SettingError(
            f"log p(x) under {type(model.noise).__name__} noise is the logarithm of a probability "
            "of features that depend on each other given z, for which there is no simpler model "
            "here. Compare it with other models of such data, by score() or in bits per dimension."
        )
    if not np.isfinite(model.log_density_bound(d)):
        raise SettingError(
            "The log density has no bound, so that log p(x) has no meaning. Use the default floor "
            "of the noise."
        )


class _Fits:
    """The rivals' fits, to rows in model units."""

    def __init__(self, model: VAEModel, rows: np.ndarray, floors: np.ndarray, key: PRNGKey):
        self.model, self.rows, self.floors, self.key = model, rows, floors, key
        self.one = has_one_variance(model)
        self.k = latents_of(model, rows)

    def candidates(self) -> tuple[tuple[Kind, str, Callable[[], tuple[Density, str]]], ...]:
        """Return kind, name and fit of each rival."""
        linear = "probabilistic PCA" if self.one else "factor analysis"
        return (
            ("linear", linear, self.linear),
            ("Gaussian", "one Gaussian", self.gaussian),
            ("mixture", "a mixture of Gaussians", self.mixture),
        )

    def linear(self) -> tuple[Density, str]:
        latents = "1 latent" if self.k == 1 else f"{self.k} latents"
        if self.rows.shape[1] == 1:
            return self.gaussian()[0], "a Gaussian: one feature"
        if self.one:
            return fit_ppca(self.rows, self.k, float(self.floors.min())), latents
        if self.rows.shape[1] > MOST_FACTORS:
            standard = Standard.of(self.rows, self.floors)
            floor = float(standard.floors.min())
            fitted = fit_ppca(standard(self.rows), self.k, floor)
            return _InUnits(fitted, standard), f"{latents}, σ in proportion to each feature's"
        return fit_factors(self.rows, self.k, self.floors), latents

    def gaussian(self) -> tuple[Density, str]:
        d = self.rows.shape[1]
        if d > _MOST_FEATURES:
            raise ValueError(f"the covariance of {d:,} features takes long")
        standard = Standard.of(self.rows, self.floors)
        fitted, detail = fit_gaussian(standard(self.rows), standard.floors)
        return _InUnits(fitted, standard), detail

    def mixture(self) -> tuple[Density, str]:
        n, d = self.rows.shape
        key = jax.random.fold_in(self.key, 1)
        standard = Standard.of(self.rows, self.floors)
        if self.one and d > _WIDE:  # noise of one variance in the units of the VAE
            units = np.ones(d)
            standard = Standard(np.zeros(d), units, self.floors)
        values = standard(self.rows)
        if d <= _WIDE:
            fitted, detail = fit_mixture(values, standard.floors, key=key)
        else:
            floor, q = float(standard.floors.min()), min(_DIRECTIONS, n // 10)
            fitted, detail = fit_projected(values, floor, n_directions=q, key=key)
        return _InUnits(fitted, standard), detail


class _InUnits:
    """A density of standardised rows, as one of the rows."""

    def __init__(self, of: Density, standard: Standard):
        self.of, self.standard = of, standard

    def log_density(self, rows: np.ndarray) -> np.ndarray:
        return self.of.log_density(self.standard(rows)) + self.standard.log_det


def _score(
    kind: Kind,
    name: str,
    fit: Callable[[], tuple[Density, str]],
    held_out: RivalRows,
    on_step: Callable[[str], object],
) -> Rival:
    """Fit a rival and score the held-out rows; one that cannot be fitted has a reason instead."""
    on_step(name)
    try:
        density, detail = fit()
        log_p = density.log_density(held_out.values) + held_out.log_rest
    except (ValueError, np.linalg.LinAlgError, WellposedError) as error:
        return Rival(kind, name, None, str(error).rstrip("."))
    return Rival(kind, name, log_p, detail)
