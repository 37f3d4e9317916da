"""Checks that a file contains a model: its parts match, and its figures are numbers.

A checksum proves that a file is unchanged, not that ``save`` wrote it.
"""

import math
import warnings
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np

from wellposed import _checks as checks
from wellposed import evaluation, latents, models, nn, noise, transforms
from wellposed._compiled import own_promotion
from wellposed._errors import DamagedFileError, SettingError
from wellposed.tables import Column, Covariates, Schema
from wellposed.training import COLUMNS, LAGGING

from ._build import check_image_shape, objective_of, resolution_of
from .data.covariates import listed
from .start.prior import check_prior
from .start.settings import noise_of

# Weights after training are far smaller, as are the learned logarithms and roots of noise; data
# units are arbitrary.
_USUAL_WEIGHT, _USUAL_RAW, _USUAL_NUMBER = 100.0, 30.0, 1e6
_ROUNDING = 1e-6  # of the largest eigenvalue
_N_SAMPLES = 128  # as in score_samples
_N_ROWS = 64
_FARTHEST_MEAN = 1e100  # ratios of squares to variances are finite in float64
# Limit of posteriors, in standard deviations of the prior: larger squares overflow float32.
_FARTHEST, _NARROWEST = 1e6, 1e-9
_WEIGHTS = ("encoder", "decoder", "network")
_RAW = ("rho", "start", "logit", "eta", "weights")


def check_settings(kind: type, settings: dict[str, Any], d: int) -> None:
    """Refuse settings with which no estimator of that kind can be fitted.

    Raises
    ------
    SettingError
        With the name of the first.
    """
    checks.check_settings(settings, getattr(kind, "_constraints"))  # noqa: B009
    seeds = checks.optional(checks.whole(0, 2**32 - 1))
    checks.check("random_state", settings["random_state"], seeds)
    resolution_of(settings, d)
    if "objective" not in settings:
        transforms.resolve(settings["transform"], one_unit=False)
        return
    objective_of(settings)
    check_prior(settings["prior"], settings["n_components"])
    listed(settings["covariates"])
    observation = noise.resolve(noise_of(settings["noise"], one_unit=True))
    transforms.resolve(settings["transform"], one_unit=False, support=observation.support)
    nn.MakeMLP(settings["hidden"], settings["activation"])
    for role in ("encoder", "decoder"):
        if isinstance(settings[role], str) and settings[role] not in ("mlp", "conv"):
            raise SettingError(f'{role} must be "mlp", "conv" or a maker; got {settings[role]!r}.')


def check_fitted(estimator: Any, n_given: int = 0) -> None:
    """Refuse an estimator whose fitted state is not one that ``fit`` makes.

    Nothing is compiled, except for a model with numbers far beyond those of training, which is
    tested on its own draws.

    Parameters
    ----------
    estimator : with its model
    n_given : numbers of a label that its model is given, where it is a part of a larger one

    Raises
    ------
    DamagedFileError
        With the name of the invalid part.
    """
    d = estimator.n_features_in_
    demand(type(d) is int and d >= 1, "n_features_in_")
    demand(type(estimator._seed) is int and 0 <= estimator._seed < 2**31, "_seed")
    variance = np.asarray(estimator.noise_variance_)
    m = len(estimator.weights_) if hasattr(estimator, "weights_") else d
    demand(
        variance.dtype.kind == "f" and variance.shape in ((), (m,)) and bool((variance >= 0).all()),
        "noise_variance_",
    )
    if isinstance(estimator.model_, models.VAEModel):
        _check_vae(estimator, d, n_given)
    else:
        _check_exact(estimator, d)


def _check_vae(vae: Any, d: int, n_given: int) -> None:
    model = vae.model_
    k = model.prior.k
    _check_prior(model.prior, k)
    _check_shapes(model, d, k)
    shape = vae.image_shape_
    if shape is not None:
        demand(
            isinstance(shape, tuple) and all(type(n) is int and n > 0 for n in shape),
            "image_shape_",
        )
        check_image_shape(shape, d)
    _check_history(vae.history_, vae.n_epochs_, COLUMNS, LAGGING)
    best = vae.best_epoch_
    demand(best is None or (type(best) is int and 0 <= best <= vae.n_epochs_), "best_epoch_")
    demand(_is_finite(vae.offset_, (d,)), "offset_")
    schema = vae.schema_
    kept = schema is None or (
        isinstance(schema, Schema) and all(isinstance(c, Column) for c in schema.columns)
    )
    demand(kept and (schema is None or len(schema.kept) == d), "schema_")
    _check_covariates(vae.covariates_, model, d, n_given)
    gain = vae._prior_gain
    figures = gain is None or (
        type(gain) is tuple and len(gain) == 2 and all(map(_is_number, gain))
    )
    demand(figures, "_prior_gain")
    if _is_unusual(model):
        _try(model, vae.key("score"))


def _check_covariates(covariates: Any, model: models.VAEModel, d: int, n_given: int) -> None:
    c = model.n_covariates
    if covariates is None:
        demand(c == n_given, "covariates_")
        return
    demand(isinstance(covariates, Covariates) and covariates.is_sound, "covariates_")
    demand(covariates.width == c and np.asarray(model.given).shape == (c,), "covariates_")
    demand(covariates.n_columns >= d + len(covariates.columns), "covariates_")


def _check_exact(estimator: Any, d: int) -> None:
    model: Any = estimator.model_
    weight, mean = np.asarray(model.weight), np.asarray(model.mean)
    m = weight.shape[:-2]  # of a mixture, one number
    k = weight.shape[-1] if weight.ndim >= 2 else 0
    demand(k >= 1 and m != (0,) and _is_finite(weight, (*m, d, k)), "the model's weight")
    near = _is_finite(mean, (*m, d)) and bool((np.abs(mean) <= _FARTHEST_MEAN).all())
    demand(near, "the model's mean")
    demand(_is_finite(estimator.components_, (*m, k, d)), "components_")
    demand(isinstance(estimator.transform_, transforms.AbstractTransform), "transform_")
    noise = {models.FactorAnalysisModel: (d,)}.get(type(model), m)
    demand(np.shape(model.noise_variance) == noise, "the model's noise_variance")
    if isinstance(model, models.MixturePPCAModel):
        demand(len(m) == 1 and _is_finite(model.log_weights, m), "the model's log_weights")
        demand(_is_finite(estimator.weights_, m), "weights_")
        demand(_is_finite(estimator.means_, (*m, d)), "means_")
    else:
        demand(m == () and _is_finite(estimator.mean_, (d,)), "mean_")
    _check_figures(estimator, d, k)
    with jax.enable_x64(True):
        key = jax.eval_shape(lambda: jax.random.key(0))
        row = jax.ShapeDtypeStruct((d,), jnp.float64)
        outputs = eqx.filter_eval_shape(_map, estimator.transform_, row, key)
    demand([leaf.shape for leaf in outputs] == [(d,), (), (d,)], "transform_")
    with np.errstate(all="ignore"):
        row = np.asarray(model.mean).reshape(-1, d)
        demand(bool(np.isfinite(estimator._exact.log_density(row)).all()), "the model's score")
        demand(bool(np.isfinite(estimator._posterior_means(row)).all()), "the model's posterior")


def _check_figures(estimator: Any, d: int, k: int) -> None:
    """Check what the fit of an exact model has measured."""
    model: Any = estimator.model_
    if isinstance(model, models.LinearVAEModel):
        demand(_is_finite(np.asarray(model.encoder), (k, d)), "the model's encoder")
        demand(_is_finite(np.asarray(model.variance), (k,)), "the model's variance")
        demand(_is_number(estimator.elbo_), "elbo_")
    else:
        demand(_is_number(estimator.log_likelihood_), "log_likelihood_")
    if isinstance(model, models.PPCAModel):
        demand(_is_number(estimator._floor) and estimator._floor >= 0, "_floor")
        _check_spectrum(estimator.spectrum_, d)
    else:
        _check_history(estimator.history_, estimator.n_iter_, ("objective",))


def _check_spectrum(spectrum: Any, d: int) -> None:
    demand(isinstance(spectrum, models.Spectrum), "spectrum_")
    r = len(spectrum.eigenvalues)
    demand(1 <= r <= d, "spectrum_")
    shapes = {"mean": (d,), "variances": (d,), "eigenvalues": (r,), "eigenvectors": (d, r)}
    for name, shape in shapes.items():
        demand(_is_finite(getattr(spectrum, name), shape), f"{name} of spectrum_")
    smallest, largest = spectrum.eigenvalues.min(), spectrum.eigenvalues.max()
    demand(smallest >= -_ROUNDING * largest and largest > 0, "eigenvalues of spectrum_")


def _map(transform: Any, row: Any, key: Any) -> tuple[Any, ...]:
    mapped = transform.forward(row, key=key)
    return mapped.value, mapped.log_det, transform.inverse(mapped.value)


def _check_shapes(model: models.VAEModel, d: int, k: int) -> None:
    """Trace all functions of a model that are used, without running or compiling them."""
    key = jax.eval_shape(lambda: jax.random.key(0))
    row = jax.ShapeDtypeStruct((d,), jnp.result_type(float))
    with own_promotion():
        outputs = eqx.filter_eval_shape(_outputs, model, row, key)
    wanted = [(d,), (), (k,), (k,), (k,), (), (k,), (), (d,), (d,), (d,)]
    demand([leaf.shape for leaf in outputs] == wanted, "the model")
    demand(all(jnp.issubdtype(leaf.dtype, jnp.floating) for leaf in outputs), "the model")


def _outputs(model: models.VAEModel, row: Any, key: Any) -> tuple[Any, ...]:
    outputs = model.infer(row, key=key)
    z = outputs.q.sample(key)
    density = model.decode(z)
    return (
        outputs.y,
        outputs.log_det,
        outputs.q.loc,
        outputs.q.scale,
        model.prior.kl(outputs.q),
        model.prior.log_prob(outputs.q.loc),
        model.prior.sample(key=key),
        density.log_prob(outputs.y),
        density.mean,
        density.sample(key),
        model.transform.inverse(density.mean),
    )


def _check_prior(prior: Any, k: int) -> None:
    # A fitted model holds the mixture of a VampPrior.
    demand(not isinstance(prior, latents.VampPrior), "the prior")
    if isinstance(prior, latents.FlowPrior):
        wanted = latents.flow_shapes(k, prior.layers, prior.width, prior.knots)
        demand(tuple(part.shape for part in prior.arrays) == wanted, "the prior")
    if not isinstance(prior, latents.GaussianMixture):
        return
    parts = (prior.log_weights, prior.means, prior.cholesky)
    m = len(prior.means)
    finite = all(bool(np.isfinite(np.asarray(part)).all()) for part in parts)
    shapes = [part.shape for part in parts] == [(m,), (m, k), (m, k, k)] and m >= 1
    demand(finite and shapes, "the prior")
    scales = np.diagonal(np.asarray(prior.cholesky), axis1=1, axis2=2)
    demand(bool((scales != 0).all()), "the prior")


def _check_history(history: Any, n: Any, columns: tuple, optional_columns: tuple = ()) -> None:
    demand(type(n) is int and n >= 0, "the number of epochs")
    demand(isinstance(history, dict), "history_")
    names = (*columns, *optional_columns) if len(history) > len(columns) else columns
    demand(set(history) == set(names), "history_")
    for name, column in history.items():
        sound = isinstance(column, np.ndarray) and column.dtype == np.float64
        demand(sound and column.shape == (n,), f"{name} of history_")
        # Figures that were not measured are NaN; the objective is always measured.
        demand(name != "objective" or bool(np.isfinite(column).all()), "objective of history_")


def _is_unusual(model: Any) -> bool:
    """Whether a number is far beyond those of training."""
    for path, leaf in jax.tree_util.tree_leaves_with_path(model):
        if not eqx.is_inexact_array_like(leaf):
            continue
        parts = jax.tree_util.keystr(path, simple=True, separator=".").split(".")
        usual = _USUAL_NUMBER
        if any(part in _WEIGHTS for part in parts):
            usual = _USUAL_WEIGHT
        elif parts[-1] in _RAW:
            usual = _USUAL_RAW
        if bool((np.abs(np.asarray(leaf)) > usual).any()):
            return True
    return False


def _try(model: models.VAEModel, key: Any) -> None:
    """Draw rows, encode them and score them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        given = None if model.given is None else np.zeros((_N_ROWS, model.n_covariates))
        rows = evaluation.samples(
            model, _N_ROWS, how="ancestral", alpha=1.0, key=key, covariates=given
        )
        demand(bool(np.isfinite(rows).all()), "the model, whose draws are no numbers,")
        rows = rows if given is None else np.concatenate([rows, given], axis=1)
        codes = evaluation.codes(model, rows, key=key, most=_N_ROWS)
        outputs = evaluation.log_likelihood(
            model, rows, n_samples=_N_SAMPLES, key=key, proposal="encoder"
        )
    near = bool((np.abs(codes.loc) <= _FARTHEST).all())
    narrow = bool(((codes.scale >= _NARROWEST) & (codes.scale <= _FARTHEST)).all())
    demand(near and narrow, "the encoder, whose posteriors lie beyond all that has a prior,")
    demand(bool(np.isfinite(outputs.value).all()), "the model, whose scores are no numbers,")


def _is_finite(array: Any, shape: tuple[int | None, ...]) -> bool:
    return (
        isinstance(array, np.ndarray)
        and array.dtype.kind == "f"
        and array.ndim == len(shape)
        and all(want in (None, size) for want, size in zip(shape, array.shape, strict=True))
        and bool(np.isfinite(array).all())
    )


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def demand(holds: bool, what: str) -> None:
    """Raise ``DamagedFileError`` unless a part of a file is what fitting makes."""
    if not holds:
        raise DamagedFileError(f"{what} is not what fitting makes.")
